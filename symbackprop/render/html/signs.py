"""Quantities of the derivation as the notation writes them, which may be with the other sign, and back."""

from __future__ import annotations

from sympy import Expr

from symbackprop.calculus.inert import Partial
from symbackprop.notation.substitution import Substitution, formula_sign
from symbackprop.render.equations import EquationWriter


def as_written(writer: EquationWriter, expr: Expr) -> tuple[int, Expr]:
    """The sign and the quantity that the notation writes for ``expr``: -1 and θ for a bias, say."""
    sign, quantity = formula_sign(Substitution.of(writer.notation.profile).into(expr))
    return int(sign), quantity


def own(writer: EquationWriter, expr: Expr) -> Expr:
    """What the notation writes, in the derivation's own quantities."""
    return Substitution.of(writer.notation.profile).undone(expr)


def local_derivative(writer: EquationWriter, factor: Expr) -> Partial | None:
    """The derivative between the derivation's own quantities that a factor of a product is, whatever its sign."""
    found = own(writer, factor).atoms(Partial)
    return next(iter(found)) if len(found) == 1 else None

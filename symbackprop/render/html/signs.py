"""Quantities of the derivation as the notation writes them, which may be with the other sign, and back."""

from __future__ import annotations

from sympy import Expr

from symbackprop.calculus.inert import Partial
from symbackprop.notation.profile import Profile
from symbackprop.notation.substitution import Substitution, formula_sign


def as_written(profile: Profile, expr: Expr) -> tuple[int, Expr]:
    """The sign and the quantity that the notation writes for ``expr``: -1 and θ for a bias, say."""
    sign, quantity = formula_sign(Substitution.of(profile).into(expr))
    return int(sign), quantity


def own(profile: Profile, expr: Expr) -> Expr:
    """What the notation writes, in the derivation's own quantities."""
    return Substitution.of(profile).undone(expr)


def local_derivative(profile: Profile, factor: Expr) -> Partial | None:
    """The derivative between the derivation's own quantities that a factor of a product is, whatever its sign."""
    found = own(profile, factor).atoms(Partial)
    return next(iter(found)) if len(found) == 1 else None

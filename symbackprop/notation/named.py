"""Gradients by a letter of their own: ``∇ = ∂J/∂W``, in a notation that has one."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Base, Entry
from symbackprop.calculus.inert import Partial
from symbackprop.derivation.matrix_terms import Gradient, Leaf
from symbackprop.derivation.steps import Formula
from symbackprop.network.quantities import BIAS, ERROR, OBJECTIVE, WEIGHT, is_trained
from symbackprop.notation.substitution import THRESHOLD, rebuilt

PARAMETERS = (WEIGHT, BIAS, THRESHOLD)


class GradientBase(Base):
    """The derivatives of ``error`` by the entries of the parameter ``of``: entry for entry, with the same indices."""

    of: Base
    error: Symbol

    def __new__(cls, of: Base, error: Symbol = ERROR) -> GradientBase:
        self = super().__new__(cls, f"gradient_{of.label}")
        self.of, self.error = of, error
        return self

    def told_apart_by(self) -> tuple[Any, ...]:
        return (*super().told_apart_by(), self.of, self.error)

    def __getnewargs_ex__(self) -> tuple[tuple[Base, Symbol], dict[str, bool]]:  # type: ignore[override]
        return (self.of, self.error), {}


def named(formula: Any) -> Any:
    """``formula`` with each derivative by a parameter under the name of its gradient.

    >>> named(WEIGHT[1, 2, 3] - Partial(ERROR, WEIGHT[1, 2, 3]))
    -gradient_w23[1] + w23[1]
    """
    if isinstance(formula, Expr):
        found = {each: named_entry(each) for each in formula.atoms(Partial) if is_gradient(each)}
        return formula.xreplace(found)
    if isinstance(formula, Gradient):
        return replace(formula.of, base=GradientBase(formula.of.base, formula.error))
    if isinstance(formula, tuple):
        return tuple(map(named, formula))
    if isinstance(formula, Leaf) or not is_dataclass(formula) or isinstance(formula, type):
        return formula
    return type(formula)(*(named(getattr(formula, each.name)) for each in fields(formula)))


def is_gradient(partial: Partial) -> bool:
    """Whether ``partial`` is the error's, or the objective's, derivative by a parameter."""
    by = partial.by
    return partial.of in (ERROR, OBJECTIVE) and isinstance(by, Entry) and (by.base in PARAMETERS or is_trained(by))


def named_entry(partial: Partial) -> Entry:
    """The entry of a gradient that ``partial`` is."""
    return GradientBase(partial.by.base, partial.of)[partial.by.indices]


def unnamed(formula: Formula) -> Formula:
    """``formula`` with each gradient as the derivatives that it stands for.

    >>> unnamed(GradientBase(BIAS)[1, 2])
    dE/db2[1]
    """
    return rebuilt(formula, unnamed_entry, unnamed_leaf)


def unnamed_entry(entry: Entry) -> Expr:
    """The derivative that an entry of a gradient is; any other entry as it is."""
    base = entry.base
    return Partial(base.error, base.of[entry.indices]) if isinstance(base, GradientBase) else entry


def unnamed_leaf(leaf: Leaf) -> Leaf | Gradient:
    """The array of derivatives that a gradient is; any other array as it is."""
    base = leaf.base
    return Gradient(replace(leaf, base=base.of), base.error) if isinstance(base, GradientBase) else leaf

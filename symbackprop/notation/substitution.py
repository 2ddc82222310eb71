"""What a profile puts in place of δ and of the biases: a quantity of the other sign, or the weight of a constant unit.

``δ' = -δ`` where a source defines δ as -∂E/∂z; ``θ = -b`` where it subtracts a threshold; ``w_0j = b_j`` where it feeds
every unit by the weight of a unit 0 whose output is 1. ``into`` writes a formula in these quantities, ``undone`` takes
it back to the derivation's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import sympy as sp
from sympy import Add, Expr, Mul, Sum

from symbackprop.calculus.indices import Base, Entry
from symbackprop.calculus.inert import Partial
from symbackprop.derivation.matrix_terms import Gradient, Leaf, Scaled
from symbackprop.derivation.steps import Formula
from symbackprop.network import quantities as q
from symbackprop.notation.profile import Profile

MINUS_DELTA = Base("minus_delta")  # -∂E/∂z
THRESHOLD, NEXT_THRESHOLD, THRESHOLD_CHANGE = Base("theta"), Base("theta_next"), Base("theta_change")

NEGATIVE_DELTA: Mapping[Base, Base] = {q.DELTA: MINUS_DELTA}
THRESHOLDS: Mapping[Base, Base] = {
    q.BIAS: THRESHOLD,
    q.NEXT_BIAS: NEXT_THRESHOLD,
    q.BIAS_CHANGE: THRESHOLD_CHANGE,
}
FROM_CONSTANT: Mapping[Base, Base] = {
    q.BIAS: q.WEIGHT,
    q.NEXT_BIAS: q.NEXT_WEIGHT,
    q.BIAS_CHANGE: q.WEIGHT_CHANGE,
}


@dataclass(frozen=True)
class Substitution:
    """``turned`` are the quantities whose negative the profile names, ``constant_unit`` says how it writes a bias."""

    turned: Mapping[Base, Base]
    constant_unit: bool = False

    @classmethod
    def of(cls, profile: Profile) -> Substitution:
        """The substitution that ``profile`` asks for.

        >>> from symbackprop.notation.profile import load_profile
        >>> haykin = Substitution.of(load_profile("haykin"))
        >>> haykin.into(q.DELTA[3, 1] + q.BIAS[1, 2])
        -minus_delta1[3] + w02[1]
        """
        turned: dict[Base, Base] = {}
        if profile.delta_sign == "negative":
            turned |= NEGATIVE_DELTA
        if profile.bias == "threshold":
            turned |= THRESHOLDS
        return cls(turned, profile.bias == "weight")

    def __bool__(self) -> bool:
        return bool(self.turned) or self.constant_unit

    def into(self, formula: Formula) -> Formula:
        """``formula``, an expression or a term, in the profile's quantities."""
        if not self:
            return formula
        return (
            rebuilt(formula, self._entry_into, self._leaf_into)
            if not isinstance(formula, Expr)
            else merged(rebuilt(formula, self._entry_into, self._leaf_into))
        )

    def undone(self, formula: Formula) -> Formula:
        """``formula`` in the derivation's quantities again."""
        back = {new: old for old, new in self.turned.items()}
        plain = rebuilt(formula, lambda entry: turned_entry(entry, back), lambda leaf: turned_leaf(leaf, back))
        return split(plain) if isinstance(plain, Expr) and self.constant_unit else plain

    def _entry_into(self, entry: Entry) -> Expr:
        if self.constant_unit and entry.base in FROM_CONSTANT:
            return FROM_CONSTANT[entry.base][entry.indices[0], 0, entry.indices[1]]
        return turned_entry(entry, self.turned)

    def _leaf_into(self, leaf: Leaf) -> Any:
        return turned_leaf(leaf, self.turned)


def turned_entry(entry: Entry, turned: Mapping[Base, Base]) -> Expr:
    """The entry as the negative of another one, where ``turned`` says so."""
    return -turned[entry.base][entry.indices] if entry.base in turned else entry


def turned_leaf(leaf: Leaf, turned: Mapping[Base, Base]) -> Any:
    """The array as the negative of another one, where ``turned`` says so."""
    return Scaled(sp.S.NegativeOne, replace(leaf, base=turned[leaf.base])) if leaf.base in turned else leaf


def rebuilt(formula: Any, entry: Callable[[Entry], Expr], leaf: Callable[[Leaf], Any]) -> Any:
    """``formula`` with its entries and arrays replaced; a derivative by -v is minus the derivative by v."""
    if isinstance(formula, Entry):
        return entry(formula)
    if isinstance(formula, Partial) and isinstance(formula.by, Entry):
        by_sign, by = formula_sign(entry(formula.by))
        inside = rebuilt(formula.of, entry, leaf)
        of_sign, of = formula_sign(inside) if isinstance(formula.of, Entry) else (sp.S.One, inside)
        return by_sign * of_sign * Partial(of, by)
    if isinstance(formula, Sum):
        return Sum(rebuilt(formula.function, entry, leaf), *formula.limits)
    if isinstance(formula, sp.Basic):
        if not formula.atoms(Entry):
            return formula
        return formula.func(*(rebuilt(part, entry, leaf) for part in formula.args))
    if isinstance(formula, Leaf):
        return leaf(formula)
    if isinstance(formula, Gradient):
        new = leaf(formula.of)
        negative = isinstance(new, Scaled)
        bare = replace(formula, of=new.of if negative else new)
        return Scaled(new.factor, bare) if negative else bare
    if isinstance(formula, tuple):
        return tuple(rebuilt(part, entry, leaf) for part in formula)
    if is_dataclass(formula) and not isinstance(formula, type):
        return type(formula)(*(rebuilt(getattr(formula, each.name), entry, leaf) for each in fields(formula)))
    return formula


def formula_sign(expr: Expr) -> tuple[Expr, Expr]:
    """The sign of an entry that may be negated, and the entry."""
    return (sp.S.NegativeOne, -expr) if expr.could_extract_minus_sign() else (sp.S.One, expr)


def merged(expr: Expr) -> Expr:
    """``w_0j + Σ_{i=1}^n w_ij a_i`` is the sum from 0, for the unit 0 puts out 1; everywhere in ``expr``."""
    if not expr.has(Sum):
        return expr
    if not isinstance(expr, Add):
        return expr if isinstance(expr, Sum) else expr.func(*map(merged, expr.args))
    terms = [merged(term) for term in expr.args]
    for total in (term for term in terms if isinstance(term, Sum) and len(term.limits) == 1):
        (i, low, high), *_ = total.limits
        first = at_zero(total.function, i)
        if low == 1 and first in terms:
            rest = [term for term in terms if term not in (total, first)]
            return Add(*rest, Sum(total.function, (i, 0, high)))
    return Add(*terms)


def split(expr: Expr) -> Expr:
    """The sums from 0 as their term at 0 and the sum from 1; weights from the unit 0 are biases."""
    back = {new: old for old, new in FROM_CONSTANT.items()}

    def entry(each: Entry) -> Expr:
        constant = each.base in back and each.indices[1] == 0
        return back[each.base][each.indices[0], each.indices[2]] if constant else each

    def term(total: Sum) -> Expr:
        (i, low, high), *_ = total.limits
        if low != 0:
            return total
        return at_zero(total.function, i) + Sum(total.function, (i, 1, high))

    opened = expr.replace(lambda e: isinstance(e, Sum), term)
    return rebuilt(opened, entry, lambda leaf: leaf)


def at_zero(body: Expr, i: Expr) -> Expr:
    """``body`` at the unit 0, whose output is 1."""
    put = body.xreplace({i: sp.S.Zero})
    ones = {e: sp.S.One for e in put.atoms(Entry) if e.base == q.OUT and e.indices[1] == 0}
    return Mul(*(factor.xreplace(ones) for factor in Mul.make_args(put)))

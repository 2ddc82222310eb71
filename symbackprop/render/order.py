"""The order in which a textbook writes the terms of a sum and the factors of a product."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Sum, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import A, T, W, Z
from symbackprop.network.quantities import (
    BIAS,
    BIAS_CHANGE,
    CLASS_WEIGHT,
    DELTA,
    ERROR,
    NEXT_BIAS,
    NEXT_WEIGHT,
    TARGET,
    WEIGHT,
    is_trained,
)
from symbackprop.notation.substitution import MINUS_DELTA, THRESHOLD, THRESHOLD_CHANGE

Key = tuple[Any, ...]
# What stands behind the other terms of a sum, by its rank.
LATE = {2: (TARGET,), 3: (BIAS, NEXT_BIAS, THRESHOLD), 4: (BIAS_CHANGE, THRESHOLD_CHANGE)}


def factors_in_order(factors: list[Expr]) -> list[Expr]:
    """Numbers, parameters, δ, sums of δ, targets, weights, slopes, outputs, then sums, logarithms and cases.

    >>> from symbackprop.network.quantities import OUT, PRE
    >>> slope = Apply(Symbol("g"), 1, PRE[2, 1])
    >>> factors_in_order([OUT[1, 2], slope, WEIGHT[2, 1, 1], DELTA[3, 1]])
    [delta1[3], w11[2], g'(z1[2]), x2]
    """
    return sorted(factors, key=factor_key)


def terms_in_order(terms: list[Expr]) -> list[Expr]:
    """Positive numbers first, then positive terms, then negative ones, negative numbers last.

    >>> from symbackprop.network.quantities import OUT
    >>> terms_in_order([-TARGET[1], OUT[3, 1]])
    [a1[3], -t1]
    """
    return sorted(terms, key=term_key)


def factor_key(factor: Expr) -> Key:
    """Where ``factor`` stands in a product."""
    base = factor.base if isinstance(factor, Pow) else factor
    return (_rank(base), _entry_key(base), str(factor))


def term_key(term: Expr) -> Key:
    """Where ``term`` stands in a sum."""
    coefficient, rest = term.as_coeff_Mul()
    negative = bool(coefficient.is_negative)
    if rest == 1 or term.is_number:
        return (3 if term.is_negative else 0, (), str(term))
    keys = sorted(factor_key(factor) for factor in Mul.make_args(rest))
    if is_trained(rest, "change"):
        return (2 if negative else 1, (4, keys), str(term))
    late = next((rank for rank, bases in LATE.items() if _is_entry(rest, *bases)), 2 if rest == T else 1)
    kind = -1 if rest == ERROR else 0 if isinstance(rest, Sum) else late
    return (2 if negative else 1, (kind, keys), str(term))


def _entry_key(base: Expr) -> Key:
    if not isinstance(base, Entry):
        return ()
    return (
        str(base.base.label),
        tuple((i.is_Integer is not True, int(i) if i.is_Integer else 0, str(i)) for i in base.indices),
    )


def _rank(base: Expr) -> int:
    if base.is_number:
        return 0
    if _is_entry(base, DELTA, MINUS_DELTA) or isinstance(base, Partial):
        return 2
    if isinstance(base, (Sum, Add)) and base.has(DELTA, MINUS_DELTA, Partial):
        return 3
    if isinstance(base, Sum):
        return 12
    if _is_entry(base, TARGET) or base == T:
        return 4
    if isinstance(base, Add) and base.has(TARGET, T):
        return 5
    if is_trained(base) or _is_entry(base, CLASS_WEIGHT):
        return 1
    if _is_entry(base, WEIGHT, NEXT_WEIGHT):
        return 6
    if isinstance(base, Apply):
        return 7 if base.order else 9
    if isinstance(base, Entry) or base in (Z, A, W) or str(base).startswith("u"):
        return 8
    if isinstance(base, Symbol):
        return 1
    return 10 if isinstance(base, sp.exp) else 11


def _is_entry(expr: Expr, *bases: Any) -> bool:
    return isinstance(expr, Entry) and expr.base in bases

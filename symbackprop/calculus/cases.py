"""Functions with corners written case by case."""

from __future__ import annotations

from functools import lru_cache, reduce

import sympy as sp
from sympy import Expr, Piecewise

from symbackprop.calculus.indices import Entry, place


def larger_or_smaller_by_cases(u: Expr) -> Piecewise:
    """max(v, w) = v if v > w, else w; likewise min. A constant comes last, so its slope 0 is taken at the corner.

    >>> larger_or_smaller_by_cases(sp.Max(0, sp.Symbol("z", real=True)))
    Piecewise((z, z > 0), (0, True))
    """

    def choose(v: Expr, w: Expr) -> Expr:
        return Piecewise((v, v > w if isinstance(u, sp.Max) else v < w), (w, True))

    return sp.piecewise_fold(reduce(choose, _constants_last(u)))


def _constants_last(u: Expr) -> list[Expr]:
    return sorted(
        u.args, key=lambda v: (v.is_number, *(place(v) if isinstance(v, Entry) else (1, sp.default_sort_key(v))))
    )


def first_and_rest(u: Expr) -> tuple[Expr, Expr]:
    """The arguments of a max or min as the first of them and the max or min of the others, a constant among these."""
    first, *rest = _constants_last(u)
    return first, u.func(*rest)


@lru_cache
def first_against_rest(u: Expr) -> Piecewise:
    """max(v, …) = v if v > max(…), else max(…); likewise min. A constant comes last, as above.

    >>> z, c = sp.symbols("z c", real=True)
    >>> first_against_rest(sp.Max(0, z, c))
    Piecewise((c, c > Max(0, z)), (Max(0, z), True))
    """
    first, other = first_and_rest(u)
    return Piecewise((first, first > other if isinstance(u, sp.Max) else first < other), (other, True))


def without_extremes(expr: Expr) -> Expr:
    """``expr`` with the value of every max and min by cases, one inside the other; conditions stay as they are.

    SymPy's own derivative of max and min is a step function that nothing else here knows.

    >>> z, c = sp.symbols("z c", real=True)
    >>> without_extremes(sp.Max(0, z, c))
    Piecewise((c, c > Max(0, z)), (Piecewise((z, z > 0), (0, True)), True))
    """
    if not expr.has(sp.Max, sp.Min):
        return expr
    if isinstance(expr, Piecewise):
        return Piecewise(*((without_extremes(value), where) for value, where in expr.args))
    if not isinstance(expr, sp.Max | sp.Min):
        return expr.func(*map(without_extremes, expr.args))
    return without_extremes(first_against_rest(expr))


def absolute_value_by_cases(u: sp.Abs) -> Piecewise:
    """|v| = v if v > 0, else -v."""
    return Piecewise((u.args[0], u.args[0] > 0), (-u.args[0], True))

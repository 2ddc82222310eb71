"""Functions with corners written case by case."""

from __future__ import annotations

from functools import reduce

import sympy as sp
from sympy import Expr, Piecewise


def larger_or_smaller_by_cases(u: Expr) -> Piecewise:
    """max(v, w) = v if v > w, else w; likewise min. A constant comes last, so its slope 0 is taken at the corner.

    >>> larger_or_smaller_by_cases(sp.Max(0, sp.Symbol("z", real=True)))
    Piecewise((z, z > 0), (0, True))
    """

    def choose(v: Expr, w: Expr) -> Expr:
        return Piecewise((v, v > w if isinstance(u, sp.Max) else v < w), (w, True))

    return sp.piecewise_fold(reduce(choose, sorted(u.args, key=lambda v: (v.is_number, sp.default_sort_key(v)))))


def absolute_value_by_cases(u: sp.Abs) -> Piecewise:
    """|v| = v if v > 0, else -v."""
    return Piecewise((u.args[0], u.args[0] > 0), (-u.args[0], True))

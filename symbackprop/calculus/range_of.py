"""Between which values a formula stays, and between which values its variable must stay, where that can be derived."""

from __future__ import annotations

from collections.abc import Iterator

import mpmath
import sympy as sp
from sympy import Expr, Piecewise, Pow, Symbol, oo

from symbackprop.calculus.bounds import near, value_at
from symbackprop.calculus.far_out import limit
from symbackprop.calculus.kinks import corner_free, real_roots, switches

MAX_SIZE = 60  # nodes; the limits of longer formulas may take for ever
TINY = 1e-20
Interval = tuple[Expr, Expr]


def range_of(value: Expr, slope: Expr, by: Symbol) -> Interval | None:
    """The least interval that holds every value of a continuous function; None if it is not found.

    The ends are limits at ±∞, values at corners, and values where the slope vanishes. ``value`` holds no other letter.

    >>> z = Symbol("z", real=True)
    >>> range_of(z / (1 + sp.Abs(z)), 1 / (1 + sp.Abs(z)) ** 2, z)
    (-1, 1)
    """
    if sum(1 for _ in sp.preorder_traversal(value)) > MAX_SIZE or value.has(sp.sin, sp.cos):
        return None
    if value.free_symbols != {by} or not _defined_everywhere(value):
        return None
    turning = _turning_points(value, slope, by)
    if turning is None:
        return None
    ends = [limit(value, by, end) for end in (-oo, oo)]
    if None in ends:
        return None
    values = {v: near(v, by, sp.S.Zero) for v in (*(value_at(value, by, at) for at in turning), *ends)}
    if any(mpmath.isnan(number) for number in values.values()):
        return None
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    # A turning point could be missing where two are too close to tell apart: a sample must lie between the ends.
    sample = [near(value, by, sp.Rational(n, 2)) for n in range(-40, 41, 5)]
    return (low, high) if all(values[low] - TINY <= y <= values[high] + TINY for y in sample) else None


def _turning_points(value: Expr, slope: Expr, by: Symbol) -> list[Expr] | None:
    """A superset of the points where the function turns; None if it is not complete."""
    found: list[Expr] = []
    pieces = corner_free(slope.replace(sp.sign, lambda u: Piecewise((1, u > 0), (-1, True))))
    sources = [form for switch in switches(value, by) for form in corner_free(switch)]
    if not pieces:
        return None
    for piece in (*pieces, *sources):
        roots = real_roots(piece, by, {}) if piece.has(by) else []
        if roots is None:
            return None
        found += roots
    return list(dict.fromkeys(found))


def _defined_everywhere(value: Expr) -> bool:
    """Whether no logarithm, root or denominator can leave the real numbers."""
    return all(
        (node.is_positive is True) if strict else (node.is_nonnegative is True or node.is_positive is True)
        for node, strict in restricted(value)
    ) and all(node.is_nonzero is True for node in _denominators(value))


def restricted(value: Expr) -> Iterator[tuple[Expr, bool]]:
    """What must be positive (True) or not negative (False) in ``value``."""
    for node in sp.preorder_traversal(value):
        match node:
            case sp.log(args=(u,)):
                yield u, True
            case Pow() if node.base.free_symbols and not node.exp.is_Integer:
                yield node.base, not (node.exp.is_Rational and node.exp > 0)


def _denominators(value: Expr) -> Iterator[Expr]:
    return (n.base for n in sp.preorder_traversal(value) if isinstance(n, Pow) and n.exp.is_negative is not False)


def domain_of(value: Expr, by: Symbol) -> Interval:
    """The open interval that ``by`` must lie in for logarithms and roots of linear expressions in it.

    >>> a, t = sp.symbols("a t", real=True)
    >>> domain_of(-t * sp.log(a) - (1 - t) * sp.log(1 - a), a)
    (0, 1)
    """
    low, high = -oo, oo
    for expr, _ in restricted(value):
        if expr.free_symbols == {by} and expr.is_polynomial(by) and sp.degree(expr, by) == 1:
            slope, constant = sp.Poly(expr, by).all_coeffs()
            edge = -constant / slope
            low, high = (sp.Max(low, edge), high) if slope > 0 else (low, sp.Min(high, edge))
    return low, high

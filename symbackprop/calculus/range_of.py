"""Between which values a formula stays, and between which values its variable must stay, where that can be derived."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from sympy import Expr, Piecewise, Pow, Symbol, oo

from symbackprop.calculus.kinks import corner_free, real_roots, switches

MAX_SIZE = 60  # nodes; the limits of longer formulas may take for ever
DIGITS = 30
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
    ends = [_limit(value, by, end) for end in (-oo, oo)]
    if None in ends:
        return None
    values = [*(value.subs(by, at) for at in turning), *ends]
    if not all(v.is_extended_real and (v.is_infinite or sp.N(v, DIGITS).is_comparable) for v in values):
        return None
    low, high = min(values, key=_size), max(values, key=_size)
    # SymPy's limits are not always right (2**z at -∞): a sample must lie between the ends.
    sample = [sp.N(value.subs(by, sp.Rational(n, 2)), DIGITS) for n in range(-40, 41, 5)]
    margin = sp.Rational(1, 10**20)
    return (low, high) if all(low - margin * abs(y) <= y <= high + margin * abs(y) for y in sample) else None


def _size(value: Expr) -> Expr:
    return value if value.is_infinite else sp.N(value, DIGITS)


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


def _limit(value: Expr, by: Symbol, end: Expr) -> Expr | None:
    """The limit at ``end``, each corner replaced by the side that holds there."""
    far = sp.Integer(10**6) if end == oo else sp.Integer(-(10**6))

    def side(node: Expr) -> Expr:
        match node:
            case sp.Abs(args=(u,)):
                return u if sp.N(u.subs(by, far)) > 0 else -u
            case Piecewise(args=cases):
                return next(choice for choice, where in cases if where.subs(by, far) == sp.true)
            case whole:
                pick = max if isinstance(whole, sp.Max) else min
                return pick(whole.args, key=lambda u: sp.N(u.subs(by, far)))

    try:
        plain = value.replace(lambda e: isinstance(e, sp.Abs | sp.Max | sp.Min | Piecewise), side)
        natural = plain.replace(
            lambda e: isinstance(e, Pow) and e.exp.has(by), lambda e: sp.exp(e.exp * sp.log(e.base))
        )
        limit = sp.limit(natural, by, end)
    except (NotImplementedError, ValueError, TypeError, StopIteration, RecursionError, OverflowError):
        return None
    return limit if limit.is_extended_real and not limit.free_symbols and not limit.has(sp.AccumBounds) else None


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

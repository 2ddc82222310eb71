"""Where a formula with absolute values, maxima or cases has no derivative: found from the formula itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import mpmath
import sympy as sp
from sympy import Expr, Piecewise, Pow, Symbol
from sympy.core.relational import Relational

from symbackprop.calculus.bounds import near, value_at

MAX_DEGREE = 8
MAX_NESTED = 5  # corners inside a corner
STEP = sp.Rational(1, 10**25)  # how far beside a point its two sides are looked at
SAME = 1e-8
DIGITS = 40


@dataclass(frozen=True)
class Break:
    """A point where the slope jumps, or the value too (``jump``); ``slope`` is what the slope's formula gives there.

    ``slope`` is None where the formula gives no finite number.
    """

    at: Expr
    slope: Expr | None
    jump: bool = False


@dataclass(frozen=True)
class Breaks:
    """All such points; where an equation ``expr = 0`` for them cannot be solved, ``expr`` is in ``unsolved``."""

    points: tuple[Break, ...]
    unsolved: tuple[Expr, ...] = ()


def breaks(value: Expr, slope: Expr, by: Symbol, numbers: Mapping[Symbol, Expr]) -> Breaks:
    """The points where ``value`` has no derivative in ``by``; ``slope`` is its derivative's formula.

    Points keep the letters of ``numbers``, which are what the letters stand for where it has to be decided whether
    there is a break at all.

    >>> z, c = sp.symbols("z c", real=True)
    >>> breaks(sp.Abs(z - c), sp.sign(z - c), z, {c: sp.Integer(2)}).points
    (Break(at=c, slope=0, jump=False),)
    """
    points: dict[Expr, Break] = {}
    unsolved: list[Expr] = []
    for switch in switches(value, by):
        found_roots = [real_roots(plain, by, numbers) for plain in corner_free(switch)]
        if not found_roots or None in found_roots:
            unsolved.append(switch)
        for at in (root for roots in found_roots for root in roots or ()):
            if (found := _at(at, value, slope, by, numbers)) is not None:
                points.setdefault(at.xreplace(dict(numbers)), found)
    ordered = sorted(points, key=lambda at: (not at.is_number, sp.N(at) if at.is_number else 0, str(at)))
    return Breaks(tuple(points[at] for at in ordered), tuple(unsolved))


def switches(value: Expr, by: Symbol) -> list[Expr]:
    """The expressions whose zeros are the only places where ``value`` can have a corner, in reading order."""

    def of(node: sp.Basic) -> Iterator[Expr]:
        match node:
            case sp.Abs():
                yield node.args[0]
            case sp.Max() | sp.Min():
                yield from (u - v for u, v in combinations(sorted(node.args, key=sp.default_sort_key), 2))
            case Piecewise():
                comparisons = sorted(
                    {r for _, where in node.args for r in where.atoms(Relational)}, key=sp.default_sort_key
                )
                yield from (r.lhs - r.rhs for r in comparisons)
            case Pow() if node.exp.is_Rational and not node.exp.is_Integer:
                yield node.base

    nodes = (node for node in sp.preorder_traversal(value) if isinstance(node, Expr))
    return list(dict.fromkeys(expr for node in nodes for expr in of(node) if expr.has(by)))


def corner_free(expr: Expr) -> list[Expr]:
    """Everything that ``expr`` can be between its own corners; empty if that is too much."""
    corners = [node for node in sp.preorder_traversal(expr) if isinstance(node, sp.Abs | sp.Max | sp.Min | Piecewise)]
    if not corners:
        return [expr]
    if len(corners) > MAX_NESTED:
        return []
    match corners[0]:
        case sp.Abs(args=(u,)):
            ways = [u, -u]
        case Piecewise(args=cases):
            ways = [value for value, _ in cases]
        case whole:
            ways = list(whole.args)
    plain = [form for way in ways for form in corner_free(expr.xreplace({corners[0]: way}))]
    return list(dict.fromkeys(plain))


def real_roots(expr: Expr, by: Symbol, numbers: Mapping[Symbol, Expr]) -> list[Expr] | None:
    """The real zeros of ``expr`` in ``by``, in closed form; None if they cannot be found.

    >>> z = Symbol("z", real=True)
    >>> real_roots(sp.tanh(2 * z) - sp.Rational(1, 2), z, {}), real_roots(z + sp.exp(z), z, {})
    ([atanh(1/2)/2], None)
    """
    top = sp.fraction(sp.together(expr))[0]
    if top.is_positive or top.is_negative:
        return []
    factors = [factor.as_base_exp()[0] for factor in sp.Mul.make_args(top)]
    found: list[Expr] = []
    for factor in factors:
        if factor.has(by):
            roots = _of_polynomial(factor, by, numbers) if factor.is_polynomial(by) else _inverted(factor, by, numbers)
            if roots is None:
                return None
            found += roots
    return list(dict.fromkeys(found))


def _of_polynomial(expr: Expr, by: Symbol, numbers: Mapping[Symbol, Expr]) -> list[Expr] | None:
    polynomial, plain = sp.Poly(expr, by), sp.Poly(expr.xreplace(dict(numbers)), by)
    if polynomial.degree() > MAX_DEGREE:
        return None
    if polynomial.degree() > 2:
        polynomial = plain
    roots = sp.roots(polynomial)
    real = [root for root in roots if _number(root, numbers) is not None]
    if sum(roots.values()) < polynomial.degree() and not plain.free_symbols_in_domain:
        return real if len(real) == plain.count_roots() else None
    return real


def _inverted(expr: Expr, by: Symbol, numbers: Mapping[Symbol, Expr]) -> list[Expr] | None:
    """The zeros of a polynomial in one function of ``by``, by the function's inverse."""
    inside = [f for f in expr.atoms(sp.Function) if f.has(by) and isinstance(f, sp.exp | sp.log | sp.tanh | sp.sinh)]
    outer = [f for f in inside if not any(f != other and other.has(f) for other in inside)]
    y = sp.Dummy("y", real=True)
    if len(outer) != 1 or not (replaced := expr.xreplace({outer[0]: y})).is_polynomial(y) or replaced.has(by):
        return None
    levels = _of_polynomial(replaced, y, numbers)
    if levels is None:
        return None
    function, argument = outer[0].func, outer[0].args[0]
    found: list[Expr] = []
    for level in levels:
        inverse = function(argument).inverse()(level)
        if _number(inverse, numbers) is not None:
            roots = real_roots(argument - inverse, by, numbers)
            if roots is None:
                return None
            found += roots
    return found


def _number(expr: Expr, numbers: Mapping[Symbol, Expr]) -> Expr | None:
    """``expr`` as a real number, or with a letter that stands for any real number; None if it is not real."""
    value = expr.xreplace(dict(numbers))
    if value.free_symbols:
        return value if value.is_real is not False else None
    value = sp.N(value, DIGITS, chop=True)
    return value if value.is_real and value.is_finite else None


def _at(at: Expr, value: Expr, slope: Expr, by: Symbol, numbers: Mapping[Symbol, Expr]) -> Break | None:
    """What happens at a point, seen from its two sides; letters without a number get one."""
    spare = {s: sp.Rational(n, 7) for n, s in enumerate(sorted((value.free_symbols - {by}) - set(numbers), key=str), 2)}
    put = {**spare, **numbers}
    here = at.xreplace(put)

    def sides(expr: Expr) -> list[mpmath.mpf]:
        # At the point itself the exact value decides a comparison; its digits could not.
        middle = sp.Dummy("exact", real=True)
        plain = expr.xreplace(put)
        exact = value_at(plain, by, here)
        return [near(plain, by, here - STEP), near(exact, middle, here), near(plain, by, here + STEP)]

    below, middle, above = sides(value)
    jump = all(map(mpmath.isfinite, (below, middle, above))) and not (_close(below, middle) and _close(middle, above))
    left, at_point, right = sides(slope)
    if not jump and _close(left, at_point) and _close(at_point, right):
        return None
    taken = value_at(slope, by, at)
    finite = mpmath.isfinite(at_point)
    return Break(at, taken if finite else None, jump)


def _close(u: mpmath.mpf, v: mpmath.mpf) -> bool:
    return bool(mpmath.isfinite(u) and mpmath.isfinite(v) and abs(u - v) <= SAME * (1 + abs(v)))

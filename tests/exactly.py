"""Equality for tests: exact, case by case, and again at random points to 30 digits. Both must say yes."""

import random
from collections.abc import Iterable

import mpmath
import sympy as sp
from sympy import Expr, Piecewise

from symbackprop.calculus.differentiate import Line

DIGITS = 30
INTERVALS = {"z": (-3, 3), "a": (0, 1), "t": (0, 1), "w": (-2, 2)}


def points(symbols: Iterable[Expr], count: int = 5, seed: int = 0) -> list[dict[Expr, Expr]]:
    """Random rational values, inside the losses' domain, on both sides of every kink at 0."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        row = {}
        for symbol in sorted(symbols, key=str):
            low, high = INTERVALS.get(str(symbol)[0], (0, 1))
            row[symbol] = low + (high - low) * sp.Rational(chance.randint(1, 9_999), 10_000)
        rows.append(row)
    return rows


def equal_at_points(left: Expr, right: Expr, seed: int = 0) -> bool:
    for row in points(left.free_symbols | right.free_symbols, seed=seed):
        x, y = (sp.N(side.subs(row, simultaneous=True), DIGITS + 10) for side in (left, right))
        with mpmath.workdps(DIGITS + 10):
            if abs(mpmath.mpf(x) - mpmath.mpf(y)) > mpmath.mpf(10) ** -DIGITS * (1 + abs(mpmath.mpf(x))):
                return False
    return True


def equal_exactly(left: Expr, right: Expr) -> bool:
    """Whether the difference is zero in every case, by expansion and by cancelling fractions."""
    difference = sp.piecewise_fold(left - right)
    values = [value for value, _ in difference.args] if isinstance(difference, Piecewise) else [difference]
    return all(_is_zero(value) for value in values)


def _is_zero(value: Expr) -> bool:
    without_signs = value.replace(sp.sign, lambda u: sp.Abs(u) / u)
    if without_signs != value and sp.cancel(sp.together(without_signs)) == 0:
        return True
    return sp.expand(value) == 0 or sp.cancel(sp.together(sp.expand(value.rewrite(sp.exp)))) == 0


def equal(left: Expr, right: Expr) -> bool:
    return equal_at_points(left, right) and equal_exactly(left, right)


def lines_hold(lines: Iterable[Line]) -> bool:
    """Whether every line's two sides are equal once SymPy carries out what stands open in them."""
    return all(equal(line.left.doit(), line.right.doit()) for line in lines)

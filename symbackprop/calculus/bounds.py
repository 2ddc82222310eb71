"""How large numbers can get, before SymPy computes them exactly: ``2**(10**20)`` would fill the memory."""

from __future__ import annotations

import math
from collections.abc import Mapping

import mpmath
import sympy as sp
from sympy import Add, Expr, Mul, Piecewise, Pow, Symbol
from sympy.core.relational import Relational

DIGITS = 60
MAX_EXPONENT = 1000
FAR = 10**6  # beyond it an exponential counts as infinite or as 0


def weight(expr: Expr) -> float:
    """A bound for every number that multiplying ``expr`` out can produce, letters counted as 1.

    >>> z = Symbol("z")
    >>> weight(100 * (z + 3) ** 2), weight(sp.tanh(1000 * z))
    (1600.0, 1.0)
    """
    if isinstance(expr, Add):
        return sum(map(weight, expr.args))
    if isinstance(expr, Mul):
        return math.prod(map(weight, expr.args))
    if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp > 0:
        try:
            return weight(expr.base) ** int(expr.exp)
        except OverflowError:
            return math.inf
    return abs(float(sp.N(expr))) if expr.is_number else 1.0


def value_at(expr: Expr, by: Symbol, at: Expr) -> Expr:
    """``expr`` where ``by`` has the value ``at``: exact, or with 15 digits where a power in it would be huge.

    >>> z = Symbol("z", real=True)
    >>> value_at(2**z, z, sp.Integer(3)), value_at(2**-z, z, sp.Integer(10**20))
    (8, 0)
    """
    exponents = [node.exp for node in expr.atoms(Pow, sp.exp) if node.exp.has(by)]
    if at.is_number and expr.free_symbols == {by}:
        sizes = [abs(near(exponent, by, at)) for exponent in exponents]
        if not all(size <= MAX_EXPONENT for size in sizes):
            value = near(expr, by, at)
            return sp.Float(value, 15) if value else sp.S.Zero
    return expr.subs(by, at)


def near(expr: Expr, by: Symbol, at: Expr) -> mpmath.mpf:
    """``expr``, which holds no other letter, at a number, to ``DIGITS`` digits; nan where it is no real number.

    >>> z = Symbol("z", real=True)
    >>> near(sp.exp(sp.exp(z)), z, sp.Integer(99)), near(sp.log(z), z, sp.Integer(-1))
    (mpf('+inf'), mpf('nan'))
    """
    with mpmath.workdps(DIGITS):
        return _value(expr, {by: _number(at)})


def _number(number: Expr) -> mpmath.mpf:
    if number.is_Rational:
        return mpmath.mpf(int(number.p)) / int(number.q)
    if number in (sp.oo, -sp.oo):
        return mpmath.inf if number == sp.oo else -mpmath.inf
    value = sp.N(number, DIGITS)
    return mpmath.mpf(value._mpf_) if value.is_Float else mpmath.nan


def _value(expr: Expr, put: Mapping[Expr, mpmath.mpf]) -> mpmath.mpf:
    if expr in put:
        return put[expr]
    if not expr.args:
        return _number(expr)
    if isinstance(expr, Piecewise):
        return next((_value(value, put) for value, where in expr.args if _holds(where, put)), mpmath.nan)
    args = [_value(arg, put) for arg in expr.args]
    if any(mpmath.isnan(arg) for arg in args):
        return mpmath.nan
    match expr:
        case Add():
            return sum(args, mpmath.mpf(0))
        case Mul():
            return math.prod(args, start=mpmath.mpf(1))
        case Pow():
            return _power(args[0], args[1], int(expr.exp) if expr.exp.is_Integer else None)
        case sp.Max() | sp.Min():
            return max(args) if isinstance(expr, sp.Max) else min(args)
    return _called(type(expr).__name__, args[0])


def _called(name: str, u: mpmath.mpf) -> mpmath.mpf:
    """A function of one variable by SymPy's name for it; far out, what it tends to."""
    if abs(u) > FAR and name in ("exp", "tanh", "erf", "sinh", "cosh"):
        ends = {"tanh": 1, "erf": 1, "sinh": mpmath.inf}
        return ends[name] * mpmath.sign(u) if name in ends else mpmath.inf if u > 0 or name == "cosh" else mpmath.mpf(0)
    if name == "Abs":
        return abs(u)
    if name == "log" and u <= 0:
        return mpmath.nan if u else -mpmath.inf
    if not mpmath.isfinite(u) and name in ("sin", "cos"):
        return mpmath.nan
    value = getattr(mpmath, name.lower())(u)
    return value if isinstance(value, mpmath.mpf) else mpmath.nan


def _power(base: mpmath.mpf, exponent: mpmath.mpf, whole: int | None) -> mpmath.mpf:
    if base == 0:
        return mpmath.mpf(0) if exponent > 0 else mpmath.nan
    if whole is not None:
        return base**whole
    return _called("exp", exponent * mpmath.log(base)) if base > 0 else mpmath.nan


def _holds(where: sp.Basic, put: Mapping[Expr, mpmath.mpf]) -> bool:
    """Whether a condition holds at the point."""
    match where:
        case Relational():
            left, right = (_value(side, put) for side in where.args)
            known = {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}
            return bool({**known, "==": left == right, "!=": left != right}[where.rel_op])
        case sp.And():
            return all(_holds(part, put) for part in where.args)
        case sp.Or():
            return any(_holds(part, put) for part in where.args)
        case sp.Not():
            return not _holds(where.args[0], put)
    return where == sp.true

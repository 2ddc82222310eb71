"""Rewrites of single functions: differences of near numbers, squares in exponents, roots, branches not taken."""

from __future__ import annotations

import sympy as sp
from sympy import Abs, Add, Expr, Integer, Max, Min, Mul, Piecewise, Pow, Rational, Symbol
from sympy.codegen.cfunctions import expm1, log1p

from symbackprop.emit.functions import Erfc, Sigmoid, Softplus, TanhRest
from symbackprop.emit.rewrites_of_exponents import exp_of_size

LAMBERT = range(3, 23, 2)


def exp_minus_one(expr: Expr) -> Expr:
    """e^u - 1 = expm1(u), without the loss of digits near u = 0; 1 - e^u is its negative."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        one, rest = expr.as_coeff_Add()
        if one == -1 and isinstance(rest, sp.exp):
            return expm1(rest.args[0])
        if one == 1 and isinstance(-rest, sp.exp):
            return -expm1((-rest).args[0])
    return expr


def log_one_plus(expr: Expr) -> Expr:
    """log(1 + u) = log1p(u), without the loss of digits near u = 0."""
    if isinstance(expr, sp.log) and isinstance(expr.args[0], Add):
        one, rest = expr.args[0].as_coeff_Add()
        if one == 1:
            return log1p(rest)
    return expr


def erf_complement(expr: Expr) -> Expr:
    """1 + erf(u) = erfc(-u), without the loss of digits where erf(u) is near -1."""
    if isinstance(expr, Add):
        one, rest = expr.as_coeff_Add()
        for term in Add.make_args(rest):
            coefficient, function = term.as_coeff_Mul()
            if isinstance(function, sp.erf) and abs(coefficient) == one:
                return rest - term + one * Erfc(-sp.sign(coefficient) * function.args[0])
    return expr


def tanh_complement(expr: Expr) -> Expr:
    """1 + tanh u = 2 σ(2u) and 1 - tanh² u = 4 σ(2u) σ(-2u), without the loss of digits where tanh u is near ±1."""
    if isinstance(expr, Add):
        one, rest = expr.as_coeff_Add()
        for term in Add.make_args(rest):
            coefficient, function = term.as_coeff_Mul()
            if one > 0 and isinstance(function, sp.tanh) and abs(coefficient) == one:
                return rest - term + 2 * one * Sigmoid(2 * sp.sign(coefficient) * function.args[0])
            base, exponent = function.as_base_exp()
            if one > 0 and coefficient == -one and isinstance(base, sp.tanh) and exponent == 2:
                u = base.args[0]
                return rest - term + 4 * one * Sigmoid(2 * u) * Sigmoid(-2 * u)
    return expr


def tanh_of_fraction(expr: Expr) -> Expr:
    """The fraction sinh u / cosh u is tanh u, which does not overflow."""
    if isinstance(expr, Mul):
        for factor in expr.args:
            if isinstance(factor, sp.sinh) and 1 / sp.cosh(factor.args[0]) in expr.args:
                u = factor.args[0]
                return expr / factor * sp.cosh(u) * sp.tanh(u)
    return expr


def log_cosh(expr: Expr) -> Expr:
    """The logarithm of cosh u is log1p(2 sinh²(u/2)) where |u| < 1, otherwise |u| + log1p(e^(-2|u|)) - log 2."""
    if isinstance(expr, sp.log) and isinstance(expr.args[0], sp.cosh):
        u = expr.args[0].args[0]
        near = sp.sinh(Min(Abs(u), Integer(1), evaluate=False) / 2)
        return Piecewise((log1p(2 * near**2), Abs(u) < 1), (Abs(u) + log1p(sp.exp(-2 * Abs(u))) - sp.log(2), True))
    return expr


def root_sum(expr: Expr) -> Expr:
    """The sum u + √(u² + c) = c/(√(u² + c) - u) where u < 0, without the loss of digits there; c is positive."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        for root, u in (expr.args, expr.args[::-1]):
            coefficient, power = root.as_coeff_Mul()
            if isinstance(power, Pow) and power.exp == sp.Rational(1, 2) and coefficient > 0:
                u = u / coefficient
                c = sp.expand(power.base - u**2)
                if c.is_positive and c.is_Atom:
                    below = c / (power - Min(u, Integer(0), evaluate=False))
                    return coefficient * Piecewise((u + power, u > 0), (below, True))
    return expr


def root_fraction(expr: Expr) -> Expr:
    """1 + u/√(u² + c) = (u + √(u² + c))/√(u² + c), without the loss of digits where u is far below 0."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        one, rest = expr.as_coeff_Add()
        for power in Mul.make_args(rest):
            if one > 0 and isinstance(power, Pow) and power.exp == -sp.Rational(1, 2):
                u, root = rest / power / one, 1 / power
                whole = root_sum(u + root)
                if whole != u + root:
                    return one * whole / root
    return expr


def greater_of_two(expr: Expr) -> Expr:
    """The case u where u > c, otherwise c, is max(u, c)."""
    if isinstance(expr, Piecewise) and len(expr.args) == 2:
        (value, where), (other, _) = expr.args
        if isinstance(where, sp.StrictGreaterThan | sp.GreaterThan) and where.args == (value, other):
            return Max(value, other, evaluate=False)
    return expr


def branch_clip(expr: Expr) -> Expr:
    """Where a case holds only for u ≤ c, f(u) = f(min(u, c)) there: the branch not taken cannot overflow."""
    if not isinstance(expr, Piecewise):
        return expr
    earlier: list[sp.Basic] = []
    cases = []
    for value, where in expr.args:
        bounds = [where, *map(sp.Not, earlier)]
        cases.append((_clipped(value, bounds) if value.has(sp.exp, expm1, sp.cosh, sp.sinh) else value, where))
        earlier.append(where)
    return Piecewise(*cases)


def branch_logarithm(expr: Expr) -> Expr:
    """Where a case holds only for u > 0, log u = log max(u, 2^-149) there, down to single precision's least number."""
    if not isinstance(expr, Piecewise):
        return expr
    value, where = expr.args[0]
    if isinstance(where, sp.StrictGreaterThan) and where.rhs == 0 and value.has(sp.log(where.lhs)):
        least = sp.log(Max(where.lhs, sp.Rational(1, 2**149), evaluate=False))
        return Piecewise((value.xreplace({sp.log(where.lhs): least}), where), *expr.args[1:])
    return expr


def _clipped(value: Expr, bounds: list[sp.Basic]) -> Expr:
    for test in bounds:
        if isinstance(test, sp.StrictLessThan | sp.LessThan | sp.StrictGreaterThan | sp.GreaterThan):
            u, c = test.args
            if isinstance(u, Symbol) and not c.free_symbols & {u}:
                clip = Min if isinstance(test, sp.StrictLessThan | sp.LessThan) else Max
                return value.xreplace({u: clip(u, c, evaluate=False)})
    return value


def softplus_without_overflow(expr: Expr) -> Expr:
    """log(1 + e^u) = max(u, 0) + log(1 + e^-|u|): no exponent is positive."""
    if isinstance(expr, Softplus):
        u = expr.args[0]
        return Max(u, Integer(0), evaluate=False) + log1p(exp_of_size(u))
    return expr


def tanh_rest(expr: Expr) -> Expr:
    """The difference u - tanh u has a name."""
    if isinstance(expr, Add):
        for term in expr.args:
            sign, function = term.as_coeff_Mul()
            if isinstance(function, sp.tanh) and -sign * function.args[0] in expr.args:
                u = function.args[0]
                return expr - term + sign * u - sign * TanhRest(u)
    return expr


def tanh_rest_near_zero(expr: Expr) -> Expr:
    """The rest of tanh u is u w/(1 + w), w = u²/(3 + u²/(5 + u²/(7 + ...))): Lambert's fraction, where |u| < 3/2.

    The fraction is cut off where the rest is below 1e-18 of w.
    """
    if isinstance(expr, TanhRest):
        u = expr.args[0]
        near = Min(Abs(u), Rational(3, 2), evaluate=False) ** 2
        w = near / LAMBERT[-1]
        for odd in reversed(LAMBERT[:-1]):
            w = near / (odd + w)
        return Piecewise((u * w / (1 + w), Abs(u) < Rational(3, 2)), (u - sp.tanh(u), True))
    return expr


def number_put_in(expr: Expr) -> Expr:
    """The product c (1 + d u) = c + c d u: for numbers that are no fractions, one rounding less."""
    if isinstance(expr, Mul):
        number, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
        for factor in Mul.make_args(rest):
            if number.is_Rational or not (isinstance(factor, Add) and factor.is_polynomial(*factor.free_symbols)):
                continue
            if all(term.as_independent(*term.free_symbols, as_Add=False)[0].is_Rational for term in factor.args):
                return rest / factor * Add(*(number * term for term in factor.args))
    return expr


def common_denominator(expr: Expr) -> Expr:
    """u/p + v/q over one denominator: the sum is taken of numbers that are not rounded, as in (z + 3)/6."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        (c, u), (d, v) = (term.as_coeff_Mul() for term in expr.args)
        whole = sp.ilcm(c.q, d.q) if c.is_Rational and d.is_Rational else 1
        if whole > 1 and all(part == 1 or isinstance(part, Symbol) for part in (u, v)) and not _is_power_of_two(whole):
            return Mul(Rational(1, whole), Add(whole * c * u, whole * d * v), evaluate=False)
    return expr


def _is_power_of_two(number: Integer) -> bool:
    return int(number).bit_count() == 1

"""Rewrites of losses and their slopes with the output's formula put in: what is next to nothing keeps its digits."""

from __future__ import annotations

import sympy as sp
from sympy import Abs, Add, Dummy, Expr, Integer, Max, Min, Mul, Piecewise, Pow, Rational
from sympy.codegen.cfunctions import expm1, log1p

from symbackprop.calculus.inert import Total
from symbackprop.emit.functions import ExpQuotient, LogSoftplus, Others, RowSum, Shifted, Sigmoid, Softplus


def log_of_others(expr: Expr) -> Expr:
    """The logarithm of a sum with a term e^0 is log1p of the sum of the others, which may be next to nothing."""
    if isinstance(expr, sp.log) and isinstance(expr.args[0], RowSum) and _is_shifted(expr.args[0].args[0]):
        return log1p(Others(expr.args[0].args[0]))
    return expr


def shifted_softmax(expr: Expr) -> Expr:
    """The difference e/Σe - t = (e - t - t (Σe - 1))/Σe: where t and e are 1, the sum of the others is left."""
    if not isinstance(expr, Add):
        return expr
    for term in expr.args:
        for factor in Mul.make_args(term):
            if isinstance(factor, Pow) and factor.exp == -1 and isinstance(factor.base, RowSum):
                e, rest = factor.base.args[0], expr - term
                if _is_shifted(e) and e in term.args and not rest.has(e):
                    return Mul(Total(Total(term / factor, rest), rest * Others(e)), factor, evaluate=False)
    return expr


def _is_shifted(e: Expr) -> bool:
    return isinstance(e, sp.exp) and isinstance(e.args[0], Shifted)


def shifted_sigmoid(expr: Expr) -> Expr:
    """The difference σ(u) - t = (e^min(u,0) - t - t e^-|u|)/(1 + e^-|u|): for t = 1 it is -σ(-u), for t = 0 σ(u)."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        for function, rest in (expr.args, expr.args[::-1]):
            sign, sigmoid = function.as_coeff_Mul()
            if abs(sign) == 1 and isinstance(sigmoid, Sigmoid) and (-sign * rest).is_Symbol:
                u, t = sigmoid.args[0], -sign * rest
                small = sp.exp(-Abs(u))
                return sign * Total(Total(sp.exp(Min(u, Integer(0), evaluate=False)), -t), -t * small) / (1 + small)
    return expr


def softplus_pair(expr: Expr) -> Expr:
    """The sum t softplus(-u) + (1 - t) softplus(u) = log(1 + e^-|u|) + u ([u > 0] - t)."""
    if isinstance(expr, Add):
        for term in expr.args:
            t, function = term.as_independent(Softplus, as_Add=False)
            if isinstance(function, Softplus) and (1 - t) * Softplus(u := -function.args[0]) in expr.args:
                step = Piecewise((1, u > 0), (0, True))
                return expr - term - (1 - t) * Softplus(u) + log1p(sp.exp(-Abs(u))) + u * (step - t)
    return expr


def cancelled_quotient(expr: Expr) -> Expr:
    """(f + g/s) s = f s + g for a sigmoid s, which may be next to nothing; other sums stay whole."""
    if not isinstance(expr, Mul) or not any(isinstance(factor, Sigmoid) for factor in expr.args):
        return expr
    sums = {total for total in expr.atoms(Add) if not total.has(Sigmoid, Softplus)}
    letters = {total: Dummy(real=True) for total in sums}
    plain = sp.expand_mul(expr.xreplace(letters))
    divided = [power for power in expr.atoms(Pow) if isinstance(power.base, Sigmoid) and power.exp == -1]
    if divided and not any(plain.has(power) for power in divided):
        return plain.xreplace({letter: total for total, letter in letters.items()})
    return expr


def exp_quotient(expr: Expr) -> Expr:
    """(e^u - 1)/u has a name, and a value at 0."""
    if isinstance(expr, Mul):
        for factor in expr.args:
            if isinstance(factor, expm1):
                u = factor.args[0]
                sign, plain = u.as_coeff_Mul()
                if abs(sign) == 1 and 1 / plain in expr.args:
                    return expr / factor * plain * sign * ExpQuotient(u)
    return expr


def log_softplus(expr: Expr) -> Expr:
    """The logarithm of softplus has a name."""
    if isinstance(expr, sp.log) and isinstance(expr.args[0], Softplus):
        return LogSoftplus(expr.args[0].args[0])
    return expr


def log_softplus_far_down(expr: Expr) -> Expr:
    """The logarithm log log(1 + e^u) = u + log(log(1 + w)/w) for u < 0, w = e^u; below -80 it is u to 35 digits."""
    if isinstance(expr, LogSoftplus):
        u = expr.args[0]
        w = sp.exp(Max(Min(u, Integer(0), evaluate=False), Integer(-80), evaluate=False))
        above = sp.log(Softplus(Max(u, Integer(0), evaluate=False)))
        return Piecewise((u + sp.log(log1p(w) / w), u < 0), (above, True))
    return expr


def exp_quotient_at_zero(expr: Expr) -> Expr:
    """(e^u - 1)/u, farther up by 2^-125 where u is nearer to 0 than 2^-126: there it is 1 to 37 digits."""
    if isinstance(expr, ExpQuotient):
        least = Rational(1, 2**126)
        u = expr.args[0] + Piecewise((2 * least, Abs(expr.args[0]) < least), (0, True))
        return expm1(u) / u
    return expr

"""Rewrites of quotients and logarithms of exponentials: the sigmoid, softplus, softmax and its logarithm."""

from __future__ import annotations

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Symbol
from sympy.codegen.cfunctions import log1p

from symbackprop.emit.functions import RowSum, Shifted, Sigmoid, Softplus

S, C = Symbol("_s", positive=True), Symbol("_c", positive=True)  # σ(u) and 1 - σ(u) while a fraction is rearranged


def sigmoid_fraction(expr: Expr) -> Expr:
    """A fraction over powers of 1 + e^±u is a polynomial in s = σ(u) and 1 - s = σ(-u), for e^-u = (1 - s)/s."""
    if not isinstance(expr, Mul | Add | Pow):
        return expr
    for u in _one_plus_exps(expr):
        swapped, other = _in_sigmoid(expr, u)
        if not swapped.has(S):
            continue
        form = sp.factor(sp.cancel(sp.together(swapped)))
        if not (sp.denom(form).has(S) or (expr.is_Add and form.is_Add)):
            sign, factors = 1, []
            for factor in map(_with_complement, Mul.make_args(form)):
                turned = factor.could_extract_minus_sign() and (factor.is_Add or factor == -C)
                sign, factor = (-sign, -factor) if turned else (sign, factor)
                factors.append(factor)
            return Mul(sign, *factors).xreplace({C: Sigmoid(-u), S: Sigmoid(u)}) * other
    return expr


def _in_sigmoid(expr: Expr, u: Expr) -> tuple[Expr, Expr]:
    """The factors of ``expr`` that are rational in s = σ(u), written in s, and those that are not, as they are."""

    def swapped(factor: Expr) -> Expr:
        return factor.replace(lambda e: _is_exp_of(e, u), lambda e: ((1 - S) / S) ** (-e.args[0] / u))

    factors = {factor: swapped(factor) for factor in (Mul.make_args(expr) if expr.is_Mul else (expr,))}
    inside = [form for form in factors.values() if form.is_rational_function(S)]
    return Mul(*inside), Mul(*(factor for factor, form in factors.items() if form not in inside))


def _with_complement(factor: Expr) -> Expr:
    """A factor that is linear in s, if that is shorter, in c = 1 - s: f₀ + f₁ s = (f₀ + f₁) - f₁ c."""
    base, exponent = factor.as_base_exp()
    line = sp.Poly(base, S) if base.has(S) else None
    if line is None or line.degree() != 1:
        return factor
    first, zeroth = line.all_coeffs()
    other = sp.expand(zeroth + first) - first * C
    return other**exponent if _length(other) < _length(base) else factor


def _length(expr: Expr) -> int:
    return int(sp.count_ops(-expr if expr.could_extract_minus_sign() else expr))


def _is_exp_of(expr: Expr, u: Expr) -> bool:
    return isinstance(expr, sp.exp) and bool((expr.args[0] / u).is_Integer)


def _one_plus_exps(expr: Expr) -> list[Expr]:
    """The u, with a plus in front, of every (1 + e^±u)^-n in ``expr``, where nothing else in ``expr`` is cut in two."""
    found = set()
    for power in expr.atoms(Pow):
        one, rest = power.base.as_coeff_Add()
        if power.exp.is_Integer and power.exp < 0 and one == 1 and isinstance(rest, sp.exp):
            u = rest.args[0]
            found.add(-u if u.could_extract_minus_sign() else u)
    return sorted(found, key=sp.default_sort_key)


def sigmoid_complement(expr: Expr) -> Expr:
    """1 - σ(u) = σ(-u)."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        one, rest = expr.as_coeff_Add()
        if one == 1 and isinstance(-rest, Sigmoid):
            return Sigmoid(-(-rest).args[0])
    return expr


def log_of_parts(expr: Expr) -> Expr:
    """log(u v) = log u + log v, log u^n = n log u and log e^u = u, for positive u and v; log σ(u) = -softplus(-u)."""
    if not isinstance(expr, sp.log):
        return expr
    inside = expr.args[0]
    if isinstance(inside, Sigmoid):
        return -Softplus(-inside.args[0])
    if isinstance(inside, sp.exp) and inside.args[0].is_extended_real:
        return inside.args[0]
    if isinstance(inside, Mul) and all(factor.is_positive for factor in inside.args):
        return Add(*(log_of_parts(sp.log(factor)) for factor in inside.args))
    if isinstance(inside, Pow) and inside.base.is_positive and inside.exp.is_extended_real:
        return inside.exp * log_of_parts(sp.log(inside.base))
    return expr


def softplus(expr: Expr) -> Expr:
    """The logarithm of 1 + e^u has a name, softplus."""
    if isinstance(expr, sp.log | log1p):
        inside = expr.args[0] if isinstance(expr, sp.log) else 1 + expr.args[0]
        one, rest = inside.as_coeff_Add()
        if one == 1 and isinstance(rest, sp.exp):
            return Softplus(rest.args[0])
    return expr


def softmax_shift(expr: Expr) -> Expr:
    """e^u / Σ e^u is the same with every u of the row less by the row's maximum."""
    if isinstance(expr, Mul):
        for factor in expr.args:
            u = _exponent_of_row_sum(factor.base) if isinstance(factor, Pow) and factor.exp == -1 else None
            if u is not None and sp.exp(u) in expr.args:
                shifted = sp.exp(Shifted(u))
                return expr / sp.exp(u) / factor * shifted / RowSum(shifted)
    return expr


def log_softmax(expr: Expr) -> Expr:
    """The difference u - log Σ e^u is s - log Σ e^s, with s = u less the row's maximum."""
    if isinstance(expr, Add):
        for term in expr.args:
            sign, log = (-1, -term) if term.could_extract_minus_sign() else (1, term)
            u = _exponent_of_row_sum(log.args[0]) if isinstance(log, sp.log) else None
            if u is not None and -sign * u in expr.args:
                shifted = Shifted(u)
                return expr + sign * u - term - sign * (shifted - sp.log(RowSum(sp.exp(shifted))))
    return expr


def _exponent_of_row_sum(expr: Expr) -> Expr | None:
    """The u of which ``expr`` is Σ e^u over the row."""
    if isinstance(expr, RowSum) and isinstance(expr.args[0], sp.exp) and not expr.has(Shifted):
        return expr.args[0].args[0]
    return None

"""Each named rewrite is an identity: equal to 30 digits at many points, next to a wrong twin that is not."""

from functools import cache

import pytest
import sympy as sp
from sympy import Piecewise, Symbol
from sympy.codegen.cfunctions import expm1, log1p

from symbackprop.calculus.inert import Chain, Total
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.emit.functions import (
    EntrySum,
    Erfc,
    Exp,
    ExpQuotient,
    LogSoftplus,
    NormalTail,
    Others,
    Round,
    RowSum,
    Shifted,
    Sigmoid,
    Softplus,
    TanhRest,
)
from symbackprop.emit.stable import REWRITES, WITHOUT_OVERFLOW, stable_form, without_overflow

z, t, alpha = (Symbol(name, real=True) for name in ("z", "t", "alpha"))
c = Symbol("c", positive=True)
e, s = sp.exp(z), 1 / (1 + sp.exp(-z))
LETTERS = {t: sp.Rational(2, 7), alpha: sp.Rational(3, 10), c: sp.Rational(5, 3)}
ROWS = [tuple(sp.Rational(n * n * k % 17 - 8, 2 + n % 3) for k in (3, 5, 11)) for n in range(1, 21)]
NAMED = {
    Sigmoid: lambda u: 1 / (1 + sp.exp(-u)),
    Softplus: lambda u: sp.log(1 + sp.exp(u)),
    Erfc: lambda u: 1 - sp.erf(u),
    NormalTail: lambda u: sp.exp(u**2 / 2) * (1 - sp.erf(u / sp.sqrt(2))) / 2,
    Round: lambda u: sp.Integer(round(u)),
    Exp: sp.exp,
    ExpQuotient: lambda u: (sp.exp(u) - 1) / u if u else sp.Integer(1),
    LogSoftplus: lambda u: sp.log(sp.log(1 + sp.exp(u))),
    TanhRest: lambda u: u - sp.tanh(u),
    expm1: lambda u: sp.exp(u) - 1,
    log1p: lambda u: sp.log(1 + u),
}

CASES = {  # rewrite -> what it is applied to, and a wrong twin of the result
    "sigmoid_fraction": (
        [s, sp.exp(-z) * s**2, e / (1 + e), (z * sp.exp(-z) + 1 + sp.exp(-z)) * s**2, 2 * s - 1 + s**3],
        Sigmoid(-z),
    ),
    "sigmoid_complement": ([1 - Sigmoid(z), 1 - Sigmoid(2 * z + 1)], Sigmoid(z)),
    "softplus": ([sp.log(1 + e), log1p(sp.exp(-z))], Softplus(-2 * z)),
    "log_of_parts": (
        [sp.log(Sigmoid(z)), sp.log(e / RowSum(e)), sp.log(Sigmoid(z) ** 3), sp.log(2 * Sigmoid(-z))],
        Softplus(-z),
    ),
    "log_softmax": ([z - sp.log(RowSum(e)), sp.log(RowSum(e)) - z], Shifted(z)),
    "softmax_shift": ([e / RowSum(e), t * e / RowSum(e)], sp.exp(Shifted(z)) / RowSum(e)),
    "exponential_fraction": (
        [
            sp.diff(z * s, z),
            sp.diff(z * sp.tanh(sp.log(1 + e)), z),
            (z + e) / (3 + e) ** 2,
            z * s,
            z * e / (2 + e) ** 5,
        ],
        z * e / (1 + e) ** 2,
    ),
    "number_put_in": ([sp.sqrt(2) * z * (1 + z**2 / 3), t * (1 + z / 7) / sp.sqrt(sp.pi)], sp.sqrt(2) * z * (1 + z**2)),
    "cancelled_quotient": (
        [
            Sigmoid(z) * (t / Sigmoid(z) + Softplus(z)),
            Sigmoid(z) * Sigmoid(-z) * (t * Sigmoid(z) / Sigmoid(-z) - (1 - t) * Softplus(z)),
        ],
        t + Softplus(z),
    ),
    "log_softplus": ([sp.log(Softplus(z)), t * sp.log(Softplus(-z / 3))], Softplus(z)),
    "softplus_pair": (
        [t * Softplus(-z) + (1 - t) * Softplus(z), c + t * Softplus(z / 3) + (1 - t) * Softplus(-z / 3)],
        log1p(sp.exp(-sp.Abs(z))) + z * t,
    ),
    "log_of_others": ([sp.log(RowSum(sp.exp(Shifted(z)))), t * sp.log(RowSum(sp.exp(Shifted(2 * z))))], Others(e)),
    "shifted_softmax": (
        [
            sp.exp(Shifted(z)) / RowSum(sp.exp(Shifted(z))) - t,
            t - c * sp.exp(Shifted(-z)) / RowSum(sp.exp(Shifted(-z))),
        ],
        sp.exp(Shifted(z)) / RowSum(sp.exp(Shifted(z))) - t * Others(sp.exp(Shifted(z))),
    ),
    "shifted_sigmoid": ([Sigmoid(z) - t, t - Sigmoid(-z / 3)], -t - Sigmoid(-z)),
    "exp_quotient": ([expm1(z) / z, t * expm1(-z) / z], ExpQuotient(-z)),
    "common_denominator": ([z / 6 + sp.Rational(1, 2), z / 3 - t / 5], (z + 2) / 6),
    "tanh_rest": ([z - sp.tanh(z), t + sp.tanh(z / 3) - z / 3], TanhRest(-z)),
    "scaled_erfc": (
        [Erfc(z), Erfc(-z / sp.sqrt(2)) / 2, z * Erfc(-z / 3), t * z * Erfc(z / 3), Erfc(z - t)],
        2 * NormalTail(sp.Abs(z)) * Exp(-(z**2)),
    ),
    "sigmoid_product": (
        [Sigmoid(z) * Sigmoid(-z), t * Sigmoid(c * z) * Sigmoid(-c * z) ** 2, Sigmoid(z / 3) * Sigmoid(-z / 3)],
        sp.exp(-z) / (1 + sp.exp(-sp.Abs(z))) ** 2,
    ),
    "sigmoid_multiple": (
        [z * Sigmoid(z), t * z * Sigmoid(-z), c * z * Sigmoid(c * z), z * Sigmoid(z**3 / 7 + z)],
        z * sp.exp(sp.Min(z, 0)) / (1 + sp.exp(-sp.Max(z, 0))),
    ),
    "sigmoid_and_slope": (
        [
            Sigmoid(c * z) + c * z * Sigmoid(c * z) * Sigmoid(-c * z),
            Sigmoid(-z / 3) / 2 - z**3 / 7 * Sigmoid(z / 3) * Sigmoid(-z / 3),
            Sigmoid(z**3 / 7 + z) + (z**3 / 5 + z / 3) * Sigmoid(z**3 / 7 + z) * Sigmoid(-(z**3) / 7 - z),
        ],
        Sigmoid(c * z) ** 2 * (1 + (1 + c * z) * sp.exp(c * z)),
    ),
    "split_exponent": (
        [
            sp.exp(-(z**2)),
            t * sp.exp(-(z**2) / 3),
            sp.exp(c * z),
            sp.exp(-sp.sqrt(2) * sp.Abs(z) / 7),
            sp.exp(sp.pi * sp.Min(z, 0) + sp.Min(z, 0) ** 3 / 7),
        ],
        Exp(-(Round(256 * z) ** 2) / 256**2) * Exp(z - Round(256 * z) / 256),
    ),
    "common_exponential": ([t * Exp(z) + z * Exp(z) + c, Exp(z) * Exp(t) - z * Exp(z) * Exp(t)], Exp(z) * z),
    "erf_complement": (
        [1 + sp.erf(z), sp.Rational(1, 2) + sp.erf(z / 3) / 2 + z, 1 - sp.erf(z)],
        Erfc(z / 7),
    ),
    "tanh_of_fraction": ([sp.sinh(z) / sp.cosh(z), t * sp.sinh(z / 3) / sp.cosh(z / 3)], 1 / sp.tanh(z)),
    "tanh_complement": (
        [1 + sp.tanh(z), 1 - sp.tanh(z) ** 2, sp.Rational(1, 2) - sp.tanh(z / 3) / 2 + z],
        2 * Sigmoid(z),
    ),
    "log_cosh": ([sp.log(sp.cosh(z)), sp.log(sp.cosh(z / 7 - t))], log1p(sp.sinh(z) ** 2)),
    "root_sum": ([z + sp.sqrt(z**2 + 4), z / 2 + sp.sqrt(z**2 + c) / 2], 4 / (sp.sqrt(z**2 + 4) + z)),
    "root_fraction": (
        [1 + z / sp.sqrt(z**2 + 4), sp.Rational(1, 2) - z / sp.sqrt(z**2 + c) / 2],
        (z - sp.sqrt(z**2 + 4)) / sp.sqrt(z**2 + 4),
    ),
    "exp_minus_one": ([e - 1, 1 - sp.exp(-z)], expm1(-z)),
    "log_one_plus": ([sp.log(1 + z**2), sp.log(1 + e / 7)], log1p(z)),
    "greater_of_two": ([Piecewise((z, z > 0), (0, True)), Piecewise((z, z >= 2), (2, True))], sp.Min(z, 0)),
    "branch_logarithm": (
        [Piecewise((z * sp.log(z), z > 0), (0, True)), Piecewise((t + sp.log(z), z > 0), (z, True))],
        Piecewise((z * sp.log(sp.Max(z, 1)), z > 0), (0, True)),
    ),
    "branch_clip": (
        [
            Piecewise((z, z > 0), (expm1(z), True)),
            Piecewise((e, z < 1), (z**2, True)),
            Piecewise((e, z < 1), (z, z < 2), (sp.exp(-z), True)),
        ],
        Piecewise((z, z > 0), (expm1(sp.Max(z, 0)), True)),
    ),
    "sigmoid_without_overflow": ([Sigmoid(z), Sigmoid(-3 * z)], e / (1 + sp.exp(-sp.Abs(z)))),
    "log_softplus_far_down": ([LogSoftplus(z), LogSoftplus(-z / 3)], z + log1p(e)),
    "exp_quotient_at_zero": ([ExpQuotient(z), ExpQuotient(-z / 3)], expm1(z) / (z + 1)),
    "tanh_rest_near_zero": ([TanhRest(z / 9), TanhRest(z), TanhRest(-z / 20)], z**3 / 3),
    "softplus_without_overflow": ([Softplus(z), Softplus(-z)], sp.Max(z, 0) + log1p(e)),
}

DIGITS = {"tanh_rest_near_zero": 18}  # a fraction that is cut off beyond what doubles see


@cache
def value(expr, row, k):
    """The number that ``expr`` is for the k-th unit of a row of pre-activations, to 40 digits."""
    if expr == z:
        return sp.N(row[k], 40)
    if isinstance(expr, RowSum | EntrySum):
        return sum(value(expr.args[0], row, m) for m in range(len(row)))
    if isinstance(expr, Others):
        return value(RowSum(expr.args[0]), row, k) - 1
    if isinstance(expr, Total | Chain):
        return value((sp.Add if isinstance(expr, Total) else sp.Mul)(*expr.args), row, k)
    if isinstance(expr, Shifted):
        return value(expr.args[0], row, k) - max(value(expr.args[0], row, m) for m in range(len(row)))
    if isinstance(expr, Piecewise):
        return next(value(case, row, k) for case, where in expr.args if where.subs({z: row[k], **LETTERS}) == sp.true)
    if expr.func in NAMED:
        return sp.N(NAMED[expr.func](value(expr.args[0], row, k)), 40)
    if not expr.args:
        return sp.N(expr.subs(LETTERS), 40)
    return sp.N(expr.func(*(value(arg, row, k) for arg in expr.args)), 40)


def equal(one, other, digits=30):
    """Whether two formulas agree to 30 digits on every row."""
    return all(
        abs(value(one, row, k) - value(other, row, k)) <= sp.Float(10, 40) ** -digits * (1 + abs(value(one, row, k)))
        for row in ROWS
        for k in (0, 2)
    )


def test_every_rewrite_has_cases():
    assert set(CASES) == {rewrite.name for rewrite in (*REWRITES, *WITHOUT_OVERFLOW)}


@pytest.mark.parametrize("rewrite", [*REWRITES, *WITHOUT_OVERFLOW], ids=lambda rewrite: rewrite.name)
def test_a_rewrite_changes_the_form_and_keeps_the_value(rewrite):
    formulas, _ = CASES[rewrite.name]
    for formula in formulas:
        new = rewrite(formula)
        assert new != formula
        assert equal(formula, new, DIGITS.get(rewrite.name, 30))


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_twin_of_a_rewrite_is_refuted(name):
    formulas, twin = CASES[name]
    assert not equal(formulas[0], twin)


@pytest.mark.parametrize("formula", [1 + e, z**2, sp.log(z), e / RowSum(z), Sigmoid(z), 2 - e, sp.tanh(z) / (1 + z)])
def test_what_needs_no_rewriting_stays(formula):
    assert stable_form(formula) == formula


UNITWISE = [name for name, row in ACTIVATIONS.items() if row.value is not None and not row.over_units]


@pytest.mark.parametrize("name", UNITWISE)
def test_activations_and_slopes_keep_their_values(name):
    formula = ACTIVATIONS[name].value.xreplace(ACTIVATIONS[name].parameters)
    for each in (formula, sp.diff(formula, z)):
        assert equal(each, stable_form(each))


def test_losses_of_probabilities_become_losses_of_logits():
    bce = -t * sp.log(s) - (1 - t) * sp.log(1 - s)
    assert stable_form(bce) == log1p(sp.exp(-sp.Abs(z))) + z * (Piecewise((1, z > 0), (0, True)) - t)
    ce = -t * sp.log(e / RowSum(e))
    shifted = Shifted(z)
    assert stable_form(ce) == -t * (shifted - log1p(Others(sp.exp(shifted))))
    assert equal(bce, stable_form(bce))
    assert equal(ce, stable_form(ce))


def test_silu_s_slope_has_no_difference_near_one():
    slope = sp.diff(z * s, z)
    assert stable_form(-3 * t * (1 - s) + s) == Sigmoid(z) - 3 * t * Sigmoid(-z)  # a product, or term by term
    near, other = sp.Min(z, 0, evaluate=False), Exp(-sp.Max(z, 0))
    factors = Exp(sp.Max(near, -708, evaluate=False)), Exp(sp.Min(near + 708, 0, evaluate=False))
    m = Chain(*factors)
    assert stable_form(slope) == sp.Mul(*factors) * (m + (1 + z) * other) / (m * (m + 2 * other) + other**2)


def test_without_overflow_has_no_positive_exponent():
    for function in (Sigmoid(z), Softplus(z), Sigmoid(-z), Softplus(-z)):
        for power in without_overflow(function).atoms(sp.exp):
            assert all(power.args[0].subs(z, number) <= 0 for number in (-5, 0, 5))

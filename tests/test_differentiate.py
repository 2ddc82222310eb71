"""Differentiation line by line: every line true, wrong twins refuted, the steps those of a textbook."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import sympy as sp
from exactly import equal, equal_at_points, lines_hold
from sympy import Expr, Piecewise, Symbol

from symbackprop.calculus.differentiate import Line, differentiate
from symbackprop.calculus.inert import Apply, Chain, Partial, Total
from symbackprop.catalogue.activations import ACTIVATIONS, ALPHA
from symbackprop.catalogue.entries import A, T, W, Z
from symbackprop.catalogue.losses import LOSSES
from symbackprop.catalogue.penalties import PENALTIES
from symbackprop.network.quantities import OUT, PRE, TARGET

g = Symbol("g")
FORMULAS: dict[str, tuple[Expr, Symbol]] = {
    **{n: (e.value, Z) for n, e in ACTIVATIONS.items() if e.value is not None and not e.over_units},
    **{n: (e.value, A) for n, e in LOSSES.items() if e.value is not None and not e.joint and e.parts == 1},
    **{n: (e.value, W) for n, e in PENALTIES.items()},
    "softsign": (Z / (1 + sp.Abs(Z)), Z),
    "mish": (Z * sp.tanh(sp.log(1 + sp.exp(Z))), Z),
    "tanh by exp": ((sp.exp(Z) - sp.exp(-Z)) / (sp.exp(Z) + sp.exp(-Z)), Z),
    "squareplus": ((Z + sp.sqrt(Z**2 + 4)) / 2, Z),
    "power of a formula": ((1 + Z**2) ** Z, Z),
    "power of a number": (2**Z, Z),
    "three factors": (Z * sp.exp(Z) * sp.cos(Z), Z),
    "unknown function": (Apply(g, 0, Z**2 + 1), Z),
    "slope of an unknown function": (Z * Apply(g, 1, ALPHA * Z), Z),
    "constant": (ALPHA, Z),
    "power with a parameter": ((Z**2 + 1) ** ALPHA, Z),
}


@pytest.mark.parametrize(("formula", "by"), FORMULAS.values(), ids=FORMULAS)
def test_every_line_holds_and_the_lines_run_on(formula: Expr, by: Symbol) -> None:
    lines = differentiate(formula, by)
    assert lines[0].left == Partial(formula, by)
    assert all(line.left == before.right for before, line in pairwise(lines))
    unknown = formula.has(Apply)
    assert all(_decided(line, unknown) for line in lines)
    assert not lines[-1].right.has(Partial, Chain, Total)


def _decided(line: Line, unknown: bool) -> bool:
    """An unknown function is made known, by two that differ, for the points."""
    if not unknown:
        return lines_hold([line])
    sides = line.left.doit(), line.right.doit()
    return all(equal_at_points(*(_known(side, f) for side in sides)) for f in (sp.exp, sp.sin))


def _known(expr: Expr, f: Callable[[Expr], Expr]) -> Expr:
    def value(*args: Expr) -> Expr:
        x = Symbol("x")
        return sp.diff(f(x), x, int(args[1])).subs(x, args[2])

    return expr.replace(Apply, value)


@pytest.mark.parametrize(("formula", "by"), FORMULAS.values(), ids=FORMULAS)
def test_a_dropped_term_and_a_turned_sign_are_refuted_in_every_line(formula: Expr, by: Symbol) -> None:
    for line in differentiate(formula, by):
        unknown = formula.has(Apply)
        if line.right.doit() == 0:
            continue
        assert not _decided(replace(line, right=line.right + by), unknown)
        assert not _decided(replace(line, right=-line.right), unknown)


@pytest.mark.parametrize("name", ["sigmoid", "silu", "gelu", "bce", "three factors", "power of a formula"])
def test_a_dropped_factor_is_refuted(name: str) -> None:
    tried = 0
    for line in differentiate(*FORMULAS[name]):
        for chain in line.right.atoms(Chain):
            short = line.right.xreplace({chain: Chain(*chain.args[:-1])})
            if chain.args[-1].doit() != 1:
                tried += 1
                assert not lines_hold([replace(line, right=short)])
    assert tried


def test_a_wrong_branch_is_refuted() -> None:
    (_, last) = differentiate(*FORMULAS["leaky_relu"])
    (value, where), (other, otherwise) = last.right.args
    assert lines_hold([last])
    assert not lines_hold([replace(last, right=Piecewise((other, where), (value, otherwise)))])
    assert not lines_hold([replace(last, right=Piecewise((value, where), (other**2, otherwise)))])


@pytest.mark.parametrize(
    ("name", "rules", "result"),
    [
        ("sigmoid", "power_chain sum exponential_chain linear simplify", "exp(-z)/(1 + exp(-z))**2"),
        ("tanh", "function", "1 - tanh(z)**2"),
        ("relu", "cases linear", "Piecewise((1, z > 0), (0, True))"),
        ("elu", "cases constant_factor sum exponential identity", "Piecewise((1, z > 0), (alpha*exp(z), True))"),
        (
            "softplus",
            "constant_factor logarithm_chain sum exponential_chain linear simplify",
            "exp(beta*z)/(exp(beta*z) + 1)",
        ),
        ("silu", "quotient sum exponential_chain linear simplify", "(z*exp(-z) + 1 + exp(-z))/(1 + exp(-z))**2"),
        ("mse", "constant_factor power_chain linear simplify", "a - t"),
        ("squared_error", "power_chain linear", "2*(a - t)"),
        (
            "bce",
            "sum constant_factor logarithm_chain linear simplify common_denominator",
            "(a - t)/(a*(1 - a))",
        ),
        ("ce", "constant_factor logarithm simplify", "-t/a"),
        ("mae", "function_chain linear", "sign(a - t)"),
        ("l2", "power", "2*w"),
        ("constant", "constant", "0"),
        ("power of a number", "general_power linear", "2**z*log(2)"),
    ],
)
def test_the_steps_are_those_of_a_textbook(name: str, rules: str, result: str) -> None:
    lines = differentiate(*FORMULAS[name])
    assert [line.rule.name for line in lines] == rules.split()
    assert str(lines[-1].right) == result


def test_the_sigmoid_in_the_steps_of_the_sources() -> None:
    """S2-3: the power rule and the chain rule, then the inner derivative -e^-z, then one fraction."""
    base = 1 + sp.exp(-Z)
    outer = -(base**-2)
    assert [line.right for line in differentiate(1 / base, Z)] == [
        Chain(outer, Partial(base, Z)),
        Chain(outer, Partial(sp.exp(-Z), Z)),
        Chain(outer, sp.exp(-Z), Partial(-Z, Z)),
        Chain(outer, sp.exp(-Z), -1),
        sp.exp(-Z) / base**2,
    ]


def test_cross_entropy_in_the_steps_of_the_sources() -> None:
    """S2-2: term by term, the inner derivative -1 of 1 - a, one denominator."""
    rights = [line.right for line in differentiate(LOSSES["bce"].value, A)]
    assert rights[3] == Total(Chain(-T, 1 / A), Chain(-1, 1 - T, 1 / (1 - A), -1))
    assert rights[4:] == [(1 - T) / (1 - A) - T / A, (A - T) / (A * (1 - A))]


def test_entries_of_a_network_are_variables_like_any_other() -> None:
    a, t, z = OUT[3, 1], TARGET[1], PRE[3, 1]
    assert differentiate((a - t) ** 2 / 2, a)[-1].right == a - t
    assert differentiate(-t * sp.log(a) - (1 - t) * sp.log(1 - a), a)[-1].right == (a - t) / (a * (1 - a))
    assert differentiate(Apply(g, 0, z), z) == (
        Line(Partial(Apply(g, 0, z), z), Apply(g, 1, z), differentiate(sp.tanh(z), z)[0].rule),
    )


def test_of_two_equal_ones_the_constant_gives_the_slope() -> None:
    assert differentiate(sp.Max(0, Z), Z)[-1].right == Piecewise((1, Z > 0), (0, True))
    assert differentiate(sp.Min(Z, 6), Z)[-1].right == Piecewise((1, Z < 6), (0, True))


def test_a_second_argument_that_varies_is_refused() -> None:
    with pytest.raises(ValueError, match=r"depends on z in more than its first argument"):
        differentiate(Apply(g, 0, Z**2, Z), Z)


def test_silu_at_one_counts_both_uses_of_z() -> None:
    slope = differentiate(*FORMULAS["silu"])[-1].right
    assert abs(float(slope.subs(Z, 1)) - 0.9277) < 5e-5
    once = sp.exp(-Z) / (1 + sp.exp(-Z)) ** 2 * Z  # the use of z in front of the fraction forgotten
    assert not equal(slope, once)

"""What an output layer's activation learns: its derivative in the output cancels with the error's slope."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp
from sympy import Sum, Symbol

from symbackprop import api
from symbackprop.calculus import rules
from symbackprop.calculus.inert import spelled_out
from symbackprop.catalogue.entries import A, Z
from symbackprop.check.proofs import Prover
from symbackprop.derivation.trained import in_output
from symbackprop.network.quantities import OUT, PRE, TARGET
from symbackprop.network.read import network

BETA = Symbol("beta", real=True)
SIGMOID = 1 / (1 + sp.exp(-BETA * Z))


@cache
def derived(output: str, loss: str) -> api.BackpropDerivation:
    spec = network("2-3-2", activation=["tanh", output], loss=loss, parameters={"beta": 1.5}, train=["beta"])
    return api.derive(spec)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (SIGMOID, A * Z * (1 - A)),
        (sp.tanh(BETA * Z), Z * (1 - A**2)),
        (Z * SIGMOID, A * (Z - A)),
        (sp.exp(BETA * Z), A * Z),
        (1 / (1 + sp.exp(-Z - BETA)), A * (1 - A)),
        (BETA * sp.tanh(Z), None),  # a/β has no value at β = 0, which training may pass
        (sp.Max(Z, 0) + BETA * sp.Min(Z, 0), None),
    ],
    ids=str,
)
def test_derivatives_by_a_parameter_in_terms_of_the_output(value, form):
    found = in_output(value, BETA)
    assert found == form
    if form is not None:
        back = (form.xreplace({A: value}) - sp.diff(value, BETA)).subs({Z: sp.Rational(2, 3), BETA: sp.Rational(5, 4)})
        assert abs(back.evalf(40)) < 1e-35


@pytest.mark.parametrize("written", ["sigmoid(beta*z)", "1/(1+exp(-beta*z))"])
def test_the_error_of_a_sigmoid_with_a_trained_slope_cancels(written):
    general = derived(written, "bce").derivation.general
    k, (out, pre, target) = Symbol("k", integer=True, positive=True), (OUT, PRE, TARGET)
    step = general["gradient.beta.3"]
    assert step.rule == rules.CANCEL
    assert step.uses == ("gradient.beta.3.inserted",)
    assert isinstance(step.right, Sum)
    assert spelled_out(step.right.function) == (out[3, k] - target[k]) * pre[3, k]
    prover = Prover(derived(written, "bce").graph, general.values())
    assert prover.row(step, "").verdict is True
    for wrong in ((out[3, k] - target[k]), (out[3, k] - target[k]) * out[3, k], (target[k] - out[3, k]) * pre[3, k]):
        assert prover.row(replace(step, right=Sum(wrong, *step.right.limits)), "").verdict is False
    assert general["gradient.beta.3.local"].uses == ("slope.f_by_beta_3.output",)


@pytest.mark.parametrize(("output", "loss"), [("tanh(beta*z)", "mse"), ("z*sigmoid(beta*z)", "mse")])
def test_where_nothing_cancels_the_function_of_z_stays(output, loss):
    general = derived(output, loss).derivation.general
    assert "gradient.beta.3.inserted" not in general
    assert general["gradient.beta.3.local"].uses == ("slope.f_by_beta_3",)
    assert "slope.f_by_beta_3.output" in general


def test_every_line_is_checked():
    report = derived("sigmoid(beta*z)", "bce").check()
    assert [row for row in report.rows if row.verdict is not True] == []
    names = {row.name for row in report.rows}
    assert {"gradient.beta.3.inserted", "gradient.beta.3", "slope.f_by_beta_3.output"} <= names


def test_the_gradient_stays_finite_far_out():
    module: Any = derived("sigmoid(beta*z)", "bce").compile()
    params = module.init_params(np.random.default_rng(0))
    # Pre-activations of ±10⁴: there 1 - a is 0, and the quotient (a - t)/(a(1 - a)) has no value.
    params["W2"], params["b2"] = np.zeros_like(params["W2"]), np.array([1e4, -1e4])
    _, gradients = module.loss_and_gradients(params, np.array([0.5, 1.0]), np.array([0.0, 1.0]))
    assert gradients["beta3"] == pytest.approx(2e4, rel=1e-15)

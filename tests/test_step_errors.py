"""The error of central differences against their step: the two slopes, what a wrong gradient does, the same bytes."""

from dataclasses import replace

import numpy as np
import pytest

from symbackprop import api
from symbackprop.check.step_errors import STEPS, rounded, step_errors
from symbackprop.handover import emitted
from symbackprop.network.read import network

NETWORKS = [
    ("2-3-1", {"activation": "sigmoid", "loss": "bce"}),
    ("3-4-2", {"activation": "g", "loss": "ce"}),
    ("2-3-2", {"activation": "gelu", "loss": "mse", "penalty": {"kind": "l2", "strength": "lambda"}}),
    ("2-2-1", {"activation": "prelu", "loss": "cost"}),
]


def functions_of(layers, options):
    derivation = api.derive(network(layers, **options))
    return derivation.graph, emitted(derivation.compile(), derivation.graph.spec)


@pytest.mark.parametrize(("layers", "options"), NETWORKS)
def test_errors_fall_with_the_square_of_the_step_until_rounding_takes_over(layers, options):
    errors = dict(step_errors(*functions_of(layers, options)))
    assert list(errors) == list(STEPS)
    assert errors[1e-3] / errors[1e-4] == pytest.approx(100, rel=0.25)
    assert min(errors.values()) < 1e-8
    assert 1e-8 < errors[1e-12] < 1e-1
    assert min(errors, key=errors.get) in (1e-4, 1e-5, 1e-6, 1e-7)


def changed(functions, change):
    def other(params, x, t):
        loss, gradients = functions.loss_and_gradients(params, x, t)
        return loss, {name: change(gradient) for name, gradient in gradients.items()}

    return replace(functions, loss_and_gradients=other)


def test_a_wrong_gradient_keeps_its_error_at_every_step():
    graph, functions = functions_of(*NETWORKS[0])
    wrong = step_errors(graph, changed(functions, lambda gradient: 1.01 * gradient))
    assert min(error for _, error in wrong) > 5e-3


def test_what_differs_from_machine_to_machine_does_not_show():
    graph, functions = functions_of(*NETWORKS[1])
    other = changed(functions, lambda gradient: np.nextafter(gradient, np.inf))
    assert step_errors(graph, other) == step_errors(graph, functions)


def test_a_rounded_point_keeps_its_targets_a_distribution():
    from symbackprop.check.float_forward import Point

    point = Point({"W1": np.array([[0.12345678]])}, np.array([1 / 3]), np.array([1 / 3, 1 / 3, 1 / 3]))
    found = rounded(point)
    assert found.t.tolist() == [0.333333, 0.333333, pytest.approx(0.333334)]
    assert found.params["W1"] == [[0.123457]]
    assert found.x == [0.333333]


def test_large_networks_and_vanishing_gradients_have_none():
    assert step_errors(*functions_of("40-20-2", {"activation": "tanh", "loss": "mse"})) == ()
    graph, functions = functions_of(*NETWORKS[0])
    assert step_errors(graph, changed(functions, np.zeros_like)) == ()


def test_the_report_carries_them():
    report = api.derive("S1").check()
    assert [step for step, _ in report.step_errors] == list(STEPS)
    assert '"step_errors": [\n    [\n      "1e-01",' in report.to_json()

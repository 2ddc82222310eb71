"""Emitted code in floating point, away from kinks."""

from typing import Any

import numpy as np
import pytest

from symbackprop import api
from symbackprop.check.float_forward import Forward, Point
from symbackprop.check.floats import stand_in
from symbackprop.check.numeric import MARGIN, STEP, check_numeric, chosen_point
from symbackprop.handover import emitted
from symbackprop.network.read import network

NETWORKS = [
    ("2-3-1", {"activation": "sigmoid", "loss": "ce"}),
    ("3-4-2", {"activation": "relu", "loss": "mae"}),
    ("3-4-2", {"activation": "elu", "loss": "huber", "penalty": "l1:0.2"}),
    ("4-3-5", {"activation": "silu", "loss": "ce", "batch_reduction": "sum"}),
    ("3-4-2", {"activation": "g", "loss": "cost", "penalty": {"kind": "l2", "strength": "lambda"}}),
    ("3-5-4-2", {"activation": ["gelu", "f1", "identity"], "loss": "squared_error", "bias": [True, False, True]}),
]


def numeric(layers: str, options: dict[str, Any], notation: str = "S1") -> tuple[Any, Any, Any]:
    d = api.derive(network(layers, **options), notation=notation)
    module = d.compile()
    return d, module, emitted(module, d.graph.spec)


@pytest.mark.parametrize("notation", ["S1", "S4"])
@pytest.mark.parametrize(("layers", "options"), NETWORKS)
def test_emitted_code_passes(layers: str, options: dict[str, Any], notation: str) -> None:
    d, _, functions = numeric(layers, options, notation)
    rows, _ = check_numeric(d.graph, functions)
    assert [row for row in rows if row.verdict is not True] == []
    assert all(row.error is not None and row.error < 1e-6 for row in rows)


def test_weights_of_a_large_network_are_sampled_and_said_to_be() -> None:
    d, _, functions = numeric("64-50-10", {"activation": "leaky_relu", "loss": "ce"})
    rows, _ = check_numeric(d.graph, functions)
    assert any("24 of 3200 weights" in row.how for row in rows)
    assert any("4 random directions" in row.how for row in rows)


def test_sample_points_keep_away_from_kinks_and_the_note_says_so() -> None:
    d, _, functions = numeric("3-4-2", {"activation": "relu", "loss": "mae"})
    _, notes = check_numeric(d.graph, functions)
    assert len(notes) == 2
    assert all("distance" in note for note in notes)
    smooth, _, functions = numeric("3-4-2", {"activation": "tanh", "loss": "mse"})
    assert check_numeric(smooth.graph, functions)[1] == []


@pytest.mark.parametrize(("x", "t", "distance"), [(2e-4, 5.0, 2e-4), (1.0, 1.0 - 3e-4, 3e-4), (1.0, 3.0, 1.0)])
def test_distance_from_kinks(x: float, t: float, distance: float) -> None:
    options = {"activation": "relu", "loss": "mae", "bias": False}
    d, _, functions = numeric("1-1", options)
    point = Point({"W1": np.array([[1.0]])}, np.array([x]), np.array([t]))
    assert Forward(d.graph, functions)(point)[1] == pytest.approx(distance, rel=1e-6)
    assert STEP < MARGIN


def test_distance_of_penalised_weights_from_the_kink() -> None:
    d, _, functions = numeric("1-1", {"activation": "tanh", "loss": "mse", "bias": False, "penalty": "l1:0.2"})
    point = Point({"W1": np.array([[-4e-5]])}, np.array([1.0]), np.array([1.0]))
    assert Forward(d.graph, functions)(point)[1] == pytest.approx(4e-5)


def test_stand_in_is_smooth_and_its_orders_are_derivatives() -> None:
    g, h, u = stand_in("g"), 1e-5, 0.37
    assert (g(0, u + h, 0.2) - g(0, u - h, 0.2)) / (2 * h) == pytest.approx(g(1, u, 0.2), abs=1e-8)
    assert g(0, u) != stand_in("f")(0, u)


def test_loss_of_the_forward_equations_by_hand() -> None:
    d, _, functions = numeric("2-1", {"activation": "identity", "loss": "mse", "penalty": "l2:0.5"})
    params = {"W1": np.array([[2.0], [3.0]]), "b1": np.array([1.0])}
    point = Point(params, np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([[4.0], [7.0]]))
    assert Forward(d.graph, functions)(point)[0] == pytest.approx((0.5 * 4 + 0) / 2 + 0.25 * (4 + 9))


def test_deep_network_has_gradients_to_compare_in_every_layer() -> None:
    d, _, functions = numeric("-".join(["5", "6"] * 12), {"activation": "tanh", "loss": "mse"})
    rows, _ = check_numeric(d.graph, functions)
    assert [row for row in rows if row.verdict is not True] == []
    point, _ = chosen_point(d.graph, functions, Forward(d.graph, functions), 0, True)
    _, gradients = functions.loss_and_gradients(point.params, point.x, point.t)
    assert min(np.max(np.abs(g)) for g in gradients.values()) > 1e-3

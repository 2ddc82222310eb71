"""What the NumPy module computes for extreme pre-activations, every other target computes to as many digits."""

import numpy as np
import pytest
from backends import BACKENDS, derivation, module

from symbackprop.emit.targets import emit, load
from symbackprop.notation.profile import load_profile

LOGITS = [
    (1e4, -1e4, 3.0),
    (40.0, -1.0, 2.0),
    (-30.0, 2.0, 1.5),
    (1e-9, 0.0, -1e-9),
    (740.0, 0.0, 1.0),
    (2.0, 2.0, -690.0),
]
PAIRS = [("softmax", "ce"), ("log_softmax", "nll"), ("sigmoid", "bce"), ("sigmoid", "focal"), ("softplus", "poisson")]
FUNCTIONS = ["gelu", "gelu_tanh", "gaussian", "tanh_shrink", "hard_sigmoid", "silu", "mish"]
POINTS = np.concatenate([-np.geomspace(1e4, 1e-8, 40), [0.0], np.geomspace(1e-8, 1e4, 30)])
T = np.array([0.0, 1.0, 0.0])
LEAST = 2.3e-308  # below it, results may have been made 0


@pytest.fixture(params=[name for name in BACKENDS if name != "numpy" and not name.endswith("dask")])
def backend(request):
    with BACKENDS[request.param].ready() as found:
        yield found


def agree(found, expected, digits):
    """Relative to each entry."""
    np.testing.assert_allclose(np.asarray(found), expected, rtol=digits, atol=LEAST)


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_losses_of_extreme_logits(activation, loss, backend):
    words = {"layers": "3-3", "activation": activation, "loss": loss}
    plain, ours = module("numpy", **words), module(backend.target, **words)
    for logits in LOGITS:
        params = {"W1": np.zeros((3, 3)), "b1": np.array(logits)}
        expected = plain.loss_and_gradients(params, np.zeros((1, 3)), T[None])
        given = {name: backend.make(value) for name, value in params.items()}
        error, gradients = ours.loss_and_gradients(given, backend.make(np.zeros((1, 3))), backend.make(T[None]))
        agree(float(error), expected[0], 1e-13)
        agree(backend.back(gradients["b1"]), expected[1]["b1"], 1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_extreme_numbers(name, backend):
    words = {"layers": "1-1", "activation": name, "loss": "mse", "bias": False, "batch_reduction": "sum"}
    plain, ours = module("numpy", **words), module(backend.target, **words)
    params, near = {"W1": np.ones((1, 1))}, 1e-10 if name in ("silu", "mish", "gelu", "gelu_tanh") else 4e-15
    given = {key: backend.make(value) for key, value in params.items()}
    found = ours.forward(given, backend.make(POINTS[:, None]))
    agree(backend.back(found["a2"]), plain.forward(params, POINTS[:, None])["a2"], 2e-15)
    for z in POINTS:
        x, t = np.array([[z]]), np.array([[z - 3.0]])  # no output is near its target
        expected = plain.loss_and_gradients(params, x, t)[1]["W1"]
        agree(backend.back(ours.loss_and_gradients(given, backend.make(x), backend.make(t))[1]["W1"]), expected, near)


@pytest.mark.parametrize("activation,loss", PAIRS)
def test_plain_numbers_of_extreme_logits(activation, loss):
    words = {"layers": "3-3", "activation": activation, "loss": loss}
    plain = module("numpy", **words)
    scalar = load(emit(derivation(**words), load_profile("S1"), {}, "scalar"), "scalar")
    for logits in LOGITS:
        expected = plain.loss_and_gradients({"W1": np.zeros((3, 3)), "b1": np.array(logits)}, np.zeros(3), T)
        numbers = dict(zip(("b1_1", "b2_1", "b3_1", "t1", "t2", "t3"), (*logits, *T), strict=True))
        error, gradients = scalar.loss_and_gradients(*[float(numbers.get(name, 0)) for name in scalar.ARGUMENTS])
        agree(error, expected[0], 1e-13)
        agree([gradients[f"b{k}[1]"] for k in (1, 2, 3)], expected[1]["b1"], 1e-13)

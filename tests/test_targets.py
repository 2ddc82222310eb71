"""Every target computes what the NumPy module computes, for every row of the catalogue, on every library."""

import numpy as np
import pytest
from backends import BACKENDS, largest_difference, module
from networks import OUTPUTS
from reference import parameters

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES


@pytest.fixture
def backend(request):
    """Each of them, where it is installed."""
    with BACKENDS[request.param].ready() as found:
        yield found


def of_activation(name: str) -> dict:
    output = name if ACTIVATIONS[name].over_units else "identity"
    return {"activation": name, "output_activation": output, "loss": "mse"}


NETWORKS = {name: of_activation(name) for name, row in ACTIVATIONS.items() if row.value is not None}
NETWORKS |= {
    name: {"activation": "sigmoid", "output_activation": OUTPUTS.get(name, "identity"), "loss": name}
    for name in LOSSES
    if name != "cost"
}
NETWORKS |= {
    "no-bias": {"activation": "tanh", "loss": "mse", "bias": False},
    "some-bias": {"activation": "tanh", "loss": "mse", "bias": (False, True), "batch_reduction": "sum"},
    "l2": {"activation": "tanh", "loss": "mse", "penalty": "l2:0.3:half_mean:biases"},
    "l1": {"activation": "tanh", "output_activation": "softmax", "loss": "ce", "penalty": "l1:0.1"},
    "slopes": {"activation": "prelu", "output_activation": "identity", "loss": "mse", "output_reduction": "mean"},
}


def data(words: dict, batch: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng, row = np.random.default_rng(2), LOSSES[words["loss"]]
    t = rng.dirichlet(np.ones(2), batch) if row.targets_sum_to_one else rng.random((batch, 2 // row.parts))
    return rng.standard_normal((batch, 3)), t


def arrays_of(values: dict, back) -> dict:
    return {name: back(value) for name, value in values.items()}


# Numba compiles for a second for each network: all of them in the slow run, by default one for every kind of line.
COMPILED = {"gelu", "prelu", "hard_shrink", "maxout", "glu", "softmax", "ce", "kl", "focal", "cosine", "multi_margin"}
COMPILED |= {"no-bias", "l1", "l2"}
assert set(NETWORKS) >= COMPILED
PAIRS = [
    pytest.param(
        name,
        backend,
        marks=[pytest.mark.slow] if backend == "numba" and name not in COMPILED else [],
        id=f"{backend}-{name}",
    )
    for backend in BACKENDS
    for name in NETWORKS
]


@pytest.mark.parametrize(("name", "backend"), PAIRS, indirect=["backend"])
def test_every_target_computes_the_same(name, backend):
    words = {"layers": "3-4-2", **NETWORKS[name]}
    plain, ours = module("numpy", **words), module(backend.target, **words)
    params, (x, t) = {key: np.asarray(value) for key, value in parameters(plain.SHAPES).items()}, data(words)
    given = {key: backend.make(value) for key, value in params.items()}
    loss, gradients = ours.loss_and_gradients(given, backend.make(x), backend.make(t))
    expected = plain.loss_and_gradients(params, x, t)
    assert abs(float(loss) - expected[0]) <= 1e-13 * max(1, abs(expected[0]))
    assert largest_difference(arrays_of(gradients, backend.back), expected[1]) < 1e-13
    values = arrays_of(ours.forward(given, backend.make(x)), backend.back)
    assert largest_difference(values, plain.forward(params, x)) < 1e-14
    assert type(gradients["W1"]) is type(given["W1"])

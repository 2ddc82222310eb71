"""Every activation with every loss that fits it, biases on and off, one example and a batch, against PyTorch."""

from functools import cache

import numpy as np
import pytest
from reference import parameters

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.errors import SpecError
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

oracle = pytest.importorskip("torch_catalogue", exc_type=ImportError)
# What is learned has tests of its own.
NAMED = [name for name, row in ACTIVATIONS.items() if row.value is not None and not row.trained]
OFTEN = {"softmax", "log_softmax", "sigmoid", "identity", "softplus"}  # these meet every loss in the quick run


@cache
def spec_of(activation: str, loss: str, bias: bool):
    hidden = "tanh" if activation == "exponential" else activation
    return network("3-4-3", activation=hidden, output_activation=activation, loss=loss, bias=bias)


def fits(activation: str, loss: str) -> bool:
    row, domain = ACTIVATIONS[activation], LOSSES[loss].domain
    if "cosine" in loss and row.kinks and row.range[0] == 0:
        return False  # outputs may all be 0, and have no direction
    if domain[0] in [end.subs(row.parameters) for end in row.range] and row.kinks and activation != "hard_sigmoid":
        return False  # cut off at the end of the loss's domain, where its logarithm is not finite
    try:
        spec_of(activation, loss, True)
    except SpecError:
        return False
    return True


PAIRS = [(a, l) for a in NAMED for l in LOSSES if l != "cost" and fits(a, l)]
PAIRS = [
    pytest.param(a, l, id=f"{a}-{l}", marks=[] if a in OFTEN or l == "mse" else [pytest.mark.slow]) for a, l in PAIRS
]


@cache
def module_of(activation: str, loss: str, bias: bool):
    derivation = derive(forward_graph(spec_of(activation, loss, bias)), listing="none")
    return load(emit(derivation, load_profile("S1")), "gradients")


def data(loss: str, batch: int) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(3).standard_normal((batch, 3)), oracle.targets(loss, (batch, 3)).numpy()


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_loss_and_gradients_are_those_of_pytorch(activation: str, loss: str) -> None:
    near = 1e-7 if activation == "hard_sigmoid" else 1e-10  # PyTorch's slope 1/6 has the digits of a float32
    for bias, batch in ((True, 1), (False, 5)):
        module, (x, t) = module_of(activation, loss, bias), data(loss, batch)
        params = parameters(module.SHAPES)
        error, gradients = module.loss_and_gradients(params, x, t)
        expected, expected_gradients = oracle.loss_and_gradients(spec_of(activation, loss, bias), params, x, t)
        scale = max(np.abs(gradient).max() for gradient in expected_gradients.values())
        assert abs(error - expected) <= near * max(1, abs(expected))
        for name, gradient in expected_gradients.items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=near, atol=near * max(scale, 1e-4))
        assert batch == 1 or scale > 1e-3  # one example may lie where a function is flat


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_wrong_twin_is_found(activation: str) -> None:
    module, (x, t) = module_of(activation, "mse", False), data("mse", 5)
    params = parameters(module.SHAPES)
    spec = spec_of("softmin" if activation == "softmax" else "tanh", "mse", False)
    error, gradients = oracle.loss_and_gradients(spec, params, x, t)
    found = module.loss_and_gradients(params, x, t)
    assert abs(found[0] - error) > 1e-3 and np.abs(found[1]["W1"] - gradients["W1"]).max() > 1e-3


def test_the_oracle_knows_every_row() -> None:
    assert set(oracle.ACTIVATIONS) - {"maxout3"} == {name for name, row in ACTIVATIONS.items() if row.value is not None}
    assert set(oracle.LOSSES) == set(LOSSES) - {"cost"}

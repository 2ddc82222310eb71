"""Every activation with every loss that fits it, biases on and off, one example and a batch, against PyTorch."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from reference import parameters
from sympy import Piecewise, oo

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.errors import SpecError
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

oracle = pytest.importorskip("torch_catalogue", exc_type=ImportError)
NAMED = [name for name, row in ACTIVATIONS.items() if row.value is not None]
OFTEN = {"softmax", "log_softmax", "sigmoid", "identity", "softplus"}  # these meet every loss in the quick run


@cache
def spec_of(activation: str, loss: str, bias: bool):
    hidden = "tanh" if activation == "exponential" else activation
    sizes = "3-4-4" if LOSSES[loss].parts > 1 else "3-4-3"
    return network(sizes, activation=hidden, output_activation=activation, loss=loss, bias=bias)


def fits(activation: str, loss: str) -> bool:
    row, domain = ACTIVATIONS[activation], LOSSES[loss].domain
    value = row.value.subs(row.parameters)
    if "cosine" in loss and isinstance(value, Piecewise) and 0 in [case for case, _ in value.args]:
        return False  # outputs may all be 0, and have no direction
    ends = [end.subs(row.parameters) for end in row.range]
    if domain[0].is_finite and domain[0] in ends and row.kinks and activation != "hard_sigmoid":
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
    outputs = 4 if LOSSES[loss].parts > 1 else 3
    return np.random.default_rng(3).standard_normal((batch, 3)), oracle.targets(loss, (batch, outputs)).numpy()


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_loss_and_gradients_are_those_of_pytorch(activation: str, loss: str) -> None:
    near = 1e-7 if activation == "hard_sigmoid" else 1e-10  # PyTorch's slope 1/6 has the digits of a float32
    for bias, batch in product((True, False), (1, 5)):
        module, (x, t) = module_of(activation, loss, bias), data(loss, batch)
        params = parameters(module.SHAPES)
        given = (x, t) if batch > 1 else (x[0], t[0])  # one example is a vector
        error, gradients = module.loss_and_gradients(params, *given)
        expected, expected_gradients = oracle.loss_and_gradients(spec_of(activation, loss, bias), params, x, t)
        scale = max(np.abs(gradient).max() for gradient in expected_gradients.values())
        assert abs(error - expected) <= near * max(1, abs(expected))
        for name, gradient in expected_gradients.items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=near, atol=near * max(scale, 1e-4))
        assert batch == 1 or scale > 1e-3  # one example may lie where a function is flat


def test_every_row_of_both_catalogues_is_met() -> None:
    met = [pair.values for pair in PAIRS]
    assert {activation for activation, _ in met} == set(NAMED)
    assert {loss for _, loss in met} == set(LOSSES) - {"cost"}
    left_out = {(a, l) for a in NAMED for l in set(LOSSES) - {"cost"}} - {pair[:2] for pair in met}
    for activation, loss in left_out:  # each for a reason: its outputs lie, or may lie, where the loss has no value
        row, domain = ACTIVATIONS[activation], LOSSES[loss].domain
        bounded = domain != (-oo, oo)
        assert bounded or "cosine" in loss or (LOSSES[loss].parts > 1 and (row.over_units or row.trained))


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

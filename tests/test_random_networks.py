"""Two hundred random networks: emitted gradients against automatic differentiation, to 1e-10."""

import random

import numpy as np
import pytest
from reference import ACTIVATIONS, LOSSES, data, largest_difference, parameters, reference

from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

COUNT = 208
HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
OUTPUTS_OF = {"bce": ["sigmoid"], "ce": ["softmax"]}  # outputs between 0 and 1; any others for the other losses
BATCHES = [1, 2, 7]


def words(seed: int) -> dict:
    """A random network: 1-4 hidden layers of unequal widths; every activation and loss comes up often."""
    chance = random.Random(seed)
    depth = 1 + seed % 4
    widths = [chance.randint(2, 6)]
    while len(widths) < depth + 2:
        widths.append(chance.choice([n for n in range(2, 7) if n != widths[-1]]))
    loss = list(LOSSES)[seed % len(LOSSES)]
    hidden = [HIDDEN[(seed + n * 5) % len(HIDDEN)] for n in range(depth)]
    output = chance.choice(OUTPUTS_OF.get(loss, list(ACTIVATIONS)))
    return {
        "layers": widths,
        "activation": [*hidden, output],
        "loss": loss,
        "bias": [chance.random() < 0.6 for _ in range(depth + 1)],
        "output_reduction": chance.choice(["sum", "mean"]),
        "batch_reduction": chance.choice(["sum", "mean"]),
        "penalty": chance.choice([None, None, "l2:0.2", "l1:0.1:plain:biases"]),
    }


@pytest.mark.parametrize("seed", range(COUNT))
def test_gradients_equal_automatic_differentiation(seed):
    spec = network(**words(seed))
    profile = load_profile("S1")
    module = load(emit(derive(forward_graph(spec), listing="none"), profile), "gradients")
    params = {name: value / 2 for name, value in parameters(module.SHAPES, seed).items()}
    x, t = data(spec, BATCHES[seed % len(BATCHES)], seed)
    found, expected = module.loss_and_gradients(params, x, t), reference(spec, params, x, t)
    assert largest_difference(found, expected) < 1e-10
    one = module.loss_and_gradients(params, x[0], t[0])
    assert largest_difference(one, reference(spec, params, x[:1], t[:1])) < 1e-10


def test_every_activation_loss_and_depth_comes_up():
    all_words = [words(seed) for seed in range(COUNT)]
    assert {use for w in all_words for use in w["activation"]} == set(ACTIVATIONS)
    assert {w["loss"] for w in all_words} == set(LOSSES)
    assert {len(w["layers"]) for w in all_words} == {3, 4, 5, 6}
    assert all(a != b for w in all_words for a, b in zip(w["layers"], w["layers"][1:], strict=False))


def test_a_sign_is_seen():
    spec = network(**words(2))
    module = load(emit(derive(forward_graph(spec), listing="none"), load_profile("S1")), "gradients")
    params, (x, t) = parameters(module.SHAPES), data(spec, 3)
    loss, gradients = module.loss_and_gradients(params, x, t)
    wrong = {name: -g if name == "W1" else g for name, g in gradients.items()}
    assert np.abs(gradients["W1"]).max() > 0
    assert largest_difference((loss, wrong), reference(spec, params, x, t)) > 1e-3

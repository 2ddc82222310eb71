"""Random networks over the whole catalogue: statements in a work space, in blocks of rows, against plain equations."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import in_arrays, largest_difference
from test_array_code import OUTPUTS, WITH_FORMULA, first_clobbered

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.emit.array_module import ArrayModule
from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.numpy_module import backward
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

PROFILES = ["S1", "S3", "S5", "bishop", "nielsen", "rumelhart1986"]
ALONE = [name for name in WITH_FORMULA if not ACTIVATIONS[name].over_units]  # a layer of one unit has no group


@st.composite
def networks(draw):
    """One to three hidden layers, any activations; an output and a loss that go together."""
    hidden = draw(st.lists(st.integers(2, 14), min_size=1, max_size=3))
    output, loss = draw(st.sampled_from(OUTPUTS))
    last = draw(st.integers(1, 9)) * (2 if LOSSES[loss].parts == 2 else 1)
    last = max(2, last) if output not in ALONE or LOSSES[loss].joint else last
    activations = [*(draw(st.sampled_from(WITH_FORMULA)) for _ in hidden), output]
    letters = sorted({letter.name for name in activations for letter in ACTIVATIONS[name].parameters})
    return {
        "layers": [draw(st.integers(1, 5)), *hidden, last],
        "activation": activations,
        "train": draw(st.lists(st.sampled_from(letters), max_size=1)) if letters else [],
        "loss": loss,
        "bias": [draw(st.booleans()) for _ in [*hidden, last]],
        "batch_reduction": draw(st.sampled_from(["sum", "mean"])),
        "penalty": draw(st.sampled_from([None, "l2:0.2", "l1:0.1:plain:biases"])),
    }


@settings(max_examples=40, deadline=None)
@given(words=networks(), profile=st.sampled_from(PROFILES), batch=st.integers(2, 11), seed=st.integers(0, 999))
def test_the_statements_do_what_the_equations_say(words, profile, batch, seed):
    derivation, profile = derive(forward_graph(network(**words)), listing="none"), load_profile(profile)
    assert first_clobbered(backward(ArrayModule(derivation, profile, {}, NumPyPrinter))[0].lines) is None
    module, rng = in_arrays(load(emit(derivation, profile), "gradients")), np.random.default_rng(seed)
    module.BLOCK = 20  # a few rows of most layers
    params = {
        name: rng.standard_normal(shape) / 2 if shape else rng.random() + 0.5 for name, shape in module.SHAPES.items()
    }
    targets = derivation.graph.spec.targets_count
    x, t = rng.standard_normal((batch, words["layers"][0])), rng.dirichlet(np.ones(targets), batch)
    with np.errstate(all="ignore"):
        right = module.loss(params, x, t), module.gradients(params, x, t)
    # Not every unit is dead, and outputs that are all 0 have no direction.
    assume(np.isfinite(right[0]) and max(np.abs(gradient).max() for gradient in right[1].values()) > 1e-6)
    workspace = module.make_workspace(batch)
    for _ in range(2):
        assert largest_difference(module.loss_and_gradients(params, x, t, workspace=workspace), right) < 1e-12
    assert largest_difference(module.loss_and_gradients(params, x, t), right) < 1e-12

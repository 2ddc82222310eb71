"""Loss and all gradients: the emitted module beside plain and tuned NumPy, the products alone, autograd and PyTorch.

Run with one thread: ``OPENBLAS_NUM_THREADS=1 pytest tests/benchmarks/test_gradient_speed.py --benchmark-only``.
Results are compared with plain NumPy before anything is timed; a peer that is not installed is left out.
"""

import importlib.util
from functools import cache

import numpy as np
import peers
import pytest

from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile


@cache
def module_of(name):
    sizes, _ = peers.NETWORKS[name]
    spec = network(list(sizes), activation="tanh", loss="ce")
    return load(emit(derive(forward_graph(spec), listing="none"), load_profile("S1")), "gradients")


def ours(name):
    return module_of(name).loss_and_gradients


def ours_with_workspace(name):
    module = module_of(name)
    workspace = module.make_workspace(peers.NETWORKS[name][1], np.float64)
    return lambda params, x, t: module.loss_and_gradients(params, x, t, workspace=workspace)


CONTENDERS = {
    "ours": ours,
    "ours, work space": ours_with_workspace,
    "plain NumPy": lambda name: peers.plain,
    "tuned NumPy": peers.tuned,
    "products alone": peers.products,
    "autograd": lambda name: peers.by_autograd(),
    "PyTorch": peers.by_torch,
}
NEEDS = {"autograd": "autograd", "PyTorch": "torch"}


@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("name", peers.NETWORKS)
def test_loss_and_gradients(benchmark, name, contender):
    if contender in NEEDS and importlib.util.find_spec(NEEDS[contender]) is None:
        pytest.skip(f"{NEEDS[contender]} is not installed")
    benchmark.group = name
    params, x, t = peers.data(name)
    run = CONTENDERS[contender](name)
    if contender != "products alone":
        loss, gradients = run(params, x, t)
        expected, reference = peers.plain(params, x, t)
        assert loss == pytest.approx(expected, rel=1e-12)
        for key, value in reference.items():
            np.testing.assert_allclose(np.asarray(gradients[key]), value, rtol=1e-9, atol=1e-12)
    benchmark(run, params, x, t)

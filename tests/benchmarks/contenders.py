"""Who is compared: our emitted module, and what a user would run instead."""

import importlib.util
from functools import cache

import numpy as np
import peers

from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

OURS, WITH_WORKSPACE, PRODUCTS = "ours", "ours, work space", "matrix products alone"


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
    OURS: ours,
    WITH_WORKSPACE: ours_with_workspace,
    "plain NumPy": lambda name: peers.plain,
    "tuned NumPy": peers.tuned,
    PRODUCTS: peers.products,
    "autograd": lambda name: peers.by_autograd(),
    "PyTorch, eager": peers.by_torch,
    "JAX, jit": peers.by_jax,
}
NEEDS = {"autograd": "autograd", "PyTorch, eager": "torch", "JAX, jit": "jax"}


def is_installed(contender):
    """Whether the library that it needs is there."""
    return contender not in NEEDS or importlib.util.find_spec(NEEDS[contender]) is not None


def checked(contender, name):
    """The function to be timed, its results equal to those of plain NumPy, and its arguments."""
    params, x, t = peers.data(name)
    run = CONTENDERS[contender](name)
    if contender != PRODUCTS:
        loss, gradients = run(params, x, t)
        expected, reference = peers.plain(params, x, t)
        np.testing.assert_allclose(float(loss), expected, rtol=1e-12)
        assert set(gradients) == set(reference)
        for key, value in reference.items():
            np.testing.assert_allclose(np.asarray(gradients[key]), value, rtol=1e-9, atol=1e-12)
    return run, (params, x, t)

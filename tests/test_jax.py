"""The JAX target compiled, over examples, and over several devices, as the module's docstring says."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from backends import derivation, double, largest_difference, module
from recipes import follow, recipe
from reference import parameters

from symbackprop.emit.targets import emit
from symbackprop.notation.profile import load_profile

jax = pytest.importorskip("jax")

MEAN = {"layers": "3-4-2", "activation": "tanh", "output_activation": "softmax", "loss": "ce"}
SUM = {**MEAN, "batch_reduction": "sum"}
TRAINED = {
    "layers": "3-5-2",
    "activation": "prelu",
    "output_activation": "identity",
    "loss": "huber",
    "penalty": "l2:1",
}


@pytest.fixture(autouse=True)
def in_double_precision():
    with double():
        yield


def data(batch: int = 8):
    rng = np.random.default_rng(3)
    return rng.standard_normal((batch, 3)), rng.dirichlet(np.ones(2), batch)


def in_jax(arrays):
    return {name: jax.numpy.asarray(value) for name, value in arrays.items()}


def in_numpy(arrays):
    """The arrays as NumPy's, by name in their order: JAX returns dictionaries sorted."""
    return {name: np.asarray(arrays[name]) for name in sorted(arrays)}


@pytest.mark.parametrize("words", [MEAN, TRAINED], ids=["softmax", "prelu"])
def test_compiled_it_computes_the_same(words):
    ours, (x, t) = module("jax", **words), data()
    params = parameters(ours.SHAPES)
    loss, gradients = jax.jit(ours.loss_and_gradients)(in_jax(params), x, t)
    expected = module("numpy", **words).loss_and_gradients(params, x, t)
    assert abs(float(loss) - expected[0]) < 1e-13 * abs(expected[0])
    assert largest_difference(in_numpy(gradients), in_numpy(expected[1])) < 1e-13
    assert jax.jit(ours.loss)(in_jax(params), x, t) == pytest.approx(expected[0], rel=1e-13)
    values = jax.jit(ours.forward)(in_jax(params), x[0])
    assert all(value.ndim == 1 for value in values.values())


@pytest.mark.parametrize("words", [MEAN, SUM], ids=["mean", "sum"])
def test_the_gradients_of_every_example_add_up_to_the_batch_s(words):
    ours, (x, t) = module("jax", **words), data()
    params = in_jax(parameters(ours.SHAPES))
    each = follow(ours, "every example", params=params, x=x, t=t)["each"]
    assert {name: value.shape for name, value in each.items()} == {n: (8, *s) for n, s in ours.SHAPES.items()}
    for k in (0, 7):
        alone = ours.gradients(params, x[k], t[k])
        assert largest_difference(in_numpy({n: v[k] for n, v in each.items()}), in_numpy(alone)) < 1e-13
    add_up = np.mean if words is MEAN else np.sum
    together = in_numpy({name: add_up(np.asarray(value), axis=0) for name, value in each.items()})
    assert largest_difference(together, in_numpy(ours.gradients(params, x, t))) < 1e-13
    assert largest_difference(together, in_numpy(ours.gradients(params, x[:4], t[:4]))) > 1e-3


ON_FOUR_DEVICES = """
import json
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from gradients_jax import *

data = np.load("data.npz")
params, x, t = {name: jax.numpy.asarray(data[name]) for name in SHAPES}, data["x"], data["t"]
RECIPE
shares = [[shard.device.id, *shard.data.shape] for shard in jax.device_put(x, batch).addressable_shards]
whole = [len(g.addressable_shards) == 4 and g.sharding.is_fully_replicated for g in found.values()]
print(json.dumps({"shares": shares, "whole": whole, "found": {n: g.tolist() for n, g in found.items()}}))
"""


@pytest.mark.parametrize("words", [MEAN], ids=["softmax"])
def test_over_four_devices_as_its_docstring_says(words, tmp_path):
    ours, (x, t) = module("jax", **words), data()
    params = parameters(ours.SHAPES)
    source = emit(derivation(**words), load_profile("S1"), {}, "jax")
    (tmp_path / "gradients_jax.py").write_text(source, encoding="utf-8")
    np.savez(tmp_path / "data.npz", x=x, t=t, **params)
    script = ON_FOUR_DEVICES.replace("RECIPE", recipe(ours, "Data-parallel"))
    devices = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env={**os.environ, **devices},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert sorted(printed["shares"]) == [[device, 2, 3] for device in range(4)]
    assert printed["whole"] == [True] * len(params)
    on_one = ours.gradients(in_jax(params), x, t)
    assert largest_difference(in_numpy(printed["found"]), in_numpy(on_one)) < 1e-13

"""Plain forward passes, written by hand for HIPS autograd: what emitted modules are compared with."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.scipy.special import erf

from symbackprop.network.spec import NetworkSpec

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
    "tanh": anp.tanh,
    "relu": lambda z: anp.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: anp.where(z > 0, z, 0.01 * z),
    "elu": lambda z: anp.where(z > 0, z, anp.exp(anp.where(z > 0, 0.0, z)) - 1),
    "softplus": lambda z: anp.log(1 + anp.exp(z)),
    "silu": lambda z: z / (1 + anp.exp(-z)),
    "gelu": lambda z: z * (1 + erf(z / 2**0.5)) / 2,
    "softmax": lambda z: anp.exp(z) / anp.sum(anp.exp(z), axis=1, keepdims=True),
}
LOSSES = {
    "mse": lambda a, t: (a - t) ** 2 / 2,
    "squared_error": lambda a, t: (a - t) ** 2,
    "mae": lambda a, t: anp.abs(a - t),
    "huber": lambda a, t: anp.where(anp.abs(a - t) < 1, (a - t) ** 2 / 2, anp.abs(a - t) - 0.5),
    "bce": lambda a, t: -t * anp.log(a) - (1 - t) * anp.log(1 - a),
    "ce": lambda a, t: -t * anp.log(a),
}


def reference_loss(spec: NetworkSpec, params: dict[str, np.ndarray], x: np.ndarray, t: np.ndarray) -> float:
    """The objective, weights from row to column."""
    a = x
    for layer, use in enumerate(spec.activations, start=1):
        z = anp.dot(a, params[f"W{layer}"])
        if spec.bias[layer - 1]:
            z = z + params[f"b{layer}"]
        a = ACTIVATIONS[use.entry.name](z)
    total = anp.sum(LOSSES[spec.loss.entry.name](a, t))
    total = total / (spec.sizes[-1] if spec.output_reduction == "mean" else 1)
    total = total / (len(x) if spec.batch_reduction == "mean" else 1)
    return total + _penalty(spec, params, len(x))


def _penalty(spec: NetworkSpec, params: dict[str, np.ndarray], n: int) -> float:
    use = spec.penalty
    if use is None:
        return 0.0
    factor = float(use.strength) * {"plain": 1, "half": 1 / 2, "half_mean": 1 / (2 * n)}[use.form]
    covered = [w for name, w in params.items() if use.biases or name.startswith("W")]
    return factor * sum(anp.sum(anp.abs(w)) if use.entry.name == "l1" else anp.sum(w**2) for w in covered)


def reference(spec: NetworkSpec, params, x, t) -> tuple[float, dict[str, np.ndarray]]:
    """The objective and its gradients, by reverse-mode automatic differentiation."""
    return reference_loss(spec, params, x, t), grad(lambda p: reference_loss(spec, p, x, t))(params)


def data(spec: NetworkSpec, batch: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs and targets that suit the loss."""
    rng = np.random.default_rng(seed)
    x, k = rng.standard_normal((batch, spec.sizes[0])), spec.sizes[-1]
    if spec.loss.entry.targets_sum_to_one:
        return x, rng.dirichlet(np.ones(k), batch)
    return x, (rng.random((batch, k)) if spec.loss.entry.binary_targets else rng.standard_normal((batch, k)))


def parameters(shapes: dict[str, tuple[int, ...]], seed: int = 1) -> dict[str, np.ndarray]:
    """Random parameters, biases too; those lie around 1, so that a layer of ReLUs does not stand still."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) + (len(shape) == 1) for name, shape in shapes.items()}


def largest_difference(found: tuple[float, dict], expected: tuple[float, dict]) -> float:
    """Between two results of ``loss_and_gradients``, relative to the largest gradient (and to the loss)."""
    assert list(found[1]) == list(expected[1])
    scale = max(np.abs(g).max() for g in expected[1].values())
    assert scale > 0
    worst = max(np.abs(found[1][name] - g).max() / scale for name, g in expected[1].items())
    return max(worst, abs(found[0] - expected[0]) / max(1.0, abs(expected[0])))


def in_arrays(module):
    """The same module; it takes arrays for few examples too."""
    if hasattr(module, "FEW_EXAMPLES"):
        module.FEW_EXAMPLES = 0
    return module

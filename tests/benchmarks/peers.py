"""What a user would run instead: plain and tuned NumPy, the matrix products alone, autograd, PyTorch, JAX.

Every network is tanh in its hidden layers with a softmax output and cross-entropy (sigmoid and its binary form where
there is one output); every function returns the mean loss and all gradients of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Params = dict[str, np.ndarray]

NETWORKS: dict[str, tuple[tuple[int, ...], int]] = {
    "2-3-1": ((2, 3, 1), 1),
    "2-2-1": ((2, 2, 1), 4),
    "4-16-16-3": ((4, 16, 16, 3), 32),
    "64-32-10": ((64, 32, 10), 64),
    "784-128-10": ((784, 128, 10), 64),
    "784-512-512-10": ((784, 512, 512, 10), 128),
}


def data(name: str) -> tuple[Params, np.ndarray, np.ndarray]:
    """Parameters of sensible size, inputs and targets."""
    sizes, batch = NETWORKS[name]
    rng = np.random.default_rng(0)
    params: Params = {}
    for layer, (m, n) in enumerate(pairwise(sizes), start=1):
        params[f"W{layer}"] = rng.standard_normal((m, n)) / m**0.5
        params[f"b{layer}"] = rng.standard_normal(n) / 10
    x = rng.standard_normal((batch, sizes[0]))
    if sizes[-1] == 1:
        return params, x, rng.integers(0, 2, (batch, 1)).astype(float)
    return params, x, np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]


def plain(params: Params, x: np.ndarray, t: np.ndarray) -> tuple[float, Params]:
    """What a careful user writes: vectorised, with a loop over the layers."""
    depth, n = len(params) // 2, len(x)
    outputs = [x]
    for layer in range(1, depth + 1):
        z = outputs[-1] @ params[f"W{layer}"] + params[f"b{layer}"]
        outputs.append(np.tanh(z) if layer < depth else z)
    z = outputs[-1]
    if z.shape[1] == 1:
        loss = np.mean(np.sum(np.logaddexp(0, z) - t * z, axis=1))
        delta = (1 / (1 + np.exp(-z)) - t) / n
    else:
        shifted = z - z.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=1, keepdims=True)
        loss = np.mean(np.sum(t * (np.log(total) - shifted), axis=1))
        delta = (e / total - t) / n
    gradients: Params = {}
    for layer in range(depth, 0, -1):
        gradients[f"W{layer}"] = outputs[layer - 1].T @ delta
        gradients[f"b{layer}"] = delta.sum(axis=0)
        if layer > 1:
            delta = (delta @ params[f"W{layer}"].T) * (1 - outputs[layer - 1] ** 2)
    return float(loss), gradients


def tuned(name: str) -> Callable[[Params, np.ndarray, np.ndarray], tuple[float, Params]]:
    """Hand-tuned NumPy with a work space: every array of the two sweeps is allocated once."""
    sizes, batch = NETWORKS[name]
    depth = len(sizes) - 1
    z = [np.empty((batch, n)) for n in sizes[1:]]
    d = [np.empty((batch, n)) for n in sizes[1:]]
    gradients = {f"W{l}": np.empty((sizes[l - 1], sizes[l])) for l in range(1, depth + 1)}
    gradients |= {f"b{l}": np.empty(sizes[l]) for l in range(1, depth + 1)}
    ones = np.ones(batch)

    def run(params: Params, x: np.ndarray, t: np.ndarray) -> tuple[float, Params]:
        a = x
        for l in range(1, depth + 1):
            out = z[l - 1]
            np.matmul(a, params[f"W{l}"], out=out)
            out += params[f"b{l}"]
            if l < depth:
                np.tanh(out, out=out)
            a = out
        delta = d[-1]
        if sizes[-1] == 1:
            loss = float((np.logaddexp(0, a) - t * a).sum()) / batch
            np.negative(a, out=delta)
            np.exp(delta, out=delta)
            delta += 1
            np.reciprocal(delta, out=delta)
        else:
            a -= a.max(axis=1, keepdims=True)
            np.exp(a, out=delta)
            total = delta.sum(axis=1, keepdims=True)
            loss = float(np.log(total).sum() - np.vdot(t, a)) / batch
            delta /= total
        delta -= t
        delta /= batch
        for l in range(depth, 0, -1):
            below = z[l - 2] if l > 1 else x
            np.matmul(below.T, delta, out=gradients[f"W{l}"])
            np.matmul(ones, delta, out=gradients[f"b{l}"])
            if l > 1:
                back = d[l - 2]
                np.matmul(delta, params[f"W{l}"].T, out=back)
                below *= below
                np.subtract(1, below, out=below)
                back *= below
                delta = back
        return loss, gradients

    return run


def products(name: str) -> Callable[[Params, np.ndarray, np.ndarray], None]:
    """The matrix products alone, into arrays that exist: no array program can be faster."""
    sizes, batch = NETWORKS[name]
    depth = len(sizes) - 1
    a = [np.zeros((batch, n)) for n in sizes]
    d = [np.zeros((batch, n)) for n in sizes]
    gradients = [np.zeros((m, n)) for m, n in pairwise(sizes)]

    def run(params: Params, x: np.ndarray, t: np.ndarray) -> None:
        for l in range(1, depth + 1):
            np.matmul(a[l - 1], params[f"W{l}"], out=a[l])
        for l in range(depth, 0, -1):
            np.matmul(a[l - 1].T, d[l], out=gradients[l - 1])
            if l > 1:
                np.matmul(d[l], params[f"W{l}"].T, out=d[l - 1])

    return run


def by_autograd() -> Callable[[Params, np.ndarray, np.ndarray], tuple[float, Params]]:
    """HIPS autograd of the plain forward pass."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    def loss(params: Params, x: np.ndarray, t: np.ndarray) -> Any:
        depth, a = len(params) // 2, x
        for layer in range(1, depth + 1):
            a = anp.dot(a, params[f"W{layer}"]) + params[f"b{layer}"]
            a = anp.tanh(a) if layer < depth else a
        if a.shape[1] == 1:
            return anp.mean(anp.sum(anp.logaddexp(0.0, a) - t * a, axis=1))
        shifted = a - anp.max(a, axis=1, keepdims=True)
        return anp.mean(anp.sum(t * (anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True)) - shifted), axis=1))

    return value_and_grad(loss)


def by_torch(name: str) -> Callable[[Params, np.ndarray, np.ndarray], tuple[float, Params]]:
    """PyTorch in eager mode, on tensors that share the arrays' memory."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    given, x, t = data(name)
    tensors = {key: torch.from_numpy(value).requires_grad_() for key, value in given.items()}
    inputs, targets = torch.from_numpy(x), torch.from_numpy(t)
    depth = len(tensors) // 2

    def run(params: Params, x: np.ndarray, t: np.ndarray) -> tuple[float, Params]:
        a = inputs
        for layer in range(1, depth + 1):
            a = torch.addmm(tensors[f"b{layer}"], a, tensors[f"W{layer}"])
            a = torch.tanh(a) if layer < depth else a
        if a.shape[1] == 1:
            loss = functional.binary_cross_entropy_with_logits(a, targets)
        else:
            loss = functional.cross_entropy(a, targets)
        gradients = torch.autograd.grad(loss, list(tensors.values()))
        return loss.item(), dict(zip(tensors, gradients, strict=True))

    return run


def by_jax(name: str) -> Callable[[Params, np.ndarray, np.ndarray], tuple[Any, Params]]:
    """JAX's ``value_and_grad`` under ``jit``, compiled before it is timed, on arrays that JAX has already."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    depth = len(NETWORKS[name][0]) - 1

    def loss(params: Any, x: Any, t: Any) -> Any:
        a = x
        for layer in range(1, depth + 1):
            a = a @ params[f"W{layer}"] + params[f"b{layer}"]
            a = jnp.tanh(a) if layer < depth else a
        if a.shape[1] == 1:
            return jnp.mean(jnp.sum(jnp.logaddexp(0.0, a) - t * a, axis=1))
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(a, axis=1), axis=1))

    compiled = jax.jit(jax.value_and_grad(loss))
    given = jax.tree.map(jnp.asarray, data(name))

    def run(params: Params, x: np.ndarray, t: np.ndarray) -> tuple[Any, Params]:
        return jax.block_until_ready(compiled(*given))

    return run

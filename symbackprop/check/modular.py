"""Whole arrays of integers modulo the prime.

An array has 64-bit unsigned entries below ``PRIME``. Products are taken in halves of 31 and 30 bits, so that nothing
overflows; functions are evaluated entry by entry with the memory of one ``PrimeField``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.check.prime_field import PRIME, PrimeField

Array = NDArray[np.uint64]
P = np.uint64(PRIME)
LOW31, LOW30, LOW32 = np.uint64(2**31 - 1), np.uint64(2**30 - 1), np.uint64(2**32 - 1)
S1, S30, S31, S32, S61 = (np.uint64(n) for n in (1, 30, 31, 32, 61))


def _reduced(total: Array) -> Array:
    """A number below 2^64, modulo the prime: 2^61 counts as 1."""
    total = (total & P) + (total >> S61)
    return total - np.where(total >= P, P, np.uint64(0))


def multiply(u: Array, v: Array | np.uint64) -> Array:
    """The product entry by entry: with halves, u v = u₁v₁ 2^62 + (u₁v₀ + u₀v₁) 2^31 + u₀v₀, and 2^61 counts as 1."""
    u1, u0, v1, v0 = u >> S31, u & LOW31, v >> S31, v & LOW31
    middle = u1 * v0 + u0 * v1
    return _reduced(((u1 * v1) << S1) + (middle >> S30) + ((middle & LOW30) << S31) + u0 * v0)


def add_up(u: Array, axis: int) -> Array:
    """The sum along an axis, which stays with length one."""
    high, low = (u >> S32).sum(axis=axis, keepdims=True), (u & LOW32).sum(axis=axis, keepdims=True)
    return _reduced(multiply(_reduced(high), np.uint64(2**32)) + _reduced(low))


def matrix_product(u: Array, v: Array) -> Array:
    """The product of matrices, by a loop over the shortest of the three ranges."""
    rows, inner, columns = u.shape[0], u.shape[1], v.shape[1]
    if inner != v.shape[0]:
        raise ValueError(f"shapes {u.shape} and {v.shape} do not fit")
    shortest = min(rows, inner, columns)
    if shortest == rows:
        return np.concatenate([add_up(multiply(u[r][:, None], v), 0) for r in range(rows)], axis=0)
    if shortest == columns:
        return np.concatenate([add_up(multiply(u, v[:, c][None, :]), 1) for c in range(columns)], axis=1)
    total = np.zeros((rows, columns), dtype=np.uint64)
    for s in range(inner):
        total = _reduced(total + multiply(u[:, s : s + 1], v[s : s + 1]))
    return total


class FieldArrays:
    """The ``Numbers`` whose values are arrays over the prime field."""

    def __init__(self, scalars: PrimeField) -> None:
        self.scalars = scalars

    def rational(self, p: int, q: int) -> Array:
        return np.asarray(self.scalars.rational(p, q), dtype=np.uint64)

    def add(self, u: Array, v: Array) -> Array:
        return _reduced(u + v)

    def mul(self, u: Array, v: Array) -> Array:
        return multiply(u, v)

    def each(self, function: Callable[..., int], *arrays: Array) -> Array:
        """``function`` of Python integers, entry by entry."""
        broadcast = np.broadcast_arrays(*arrays)
        values = [function(*entry) for entry in zip(*(part.ravel().tolist() for part in broadcast), strict=True)]
        return np.array(values, dtype=np.uint64).reshape(broadcast[0].shape)

    def inverse(self, u: Array) -> Array:
        return self.each(self.scalars.inverse, u)

    def root(self, u: Array) -> Array:
        return self.each(self.scalars.root, u)

    def call(self, name: str, u: Array) -> Array:
        return self.each(lambda entry: self.scalars.call(name, entry), u)

    def named(self, tag: str, order: int, at: tuple[Array, ...]) -> Array:
        return self.each(lambda *entries: self.scalars.named(tag, order, entries), *at)

    def sign(self, u: Array) -> Array:
        return np.where(u == 0, u, np.where(self.positive(u), np.uint64(1), np.uint64(PRIME - 1)))

    def positive(self, u: Array) -> Any:
        turned = multiply(u, np.uint64(self.scalars.direction))
        return (turned > 0) & (turned < np.uint64(PRIME // 2))

    def where(self, condition: Any, yes: Array, no: Array) -> Array:
        return np.where(condition, yes, no)

    def random(self, positive: bool = False) -> Array:
        return np.asarray(self.scalars.random(positive), dtype=np.uint64)

    def total(self, u: Array, axis: int) -> Array:
        """The sum along an axis, which stays with length one."""
        return add_up(u, axis)

    def random_array(self, shape: tuple[int, ...]) -> Array:
        """Random numbers, reproducible from the field's seed."""
        generator = np.random.Generator(np.random.PCG64(self.scalars.source.getrandbits(64)))
        return generator.integers(1, PRIME, size=shape, dtype=np.uint64)

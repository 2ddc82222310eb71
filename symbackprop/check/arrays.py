"""Whole arrays of integers modulo the prime, and the evaluation of index equations and matrix terms with them.

An array has 64-bit unsigned entries below ``PRIME``. Products are taken in halves of 31 and 30 bits, so that nothing
overflows; functions are evaluated entry by entry with the memory of one ``PrimeField``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.catalogue.entries import Z
from symbackprop.check.duals import Dual, DualNumbers
from symbackprop.check.numbers import PRIME, Numbers, PrimeField, Undecided
from symbackprop.check.values import Units
from symbackprop.check.worlds import NetworkValues
from symbackprop.derivation.matrix_terms import (
    ChainRule,
    Diagonal,
    Entries,
    Gradient,
    Hadamard,
    Leaf,
    Map,
    Ones,
    Plus,
    Product,
    Scaled,
    SumOver,
    Term,
    Transpose,
)

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


class ArrayNumbers(Numbers[Any], Protocol):
    """Numbers whose values are NumPy arrays."""

    def total(self, u: Any, axis: int) -> Any:
        """The sum along an axis, which stays with length one."""


class IndexArrays(NetworkValues[Dual[Any]]):
    """Evaluates an index equation for all units at once, in dual numbers.

    The units of an evaluation map each index to the axis that it runs along; ``arrays`` holds all entries of a quantity
    by name and layer, its axes in the order of the entry's indices.
    """

    def __init__(
        self,
        numbers: ArrayNumbers,
        arrays: Mapping[tuple[Any, ...], Dual[Any]],
        symbols: dict[Symbol, Dual[Any]],
        sizes: Mapping[Expr, int],
        formulas: Mapping[Symbol, Expr],
    ) -> None:
        super().__init__(DualNumbers(numbers), {}, symbols, sizes)
        self.kind, self.arrays, self.formulas = numbers, arrays, formulas

    def entry(self, entry: Entry, at: Units) -> Dual[Any]:
        if entry in self.sizes:
            return self.numbers.rational(self.sizes[entry], 1)
        layer = (int(entry.indices[0]),) if entry.base.layered else ()
        axes = [at[i] for i in entry.indices[len(layer) :]]
        return on_parts(self.arrays[entry.base.label.name, *layer], lambda part: along(part, axes))

    def sum_over(self, expr: sp.Sum, at: Units) -> Dual[Any]:
        (i, _, high), *rest = expr.limits[::-1]
        body = sp.Sum(expr.function, *rest[::-1]) if rest else expr.function
        axis, count = len(at), self.integer(high, {})
        value = self(body, {**at, i: axis})

        def summed(part: Any) -> Any:
            if part.ndim > axis and part.shape[-1 - axis] == count:
                return self.kind.total(part, -1 - axis)
            return self.kind.mul(part, self.kind.rational(count, 1))

        return on_parts(value, summed)


def on_parts(dual: Dual[Any], function: Callable[[Any], Any]) -> Dual[Any]:
    """``function`` of the value and of every derivative."""
    return Dual(function(dual.value), {key: function(part) for key, part in dual.tangent.items()})


def along(part: Any, axes: list[int]) -> Any:
    """``part`` with its axes moved to the given places, counted from the last, and length one elsewhere."""
    order = sorted(range(len(axes)), key=lambda n: -axes[n])
    shape = [1] * (max(axes) + 1)
    for n, axis in enumerate(axes):
        shape[-1 - axis] = part.shape[n]
    return part.transpose(order).reshape(shape)


class TermArrays(NetworkValues[Array]):
    """Evaluates matrix terms.

    ``given`` supplies the arrays of weights, inputs and targets; ``known`` gains those that have been evaluated.
    ``slopes`` are the activations' slopes as the derivation states them, in ``Z``.
    """

    def __init__(
        self,
        like: IndexArrays,
        numbers: FieldArrays,
        given: Callable[[Leaf], Array],
        slopes: Mapping[Symbol, Expr],
    ) -> None:
        super().__init__(numbers, {}, {symbol: dual.value for symbol, dual in like.symbols.items()}, like.sizes)
        self.formulas, self.slopes, self.given = like.formulas, slopes, given
        self.known: dict[Leaf | Gradient, Array] = {}

    def apply(self, expr: Any, at: Units) -> Array:
        if expr.order == 1 and expr.tag in self.slopes:  # as the derivation states it, not as SymPy would
            from_input = self.slopes[expr.tag]
            return self.with_symbol(Z, self(expr.arguments[0], at), from_input)
        return super().apply(expr, at)

    def term(self, term: Term) -> Array:
        """The array, with rows and columns; a number has one of each."""
        match term:
            case Leaf():
                return self.known[term] if term in self.known else self.given(term)
            case Gradient():
                return self.known[term]
            case Ones():
                return np.ones((1, 1), dtype=np.uint64)
            case Transpose(of):
                return self.term(of).T
            case Product(left, right):
                return matrix_product(self.term(left), self.term(right))
            case Hadamard(factors):
                return self._folded(multiply, factors)
            case Plus(terms):
                return self._folded(self.numbers.add, terms)
            case Scaled(factor, of):
                return multiply(self(factor), self.term(of))
            case SumOver(of, over):
                return add_up(self.term(of), 0 if over == "rows" else 1)
            case Map(function, symbols, arguments):
                return self._map(function, symbols, arguments)
            case Diagonal() | Entries() | ChainRule():
                raise Undecided(f"an array in the form {type(term).__name__}")

    def _folded(self, operation: Callable[[Array, Array], Array], parts: tuple[Term, ...]) -> Array:
        total = self.term(parts[0])
        for part in parts[1:]:
            total = operation(total, self.term(part))
        return total

    def _map(self, function: Expr, symbols: tuple[Symbol, ...], arguments: tuple[Term, ...]) -> Array:
        outer = dict(self.symbols)
        self.symbols.update(zip(symbols, map(self.term, arguments), strict=True))
        value = self(function)
        self.symbols.clear()
        self.symbols.update(outer)
        return value

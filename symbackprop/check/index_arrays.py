"""Index equations for all units at once: every index runs along an axis of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry, InBlock
from symbackprop.check.duals import Dual, DualNumbers
from symbackprop.check.numbers import Numbers
from symbackprop.check.values import Units
from symbackprop.check.worlds import NetworkValues


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
        indices = entry.indices[len(layer) :]
        axes = [at[i.unit if isinstance(i, InBlock) else i] for i in indices]
        part_of = tuple(self.within(i) if isinstance(i, InBlock) else slice(None) for i in indices)
        return on_parts(self.arrays[entry.base.label.name, *layer], lambda part: along(part[part_of], axes))

    def within(self, place: InBlock) -> slice:
        """The places of one block."""
        start, size = self.integer(place.before, {}), self.integer(place.args[2], {})
        return slice(start, start + size)

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

"""One forward sweep through a whole network, of any size, in dual numbers over the prime field."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import numpy as np
from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.check.duals import Dual
from symbackprop.check.index_arrays import IndexArrays, on_parts
from symbackprop.check.modular import Array, FieldArrays, add_up, multiply
from symbackprop.check.prime_field import PrimeField
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import (
    Leaf,
)
from symbackprop.derivation.steps import Assumption
from symbackprop.network import layers
from symbackprop.network.forward import ForwardGraph, Node
from symbackprop.network.quantities import BATCH, BIAS, CLASS_WEIGHT, EXAMPLE, FROM, OUT, PRE, TARGET, TO, WEIGHT

EXAMPLES = 2
ALL_WEIGHTS = 300  # up to this many weights and biases are varied one by one
DIRECTIONS, SINGLES = 2, 6  # in larger networks: random directions, and weights varied alone

Name = tuple[Any, ...]  # a quantity's letter and its layer
Direction = dict[Name, Array]


class Sweep:
    """One forward sweep of ``graph`` with random numbers, for a batch or for one example.

    Arrays named in ``absent`` are zero instead.
    """

    def __init__(
        self,
        graph: ForwardGraph,
        seed: int,
        batch: bool,
        assumptions: Iterable[Assumption],
        absent: Iterable[Name] = (),
    ) -> None:
        self.graph, self.examples = graph, EXAMPLES if batch else 1
        self.batch = batch
        self.numbers = FieldArrays(PrimeField(seed, unknown_roots=True))
        self.chosen = Random(seed)
        self.arrays: dict[Name, Dual[Array]] = {}
        sizes = {**graph.sizes, **({BATCH: EXAMPLES} if batch else {})}
        self.evaluate = IndexArrays(self.numbers, self.arrays, {}, sizes, graph.formulas)
        self.directions = self._directions()
        for name, shape in self.parameter_shapes().items():
            along = {key: direction[name] for key, direction in self.directions.items() if name in direction}
            value = np.zeros(shape, dtype=np.uint64) if name in absent else self.numbers.random_array(shape)
            self.arrays[name] = Dual(value, along)
        for symbol, entry in graph.spec.trained.items():
            learned = self.arrays[str(entry.base.label), int(entry.indices[0])]
            self.evaluate.symbols[symbol] = on_parts(learned, lambda part: part.reshape(()))
        widths = {("a", 1): graph.spec.sizes[0], ("t",): graph.spec.targets_count}
        for name, width in widths.items():
            self.arrays[name] = Dual(self.numbers.random_array((width, self.examples)), {})
        if graph.class_weights():
            self.arrays[str(CLASS_WEIGHT.label),] = Dual(self.numbers.random_array((graph.spec.sizes[-1],)), {})
        for assumption in assumptions:
            self._assume(assumption)
        for layer in range(2, graph.depth + 1):
            for node in (graph.pre[layer], graph.out[layer]):
                self._put(node, layer)
        self.objective = self._objective()

    def parameter_shapes(self) -> dict[Name, tuple[int, ...]]:
        """The shape of every array of weights or biases; a trained parameter of an activation is an array of one."""
        sizes, fed = self.graph.spec.sizes, self.graph.spec.fed
        shapes: dict[Name, tuple[int, ...]] = {}
        for l in range(1, self.graph.depth):
            shapes["w", l] = (sizes[l - 1], fed[l])
            if self.graph.spec.has_bias(l):
                shapes["b", l] = (fed[l],)
        shapes |= {(str(entry.base.label), int(entry.indices[0])): (1,) for entry in self.graph.trained()}
        return shapes

    def _directions(self) -> dict[str, Direction]:
        """Every weight and bias alone, or, where there are many, some alone and random directions in all of them."""
        shapes = self.parameter_shapes()
        places = [(name, place) for name, shape in shapes.items() for place in range(int(np.prod(shape)))]
        directions: dict[str, Direction] = {}
        if len(places) > ALL_WEIGHTS:
            places = self.chosen.sample(places, SINGLES)
            for n in range(DIRECTIONS):
                directions[f"direction {n}"] = {
                    name: self.numbers.random_array(shape) for name, shape in shapes.items()
                }
        for name, place in places:
            alone = np.zeros(shapes[name], dtype=np.uint64)
            alone.flat[place] = 1
            directions[f"{name}{place}"] = {name: alone}
        return directions

    def _per_example(self, expr: Expr) -> Expr:
        entries = {e: e.base[(*e.indices, EXAMPLE)] for e in expr.atoms(Entry) if e.base in (PRE, OUT, TARGET)}
        return expr.xreplace(entries)

    def _put(self, node: Node, layer: int) -> None:
        """Evaluate a forward equation for all units and examples."""
        unit = node.left.indices[1]
        value = self.evaluate(self._per_example(node.right), {unit: 0, EXAMPLE: 1})
        count = self.evaluate.integer(node.count, {})
        shape = (self.examples, count)

        def stored(part: Array) -> Array:
            return np.broadcast_to(part.reshape(part.shape[-2:]) if part.ndim > 2 else part, shape).T

        self.arrays[node.left.base.label.name, layer] = on_parts(value, stored)

    def _assume(self, assumption: Assumption) -> None:
        """Set the last target of every example so that the assumption, which is linear in it, holds."""
        targets = self.arrays["t",].value
        formula = self._per_example(assumption.formula)
        ends = []
        for value in (0, 1):
            targets[-1] = value
            ends.append(self.evaluate(formula, {EXAMPLE: 0}).value.ravel())
        add, minus = self.numbers.add, self.numbers.rational(-1, 1)
        slope = add(ends[1], multiply(minus, ends[0]))
        targets[-1] = multiply(multiply(minus, ends[0]), self.numbers.inverse(slope))

    def _objective(self) -> Dual[Array]:
        """The errors of the examples, reduced, and the penalty."""
        spec, duals = self.graph.spec, self.evaluate.numbers
        errors = self.evaluate(self._per_example(self.graph.error.right), {EXAMPLE: 0})
        total = on_parts(errors, lambda part: add_up(part.reshape(-1), 0))
        if self.batch and spec.batch_reduction == "mean":
            total = duals.mul(total, duals.rational(1, self.examples))
        if spec.penalty is None:
            return total
        for letter, l in self.parameter_shapes():
            if letter == "w":
                share = self.evaluate(layers.penalty(spec.penalty, WEIGHT[l, FROM, TO]), {TO: 0, FROM: 1})
            elif letter == "b" and spec.penalty.biases:
                share = self.evaluate(layers.penalty(spec.penalty, BIAS[l, TO]), {TO: 0})
            else:
                continue
            total = duals.add(total, on_parts(share, lambda part: add_up(part.reshape(-1), 0)))
        return total

    def output_slopes(self) -> Array:
        """∂E/∂a of every output and example, in forward mode: what a generic loss leaves standing in δ."""
        name = ("a", self.graph.depth)
        outputs = self.arrays[name].value
        each = np.eye(outputs.shape[0], dtype=np.uint64)[:, :, None] * np.ones_like(outputs)
        arrays = {**self.arrays, name: Dual(outputs, dict(enumerate(each)))}
        varied = IndexArrays(self.numbers, arrays, self.evaluate.symbols, self.evaluate.sizes, self.graph.formulas)
        errors = varied(self._per_example(self.graph.error.right), {EXAMPLE: 0})
        return np.stack([errors.tangent[k].reshape(-1) for k in range(outputs.shape[0])])

    def given(self, view: MatrixView, leaf: Leaf) -> Array:
        """A weight, bias, input or target array, stored as the view's layout says."""
        name = (leaf.base.label.name,) if leaf.layer is None else (leaf.base.label.name, leaf.layer)
        array = self.arrays[name].value
        return oriented(array, leaf, view.layout.weights_from_to)


def oriented(array: Array, leaf: Leaf, weights_from_to: bool) -> Array:
    """An array with its axes in the order of the entry's indices, as rows and columns of ``leaf``."""
    if leaf.base == WEIGHT:
        return array if weights_from_to else array.T
    column = array.reshape(array.shape[0], -1)
    units_in_rows = leaf.rows is not None and leaf.rows.layer is not None
    return column if units_in_rows else column.T

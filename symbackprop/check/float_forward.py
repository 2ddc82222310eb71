"""The forward equations in floating point: the loss that emitted code must return, and how far units are from kinks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sympy import Expr, Integer, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.catalogue import entries as row
from symbackprop.check.duals import Dual
from symbackprop.check.floats import Arrays, Emitted, FloatArrays, Reals
from symbackprop.check.index_arrays import IndexArrays, on_parts
from symbackprop.network import layers
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BATCH, BIAS, EXAMPLE, FROM, LAYER, OUT, OUTPUT_UNIT, PRE, TARGET, TO, WEIGHT


@dataclass(frozen=True)
class Point:
    """Numbers for one comparison: parameters by name, inputs and targets."""

    params: Arrays
    x: Reals
    t: Reals


class Forward:
    """The forward equations in floating point (or other ``numbers``), for the loss and for the distances from kinks."""

    def __init__(self, graph: ForwardGraph, emitted: Emitted, numbers: FloatArrays | None = None) -> None:
        self.graph, self.emitted = graph, emitted
        self.numbers = numbers or FloatArrays(emitted.stand_ins)
        given = {**{s: float(v) for s, v in graph.spec.parameters.items()}, **emitted.numbers}
        self.symbols = {symbol: Dual(np.asarray(value), {}) for symbol, value in given.items()}

    def arrays(self, point: Point) -> dict[tuple[Any, ...], Dual[Any]]:
        """Every weight, pre-activation and output, its axes in the order of the entry's indices."""
        arrays: dict[tuple[Any, ...], Dual[Any]] = {}
        for name, (letter, layer) in self.emitted.names.items():
            value = point.params[name]
            if letter not in ("w", "b"):
                continue
            stored = value.T if letter == "w" and not self.emitted.weights_from_to else value
            arrays[letter, layer] = Dual(stored.reshape(-1) if letter == "b" else stored, {})
        arrays["a", 1] = Dual(np.atleast_2d(point.x).T, {})
        arrays["t",] = Dual(np.atleast_2d(point.t).T, {})
        arrays["c",] = Dual(np.asarray(self.graph.spec.loss.class_weights, dtype=float), {})
        return arrays

    def __call__(self, point: Point) -> tuple[float, float]:
        """The objective, and the smallest distance of any unit, output or weight from a kink."""
        arrays = self.arrays(point)
        examples = arrays["a", 1].value.shape[1]
        graph = self.graph
        evaluate = IndexArrays(
            self.numbers,
            arrays,
            {**self.symbols, **self._trained(point)},
            {**graph.sizes, BATCH: examples},
            graph.formulas,
        )
        for layer in range(2, graph.depth + 1):
            for node in (graph.pre[layer], graph.out[layer]):
                value = evaluate(per_example(node.right), {node.left.indices[1]: 0, EXAMPLE: 1})
                shape = (examples, evaluate.integer(node.count, {}))
                arrays[node.left.base.label.name, layer] = on_parts(value, partial(_stored, shape=shape))
        errors = evaluate(per_example(graph.error.right), {EXAMPLE: 0}).value
        total = float(np.sum(errors)) / (examples if graph.spec.batch_reduction == "mean" else 1)
        total += float(sum(np.sum(evaluate(share, at).value) for share, at in self._penalties()))
        return total, min(self._distances(arrays, evaluate), default=math.inf)

    def _trained(self, point: Point) -> dict[Symbol, Dual[Any]]:
        """The trained parameters of the activations, by the symbols that stand for them in formulas."""
        names = {place: name for name, place in self.emitted.names.items()}
        return {
            symbol: Dual(np.asarray(point.params[names[str(entry.base.label), int(entry.indices[0])]]), {})
            for symbol, entry in self.graph.spec.trained.items()
        }

    def _penalties(self) -> Iterator[tuple[Expr, dict[Symbol, int]]]:
        use = self.graph.spec.penalty
        if use is None:
            return
        for letter, layer in self.emitted.names.values():
            if letter == "w":
                yield layers.penalty(use, WEIGHT[layer, FROM, TO]), {TO: 0, FROM: 1}
            elif letter == "b" and use.biases:
                yield layers.penalty(use, BIAS[layer, TO]), {TO: 0}

    def _distances(self, arrays: Mapping[tuple[Any, ...], Dual[Any]], evaluate: IndexArrays) -> Iterator[float]:
        spec = self.graph.spec
        for layer in range(2, self.graph.depth + 1):
            for kink in spec.activation_of(layer).entry.kinks:
                node, of = self.graph.out[layer], row.V[row.K] if kink.of is None else kink.of
                away = node.at_layer(layers.in_layer(of - kink.at, node.equation))
                yield float(np.min(np.abs(evaluate(per_example(away), {node.left.indices[1]: 0, EXAMPLE: 1}).value)))
        for kink in spec.loss.entry.kinks:
            away = layers.at_outputs(row.A - kink.at).xreplace({LAYER: Integer(self.graph.depth)})
            yield float(np.min(np.abs(evaluate(per_example(away), {OUTPUT_UNIT: 0, EXAMPLE: 1}).value)))
        if spec.penalty is not None and spec.penalty.entry.kinks:
            penalised = [n for n in self.emitted.names.values() if n[0] == "w" or (n[0] == "b" and spec.penalty.biases)]
            yield min(float(np.min(np.abs(arrays[name].value))) for name in penalised)


def _stored(part: Any, shape: tuple[int, int]) -> Any:
    """An array by (…, example, unit) as it is stored: by unit and example."""
    return np.broadcast_to(part.reshape(part.shape[-2:]), shape).T


def per_example(expr: Expr) -> Expr:
    """The equation for one example of a batch."""
    entries = {e: e.base[(*e.indices, EXAMPLE)] for e in expr.atoms(Entry) if e.base in (PRE, OUT, TARGET)}
    return expr.xreplace(entries)

"""Emitted code in floating point: its gradients against central differences of its own loss, its loss against the
forward equations. Sample points are moved away from kinks, where a central difference means nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.catalogue.entries import T
from symbackprop.check.arrays import IndexArrays, on_parts
from symbackprop.check.duals import Dual
from symbackprop.check.numbers import Undecided
from symbackprop.check.report import NUMERIC_GROUP, Row
from symbackprop.network import layers
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BATCH, BIAS, EXAMPLE, FROM, OUT, PRE, TARGET, TO, WEIGHT

Reals = NDArray[np.float64]
Arrays = dict[str, Reals]

STEP = 1e-5
TOLERANCE = 1e-6
ROUNDING = 2e-15  # of one loss, relative to 1 + |loss|
LOSS_TOLERANCE = 1e-12
ALL_WEIGHTS = 3000  # up to this many weights are varied one by one
DIRECTIONS, SINGLES = 4, 24
GAINS = (1.0, 2.0, 4.0)
DRAWS = 40
MARGIN = 1e-3  # the distance that every unit keeps from a kink, where a draw of numbers allows it
EXAMPLES = 3


@dataclass(frozen=True)
class Emitted:
    """Emitted functions, handed in, and what the check must know about them.

    ``loss_and_gradients(params, x, t)`` returns the loss and a gradient for each name in ``params``; x and t have
    shape (features,) or (batch, features). ``names`` gives, for each parameter name, ``"w"`` or ``"b"`` and the layer
    that it leaves. ``stand_ins`` are smooth functions ``(order, u, *more)`` for functions known by name only, and
    ``numbers`` the values of parameters that stay symbolic, as the emitted functions use them.
    """

    loss_and_gradients: Callable[[Arrays, Reals, Reals], tuple[float, Mapping[str, Reals]]]
    names: Mapping[str, tuple[str, int]]
    weights_from_to: bool = True
    stand_ins: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    numbers: Mapping[Symbol, float] = field(default_factory=dict)


class FloatArrays:
    """The ``Numbers`` whose values are arrays of floating-point numbers."""

    def __init__(self, stand_ins: Mapping[str, Callable[..., Any]]) -> None:
        self.stand_ins = stand_ins

    def rational(self, p: int, q: int) -> Any:
        return np.asarray(p / q)

    def add(self, u: Any, v: Any) -> Any:
        return u + v

    def mul(self, u: Any, v: Any) -> Any:
        return u * v

    def inverse(self, u: Any) -> Any:
        return 1 / u

    def root(self, u: Any) -> Any:
        return np.sqrt(u)

    def call(self, name: str, u: Any) -> Any:
        if name == "pi":
            return np.asarray(math.pi)
        known = getattr(np, name, None) or (np.vectorize(getattr(math, name)) if hasattr(math, name) else None)
        if known is None:
            raise Undecided(f"the function {name}")
        return known(u)

    def named(self, tag: str, order: int, at: tuple[Any, ...]) -> Any:
        if tag not in self.stand_ins:
            raise Undecided(f"no function stands in for {tag}")
        return self.stand_ins[tag](order, *at)

    def sign(self, u: Any) -> Any:
        return np.sign(u)

    def positive(self, u: Any) -> Any:
        return u > 0

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        return np.where(condition, yes, no)

    def total(self, u: Any, axis: int) -> Any:
        """The sum along an axis, which stays with length one."""
        return u.sum(axis=axis, keepdims=True)

    def random(self, positive: bool = False) -> Any:
        raise Undecided("a symbol without a number")


@dataclass(frozen=True)
class Point:
    """Numbers for one comparison: parameters by name, inputs and targets."""

    params: Arrays
    x: Reals
    t: Reals


class Forward:
    """The forward equations in floating point, for the loss and for the distances from kinks."""

    def __init__(self, graph: ForwardGraph, emitted: Emitted) -> None:
        self.graph, self.emitted = graph, emitted
        self.numbers = FloatArrays(emitted.stand_ins)
        given = {**{s: float(v) for s, v in graph.spec.parameters.items()}, **emitted.numbers}
        self.symbols = {symbol: Dual(np.asarray(value), {}) for symbol, value in given.items()}

    def arrays(self, point: Point) -> dict[tuple[Any, ...], Dual[Any]]:
        """Every weight, pre-activation and output, its axes in the order of the entry's indices."""
        arrays: dict[tuple[Any, ...], Dual[Any]] = {}
        for name, (letter, layer) in self.emitted.names.items():
            value = point.params[name]
            stored = value.T if letter == "w" and not self.emitted.weights_from_to else value
            arrays[letter, layer] = Dual(stored.reshape(-1) if letter == "b" else stored, {})
        arrays["a", 1] = Dual(np.atleast_2d(point.x).T, {})
        arrays["t",] = Dual(np.atleast_2d(point.t).T, {})
        return arrays

    def __call__(self, point: Point) -> tuple[float, float]:
        """The objective, and the smallest distance of any unit, output or weight from a kink."""
        arrays = self.arrays(point)
        examples = arrays["a", 1].value.shape[1]
        graph = self.graph
        evaluate = IndexArrays(
            self.numbers, arrays, dict(self.symbols), {**graph.sizes, BATCH: examples}, graph.formulas
        )
        for layer in range(2, graph.depth + 1):
            for node in (graph.pre[layer], graph.out[layer]):
                value = evaluate(per_example(node.right), {node.left.indices[1]: 0, EXAMPLE: 1})
                shape = (examples, graph.spec.sizes[layer - 1])
                arrays[node.left.base.label.name, layer] = on_parts(
                    value, lambda part, shape=shape: np.broadcast_to(part.reshape(part.shape[-2:]), shape).T
                )
        errors = evaluate(per_example(graph.error.right), {EXAMPLE: 0}).value
        total = float(np.sum(errors)) / (examples if graph.spec.batch_reduction == "mean" else 1)
        total += float(sum(np.sum(evaluate(share, at).value) for share, at in self._penalties()))
        return total, min(self._distances(arrays, evaluate), default=math.inf)

    def _penalties(self) -> Iterator[tuple[Expr, dict[Symbol, int]]]:
        use = self.graph.spec.penalty
        if use is None:
            return
        for letter, layer in self.emitted.names.values():
            if letter == "w":
                yield layers.penalty(use, WEIGHT[layer, FROM, TO]), {TO: 0, FROM: 1}
            elif use.biases:
                yield layers.penalty(use, BIAS[layer, TO]), {TO: 0}

    def _distances(self, arrays: Mapping[tuple[Any, ...], Dual[Any]], evaluate: IndexArrays) -> Iterator[float]:
        spec = self.graph.spec
        for layer in range(2, self.graph.depth + 1):
            for kink in spec.activation_of(layer).entry.kinks:
                yield float(np.min(np.abs(arrays["z", layer].value - evaluate(kink.at).value)))
        out, targets = arrays["a", self.graph.depth].value, arrays["t",].value
        for kink in spec.loss.entry.kinks:
            at = targets if kink.at == T else evaluate(kink.at).value
            yield float(np.min(np.abs(out - at)))
        if spec.penalty is not None and spec.penalty.entry.kinks:
            penalised = [n for n in self.emitted.names.values() if n[0] == "w" or spec.penalty.biases]
            yield min(float(np.min(np.abs(arrays[name].value))) for name in penalised)


def per_example(expr: Expr) -> Expr:
    """The equation for one example of a batch."""
    entries = {e: e.base[(*e.indices, EXAMPLE)] for e in expr.atoms(Entry) if e.base in (PRE, OUT, TARGET)}
    return expr.xreplace(entries)


def random_point(graph: ForwardGraph, emitted: Emitted, rng: np.random.Generator, batch: bool, gain: float) -> Point:
    """Normally distributed weights, scaled with the width they leave; targets that the loss allows."""
    sizes, loss = graph.spec.sizes, graph.spec.loss.entry
    params: Arrays = {}
    for name, (letter, layer) in emitted.names.items():
        fan_in, fan_out = sizes[layer - 1], sizes[layer]
        shape = ((fan_in, fan_out) if emitted.weights_from_to else (fan_out, fan_in)) if letter == "w" else (fan_out,)
        params[name] = rng.normal(size=shape) * (gain / math.sqrt(fan_in) if letter == "w" else 0.3)
    lead = (EXAMPLES,) if batch else ()
    t = rng.normal(size=(*lead, sizes[-1]))
    if loss.targets_sum_to_one:
        t = np.exp(t) / np.exp(t).sum(axis=-1, keepdims=True)
    elif loss.domain == (0, 1):
        t = 1 / (1 + np.exp(-t))
    return Point(params, rng.normal(size=(*lead, sizes[0])), t)


def check_numeric(graph: ForwardGraph, emitted: Emitted, seed: int = 0) -> tuple[list[Row], list[str]]:
    """Emitted gradients against central differences for a batch and for one example, and a note about kinks."""
    rows, notes = [], []
    forward = Forward(graph, emitted)
    for batch in (True, False):
        point, distance = chosen_point(graph, emitted, forward, seed, batch)
        where = f"a batch of {EXAMPLES}" if batch else "one example"
        loss, gradients = emitted.loss_and_gradients(point.params, point.x, point.t)
        expected, _ = forward(point)
        off = abs(loss - expected) / (1 + abs(expected))
        how = f"against the forward equations, tolerance {LOSS_TOLERANCE:.0e}"
        rows.append(Row(NUMERIC_GROUP, f"loss for {where}", bool(off <= LOSS_TOLERANCE), how, off))
        step = min(STEP, distance / 20)
        rows += _against_differences(emitted, point, loss, gradients, step, where, np.random.default_rng(seed))
        if math.isfinite(distance):
            notes.append(f"The sample point for {where} keeps a distance of {distance:.1e} from every kink.")
    return rows, notes


def chosen_point(
    graph: ForwardGraph, emitted: Emitted, forward: Forward, seed: int, batch: bool
) -> tuple[Point, float]:
    """A point that keeps away from kinks, its weights scaled so that gradients reach the first layer."""

    def faintest(gain: float) -> float:
        point = random_point(graph, emitted, np.random.default_rng(seed), batch, gain)
        _, gradients = emitted.loss_and_gradients(point.params, point.x, point.t)
        return min(float(np.max(np.abs(g))) for g in gradients.values())

    gain = max(GAINS, key=faintest) if graph.depth > 4 else GAINS[0]
    best, far = None, -1.0
    for draw in range(DRAWS):
        point = random_point(graph, emitted, np.random.default_rng((seed, draw)), batch, gain)
        _, distance = forward(point)
        if distance > far:
            best, far = point, distance
        if distance > MARGIN:
            break
    assert best is not None
    return best, far


def _against_differences(
    emitted: Emitted,
    point: Point,
    loss: float,
    gradients: Mapping[str, Reals],
    step: float,
    where: str,
    rng: np.random.Generator,
) -> list[Row]:
    count = sum(value.size for value in point.params.values())
    floor = ROUNDING * (1 + abs(loss)) / step

    def slope(direction: Arrays) -> float:
        ends = []
        for sign in (1, -1):
            moved = {name: point.params[name] + sign * step * direction.get(name, 0.0) for name in point.params}
            ends.append(float(emitted.loss_and_gradients(moved, point.x, point.t)[0]))
        return (ends[0] - ends[1]) / (2 * step)

    def row(name: str, differences: list[float], scale: float, how: str) -> Row:
        error = max(differences) / (scale + floor / TOLERANCE)
        return Row(NUMERIC_GROUP, f"{name} for {where}", bool(error <= TOLERANCE), how, float(error))

    def alone(name: str, place: int) -> float:
        unit = np.zeros_like(point.params[name])
        unit.flat[place] = 1
        return abs(slope({name: unit}) - float(np.asarray(gradients[name]).flat[place]))

    if set(gradients) != set(point.params):
        return [Row(NUMERIC_GROUP, f"gradients for {where}", False, "a gradient is missing")]
    rows = []
    way = f"central differences, step {step:.0e}, tolerance {TOLERANCE:.0e}"
    for name, value in point.params.items():
        every = count <= ALL_WEIGHTS
        places = (
            range(value.size) if every else rng.choice(value.size, min(value.size, SINGLES), replace=False).tolist()
        )
        scale = float(np.max(np.abs(gradients[name])))
        what = "" if every else f", {len(places)} of {value.size} weights"
        rows.append(row(f"d{name}", [alone(name, place) for place in places], scale, way + what))
    if count > ALL_WEIGHTS:
        found, scales = [], []
        for _ in range(DIRECTIONS):
            direction = {name: rng.normal(size=value.shape) / math.sqrt(count) for name, value in point.params.items()}
            expected = sum(float(np.sum(direction[name] * gradients[name])) for name in direction)
            found.append(abs(slope(direction) - expected))
            scales.append(abs(expected))
        rows.append(row("all gradients", found, max(scales), f"{way}, {DIRECTIONS} random directions"))
    return rows

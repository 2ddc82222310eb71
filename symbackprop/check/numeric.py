"""Emitted code in floating point: its loss against the forward equations, its gradients against central differences.

Sample points are moved away from kinks, where a central difference means nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from symbackprop.check.float_forward import Forward, Point
from symbackprop.check.floats import Arrays, Emitted
from symbackprop.check.report import NUMERIC_GROUP, Row
from symbackprop.network.forward import ForwardGraph

STEP = 1e-5
TOLERANCE = 1e-6
ROUNDING = 2e-15  # of one loss, relative to 1 + |loss|
LOSS_TOLERANCE = 1e-12
ALL_WEIGHTS = 3000  # up to this many weights are varied one by one
DIRECTIONS = 4
SINGLES, MOST = 24, 600  # weights of one array, and of all arrays, that are varied alone in larger networks
GAINS = (1.0, 1.5, 2.0, 3.0, 4.0)
TINY = 1e-300
DRAWS = 40
MARGIN = 1e-3  # the distance that every unit keeps from a kink, where a draw of numbers allows it
EXAMPLES = 3


def random_point(graph: ForwardGraph, emitted: Emitted, rng: np.random.Generator, batch: bool, gain: float) -> Point:
    """Normally distributed weights, scaled with the width they leave; targets that the loss allows."""
    sizes, fed, loss = graph.spec.sizes, graph.spec.fed, graph.spec.loss.entry
    params: Arrays = {}
    starts = {
        (str(entry.base.label), int(entry.indices[0])): float(graph.spec.parameters[symbol])
        for symbol, entry in graph.spec.trained.items()
    }
    for name, (letter, layer) in emitted.names.items():
        if letter not in ("w", "b"):
            params[name] = np.asarray(starts[letter, layer] + 0.1 * rng.normal())
            continue
        fan_in, fan_out = sizes[layer - 1], fed[layer]
        shape = ((fan_in, fan_out) if emitted.weights_from_to else (fan_out, fan_in)) if letter == "w" else (fan_out,)
        params[name] = rng.normal(size=shape) * (gain / math.sqrt(fan_in) if letter == "w" else 0.3)
    lead = (EXAMPLES,) if batch else ()
    t = rng.normal(size=(*lead, graph.spec.targets_count))
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
        loss, _ = emitted.loss_and_gradients(point.params, point.x, point.t)
        expected, _ = forward(point)
        off = abs(loss - expected) / (1 + abs(expected))
        how = f"against the forward equations, tolerance {LOSS_TOLERANCE:.0e}"
        rows.append(Row(NUMERIC_GROUP, f"loss for {where}", bool(off <= LOSS_TOLERANCE), how, off))
        rows += same_alone(emitted, point, where)
        rows += _best_differences(emitted, point, min(STEP, distance / 20), where, seed)
        if math.isfinite(distance):
            notes.append(f"The sample point for {where} keeps a distance of {distance:.1e} from every kink.")
    return rows, notes


def same_alone(emitted: Emitted, point: Point, where: str) -> Iterator[Row]:
    """The gradients that are computed alone against those that come with the loss."""
    if emitted.gradients is None:
        return
    _, expected = emitted.loss_and_gradients(point.params, point.x, point.t)
    found = emitted.gradients(point.params, point.x, point.t)
    how = f"against the gradients that come with the loss, tolerance {LOSS_TOLERANCE:.0e}"
    off = math.inf
    if found.keys() == expected.keys():
        scale = max(float(np.max(np.abs(value))) for value in expected.values()) + TINY
        off = max(float(np.max(np.abs(found[name] - value))) for name, value in expected.items()) / scale
    yield Row(NUMERIC_GROUP, f"gradients alone for {where}", off <= LOSS_TOLERANCE, how, off)


def chosen_point(
    graph: ForwardGraph, emitted: Emitted, forward: Forward, seed: int, batch: bool
) -> tuple[Point, float]:
    """A point that keeps away from kinks, its weights scaled so that all layers have gradients of like size."""

    def spread(gain: float) -> float:
        point = random_point(graph, emitted, np.random.default_rng(seed), batch, gain)
        _, gradients = emitted.loss_and_gradients(point.params, point.x, point.t)
        sizes = [float(np.max(np.abs(g))) for g in gradients.values()]
        return abs(math.log((max(sizes) + TINY) / (min(sizes) + TINY)))

    gain = min(GAINS, key=spread) if graph.depth > 4 else GAINS[0]
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


def _best_differences(emitted: Emitted, point: Point, step: float, where: str, seed: int) -> list[Row]:
    """The rows of the step that fits best: a strongly curved loss needs a smaller one; a wrong gradient fits none."""
    best: list[Row] = []
    for smaller in (1, 10):
        rows = _against_differences(emitted, point, step / smaller, where, seed)
        if not best or sum(row.verdict is True for row in rows) > sum(row.verdict is True for row in best):
            best = rows
        if all(row.verdict is True for row in best):
            break
    return best


def _against_differences(emitted: Emitted, point: Point, step: float, where: str, seed: int) -> list[Row]:
    loss, gradients = emitted.loss_and_gradients(point.params, point.x, point.t)
    rng = np.random.default_rng(seed)
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
    singles = max(2, min(SINGLES, MOST // len(point.params)))
    way = f"central differences, step {step:.0e}, tolerance {TOLERANCE:.0e}"
    for name, value in point.params.items():
        every = count <= ALL_WEIGHTS
        places = (
            range(value.size) if every else rng.choice(value.size, min(value.size, singles), replace=False).tolist()
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

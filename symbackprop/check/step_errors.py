"""How far central differences of the loss are from the emitted gradient, step by step.

The loss is computed from the forward equations in the precision of double numbers, with functions that are rounded
correctly: the last digits, which small steps show, are the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np

from symbackprop.check import reals
from symbackprop.check.float_forward import Forward, Point
from symbackprop.check.floats import Emitted, FloatArrays, Reals
from symbackprop.check.numbers import Undecided
from symbackprop.check.numeric import chosen_point
from symbackprop.network.forward import ForwardGraph

DOUBLE = 53  # bits
STEPS = tuple(float(f"1e-{power}") for power in range(1, 13))
DECIMALS = 6  # of the point: what a machine's own exponential does to its last digits is rounded away
LARGEST = 600  # weights; the loss of larger networks takes too long in these numbers

StepErrors = tuple[tuple[float, float], ...]


class DoubleArrays(FloatArrays):
    """The ``Numbers`` whose values are arrays of mpmath's numbers; use inside ``mpmath.workprec(DOUBLE)``."""

    def root(self, u: Any) -> Any:
        return self.call("sqrt", u)

    def call(self, name: str, u: Any) -> Any:
        if name == "pi":
            return np.asarray(+mpmath.pi)
        known = getattr(mpmath, name, None)
        if known is None:
            raise Undecided(f"the function {name}")
        return np.asarray(np.frompyfunc(known, 1, 1)(u))

    def named(self, tag: str, order: int, at: tuple[Any, ...]) -> Any:
        stands_in = np.frompyfunc(lambda *values: reals.Reals(0).named(tag, order, values), len(at), 1)
        return np.asarray(stands_in(*at))


def step_errors(graph: ForwardGraph, emitted: Emitted, seed: int = 0) -> StepErrors:
    """Pairs of a step and the relative error that central differences with it have, along the gradient's signs.

    Errors have one significant digit. Nothing for networks of more than ``LARGEST`` weights, and for
    those whose gradient vanishes at the point that the seed gives.
    """
    if graph.spec.weight_count > LARGEST:
        return ()
    forward = Forward(graph, emitted)
    point = rounded(chosen_point(graph, emitted, forward, seed, batch=False)[0])
    _, gradients = emitted.loss_and_gradients(point.params, point.x, point.t)
    expected = sum(float(np.sum(np.abs(gradient))) for gradient in gradients.values())
    if expected == 0:
        return ()
    exact = Forward(graph, emitted, DoubleArrays({}))
    found = []
    with mpmath.workprec(DOUBLE):
        for step in STEPS:
            ends = [exact(moved(point, gradients, sign * step))[0] for sign in (1, -1)]
            error = abs((ends[0] - ends[1]) / (2 * step * expected) - 1)
            found.append((step, float(f"{error:.0e}")))
    return tuple(found)


def rounded(point: Point) -> Point:
    """The point with few decimals; targets that add up to one still do."""
    t = np.round(point.t, DECIMALS)
    if math.isclose(float(np.sum(point.t)), 1):
        t[-1] = 1 - np.sum(t[:-1])
    params = {name: np.round(value, DECIMALS) for name, value in point.params.items()}
    return Point(params, np.round(point.x, DECIMALS), t)


def moved(point: Point, gradients: Mapping[str, Reals], step: float) -> Point:
    """The point with every parameter moved by ``step`` the way its gradient points, in mpmath's numbers."""
    exact = np.frompyfunc(mpmath.mpf, 1, 1)
    params = {name: exact(value) + step * np.sign(gradients[name]) for name, value in point.params.items()}
    return Point(params, exact(point.x), exact(point.t))

"""Emitted functions and what stands in for functions known by name only: everything in floating point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from symbackprop.check.numbers import Undecided

Reals = NDArray[np.float64]
Arrays = dict[str, Reals]


@dataclass(frozen=True)
class Emitted:
    """Emitted functions, handed in, and what the check must know about them.

    ``loss_and_gradients(params, x, t)`` returns the loss and a gradient for each name in ``params``; x and t have
    shape (features,) or (batch, features). ``names`` gives, for each parameter name, ``"w"`` or ``"b"`` and the layer
    that it leaves, or the name of a trained parameter and the layer of its activation. ``stand_ins`` are smooth
    functions ``(order, u, *more)`` for functions known by name only, and ``numbers`` the values of parameters that stay
    symbolic, as the emitted functions use them. ``gradients`` returns the gradients alone, by other statements.
    """

    loss_and_gradients: Callable[[Arrays, Reals, Reals], tuple[float, Mapping[str, Reals]]]
    names: Mapping[str, tuple[str, int]]
    weights_from_to: bool = True
    stand_ins: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    numbers: Mapping[Symbol, float] = field(default_factory=dict)
    gradients: Callable[[Arrays, Reals, Reals], Mapping[str, Reals]] | None = None


def stand_in(tag: str) -> Callable[..., Any]:
    """A smooth function ``(order, u, *more)`` for one that is known by its name only: sin(c + u + 2t) and derivatives.

    >>> round(float(stand_in("g")(0, 1.0) ** 2 + stand_in("g")(1, 1.0) ** 2), 12)
    1.0
    """
    return partial(_sine, crc32(tag.encode()) % 100)


def _sine(phase: int, order: int, u: Any, *more: Any) -> Any:
    return np.sin(phase + u + 2 * sum(more) + order * math.pi / 2)


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

"""Real numbers with many digits."""

from __future__ import annotations

from random import Random
from typing import Any
from zlib import crc32

import mpmath

from symbackprop.check.numbers import Undecided

DIGITS = 50


class Reals:
    """Real numbers with ``DIGITS`` digits; use inside ``mpmath.workdps(DIGITS)``. Random numbers are rational."""

    def __init__(self, seed: int) -> None:
        self.source = Random(seed)

    def rational(self, p: int, q: int) -> Any:
        return mpmath.mpf(p) / q

    def add(self, u: Any, v: Any) -> Any:
        return u + v

    def mul(self, u: Any, v: Any) -> Any:
        return u * v

    def inverse(self, u: Any) -> Any:
        if u == 0:
            raise Undecided("a division by zero")
        return 1 / u

    def root(self, u: Any) -> Any:
        if u < 0:
            raise Undecided("the root of a negative number")
        return mpmath.sqrt(u)

    def random(self, positive: bool = False) -> Any:
        """A rational number between 0 and 1, or between -1 and 1."""
        size = mpmath.mpf(self.source.randrange(1, 997)) / 997
        return size if positive or self.source.random() < 0.5 else -size

    def positive(self, u: Any) -> bool:
        return bool(u > 0)

    def sign(self, u: Any) -> Any:
        return mpmath.sign(u)

    def where(self, condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no

    def named(self, tag: str, order: int, at: tuple[Any, ...]) -> Any:
        """sin(c + u + 2t) stands in for an undefined function; its derivatives in u are sin(c + u + 2t + order π/2)."""
        return mpmath.sin(crc32(tag.encode()) % 100 + at[0] + 2 * sum(at[1:]) + order * mpmath.pi / 2)

    def call(self, name: str, u: Any) -> Any:
        if name == "pi":
            return +mpmath.pi
        if name == "log" and u <= 0:
            raise Undecided("the logarithm of a number that is not positive")
        known = getattr(mpmath, name, None)
        if known is None:
            raise Undecided(f"the function {name}")
        return known(u)

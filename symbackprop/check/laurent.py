"""Formulas in normal form: sums of products of powers of symbols.

A symbol stands for an entry, for a function's value, for the inverse of a sum or for a root. The last two are symbols
of their own until ``is_zero`` multiplies the inverse out, and puts what stands under the root in place of its square.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from typing import Any

from symbackprop.check.numbers import Undecided
from symbackprop.check.polynomials import BITS, HALF, Formula, Number, added, by_exponent, multiplied

UNIT = 12  # exp(u) is the UNIT-th power of a symbol, so that exp(u/2), exp(u/3), exp(u/4) have whole exponents too


class Ask(Exception):  # noqa: N818 - not an error: both answers are tried
    """The formula depends on whether ``condition`` is positive."""

    def __init__(self, condition: Hashable) -> None:
        super().__init__(condition)
        self.condition = condition


class Formulas:
    """The ``Numbers`` whose values are formulas; ``positive`` says which quantities are taken to be positive."""

    def __init__(self, positive: dict[Hashable, bool] | None = None) -> None:
        self.taken = positive or {}
        self.names: dict[Hashable, int] = {}
        self.signs: list[Hashable] = []  # what stands inside the signs that became symbols
        self.inverses: dict[int, Formula] = {}  # the place of an inverse's symbol -> what it inverts
        self.roots: dict[int, Formula] = {}  # the place of a root's symbol -> what it is the square root of
        self.logarithms: dict[int, Formula] = {}  # the place of a logarithm's symbol -> what it is the logarithm of

    def name(self, key: Hashable, power: int = 1) -> Formula:
        """A power of the symbol for ``key``."""
        return {power << (BITS * self.place(key)): 1}

    def place(self, key: Hashable) -> int:
        """The number of the symbol for ``key``."""
        return self.names.setdefault(key, len(self.names))

    def rational(self, p: int, q: int) -> Formula:
        value: Number = p if q == 1 else Fraction(p, q)
        return {0: value} if value else {}

    def add(self, u: Formula, v: Formula) -> Formula:
        return added(u, v)

    def mul(self, u: Formula, v: Formula) -> Formula:
        return multiplied(u, v)

    def inverse(self, u: Formula) -> Formula:
        if not u:
            raise Undecided("a division by zero")
        if len(u) == 1:
            ((power, coefficient),) = u.items()
            return {-power: coefficient if coefficient in (1, -1) else 1 / Fraction(coefficient)}
        key = ("inverse", frozen(u))
        self.inverses[self.place(key)] = u
        return self.name(key)

    def root(self, u: Formula) -> Formula:
        if not u:
            return {}
        key = ("root", frozen(u))
        self.roots[self.place(key)] = u
        return self.name(key)

    def call(self, name: str, u: Formula) -> Formula:
        if name == "exp":
            return self._exp(u)
        if name in ("tanh", "sinh", "cosh"):
            up, down = self._exp(u), self._exp({power: -c for power, c in u.items()})
            plus, minus = self.add(up, down), self.add(up, {power: -c for power, c in down.items()})
            half = self.rational(1, 2)
            if name == "tanh":
                return self.mul(minus, self.inverse(plus))
            return self.mul(half, plus if name == "cosh" else minus)
        if name == "log" and u == {0: 1}:
            return {}
        value = self.name((name, frozen(u)))
        if name == "log":
            self.logarithms[self.place((name, frozen(u)))] = u
        return value

    def _exp(self, u: Formula) -> Formula:
        total: Formula = {0: 1}
        for power, coefficient in u.items():
            logarithm = power.bit_length() // BITS if power > 0 else -1
            if power == 1 << (BITS * max(logarithm, 0)) and logarithm in self.logarithms and coefficient in (1, -1):
                inside = self.logarithms[logarithm]
                total = self.mul(total, inside if coefficient == 1 else self.inverse(inside))
                continue
            exponent = Fraction(coefficient) * UNIT
            if exponent.denominator != 1 or abs(exponent.numerator) >= HALF // 64:
                raise Undecided("an exponent that is not a small fraction")
            total = self.mul(total, self.name(("exp", power), exponent.numerator))
        return total

    def named(self, tag: str, order: int, at: tuple[Formula, ...]) -> Formula:
        return self.name((tag, order, *map(frozen, at)))

    def sign(self, u: Formula) -> Formula:
        """The sign of u: known if it is taken to be positive or not, otherwise a symbol of its own."""
        key, flipped = self._oriented(u)
        if not u or key is None or key in self.taken:
            return self.rational(1 if self.positive(u) else -1, 1) if u else {}
        self.signs.append(key)
        return {power: -c if flipped else c for power, c in self.name(("sign", key)).items()}

    def positive(self, u: Formula) -> bool:
        """Whether u > 0; of u and -u just one is, so that a proof covers everything but u = 0."""
        key, flipped = self._oriented(u)
        if key is None:
            return bool(u) and bool(u[0] > 0)
        if key not in self.taken:
            raise Ask(key)
        return self.taken[key] != flipped

    def _oriented(self, u: Formula) -> tuple[Any, bool]:
        """The same key for u and -u, and whether it is the key of -u; no key for a number."""
        if not u or u.keys() == {0}:
            return None, False
        flipped = u[min(u)] < 0
        return frozen({power: -c for power, c in u.items()} if flipped else u), flipped

    def where(self, condition: bool, yes: Formula, no: Formula) -> Formula:
        return yes if condition else no

    def random(self, positive: bool = False) -> Formula:
        return self.name(("unknown", len(self.names), positive))

    def is_zero(self, u: Formula) -> bool:
        """Whether the formula is zero once inverses are multiplied out and squares of roots replaced, the last first.

        What an inverse or a root is made of has symbols of earlier places, so each place is met once. A root that is
        left over counts as unknown: what holds for an unknown holds for the root.
        """
        for place in sorted({*self.inverses, *self.roots}, reverse=True):
            parts = by_exponent(u, place)
            if place in self.inverses:
                u = self._multiplied_out(parts, self.inverses[place])
            elif parts.keys() - {0, 1}:
                u = self._squares_replaced(parts, place)
        return not u

    def _multiplied_out(self, parts: dict[int, Formula], inverted: Formula) -> Formula:
        """The sum of parts times powers of an inverse, times the highest power of what is inverted."""
        highest = max(parts, default=0)
        return self._sum_of_powers({highest - exponent: part for exponent, part in parts.items()}, inverted)

    def _squares_replaced(self, parts: dict[int, Formula], place: int) -> Formula:
        """The sum of parts times powers of the root at ``place``, times an even power of it, with no square in it."""
        total: Formula = {}
        lowest = min(parts) // 2
        for odd in (0, 1):
            halves = {exponent // 2 - lowest: part for exponent, part in parts.items() if exponent % 2 == odd}
            rest = self._sum_of_powers(halves, self.roots[place])
            total = added(total, {power + (odd << (BITS * place)): c for power, c in rest.items()})
        return total

    @staticmethod
    def _sum_of_powers(parts: dict[int, Formula], base: Formula) -> Formula:
        """Σ part · base^exponent."""
        total: Formula = {}
        for exponent, part in parts.items():
            for _ in range(exponent):
                part = multiplied(part, base)
            total = added(total, part)
        return total


def frozen(u: Formula) -> Any:
    """The formula as a key."""
    return frozenset(u.items())

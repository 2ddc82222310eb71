"""Formulas in normal form: sums of products of powers, so that two formulas are equal when their difference is empty.

A product of powers is one whole number, in which each symbol (an entry, a function's value, the inverse of a sum) has
its own field of ``BITS`` bits for its exponent; exponents may be negative, and multiplying adds the numbers. An inverse
of a sum is a symbol of its own until ``is_zero`` multiplies it out.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from typing import Any

from symbackprop.check.numbers import Undecided

BITS = 16
HALF = 1 << (BITS - 1)
UNIT = 12  # exp(u) is the UNIT-th power of a symbol, so that exp(u/2), exp(u/3), exp(u/4) have whole exponents too
MAX_TERMS = 4000

Number = int | Fraction
Formula = dict[int, Number]  # product of powers -> coefficient


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
        total = dict(u)
        for power, coefficient in v.items():
            if value := total.get(power, 0) + coefficient:
                total[power] = value
            else:
                del total[power]
        return total

    def mul(self, u: Formula, v: Formula) -> Formula:
        if len(u) * len(v) > MAX_TERMS:
            raise Undecided("the formula is too long")
        total: Formula = {}
        for p, c in u.items():
            for q, d in v.items():
                total[p + q] = total.get(p + q, 0) + c * d
        return {power: coefficient for power, coefficient in total.items() if coefficient}

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
        return self.name(("root", frozen(u)))

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
        """Whether the formula is zero once every inverse of a sum is multiplied out, the last one first."""
        while u and (places := self._inverses_in(u)):
            u = self._multiplied_out(u, max(places))
        return not u

    def _inverses_in(self, u: Formula) -> set[int]:
        return {place for place in self.inverses for power in u if exponent_at(power, place)}

    def _multiplied_out(self, u: Formula, place: int) -> Formula:
        """``u`` times the highest power of the sum whose inverse stands at ``place``."""
        highest = max(exponent_at(power, place) for power in u)
        by_exponent: dict[int, Formula] = {}
        for power, coefficient in u.items():
            exponent = exponent_at(power, place)
            by_exponent.setdefault(exponent, {})[power - (exponent << (BITS * place))] = coefficient
        total: Formula = {}
        for exponent, part in by_exponent.items():
            for _ in range(highest - exponent):
                part = self.mul(part, self.inverses[place])
            total = self.add(total, part)
        return total


def exponent_at(power: int, place: int) -> int:
    """The exponent of the symbol at ``place`` in a product of powers."""
    below = (power + _bias(place)) >> (BITS * place)
    return int((below & ((1 << BITS) - 1)) - HALF)


def _bias(place: int) -> int:
    """HALF in every field up to ``place``, which makes all exponents there positive."""
    return HALF * (((1 << (BITS * (place + 1))) - 1) // ((1 << BITS) - 1))


def frozen(u: Formula) -> Any:
    """The formula as a key."""
    return frozenset(u.items())

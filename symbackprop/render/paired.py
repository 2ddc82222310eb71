"""Two markups at once: a formula as it is shown, and the same formula as its alternative text.

A text holds both readings where they differ, between marks from Unicode's private area; such texts can be joined like
any others, because what stands outside the marks is the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from symbackprop.render.markup import Markup
from symbackprop.render.printed import Printed

FIRST, SECOND, END = "\ue000", "\ue001", "\ue002"
PAIR = re.compile(f"{FIRST}([^{FIRST}{SECOND}{END}]*){SECOND}([^{FIRST}{SECOND}{END}]*){END}")


def shown(text: str) -> str:
    """The first reading of a text.

    >>> shown(pair("∂", "d") + "x")
    '∂x'
    """
    return PAIR.sub(r"\1", text)


def alternative(text: str) -> str:
    """The second reading of a text.

    >>> alternative(pair("∂", "d") + "x")
    'dx'
    """
    return PAIR.sub(r"\2", text)


def pair(first: str, second: str) -> str:
    """Both readings as one text; plain if they agree."""
    return first if first == second else f"{FIRST}{first}{SECOND}{second}{END}"


def _read(piece: Printed, reading: Callable[[str], str]) -> Printed:
    return replace(piece, text=reading(piece.text), parts=tuple(_read(part, reading) for part in piece.parts))


def _joined(first: Printed, second: Printed) -> Printed:
    """Both readings of a piece, with the widths and levels of the first; it breaks where both can be broken."""
    alike = len(first.parts) == len(second.parts)
    parts = tuple(map(_joined, first.parts, second.parts)) if alike else ()
    return replace(first, text=pair(first.text, second.text), parts=parts)


@dataclass(frozen=True)
class PairedMarkup:
    """Writes every mark in two markups."""

    first: Markup
    second: Markup

    @property
    def space(self) -> str:
        return pair(self.first.space, self.second.space)

    @property
    def dot(self) -> str:
        return pair(self.first.dot, self.second.dot)

    @property
    def function_space(self) -> str:
        return pair(self.first.function_space, self.second.function_space)

    @property
    def dots(self) -> str:
        return pair(self.first.dots, self.second.dots)

    @property
    def comma(self) -> str:
        return pair(self.first.comma, self.second.comma)

    def operator(self, symbol: str) -> str:
        return pair(self.first.operator(symbol), self.second.operator(symbol))

    def letter(self, text: str) -> Printed:
        return _joined(self.first.letter(text), self.second.letter(text))

    def number(self, text: str) -> Printed:
        return _joined(self.first.number(text), self.second.number(text))

    def scripts(self, letter: Printed, sub: str, label: str, place: str, bold: bool) -> Printed:
        return self._both(lambda markup, read: markup.scripts(_read(letter, read), read(sub), read(label), place, bold))

    def fraction(self, above: Printed, below: Printed) -> Printed:
        return self._both(lambda markup, read: markup.fraction(_read(above, read), _read(below, read)))

    def small_fraction(self, above: int, below: int) -> Printed:
        return self._both(lambda markup, read: markup.small_fraction(above, below))

    def power(self, base: Printed, exponent: Printed) -> Printed:
        return self._both(lambda markup, read: markup.power(_read(base, read), _read(exponent, read)))

    def root(self, inside: Printed) -> Printed:
        return self._both(lambda markup, read: markup.root(_read(inside, read)))

    def brackets(self, inside: Printed) -> Printed:
        return self._both(lambda markup, read: markup.brackets(_read(inside, read)))

    def bars(self, inside: Printed) -> Printed:
        return self._both(lambda markup, read: markup.bars(_read(inside, read)))

    def exponential(self, exponent: Printed) -> Printed:
        return self._both(lambda markup, read: markup.exponential(_read(exponent, read)))

    def primed(self, function: Printed, order: int) -> Printed:
        return self._both(lambda markup, read: markup.primed(_read(function, read), order))

    def sum(self, index: str, low: str, high: str) -> Printed:
        return self._both(lambda markup, read: markup.sum(read(index), read(low), read(high)))

    def cases(self, rows: Sequence[tuple[Printed, Printed | None]]) -> Printed:
        return self._both(
            lambda markup, read: markup.cases(
                [(_read(value, read), None if where is None else _read(where, read)) for value, where in rows]
            )
        )

    def array(self, rows: Sequence[Sequence[Printed]]) -> Printed:
        return self._both(lambda markup, read: markup.array([[_read(entry, read) for entry in row] for row in rows]))

    def indicator(self, condition: str) -> Printed:
        return self._both(lambda markup, read: markup.indicator(read(condition)))

    def derivative(self, sign: str, of: Printed | None, by: Printed) -> Printed:
        return self._both(
            lambda markup, read: markup.derivative(sign, None if of is None else _read(of, read), _read(by, read))
        )

    def transposed(self, of: Printed, sign: str) -> Printed:
        return self._both(lambda markup, read: markup.transposed(_read(of, read), sign))

    def ones(self) -> Printed:
        return self._both(lambda markup, read: markup.ones())

    def _both(self, write: Callable[[Markup, Callable[[str], str]], Printed]) -> Printed:
        return _joined(write(self.first, shown), write(self.second, alternative))

"""From the text a user writes (``Leaky-ReLU(0.2)``) to a row of the catalogue and the numbers of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import TypeVar

from sympy import Rational, Symbol

from symbackprop.catalogue.activations import ACTIVATIONS, GENERIC
from symbackprop.catalogue.entries import Activation, Loss, Penalty
from symbackprop.catalogue.losses import LOSSES
from symbackprop.catalogue.penalties import PENALTIES
from symbackprop.errors import SpecError, shown, unknown

Row = TypeVar("Row", Activation, Loss, Penalty)
Numbers = dict[Symbol, Rational]

CALL = re.compile(r"\s*([^\W\d][\w \-]{0,60}?)\s*(?:\(([^()]{0,200})\))?\s*", re.ASCII)
ARGUMENT = re.compile(r"\s*(?:([A-Za-z]\w*)\s*=)?\s*(\S+)\s*", re.ASCII)
# Digits and exponents are bounded: an exact 1e999999999 would fill the memory.
NUMBER = re.compile(
    r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?|[+-]?\d{1,30}/[1-9]\d{0,29}", re.ASCII
)
PIECES, MOST_PIECES = Symbol("pieces"), 9
GENERIC_NAME = re.compile(r"(?:f|g|h|phi|psi|varphi)_?\d{0,3}")


def find_activation(text: str) -> tuple[str, Activation, Numbers]:
    """The activation that ``text`` names: its tag in formulas, its row, its parameters' numbers (defaults included).

    Names are matched without regard to case, hyphens and underscores. ``f``, ``g``, ``h``, ``phi``, ``psi``, also with
    a number (``f2``), are the generic function under that tag. Raises ``SpecError`` with one line of text otherwise.

    >>> tag, entry, numbers = find_activation("Leaky-ReLU(0.2)")
    >>> tag, numbers
    ('leaky_relu', {alpha: 1/5})
    >>> find_activation("f2")[:2] == ("f2", GENERIC)
    True
    """
    name, arguments = _call(text, "activation")
    if GENERIC_NAME.fullmatch(name.lower()):
        return name.lower(), GENERIC, _numbers(name.lower(), {}, arguments)
    entry = _row(name, ACTIVATIONS, "activation")
    if entry.of_pieces is not None:
        count = _pieces(entry, arguments)
        entry = entry if count == entry.pieces else entry.of_pieces(count)
        return entry.name, entry, {}
    return entry.name, entry, _numbers(entry.name, entry.parameters, arguments)


def _pieces(entry: Activation, arguments: str | None) -> int:
    """The number of pieces that a user asks for, or that of the row."""
    number = _numbers(entry.name, {PIECES: Rational(entry.pieces)}, arguments)[PIECES]
    if not (number.is_Integer and 2 <= number <= MOST_PIECES):
        raise SpecError(f"{entry.name} has {number} pieces; expected a whole number from 2 to {MOST_PIECES}")
    return int(number)


def find_loss(text: str) -> tuple[Loss, Numbers]:
    """The loss that ``text`` names and its parameters' numbers, defaults included.

    >>> entry, numbers = find_loss("huber(delta=1.5)")
    >>> entry.name, numbers
    ('huber', {delta: 3/2})
    """
    name, arguments = _call(text, "loss")
    entry = _row(name, LOSSES, "loss")
    return entry, _numbers(entry.name, entry.parameters, arguments)


def find_penalty(text: str) -> Penalty:
    """The penalty that ``text`` names.

    >>> find_penalty("ridge").name
    'l2'
    """
    name, arguments = _call(text, "penalty")
    entry = _row(name, PENALTIES, "penalty")
    _numbers(entry.name, {}, arguments)
    return entry


def read_number(text: str) -> Rational | None:
    """The exact number that ``text`` is, or None; only digits, a point, an exponent or one slash are read.

    >>> read_number("0.01"), read_number("1/3"), read_number("__import__")
    (1/100, 1/3, None)
    """
    return Rational(text) if NUMBER.fullmatch(text) else None


def _call(text: str, what: str) -> tuple[str, str | None]:
    if not (match := CALL.fullmatch(text)):
        raise SpecError(f"cannot read the {what} {shown(text)}; expected a name, or a name with numbers: name(0.1)")
    return match[1], match[2]


def _plain(name: str) -> str:
    return re.sub(r"[ _\-]", "", name.lower())


def _row(name: str, rows: Mapping[str, Row], what: str) -> Row:
    for entry in rows.values():
        if _plain(name) in map(_plain, _names(entry)):
            return entry
    raise SpecError(unknown(what, name, chain.from_iterable(map(_names, rows.values()))))


def _names(entry: Activation | Loss | Penalty) -> tuple[str, ...]:
    return entry.name, *entry.aliases


def _numbers(name: str, defaults: Mapping[Symbol, Rational], arguments: str | None) -> Numbers:
    """The parameters' numbers: by name, else by position, else the default."""
    given = [] if arguments is None or not arguments.strip() else arguments.split(",")
    symbols = {symbol.name: symbol for symbol in defaults}
    if len(given) > len(symbols):
        expected = f"takes {', '.join(symbols)} alone" if symbols else "takes no parameters"
        raise SpecError(f"{name} {expected}; got {shown(arguments)}")
    numbers = dict(defaults)
    for position, argument in enumerate(given):
        match = ARGUMENT.fullmatch(argument)
        number = read_number(match[2]) if match else None
        if match is None or number is None:
            raise SpecError(f"{shown(argument.strip())} is not a number for {name}; expected, for example, {name}(0.5)")
        key = match[1] or list(symbols)[position]
        if key not in symbols:
            raise SpecError(unknown(f"parameter of {name}", key, symbols))
        if symbols[key].is_positive and number <= 0:
            raise SpecError(f"{key} of {name} is {number}; expected a positive number")
        numbers[symbols[key]] = number
    return numbers

"""The rows of a catalogue as a person reads them: names, aliases, formulas, and the numbers in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sympy import Rational, Symbol

from symbackprop.catalogue.entries import Activation, Loss, Penalty
from symbackprop.catalogue.lookup import PIECES
from symbackprop.notation.apply import Notation
from symbackprop.notation.keys import INDICES, LETTERS
from symbackprop.notation.profile import load_profile
from symbackprop.render.show import to_text

DIGITS = 5  # of a number that is longer
# No biases and no thresholds here, so their letters are free for parameters.
FREE = {key: letter for key, letter in LETTERS.items() if key not in ("bias", "threshold")}
NOTATION = Notation(replace(load_profile("S1"), letters=FREE, indices=dict(INDICES)), depth=2)


def listed(rows: Iterable[Activation | Loss | Penalty]) -> Iterator[tuple[str, str, str]]:
    """Each row's name, its aliases, and its formula with the numbers of its parameters.

    >>> from symbackprop.catalogue.activations import ELU
    >>> list(listed([ELU]))
    [('elu', 'exponential_linear_unit', '{z if z > 0; α (eᶻ − 1) otherwise}   (alpha: α = 1)')]
    """
    for row in rows:
        formula = row.source if row.value is None else to_text(row.value, NOTATION)
        parameters = {} if isinstance(row, Penalty) else row.parameters
        if isinstance(row, Activation) and row.of_pieces is not None:
            parameters = {**parameters, PIECES: Rational(row.pieces)}
        numbers = ", ".join(with_number(symbol, number) for symbol, number in parameters.items())
        yield row.name, ", ".join(row.aliases), f"{formula}   ({numbers})" if numbers else formula


def with_number(symbol: Symbol, number: Rational) -> str:
    """A parameter by the name that users write, by its letter in the formula, and its number.

    >>> with_number(Symbol("gamma"), Rational(2)), with_number(Symbol("s"), Rational(2, 3))
    ('gamma: γ = 2', 's = 2/3')
    """
    letter = to_text(symbol, NOTATION)
    return f"{letter if letter == symbol.name else f'{symbol.name}: {letter}'} = {short(number)}"


def short(number: Rational) -> str:
    """A number as a decimal, if it is one of few digits; a fraction; else its first digits.

    >>> short(Rational(1, 100)), short(Rational(1, 3)), short(Rational("1.0507009873554805"))
    ('0.01', '1/3', '1.0507…')
    """
    decimal = f"{float(number):.{DIGITS}g}"
    if Rational(decimal) == number:
        return decimal
    return str(number) if len(str(number)) <= DIGITS else f"{decimal}…"

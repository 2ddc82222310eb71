"""The keys of a notation profile: what each may be, what it is where a profile does not say, and the refusals."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from symbackprop.derivation.matrix_terms import ORDERS
from symbackprop.errors import ProfileError, SpecError, shown, unknown

GREEK_LETTERS = "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
NABLA = "∇"

# What each quantity is called where a profile says nothing else.
LETTERS: Mapping[str, str] = {
    "weight": "w",
    "bias": "b",
    "threshold": "θ",
    "pre_activation": "z",
    "activation": "a",
    "input": "x",
    "target": "t",
    "class_weight": "c",
    "error": "E",
    "objective": "J",
    "delta": "δ",
    "rate": "η",
    "function": "g",
    "size": "n",
    "batch": "N",
}
# Letters a profile may leave out: without "output", the output is the last layer's activation; without "gradient",
# gradients are written as derivatives.
OPTIONAL_LETTERS = ("output", "gradient")
INDICES: Mapping[str, str] = {"from": "i", "to": "j", "output": "k", "other": "q", "layer": "l", "example": "m"}

# The parts of a document, in their usual order, and those that a profile may leave out.
SECTIONS = (
    "forward",
    "arrays",
    "error",
    "start",
    "slopes",
    "output",
    "back",
    "delta",
    "chains",
    "matrix",
    "update",
    "numbers",
    "procedure",
)
OPTIONAL_SECTIONS = ("arrays", "back", "chains", "procedure")

CHOICES: Mapping[str, tuple[object, ...]] = {
    "first_layer": (0, 1),
    "weight_layer": ("leaves", "enters"),
    "weight_indices": ("from_to", "to_from"),
    "weight_matrix": ("from_to", "to_from"),
    "weight_array": ("capital", "letter"),
    "layer_label": ("[k]", "(k)", "k"),
    "layer_place": ("beside", "above", "below"),
    "vectors": ("row", "column"),
    "examples": ("rows", "columns"),
    "input_as": ("input", "activation"),
    "activation_as": ("name", "letter"),
    "bias": ("vector", "weight", "threshold"),
    "delta_sign": ("positive", "negative"),
    "update": ("gradient", "delta"),
    "chain_order": ORDERS,
    "derivative": ("d", "∂"),
    "hadamard": ("⊙", "∘", "diag"),
    "transpose": ("T", "⊤"),
    "assign": ("←", ":=", "="),
    "logarithm": ("ln", "log"),
    "bold": (True, False),
}


# What a source sums and what it averages, where the network itself leaves that open.
REDUCTIONS: Mapping[str, tuple[str, ...]] = {"outputs": ("sum", "mean"), "batch": ("sum", "mean")}
HATS = "\u0302\u0303\u0304"  # hat, tilde, bar


def one_of(name: str, key: str, value: object) -> object:
    """``value`` if it is one of the choices for ``key``; ``name`` is the profile's, for the message."""
    # True == 1 in Python, so the type decides too.
    for choice in CHOICES[key]:
        if type(value) is type(choice) and value == choice:
            return choice
    expected = ", ".join(str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in CHOICES[key])
    raise ProfileError(f"notation {name}: {key} is {shown(value)}; expected one of {expected}")


def sections_of(name: str, value: object) -> tuple[str, ...]:
    """The order of a document's parts in the profile ``name``; those that it leaves out can be left out.

    >>> sections_of("mine", [key for key in SECTIONS if key != "arrays"])[:3]
    ('forward', 'error', 'start')
    """
    if not (isinstance(value, list | tuple) and all(isinstance(key, str) for key in value)):
        raise ProfileError(f"notation {name}: sections is {shown(value)}; expected a list of names")
    for n, key in enumerate(value):
        if key not in SECTIONS:
            raise ProfileError(f"notation {name}: sections: {unknown('part', key, SECTIONS)}")
        if key in value[:n]:
            raise ProfileError(f"notation {name}: sections names {key!r} twice; expected each part once")
    for key in SECTIONS:
        if key not in value and key not in OPTIONAL_SECTIONS:
            optional = ", ".join(OPTIONAL_SECTIONS)
            raise ProfileError(f"notation {name}: sections leaves out {key!r}; only these can be left out: {optional}")
    return tuple(value)


def known_order(name: str) -> str:
    """``name``, if it is an order of the factors of the chain rule between arrays. Raises ``SpecError`` for any other.

    >>> known_order("both")
    'both'
    """
    if name not in ORDERS:
        raise SpecError(unknown("layout of derivatives", name, ORDERS))
    return name


def letters_of(name: str, table: object) -> dict[str, str]:
    """The letters of the profile ``name``: its own, and the usual ones where it has none."""
    letters = _table(name, "letters", table, (*LETTERS, *OPTIONAL_LETTERS))
    for key, letter in letters.items():
        stem, low, index = letter.partition("_")
        fits = _is_letter(stem) or (stem.isascii() and stem.isalpha() and len(stem) <= 12)
        if not fits or (low and not (index.isascii() and index.isalnum() and len(index) <= 3)):
            expected = "a Latin or Greek letter, ∇ or a short word"
            raise ProfileError(f"notation {name}: letters.{key} is {shown(letter)}; expected {expected}")
    return {**LETTERS, **letters}


def reductions_of(name: str, table: object) -> dict[str, str]:
    """What the source of the profile ``name`` sums or averages, as far as it says."""
    reductions = _table(name, "reductions", table, REDUCTIONS)
    for key, value in reductions.items():
        if value not in REDUCTIONS[key]:
            expected = ", ".join(REDUCTIONS[key])
            raise ProfileError(f"notation {name}: reductions.{key} is {shown(value)}; expected one of {expected}")
    return reductions


def indices_of(name: str, table: object) -> dict[str, str]:
    """The index letters of the profile ``name``, no two of them alike."""
    indices = {**INDICES, **_table(name, "indices", table, INDICES)}
    for key, letter in indices.items():
        if not (len(letter) == 1 and letter.isascii() and letter.islower()):
            raise ProfileError(f"notation {name}: indices.{key} is {shown(letter)}; expected one small letter a-z")
        twin = next((other for other in indices if other != key and indices[other] == letter), None)
        if twin:
            raise ProfileError(
                f"notation {name}: indices.{key} and indices.{twin} are both {letter!r}; expected two letters"
            )
    return indices


def _table(name: str, key: str, table: object, known: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ProfileError(f"notation {name}: {key} is {shown(table)}; expected a table [{key}]")
    for entry, value in table.items():
        if entry not in known:
            raise ProfileError(f"notation {name}: {unknown(f'key in [{key}]', entry, known)}")
        if not isinstance(value, str):
            raise ProfileError(f"notation {name}: {key}.{entry} is {shown(value)}; expected a text")
    return dict(table)


def _is_letter(text: str) -> bool:
    """Whether ``text`` is one letter, perhaps with a hat, a tilde or a bar on it."""
    plain = unicodedata.normalize("NFD", text)
    letter, marks = plain[:1], plain[1:]
    fits = letter != "" and (letter in GREEK_LETTERS + NABLA or (letter.isascii() and letter.isalpha()))
    return fits and len(marks) <= 1 and all(mark in HATS for mark in marks)

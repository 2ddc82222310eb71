"""The keys of a notation profile: what each may be, what it is where a profile does not say, and the refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbackprop.errors import ProfileError, shown, unknown

GREEK_LETTERS = "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"

# What each quantity is called where a profile says nothing else.
LETTERS: Mapping[str, str] = {
    "weight": "w",
    "bias": "b",
    "pre_activation": "z",
    "activation": "a",
    "input": "x",
    "target": "t",
    "error": "E",
    "objective": "J",
    "delta": "δ",
    "rate": "η",
    "function": "g",
    "size": "n",
    "batch": "N",
}
# Letters a profile may leave out: without "output", the output is the last layer's activation.
OPTIONAL_LETTERS = ("output",)
INDICES: Mapping[str, str] = {"from": "i", "to": "j", "output": "k", "other": "q", "layer": "l", "example": "m"}

CHOICES: Mapping[str, tuple[object, ...]] = {
    "first_layer": (0, 1),
    "weight_layer": ("leaves", "enters"),
    "weight_indices": ("from_to", "to_from"),
    "weight_matrix": ("from_to", "to_from"),
    "layer_label": ("[k]", "(k)", "k"),
    "layer_place": ("beside", "above", "below"),
    "vectors": ("row", "column"),
    "examples": ("rows", "columns"),
    "input_as": ("input", "activation"),
    "activation_as": ("name", "letter"),
    "derivative": ("d", "∂"),
    "hadamard": ("⊙", "∘"),
    "transpose": ("T", "⊤"),
    "assign": ("←", ":=", "="),
    "logarithm": ("ln", "log"),
    "bold": (True, False),
}


def one_of(name: str, key: str, value: object) -> object:
    """``value`` if it is one of the choices for ``key``; ``name`` is the profile's, for the message."""
    # True == 1 in Python, so the type decides too.
    for choice in CHOICES[key]:
        if type(value) is type(choice) and value == choice:
            return choice
    expected = ", ".join(str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in CHOICES[key])
    raise ProfileError(f"notation {name}: {key} is {shown(value)}; expected one of {expected}")


def letters_of(name: str, table: object) -> dict[str, str]:
    """The letters of the profile ``name``: its own, and the usual ones where it has none."""
    letters = _table(name, "letters", table, (*LETTERS, *OPTIONAL_LETTERS))
    for key, letter in letters.items():
        if not _is_letter(letter) and not (letter.isascii() and letter.isalpha() and len(letter) <= 12):
            raise ProfileError(
                f"notation {name}: letters.{key} is {shown(letter)}; expected a Latin or Greek letter or a short word"
            )
    return {**LETTERS, **letters}


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
    return len(text) == 1 and (text in GREEK_LETTERS or (text.isascii() and text.isalpha()))

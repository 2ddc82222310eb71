"""Notation profiles: one TOML file says how a source writes layers, indices, letters, vectors and matrices."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from symbackprop.derivation.matrix_terms import Layout
from symbackprop.errors import ProfileError, shown, unknown

FOLDER = Path(__file__).resolve().parent / "profiles"
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


@dataclass(frozen=True)
class Profile:
    """How one source writes things. Letters are Unicode text; printers turn them into their markup.

    ``weight_layer`` is the layer whose label a weight carries, ``weight_indices`` the order of its subscripts,
    ``weight_matrix`` what runs along the rows and columns of W. ``vectors`` is the shape of one example's vectors,
    ``examples`` how a batch is stacked.
    """

    name: str
    description: str
    first_layer: int = 1
    weight_layer: str = "leaves"
    weight_indices: str = "from_to"
    weight_matrix: str = "from_to"
    layer_label: str = "(k)"
    layer_place: str = "above"
    vectors: str = "column"
    examples: str = "columns"
    input_as: str = "input"
    activation_as: str = "name"
    derivative: str = "∂"
    hadamard: str = "⊙"
    transpose: str = "T"
    assign: str = "←"
    logarithm: str = "ln"
    bold: bool = False
    letters: Mapping[str, str] = field(default_factory=lambda: dict(LETTERS))
    indices: Mapping[str, str] = field(default_factory=lambda: dict(INDICES))

    def layout(self, batch: bool) -> Layout:
        """How the matrix equations of a document lay arrays out.

        >>> load_profile("S4").layout(batch=False)
        Layout(batch=False, examples_in_rows=False, weights_from_to=False)
        """
        in_rows = self.examples == "rows" if batch else self.vectors == "row"
        return Layout(batch=batch, examples_in_rows=in_rows, weights_from_to=self.weight_matrix == "from_to")

    @property
    def code_layout(self) -> Layout:
        """How the generated code lays arrays out: examples in rows always, weights as the profile has them."""
        return Layout(batch=True, examples_in_rows=True, weights_from_to=self.weight_matrix == "from_to")


def profile_names() -> list[str]:
    """The profiles that come with the program.

    >>> "S1" in profile_names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_profile(name_or_path: str) -> Profile:
    """The profile of that name, or the one in that TOML file (any text that ends in ``.toml``).

    Raises ``ProfileError``, one line that names the key, if there is no such profile or it cannot be used.

    >>> load_profile("S1").letters["delta"]
    'δ'
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    elif name_or_path in profile_names():
        path = FOLDER / f"{name_or_path}.toml"
    else:
        raise ProfileError(unknown("notation", name_or_path, profile_names()))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ProfileError(f"cannot read the notation profile {shown(name_or_path)}: {reason}") from error
    return profile_from_toml(text, path.stem)


def profile_from_toml(text: str, name: str) -> Profile:
    """The profile that the TOML ``text`` describes; ``name`` is what it is called in messages and documents.

    >>> profile_from_toml("derivative = 'd'", "mine").derivative
    'd'
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"notation {name}: not valid TOML: {error}") from error
    known = {each.name: each for each in fields(Profile) if each.name != "name"}
    values: dict[str, Any] = {"name": name, "description": "", "letters": {}, "indices": {}}
    for key, value in table.items():
        if key not in known:
            raise ProfileError(f"notation {name}: {unknown('key', key, known)}")
        values[key] = value
    for key, each in known.items():
        if key in CHOICES:
            default = each.default if each.default is not MISSING else None
            values[key] = _one_of(name, key, values.get(key, default))
    if not isinstance(values["description"], str):
        raise ProfileError(f"notation {name}: description is {shown(values['description'])}; expected a text")
    values["letters"] = _letters(name, values["letters"])
    values["indices"] = _indices(name, values["indices"])
    return Profile(**values)


def _one_of(name: str, key: str, value: object) -> object:
    # True == 1 in Python, so the type decides too.
    for choice in CHOICES[key]:
        if type(value) is type(choice) and value == choice:
            return choice
    expected = ", ".join(str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in CHOICES[key])
    raise ProfileError(f"notation {name}: {key} is {shown(value)}; expected one of {expected}")


def _letters(name: str, table: object) -> dict[str, str]:
    letters = _table(name, "letters", table, (*LETTERS, *OPTIONAL_LETTERS))
    for key, letter in letters.items():
        if not _is_letter(letter) and not (letter.isascii() and letter.isalpha() and len(letter) <= 12):
            raise ProfileError(
                f"notation {name}: letters.{key} is {shown(letter)}; expected a Latin or Greek letter or a short word"
            )
    return {**LETTERS, **letters}


def _indices(name: str, table: object) -> dict[str, str]:
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

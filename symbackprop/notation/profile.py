"""Notation profiles: one TOML file says how a source writes layers, indices, letters, vectors and matrices."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from symbackprop.derivation.matrix_terms import Layout
from symbackprop.errors import ProfileError, shown, unknown
from symbackprop.notation.keys import (
    CHOICES,
    INDICES,
    LETTERS,
    SECTIONS,
    indices_of,
    letters_of,
    one_of,
    reductions_of,
    sections_of,
)

FOLDER = Path(__file__).resolve().parent / "profiles"


@dataclass(frozen=True)
class Profile:
    """How one source writes things. Letters are Unicode text; printers turn them into their markup.

    ``weight_layer`` is the layer whose label a weight carries, ``weight_indices`` the order of its subscripts,
    ``weight_matrix`` what runs along the rows and columns of W, ``weight_array`` whether W is a capital or the weights'
    own letter. ``source`` says where its conventions were read. ``vectors`` is the shape of one example's vectors,
    ``examples`` how a batch is stacked. ``bias`` says what feeds a unit besides its inputs: a vector, the weight of a
    unit 0 that always puts out 1, or a threshold that is subtracted. ``delta_sign`` is that of ∂E/∂z in δ, ``update``
    what an update states: the gradient by its sign or written with δ. ``chain_order`` is the order of the factors where
    the chain rule is written with whole arrays, ``sections`` that of a document's parts; a part that they do not name
    is left out. ``reductions`` say what the source sums and averages.
    """

    name: str
    description: str
    source: str = ""
    first_layer: int = 1
    weight_layer: str = "leaves"
    weight_indices: str = "from_to"
    weight_matrix: str = "from_to"
    weight_array: str = "capital"
    layer_label: str = "(k)"
    layer_place: str = "above"
    vectors: str = "column"
    examples: str = "columns"
    input_as: str = "input"
    activation_as: str = "name"
    bias: str = "vector"
    delta_sign: str = "positive"
    update: str = "gradient"
    chain_order: str = "numerator"
    derivative: str = "∂"
    hadamard: str = "⊙"
    transpose: str = "T"
    assign: str = "←"
    logarithm: str = "ln"
    bold: bool = False
    sections: tuple[str, ...] = SECTIONS
    letters: Mapping[str, str] = field(default_factory=lambda: dict(LETTERS))
    indices: Mapping[str, str] = field(default_factory=lambda: dict(INDICES))
    reductions: Mapping[str, str] = field(default_factory=dict)

    def layout(self, batch: bool) -> Layout:
        """How the matrix equations of a document lay arrays out.

        >>> load_profile("S4").layout(batch=False)
        Layout(batch=False, examples_in_rows=False, weights_from_to=False)
        """
        in_rows = self.examples == "rows" if batch else self.vectors == "row"
        return Layout(batch=batch, examples_in_rows=in_rows, weights_from_to=self.weight_matrix == "from_to")

    def with_chains(self, order: str) -> Profile:
        """The same notation with the chain rule between arrays in ``order``, shown even where its source leaves it out.

        >>> load_profile("S1").with_chains("both").sections[-2:]
        ('chains', 'matrix')
        """
        place = self.sections.index("matrix")
        added = (*self.sections[:place], "chains", *self.sections[place:])
        return replace(self, chain_order=order, sections=self.sections if "chains" in self.sections else added)

    @property
    def variants(self) -> tuple[str, ...]:
        """What changes not only the letters of an equation, but also what is said about it."""
        return self.delta_sign, self.bias

    @property
    def entrywise_sign(self) -> str:
        """The sign of products entry by entry; with ``diag``, those that no matrix product replaces are written ⊙."""
        return "⊙" if self.hadamard == "diag" else self.hadamard

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
    else:
        names = {name.lower(): name for name in profile_names()}
        if name_or_path.lower() not in names:
            raise ProfileError(unknown("notation", name_or_path, profile_names()))
        path = FOLDER / f"{names[name_or_path.lower()]}.toml"
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
    values: dict[str, Any] = {"name": name, "description": "", "letters": {}, "indices": {}, "reductions": {}}
    for key, value in table.items():
        if key not in known:
            raise ProfileError(f"notation {name}: {unknown('key', key, known)}")
        values[key] = value
    for key, each in known.items():
        if key in CHOICES:
            default = each.default if each.default is not MISSING else None
            values[key] = one_of(name, key, values.get(key, default))
    for key in ("description", "source"):
        if not isinstance(values.setdefault(key, ""), str):
            raise ProfileError(f"notation {name}: {key} is {shown(values[key])}; expected a text")
    values["sections"] = sections_of(name, values.get("sections", SECTIONS))
    values["letters"] = letters_of(name, values["letters"])
    values["indices"] = indices_of(name, values["indices"])
    values["reductions"] = reductions_of(name, values["reductions"])
    return Profile(**values)

"""The names of generated code: the profile's letters in ASCII, the layer's number behind them."""

from __future__ import annotations

import keyword
import unicodedata
from dataclasses import dataclass

from symbackprop.calculus.indices import Base
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.network.quantities import (
    BIAS,
    CLASS_WEIGHT,
    DELTA,
    NEXT_BIAS,
    NEXT_WEIGHT,
    OUT,
    PRE,
    TARGET,
    WEIGHT,
    TrainedBase,
)
from symbackprop.notation.profile import Profile

HATS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar"}
ERROR_NAME = "error"
# Names that the emitted functions use for themselves.
RESERVED = frozenset({"np", "math", "params", "grads", "ws", "workspace", "n", "real", "many", "values", ERROR_NAME})


@dataclass(frozen=True)
class Names:
    """What the arrays of a network with ``depth`` layers are called, in the letters of ``profile``.

    Weights and biases keep their names ``W1``, ``b1`` (leaving the input), ``W2``, … whatever the profile. Names in
    ``taken`` (functions that the caller hands in) are avoided.
    """

    profile: Profile
    depth: int
    taken: frozenset[str] = frozenset()

    def letter(self, key: str) -> str:
        """The letter of a quantity as an identifier.

        >>> from symbackprop.notation.profile import load_profile
        >>> Names(load_profile("S1"), 3).letter("delta")
        'delta'
        """
        return self._free(identifier(self.profile.letters[key]))

    def _free(self, name: str) -> str:
        return f"{name}_" if name in RESERVED | self.taken or keyword.iskeyword(name) else name

    def label(self, layer: int) -> int:
        """The number that the profile gives to ``layer``."""
        return layer - 1 + self.profile.first_layer

    @property
    def input(self) -> str:
        return self.letter("input")

    @property
    def target(self) -> str:
        return self.letter("target")

    @property
    def class_weights(self) -> str:
        return self.letter("class_weight")

    def out(self, layer: int) -> str:
        """The outputs of ``layer``; layer 1 is the input."""
        if layer == 1:
            return self.input
        if layer == self.depth and "output" in self.profile.letters:
            return self.letter("output")
        return self._free(f"{self.letter('activation')}{self.label(layer)}")

    def of(self, base: Base, layer: int | None) -> str:
        """The array of all entries of ``base`` at ``layer``."""
        if base == TARGET:
            return self.target
        if base == CLASS_WEIGHT:
            return self.class_weights
        assert layer is not None
        if base == OUT:
            return self.out(layer)
        if isinstance(base, TrainedBase):
            return f"{base.parameter}{layer}"
        if base in (WEIGHT, NEXT_WEIGHT, BIAS, NEXT_BIAS):
            return f"{'W' if base in (WEIGHT, NEXT_WEIGHT) else 'b'}{layer}"
        letter = {PRE: "pre_activation", DELTA: "delta"}[base]
        return self._free(f"{self.letter(letter)}{self.label(layer)}")

    def array(self, leaf: Leaf) -> str:
        """The array that ``leaf`` is."""
        return self.of(leaf.base, leaf.layer)

    def gradient(self, of: Leaf) -> str:
        """The array of the derivatives by the entries of ``of``."""
        return f"d{self.array(of)}"


def identifier(letter: str) -> str:
    """A letter, perhaps Greek, as an identifier in ASCII.

    >>> identifier("δ"), identifier("Δ"), identifier("∇"), identifier("ŷ")
    ('delta', 'Delta', 'nabla', 'y_hat')
    """
    letter = unicodedata.normalize("NFD", letter)
    if letter[-1] in HATS:
        return f"{identifier(letter[:-1])}_{HATS[letter[-1]]}"
    stem, low, index = letter.partition("_")
    if low:
        return f"{identifier(stem)}_{index}"
    if letter.isascii():
        return letter
    *kind, name = unicodedata.name(letter).split()
    return name.capitalize() if "CAPITAL" in kind else name.lower()

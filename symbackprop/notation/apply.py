"""The one mechanism that names things: from (base, layer, units) to a profile's letter, subscripts and layer label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.indices import Base, Entry, index
from symbackprop.catalogue.entries import STRENGTH
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import (
    BIAS,
    CLASS_WEIGHT,
    NEXT_BIAS,
    NEXT_WEIGHT,
    OBJECTIVE,
    OUT,
    WEIGHT,
    TrainedBase,
)
from symbackprop.notation.letters import FUNCTIONS, INDEX_KEYS, INDEX_LETTERS, KEYS, PARAMETERS, SYMBOLS
from symbackprop.notation.named import GradientBase
from symbackprop.notation.profile import Profile
from symbackprop.notation.substitution import NEXT_THRESHOLD, THRESHOLD, Substitution, formula_sign

TILDE, HAT = "\u0303", "\u0302"
OF_WEIGHTS, OF_BIASES = (WEIGHT, NEXT_WEIGHT), (BIAS, NEXT_BIAS, THRESHOLD, NEXT_THRESHOLD)


def capitalised(letter: str) -> str:
    """The letter of a matrix: a capital, the last of two letters in ``dz``; a longer word stays as it is.

    >>> capitalised("w"), capitalised("δ"), capitalised("dz"), capitalised("net")
    ('W', 'Δ', 'dZ', 'net')
    """
    return letter[:-1] + letter[-1].upper() if len(letter) <= 2 else letter


@dataclass(frozen=True)
class Name:
    """A name as a profile prints it: letter, subscripts, and the layer label with its style and place.

    ``of`` is a letter in front of the units: whose gradient it is, where that is not the weights'.
    """

    letter: str
    units: tuple[Expr, ...] = ()
    layer: Expr | None = None
    label: str = "(k)"
    place: str = "above"
    bold: bool = False
    of: str = ""


@dataclass(frozen=True)
class Notation:
    """A profile applied to one network; ``depth`` counts the layers, ``tags`` are its activations in order.

    ``trained`` are what activations learn: the symbol in their formulas, and the quantity that it is. ``penalised``
    says that the objective holds more than the errors.
    """

    profile: Profile
    depth: int
    tags: tuple[str, ...] = ()
    trained: Mapping[Symbol, Entry] = field(default_factory=dict)
    penalised: bool = False

    @classmethod
    def of(cls, profile: Profile, graph: ForwardGraph) -> Notation:
        """The profile, applied to the network of ``graph``."""
        tags = tuple(dict.fromkeys(use.tag for use in graph.spec.activations))
        return cls(profile, graph.depth, tags, graph.spec.trained, graph.spec.penalty is not None)

    @cached_property
    def substitution(self) -> Substitution:
        """What the profile puts in place of δ and the biases."""
        return Substitution.of(self.profile)

    def entry(self, entry: Entry) -> Name:
        """The name of one entry: ``w_{ij}[k]``, ``x_1``, ``t_1``, ``δ_1[3]``.

        Where the profile writes another quantity in its place, that one's name, whatever its sign.
        """
        entry = formula_sign(self.substitution.into(entry))[1]
        base = entry.base
        if isinstance(base, GradientBase):
            return self._gradient(self.entry(base.of[entry.indices]), base.of)
        units = entry.indices[1 if base.layered else 0 :]
        letter, label = self._letter_and_layer(base, entry.indices[0] if base.layered else None)
        if base in (WEIGHT, NEXT_WEIGHT) and self.profile.weight_indices == "to_from":
            units = (units[1], units[0], *units[2:])
        return self._name(letter, units, label)

    def array(self, leaf: Leaf, batch: bool) -> Name:
        """The name of a whole array: ``W^{(1)}``, ``z^{(2)}``, for a batch ``Z^{(2)}``.

        A tilde says that a unit 0 is among its units.
        """
        if isinstance(leaf.base, GradientBase):
            return self._gradient(self.array(replace(leaf, base=leaf.base.of), batch), leaf.base.of)
        leaf = replace(leaf, base=self.substitution.turned.get(leaf.base, leaf.base))
        from_constant = leaf.base in OF_BIASES and self.profile.bias == "weight"
        base = WEIGHT if from_constant else leaf.base
        letter, label = self._letter_and_layer(base, leaf.layer)
        if isinstance(base, TrainedBase):
            return self._name(letter, (), label)
        if base in OF_WEIGHTS:
            capital = self.profile.weight_array == "capital" and not from_constant
        else:
            capital = batch and base not in (*OF_BIASES, CLASS_WEIGHT)
        letter = capitalised(letter) if capital else letter
        if any(axis is not None and axis.constant for axis in (leaf.rows, leaf.columns)):
            return self._name(letter + TILDE, (), label, self.profile.bold)
        units = (sp.S.Zero,) if from_constant else ()
        return self._name(letter, units, label, self.profile.bold)

    def _gradient(self, parameter: Name, base: Base) -> Name:
        """The name of the gradient by a parameter: its own letter, and all else as the parameter has it."""
        as_weight = base in OF_WEIGHTS or (base in OF_BIASES and self.profile.bias == "weight")
        tilde = TILDE if parameter.letter.endswith(TILDE) else ""
        letter = self.profile.letters["gradient"] + tilde
        return replace(parameter, letter=letter, of="" if as_weight else parameter.letter)

    @property
    def lettered(self) -> frozenset[int]:
        """The layers whose outputs have a letter of their own: the input, and in some profiles the output."""
        ends = {1: self.profile.input_as == "input", self.depth: "output" in self.profile.letters}
        return frozenset(layer for layer, own in ends.items() if own)

    def _letter_and_layer(self, base: Base, layer: Expr | int | None) -> tuple[str, Expr | None]:
        """The letter, and the layer as it is printed (None where the letter stands without one)."""
        if isinstance(base, TrainedBase) and layer is not None:
            return self.trained_letter(base.parameter), layer + self.profile.first_layer - 1
        if base not in KEYS:
            raise UnsupportedExpression(f"no notation for the quantity {base.label}")
        letters = self.profile.letters
        if base == OUT and layer in self.lettered:
            return letters["input" if layer == 1 else "output"], None
        if layer is None or not base.layered:
            return letters[KEYS[base]], None
        enters = self.profile.weight_layer == "enters" and base in OF_WEIGHTS + OF_BIASES
        return letters[KEYS[base]], layer + self.profile.first_layer - 1 + (1 if enters else 0)

    def _name(self, letter: str, units: Iterable[Expr], layer: Expr | None, bold: bool = False) -> Name:
        return Name(letter, tuple(units), layer, self.profile.layer_label, self.profile.layer_place, bold)

    def trained_letter(self, parameter: str) -> str:
        """The letter of a trained parameter, with a hat where the profile has another use for it."""
        letter, low, _ = PARAMETERS.get(parameter, parameter).partition("_")
        return letter + HAT if low or letter in self.profile.letters.values() else letter

    def size(self, entry: Entry) -> Name:
        """The number of units of a layer, ``n_l``: always with the bare layer as its subscript."""
        return Name(self.profile.letters["size"], (entry.indices[0] + self.profile.first_layer - 1,))

    def symbol(self, symbol: Symbol) -> str:
        """The letter of an index, a parameter or a quantity without indices.

        Raises ``UnsupportedExpression`` for a symbol that is none of these.
        """
        if symbol == OBJECTIVE:
            return self.objective
        if symbol in SYMBOLS:
            return self.profile.letters[SYMBOLS[symbol]]
        if symbol in self.index_letters:
            return self.index_letters[symbol]
        if symbol == STRENGTH or symbol.name in PARAMETERS:
            letter = PARAMETERS[symbol.name]
            # A rate α, say, leaves the parameter α of an activation to be told apart.
            return f"{letter}_0" if letter in self.profile.letters.values() else letter
        if symbol.name.replace("_", "").isalnum():
            return symbol.name
        raise UnsupportedExpression(f"no notation for the symbol {symbol.name}")

    @property
    def objective(self) -> str:
        """The letter of what is minimised; a tilde tells it from the error where a penalty makes it another number."""
        error, letter = (self.profile.letters[key] for key in ("error", "objective"))
        stem, low, index_ = letter.partition("_")
        return f"{stem}{TILDE}{low}{index_}" if self.penalised and letter == error else letter

    @cached_property
    def index_letters(self) -> dict[Symbol, str]:
        """Every index symbol's letter: the profile's own first; the others keep theirs unless it is taken."""
        letters = {symbol: self.profile.indices[key] for symbol, key in INDEX_KEYS.items()}
        free = [letter for letter in INDEX_LETTERS if letter not in letters.values()]
        for symbol in (index(letter) for letter in "ijkmpqrsuv"):
            if symbol not in letters:
                letter = symbol.name if symbol.name in free else free[0]
                free.remove(letter)
                letters[symbol] = letter
        return letters

    def function(self, tag: str) -> str:
        """How the function ``tag`` is written: ``σ``, ``tanh``, ``g``, ``f_1``.

        A profile that writes activations by a letter gives them its generic letter, numbered if there are several.
        """
        name, number = tag.rstrip("0123456789").rstrip("_"), tag.lstrip("abcdefghijklmnopqrstuvwxyz_")
        if self.profile.activation_as == "letter" and tag in self.tags and name in FUNCTIONS:
            letter = self.profile.letters["function"]
            return letter if len(self.tags) == 1 else f"{letter}_{self.tags.index(tag) + 1}"
        name = FUNCTIONS.get(name, name.replace("_", ""))
        if not name.isalpha():
            raise UnsupportedExpression(f"no notation for the function {tag}")
        return f"{name}_{number}" if number else name

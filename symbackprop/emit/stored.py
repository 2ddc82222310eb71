"""How a module stores its parameters: biases as vectors of their own, in the weights' arrays, or as thresholds.

The program computes with W and b. Where the notation knows other parameters, the module takes these apart before the
first line and puts the gradients together behind the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from symbackprop.emit.arrays import Library
from symbackprop.emit.names import identifier
from symbackprop.emit.program import Program
from symbackprop.notation.profile import Profile

IN_WORDS = {
    "weight": "the first {line} of each weight array are the biases, weights of a unit that always puts out 1",
    "threshold": "{letter}1, … are thresholds: they are subtracted where a bias would be added",
}


@dataclass(frozen=True)
class StoredEntry:
    """What an entry of a stored parameter is: the entry ``at`` a place of the program's parameter, or its negative."""

    name: str
    at: tuple[int, ...]
    negative: bool = False


@dataclass(frozen=True)
class Stored:
    """The parameters of ``program`` as ``profile`` stores them in the arrays of ``library``; ``shapes`` are theirs.

    ``starts`` are the numbers that the trained parameters of activations start at, by name.
    """

    program: Program
    profile: Profile
    library: Library
    starts: Mapping[str, float] = field(default_factory=dict)

    @property
    def biases(self) -> str:
        """``"vector"``, ``"weight"`` or ``"threshold"``."""
        return self.profile.bias

    @property
    def from_to(self) -> bool:
        return self.profile.code_layout.weights_from_to

    @property
    def in_words(self) -> str:
        """What a reader of the module must know about its biases; nothing where they are vectors that are added."""
        line = "row" if self.from_to else "column"
        return IN_WORDS.get(self.biases, "").format(line=line, letter=identifier(self.profile.letters["threshold"]))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter by its name."""
        return dict(self._shapes())

    def _shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name, shape in self.program.shapes.items():
            if self.biases != "weight" or name in self.starts or not self.has_bias(name):
                yield self.name(name), shape
            elif name.startswith("W"):
                rows, columns = shape
                yield name, (rows + 1, columns) if self.from_to else (rows, columns + 1)

    def has_bias(self, name: str) -> bool:
        """Whether the layer of the parameter ``name`` has a bias."""
        return name not in self.starts and f"b{name[1:]}" in self.program.shapes

    def is_bias(self, name: str) -> bool:
        """Whether the program's parameter ``name`` is a bias."""
        return name not in self.starts and name.startswith("b")

    def name(self, name: str) -> str:
        """The stored name of the program's parameter ``name``."""
        if self.biases == "threshold" and self.is_bias(name):
            return f"{identifier(self.profile.letters['threshold'])}{name[1:]}"
        return name

    def held_in(self, name: str) -> str:
        """The stored array that holds the program's parameter ``name``."""
        return f"W{name[1:]}" if self.biases == "weight" and self.is_bias(name) else self.name(name)

    @property
    def opening(self) -> list[str]:
        """The lines that make the program's parameters of the stored ones."""
        biases = [name for name in self.program.shapes if self.is_bias(name)]
        if self.biases == "threshold":
            return [f"{name} = -{self.name(name)}" for name in biases]
        if self.biases == "weight":
            first, rest = ("[0, :]", "[1:, :]") if self.from_to else ("[:, 0]", "[:, 1:]")
            return [f"{name}, W{name[1:]} = W{name[1:]}{first}, W{name[1:]}{rest}" for name in biases]
        return []

    def of(self, arrays: Mapping[str, str]) -> dict[str, str]:
        """The expression of each stored array from the program's ``arrays``: parameters, or gradients."""
        if self.biases == "threshold":
            return {self.name(name): f"-{array}" if self.is_bias(name) else array for name, array in arrays.items()}
        if self.biases == "weight":
            return {
                name: self.joined(arrays[f"b{name[1:]}"], array) if self.has_bias(name) else array
                for name, array in arrays.items()
                if name in self.shapes
            }
        return dict(arrays)

    def joined(self, bias: str, weights: str) -> str:
        """The expression of biases and weights in one array."""
        return (self.library.rows if self.from_to else self.library.columns).format(bias, weights)

    def entries(self, name: str) -> Iterator[StoredEntry]:
        """What each entry of the stored parameter ``name`` is, in order."""
        (own,) = (each for each in self.program.shapes if self.name(each) == name)
        shape, axis = self.shapes[name], 0 if self.from_to else 1
        for at in product(*map(range, shape)):
            if shape == self.program.shapes[own]:
                yield StoredEntry(own, at, negative=own != name)
            elif at[axis] == 0:
                yield StoredEntry(f"b{name[1:]}", (at[1 - axis],))
            else:
                yield StoredEntry(own, tuple(n - (k == axis) for k, n in enumerate(at)))

    def start(self, name: str, fan_in: int) -> str:
        """The random start of the stored parameter ``name``: weights normal, biases zero, others where they start."""
        if name in self.starts:
            return self.library.start.format(repr(self.starts[name]))
        shape = self.shapes[name]
        if len(shape) == 1:
            return self.library.zeros.format(*shape)
        plain = self.program.shapes[name]
        drawn = self.library.normal.format(plain, fan_in)
        if shape == plain:
            return drawn
        return self.joined(self.library.zeros.format(plain[1] if self.from_to else plain[0]), drawn)

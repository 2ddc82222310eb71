"""The short formulas of a picture, as letters with scripts, and how much room they take."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Leaf, Scaled
from symbackprop.notation.apply import Name, Notation
from symbackprop.notation.substitution import formula_sign
from symbackprop.render.markup import name_text

SCRIPT = 0.7  # the size of a subscript beside its letter
# Widths in ems, as in Times: what is not named here is a letter of middle width.
NARROW, WIDE = "ijltfrI()[]′',. ", "ONQGDHUAVXYZKRBCELFJPSTΣΔΩΦΨΘ"
WIDTHS = {"w": 0.67, "m": 0.72, "W": 0.95, "M": 0.95, "−": 0.6, "-": 0.6, "=": 0.6, " ": 0.25, ",": 0.25}
MIDDLE, NARROW_WIDTH, WIDE_WIDTH = 0.5, 0.33, 0.72


@dataclass(frozen=True)
class Mark:
    """A letter (or a word, or a number) with a subscript and a label above or beside it; texts are Unicode."""

    letter: str
    sub: str = ""
    label: str = ""
    place: str = "above"
    bold: bool = False

    @property
    def upright(self) -> bool:
        """Words, numbers and brackets stand upright; single letters are slanted."""
        return len(without_hats(self.letter)) > 1 or not self.letter[0].isalpha()


Marks = tuple[Mark, ...]


@lru_cache(1024)
def text_width(text: str) -> float:
    """The width of a text in ems.

    >>> text_width("11")
    1.0
    """
    return round(sum(map(_letter_width, without_hats(text))), 3)


def without_hats(text: str) -> str:
    """The letters of a text without the hats, tildes and bars over them.

    >>> without_hats("ŷ")
    'y'
    """
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def _letter_width(letter: str) -> float:
    if letter in WIDTHS:
        return WIDTHS[letter]
    return NARROW_WIDTH if letter in NARROW else WIDE_WIDTH if letter in WIDE else MIDDLE


def mark_width(mark: Mark) -> float:
    """The width of a letter and its scripts in ems."""
    sub, label = SCRIPT * text_width(mark.sub), text_width(mark.label)
    scripts = max(sub, SCRIPT * label) if mark.place == "above" else sub + label
    return text_width(mark.letter) + scripts


def width_of(marks: Marks) -> float:
    """The width of marks side by side, in ems."""
    return sum(map(mark_width, marks))


def height_of(marks: Marks) -> float:
    """The height of the tallest mark in ems."""
    raised = any(mark.label and mark.place == "above" for mark in marks)
    lowered = any(mark.sub for mark in marks)
    return 0.72 + 0.22 * lowered + 0.28 * raised


@dataclass(frozen=True)
class Lettering:
    """The marks of a network's quantities in a notation."""

    notation: Notation

    def name(self, name: Name) -> Marks:
        """A name; its units and its layer are numbers."""
        sub, label = name_text(
            name, [str(unit) for unit in name.units], None if name.layer is None else str(name.layer)
        )
        return (Mark(name.letter, sub, label, name.place, name.bold),)

    def entry(self, entry: Entry) -> Marks:
        """One weight, bias, output or δ, by the profile's own name for it; a sign before it is left out."""
        _, own = formula_sign(self.notation.substitution.into(entry))
        return self.name(self.notation.entry(own))

    def array(self, *leaves: Leaf) -> Marks:
        """Whole arrays, with commas between them."""
        marks: Marks = ()
        for leaf in leaves:
            written = self.notation.substitution.into(leaf)
            own = written.of if isinstance(written, Scaled) else written
            assert isinstance(own, Leaf), "a profile puts an array in place of an array"
            marks += (Mark(", "),) * bool(marks) + self.name(self.notation.array(own, batch=False))
        return marks

    @property
    def constant(self) -> Marks:
        """What a unit that feeds the biases puts out: 1, or -1 where they are thresholds, which are subtracted."""
        return (Mark("-1" if self.notation.profile.bias == "threshold" else "1"),)

    def letter(self, key: str) -> Marks:
        """A quantity without indices, by its key in the profile: the error, say."""
        return (Mark(self.notation.profile.letters[key]),)

    def function(self, tag: str, primes: int = 0) -> Marks:
        """The name of an activation, without its argument; primes mark its derivative."""
        letter, _, sub = self.notation.function(tag).partition("_")
        return (Mark(letter, sub, "'" * primes, "beside"),)

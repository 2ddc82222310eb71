"""What differs between two profiles: the dimensions in which they disagree, and what each of them does there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.notation.keys import CHOICES, INDICES, LETTERS, OPTIONAL_LETTERS, REDUCTIONS
from symbackprop.notation.profile import Profile

LETTER, INDEX, REDUCTION = "letters", "indices", "reductions"
# Letters of what a profile does not write are none of its letters.
ONLY_WITH = {"threshold": ("bias", "threshold"), "bias": ("bias", "vector"), "function": ("activation_as", "letter")}


@dataclass(frozen=True)
class Difference:
    """A dimension (``table`` is "" or that of a letter, an index, a reduction), and each profile's choice there.

    A choice is None where the profile has none.
    """

    table: str
    key: str
    first: object
    second: object


def differences(first: Profile, second: Profile) -> Iterator[Difference]:
    """Every dimension in which two profiles differ, letters last.

    >>> from symbackprop.notation.profile import load_profile
    >>> [d.key for d in differences(load_profile("keras"), load_profile("pytorch"))]
    ['weight_indices', 'weight_matrix', 'rate']
    """
    for key in CHOICES:
        yield from _difference("", key, getattr(first, key), getattr(second, key))
    for key in REDUCTIONS:
        yield from _difference(REDUCTION, key, first.reductions.get(key), second.reductions.get(key))
    for key in (*LETTERS, *OPTIONAL_LETTERS):
        yield from _difference(LETTER, key, letter_of(first, key), letter_of(second, key))
    for key in INDICES:
        yield from _difference(INDEX, key, first.indices[key], second.indices[key])


def letter_of(profile: Profile, key: str) -> str | None:
    """The letter of a quantity, if the profile writes it."""
    needed, value = ONLY_WITH.get(key, ("", ""))
    return profile.letters.get(key) if not needed or getattr(profile, needed) == value else None


def _difference(table: str, key: str, first: object, second: object) -> Iterator[Difference]:
    if first != second:
        yield Difference(table, key, first, second)

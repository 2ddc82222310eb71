"""A piece of a formula as text in some markup, with what its surroundings must know about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum


class Level(IntEnum):
    """How tightly a piece holds together; a piece gets parentheses where its surroundings hold tighter."""

    SUM = 1
    PRODUCT = 2
    SCRIPTED = 3  # carries a superscript, so it cannot take an exponent as it is
    ATOM = 4


@dataclass(frozen=True)
class Printed:
    """Text in a markup; ``width`` is its width on the page in letters, ``tall`` says that it needs tall brackets.

    ``parts`` are the pieces that a long line may be broken between: joined, they are the text.
    """

    text: str
    level: Level = Level.ATOM
    width: float = 1.0
    tall: bool = False
    fraction: bool = False
    parts: tuple[Printed, ...] = ()

    @property
    def breakable(self) -> tuple[Printed, ...]:
        """The pieces to break between; the whole where there are none."""
        return self.parts or (self,)

    def at(self, level: Level) -> Printed:
        """The same text, held together as tightly as ``level``."""
        return replace(self, level=level)


def join(pieces: list[Printed], level: Level) -> Printed:
    """The pieces one after the other; a line may break before each of them.

    >>> join([Printed("a"), Printed(" + b", width=3)], Level.SUM).width
    4.0
    """
    return Printed(
        "".join(piece.text for piece in pieces),
        level,
        sum(piece.width for piece in pieces),
        any(piece.tall for piece in pieces),
        parts=tuple(pieces) if len(pieces) > 1 else (),
    )


def before(prefix: str, piece: Printed, width: float) -> Printed:
    """``piece`` with markup in front that is ``width`` letters wide."""
    return replace(piece, text=prefix + piece.text, width=piece.width + width, parts=())

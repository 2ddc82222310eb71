"""A piece of a formula as text in some markup, with what its surroundings must know about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

ALMOST_EMPTY = 0.3  # the share of a line


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
    parts = (before(prefix, piece.parts[0], width), *piece.parts[1:]) if piece.parts else ()
    return replace(piece, text=prefix + piece.text, width=piece.width + width, parts=parts)


def enclosed(left: str, piece: Printed, right: str, width: float) -> Printed:
    """``piece`` between two marks that are ``width`` letters wide together; it can be broken where it could before."""
    parts = piece.parts
    if parts:
        last = replace(parts[-1], text=parts[-1].text + right, width=parts[-1].width + width / 2, parts=())
        parts = (before(left, parts[0], width / 2), *parts[1:-1], last)
    text = f"{left}{piece.text}{right}"
    return Printed(text, Level.ATOM, piece.width + width, piece.tall, parts=parts)


def broken(piece: Printed, first: float, later: float) -> list[str]:
    """The text on as many lines as it needs: at most ``first`` letters on the first line, ``later`` on the others.

    A line ends before a whole term rather than within it, unless that would leave the line almost empty; what follows a
    term that had to be broken starts a line. A part that cannot be broken stays whole, even if it is longer.

    >>> broken(join([Printed("a", width=5), Printed(" + b", width=5)], Level.SUM), 6, 6)
    ['a', ' + b']
    >>> long = [join([Printed(f"{sign} x", width=4), Printed(" y", width=4)], Level.PRODUCT) for sign in "+-"]
    >>> broken(join(long, Level.SUM), 6, 6)
    ['+ x', ' y', '- x', ' y']
    """
    lines: list[list[Printed]] = [[]]

    def place(part: Printed) -> None:
        limit = first if len(lines) == 1 else later
        used = sum(each.width for each in lines[-1])
        if used + part.width <= limit:
            lines[-1].append(part)
        elif part.parts and used < ALMOST_EMPTY * limit:
            place_parts(part.parts)
        elif lines[-1]:
            lines.append([])
            place(part)
        else:
            lines[-1].append(part)

    def place_parts(parts: tuple[Printed, ...]) -> None:
        for before, part in zip((None, *parts), parts, strict=False):
            if before is not None and before.width > later and lines[-1]:
                lines.append([])
            place(part)

    place(piece)
    return ["".join(part.text for part in line) for line in lines]


def least_width(piece: Printed) -> float:
    """The width of the widest part that cannot be broken."""
    return max(map(least_width, piece.parts)) if piece.parts else piece.width


def widest_term(piece: Printed) -> float:
    """The width of the widest term of a sum; of what is no sum, the width of the whole."""
    return max(part.width for part in piece.parts) if piece.level == Level.SUM and piece.parts else piece.width


def case_words(count: int) -> list[str]:
    """What opens the condition of each of so many cases: one further down counts where none above it holds.

    >>> case_words(3)
    ['if', 'else if', 'else if']
    """
    return ["if", *["else if"] * (count - 1)]

"""What a picture is made of. Lengths are in centimetres, x to the right and y down; nothing here knows a markup."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import hypot

from symbackprop.render.picture.geometry import Box, Point, Polyline
from symbackprop.render.picture.marks import Mark, height_of, width_of

POINT = 2.54 / 72.27  # a typographic point in centimetres
HEAD_LENGTH, HEAD_WIDTH = 0.2, 0.13


class Tone(StrEnum):
    """How strongly something is drawn: what it is for the reader, not its colour."""

    PLAIN = "plain"
    FAINT = "faint"
    LIT = "lit"  # on a path to the error
    BACK = "back"  # flows backward: δ


@dataclass(frozen=True)
class Label:
    """A short formula, centred at ``at``; ``size`` is its letters' size in points, ``entry`` what it names."""

    marks: tuple[Mark, ...]
    at: Point
    size: int = 9
    tone: Tone = Tone.PLAIN
    entry: str = ""

    @property
    def box(self) -> Box:
        """The room that the letters take."""
        scale = self.size * POINT
        return Box.around(self.at, width_of(self.marks) * scale, height_of(self.marks) * scale)


@dataclass(frozen=True)
class Node:
    """A unit, a constant 1, the error (``kind``), or a frame around others; ``round`` ones are circles."""

    entry: str
    kind: str
    at: Point
    width: float
    height: float
    round: bool = True
    label: Label | None = None
    tone: Tone = Tone.PLAIN

    @property
    def box(self) -> Box:
        """The room that the node takes."""
        return Box.around(self.at, self.width, self.height)

    def border(self, towards: Point) -> Point:
        """Where a line from the centre to ``towards`` leaves the node.

        >>> Node("x1", "input", (0.0, 0.0), 2.0, 2.0).border((5.0, 0.0))
        (1.0, 0.0)
        """
        (x, y), dx, dy = self.at, towards[0] - self.at[0], towards[1] - self.at[1]
        if self.round:
            share = self.width / 2 / hypot(dx, dy)
        else:
            share = min(half / abs(d) for half, d in ((self.width / 2, dx), (self.height / 2, dy)) if d)
        return x + share * dx, y + share * dy


@dataclass(frozen=True)
class Line:
    """A line in the ``pieces`` that its labels leave of it; an ``arrow`` has its head at the last point."""

    entry: str
    kind: str
    pieces: tuple[Polyline, ...]
    arrow: bool = False
    dashed: bool = False
    label: Label | None = None
    tone: Tone = Tone.PLAIN
    width: float = 0.6  # points

    @property
    def start(self) -> Point:
        return self.pieces[0][0]

    @property
    def end(self) -> Point:
        return self.pieces[-1][-1]

    @property
    def head(self) -> Polyline:
        """The corners of the arrow head; none for a line without one."""
        if not self.arrow:
            return ()
        (x, y), (u, v) = self.end, self.pieces[-1][-2]
        length = hypot(x - u, y - v)
        dx, dy = (x - u) / length, (y - v) / length
        back, side = HEAD_LENGTH, HEAD_WIDTH / 2
        notch = 0.7 * back
        return (
            (x, y),
            (x - back * dx - side * dy, y - back * dy + side * dx),
            (x - notch * dx, y - notch * dy),
            (x - back * dx + side * dy, y - back * dy - side * dx),
        )

    @property
    def shafts(self) -> tuple[Polyline, ...]:
        """The pieces as they are drawn: the last one ends inside the arrow head, not at its tip."""
        return (*self.pieces[:-1], (*self.pieces[-1][:-1], self.head[2])) if self.arrow else self.pieces


@dataclass(frozen=True)
class Picture:
    """A finished layout: everything has its place, within ``width`` by ``height``.

    ``name`` tells the pictures of one page apart; ``title`` and ``about`` are words for readers who do not see it.
    """

    name: str
    title: str
    about: str
    width: float = 0.0
    height: float = 0.0
    nodes: tuple[Node, ...] = ()
    edges: tuple[Line, ...] = ()
    arrows: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    frames: tuple[Node, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """Edges and arrows in the order of drawing: the faint ones first, the lit ones over them."""
        order = (Tone.FAINT, Tone.PLAIN, Tone.LIT, Tone.BACK)
        return tuple(sorted((*self.edges, *self.arrows), key=lambda line: order.index(line.tone)))

    @property
    def all_labels(self) -> tuple[Label, ...]:
        """Every label, those of nodes and edges included."""
        nodes = (node.label for node in (*self.frames, *self.nodes))
        lines = (line.label for line in (*self.edges, *self.arrows))
        return (*(label for label in (*nodes, *lines) if label is not None), *self.labels)

"""Points, boxes and curves. Lengths are in centimetres, x to the right and y down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Polyline = tuple[Point, ...]


@dataclass(frozen=True)
class Box:
    """An upright rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: Point, width: float, height: float) -> Box:
        """The box of that size about its centre."""
        (x, y), w, h = centre, width / 2, height / 2
        return cls(x - w, y - h, x + w, y + h)

    def meets(self, other: Box) -> bool:
        """Whether the two share an area.

        >>> Box(0, 0, 2, 2).meets(Box(1, 1, 3, 3)), Box(0, 0, 2, 2).meets(Box(2, 0, 3, 2))
        (True, False)
        """
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def grown(self, by: float) -> Box:
        """The box with a margin."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


def within(box: Box, outer: Box) -> bool:
    """Whether a box lies inside another."""
    return outer.left <= box.left and box.right <= outer.right and outer.top <= box.top and box.bottom <= outer.bottom


def clipped(points: Sequence[Point], low: float, high: float) -> list[Polyline]:
    """The pieces of a curve between two heights; a piece ends where the curve crosses them.

    >>> clipped([(0.0, 0.0), (1.0, 4.0)], -1.0, 2.0)
    [((0.0, 0.0), (0.5, 2.0))]
    """
    pieces: list[list[Point]] = []
    for start, end in pairwise(points):
        (x, y), (u, v) = start, end
        bounds = (0.0, 1.0) if y == v else tuple(sorted(((low - y) / (v - y), (high - y) / (v - y))))
        enter, leave = max(0.0, bounds[0]), min(1.0, bounds[1])
        if enter >= leave or (y == v and not low <= y <= high):
            continue
        first, last = ((x + t * (u - x), y + t * (v - y)) for t in (enter, leave))
        if pieces and pieces[-1][-1] == first:
            pieces[-1].append(last)
        else:
            pieces.append([first, last])
    return [tuple(piece) for piece in pieces]

"""Where labels go: on their edges, clear of each other, and where they meet the fewest other edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt

from symbackprop.render.picture.geometry import Box, Point, Polyline

POSITIONS, ROUNDS = 41, 12  # places tried along an edge, and how often
OVERLAP = 100.0  # what two labels on top of each other cost, in centimetres of crossed edge
STRAY = 0.1  # what it costs to be a centimetre off the line that was wished for
MARGIN = 0.05  # room kept around a label


@dataclass(frozen=True)
class Span:
    """A straight edge between two borders."""

    start: Point
    end: Point

    def at(self, t: float) -> Point:
        """The point that divides the edge in the ratio t : 1-t."""
        (x, y), (u, v) = self.start, self.end
        return x + t * (u - x), y + t * (v - y)

    @property
    def length(self) -> float:
        return hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])

    def inside(self, box: Box) -> tuple[float, float] | None:
        """The part of the edge within a box, as two shares of its length; None where it passes by.

        >>> Span((0.0, 0.0), (4.0, 0.0)).inside(Box(1, -1, 2, 1))
        (0.25, 0.5)
        """
        (x, y), (u, v) = self.start, self.end
        if max(x, u) <= box.left or min(x, u) >= box.right or max(y, v) <= box.top or min(y, v) >= box.bottom:
            return None
        enter, leave = 0.0, 1.0
        for a, b, low, high in ((x, u, box.left, box.right), (y, v, box.top, box.bottom)):
            if a == b:
                continue
            first, last = sorted(((low - a) / (b - a), (high - a) / (b - a)))
            enter, leave = max(enter, first), min(leave, last)
        return (enter, leave) if enter < leave else None

    def behind(self, centre: Point, radius: float) -> tuple[float, float] | None:
        """The part of the edge within a circle, as two shares of its length; None where it passes by.

        >>> Span((0.0, 0.0), (4.0, 0.0)).behind((2.0, 0.0), 1.0)
        (0.25, 0.75)
        """
        (x, y), (u, v) = self.start, self.end
        dx, dy, cx, cy = u - x, v - y, centre[0] - x, centre[1] - y
        middle = (cx * dx + cy * dy) / self.length**2
        half = radius**2 - ((cx * dy - cy * dx) / self.length) ** 2
        if half <= 0:
            return None
        enter, leave = max(0.0, middle - sqrt(half) / self.length), min(1.0, middle + sqrt(half) / self.length)
        return (enter, leave) if enter < leave else None


def cut(span: Span, boxes: Sequence[Box], circles: Sequence[tuple[Point, float]] = ()) -> tuple[Polyline, ...]:
    """The pieces of an edge outside the boxes and the circles (centre and radius).

    >>> cut(Span((0.0, 0.0), (4.0, 0.0)), [Box(1, -1, 2, 1)])
    (((0.0, 0.0), (1.0, 0.0)), ((2.0, 0.0), (4.0, 0.0)))
    """
    crossed = [*(span.inside(box) for box in boxes), *(span.behind(*circle) for circle in circles)]
    holes = sorted(hole for hole in crossed if hole is not None)
    pieces, start = [], 0.0
    for enter, leave in holes:
        if enter > start:
            pieces.append((span.at(start), span.at(enter)))
        start = max(start, leave)
    if start < 1.0:
        pieces.append((span.at(start), span.at(1.0)))
    return tuple(pieces)


def place(
    spans: Mapping[str, Span], sizes: Mapping[str, tuple[float, float]], wished: float, taken: Sequence[Box]
) -> dict[str, Point]:
    """The centres of the labels (``sizes``: width and height by edge) on the edges of the same names.

    Every label moves along its own edge until none can do better: no label on another, none in ``taken``, the fewest
    other edges under it, all near the vertical line at ``wished``.
    """
    shares = [(n + 0.5) / POSITIONS for n in range(POSITIONS)]
    boxes = {name: [Box.around(spans[name].at(t), *size).grown(MARGIN) for t in shares] for name, size in sizes.items()}
    own = {
        name: [
            _cost(box, spans[name].at(t)[0] - wished, name, spans, taken) for box, t in zip(row, shares, strict=True)
        ]
        for name, row in boxes.items()
    }
    best = {name: min(range(POSITIONS), key=costs.__getitem__) for name, costs in own.items()}
    for _ in range(ROUNDS):
        before = dict(best)
        for name, row in boxes.items():
            others = [boxes[other][best[other]] for other in boxes if other != name]
            costs = [cost + OVERLAP * sum(map(box.meets, others)) for cost, box in zip(own[name], row, strict=True)]
            best[name] = min(range(POSITIONS), key=costs.__getitem__)
        if best == before:
            break
    return {name: spans[name].at(shares[n]) for name, n in best.items()}


def _cost(box: Box, stray: float, name: str, spans: Mapping[str, Span], taken: Sequence[Box]) -> float:
    crossed = 0.0
    for other, span in spans.items():
        part = span.inside(box) if other != name else None
        crossed += (part[1] - part[0]) * span.length if part else 0.0
    return crossed + STRAY * abs(stray) + OVERLAP * sum(box.meets(other) for other in taken)

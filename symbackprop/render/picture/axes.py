"""The frame of a plot: where a point of the data lies on the page, ticks, and curves with their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, hypot, log10

from symbackprop.render.picture.geometry import Box, Point, within
from symbackprop.render.picture.marks import Mark, Marks
from symbackprop.render.picture.parts import FAINT_WIDTH, LETTERS, PLAIN_WIDTH, size_of
from symbackprop.render.picture.placing import OVERLAP, Span
from symbackprop.render.picture.shapes import Label, Line, Node, Tone

WIDTH, HEIGHT = 7.0, 4.4
TICK, TICK_SIZE = 0.1, 8
TICKS = 7  # at most so many on an axis
ASIDE = (0.24, 0.36, 0.5)  # how far a curve's label may stand from its curve
EVERY = 4  # points of a curve between two places tried for its label

Tick = tuple[float, Marks]


@dataclass(frozen=True)
class Axes:
    """A frame that shows the data from ``low`` to ``high``."""

    low: Point
    high: Point

    def at(self, x: float, y: float) -> Point:
        """Where the point (x, y) of the data lies.

        >>> Axes((-1.0, 0.0), (1.0, 2.0)).at(0.0, 2.0)
        (3.5, 0.0)
        """
        (left, bottom), (right, top) = self.low, self.high
        return (x - left) / (right - left) * WIDTH, (top - y) / (top - bottom) * HEIGHT

    @property
    def frame(self) -> Node:
        """The rectangle around the plot."""
        return Node("frame", "frame", (WIDTH / 2, HEIGHT / 2), WIDTH, HEIGHT, round=False)

    def zero_lines(self) -> Iterator[Line]:
        """Faint lines through zero, where it is in view."""
        if self.low[0] < 0 < self.high[0]:
            piece = (self.at(0, self.low[1]), self.at(0, self.high[1]))
            yield Line("x-zero", "axis", (piece,), tone=Tone.FAINT, width=PLAIN_WIDTH)
        if self.low[1] < 0 < self.high[1]:
            piece = (self.at(self.low[0], 0), self.at(self.high[0], 0))
            yield Line("y-zero", "axis", (piece,), tone=Tone.FAINT, width=PLAIN_WIDTH)

    def ticks(self, xs: Sequence[Tick], ys: Sequence[Tick]) -> tuple[list[Line], list[Label]]:
        """Short lines outside the frame, and their numbers."""
        lines, labels = [], []
        for n, (value, marks) in enumerate(xs):
            x, y = self.at(value, self.low[1])
            _, height = size_of(marks, TICK_SIZE)
            lines.append(Line(f"x-{n}", "tick", (((x, y), (x, y + TICK)),), width=FAINT_WIDTH))
            labels.append(Label(marks, (x, y + TICK + 0.08 + height / 2), TICK_SIZE, entry=f"x-number-{n}"))
        for n, (value, marks) in enumerate(ys):
            x, y = self.at(self.low[0], value)
            width, _ = size_of(marks, TICK_SIZE)
            lines.append(Line(f"y-{n}", "tick", (((x, y), (x - TICK, y)),), width=FAINT_WIDTH))
            labels.append(Label(marks, (x - TICK - 0.08 - width / 2, y), TICK_SIZE, entry=f"y-number-{n}"))
        return lines, labels

    def label(self, marks: Marks, curve: Line, others: Sequence[Line], taken: Sequence[Box]) -> Label:
        """The name of a curve beside it: within the frame, clear of every curve, as far from the others as can be."""
        inside = Box(0.1, 0.1, WIDTH - 0.1, HEIGHT - 0.1)
        segments = [Span(a, b) for line in (curve, *others) for piece in line.pieces for a, b in pairwise(piece)]
        foreign = [point for line in others for piece in line.pieces for point in piece[::EVERY]]
        width, height = size_of(marks)
        best: tuple[float, Label] | None = None
        for x, y in (point for piece in curve.pieces for point in piece[::EVERY]):
            for aside in (sign * distance for distance in ASIDE for sign in (-1, 1)):
                for at in ((x, y + aside), (x + (width / 2 + abs(aside) - height / 2) * (-1 if aside < 0 else 1), y)):
                    label = Label(marks, at, LETTERS, curve.tone, f"{curve.entry}-name")
                    box = label.box.grown(0.05)
                    bad = sum(box.meets(other) for other in taken) + (not within(box, inside))
                    away = min((hypot(at[0] - u, at[1] - v) for u, v in foreign), default=0.0)
                    cost = OVERLAP * bad - min(away, 1.5) + abs(aside)
                    if best is not None and cost >= best[0]:
                        continue  # the curves it may cross, the dearest to find, only add to the cost
                    cost += OVERLAP * sum(segment.inside(box) is not None for segment in segments)
                    if best is None or cost < best[0]:
                        best = cost, label
        assert best is not None, "a curve has points"
        return best[1]


def round_ticks(low: float, high: float) -> list[Tick]:
    """Round numbers between two others: steps of 1, 2 or 5 times a power of ten.

    >>> [value for value, _ in round_ticks(-0.1, 1.1)]
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    power = 10.0 ** floor(log10((high - low) / TICKS))
    step = next(f * power for f in (1, 2, 5, 10) if (high - low) / (f * power) <= TICKS)
    values = [round(n * step, 10) for n in range(ceil(low / step), floor(high / step) + 1)]
    return [(value, (Mark(f"{value:g}"),)) for value in values]


def decade_ticks(low: float, high: float) -> list[Tick]:
    """Powers of ten between two exponents.

    >>> [value for value, _ in decade_ticks(-12.3, -1.0)]
    [-12, -10, -8, -6, -4, -2]
    """
    step = ceil((high - low) / TICKS) or 1
    values = [n for n in range(ceil(low), floor(high) + 1) if n % step == 0]
    return [(value, (Mark("10", label=str(value)),)) for value in values]

"""The parts that layouts share: circles, the error's box, edges between them, and the arrows that flow back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import cos, pi, sin

from symbackprop.network.quantities import ERROR
from symbackprop.render.picture.geometry import Box, Point
from symbackprop.render.picture.marks import Marks, height_of, width_of
from symbackprop.render.picture.placing import OVERLAP, Span, cut
from symbackprop.render.picture.shapes import POINT, Label, Line, Node, Tone

LABEL_SIZES = (10, 9, 8, 7, 6)
LETTERS = 9  # points: the size of the labels on edges
LIT_WIDTH, PLAIN_WIDTH, FAINT_WIDTH = 1.4, 0.6, 0.35
FLOW_WIDTH = 0.8
FLOW = 0.16  # how far beside an edge its backward arrow runs
CLEAR = 0.04  # room between a label and the line that it lies on
DIRECTIONS = 16


def fitting(marks: Marks, width: float) -> int:
    """The largest size at which the marks are no wider than ``width``; the smallest there is, if none is."""
    return next((size for size in LABEL_SIZES if width_of(marks) * size * POINT <= width), LABEL_SIZES[-1])


def circle(entry: str, kind: str, at: Point, *, radius: float, marks: Marks, tone: Tone = Tone.PLAIN) -> Node:
    """A circle with a label in it."""
    label = Label(marks, at, fitting(marks, 1.75 * radius), tone, entry)
    return Node(entry, kind, at, 2 * radius, 2 * radius, True, label, tone)


def error_box(at: Point, height: float, marks: Marks, tone: Tone = Tone.PLAIN) -> Node:
    """The error, as a box."""
    width = max(height, width_of(marks) * LABEL_SIZES[0] * POINT + 0.3)
    return Node(str(ERROR), "error", at, width, height, False, Label(marks, at, LABEL_SIZES[0], tone, str(ERROR)), tone)


def between(start: Node, end: Node) -> Span:
    """The straight edge from border to border."""
    return Span(start.border(end.at), end.border(start.at))


def aside(span: Span, by: float) -> Span:
    """The edge moved to its right as it runs."""
    dx, dy = ((b - a) / span.length * by for a, b in zip(span.start, span.end, strict=True))
    return Span(*((x - dy, y + dx) for x, y in (span.start, span.end))) if by else span


def size_of(marks: Marks, size: int = LETTERS) -> tuple[float, float]:
    """The width and height of a label in centimetres."""
    return width_of(marks) * size * POINT, height_of(marks) * size * POINT


@dataclass(frozen=True)
class Wire:
    """What an edge is, apart from where it runs: ``share`` is where on it its label lies."""

    entry: str
    kind: str
    tone: Tone = Tone.PLAIN
    marks: Marks = ()
    share: float = 0.5


def edge(start: Node, end: Node, wire: Wire) -> Line:
    """An arrow from node to node, with its label on it."""
    span = between(start, end)
    label = Label(wire.marks, span.at(wire.share), LETTERS, wire.tone, wire.entry) if wire.marks else None
    pieces = cut(span, [label.box.grown(CLEAR)] if label else [])
    width = LIT_WIDTH if wire.tone == Tone.LIT else PLAIN_WIDTH
    return Line(wire.entry, wire.kind, pieces, arrow=True, label=label, tone=wire.tone, width=width)


def beside(line: Line) -> Line:
    """The backward arrow beside an edge."""
    span = Span(line.end, line.start)
    dx, dy = (line.end[0] - line.start[0]) / span.length, (line.end[1] - line.start[1]) / span.length
    start, end = ((x - FLOW * dy, y + FLOW * dx) for x, y in (span.at(0.04), span.at(0.96)))
    name = f"back-{line.entry}"
    return Line(name, "flow", ((start, end),), arrow=True, dashed=True, tone=Tone.BACK, width=FLOW_WIDTH)


def cleared(line: Line, labels: Iterable[Label]) -> Line:
    """The line without the parts that lie under labels."""
    boxes = [label.box.grown(CLEAR) for label in labels]
    return replace(line, pieces=tuple(piece for a, b in line.pieces for piece in cut(Span(a, b), boxes)))


def near(node: Node, marks: Marks, entry: str, taken: list[Box], spans: list[Span]) -> Label:
    """δ of a unit: as close to its circle as can be, above it if nothing is there, clear of boxes and edges."""
    width, height = size_of(marks)
    labels = []
    for n in range(DIRECTIONS):
        # Upwards first, then ever further from it to both sides.
        angle = -pi / 2 + (n + 1) // 2 * (-1) ** n * 2 * pi / DIRECTIONS
        away = node.width / 2 + 0.05
        at = (
            node.at[0] + (away + width / 2) * cos(angle),
            node.at[1] + (away + height / 2) * sin(angle),
        )
        labels.append(Label(marks, at, LETTERS, Tone.BACK, entry))

    def cost(label: Label) -> float:
        box = label.box.grown(0.01)
        crossed = sum((part[1] - part[0]) * span.length for span in spans if (part := span.inside(box)))
        return crossed + OVERLAP * sum(box.meets(other) for other in taken)

    return min(labels, key=cost)

"""The last step of every layout: the picture's own size, and everything moved to fit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.render.picture.geometry import Box, Point
from symbackprop.render.picture.shapes import Label, Line, Node, Picture

MARGIN = 0.1
DIGITS = 3  # of a centimetre: a hundredth of a millimetre is finer than any printer


def finished(picture: Picture) -> Picture:
    """The picture with its corner at the origin and its size set, all lengths rounded."""
    boxes = list(extents(picture))
    left, top = min(box.left for box in boxes) - MARGIN, min(box.top for box in boxes) - MARGIN
    right, bottom = max(box.right for box in boxes) + MARGIN, max(box.bottom for box in boxes) + MARGIN

    def point(at: Point) -> Point:
        # Adding zero turns -0.0 into 0.0.
        return round(at[0] - left, DIGITS) + 0.0, round(at[1] - top, DIGITS) + 0.0

    def label(of: Label | None) -> Label | None:
        return None if of is None else replace(of, at=point(of.at))

    def node(of: Node) -> Node:
        width, height = round(of.width, DIGITS), round(of.height, DIGITS)
        return replace(of, at=point(of.at), width=width, height=height, label=label(of.label))

    def line(of: Line) -> Line:
        return replace(of, pieces=tuple(tuple(map(point, piece)) for piece in of.pieces), label=label(of.label))

    return replace(
        picture,
        width=round(right - left, DIGITS),
        height=round(bottom - top, DIGITS),
        nodes=tuple(map(node, picture.nodes)),
        frames=tuple(map(node, picture.frames)),
        edges=tuple(map(line, picture.edges)),
        arrows=tuple(map(line, picture.arrows)),
        labels=tuple(replace(each, at=point(each.at)) for each in picture.labels),
    )


def extents(picture: Picture) -> Iterator[Box]:
    """The room that each thing takes."""
    yield from (node.box for node in (*picture.frames, *picture.nodes))
    yield from (label.box for label in picture.all_labels)
    for line in (*picture.edges, *picture.arrows):
        yield from (Box(x, y, x, y) for piece in line.pieces for x, y in piece)

"""Pictures as SVG: self-contained, with an id, a class and the entry's address on every node and edge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from symbackprop.render.escape import one_line
from symbackprop.render.picture.geometry import Point, Polyline
from symbackprop.render.picture.marks import SCRIPT, Mark, mark_width, text_width
from symbackprop.render.picture.shapes import POINT, Label, Line, Node, Picture

SCALE = 45.0  # pixels a centimetre
FONT = "'STIX Two Math', 'STIX Two Text', 'Latin Modern Math', 'Cambria Math', 'Times New Roman', Times, serif"
# The rule for svg:root holds where the file is shown by itself; within a page the page's own colours hold.
STYLE = f"""\
svg:root {{ color: #1a1a1a }}
.picture {{ --lit: #b3261e; --back: #1a5fb4 }}
.picture text {{ font-family: {FONT}; fill: currentColor; stroke: none }}
.picture .slanted {{ font-style: italic }}
.picture .bold {{ font-weight: bold }}
.picture .line, .picture .border {{ fill: none; stroke: currentColor }}
.picture .head {{ fill: currentColor; stroke: none }}
.picture .hit {{ fill: none; stroke: transparent; stroke-width: 12 }}
.picture .constant .border, .picture .dashed .line, .picture .group .border {{ stroke-dasharray: 4 3 }}
.picture .dot .border {{ fill: currentColor }}
.picture .faint {{ opacity: 0.35 }}
.picture .lit {{ color: #b3261e; color: var(--lit) }}
.picture .back {{ color: #1a5fb4; color: var(--back) }}
@media (prefers-color-scheme: dark) {{
svg:root {{ color: #e8e8e8 }}
.picture {{ --lit: #ff8a80; --back: #8ab4f8 }}
}}"""

SELECTED = ("weight", "bias", "array")  # kinds of lines that a reader may click on
FOR_SCRIPTS = re.compile(r'( id="[^"]*")? data-entry="[^"]*"|<path class="hit"[^>]*>')


def svg(picture: Picture) -> str:
    """The picture as an SVG document, with its style."""
    return drawing(picture, style=f"<style>\n{STYLE}\n</style>\n")


def drawing(picture: Picture, style: str = "") -> str:
    """The picture as an SVG element for a page that has ``STYLE``; ids begin with the picture's name."""
    parts = [*(_node(picture, frame) for frame in picture.frames)]
    parts += [_line(picture, line) for line in picture.lines]
    parts += [_node(picture, node) for node in picture.nodes]
    parts += [
        _group(f"label {label.tone}", label.entry, f"{picture.name}-label-{slug(label.entry)}", [_label(label)])
        for label in picture.labels
    ]
    width, height = px(picture.width), px(picture.height)
    name = picture.name
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" id="{name}" role="img" '
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{words(picture.title)}</title>',
            f'<desc id="{name}-desc">{words(picture.about)}</desc>',
            style + "\n".join(parts),
            "</svg>\n",
        ]
    )


def still(picture: Picture) -> str:
    """The drawing without what a script needs: addresses, and lines that catch clicks."""
    return FOR_SCRIPTS.sub("", drawing(picture))


def words(text: str) -> str:
    """Words as XML shows them, every special character literal."""
    return escape(one_line(text))


def px(length: float) -> str:
    """A length in pixels.

    >>> px(1.0), px(0.35)
    ('45', '15.75')
    """
    return f"{length * SCALE:.2f}".rstrip("0").rstrip(".")


def slug(entry: str) -> str:
    """An address as part of an id.

    >>> slug("w1,12[3]")
    'w1-12-3'
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", entry).strip("-")


def _group(classes: str, entry: str, identity: str, parts: list[str]) -> str:
    inside = "".join(parts)
    return f'<g class="{classes}" id="{identity}" data-entry="{words(entry)}">{inside}</g>'


def _node(picture: Picture, node: Node) -> str:
    (x, y), w, h = node.at, node.width, node.height
    corner = 0 if node.kind == "frame" else 5
    shape = (
        f'<circle class="border" cx="{px(x)}" cy="{px(y)}" r="{px(w / 2)}"/>'
        if node.round
        else f'<rect class="border" x="{px(x - w / 2)}" y="{px(y - h / 2)}" width="{px(w)}" height="{px(h)}" '
        f'rx="{corner}"/>'
    )
    label = [] if node.label is None else [_label(node.label)]
    identity = f"{picture.name}-{node.kind}-{slug(node.entry)}"
    return _group(f"node {node.kind} {node.tone}", node.entry, identity, [shape, *label])


def _line(picture: Picture, line: Line) -> str:
    hit = [f'<path class="hit" d="{_path(((line.start, line.end),))}"/>'] if line.kind in SELECTED else []
    drawn = f'<path class="line" stroke-width="{line.width * POINT * SCALE:.2f}" d="{_path(line.shafts)}"/>'
    head = [f'<path class="head" d="{_path((line.head,))}Z"/>'] if line.arrow else []
    label = [] if line.label is None else [_label(line.label)]
    classes = f"edge {line.kind} {line.tone}" + " dashed" * line.dashed
    return _group(classes, line.entry, f"{picture.name}-{line.kind}-{slug(line.entry)}", [*hit, drawn, *head, *label])


def _path(pieces: tuple[Polyline, ...]) -> str:
    return "".join("M" + "L".join(f"{px(x)} {px(y)}" for x, y in piece) for piece in pieces)


def _label(label: Label) -> str:
    """Each letter and script is a text of its own, at its own place: nested ones would overlap."""
    size = label.size * POINT
    x, y = label.box.left, label.at[1] + 0.26 * size
    parts: list[str] = []
    for mark in label.marks:
        parts += _mark(mark, (x, y), size)
        x += mark_width(mark) * size
    return "".join(parts)


def _mark(mark: Mark, at: Point, size: float) -> Iterator[str]:
    style = " ".join(name for name, on in (("slanted", not mark.upright), ("bold", mark.bold)) if on)
    yield _text(mark.letter, at, size, style)
    x, small = at[0] + text_width(mark.letter) * size, SCRIPT * size
    if mark.sub:
        yield _text(mark.sub, (x, at[1] + 0.22 * size), small, "")
    if mark.label and mark.place == "above":
        yield _text(mark.label, (x, at[1] - 0.42 * size), small, "")
    elif mark.label:
        yield _text(mark.label, (x + text_width(mark.sub) * small, at[1]), size, "")


def _text(text: str, at: Point, size: float, style: str) -> str:
    # The length is given, so that a font with wider letters does not run into what follows.
    shown = words(text.replace("-", "−").replace("'", "′")) or " "
    length = f' textLength="{px(text_width(text.strip()) * size)}" lengthAdjust="spacingAndGlyphs"'
    classes = f' class="{style}"' if style else ""
    return f'<text{classes} x="{px(at[0])}" y="{px(at[1])}" font-size="{px(size)}"{length}>{shown}</text>'

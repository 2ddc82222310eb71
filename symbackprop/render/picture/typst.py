"""Pictures as Typst, with its built-in drawing alone: one box, everything placed in it."""

from __future__ import annotations

from symbackprop.render.picture.geometry import Point, Polyline
from symbackprop.render.picture.marks import Mark
from symbackprop.render.picture.shapes import Label, Line, Node, Picture, Tone

COLOURS = {
    Tone.PLAIN: "black",
    Tone.FAINT: "luma(70%)",
    Tone.LIT: 'rgb("#b3261e")',
    Tone.BACK: 'rgb("#1a5fb4")',
}
DASHES = "(2.4pt, 1.8pt)"


def typst(picture: Picture) -> str:
    """The picture as a Typst expression in markup: ``#box(…)``."""
    shapes = [_node(frame) for frame in picture.frames]
    shapes += [row for line in picture.lines for row in _line(line)]
    shapes += [_node(node) for node in picture.nodes]
    shapes += [_label(label) for label in picture.all_labels]
    head = f"#box(width: {_cm(picture.width)}, height: {_cm(picture.height)}, {{"
    return "\n".join([head, "  set align(left + top)", *(f"  {row}" for row in shapes), "})", ""])


def _cm(length: float) -> str:
    return f"{length:.3f}".rstrip("0").rstrip(".") + "cm"


def _at(point: Point) -> str:
    return f"({_cm(point[0])}, {_cm(point[1])})"


def _stroke(tone: Tone, width: float, dashed: bool) -> str:
    dash = f", dash: {DASHES}" if dashed else ""
    return f"(paint: {COLOURS[tone]}, thickness: {width}pt{dash})"


def _node(node: Node) -> str:
    box = node.box
    stroke = _stroke(node.tone, 0.4, node.kind in ("constant", "group"))
    fill = f", fill: {COLOURS[node.tone]}" if node.kind == "dot" else ""
    radius = "0pt" if node.kind == "frame" else "3pt"
    shape = (
        f"circle(radius: {_cm(node.width / 2)}, stroke: {stroke}{fill})"
        if node.round
        else f"rect(width: {_cm(node.width)}, height: {_cm(node.height)}, radius: {radius}, stroke: {stroke}{fill})"
    )
    return f"place(dx: {_cm(box.left)}, dy: {_cm(box.top)}, {shape})"


def _line(line: Line) -> list[str]:
    stroke = _stroke(line.tone, line.width, line.dashed)
    rows = [f"place(curve(stroke: {stroke}, {_points(piece)}))" for piece in line.shafts]
    if line.arrow:
        corners = ", ".join(map(_at, line.head))
        rows.append(f"place(polygon(fill: {COLOURS[line.tone]}, {corners}))")
    return rows


def _points(piece: Polyline) -> str:
    first, *rest = map(_at, piece)
    return ", ".join([f"curve.move({first})", *(f"curve.line({point})" for point in rest)])


def _label(label: Label) -> str:
    # No spaces: beside a text they would be shown. Every second mark at least is a text, so no two letters meet.
    text = "".join(map(_mark, label.marks))
    text = f"text({label.size}pt, fill: {COLOURS[label.tone]}, ${text}$)"
    x, y = label.at
    return f"place(dx: {_cm(x)}, dy: {_cm(y)}, box(width: 0pt, height: 0pt, place(center + horizon, {text})))"


def _mark(mark: Mark) -> str:
    letter = f'"{mark.letter.replace("-", "−")}"' if mark.upright else mark.letter
    text = f"bold({letter})" if mark.bold else letter
    text += f'_"{mark.sub}"' if mark.sub else ""
    label = mark.label.replace("-", "−").replace("'", "′")
    if mark.label and mark.place == "above":
        return f'{text}^"{label}"'
    return f'{text}"{label}"' if mark.label else text

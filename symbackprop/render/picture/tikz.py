"""Pictures as TikZ: a tikzpicture that needs the package tikz and none of its libraries."""

from __future__ import annotations

from symbackprop.render.latex import LatexMarkup
from symbackprop.render.picture.geometry import Point, Polyline
from symbackprop.render.picture.marks import Mark
from symbackprop.render.picture.shapes import Label, Line, Node, Picture

MARKUP = LatexMarkup()
TONES = """\
  plain/.style={black}, faint/.style={black!30},
  lit/.style={color={rgb,255:red,179;green,38;blue,30}},
  back/.style={color={rgb,255:red,26;green,95;blue,180}},
  formula/.style={inner sep=0pt, outer sep=0pt}"""
DASHES = ", dash pattern=on 2.4pt off 1.8pt"


def tikz(picture: Picture) -> str:
    """The picture as a ``tikzpicture`` environment."""
    shapes = [_node(frame) for frame in picture.frames]
    shapes += [row for line in picture.lines for row in _line(line)]
    shapes += [_node(node) for node in picture.nodes]
    shapes += [_label(label) for label in picture.all_labels]
    return "\n".join(
        [
            r"\begin{tikzpicture}[x=1cm, y=-1cm,",
            TONES + "]",
            *(f"  {row}" for row in shapes),
            r"\end{tikzpicture}",
            "",
        ]
    )


def _at(point: Point) -> str:
    return f"({_number(point[0])},{_number(point[1])})"


def _number(length: float) -> str:
    return f"{length:.3f}".rstrip("0").rstrip(".")


def _node(node: Node) -> str:
    dashes = DASHES if node.kind in ("constant", "group") else ""
    command = "fill" if node.kind == "dot" else "draw"
    if node.round:
        return rf"\{command}[{node.tone}{dashes}] {_at(node.at)} circle[radius={_number(node.width / 2)}];"
    box = node.box
    corners = f"{_at((box.left, box.top))} rectangle {_at((box.right, box.bottom))}"
    rounded = "" if node.kind == "frame" else ", rounded corners=3pt"
    return rf"\{command}[{node.tone}{dashes}{rounded}] {corners};"


def _line(line: Line) -> list[str]:
    dashes = DASHES if line.dashed else ""
    drawn = rf"\draw[{line.tone}, line width={_number(line.width)}pt{dashes}] {_pieces(line.shafts)};"
    return [drawn, rf"\fill[{line.tone}] {_pieces((line.head,))} -- cycle;"] if line.arrow else [drawn]


def _pieces(pieces: tuple[Polyline, ...]) -> str:
    return " ".join(" -- ".join(map(_at, piece)) for piece in pieces)


def _label(label: Label) -> str:
    font = rf"\fontsize{{{label.size}}}{{{label.size + 2}}}\selectfont"
    text = "".join(map(_mark, label.marks))
    return rf"\node[formula, {label.tone}, font={font}] at {_at(label.at)} {{${text}$}};"


def _mark(mark: Mark) -> str:
    letter = MARKUP.letter(mark.letter) if mark.letter[0].isalpha() else MARKUP.number(mark.letter)
    return MARKUP.scripts(letter, mark.sub, mark.label, mark.place, mark.bold).text.replace(", ", r",\;")

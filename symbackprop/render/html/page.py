"""The page: what documents have in common, the network to click on, and the numbers that follow."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from symbackprop.network.quantities import DELTA, OUT
from symbackprop.render.equations import EquationWriter
from symbackprop.render.figures import NETWORK, figures
from symbackprop.render.html.about import About
from symbackprop.render.html.about_layers import abouts
from symbackprop.render.html.equations import PageSection, SectionSetter
from symbackprop.render.html.live import LiveWriter
from symbackprop.render.html.mathml import for_html
from symbackprop.render.links import Linking, with_links
from symbackprop.render.picture.draw import is_large
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.marks import Lettering
from symbackprop.render.picture.parts import near
from symbackprop.render.picture.placing import Span
from symbackprop.render.picture.shapes import Label, Picture
from symbackprop.render.picture.svg import STYLE, drawing, still
from symbackprop.render.wording import keys, words
from symbackprop.resources import templates

# What formulas and tags hold cites nothing.
LINKS = Linking("<math>.*?</math>|<[^>]*>", lambda number: f'<a href="#eq-{number}">({number})</a>')
PROGRAM, FONT = "gradients.js", "fonts/STIXTwoMath-subset.woff2"
SAID_BY_SCRIPT = ("step", "copy", "copy_short", "copied", "see")
RAW = ("code",)  # what is no text in the style of the document, so that the template escapes it


def html_parts(writer: EquationWriter, placed: dict[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    """What the template of the page places."""
    placed = with_links(placed, LINKS)
    sections = SectionSetter(writer)(placed["sections"])
    picture = with_deltas(writer)
    shown = {node.entry for node in picture.nodes} | {line.entry for line in picture.edges}
    shown |= {label.entry for label in picture.labels}
    selectable = [about for about in abouts(writer) if about.entry in shown] if writer.selectable else []
    live = LiveWriter(writer) if PROGRAM in code else None
    return {
        **{key: value if key in RAW else as_html(value) for key, value in placed.items() if key != "sections"},
        "sections": sections,
        "picture": Markup(drawing(picture)),
        "figures": figures_on_page(writer, placed),
        "hint": words("page", "hint_layers" if is_large(writer.derivation.graph) else "hint"),
        "data": as_json(data(writer, selectable, sections)),
        "groups": live.groups() if live else [],
        "stand_ins": live.stand_ins() if live else [],
        "program": Markup(code.get(PROGRAM, "")),
        "words": as_json({key: words("page", key) for key in SAID_BY_SCRIPT}),
        "page": {key: words("page", key) for key in keys("page")},
        "style": Markup(STYLE + _file("page.css")),
        "script": Markup(_file("page.js")),
        "font": Markup(_font()),
    }


def figures_on_page(writer: EquationWriter, placed: dict[str, Any]) -> dict[str, Any]:
    """The pictures under each heading; that of the whole network has a place of its own."""
    drawn = figures(writer, placed, still, for_html)
    return as_html({**drawn, words("words", f"contents_{NETWORK}"): []})


def as_html(value: Any) -> Any:
    """Texts that are HTML already, marked as such wherever they stand."""
    if isinstance(value, str):
        return Markup(value)
    if isinstance(value, dict):
        return {key: as_html(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [as_html(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: as_html(getattr(value, each.name)) for each in fields(value)})
    return value


def data(writer: EquationWriter, selectable: list[About], sections: list[PageSection]) -> dict[str, Any]:
    """What the script knows of each thing that can be selected; what occurs in many is there once."""
    shown = {equation.number for section in sections for block in section.blocks for equation in block.equations}
    formulas: dict[str, int] = {}
    passed: dict[tuple[str, ...], int] = {}

    def index(formula: str) -> int:
        return formulas.setdefault(formula, len(formulas))

    def printed(label: str) -> Iterator[str]:
        # Equations between arrays of one example carry a letter.
        yield from (number for number in (f"{writer.numbers[label]}{mark}" for mark in ("", "a")) if number in shown)

    known = {
        about.entry: {
            "spoken": about.spoken,
            "title": index(about.title),
            "lines": [list(map(index, line)) for line in about.lines],
            "lit": about.lit,
            "passed": passed.setdefault(about.passed, len(passed)),
            "order": about.order,
            "live": about.live,
            "symbol": index(about.symbol),
            "sign": about.sign,
            "equations": [number for label in about.equations for number in printed(label)],
        }
        for about in selectable
    }
    return {"formulas": list(formulas), "about": known, "passed": list(passed)}


def as_json(value: Any) -> Markup:
    r"""Data that can stand within a script element: nothing in it ends one, and nothing starts a comment.

    >>> print(as_json({"a": "</script><!--"}))
    {"a":"<\/script>\u003c!--"}
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("</", r"<\/").replace("<!", r"\u003c!"))


def with_deltas(writer: EquationWriter) -> Picture:
    """The picture of the network with δ beside every unit that has one."""
    picture = writer.pictures.network()
    lettering, graph = Lettering(writer.notation), writer.derivation.graph
    nodes = {node.entry: node for node in picture.nodes}
    spans = [Span(line.start, line.end) for line in picture.edges]
    taken = [node.box for node in picture.nodes] + [label.box for label in picture.all_labels]
    labels: list[Label] = []
    for layer in range(2, graph.depth + 1):
        for unit in graph.units(layer):
            node = nodes.get(f"a{unit}[{layer}]")
            if node is None:
                continue
            for delta in (DELTA[pre.indices] for pre in graph.read_by(OUT[layer, unit])):
                labels.append(near(node, lettering.entry(delta), str(delta), taken, spans))
                taken.append(labels[-1].box)
    return finished(replace(picture, labels=(*picture.labels, *labels)))


@lru_cache
def _file(name: str) -> str:
    return (templates() / name).read_text("utf-8")


@lru_cache
def _font() -> str:
    return base64.b64encode((templates() / FONT).read_bytes()).decode("ascii")

"""The pictures of a document: the whole network at its start, and in each part the units it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.calculus.indices import Entry
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.one_weight import ALONE
from symbackprop.network.quantities import OUT, WEIGHT
from symbackprop.render.equations import EquationWriter
from symbackprop.render.picture.draw import is_large
from symbackprop.render.picture.error_plot import LEAST_POINTS, error_picture
from symbackprop.render.picture.shapes import Picture
from symbackprop.render.wording import words

NETWORK, CHECKS = "network", "checks"
FIRST = WEIGHT[1, 1, 1]  # the weight whose way to the error is shown, where each has its own lines


@dataclass(frozen=True)
class Figure:
    """A picture in the markup of a document, its caption, what it shows in plain words, its size in centimetres.

    ``name`` tells the pictures of one document apart.
    """

    name: str
    drawing: str
    caption: str
    about: str
    width: float
    height: float


def figures(
    writer: EquationWriter, contents: Mapping[str, Any], emit: Callable[[Picture], str], plain: Callable[[str], str]
) -> dict[str, list[Figure]]:
    """The pictures under each heading of a document with these ``contents``.

    In a brief view there are none. ``plain`` makes words without markup fit where alternative text stands.
    """
    headings = {key: words("words", f"contents_{key}") for key in (NETWORK, CHECKS)}
    placed: dict[str, list[Figure]] = {heading: [] for heading in headings.values()}
    placed |= {section.heading: [] for section in contents["sections"]}
    for section, caption, picture in () if writer.view.brief else _pictures(writer, contents["step_errors"]):
        heading = headings.get(section) or words("headings", section)
        if heading in placed:
            about = plain(f"{picture.title}. {picture.about}".strip())
            placed[heading].append(Figure(picture.name, emit(picture), caption, about, picture.width, picture.height))
    return placed


def _pictures(writer: EquationWriter, errors: Sequence[tuple[float, float]]) -> Iterator[tuple[str, str, Picture]]:
    """The key of a section, the caption, the picture."""
    if len(errors) >= LEAST_POINTS:
        yield CHECKS, words("captions", "errors"), error_picture(errors)
    derivation, pictures, inline = writer.derivation, writer.pictures, writer.inline
    graph = derivation.graph
    yield NETWORK, words("captions", "blocks" if is_large(graph) else "network"), pictures.network()
    drawn = {tag.name for tag, slope in derivation.slopes.items() if slope.value not in (None, Z)}
    for use in {use.tag: use for use in graph.spec.activations if use.tag in drawn}.values():
        name = writer.style.words(use.entry.name.replace("_", " "))
        yield "slopes", words("captions", "activation", name=name), pictures.activation(use.tag)
    if is_large(graph):
        return
    for section, of in {"back": FIRST, **singled_out(writer)}.items():
        yield section, words("captions", "path", inline(of)), pictures.path(of)
    zoomed = {"output": graph.depth, "delta": graph.depth - 1}
    for section, layer in zoomed.items():
        if layer > 1:
            yield section, words("captions", "unit", inline(OUT[layer, 1])), pictures.unit(layer, 1)


def singled_out(writer: EquationWriter) -> dict[str, Entry]:
    """The section on one parameter, and that parameter, where the document has one."""
    return {section.key: section.blocks[0].about[0] for section in writer.shown if section.key in ALONE}

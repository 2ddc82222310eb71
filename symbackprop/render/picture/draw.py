"""The one entry to the pictures of a network: which picture, of what, in which markup."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.derive import Derivation
from symbackprop.errors import SpecError, unknown
from symbackprop.network.addresses import entry_at
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import Profile
from symbackprop.render.picture.highlight import highlight
from symbackprop.render.picture.layout import NetworkLayout
from symbackprop.render.picture.shapes import Picture
from symbackprop.render.picture.svg import slug, svg
from symbackprop.render.picture.tikz import tikz
from symbackprop.render.picture.typst import typst

EMITTERS: Mapping[str, Callable[[Picture], str]] = {"svg": svg, "tikz": tikz, "typst": typst}


def picture_for(
    derivation: Derivation, profile: Profile, *, kind: str = "network", weight: str | None = None, markup: str = "tikz"
) -> str:
    """A picture of the network in the profile's letters, as text in ``markup``; see ``picture_of`` for ``kind``."""
    if markup not in EMITTERS:
        raise SpecError(unknown("picture markup", markup, EMITTERS))
    return EMITTERS[markup](picture_of(derivation, profile, kind=kind, weight=weight))


def picture_of(
    derivation: Derivation, profile: Profile, *, kind: str = "network", weight: str | None = None
) -> Picture:
    """The layout itself."""
    graph = derivation.graph
    of = None if weight is None else _parameter(graph, weight)
    layout = NetworkLayout(graph, Notation.of(profile, graph), highlight(graph, of), backward=kind == "path")
    name = kind if weight is None else f"{kind}-{slug(weight)}"
    return layout.picture(name, graph.spec.title or "Network", "")


def _parameter(graph: ForwardGraph, address: str) -> Entry:
    of = entry_at(address, graph.spec)
    if of.base not in (WEIGHT, BIAS):
        raise SpecError(f"{address!r} is no weight or bias; expected one like w11[1] or b1[1]")
    return of

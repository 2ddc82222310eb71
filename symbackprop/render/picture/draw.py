"""The one entry to the pictures of a network: which picture, of what, in which markup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.derive import Derivation
from symbackprop.errors import SpecError, unknown
from symbackprop.network.addresses import parameter_at
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import is_trained
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import Profile
from symbackprop.render.picture.block import BlockLayout
from symbackprop.render.picture.highlight import highlight
from symbackprop.render.picture.layout import NetworkLayout
from symbackprop.render.picture.plots import activation_picture
from symbackprop.render.picture.shapes import Picture
from symbackprop.render.picture.svg import slug, svg
from symbackprop.render.picture.tikz import tikz
from symbackprop.render.picture.typst import typst
from symbackprop.render.picture.zoom import ZoomLayout
from symbackprop.render.wording import words

EMITTERS: Mapping[str, Callable[[Picture], str]] = {"svg": svg, "tikz": tikz, "typst": typst}
KINDS = ("network", "path", "zoom", "block")
MOST_UNITS, MOST_LAYERS = 16, 7  # a larger network is drawn as blocks
SIZES_NAMED = 8


def picture_for(
    derivation: Derivation, profile: Profile, *, kind: str = "network", weight: str | None = None, markup: str = "tikz"
) -> str:
    r"""A picture of the network in the profile's letters, as text in ``markup`` ("tikz", "svg", "typst").

    ``kind`` is "network" (the whole network; a large one as blocks), "path" (what lies between ``weight`` and the
    error, and δ on its way back), "zoom" (the unit that ``weight`` feeds, taken apart) or "block" (a block per layer).
    ``weight`` is the address of a parameter; in the network it is highlighted with its paths.
    Raises ``SpecError`` for an unknown kind, markup or address, or where a weight is needed and none is given.

    >>> from symbackprop.derivation.derive import derive
    >>> from symbackprop.network.forward import forward_graph
    >>> from symbackprop.network.read import network
    >>> from symbackprop.notation.profile import load_profile
    >>> d = derive(forward_graph(network("2-3-1", activation="g", loss="mse", bias=False)))
    >>> picture_for(d, load_profile("S1")).splitlines()[0]
    '\\begin{tikzpicture}[x=1cm, y=-1cm,'
    """
    if markup not in EMITTERS:
        raise SpecError(unknown("picture markup", markup, EMITTERS))
    return EMITTERS[markup](picture_of(derivation, profile, kind=kind, weight=weight))


def picture_of(
    derivation: Derivation, profile: Profile, *, kind: str = "network", weight: str | None = None
) -> Picture:
    """The layout of the picture that ``picture_for`` writes in a markup."""
    graph, notation = derivation.graph, Notation.of(profile, derivation.graph)
    of = None if weight is None else parameter_at(weight, graph.spec)
    title, about = _title(graph), _about(graph)
    name = kind if of is None else f"{kind}-{slug(str(of))}"
    if kind == "block" or (kind in ("network", "path") and is_large(graph)):
        return BlockLayout(graph, notation).picture(name, title, about)
    if kind == "network":
        said = [about, words("pictures", "highlighted", of=of)] if of else [about]
        return NetworkLayout(graph, notation, highlight(graph, of)).picture(name, title, " ".join(said))
    if kind not in KINDS:
        raise SpecError(unknown("kind of picture", kind, KINDS))
    if of is None or (kind == "zoom" and is_trained(of)):
        raise SpecError(f"a picture of the kind {kind!r} needs a weight; expected one like w11[1] or b1[1]")
    if kind == "path":
        said = [about, words("pictures", "highlighted", of=of), words("pictures", "backward")]
        layout = NetworkLayout(graph, notation, highlight(graph, of), backward=True)
        return layout.picture(name, title, " ".join(said))
    layer = int(of.indices[0]) + 1
    unit, _ = graph.reader(layer, int(of.indices[-1]))
    said = [words("pictures", "fed_by", unit=unit, layer=layer + profile.first_layer - 1, of=of)]
    return ZoomLayout(graph, notation, layer, unit, of).picture(name, title, " ".join(said))


def unit_picture(derivation: Derivation, profile: Profile, layer: int, unit: int) -> Picture:
    """One unit taken apart, no weight of it singled out; layers are counted from 1, the input."""
    graph = derivation.graph
    if not (1 < layer <= graph.depth and unit in graph.units(layer)):
        raise SpecError(f"the network {_sizes(graph)} has no unit {unit} in layer {layer}; layers 2-{graph.depth} have")
    said = words("pictures", "unit", unit=unit, layer=layer + profile.first_layer - 1)
    layout = ZoomLayout(graph, Notation.of(profile, graph), layer, unit)
    return layout.picture(f"unit-{layer}-{unit}", _title(graph), said)


class Pictures:
    """The pictures of one network in one notation, each laid out once, however many documents show it."""

    def __init__(self, derivation: Derivation, profile: Profile) -> None:
        self.derivation, self.profile = derivation, profile
        self._laid_out: dict[tuple[str | int, ...], Picture] = {}

    def network(self) -> Picture:
        """The whole network."""
        return self._once(("network",), picture_of)

    def path(self, of: Entry) -> Picture:
        """What lies between a parameter and the error."""
        return self._once(("path", str(of)), partial(picture_of, kind="path", weight=str(of)))

    def unit(self, layer: int, unit: int) -> Picture:
        """One unit taken apart."""
        return self._once(("unit", layer, unit), partial(unit_picture, layer=layer, unit=unit))

    def activation(self, tag: str) -> Picture:
        """The curves of an activation and of its slope."""
        return self._once(("activation", tag), partial(activation_picture, tag=tag))

    def _once(self, key: tuple[str | int, ...], lay_out: Callable[[Derivation, Profile], Picture]) -> Picture:
        if key not in self._laid_out:
            self._laid_out[key] = lay_out(self.derivation, self.profile)
        return self._laid_out[key]


def is_large(graph: ForwardGraph) -> bool:
    """Whether a network has more units or layers than single circles can show."""
    return max(graph.spec.sizes) > MOST_UNITS or graph.depth > MOST_LAYERS


def _sizes(graph: ForwardGraph) -> str:
    return "-".join(map(str, graph.spec.sizes))


def _title(graph: ForwardGraph) -> str:
    key = "title" if graph.depth <= SIZES_NAMED else "title_deep"
    return graph.spec.title or words("pictures", key, sizes=_sizes(graph), count=graph.depth)


def _about(graph: ForwardGraph) -> str:
    sizes = graph.spec.sizes
    ends = "–".join(map(str, sorted({min(sizes), max(sizes)})))
    key = "network" if graph.depth <= SIZES_NAMED else "network_deep"
    return words("pictures", key, count=graph.depth, sizes=", ".join(map(str, sizes)), range=ends)

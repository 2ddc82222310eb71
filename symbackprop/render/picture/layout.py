"""The layout of a whole network: a column of circles per layer, edges between them, labels where they can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, WEIGHT, is_trained
from symbackprop.notation.apply import Notation
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.geometry import Point
from symbackprop.render.picture.highlight import Highlight
from symbackprop.render.picture.marks import Lettering, Marks, width_of
from symbackprop.render.picture.parts import (
    CLEAR,
    FAINT_WIDTH,
    LETTERS,
    LIT_WIDTH,
    PLAIN_WIDTH,
    Wire,
    aside,
    beside,
    between,
    circle,
    cleared,
    edge,
    error_box,
    near,
    size_of,
)
from symbackprop.render.picture.placing import Span, cut, place
from symbackprop.render.picture.shapes import POINT, Label, Line, Node, Picture, Tone

TEXT_WIDTH = 15.0  # centimetres that a page has for the columns
WIDEST_GAP, NARROWEST_GAP = 4.6, 2.2
# Towards n units, all edges of a gap are equally far apart at one part in n + 1 of the way; a label needs this much.
ROOM = 0.4
LIT_LABELLED = 4  # a path with more edges than this in one gap has labels on none of them but the weight's own
ROOMY, TIGHT = 1.9, 0.95  # distances between the units of a layer
RADIUS, SMALL_RADIUS = 0.48, 0.38
SMALLER = 0.7  # the constant 1 beside a unit
TOUCHING = 1e-6  # an edge that ends on a circle is not behind it
CROWDED = 6  # units in a layer from which circles are small
APART = 0.16  # between two edges from one unit to another
FLOWS_SHOWN = 12  # a path with more edges than this shows δ without arrows


@dataclass(frozen=True)
class NetworkLayout:
    """Lays ``graph`` out; ``shown`` is highlighted, and with ``backward`` δ flows back along it from the error."""

    graph: ForwardGraph
    notation: Notation
    shown: Highlight = field(default_factory=Highlight)
    backward: bool = False

    @property
    def lettering(self) -> Lettering:
        return Lettering(self.notation)

    # Where things are

    @cached_property
    def rows(self) -> int:
        """The most circles in a column, the constant 1 counted."""
        return max(n + self._has_bias(l) for l, n in enumerate(self.graph.spec.sizes, start=1))

    @cached_property
    def pitch(self) -> float:
        """The distance between the units of a layer."""
        return TIGHT if max(self.graph.spec.sizes) >= CROWDED else ROOMY

    @property
    def radius(self) -> float:
        return SMALL_RADIUS if self.pitch < ROOMY else RADIUS

    @property
    def gap(self) -> float:
        """The distance between the columns."""
        columns = self.graph.depth - (not self.backward)
        return min(WIDEST_GAP, max(NARROWEST_GAP, TEXT_WIDTH / columns))

    def labelled(self, layer: int) -> bool:
        """Whether every weight that leaves ``layer`` has its label."""
        return self.pitch >= ROOM * (self.graph.spec.fed[layer] + 1) and not self.backward

    def at(self, layer: int, unit: int) -> Point:
        """The centre of a unit; the constant 1 is the one after the last."""
        return (layer - 1) * self.gap, (unit - (self.graph.spec.sizes[layer - 1] + 1) / 2) * self.pitch

    def _has_bias(self, layer: int) -> bool:
        return layer < self.graph.depth and self.graph.spec.has_bias(layer)

    # Nodes

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Every circle by its entry; ``1[l]`` is the constant that feeds the biases leaving layer l."""
        found = {}
        for layer in range(1, self.graph.depth + 1):
            for unit in self.graph.units(layer):
                entry = OUT[layer, unit]
                kind = "input" if layer == 1 else "output" if layer == self.graph.depth else "unit"
                found[str(entry)] = self._circle(
                    str(entry), kind, self.at(layer, unit), self.lettering.entry(entry), self._tone(entry)
                )
            if self._has_bias(layer):
                at = self.at(layer, self.graph.spec.sizes[layer - 1] + 1)
                found[one(layer)] = self._circle(
                    one(layer), "constant", at, self.lettering.constant, self._one_tone(layer)
                )
        if self.backward:
            found[str(ERROR)] = self._error()
        return found

    def _circle(self, entry: str, kind: str, at: Point, marks: Marks, tone: Tone) -> Node:
        radius = self.radius * (SMALLER if kind == "constant" else 1)
        return circle(entry, kind, at, radius=radius, marks=marks, tone=tone)

    def _error(self) -> Node:
        at = ((self.graph.depth - 0.3) * self.gap, 0.0)
        return error_box(at, 1.6 * self.radius, self.lettering.letter("error"), Tone.LIT)

    def _tone(self, entry: Entry) -> Tone:
        if entry in self.shown.lit:
            return Tone.LIT
        return Tone.FAINT if self.backward else Tone.PLAIN

    def _one_tone(self, layer: int) -> Tone:
        of = self.shown.of
        if of is not None and of.base == BIAS and of.indices[0] == layer:
            return Tone.LIT
        return Tone.FAINT if self.backward else Tone.PLAIN

    # Edges

    def spans(self, layer: int) -> dict[str, tuple[Entry, Span]]:
        """The edges that leave ``layer``, from border to border."""
        found = {}
        for of in (*self.graph.weights(layer), *self.graph.biases(layer)):
            tail = one(layer) if of.base == BIAS else str(OUT[layer, of.indices[1]])
            unit, block = self.graph.reader(layer + 1, int(of.indices[-1]))
            start, end = self.nodes[tail], self.nodes[str(OUT[layer + 1, unit])]
            middle = (self.graph.spec.activation_of(layer + 1).entry.pieces - 1) / 2
            found[str(of)] = of, aside(between(start, end), (block - middle) * APART)
        return found

    def _labelled_edges(self, layer: int) -> list[Entry]:
        of = self.shown.of
        if self.labelled(layer):
            return [*self.graph.weights(layer), *self.graph.biases(layer)]
        lit = [edge for edge in self.graph.weights(layer) if edge in self.shown.weights]
        if of is not None and not is_trained(of) and int(of.indices[0]) == layer:
            return [of]
        return lit if len(lit) <= (LIT_LABELLED if self.pitch >= ROOMY else 1) else []

    def edges(self, layer: int) -> list[Line]:
        """The edges that leave ``layer``, cut where labels lie on them."""
        found = self.spans(layer)
        marks = {str(of): self.lettering.entry(of) for of in self._labelled_edges(layer)}
        sizes = {name: size_of(m) for name, m in marks.items()}
        share = 1 / (self.graph.spec.fed[layer] + 1) if len(marks) > 1 else 0.4
        wished = (layer - 1 + share) * self.gap
        circles = self._in_the_way(layer)
        taken = [node.box for node in self.nodes.values()]
        places = place({name: span for name, (_, span) in found.items()}, sizes, wished, taken)
        labels = {
            name: Label(m, places[name], LETTERS, self._edge_tone(found[name][0]), name) for name, m in marks.items()
        }
        boxes = [label.box.grown(CLEAR) for label in labels.values()]
        return [
            Line(
                name,
                "weight" if of.base == WEIGHT else "bias",
                cut(span, boxes, circles),
                arrow=self.pitch >= ROOMY,
                label=labels.get(name),
                tone=self._edge_tone(of),
                width=self._width(of),
            )
            for name, (of, span) in found.items()
        ]

    def _in_the_way(self, layer: int) -> list[tuple[Point, float]]:
        """The circles that an edge from this layer may pass behind; it does not pass behind its own ends."""
        columns = ((layer - 1) * self.gap, layer * self.gap)
        return [(node.at, node.width / 2 - TOUCHING) for node in self.nodes.values() if node.at[0] in columns]

    def _edge_tone(self, of: Entry) -> Tone:
        if of in self.shown.weights:
            return Tone.LIT
        return Tone.FAINT if self.backward or self.pitch < ROOMY else Tone.PLAIN

    def _width(self, of: Entry) -> float:
        if of in self.shown.weights:
            return LIT_WIDTH
        return PLAIN_WIDTH if self.pitch >= ROOMY else FAINT_WIDTH

    def to_error(self) -> Iterator[Line]:
        """From every output to the error."""
        if not self.backward:
            return
        for unit in self.graph.units(self.graph.depth):
            out = OUT[self.graph.depth, unit]
            yield edge(self.nodes[str(out)], self.nodes[str(ERROR)], Wire(f"{ERROR}-{out}", "error", self._tone(out)))

    # What flows back

    def flows(self) -> Iterator[Line]:
        """Arrows beside the lit edges, from the error back to the unit that the weight feeds."""
        if not self.backward:
            return
        lit = [line for line in (*self._all_edges, *self.to_error()) if line.tone == Tone.LIT]
        # Of several edges from one unit to another, the outermost has the arrow beside it.
        lit = list({self._ends.get(line.entry, line.entry): line for line in lit}.values())
        if len(lit) > FLOWS_SHOWN:
            return
        for line in lit:
            if line.entry != str(self.shown.of):
                yield beside(line)

    @cached_property
    def _ends(self) -> dict[str, tuple[Entry, Entry]]:
        """The units that the edge of each weight leads from and to."""
        return {
            str(of): (OUT[of.indices[0], of.indices[1]], OUT[l + 1, self.graph.reader(l + 1, int(of.indices[2]))[0]])
            for l in range(1, self.graph.depth)
            for of in self.graph.weights(l)
        }

    @cached_property
    def deltas(self) -> tuple[Label, ...]:
        """δ beside every unit that it passes."""
        if not self.backward or self.shown.of is None:
            return ()
        lines = (*self._all_edges, *self.to_error(), *self.flows())
        spans = [Span(line.start, line.end) for line in lines if line.tone != Tone.FAINT]
        taken = [node.box for node in self.nodes.values()]
        taken += [line.label.box for line in lines if line.label is not None]
        labels = []
        for out in sorted(self.shown.outputs, key=lambda out: [int(i) for i in out.indices]):
            for delta in self._passed_at(out):
                labels.append(near(self.nodes[str(out)], self.lettering.entry(delta), str(delta), taken, spans))
                taken.append(labels[-1].box)
        return tuple(labels)

    def _passed_at(self, out: Entry) -> list[Entry]:
        """The δ at a unit that lie on a path: of a unit that the parameter feeds itself, that of what it feeds."""
        of = self.shown.of
        if of is None or int(out.indices[0]) <= int(of.indices[0]):
            return []
        pres = self.graph.read_by(out)
        if not is_trained(of) and int(out.indices[0]) == int(of.indices[0]) + 1:
            pres = [pre for pre in pres if pre.indices[1] == of.indices[-1]]
        return [DELTA[pre.indices] for pre in pres]

    # The whole

    @cached_property
    def _all_edges(self) -> tuple[Line, ...]:
        return tuple(line for layer in range(1, self.graph.depth) for line in self.edges(layer))

    def matrices(self) -> Iterator[Label]:
        """The name of the weight matrix over every gap whose weights have no labels of their own."""
        for layer in range(1, self.graph.depth):
            if not self.labelled(layer) and not self.backward:
                leaves = [Leaf(WEIGHT, layer, None, None)]
                leaves += [Leaf(BIAS, layer, None, None)] if self._has_bias(layer) else []
                marks = self.lettering.array(*leaves)
                (x, y), (u, v) = self.at(layer, 1), self.at(layer + 1, 1)
                rise = abs(v - y) / self.gap * width_of(marks) * 10 * POINT / 2
                yield Label(marks, ((x + u) / 2, (y + v) / 2 - 0.4 - rise), 10, entry=f"W[{layer}]")

    def group_frames(self) -> Iterator[Node]:
        """A frame around the outputs of each group function, which belong together."""
        for layer in range(2, self.graph.depth + 1):
            use = self.graph.spec.activation_of(layer)
            if use.entry.group:
                yield self._group_frame(layer, use.tag if layer == self.graph.depth else f"{use.tag}[{layer}]")

    def _group_frame(self, layer: int, name: str) -> Node:
        outputs = {str(OUT[layer, unit]) for unit in self.graph.units(layer)}
        deltas = {str(DELTA[layer, unit]) for unit in self.graph.units(layer)}
        boxes = [node.box for node in self.nodes.values() if node.entry in outputs]
        boxes += [label.box for label in self.deltas if label.entry in deltas]
        left, right = min(box.left for box in boxes) - 0.12, max(box.right for box in boxes) + 0.12
        top, bottom = min(box.top for box in boxes) - 0.12, max(box.bottom for box in boxes) + 0.12
        x, y = (left + right) / 2, (top + bottom) / 2
        function = self.lettering.function(self.graph.spec.activation_of(layer).tag)
        label = Label(function, (x, bottom + 0.25), LETTERS, entry=name)
        return Node(name, "group", (x, y), right - left, bottom - top, False, label)

    def picture(self, name: str, title: str, about: str) -> Picture:
        """The picture, moved so that its corner is the origin."""
        frames = tuple(self.group_frames())
        names = (*self.deltas, *(frame.label for frame in frames if frame.label is not None))
        on_edges = [line.label for line in self._all_edges if line.label is not None]
        return finished(
            Picture(
                name,
                title,
                about,
                nodes=tuple(self.nodes.values()),
                edges=tuple(cleared(line, names) for line in (*self._all_edges, *self.to_error())),
                arrows=tuple(cleared(line, (*names, *on_edges)) for line in self.flows()),
                labels=(*self.matrices(), *self.deltas),
                frames=frames,
            )
        )


def one(layer: int) -> str:
    """The constant 1 that feeds the biases leaving ``layer``."""
    return f"1[{layer}]"

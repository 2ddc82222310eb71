"""The layout of a whole network: a column of circles per layer, edges between them, labels where they can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.highlight import Highlight
from symbackprop.render.picture.marks import Lettering, Mark, Marks, height_of, width_of
from symbackprop.render.picture.placing import Span, cut, place
from symbackprop.render.picture.shapes import POINT, Box, Label, Line, Node, Picture, Point, Tone

TEXT_WIDTH = 15.0  # centimetres that a page has for the columns
WIDEST_GAP, NARROWEST_GAP = 4.6, 2.2
# Towards n units, all edges of a gap are equally far apart at one part in n + 1 of the way; a label needs this much.
ROOM = 0.4
LIT_LABELLED = 4  # a path with more edges than this in one gap has labels on none of them but the weight's own
ROOMY, TIGHT = 1.9, 0.95  # distances between the units of a layer
RADIUS, SMALL_RADIUS = 0.48, 0.38
SMALLER = 0.7  # the constant 1 beside a unit
CROWDED = 6  # units in a layer from which circles are small
LABEL_SIZES = (10, 9, 8, 7, 6)
LIT_WIDTH, PLAIN_WIDTH, FAINT_WIDTH = 1.4, 0.6, 0.35
FLOW = 0.16  # how far beside an edge its backward arrow runs
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
        return self.pitch >= ROOM * (self.graph.spec.sizes[layer] + 1) and not self.backward

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
                found[one(layer)] = self._circle(one(layer), "constant", at, (Mark("1"),), self._one_tone(layer))
        if self.backward:
            found[str(ERROR)] = self._error()
        return found

    def _circle(self, entry: str, kind: str, at: Point, marks: Marks, tone: Tone) -> Node:
        size = fitting(marks, 1.75 * self.radius)
        width = 2 * self.radius * (SMALLER if kind == "constant" else 1)
        return Node(entry, kind, at, width, width, True, Label(marks, at, size, tone, entry), tone)

    def _error(self) -> Node:
        marks, at = self.lettering.letter("error"), (self.graph.depth * self.gap - 0.3 * self.gap, 0.0)
        width = max(1.6 * self.radius, width_of(marks) * LABEL_SIZES[0] * POINT + 0.3)
        label = Label(marks, at, LABEL_SIZES[0], Tone.LIT, str(ERROR))
        return Node(str(ERROR), "error", at, width, 1.6 * self.radius, False, label, Tone.LIT)

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
            start, end = self.nodes[tail], self.nodes[str(OUT[layer + 1, of.indices[-1]])]
            found[str(of)] = of, Span(start.border(end.at), end.border(start.at))
        return found

    def _labelled_edges(self, layer: int) -> list[Entry]:
        of = self.shown.of
        if self.labelled(layer):
            return [*self.graph.weights(layer), *self.graph.biases(layer)]
        lit = [edge for edge in self.graph.weights(layer) if edge in self.shown.weights]
        if of is not None and int(of.indices[0]) == layer:
            return [of]
        return lit if len(lit) <= LIT_LABELLED else []

    def edges(self, layer: int) -> list[Line]:
        """The edges that leave ``layer``, cut where labels lie on them."""
        found = self.spans(layer)
        marks = {str(of): self.lettering.entry(of) for of in self._labelled_edges(layer)}
        sizes = {name: (width_of(m) * 9 * POINT, height_of(m) * 9 * POINT) for name, m in marks.items()}
        share = 1 / (self.graph.spec.sizes[layer] + 1) if len(marks) > 1 else 0.4
        wished = (layer - 1 + share) * self.gap
        near = [node.box for node in self.nodes.values()]
        places = place({name: span for name, (_, span) in found.items()}, sizes, wished, near)
        labels = {name: Label(m, places[name], 9, self._tone(found[name][0]), name) for name, m in marks.items()}
        boxes = [label.box.grown(0.04) for label in labels.values()]
        return [
            Line(
                name,
                "weight" if of.base == WEIGHT else "bias",
                cut(span, boxes),
                arrow=self.pitch >= ROOMY,
                label=labels.get(name),
                tone=self._edge_tone(of),
                width=LIT_WIDTH if of in self.shown.weights else self._plain_width(layer),
            )
            for name, (of, span) in found.items()
        ]

    def _edge_tone(self, of: Entry) -> Tone:
        tone = self._tone(of)
        return Tone.FAINT if tone == Tone.PLAIN and self.shown.of is not None and not self.labelled(1) else tone

    def _plain_width(self, layer: int) -> float:
        return PLAIN_WIDTH if self.labelled(layer) or self.pitch >= ROOMY else FAINT_WIDTH

    def to_error(self) -> Iterator[Line]:
        """From every output to the error."""
        if not self.backward:
            return
        error = self.nodes[str(ERROR)]
        for unit in self.graph.units(self.graph.depth):
            out = OUT[self.graph.depth, unit]
            node = self.nodes[str(out)]
            piece = (node.border(error.at), error.border(node.at))
            lit = out in self.shown.outputs
            width = LIT_WIDTH if lit else PLAIN_WIDTH
            yield Line(f"{ERROR}-{out}", "error", (piece,), arrow=True, tone=self._tone(out), width=width)

    # What flows back

    def flows(self) -> Iterator[Line]:
        """Arrows beside the lit edges, from the error back to the unit that the weight feeds."""
        if not self.backward:
            return
        lit = [line for line in (*self._all_edges, *self.to_error()) if line.tone == Tone.LIT]
        if len(lit) > FLOWS_SHOWN:
            return
        for line in lit:
            if line.entry != str(self.shown.of):
                yield beside(line)

    def deltas(self) -> Iterator[Label]:
        """δ above every unit that it passes."""
        if not self.backward:
            return
        for out in sorted(self.shown.outputs, key=lambda out: [int(i) for i in out.indices]):
            layer, unit = (int(i) for i in out.indices)
            if self.shown.of is not None and layer > int(self.shown.of.indices[0]):
                marks = self.lettering.entry(DELTA[layer, unit])
                x, y = self.at(layer, unit)
                at = (x, y - self.radius - height_of(marks) * 9 * POINT / 2 - 0.06)
                yield Label(marks, at, 9, Tone.BACK, str(DELTA[layer, unit]))

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
        """A frame around the outputs of a group function, which belong together."""
        use = self.graph.spec.activation_of(self.graph.depth)
        if use.entry.group:
            (x, top), (_, bottom) = (self.at(self.graph.depth, unit) for unit in (1, self.graph.spec.sizes[-1]))
            width, height = 2 * self.radius + 0.3, bottom - top + 2 * self.radius + 0.3
            label = Label(self.lettering.function(use.tag), (x, top - self.radius - 0.35), 9, entry=use.tag)
            yield Node(use.tag, "group", (x, (top + bottom) / 2), width, height, False, label)

    def picture(self, name: str, title: str, about: str) -> Picture:
        """The picture, moved so that its corner is the origin."""
        labels = (*self.matrices(), *self.deltas())
        on_edges = [line.label for line in self._all_edges if line.label is not None]
        blocking = [label.box.grown(0.03) for label in (*self.deltas(), *on_edges)]
        edges = tuple(cleared(line, blocking) for line in (*self._all_edges, *self.to_error()))
        drawn = Picture(
            name,
            title,
            about,
            0,
            0,
            tuple(self.nodes.values()),
            edges,
            tuple(cleared(line, blocking) for line in self.flows()),
            labels,
            tuple(self.group_frames()),
        )
        return finished(drawn)


def one(layer: int) -> str:
    """The constant 1 that feeds the biases leaving ``layer``."""
    return f"1[{layer}]"


def fitting(marks: Marks, width: float) -> int:
    """The largest size at which the marks are no wider than ``width``; the smallest there is, if none is."""
    return next((size for size in LABEL_SIZES if width_of(marks) * size * POINT <= width), LABEL_SIZES[-1])


def beside(line: Line) -> Line:
    """The backward arrow beside an edge."""
    span = Span(line.end, line.start)
    dx, dy = (line.end[0] - line.start[0]) / span.length, (line.end[1] - line.start[1]) / span.length
    start, end = ((x - FLOW * dy, y + FLOW * dx) for x, y in (span.at(0.04), span.at(0.96)))
    return Line(f"back-{line.entry}", "flow", ((start, end),), arrow=True, dashed=True, tone=Tone.BACK, width=0.8)


def cleared(line: Line, boxes: list[Box]) -> Line:
    """The line without the parts that lie under labels."""
    return replace(line, pieces=tuple(piece for a, b in line.pieces for piece in cut(Span(a, b), boxes)))

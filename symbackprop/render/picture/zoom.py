"""A picture of one unit at work: what it collects, its activation, what it sends on, and the δ that comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from symbackprop.calculus.indices import Entry
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, PRE, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.geometry import Point
from symbackprop.render.picture.left_out import dots, some
from symbackprop.render.picture.marks import Lettering
from symbackprop.render.picture.parts import Wire, beside, circle, cleared, edge, error_box, near
from symbackprop.render.picture.placing import Span
from symbackprop.render.picture.shapes import Label, Line, Node, Picture, Tone

COLUMNS = (0.0, 3.4, 6.2, 9.6)  # sources, z, a, the next layer's z or the error
PITCH, RADIUS, SMALLER = 1.5, 0.48, 0.7
SHARES = (0.24, 0.62)  # where on edges to the pieces of one unit their labels lie, by turns
SHOWN = 4  # units of a neighbouring layer up to which all of them are drawn


@dataclass(frozen=True)
class ZoomLayout:
    """Unit ``unit`` of ``layer``; the weight or bias ``of`` that feeds it, if there is one, is highlighted."""

    graph: ForwardGraph
    notation: Notation
    layer: int
    unit: int
    of: Entry | None = None

    @property
    def lettering(self) -> Lettering:
        return Lettering(self.notation)

    def column(self, column: int, units: list[int | None], extra: int = 0) -> Iterator[tuple[int | None, Point]]:
        """The places of the units in a column, centred, with room for ``extra`` more at the end."""
        for row, unit in enumerate([*units, *[0] * extra]):
            yield unit, (COLUMNS[column], (row - (len(units) - 1) / 2) * PITCH)

    def node(self, entry: Entry, kind: str, at: Point, tone: Tone = Tone.PLAIN) -> Node:
        return circle(str(entry), kind, at, radius=RADIUS, marks=self.lettering.entry(entry), tone=tone)

    # Forward

    @cached_property
    def pres(self) -> list[Node]:
        """What the unit reads: its pre-activation, or one for each of its pieces."""
        fed = self.graph.read_by(OUT[self.layer, self.unit])
        at = self.column(1, [int(pre.indices[1]) for pre in fed])
        return [self.node(PRE[self.layer, pre], "pre", place, Tone.LIT) for pre, place in at if pre is not None]

    @cached_property
    def sources(self) -> list[tuple[Node, list[Wire]]]:
        """The units of the layer before, the constant 1 and what they send; dots send nothing."""
        needed = int(self.of.indices[1]) if self.of is not None and self.of.base == WEIGHT else None
        units = some(self.graph.units(self.layer - 1), needed, SHOWN)
        biased = self.graph.spec.has_bias(self.layer - 1)
        found: list[tuple[Node, list[Wire]]] = []
        for unit, at in self.column(0, units, extra=int(biased)):
            if unit is None:
                found += [(each, []) for each in dots(f"before-{len(found)}", at, upright=True)]
                continue
            wires = list(self.sent(unit))
            tone = Tone.LIT if any(wire.tone == Tone.LIT for wire in wires) else wires[0].tone
            if unit:
                found.append((self.node(OUT[self.layer - 1, unit], "unit", at, tone), wires))
            else:
                constant = f"1[{self.layer - 1}]"
                node = circle(
                    constant, "constant", at, radius=SMALLER * RADIUS, marks=self.lettering.constant, tone=tone
                )
                found.append((node, wires))
        return found

    def sent(self, unit: int) -> Iterator[Wire]:
        """What a unit of the layer before, or the constant (0), sends to each piece."""
        for n, pre in enumerate(self.graph.read_by(OUT[self.layer, self.unit])):
            place = pre.indices[1]
            of = WEIGHT[self.layer - 1, unit, place] if unit else BIAS[self.layer - 1, place]
            tone = Tone.PLAIN if self.of is None else Tone.LIT if of == self.of else Tone.FAINT
            share = 0.45 if len(self.pres) == 1 else SHARES[n % len(SHARES)]
            yield Wire(str(of), "weight" if unit else "bias", tone, self.lettering.entry(of), share)

    @property
    def grouped(self) -> bool:
        """Whether the activation is a group function, which sends z to the outputs of all units."""
        return self.graph.spec.activation_of(self.layer).entry.group

    @cached_property
    def outs(self) -> list[tuple[Node, Wire | None]]:
        """The unit's own output, or those of the whole layer after a group function."""
        function = self.lettering.function(self.graph.spec.activation_of(self.layer).tag)
        whole = self.graph.units(self.layer) if self.grouped else (self.unit,)
        units = some(whole, self.unit, SHOWN)
        found: list[tuple[Node, Wire | None]] = []
        for unit, at in self.column(2, units):
            if unit is None:
                found += [(each, None) for each in dots(f"beside-{len(found)}", at, upright=True)]
                continue
            out = OUT[self.layer, unit]
            wire = Wire(str(out), "activation", Tone.LIT, function if unit == self.unit else ())
            found.append((self.node(out, "unit", at, Tone.LIT), wire))
        return found

    @cached_property
    def after(self) -> list[tuple[Node, Wire | None]]:
        """The pre-activations of the next layer; the error after the last."""
        if self.layer == self.graph.depth:
            box = error_box((COLUMNS[3], 0.0), 1.6 * RADIUS, self.lettering.letter("error"), Tone.LIT)
            return [(box, Wire(f"{ERROR}-out", "error", Tone.LIT))]
        found: list[tuple[Node, Wire | None]] = []
        for unit, at in self.column(3, some(self.graph.fed(self.layer + 1), None, SHOWN)):
            if unit is None:
                found += [(each, None) for each in dots(f"after-{len(found)}", at, upright=True)]
                continue
            of = WEIGHT[self.layer, self.unit, unit]
            wire = Wire(str(of), "weight", Tone.LIT, self.lettering.entry(of), 0.55)
            found.append((self.node(PRE[self.layer + 1, unit], "pre", at, Tone.LIT), wire))
        return found

    @cached_property
    def forward(self) -> tuple[list[Line], list[Line]]:
        """The edges into the unit, and those from its pre-activation on."""
        into = [
            edge(node, pre, wire) for node, wires in self.sources for pre, wire in zip(self.pres, wires, strict=False)
        ]
        onward = []
        for n, pre in enumerate(self.pres):
            for node, wire in self.outs:
                if wire:
                    marks = wire.marks if n == 0 else ()
                    onward.append(edge(pre, node, replace(wire, entry=f"{wire.entry}-{pre.entry}", marks=marks)))
        for out, sent in self.outs:
            for node, wire in self.after:
                if sent and wire:
                    entry = f"{ERROR}-{out.entry}" if wire.kind == "error" else wire.entry
                    onward.append(edge(out, node, Wire(entry, wire.kind, wire.tone, wire.marks, wire.share)))
        return into, onward

    # Backward

    def deltas(self, lines: list[Line], nodes: list[Node]) -> Iterator[Label]:
        """δ of the unit and of the units that it feeds."""
        taken = [node.box for node in nodes] + [line.label.box for line in lines if line.label is not None]
        spans = [Span(line.start, line.end) for line in lines]
        fed = {f"{PRE[self.layer + 1, k]}": DELTA[self.layer + 1, k] for k in self._fed()}
        own = {str(pre): DELTA[pre.indices] for pre in self.graph.read_by(OUT[self.layer, self.unit])}
        for entry, delta in {**own, **fed}.items():
            node = next((node for node in nodes if node.entry == entry), None)
            if node is not None:
                label = near(node, self.lettering.entry(delta), str(delta), taken, spans)
                taken.append(label.box)
                yield label

    def _fed(self) -> range:
        return self.graph.fed(self.layer + 1) if self.layer < self.graph.depth else range(0)

    def picture(self, name: str, title: str, about: str) -> Picture:
        """The picture, moved so that its corner is the origin."""
        into, onward = self.forward
        nodes = [node for node, _ in (*self.sources, *((pre, None) for pre in self.pres), *self.outs, *self.after)]
        flows = [beside(line) for line in onward]
        deltas = tuple(self.deltas([*into, *onward, *flows], nodes))
        on_edges = [line.label for line in (*into, *onward) if line.label is not None]
        crossed = on_edges if len(self.pres) > 1 else []
        return finished(
            Picture(
                name,
                title,
                about,
                nodes=tuple(nodes),
                edges=tuple(
                    cleared(line, [*deltas, *(label for label in crossed if label is not line.label)])
                    for line in (*into, *onward)
                ),
                arrows=tuple(cleared(line, (*deltas, *on_edges)) for line in flows),
                labels=deltas,
            )
        )

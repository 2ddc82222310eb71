"""A picture of a large network: one block per layer with its size, arrows with the names of the arrays."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

from symbackprop.calculus.indices import Base
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, ERROR, OUT, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.left_out import dots, some
from symbackprop.render.picture.marks import Lettering, Mark, Marks
from symbackprop.render.picture.parts import LABEL_SIZES, LETTERS, Wire, edge, error_box
from symbackprop.render.picture.shapes import Label, Line, Node, Picture

WIDTH, STEP = 1.2, 2.9
HEIGHT, GROWTH = 0.9, 0.45  # a block is taller the more units it has: so much for every factor of ten
ERROR_HEIGHT = 0.8
SHOWN = 5  # layers up to which every one has its block
BESIDE = 0.26  # how far a name stands from its arrow or block


@dataclass(frozen=True)
class BlockLayout:
    """The layers of ``graph`` as blocks, from the input to the error."""

    graph: ForwardGraph
    notation: Notation

    @property
    def lettering(self) -> Lettering:
        return Lettering(self.notation)

    def block(self, layer: int, x: float) -> Node:
        """The block of a layer, with the name of its output."""
        size = self.graph.spec.sizes[layer - 1]
        marks = self._array(OUT, layer)
        label = Label(marks, (x, 0.0), LABEL_SIZES[0], entry=f"layer[{layer}]")
        return Node(f"layer[{layer}]", "block", (x, 0.0), WIDTH, HEIGHT + GROWTH * log10(size), False, label)

    def _array(self, base: Base, layer: int) -> Marks:
        return self.lettering.array(Leaf(base, layer, None, None))

    def about(self, node: Node, layer: int) -> list[Label]:
        """The activation's name above a block, its number of units below."""
        x, away = node.at[0], node.height / 2 + BESIDE
        labels = [Label((Mark(str(self.graph.spec.sizes[layer - 1])),), (x, away), LETTERS, entry=f"n[{layer}]")]
        if layer > 1:
            name = self.lettering.function(self.graph.spec.activation_of(layer).tag)
            labels.append(Label(name, (x, -away), LETTERS, entry=f"f[{layer}]"))
        return labels

    def arrays(self, line: Line, layer: int) -> list[Label]:
        """The weights above an arrow, the biases below."""
        x = (line.start[0] + line.end[0]) / 2
        labels = [Label(self._array(WEIGHT, layer), (x, -BESIDE), LETTERS, entry=f"W[{layer}]")]
        if self.graph.spec.has_bias(layer):
            labels.append(Label(self._array(BIAS, layer), (x, BESIDE), LETTERS, entry=f"b[{layer}]"))
        return labels

    def picture(self, name: str, title: str, about: str) -> Picture:
        """The picture, moved so that its corner is the origin."""
        nodes: list[Node] = []
        edges: list[Line] = []
        labels: list[Label] = []
        before: Node | None = None
        shown = some(range(1, self.graph.depth + 1), None, SHOWN)
        for place, layer in enumerate(shown):
            x = place * STEP
            gap = Node("gap", "gap", (x, 0.0), 0.7, 0.7)
            node = gap if layer is None else self.block(layer, x)
            nodes += dots("left-out", gap.at, upright=False) if layer is None else [node]
            labels += [] if layer is None else self.about(node, layer)
            if before is not None:
                leaves = layer - 1 if layer is not None else (shown[place - 1] or 0)
                # Arrows into and out of the dots carry the names of the first and last arrays left out.
                edges.append(edge(before, node, Wire(f"W[{leaves}]", "array")))
                labels += self.arrays(edges[-1], leaves)
            before = node
        error = error_box((len(shown) * STEP - 0.4, 0.0), ERROR_HEIGHT, self.lettering.letter("error"))
        assert before is not None
        edges.append(edge(before, error, Wire(f"{ERROR}-out", "error")))
        return finished(Picture(name, title, about, nodes=(*nodes, error), edges=tuple(edges), labels=tuple(labels)))

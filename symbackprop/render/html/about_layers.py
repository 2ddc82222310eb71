"""What a page says about the parts of any network; where the picture has blocks, equations between arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.derivation.steps import Step
from symbackprop.network.quantities import ERROR, OUT, WEIGHT
from symbackprop.render.equations import EquationWriter
from symbackprop.render.html.about import About, AboutWriter, written_singly
from symbackprop.render.html.about_folded import FoldedAboutWriter
from symbackprop.render.html.mathml import mathml
from symbackprop.render.picture.draw import is_large
from symbackprop.render.wording import words


def abouts(writer: EquationWriter) -> Iterator[About]:
    """What there is to say about each part of the picture of the network."""
    derivation = writer.derivation
    if written_singly(derivation):
        return AboutWriter(writer)()
    return LayerAboutWriter(writer)() if is_large(derivation.graph) else FoldedAboutWriter(writer)()


@dataclass(frozen=True)
class LayerAboutWriter(AboutWriter):
    """Writes of each layer, and of the weights between two, the equations between arrays for one example."""

    @cached_property
    def steps(self) -> dict[str, Step]:
        """The equations between arrays by label."""
        layout = self.writer.notation.profile.layout(batch=False)
        return {step.label: step for step in self.writer.derivation.matrix(layout).steps}

    def __call__(self) -> Iterator[About]:
        """Every layer and all arrays of weights."""
        sizes = self.writer.derivation.graph.spec.sizes
        for layer, size in enumerate(sizes, start=1):
            labels = [f"matrix.{name}.{layer}" for name in ("z", "a", "delta")] if layer > 1 else []
            spoken = words("about", "layer", layer=layer, size=size)
            yield self.about(f"layer[{layer}]", spoken, Leaf(OUT, layer, None, None), labels, self.behind(layer))
        for layer in range(1, len(sizes)):
            spoken = words("about", "array", layer=layer, next=layer + 1, size=sizes[layer - 1] * sizes[layer])
            count = prod(sizes[layer + 1 :])
            labels = [f"matrix.dw.{layer}", f"matrix.db.{layer}", f"matrix.delta.{layer + 1}"]
            spoken += words("about", "paths_each", count=count)
            lit = (f"W[{layer}]", f"b[{layer}]", *self.behind(layer + 1))
            yield self.about(f"W[{layer}]", spoken, Leaf(WEIGHT, layer, None, None), labels, lit)

    def about(self, entry: str, spoken: str, of: Leaf, labels: list[str], lit: tuple[str, ...]) -> About:
        """What the equations with these labels say about the array ``of``."""
        title = mathml(self.writer.printed(of).text)
        steps = [self.steps[label] for label in labels if label in self.steps]
        printed = [(self.writer.printed(step.left), self.writer.printed(step.right)) for step in steps]
        lines = [(mathml(left.text, display=True), *self._line("=", right)) for left, right in printed]
        return About(entry, spoken, title, tuple(lines), lit, (), "", "", 1, tuple(step.label for step in steps))

    def behind(self, layer: int) -> tuple[str, ...]:
        """A layer and all that follows it."""
        layers = range(layer, self.writer.derivation.graph.depth + 1)
        of_layers = (f"{name}[{l}]" for l in layers for name in ("layer", "n", "f", "W", "b"))
        return (*of_layers, str(ERROR), f"{ERROR}-out")

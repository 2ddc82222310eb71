"""What a page says about the parts of a network too large for lines of each: any unit's equation at this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from sympy import Expr, Integer

from symbackprop.calculus.indices import Entry, index, put_in
from symbackprop.calculus.inert import Partial
from symbackprop.derivation.final import final_delta
from symbackprop.derivation.paths import choices
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, PRE, SIZE, WEIGHT
from symbackprop.render.html.about import About, AboutWriter
from symbackprop.render.html.signs import as_written
from symbackprop.render.picture.highlight import highlight
from symbackprop.render.wording import words

I, J, K = map(index, "ijk")
MOST = 700  # weights and biases; where there are more, only units and δ are selected


@dataclass(frozen=True)
class FoldedAboutWriter(AboutWriter):
    """Writes of each part what any unit's equation says of it."""

    def shown(self) -> list[Entry]:
        """Every weight and bias, as far as a page can hold them."""
        parameters = super().shown()
        return parameters if len(parameters) <= MOST else []

    def parameter(self, of: Entry) -> About:
        """A weight or a bias: δ times what it carries, and how many paths that stands for."""
        layer, unit = int(of.indices[0]), int(of.indices[-1])
        step = self.writer.derivation.by_label[f"gradient.{of.base.label}.{layer}"]
        put = {I: of.indices[1], J: of.indices[-1]}
        kind = "weight" if of.base == WEIGHT else "bias"
        names = {"address": str(of), "from": of.indices[1], "to": unit, "layer": layer}
        source = (str(OUT[layer, of.indices[1]]),) if of.base == WEIGHT else ()
        return About(
            str(of),
            words("about", kind, **names, next=layer + 1) + words("about", "paths", count=self.ways(layer)),
            self._signed(of)[0],
            (*self._lines(put_in(step.right, put), put_in(step.left, put)), *self.recursion(layer + 1, unit)),
            (str(of), *source),
            (),
            "",
            *self._signed(of),
            (step.label,),
            self.passed(layer + 1, unit),
        )

    def unit(self, layer: int, unit: int) -> About:
        """An input, or a unit: its pre-activation and its output."""
        about = replace(super().unit(layer, unit), live="")
        if layer == 1:
            return about
        pre, out = f"forward.z.{layer}", f"forward.a.{layer}"
        read = [int(each.indices[1]) for each in self.writer.derivation.graph.read_by(OUT[layer, unit])]
        lines = [line for place in read for line in self.said(pre, layer, place)]
        return replace(about, lines=(*lines, *self.said(out, layer, unit)), equations=(pre, out))

    def delta(self, layer: int, pre: int) -> About:
        """δ of a pre-activation: where it comes from."""
        entry, graph = DELTA[layer, pre], self.writer.derivation.graph
        definition = as_written(self.writer.notation.profile, Partial(ERROR, PRE[layer, pre]))[1]
        return About(
            str(entry),
            words("about", "delta", address=str(entry), unit=graph.reader(layer, pre)[0], layer=layer),
            self._title(definition),
            self.recursion(layer, pre),
            (str(entry),),
            (),
            "",
            *self._signed(entry),
            (self.final(layer, pre)[0],),
            self.passed(layer, pre),
        )

    def ways(self, layer: int) -> int:
        """The number of paths from a weight or a bias that leaves ``layer`` to the error."""
        if layer not in self._ways:
            graph = self.writer.derivation.graph
            self._ways[layer] = prod(map(len, choices(graph, WEIGHT[layer, 1, 1])))
        return self._ways[layer]

    def recursion(self, layer: int, pre: int) -> tuple[tuple[str, ...], ...]:
        """The formula of δ of a pre-activation."""
        if (layer, pre) not in self._recursions:
            own = as_written(self.writer.notation.profile, DELTA[layer, pre])[1]
            label, units = self.final(layer, pre)
            right = self.at(layer, self.writer.derivation.by_label[label].right, units)
            self._recursions[layer, pre] = tuple(self._lines(right, own))
        return self._recursions[layer, pre]

    def final(self, layer: int, pre: int) -> tuple[str, dict[Expr, int]]:
        """The label of the step that ends with δ of a pre-activation, and the units that it is about."""
        derivation = self.writer.derivation
        step, units = final_delta(derivation.graph, derivation.scalar.general, DELTA[layer, pre])
        return step.label, units

    def said(self, label: str, layer: int, unit: int) -> Iterator[tuple[str, ...]]:
        """The equation of any unit, with this one's number."""
        step, units = self.writer.derivation.by_label[label], dict.fromkeys((J, K), unit)
        yield from self._lines(self.at(layer, step.right, units), self.at(layer, step.left, units))

    def at(self, layer: int, expr: Expr, units: Mapping[Expr, int]) -> Expr:
        """An equation of any unit of a layer at these units; where a unit has several pieces, at their places."""
        spec = self.writer.derivation.graph.spec
        fed, size = spec.fed[layer - 1], spec.sizes[layer - 1]
        put = {index: Integer(unit) for index, unit in units.items()}
        return put_in(expr, put | ({SIZE[layer]: Integer(size)} if fed != size else {}))

    def passed(self, layer: int, unit: int) -> tuple[str, ...]:
        """What lies between a unit and the error."""
        if (layer, unit) not in self._passed:
            found = highlight(self.writer.derivation.graph, BIAS[layer - 1, unit])
            self._passed[layer, unit] = tuple(sorted(str(entry) for entry in found.lit if entry != found.of))
        return self._passed[layer, unit]

    # What many have in common is found once.

    @cached_property
    def _passed(self) -> dict[tuple[int, int], tuple[str, ...]]:
        return {}

    @cached_property
    def _recursions(self) -> dict[tuple[int, int], tuple[tuple[str, ...], ...]]:
        return {}

    @cached_property
    def _ways(self) -> dict[int, int]:
        return {}

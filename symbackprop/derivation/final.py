"""Where a derivation states δ of a layer in its final form: one step for all units, or one for each of their pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.output import OTHER
from symbackprop.derivation.steps import Step
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.layers import part
from symbackprop.network.quantities import DELTA, LAYER, OUTPUT_UNIT, TO


@dataclass(frozen=True)
class FinalDelta:
    """``step.right`` is ``of``, δ at the unit ``index`` of its layer."""

    step: Step
    of: Entry
    index: Symbol


def final_deltas(graph: ForwardGraph, general: Mapping[str, Step], layer: int) -> Iterator[FinalDelta]:
    """The final form of δ of ``layer``, by piece; ``general`` finds the steps by label."""
    entry, at_output = graph.spec.activation_of(layer).entry, layer == graph.depth
    index = OTHER if entry.group else OUTPUT_UNIT if at_output else TO
    parts = graph.spec.loss.entry.parts
    if at_output and parts > 1:
        for block in range(parts):
            place = part(index, block, parts).xreplace({LAYER: Integer(layer)})
            yield FinalDelta(general[f"output.piece.{block}.delta"], DELTA[layer, place], index)
        return
    if entry.pieces > 1:
        for block, pre in enumerate(graph.out[layer].parents):
            label = f"output.piece.{block}.delta" if at_output else f"delta.{layer}.piece.{block}"
            yield FinalDelta(general[label], DELTA[pre.indices], index)
        return
    labels = ("output.delta",) if at_output else (f"delta.{layer}.output", f"delta.{layer}")
    yield FinalDelta(next(general[label] for label in labels if label in general), DELTA[layer, index], index)


def final_delta(graph: ForwardGraph, general: Mapping[str, Step], of: Entry) -> tuple[Step, dict[Expr, int]]:
    """The step that states δ of the individual entry ``of``, and the units at which its right side is that δ."""
    layer, place = map(int, of.indices)
    unit, block = graph.within_block(layer, place)
    found = list(final_deltas(graph, general, layer))[block]
    return found.step, {found.index: unit}

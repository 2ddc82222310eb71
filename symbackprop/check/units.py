"""The free indices of an equation, and the units that each runs over."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr, KroneckerDelta, Symbol

from symbackprop.calculus.indices import Entry, InBlock
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIASES, DELTA, EXAMPLE, PRE, WEIGHTS


def free_indices(sides: Iterable[Expr], graph: ForwardGraph) -> dict[Symbol, range]:
    """The free unit indices of an equation, by name, and the units that each runs over."""
    found: dict[Symbol, range] = {}
    for side in sides:
        for entry in sorted(side.atoms(Entry), key=str):
            for i, units in zip(unit_indices(entry), unit_ranges(entry, graph), strict=False):
                if isinstance(i, InBlock):
                    i, units = i.unit, range(1, graph.block(int(entry.indices[0])) + 1)
                if isinstance(i, Symbol) and i in side.free_symbols and i != EXAMPLE:
                    found.setdefault(i, units)
        for delta in sorted(side.atoms(KroneckerDelta), key=str):
            for i, j in (delta.args, delta.args[::-1]):
                if j in found and i in side.free_symbols:
                    found.setdefault(i, found[j])
    return {i: found[i] for i in sorted(found, key=str)}


def unit_indices(entry: Entry) -> tuple[Expr, ...]:
    """The indices of an entry without its layer."""
    return tuple(entry.indices[1:] if entry.base.layered else entry.indices)


def unit_ranges(entry: Entry, graph: ForwardGraph) -> list[range]:
    """The units that each index of the entry runs over."""
    if not entry.base.layered:
        return [range(1, graph.spec.targets_count + 1)]
    if not entry.indices[0].is_Integer:
        return []
    layer = int(entry.indices[0])
    if entry.base in WEIGHTS:
        return [graph.units(layer), graph.fed(layer + 1)]
    if entry.base in BIASES:
        return [graph.fed(layer + 1)]
    return [graph.fed(layer) if entry.base in (PRE, DELTA) else graph.units(layer)]

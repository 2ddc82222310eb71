"""Chain-rule paths: every way from the error back to one weight, and the product of local derivatives along it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import prod

from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import ERROR, OUT, PRE

Path = tuple[Expr, ...]


def first_unit(of: Entry) -> tuple[int, int]:
    """The layer and the unit that the weight or bias ``of`` feeds."""
    return int(of.indices[0]) + 1, int(of.indices[-1])


def choices(graph: ForwardGraph, of: Entry) -> list[list[tuple[Expr, ...]]]:
    """The (pre-activation, output) pairs a path can pass at each layer, from the unit that ``of`` feeds to the output.

    A unit-by-unit activation leads from z_j to a_j alone; a group function leads from z_j to the output of every unit.
    """
    layer, unit = first_unit(of)
    passed: list[list[tuple[Expr, ...]]] = []
    for l in range(layer, graph.depth + 1):
        entered = [unit] if l == layer else list(graph.units(l))
        grouped = graph.spec.activation_of(l).entry.group
        passed.append([(PRE[l, j], OUT[l, k]) for j in entered for k in (graph.units(l) if grouped else [j])])
    return passed


def count_paths(graph: ForwardGraph, of: Entry) -> int:
    """The number of paths from ``of`` to the error."""
    return prod(len(at_layer) for at_layer in choices(graph, of))


def paths(graph: ForwardGraph, of: Entry) -> Iterator[Path]:
    """Every path, written from the error back: (E, a, z, a, …, z, weight)."""
    for steps in product(*choices(graph, of)):
        yield (ERROR, *(entry for pair in reversed(steps) for entry in reversed(pair)), of)


def chain(path: Path) -> Chain:
    """The chain rule along one path: ∂E/∂a · ∂a/∂z · … · ∂z/∂w."""
    return Chain(*(Partial(above, below) for above, below in pairwise(path)))

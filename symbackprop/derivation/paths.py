"""Chain-rule paths: every way from the error back to one parameter, and the product of local derivatives along it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import prod

from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import ERROR, OUT, PRE, is_trained

Path = tuple[Expr, ...]


def first_layer(of: Entry) -> int:
    """The layer of the first units that ``of`` acts on."""
    return int(of.indices[0]) + (not is_trained(of))


def first_unit(of: Entry) -> tuple[int, int]:
    """The layer and the unit that the weight or bias ``of`` feeds."""
    return int(of.indices[0]) + 1, int(of.indices[-1])


def choices(graph: ForwardGraph, of: Entry) -> list[list[tuple[Expr, ...]]]:
    """What a path can pass at each layer, from the one where ``of`` acts to the output: a pre-activation, an output.

    A pre-activation leads to the output of the one unit that reads it, or, of a group function, to that of every unit.
    A weight or bias acts on one pre-activation, a trained parameter of an activation on every output of its layer.
    """
    layer = first_layer(of)
    passed: list[list[tuple[Expr, ...]]] = []
    for l in range(layer, graph.depth + 1):
        entered = [first_unit(of)[1]] if l == layer and not is_trained(of) else list(graph.fed(l))
        grouped = graph.spec.activation_of(l).entry.group
        passed.append(
            [(PRE[l, j], OUT[l, k]) for j in entered for k in (graph.units(l) if grouped else [graph.reader(l, j)[0]])]
        )
    return [[(out,) for _, out in passed[0]], *passed[1:]] if is_trained(of) else passed


def acted_on(graph: ForwardGraph, of: Entry) -> list[Entry]:
    """The quantities through which alone ``of`` acts on the error.

    >>> from symbackprop.network.forward import forward_graph
    >>> from symbackprop.network.quantities import WEIGHT, TrainedBase
    >>> from symbackprop.network.read import network
    >>> graph = forward_graph(network("2-3-1", activation="prelu", loss="mse"))
    >>> acted_on(graph, WEIGHT[1, 1, 2]), acted_on(graph, TrainedBase("alpha")[2])
    ([z2[2]], [a1[2], a2[2], a3[2]])
    """
    return list(dict.fromkeys(entries[0] for entries in choices(graph, of)[0]))


def first_links(graph: ForwardGraph, of: Entry) -> list[Chain]:
    """The chain rule over those quantities alone: ∂E/∂v · ∂v/∂w for each v on which ``of`` acts."""
    return [Chain(Partial(ERROR, passed), Partial(passed, of)) for passed in acted_on(graph, of)]


def count_paths(graph: ForwardGraph, of: Entry) -> int:
    """The number of paths from ``of`` to the error."""
    return prod(len(at_layer) for at_layer in choices(graph, of))


def paths(graph: ForwardGraph, of: Entry) -> Iterator[Path]:
    """Every path, written from the error back: (E, a, z, a, …, z, weight), or (E, a, z, …, a, trained parameter)."""
    for steps in product(*choices(graph, of)):
        yield (ERROR, *(entry for passed in reversed(steps) for entry in reversed(passed)), of)


def chain(path: Path) -> Chain:
    """The chain rule along one path: ∂E/∂a · ∂a/∂z · … · ∂z/∂w."""
    return Chain(*(Partial(above, below) for above, below in pairwise(path)))

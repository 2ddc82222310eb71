"""What of a network lies on the paths from one parameter to the error."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.paths import choices
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import OUT, WEIGHT


@dataclass(frozen=True)
class Highlight:
    """The parameter ``of``, every weight on its paths to the error, and the outputs they pass."""

    of: Entry | None = None
    weights: frozenset[Entry] = frozenset()
    outputs: frozenset[Entry] = frozenset()

    @property
    def lit(self) -> frozenset[Entry]:
        """Every weight, bias and output that is highlighted."""
        return self.weights | self.outputs


def highlight(graph: ForwardGraph, of: Entry | None) -> Highlight:
    """The union of all paths from ``of`` to the error, found layer by layer: there may be too many to list.

    >>> from symbackprop.network.forward import forward_graph
    >>> from symbackprop.network.read import network
    >>> found = highlight(forward_graph(network("2-3-1", activation="g", loss="mse")), WEIGHT[1, 1, 2])
    >>> sorted(map(str, found.weights)), sorted(map(str, found.outputs))
    (['w12[1]', 'w21[2]'], ['a1[3]', 'a2[2]', 'x1'])
    """
    if of is None:
        return Highlight()
    passed = choices(graph, of)
    weights, outputs = {of}, {at_unit[-1] for at_layer in passed for at_unit in at_layer}
    for before, after in pairwise(passed):
        for (*_, out), (pre, _) in product(before, after):
            weights.add(WEIGHT[out.indices[0], out.indices[1], pre.indices[1]])
    if of.base == WEIGHT:
        outputs.add(OUT[of.indices[0], of.indices[1]])
    return Highlight(of, frozenset(weights), frozenset(outputs))

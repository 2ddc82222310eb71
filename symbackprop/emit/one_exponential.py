"""e^-|u| and e^min(u, 0) of one number take one exponential."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symbackprop.emit.program import Assign, Node, Op, Var, free_name, replaced, walk
from symbackprop.emit.several import ONE, ZERO


def with_one_exponential(lines: Iterable[Assign], taken: set[str]) -> Iterator[Assign]:
    """e^min(u, 0) is e^-|u| where u < 0, and 1 elsewhere: where both are computed of a number u, one is.

    >>> u = Var("u")
    >>> both = Op("add", tuple(map(exponentials(u).__getitem__, (0, 1))))
    >>> [line.name for line in with_one_exponential([Assign("s", both)], set())]
    ['exp_u', 's']
    """
    lines = list(lines)
    nodes = {node for line in lines for node in walk(line.node)}
    own = {line.node: line for line in lines}
    waiting = [node for node in nodes if isinstance(node, Var) and nodes.issuperset(exponentials(node))]
    known: dict[Node, Node] = {}
    for line in lines:
        inside = set(walk(line.node))
        for u in [u for u in waiting if not inside.isdisjoint(exponentials(u))]:
            waiting.remove(u)
            decaying, bounded = exponentials(u)
            first = own.get(decaying) or Assign(free_name(f"exp_{u.name}", taken), decaying)
            taken.add(first.name)
            known |= {decaying: Var(first.name), bounded: Op("where", (Op("less", (u, ZERO)), Var(first.name), ONE))}
            yield first
        if replaced(line.node, known) != Var(line.name):
            yield replace(line, node=replaced(line.node, known))


def exponentials(u: Var) -> tuple[Node, Node]:
    """The nodes of e^-|u| and of e^min(u, 0)."""
    return Op("exp", (Op("negative", (Op("abs", (u,)),)),)), Op("exp", (Op("minimum", (u, ZERO)),))

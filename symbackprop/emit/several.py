"""Lines written out number by number, for one example and for several: where sums over examples are left out or cut."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sympy import Integer

from symbackprop.emit.program import Assign, Node, Number, Op, Reduce, Var, free_name, parts, replaced, walk, with_parts
from symbackprop.emit.unrolled import together
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.quantities import BATCH

ZERO, ONE = Number(Integer(0)), Number(Integer(1))


def in_one(node: Node) -> Node:
    """``node`` for one example: a sum over the examples is its only term, their number is 1.

    >>> in_one(Op("divide", (Reduce("sum", Var("d"), "rows"), Number(BATCH))))
    Var(name='d')
    """
    match node:
        case Reduce(_, of, _):
            return in_one(of)
        case Number(value):
            return ONE if value == BATCH else node
    new = tuple(map(in_one, parts(node)))
    match node:
        case Op("divide", _) if new[1] == ONE:
            return new[0]
        case Op("multiply", _) if ONE in new:
            return together("multiply", [part for part in new if part != ONE] or [ONE])
    return with_parts(node, new)


@dataclass(frozen=True)
class Several:
    """What is computed of several examples: ``lines`` for each, ``sums`` that each adds to, and lines ``after`` all."""

    lines: list[Assign]
    sums: list[Assign]
    after: list[Assign]


def over_several(lines: Iterable[Assign], given: Collection[str], taken: Collection[str]) -> Several:
    """The lines cut at their sums over the examples; raises ``UnsupportedExpression`` if they cannot be cut.

    ``given`` are the numbers that come with each example, ``taken`` names not to use. A sum has the name of the line
    that it is in, which is computed from it after all examples.
    """
    found = Several([], [], [])
    late: set[str] = set()
    names = set(taken)
    for line in lines:
        sums = list(dict.fromkeys(node for node in walk(line.node) if isinstance(node, Reduce)))
        known: dict[Node, Var] = {}
        for node in sums:
            name = line.name if not known else free_name(line.name, names)
            names.add(name)
            known[node] = Var(name)
            found.sums.append(Assign(name, node.of, line.label if not known else None))
        rest = replaced(line.node, known)
        read = {n.name for n in walk(rest) if isinstance(n, Var)} - {each.name for each in known.values()}
        if any(each.name in late for node in sums for each in walk(node) if isinstance(each, Var)):
            raise UnsupportedExpression("a sum over the examples follows from another one")
        if sums or read & late:
            late.add(line.name)
            if rest != Var(line.name):
                found.after.append(replace(line, node=rest))
        else:
            found.lines.append(line)
    of_each = {*given, *(line.name for line in found.lines)}
    if any(isinstance(n, Var) and n.name in of_each for line in found.after for n in walk(line.node)):
        raise UnsupportedExpression("what is computed of each example is needed after all of them")
    return found

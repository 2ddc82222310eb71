"""A common divisor of all gradients, taken into the first δ: every later line is linear in δ and carries it along.

Dividing the gradient of each weight array by the number of examples costs a pass over every weight; dividing δ of the
output layer costs one over the outputs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symbackprop.emit.program import (
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Op,
    Program,
    Reduce,
    Transposed,
    Var,
    parts,
    walk,
)


def degree(node: Node, names: Collection[str]) -> int | None:
    """1 where ``node`` is linear in the values ``names`` taken together, 0 where it has none of them, else None.

    >>> back = MatMul(Var("delta3"), Transposed(Var("W2")))
    >>> degree(back, {"delta3"}), degree(Op("power", (back, Var("p"))), {"delta3"}), degree(back, {"delta2"})
    (1, None, 0)
    """
    if not any(isinstance(n, Var) and n.name in names for n in walk(node)):
        return 0
    degrees = [degree(part, names) for part in parts(node)]
    match node:
        case Var() | Transposed() | Columns() | Joined() | Reduce("sum", _, _) | Op("negative", _):
            return 1 if all(d == 1 for d in degrees) else None
        case Op("add", _):
            return 1 if set(degrees) == {1} else None
        case MatMul() | Op("multiply", _):
            return 1 if sorted(map(str, degrees)) == sorted(["1", *["0"] * (len(degrees) - 1)]) else None
        case Op("divide", _):
            return 1 if degrees == [1, 0] else None
    return None


def divided_at_the_output(program: Program, divisor: Node) -> tuple[Assign, ...]:
    """The lines of ``program`` with δ of the output divided by ``divisor`` in place of every gradient.

    The lines stay as they are unless each gradient divides all that it takes from the δ, and whatever else is computed
    from the δ is linear in them.
    """
    divided: set[str] = set()
    lines: list[Assign] = []
    for line in program.lines:
        node = line.node
        order = degree(node, divided)
        if line.name in program.gradients.values():
            found = undivided(node, divided, divisor)
            if found is None:
                return program.lines
            node = found
        elif order is None or (order == 1 and line.name == program.loss):
            return program.lines
        elif order == 1:
            divided.add(line.name)
        elif line.name in program.deltas:
            divided.add(line.name)
            node = divided_by(node, divisor)
        lines.append(replace(line, node=node))
    return tuple(lines)


def divided_by(node: Node, divisor: Node) -> Node:
    """``node`` divided; a fraction below the line, where there may be a column only."""
    match node:
        case Op("divide", (above, below)):
            return Op("divide", (above, Op("multiply", (below, divisor))))
    return Op("divide", (node, divisor))


def undivided(node: Node, divided: Collection[str], divisor: Node) -> Node | None:
    """``node`` without the division of its terms in ``divided``; None where such a term is not divided."""
    match node:
        case Op("divide", (above, below)) if below == divisor and degree(above, divided) == 1:
            return above
        case Op("add" | "negative", args):
            found = [undivided(arg, divided, divisor) for arg in args]
            terms = tuple(term for term in found if term is not None)
            return replace(node, args=terms) if len(terms) == len(args) else None
    return node if degree(node, divided) == 0 else None

"""Programs as nests of loops over entries: lines whose arrays have one shape stand in one nest where they can.

Lines are first cut until each is a matrix product of named arrays, a sum (or the greatest) of what is computed entry
by entry, or so computed itself. A value that no other nest reads is a number inside the loops, not an array.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.emit.program import (
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Reduce,
    Transposed,
    Var,
    free_name,
    layer_number,
    parts,
    stem_of,
    walk,
    with_parts,
)
from symbackprop.emit.shapes import Shape, shape

WHOLE = MatMul | Joined  # what computes arrays without a loop of ours


@dataclass(eq=False)
class Nest:
    """``lines`` over the entries of arrays of one ``shape`` (of numbers: no loop); None: a line without loops."""

    shape: Shape | None
    lines: list[Assign]


def nests(
    lines: Iterable[Assign], known: Mapping[str, Shape], taken: Collection[str]
) -> tuple[list[Nest], dict[str, Shape]]:
    """The ``lines`` in nests, in an order in which they can be carried out, and the shapes of all values.

    ``known`` are the shapes of what the caller hands in; new names are none of those ``taken``.

    >>> from symbackprop.emit.program import Op
    >>> line = Assign("a2", Op("tanh", (Op("add", (MatMul(Var("x"), Var("W1")), Var("b1"))),)))
    >>> found, _ = nests([line], {"x": (None, 2), "W1": (2, 3), "b1": (3,)}, [])
    >>> [(nest.shape, [each.name for each in nest.lines]) for nest in found]
    [(None, ['product1']), ((None, 3), ['a2'])]
    """
    lines = list(lines)
    cut = _Cutter(dict(known), {*taken, *(line.name for line in lines)})
    for line in lines:
        cut.keep(line)
    plan = _Plan(cut.known)
    for line in cut.done:
        plan.place(line)
    return plan.nests, cut.known


@dataclass
class _Cutter:
    """Collects the lines cut; ``known`` are the shapes of all that has a name."""

    known: dict[str, Shape]
    taken: set[str]
    done: list[Assign] = field(default_factory=list)

    def keep(self, line: Assign) -> None:
        """Appends a line, behind those cut out of it."""
        node = self.within(line.node)
        self.known[line.name] = shape(node, self.known)
        self.done.append(replace(line, node=node))

    def within(self, node: Node) -> Node:
        """``node`` with names for the products and sums inside it, and for the arrays that it takes whole."""
        cut = self.array if isinstance(node, WHOLE | Columns | Transposed) else self.entry
        return with_parts(node, tuple(map(cut, parts(node))))

    def entry(self, node: Node) -> Node:
        """A part of what is computed entry by entry."""
        return self.named(node) if isinstance(node, WHOLE | Reduce) else self.within(node)

    def array(self, node: Node) -> Node:
        """An array taken whole: a named one, as it is or transposed."""
        return self.within(node) if isinstance(node, Transposed | Var) else self.named(node)

    def named(self, node: Node) -> Var:
        """The name of a line of its own for ``node``."""
        name = free_name(stem_of(node) + layer_number(node), self.taken)
        self.taken.add(name)
        self.keep(Assign(name, node))
        return Var(name)


@dataclass
class _Plan:
    """Nests so far; ``homes`` say which one computes a value, and whether the lines behind can read it there."""

    known: Mapping[str, Shape]
    nests: list[Nest] = field(default_factory=list)
    homes: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def place(self, line: Assign) -> None:
        """Puts a line into the first nest of its shape behind what it reads, or into a new one."""
        over = domain(line.node, self.known)
        first = max((self.earliest(name, over) for name in names_in(line.node) if name in self.homes), default=0)
        fitting = (at for at in range(first, len(self.nests)) if self.nests[at].shape == over is not None)
        if (at := next(fitting, len(self.nests))) == len(self.nests):
            self.nests.append(Nest(over, []))
        self.nests[at].lines.append(line)
        self.homes[line.name] = at, not isinstance(line.node, WHOLE | Reduce)

    def earliest(self, name: str, over: Shape | None) -> int:
        """The first nest in which a line over entries of shape ``over`` can read the value ``name``."""
        at, by_entry = self.homes[name]
        return at if by_entry and self.nests[at].shape == over else at + 1


def domain(node: Node, known: Mapping[str, Shape]) -> Shape | None:
    """The shape whose entries the loops for ``node`` go over; None where it has none."""
    if isinstance(node, WHOLE):
        return None
    return shape(node.of if isinstance(node, Reduce) else node, known)


def names_in(node: Node) -> set[str]:
    """The names that ``node`` reads."""
    return {n.name for n in walk(node) if isinstance(n, Var)}


def stored(found: Iterable[Nest], outputs: Collection[str]) -> set[str]:
    """The values that need an array: read by another nest than their own, or ``outputs``; so do all sums."""
    found = list(found)
    kept = set(outputs)
    for nest in found:
        own = {line.name for line in nest.lines}
        kept |= {name for line in nest.lines for name in names_in(line.node) - own}
        kept |= {line.name for line in nest.lines if isinstance(line.node, WHOLE | Reduce)}
    return kept

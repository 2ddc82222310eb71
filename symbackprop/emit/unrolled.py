"""A program over arrays written out number by number: a line for each entry, as one example needs it.

Each entry has a name of its own, ``a2_1`` or ``W1_21``. Sums over the examples stay sums over "rows", of numbers:
``in_one`` leaves them out, ``over_several`` cuts the lines where they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from sympy import Expr, Integer

from symbackprop.emit.program import (
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Op,
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
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.quantities import BATCH

Place = tuple[int, ...]
ZERO, ONE = Number(Integer(0)), Number(Integer(1))


@dataclass
class Unroller:
    """Writes lines out; ``shapes`` are those of all arrays, ``taken`` the names that entries must not have.

    ``numbers`` are arrays of which the entries are known.
    """

    shapes: dict[str, Shape]
    taken: set[str]
    numbers: Mapping[str, Sequence[Expr]] = field(default_factory=dict)
    names: dict[tuple[str, Place], str] = field(default_factory=dict)

    def __call__(self, lines: Iterable[Assign]) -> Iterator[Assign]:
        """A line for each entry, the first of an array with the label of the Step.

        >>> unroller = Unroller({"x": (None, 2), "W1": (2, 1)}, set())
        >>> [(line.name, len(line.node.args)) for line in unroller([Assign("z2", MatMul(Var("x"), Var("W1")))])]
        [('z2_1', 2)]
        """
        lines = list(lines)
        arrays = {line.name for line in lines} | self.shapes.keys()
        for whole in lines:
            for line in self.apart(whole, arrays):
                size = self.shapes[line.name] = shape(line.node, self.shapes)
                for first, at in enumerate(places(size)):
                    label = line.label if first == 0 else None
                    yield Assign(self.name(line.name, at), self.entry(line.node, at), label)

    def name(self, array: str, at: Place) -> str:
        """The name of one entry of an array."""
        if (array, at) not in self.names:
            sizes = self.shapes[array]
            units = [str(n + 1) for n, size in zip(at, sizes, strict=True) if size is not None]
            apart = "_" if any(size is not None and size > 9 for size in sizes) else ""
            name = f"{array}_{apart.join(units)}" if units else array
            self.names[array, at] = free_name(name, self.taken)
            self.taken.add(self.names[array, at])
        return self.names[array, at]

    def apart(self, line: Assign, arrays: set[str]) -> Iterator[Assign]:
        """The line behind lines for those of its parts that several of its entries need, which are computed once.

        ``arrays`` are the names that these lines must not have; theirs are added.
        """
        before: list[Assign] = []

        def cut(node: Node, around: Shape | None) -> Node:
            size = self.shape(node)
            new = with_parts(node, tuple(cut(part, self.around(part, node, around)) for part in parts(node)))
            if size in ((), around) or not isinstance(node, Op | MatMul | Reduce) or is_negative(node):
                return new
            name = free_name(stem_of(node) + layer_number(node), self.taken | arrays)
            arrays.add(name)
            self.shapes[name] = size
            before.append(Assign(name, new))
            return Var(name)

        node = cut(line.node, self.shape(line.node))
        yield from before
        yield replace(line, node=node)

    def around(self, part: Node, node: Node, outside: Shape | None) -> Shape | None:
        """The shape of a ``part`` of ``node`` of which each entry is needed once; None where each is needed often."""
        if isinstance(node, MatMul) or (is_negative(node) and outside != self.shape(node)):
            return None
        return self.shape(node if isinstance(node, Op) else part)

    def entry(self, node: Node, at: Place) -> Node:
        """The number at one place of what ``node`` computes."""
        match node:
            case Var(name):
                return Number(self.numbers[name][at[-1]]) if self.numbers.get(name) else Var(self.name(name, at))
            case Number():
                return node
            case Op(_, args):
                return replace(node, args=tuple(self.entry(arg, repeated(at, self.shape(arg))) for arg in args))
            case Transposed(of):
                return self.entry(of, at[::-1])
            case Columns(of, start, _):
                return self.entry(of, (*at[:-1], at[-1] + start))
            case Joined(blocks):
                return self.joined(blocks, at)
            case MatMul(left, right):
                ahead, behind = at[: len(self.shape(left)) - 1], at[len(self.shape(left)) - 1 :]
                inner = self.shape(left)[-1]
                terms = [
                    Op("multiply", (self.entry(left, (*ahead, k)), self.entry(right, (k, *behind))))
                    for k in range(inner or 1)
                ]
                return together("add", terms) if inner else Reduce("sum", terms[0], "rows")
            case Reduce(function, of, over):
                return self.reduced(function, of, over, at)
        raise UnsupportedExpression(f"{type(node).__name__} is not written out number by number")

    def joined(self, blocks: Sequence[Node], at: Place) -> Node:
        """The entry of arrays that stand side by side."""
        for block in blocks:
            width = self.shape(block)[-1]
            assert width is not None
            if at[-1] < width:
                return self.entry(block, at)
            at = (*at[:-1], at[-1] - width)
        raise AssertionError("no column is that far to the right")

    def reduced(self, function: str, of: Node, over: str, at: Place) -> Node:
        """A sum, or the greatest, of many entries."""
        size = self.shape(of)
        inside = [
            place
            for place in places(size)
            if over == "all" or (place[:-1] == at[:-1] if over == "columns" else place[1:] == at)
        ]
        found = together({"sum": "add", "max": "maximum"}[function], [self.entry(of, place) for place in inside])
        if size[0] is not None or over == "columns":
            return found
        if function != "sum":
            raise UnsupportedExpression("the greatest of all examples is not computed one by one")
        return Reduce("sum", found, "rows")

    def shape(self, node: Node) -> Shape:
        """The shape of what ``node`` computes."""
        return shape(node, self.shapes)


def is_negative(node: Node) -> bool:
    """Whether ``node`` has a minus sign in front, which each use may have for itself."""
    return isinstance(node, Op) and node.function == "negative"


def places(size: Shape) -> Iterator[Place]:
    """All places in an array, its examples being one."""
    return product(*(range(n or 1) for n in size))


def repeated(at: Place, size: Shape) -> Place:
    """The place in an array of ``size`` that stands for ``at`` in a larger one.

    >>> repeated((0, 2), (3,)), repeated((0, 2), (None, 1)), repeated((0, 2), ())
    ((2,), (0, 0), ())
    """
    last = at[len(at) - len(size) :]
    return tuple(0 if n == 1 else place for place, n in zip(last, size, strict=True))


def together(function: str, nodes: Sequence[Node]) -> Node:
    """Numbers added, or the greatest of them; one is itself."""
    return nodes[0] if len(nodes) == 1 else Op(function, tuple(nodes))


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


def replaced(node: Node, known: Mapping[Node, Node]) -> Node:
    """``node`` with what is ``known`` by other nodes replaced."""
    return known[node] if node in known else with_parts(node, tuple(replaced(part, known) for part in parts(node)))

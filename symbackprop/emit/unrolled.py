"""A program over arrays written out number by number: a line for each entry, as one example needs it.

Each entry has a name of its own, ``a2_1`` or ``W1_21``. Sums over the examples stay sums over "rows", of numbers:
``several`` leaves them out, or cuts the lines where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from sympy import Expr

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
    with_parts,
)
from symbackprop.emit.shapes import Shape, shape
from symbackprop.errors import UnsupportedExpression

Place = tuple[int, ...]


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

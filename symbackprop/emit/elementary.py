"""Lines of one array operation each: what a program has to do, call by call.

What two lines have in common is computed once; where it is cheap, only if they follow each other, for keeping it takes
room. Sums, products and the greater of several values are taken two at a time, from the left; what is a number, not an
array, stays whole inside its line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from symbackprop.emit.names import RESERVED
from symbackprop.emit.program import (
    Assign,
    Columns,
    MatMul,
    Node,
    Number,
    Op,
    Reduce,
    Transposed,
    Var,
    free_name,
    is_costly,
    layer_number,
    parts,
    with_parts,
)
from symbackprop.emit.shapes import Shape, shape

BY_TWO = frozenset({"add", "multiply", "maximum", "minimum", "and", "or"})


def elementary(lines: Iterable[Assign], known: Mapping[str, Shape], results: Collection[str]) -> list[Assign]:
    """``lines`` cut into single operations, which end in the ``results``; ``known`` are the shapes they start from.

    >>> from symbackprop.emit.program import MatMul
    >>> line = Assign("z2", Op("add", (MatMul(Var("x"), Var("W1")), Var("b1"))))
    >>> [each.node for each in elementary([line], {"x": (None, 2), "W1": (2, 3), "b1": (3,)}, ["z2"])][1]
    Op(function='add', args=(Var(name='u2'), Var(name='b1')))
    """
    lines = list(lines)
    cut = _Cutter(dict(known), {*known, *RESERVED, *(line.name for line in lines)}, results)
    for line in lines:
        cut.line(line)
    return cut.done


@dataclass
class _Cutter:
    """Collects the single operations; ``known`` are the shapes of all that has a name.

    ``values`` are the names of what is known, with the number of the line that computed it.
    """

    known: dict[str, Shape]
    taken: set[str]
    results: Collection[str]
    done: list[Assign] = field(default_factory=list)
    values: dict[Node, tuple[Var, int]] = field(default_factory=dict)
    stem: str = ""
    label: str | None = None
    at: int = 0

    def line(self, line: Assign) -> None:
        """The operations of one line, the last of them under the line's own name."""
        self.stem, self.label, self.at = f"u{layer_number(Var(line.name))}", line.label, self.at + 1
        node = self.operation(line.node)
        node = self.found(node) or node
        if isinstance(node, Var) and line.name not in self.results:
            self.values[Var(line.name)] = node, self.at
            self.known[line.name] = self.known[node.name]
        else:
            self.keep(line.name, node)

    def keep(self, name: str, node: Node) -> None:
        """Appends an operation, the first of a line with its label, and remembers what its name stands for."""
        self.known[name] = shape(node, self.known)
        if self.known[name]:
            self.values[node] = Var(name), self.at
        self.done.append(Assign(name, node, self.label))
        self.label = None

    def atom(self, node: Node) -> Node:
        """``node`` by a name, or transposed, or some columns of it, or a number."""
        if isinstance(node, Var):
            return self.found(node) or node
        if isinstance(node, Transposed | Columns) or not shape(node, self.known):
            return self.operation(node)
        operation = self.operation(node)
        known = self.found(operation)
        if known is None:
            known = Var(free_name(self.stem, self.taken))
            self.taken.add(known.name)
            self.keep(known.name, operation)
        return known

    def found(self, node: Node) -> Var | None:
        """The name of a value that is known already."""
        value, at = self.values.get(node, (None, 0))
        return value if isinstance(node, Var) or is_costly(node) or at >= self.at - 1 else None

    def operation(self, node: Node) -> Node:
        """``node`` as one operation on atoms; a number as it is, with atoms for the arrays in it."""
        match node:
            case Op("multiply", (MatMul() as product, Op("add", (Number(one), Op("negative", (rest,)))))) if one == 1:
                # δ(1 - u) as δ - δu: between two arrays NumPy subtracts faster than between a number and an array.
                node = Op("add", (product, Op("negative", (Op("multiply", (rest, product)),))))
            case Op("multiply", args):
                node = replace(node, args=tuple(map(counted, args)))
            case Op("add", (Op("negative") as first, second, *rest)) if not _is_negative(second):
                node = replace(node, args=(second, first, *rest))
            case Reduce("sum", Op("power", (base, Number(two))), "all") if two == 2:
                node = Reduce("sum", Op("multiply", (base, base)), "all")
        if isinstance(node, Reduce) and node.over == "all":
            return replace(node, of=self.summed(node.of))
        if isinstance(node, Var):
            return self.atom(node)
        if not shape(node, self.known):
            return with_parts(node, tuple(map(self.operation, parts(node))))
        if isinstance(node, Op) and node.function in BY_TWO and len(node.args) > 2:
            function, args = node.function, node.args
            if function == "multiply" and isinstance(args[0], MatMul):
                args = (args[0], Op(function, args[1:]))
            node = reduce(lambda left, right: Op(function, (left, right)), args)
        if isinstance(node, Op) and node.function == "add":
            left, right = node.args
            return replace(node, args=(self.atom(left), self.term(right)))
        return with_parts(node, self.atoms(parts(node)))

    def atoms(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """The atoms of ``nodes``; matrix products are computed last, for they may find what the others needed."""
        found = {node: self.atom(node) for node in sorted(nodes, key=lambda node: isinstance(node, MatMul))}
        return tuple(found[node] for node in nodes)

    def term(self, node: Node) -> Node:
        """What is added, as an atom: a minus sign in front of it stays, for it is subtracted."""
        return with_parts(node, (self.atom(parts(node)[0]),)) if _is_negative(node) else self.atom(node)

    def summed(self, node: Node) -> Node:
        """What is summed over all entries: two factors of one shape stay, for their sum is an inner product."""
        match node:
            case Op("multiply", (*most, last)) if most:
                first = most[0] if len(most) == 1 else Op("multiply", tuple(most))
                if shape(first, self.known) == shape(last, self.known):
                    return Op("multiply", (self.atom(first), self.atom(last)))
        return self.atom(node)


def counted(node: Node) -> Node:
    """A factor, 1 where a test holds and 0 elsewhere, as the test itself: it counts so in a product.

    >>> from sympy import Integer
    >>> counted(Op("where", (Op("greater", (Var("z"), Var("c"))), Number(Integer(1)), Number(Integer(0)))))
    Op(function='greater', args=(Var(name='z'), Var(name='c')))
    """
    match node:
        case Op("where", (test, Number(one), Number(zero))) if one == 1 and zero == 0:
            return test
    return node


def _is_negative(node: Node) -> bool:
    return isinstance(node, Op) and node.function == "negative"

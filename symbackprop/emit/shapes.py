"""The shape of a node, and whether its entries are numbers or truth values."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.emit.program import (
    TESTS,
    Call,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Op,
    Reduce,
    Together,
    Transposed,
    Var,
)

Shape = tuple[int | None, ...]  # None stands for the number of examples


def shape(node: Node, known: Mapping[str, Shape]) -> Shape:
    """The shape of what ``node`` computes, from the ``known`` shapes of named values; () is a number.

    >>> shape(MatMul(Transposed(Var("x")), Var("delta2")), {"x": (None, 2), "delta2": (None, 3)})
    (2, 3)
    >>> shape(Op("add", (Var("z2"), Var("b1"))), {"z2": (None, 3), "b1": (3,)})
    (None, 3)
    """
    match node:
        case Var(name):
            return known[name]
        case Number():
            return ()
        case Op(_, args) | Call(_, args):
            return repeated([shape(arg, known) for arg in args])
        case MatMul(left, right):
            return (*shape(left, known)[:-1], *shape(right, known)[1:])
        case Transposed(of):
            return shape(of, known)[::-1]
        case Columns(of, start, stop):
            return (*shape(of, known)[:-1], stop - start)
        case Joined(blocks):
            widths = (shape(block, known)[-1] for block in blocks)
            return (*shape(blocks[0], known)[:-1], sum(width for width in widths if width is not None))
        case Reduce(_, of, "rows"):
            return shape(of, known)[1:]
        case Reduce(_, of, "columns"):
            return (*shape(of, known)[:-1], 1)
        case Reduce():
            return ()
        case Together():
            return node.shape


def repeated(shapes: list[Shape]) -> Shape:
    """The shape of arrays taken entry by entry: last axes stand together, an axis of 1 is repeated along the others.

    >>> repeated([(None, 1), (3,), ()])
    (None, 3)
    """
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(each)) + each for each in shapes]
    return tuple(next((n for n in axis if n != 1), 1) for axis in zip(*padded, strict=True))


def is_truth(node: Node) -> bool:
    """Whether the entries of ``node`` are truth values."""
    return isinstance(node, Op) and node.function in TESTS

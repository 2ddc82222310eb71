"""A matrix term, entry by entry: what the equation between arrays says about individual entries."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from sympy import Expr, Integer

from symbackprop.calculus.inert import Chain, Partial
from symbackprop.derivation.matrix_terms import (
    Axis,
    ChainRule,
    Diagonal,
    Entries,
    Gradient,
    Hadamard,
    InBlock,
    Joined,
    Leaf,
    Map,
    Ones,
    Plus,
    Product,
    Scaled,
    SumOver,
    Term,
    Transpose,
    shape,
)
from symbackprop.network.quantities import BIAS, NEXT_BIAS, NEXT_WEIGHT, WEIGHT

Sizes = tuple[int, ...]
FROM_CONSTANT = {WEIGHT: BIAS, NEXT_WEIGHT: NEXT_BIAS}  # what the weights from the unit 0 are


def entries_of(term: Term, sizes: Sizes, examples: int | None, transposed: bool = False) -> Any:
    """The entries of ``term`` as a NumPy array of SymPy expressions, with one row or column where it has just one.

    ``sizes`` are the layer widths, ``examples`` the number of examples (None: one, not indexed). ``transposed`` says
    that the rows of a weight array belong to the layer it leads to.
    """

    def entries(part: Term) -> Any:
        return entries_of(part, sizes, examples, transposed)

    match term:
        case Leaf():
            return _leaf(term, sizes, examples, transposed)
        case Entries(table):
            return np.array(table, dtype=object)
        case ChainRule(leaves, error):
            return chained(error, [entries(leaf) for leaf in leaves])
        case Gradient(of, error):
            return _by_entry(lambda entry: Partial(error, entry), entries(of))
        case Ones(rows, columns):
            lengths = (_length(rows, sizes, examples), _length(columns, sizes, examples))
            return _by_entry(lambda _: Integer(1), np.zeros(lengths, dtype=object))
        case Transpose(of):
            return entries(of).T
        case Diagonal(of):
            along = entries(of).ravel()
            return np.where(np.eye(len(along), dtype=bool), along, Integer(0))
        case Product(left, right):
            return entries(left) @ entries(right)
        case Hadamard(factors):
            return _combined(sp.Mul, [entries(factor) for factor in factors])
        case Plus(terms):
            return _combined(sp.Add, [entries(part) for part in terms])
        case Scaled(factor, of):
            return _by_entry(lambda entry: factor * entry, entries(of))
        case Map(function, symbols, arguments):

            def put(*values: Expr) -> Expr:
                return function.xreplace(dict(zip(symbols, values, strict=True)))

            return _combined(put, [entries(argument) for argument in arguments])
        case SumOver(of, over):
            return np.sum(entries(of), axis=0 if over == "rows" else 1, keepdims=True)
        case InBlock(of, block, along, _):
            rows, columns = shape(term)
            size = _length(rows if along == "rows" else columns, sizes, examples)
            return one_block(entries(of), block, size, along)
        case Joined(blocks, along):
            return np.concatenate([entries(part) for part in blocks], axis=0 if along == "rows" else 1)


def one_block(array: Any, block: int, size: int, along: str) -> Any:
    """The rows or columns of one block, of so many."""
    within = slice(block * size, (block + 1) * size)
    return array[within] if along == "rows" else array[:, within]


def chained(error: Expr, arrays: list[Any]) -> Any:
    """The chain rule from ``error`` to each entry of the last array: a sum over every entry of the arrays between."""
    *between, last = arrays
    reached = [(Partial(error, entry), entry) for entry in between[0].flat]
    for array in between[1:]:
        reached = [(sp.Add(*(Chain(so_far, Partial(u, v)) for so_far, u in reached)), v) for v in array.flat]
    return _by_entry(lambda w: sp.Add(*(Chain(so_far, Partial(u, w)) for so_far, u in reached)), last)


def _length(axis: Axis | None, sizes: Sizes, examples: int | None) -> int:
    if axis is None:
        return 1
    return int(axis.blocks * sizes[axis.layer - 1]) + axis.constant if axis.layer is not None else examples or 1


def _combined(function: Any, parts: list[Any]) -> Any:
    """``function`` of the parts, entry by entry; a part with one row or column is repeated."""
    return np.frompyfunc(function, len(parts), 1)(*parts)


def _by_entry(function: Any, part: Any) -> Any:
    return np.frompyfunc(function, 1, 1)(part)


def _leaf(leaf: Leaf, sizes: Sizes, examples: int | None, transposed: bool) -> Any:
    """A named array's own entries; each axis of it supplies one index."""
    rows, columns = _length(leaf.rows, sizes, examples), _length(leaf.columns, sizes, examples)
    array = np.empty((rows, columns), dtype=object)
    for r in range(rows):
        for c in range(columns):
            array[r, c] = _entry(leaf, r + 1 - _constant(leaf.rows), c + 1 - _constant(leaf.columns), transposed)
    return array


def _constant(axis: Axis | None) -> bool:
    """Whether the axis starts with the unit 0."""
    return axis is not None and axis.constant


def _entry(leaf: Leaf, r: int, c: int, transposed: bool) -> Expr:
    layer = (leaf.layer,) if leaf.base.layered else ()
    if leaf.base in (WEIGHT, NEXT_WEIGHT):
        leaves, enters = (c, r) if transposed else (r, c)
        return leaf.base[(*layer, leaves, enters)] if leaves else FROM_CONSTANT[leaf.base][(*layer, enters)]
    if 0 in (r, c):
        return Integer(1)  # the output of the unit 0
    along = [(axis, n) for axis, n in ((leaf.rows, r), (leaf.columns, c)) if axis is not None]
    units = [n for axis, n in along if axis.layer is not None]
    examples = [n for axis, n in along if axis.layer is None and leaf.base not in (BIAS, NEXT_BIAS)]
    return leaf.base[(*layer, *units, *examples)]

"""A matrix term, entry by entry: what the equation between arrays says about individual entries."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from sympy import Expr, Integer

from symbackprop.calculus.inert import Partial
from symbackprop.derivation.matrix_terms import (
    Axis,
    Gradient,
    Hadamard,
    Leaf,
    Map,
    Ones,
    Plus,
    Product,
    Scaled,
    SumOver,
    Term,
    Transpose,
)
from symbackprop.network.quantities import BIAS, NEXT_BIAS, NEXT_WEIGHT, TARGET, WEIGHT

Sizes = tuple[int, ...]


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
        case Gradient(of, error):
            return _by_entry(lambda entry: Partial(error, entry), entries(of))
        case Ones(rows, columns):
            shape = (_length(rows, sizes, examples), _length(columns, sizes, examples))
            return _by_entry(lambda _: Integer(1), np.zeros(shape, dtype=object))
        case Transpose(of):
            return entries(of).T
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


def _length(axis: Axis | None, sizes: Sizes, examples: int | None) -> int:
    if axis is None:
        return 1
    return sizes[axis.layer - 1] if axis.layer is not None else examples or 1


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
            array[r, c] = _entry(leaf, r + 1, c + 1, transposed)
    return array


def _entry(leaf: Leaf, r: int, c: int, transposed: bool) -> Expr:
    layer = () if leaf.base == TARGET else (leaf.layer,)
    if leaf.base in (WEIGHT, NEXT_WEIGHT):
        return leaf.base[(*layer, c, r) if transposed else (*layer, r, c)]
    along = [(axis, n) for axis, n in ((leaf.rows, r), (leaf.columns, c)) if axis is not None]
    units = [n for axis, n in along if axis.layer is not None]
    examples = [n for axis, n in along if axis.layer is None and leaf.base not in (BIAS, NEXT_BIAS)]
    return leaf.base[(*layer, *units, *examples)]

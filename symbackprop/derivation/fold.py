"""From index notation to matrix terms: a sum over a shared index is a product of matrices.

``fold`` reads one index expression with at most two free indices and returns the matrix term whose entry at (r, c)
it is. The layout says how each named array is stored; transposes appear where the storage and the wanted order differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Sum, Symbol

from symbackprop.calculus.indices import Base, Entry, InBlock
from symbackprop.calculus.inert import Partial
from symbackprop.derivation import matrix_terms
from symbackprop.derivation.matrix_terms import (
    EXAMPLES,
    Axis,
    Gradient,
    Hadamard,
    Layout,
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
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import (
    BIAS,
    DELTA,
    EXAMPLE,
    NEXT_BIAS,
    NEXT_WEIGHT,
    OUT,
    PRE,
    TARGET,
    WEIGHT,
    is_trained,
)

Index: TypeAlias = Any  # an index symbol, or None


@dataclass(frozen=True)
class Fold:
    """The reading of index expressions in one ``layout``; ``depth`` is the layer that the targets belong to.

    ``blocks`` is the number of pre-activations of a unit, for the layers where it is more than one; ``parts`` is the
    number of outputs for each target.
    """

    layout: Layout
    depth: int
    blocks: Mapping[int, int] = field(default_factory=dict)
    parts: int = 1

    @classmethod
    def of(cls, graph: ForwardGraph, layout: Layout) -> Fold:
        """The reading of the equations of ``graph``."""
        uses = enumerate(graph.spec.activations, start=2)
        blocks = {layer: use.entry.pieces for layer, use in uses if use.entry.pieces > 1}
        return cls(layout, graph.depth, blocks, graph.spec.loss.entry.parts)

    def leaf(self, entry: Entry) -> tuple[Leaf, Index, Index]:
        """The array that ``entry`` belongs to, and the indices that run along its rows and columns.

        An index within one block runs along that block alone.
        """
        base: Base = entry.base
        layer = int(entry.indices[0]) if base.layered else self.depth
        if is_trained(entry):
            return Leaf(base, layer, None, None), None, None
        indices = (i.unit if isinstance(i, InBlock) else i for i in entry.indices[1 if base.layered else 0 :])
        units = [i for i in indices if i != EXAMPLE]
        if base in (WEIGHT, NEXT_WEIGHT):
            at = (units[0], units[1]) if self.layout.weights_from_to else (units[1], units[0])
            axes = (Axis(layer), self.pre_activations(layer + 1))
            rows, columns = axes if self.layout.weights_from_to else axes[::-1]
            return Leaf(base, layer, rows, columns), *at
        unit = Axis(layer)
        if base in (BIAS, NEXT_BIAS, PRE, DELTA):
            unit = self.pre_activations(layer + 1 if base in (BIAS, NEXT_BIAS) else layer)
        if base == TARGET:
            unit = Axis(layer, blocks=Fraction(1, self.parts))
        example, m = (EXAMPLES, EXAMPLE) if EXAMPLE in entry.indices else (None, None)
        tag = layer if base.layered else None
        if self.layout.examples_in_rows:
            return Leaf(base, tag, example, unit), m, units[0]
        return Leaf(base, tag, unit, example), units[0], m

    def pre_activations(self, layer: int) -> Axis:
        """What counts the pre-activations of ``layer``."""
        return Axis(layer, blocks=self.blocks.get(layer, 1))

    def __call__(self, expr: Expr, r: Index, c: Index) -> Term:
        """The term with rows along ``r`` and columns along ``c`` whose entries are ``expr``."""
        if isinstance(expr, Partial) and isinstance(expr.by, Entry):
            term = self(expr.by, r, c)
            return Transpose(Gradient(term.of)) if isinstance(term, Transpose) else Gradient(term)  # type: ignore[arg-type]
        if isinstance(expr, Entry):
            leaf, rows, columns = self.leaf(expr)
            array: Term = leaf
            for at in expr.indices:
                if isinstance(at, InBlock):
                    along: matrix_terms.Along = "rows" if rows == at.unit else "columns"
                    count = self.blocks.get(leaf.layer or self.depth, self.parts)
                    array = matrix_terms.InBlock(leaf, at.block, along, count)
            if (rows in (r, None)) and (columns in (c, None)):
                return array
            return Transpose(array)
        if not expr.has(Entry):
            return Scaled(expr, Ones(None, None)) if expr != 1 else Ones(None, None)
        if isinstance(expr, Add):
            return self._plus(expr, r, c)
        if isinstance(expr, Mul):
            return self._times(expr.args, r, c)
        if isinstance(expr, Sum):
            return self._sum(expr, r, c)
        return self._map(expr, r, c)

    def _plus(self, expr: Add, r: Index, c: Index) -> Term:
        return Plus(tuple(self(term, r, c) for term in positive_first(expr.args)))

    def _times(self, factors: Iterable[Expr], r: Index, c: Index) -> Term:
        numbers, arrays = split(factors)
        if r is not None and c is not None:
            by_row = [f for f in arrays if r in f.free_symbols]
            by_column = [f for f in arrays if c in f.free_symbols]
            if by_row and by_column and not set(by_row) & set(by_column):
                outer = Product(self._times(by_row, r, None), self._times(by_column, None, c))
                return scaled(numbers, outer)
        terms = tuple(self(f, r, c) for f in sums_first(arrays))
        return scaled(numbers, terms[0] if len(terms) == 1 else Hadamard(terms))

    def _sum(self, expr: Sum, r: Index, c: Index) -> Term:
        (s, *_), *rest = expr.limits[::-1]
        body = Sum(expr.function, *rest[::-1]) if rest else expr.function
        numbers, arrays = split(Mul.make_args(body))
        sides: dict[bool, list[Expr]] = {True: [], False: []}
        for factor in arrays:
            free = factor.free_symbols
            on_left = r in free if (r in free) != (c in free) else c is not None and c not in free
            sides[on_left].append(factor)
        left, right = sides[True], sides[False]
        if r is not None and c is not None and any({r, c} <= f.free_symbols for f in arrays):
            raise ValueError(f"{expr} is not a matrix product")
        if left and right and {r, c} & {i for f in arrays for i in f.free_symbols}:
            return scaled(numbers, Product(self._times(left, r, s), self._times(right, s, c)))
        free = {i for f in arrays for i in f.free_symbols}
        if r in free or (c not in free and self._rows_of(arrays, s) != s):
            return scaled(numbers, SumOver(self._times(arrays, r if r in free else None, s), "columns"))
        return scaled(numbers, SumOver(self._times(arrays, s, c if c in free else None), "rows"))

    def _rows_of(self, arrays: list[Expr], s: Symbol) -> Index:
        """What runs along the rows of the arrays that carry ``s``, as they are stored."""
        for expr in arrays:
            for entry in sorted(expr.atoms(Entry), key=str):
                _, rows, columns = self.leaf(entry)
                if s in (rows, columns):
                    return rows
        return None

    def _map(self, expr: Expr, r: Index, c: Index) -> Term:
        """A function, entry by entry, of the arrays inside it."""
        if isinstance(expr, Pow) and isinstance(expr.base, Sum):
            inside: list[Expr] = [expr.base]
        else:
            inside = outermost(expr)
        symbols = tuple(Symbol(f"u{n}" if len(inside) > 1 else "u", real=True) for n in range(1, len(inside) + 1))
        function = expr.xreplace(dict(zip(inside, symbols, strict=True)))
        return Map(function, symbols, tuple(self(part, r, c) for part in inside))


def outermost(expr: Expr) -> list[Expr]:
    """The sums that stand in no other, in one order, then the entries that stand in none of them.

    >>> a, k = Base("a", layered=False), Symbol("k")
    >>> outermost(a[1] + 1 / Sum(a[k], (k, 1, 3)))
    [Sum(ak, (k, 1, 3)), a1]
    """
    found: set[Expr] = set()
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Sum | Entry):
            found.add(part)
        else:
            waiting += part.args
    totals, entries = ([e for e in found if isinstance(e, kind)] for kind in (Sum, Entry))
    return [*sorted(totals, key=sp.default_sort_key), *sorted(entries, key=entry_order)]


def entry_order(entry: Entry) -> tuple[str, int, str]:
    """Outputs before targets, otherwise by name and block, so that maps list their arguments in one order."""
    block = sum(i.block for i in entry.indices if isinstance(i, InBlock))
    return ("" if entry.base == OUT else str(entry.base.label), block, str(entry))


def split(factors: Iterable[Expr]) -> tuple[Expr, list[Expr]]:
    """The numbers, multiplied, and the factors that hold entries."""
    flat = [g for f in factors for g in Mul.make_args(f)]
    return Mul(*(f for f in flat if not f.has(Entry))), [f for f in flat if f.has(Entry)]


def scaled(number: Expr, term: Term) -> Term:
    """``number`` times ``term``, written without a factor of one."""
    return term if number == 1 else Scaled(number, term)


def positive_first(terms: Iterable[Expr]) -> list[Expr]:
    """Terms without a minus sign first, sums before single entries, then by name."""
    return in_order(terms, lambda t: (t.could_extract_minus_sign(), not t.has(Sum), not t.has(Entry)))


def sums_first(factors: Iterable[Expr]) -> list[Expr]:
    """The order of textbook products: sums (products of matrices), what the error gives, single arrays, functions."""

    def rank(f: Expr) -> tuple[bool, ...]:
        of_error = isinstance(f, Add) and any(entry.base == TARGET for entry in f.atoms(Entry))
        return not f.has(Sum), not of_error, isinstance(f, Pow), isinstance(f, sp.Function), isinstance(f, Add)

    return in_order(factors, rank)


def in_order(exprs: Iterable[Expr], rank: Callable[[Expr], tuple[bool, ...]]) -> list[Expr]:
    """The expressions by rank, those of one rank by name; a single one needs no printing."""
    found = list(exprs)
    return found if len(found) < 2 else sorted(found, key=lambda expr: (rank(expr), str(expr)))

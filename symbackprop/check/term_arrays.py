"""Matrix terms, evaluated with arrays over the prime field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from symbackprop.catalogue.entries import Z
from symbackprop.check.index_arrays import IndexArrays
from symbackprop.check.modular import Array, FieldArrays, add_up, matrix_product, multiply
from symbackprop.check.numbers import Undecided
from symbackprop.check.terms import one_block
from symbackprop.check.values import Units
from symbackprop.check.worlds import NetworkValues
from symbackprop.derivation.matrix_terms import (
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
)


class TermArrays(NetworkValues[Array]):
    """Evaluates matrix terms.

    ``given`` supplies the arrays of weights, inputs and targets; ``known`` gains those that have been evaluated.
    ``slopes`` are the activations' slopes as the derivation states them, in ``Z``.
    """

    def __init__(
        self,
        like: IndexArrays,
        numbers: FieldArrays,
        given: Callable[[Leaf], Array],
        slopes: Mapping[Symbol, Expr],
    ) -> None:
        super().__init__(numbers, {}, {symbol: dual.value for symbol, dual in like.symbols.items()}, like.sizes)
        self.formulas, self.slopes, self.given = like.formulas, slopes, given
        self.known: dict[Leaf | Gradient, Array] = {}

    def apply(self, expr: Any, at: Units) -> Array:
        if expr.order == 1 and expr.tag in self.slopes:  # as the derivation states it, not as SymPy would
            from_input = self.slopes[expr.tag]
            return self.with_symbol(Z, self(expr.arguments[0], at), from_input)
        return super().apply(expr, at)

    def term(self, term: Term) -> Array:
        """The array, with rows and columns; a number has one of each."""
        match term:
            case Leaf():
                return self.known[term] if term in self.known else self.given(term)
            case Gradient():
                return self.known[term]
            case Ones():
                return np.ones((1, 1), dtype=np.uint64)
            case Transpose(of):
                return self.term(of).T
            case Product(left, right):
                return matrix_product(self.term(left), self.term(right))
            case Hadamard(factors):
                return self._folded(multiply, factors)
            case Plus(terms):
                return self._folded(self.numbers.add, terms)
            case Scaled(factor, of):
                return multiply(self(factor), self.term(of))
            case SumOver(of, over):
                return add_up(self.term(of), 0 if over == "rows" else 1)
            case InBlock(of, block, along, count):
                array = self.term(of)
                size = array.shape[0 if along == "rows" else 1] // count
                return np.ascontiguousarray(one_block(array, block, size, along))
            case Joined(blocks, along):
                return np.concatenate(list(map(self.term, blocks)), axis=0 if along == "rows" else 1)
            case Map(function, symbols, arguments):
                return self._map(function, symbols, arguments)
            case Diagonal() | Entries() | ChainRule():
                raise Undecided(f"an array in the form {type(term).__name__}")

    def _folded(self, operation: Callable[[Array, Array], Array], parts: tuple[Term, ...]) -> Array:
        total = self.term(parts[0])
        for part in parts[1:]:
            total = operation(total, self.term(part))
        return total

    def _map(self, function: Expr, symbols: tuple[Symbol, ...], arguments: tuple[Term, ...]) -> Array:
        outer = dict(self.symbols)
        self.symbols.update(zip(symbols, map(self.term, arguments), strict=True))
        value = self(function)
        self.symbols.clear()
        self.symbols.update(outer)
        return value

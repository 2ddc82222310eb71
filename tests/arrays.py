"""A small reading of matrix terms as NumPy arrays, independent of every printer and of the emitted program."""

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp

from symbackprop.derivation.matrix_terms import (
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

Arrays = Mapping[Leaf | Gradient, np.ndarray]


def two_dimensional(value: np.ndarray | float) -> np.ndarray:
    return np.atleast_2d(np.asarray(value, dtype=float))


def evaluate(term: Term, arrays: Arrays, number: Callable[[sp.Expr], sp.Expr]) -> np.ndarray:
    """The term as a two-dimensional array; ``number`` puts in activations' formulas and symbols' numbers."""

    def value(part: Term) -> np.ndarray:
        return evaluate(part, arrays, number)

    match term:
        case Leaf() | Gradient():
            return arrays[term]
        case Ones():
            return two_dimensional(1.0)
        case Transpose(of):
            return value(of).T
        case Product(left, right):
            return value(left) @ value(right)
        case Hadamard(factors):
            return np.prod(np.broadcast_arrays(*map(value, factors)), axis=0)
        case Plus(terms):
            return np.sum(np.broadcast_arrays(*map(value, terms)), axis=0)
        case Scaled(factor, of):
            return float(number(factor)) * value(of)
        case Map(function, symbols, arguments):
            parts = np.broadcast_arrays(*map(value, arguments))
            call = sp.lambdify(symbols, number(function), ["numpy", "scipy"])
            return two_dimensional(np.broadcast_to(call(*parts), parts[0].shape))
        case SumOver(of, over):
            return value(of).sum(axis=0 if over == "rows" else 1, keepdims=True)
    raise TypeError(term)

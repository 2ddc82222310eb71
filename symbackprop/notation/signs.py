"""Signs as a textbook writes them: one in front, or none where a difference can be turned round."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy import Add, Expr, Mul, Sum

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Total
from symbackprop.catalogue.entries import T
from symbackprop.derivation.matrix_terms import Hadamard, Joined, Leaf, Map, Plus, Product, Scaled, SumOver, Transpose
from symbackprop.derivation.steps import Formula
from symbackprop.network.quantities import TARGET


def with_sign(sign: int, formula: Formula) -> Formula:
    """``sign`` times ``formula``, the signs inside it gathered; a difference with the target takes a minus sign in.

    >>> from symbackprop.network.quantities import DELTA, OUT
    >>> with_sign(-1, Chain(OUT[3, 1] - TARGET[1], -DELTA[2, 1]))
    (a1[3] - t1)*delta1[2]
    >>> with_sign(-1, Chain(OUT[3, 1] - TARGET[1], OUT[2, 1]))
    (-a1[3] + t1)*a1[2]
    """
    own, positive = (expr_sign if isinstance(formula, Expr) else term_sign)(formula)
    if sign * own == 1:
        return positive
    return minus(positive) if isinstance(formula, Expr) else minus_term(positive)


def expr_sign(expr: Expr) -> tuple[int, Expr]:
    """The sign that can be written in front of ``expr``, and ``expr`` without it."""
    if isinstance(expr, Chain):
        signs, factors = zip(*map(expr_sign, expr.args), strict=True)
        kept = [factor for factor in factors if factor != 1] or [sp.S.One]
        return product_of(signs), kept[0] if len(kept) == 1 else Chain(*kept)
    if isinstance(expr, Mul) and not expr.is_number:
        signs, factors = zip(*map(expr_sign, expr.args), strict=True)
        return product_of(signs), Mul(*factors)
    if isinstance(expr, Sum):
        sign, body = expr_sign(expr.function)
        return sign, Sum(body, *expr.limits)
    if isinstance(expr, (Add, Total)):
        parts = [expr_sign(term) for term in expr.args]
        if all(sign == -1 for sign, _ in parts):
            return -1, expr.func(*(part for _, part in parts))
        return 1, expr.func(*(sign * part if isinstance(expr, Add) else with_sign(sign, part) for sign, part in parts))
    if expr.is_number and expr.is_negative:
        return -1, -expr
    return 1, expr


def minus(expr: Expr) -> Expr:
    """Minus ``expr``, which has no sign in front."""
    if isinstance(expr, Sum):
        return Sum(minus(expr.function), *expr.limits)
    if isinstance(expr, Total):
        return Total(*map(minus, expr.args))
    if isinstance(expr, (Chain, Mul)):
        at = next((n for n, factor in enumerate(expr.args) if is_difference(factor)), None)
        if at is not None:
            return expr.func(*(-factor if n == at else factor for n, factor in enumerate(expr.args)))
        return Chain(sp.S.NegativeOne, *expr.args) if isinstance(expr, Chain) else -expr
    return -expr


def is_difference(expr: Expr) -> bool:
    """Whether ``expr`` is a difference between an output and its target."""
    entries = (e for e in expr.atoms(Entry) if e.base == TARGET) if isinstance(expr, Add) else ()
    return any(True for _ in entries) or (isinstance(expr, Add) and expr.has(T))


def product_of(signs: Any) -> int:
    """The product of signs."""
    return -1 if sum(sign == -1 for sign in signs) % 2 else 1


def term_sign(term: Any) -> tuple[int, Any]:
    """The sign that can be written in front of a matrix term, and the term without it."""
    match term:
        case Scaled(factor, of):
            sign, inner = term_sign(of)
            number_sign, number = expr_sign(factor)
            return sign * number_sign, inner if number == 1 else Scaled(number, inner)
        case Transpose(of):
            sign, inner = term_sign(of)
            return sign, Transpose(inner)
        case SumOver(of, over):
            sign, inner = term_sign(of)
            return sign, SumOver(inner, over)
        case Product(left, right):
            (first, left), (second, right) = term_sign(left), term_sign(right)
            return first * second, Product(left, right)
        case Hadamard(factors):
            signs, inner = zip(*map(term_sign, factors), strict=True)
            return product_of(signs), Hadamard(tuple(inner))
        case Plus(terms):
            parts = [term_sign(part) for part in terms]
            if all(sign == -1 for sign, _ in parts):
                return -1, Plus(tuple(part for _, part in parts))
            return 1, positive_first(with_sign(*pair) for pair in parts)
        case Joined(blocks, along):
            parts = [term_sign(part) for part in blocks]
            if all(sign == -1 for sign, _ in parts):
                return -1, Joined(tuple(part for _, part in parts), along)
            return 1, Joined(tuple(with_sign(*pair) for pair in parts), along)
        case Map(function, symbols, arguments):
            signs, inner = zip(*map(term_sign, arguments), strict=True)
            put = {symbol: sign * symbol for symbol, sign in zip(symbols, signs, strict=True)}
            sign, function = expr_sign(function.xreplace(put))
            return sign, Map(function, symbols, tuple(inner))
    return 1, term


def minus_term(term: Any) -> Any:
    """Minus a matrix term that has no sign in front; the terms of a sum change theirs."""
    if isinstance(term, Plus) and any(term_sign(part)[0] == -1 for part in term.terms):
        return positive_first(with_sign(-1, part) for part in term.terms)
    if isinstance(term, Hadamard):
        at = next((n for n, factor in enumerate(term.factors) if is_term_difference(factor)), None)
        if at is not None:
            return Hadamard(tuple(minus_term(f) if n == at else f for n, f in enumerate(term.factors)))
    if isinstance(term, Joined):
        return Joined(tuple(with_sign(-1, block) for block in term.blocks), term.along)
    if isinstance(term, Scaled) and is_term_difference(term.of):
        return Scaled(term.factor, minus_term(term.of))
    return Scaled(sp.S.NegativeOne, term)


def positive_first(terms: Iterable[Any]) -> Plus:
    """The sum, with the terms that have a minus sign last."""
    return Plus(tuple(sorted(terms, key=lambda part: term_sign(part)[0] == -1)))


def is_term_difference(term: Any) -> bool:
    """Whether ``term`` is a difference between outputs and targets."""
    return isinstance(term, Plus) and any(is_target(part) for part in term.terms)


def is_target(term: Any) -> bool:
    """Whether ``term`` is the array of targets, or a multiple of it."""
    return (isinstance(term, Leaf) and term.base == TARGET) or (isinstance(term, Scaled) and is_target(term.of))

"""f′ brought to a form in the output by small algebra: split, add and subtract, split the fraction, recognise.

Elimination (``in_terms_of_output``) finds that a form exists and what it is; these lines lead to it the way one does by
hand, where f′, or f′ divided by f, is p + q·b for constants p and q and a quantity b that the output gives.
"""

from __future__ import annotations

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.differentiate import Line
from symbackprop.calculus.inert import Chain, Total, spelled_out


def recognise(slope: Expr, value: Expr, z: Symbol, a: Expr) -> tuple[Line, ...]:
    """Lines from ``slope`` (f′ in z) to a form in ``a``, which stands for ``value`` = f(z); empty where none is found.

    >>> z, a = Symbol("z", real=True), Symbol("a", real=True)
    >>> lines = recognise(sp.exp(-z) / (1 + sp.exp(-z)) ** 2, 1 / (1 + sp.exp(-z)), z, a)
    >>> [line.rule.name for line in lines], lines[-1].right
    (['split_factors', 'add_and_subtract', 'split_fraction', 'recognise'], a*(1 - a))
    """
    if value != z and not (at_once := slope.xreplace({value: a})).has(z):
        return (Line(slope, at_once, rules.RECOGNISE),) if at_once != slope else ()
    factor, function = value.as_independent(z, as_Add=False)
    logarithm = isinstance(function, sp.log)  # a = c log u gives 1/u = e^(-a/c)
    named, output = (1 / function.args[0], sp.exp(-a / factor)) if logarithm else (value, a)
    for outside in (sp.S.One,) if logarithm else (named, sp.S.One):
        constants = _affine(_ratio(slope, outside), named, z)
        if constants is not None:
            return _lines(slope, outside, named, constants, output)
    return ()


def _ratio(slope: Expr, outside: Expr) -> Expr:
    return sp.factor(sp.cancel(slope / outside))


def _affine(ratio: Expr, named: Expr, z: Symbol) -> tuple[Expr, Expr] | None:
    """Constants p, q ≠ 0 with ratio = p + q·named."""
    q = sp.cancel(sp.diff(ratio, z) / sp.diff(named, z))
    p = sp.cancel(ratio - q * named)
    return None if q.has(z) or p.has(z) or q == 0 else (p, q)


def _lines(slope: Expr, outside: Expr, named: Expr, constants: tuple[Expr, Expr], output: Expr) -> tuple[Line, ...]:
    p, q = constants
    above, below = _over(_ratio(slope, outside), named)
    parts = Total(*_without_zero(p, Mul(q, named)))
    found = [slope]
    used = []
    if outside != 1:
        found.append(Chain(outside, _fraction(above, below)))
        used.append(rules.SPLIT_FACTORS)
    if p != 0:
        added = Total(*Add.make_args(sp.expand(p * below)), *Add.make_args(sp.expand(above - p * below)))
        found.append(_times(outside, _fraction(added, below)))
        used.append(rules.ADD_AND_SUBTRACT)
        found.append(_times(outside, parts))
        used.append(rules.SPLIT_FRACTION if below != 1 else rules.SIMPLIFY)
    found.append(spelled_out(_times(outside, parts).xreplace({named: output, Mul(q, named): q * output})))
    used.append(rules.RECOGNISE)
    return tuple(Line(left, right, rule) for left, right, rule in zip(found, found[1:], used, strict=False))


def _over(ratio: Expr, named: Expr) -> tuple[Expr, Expr]:
    """Numerator and denominator of ``ratio``, over the denominator that ``named`` has."""
    below = sp.denom(named) if not named.is_polynomial() else sp.S.One
    return sp.expand(sp.cancel(ratio * below)), below


def _fraction(above: Expr, below: Expr) -> Expr:
    return above if below == 1 else Mul(above, Pow(below, -1), evaluate=False)


def _times(outside: Expr, factor: Expr) -> Expr:
    return factor if outside == 1 else Chain(outside, factor)


def _without_zero(*terms: Expr) -> list[Expr]:
    return [term for term in terms if term != 0]

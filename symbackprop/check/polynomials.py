"""Sums of products of powers: two are equal when their difference is empty.

A product of powers is one whole number, in which each symbol has its own field of ``BITS`` bits for its exponent;
exponents may be negative, and multiplying adds the numbers.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from symbackprop.check.numbers import Undecided

BITS = 16
HALF = 1 << (BITS - 1)
MAX_TERMS = 4000

Number = int | Fraction
Formula = dict[int, Number]  # product of powers -> coefficient


def added(u: Formula, v: Formula) -> Formula:
    """The sum.

    >>> added({0: 1, 1: 2}, {1: -2})
    {0: 1}
    """
    total = dict(u)
    for power, coefficient in v.items():
        if value := total.get(power, 0) + coefficient:
            total[power] = value
        else:
            del total[power]
    return total


def multiplied(u: Formula, v: Formula) -> Formula:
    """The product; ``Undecided`` where it would be too long to be worth having.

    >>> multiplied({0: 1, 1: 1}, {0: 1, 1: -1}) == {0: 1, 2: -1}
    True
    """
    if len(u) * len(v) > MAX_TERMS:
        raise Undecided("the formula is too long")
    total: Formula = {}
    for p, c in u.items():
        for q, d in v.items():
            total[p + q] = total.get(p + q, 0) + c * d
    return {power: coefficient for power, coefficient in total.items() if coefficient}


def by_exponent(u: Formula, place: int) -> dict[int, Formula]:
    """``u`` as a sum of powers of the symbol at ``place``: exponent -> what it is multiplied by.

    >>> by_exponent({0: 5, 2: 1}, 0)
    {0: {0: 5}, 2: {0: 1}}
    """
    parts: dict[int, Formula] = {}
    for power, coefficient in u.items():
        exponent = exponent_at(power, place)
        parts.setdefault(exponent, {})[power - (exponent << (BITS * place))] = coefficient
    return parts


def exponent_at(power: int, place: int) -> int:
    """The exponent of the symbol at ``place`` in a product of powers."""
    below = (power + _bias(place)) >> (BITS * place)
    return (below & ((1 << BITS) - 1)) - HALF


@lru_cache
def _bias(place: int) -> int:
    """HALF in every field up to ``place``, which makes all exponents there positive."""
    return HALF * (((1 << (BITS * (place + 1))) - 1) // ((1 << BITS) - 1))

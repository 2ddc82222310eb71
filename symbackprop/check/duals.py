"""Forward mode: numbers that carry their derivatives along, over any kind of number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic

import sympy as sp

from symbackprop.check.numbers import N, Numbers
from symbackprop.check.values import Evaluator

X = sp.Symbol("x", real=True)


@dataclass(frozen=True, slots=True)
class Dual(Generic[N]):
    """A value, and for each variable that it depends on its derivative (forward mode)."""

    value: N
    tangent: dict[Any, N]


@dataclass(frozen=True)
class DualNumbers(Generic[N]):
    """Dual numbers over ``base``. The slope of a function of SymPy is SymPy's own ``fdiff``, evaluated in ``base``."""

    base: Numbers[N]

    def constant(self, value: N) -> Dual[N]:
        """A number that depends on nothing."""
        return Dual(value, {})

    def rational(self, p: int, q: int) -> Dual[N]:
        return self.constant(self.base.rational(p, q))

    def add(self, u: Dual[N], v: Dual[N]) -> Dual[N]:
        if not v.tangent:
            return Dual(self.base.add(u.value, v.value), u.tangent)
        tangent = dict(u.tangent)
        for key, slope in v.tangent.items():
            tangent[key] = self.base.add(tangent[key], slope) if key in tangent else slope
        return Dual(self.base.add(u.value, v.value), tangent)

    def mul(self, u: Dual[N], v: Dual[N]) -> Dual[N]:
        scaled_u = self._scaled(u.tangent, v.value)
        value = self.base.mul(u.value, v.value)
        return self.add(Dual(value, scaled_u), Dual(self.base.rational(0, 1), self._scaled(v.tangent, u.value)))

    def _scaled(self, tangent: dict[Any, N], by: N) -> dict[Any, N]:
        return {key: self.base.mul(slope, by) for key, slope in tangent.items()}

    def _function(self, u: Dual[N], value: N, slope: N) -> Dual[N]:
        return Dual(value, self._scaled(u.tangent, slope))

    def inverse(self, u: Dual[N]) -> Dual[N]:
        value = self.base.inverse(u.value)
        return self._function(u, value, self.base.mul(self.base.rational(-1, 1), self.base.mul(value, value)))

    def root(self, u: Dual[N]) -> Dual[N]:
        value = self.base.root(u.value)
        return self._function(u, value, self.base.inverse(self.base.add(value, value)))

    def call(self, name: str, u: Dual[N]) -> Dual[N]:
        value = self.base.call(name, u.value)
        if not u.tangent:
            return self.constant(value)
        slope = Evaluator(self.base, {}, {X: u.value})(_slope(name))
        return self._function(u, value, slope)

    def named(self, tag: str, order: int, at: tuple[Dual[N], ...]) -> Dual[N]:
        values = tuple(u.value for u in at)
        return self._function(at[0], self.base.named(tag, order, values), self.base.named(tag, order + 1, values))

    def sign(self, u: Dual[N]) -> Dual[N]:
        return self.constant(self.base.sign(u.value))

    def positive(self, u: Dual[N]) -> Any:
        return self.base.positive(u.value)

    def where(self, condition: Any, yes: Dual[N], no: Dual[N]) -> Dual[N]:
        zero = self.base.rational(0, 1)
        keys = dict.fromkeys([*yes.tangent, *no.tangent])
        tangent = {k: self.base.where(condition, yes.tangent.get(k, zero), no.tangent.get(k, zero)) for k in keys}
        return Dual(self.base.where(condition, yes.value, no.value), tangent)

    def random(self, positive: bool = False) -> Dual[N]:
        return self.constant(self.base.random(positive))


@lru_cache
def _slope(name: str) -> sp.Expr:
    return getattr(sp, name)(X).fdiff()

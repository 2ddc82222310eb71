"""The value of an expression in any kind of number: index notation, individual entries, sums, cases.

Nothing is differentiated or rearranged here: a sum is added up, an entry looked up, a function called. A partial
derivative is handed to whoever knows what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.relational import Relational

from symbackprop.calculus.cases import first_and_rest
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Chain, Partial, Total
from symbackprop.check.numbers import Missing, N, Numbers, Undecided

Key = tuple[Any, ...]
Units = Mapping[Symbol, int]
NOWHERE: Units = {}


class Evaluator(Generic[N]):
    """Evaluates expressions in the given kind of numbers.

    ``entries`` gives the value of ``key(entry)``, ``symbols`` of a symbol (unknown ones get a random value that then
    stays), ``sizes`` the whole number that a size stands for.
    """

    def __init__(
        self,
        numbers: Numbers[N],
        entries: Mapping[Key, N],
        symbols: dict[Symbol, N] | None = None,
        sizes: Mapping[Expr, int] | None = None,
    ) -> None:
        self.numbers = numbers
        self.entries = entries
        self.symbols: dict[Symbol, N] = {} if symbols is None else symbols
        self.sizes = sizes or {}
        self.rules: dict[type, Callable[[Any, Units], N]] = {
            sp.Add: lambda e, at: self.sum_of(e.args, at),
            Total: lambda e, at: self.sum_of(e.args, at),
            sp.Mul: lambda e, at: self.product_of(e.args, at),
            Chain: lambda e, at: self.product_of(e.args, at),
            sp.Pow: self.power,
            sp.Sum: self.sum_over,
            sp.KroneckerDelta: self.kronecker,
            sp.Piecewise: self.cases,
            sp.Abs: self.absolute,
            Apply: self.apply,
            Partial: self.partial,
            Entry: self.entry,
        }

    def __call__(self, expr: Expr, at: Units = NOWHERE) -> N:
        """The value of ``expr`` with its free indices at the units ``at``.

        Raises ``Undecided`` if it has none, ``Missing`` if it names a quantity that the network does not have.
        """
        rule = self.rules.get(type(expr))
        if rule is not None:
            return rule(expr, at)
        if expr.is_Rational:
            return self.numbers.rational(int(expr.p), int(expr.q))
        if expr.is_Symbol:
            return self.symbol(expr, at)
        if expr is sp.pi:
            return self.numbers.call("pi", self.numbers.rational(0, 1))
        if expr is sp.E:
            return self.numbers.call("exp", self.numbers.rational(1, 1))
        if isinstance(expr, sp.sign):
            return self.numbers.sign(self(expr.args[0], at))
        if isinstance(expr, sp.Max | sp.Min):
            return self.extreme(expr, at)
        if isinstance(expr, sp.Function) and len(expr.args) == 1:
            return self.numbers.call(type(expr).__name__, self(expr.args[0], at))
        raise Undecided(f"the expression {type(expr).__name__}")

    def integer(self, expr: Expr, at: Units) -> int:
        """An index or a size, which must be a whole number."""
        if expr.is_Integer:
            return int(expr)
        if expr in at:
            return at[expr]
        if expr in self.sizes:
            return self.sizes[expr]
        value = expr.xreplace({s: sp.Integer(v) for s, v in at.items()}).xreplace(self.sizes)
        if not (isinstance(value, int) or value.is_Integer):
            raise Undecided(f"the index {expr} has no value")
        return int(value)

    def key(self, entry: Entry, at: Units) -> Key:
        """The entry's name and its indices as whole numbers."""
        return entry.base.label.name, *(self.integer(i, at) for i in entry.indices)

    def entry(self, entry: Entry, at: Units) -> N:
        if entry in self.sizes:
            return self.numbers.rational(self.sizes[entry], 1)
        key = self.key(entry, at)
        if key not in self.entries:
            raise Missing(f"{entry} is not part of the network")
        return self.entries[key]

    def symbol(self, symbol: Symbol, at: Units) -> N:
        if symbol in at or symbol in self.sizes:
            return self.numbers.rational(self.integer(symbol, at), 1)
        if symbol not in self.symbols:
            self.symbols[symbol] = self.numbers.random(bool(symbol.is_positive))
        return self.symbols[symbol]

    def sum_of(self, terms: tuple[Expr, ...], at: Units) -> N:
        total = self.numbers.rational(0, 1)
        for term in terms:
            total = self.numbers.add(total, self(term, at))
        return total

    def product_of(self, factors: tuple[Expr, ...], at: Units) -> N:
        total = self.numbers.rational(1, 1)
        for factor in factors:
            total = self.numbers.mul(total, self(factor, at))
        return total

    def power(self, expr: sp.Pow, at: Units) -> N:
        base, exponent = expr.args
        if base is sp.E:
            return self.numbers.call("exp", self(exponent, at))
        value = self(base, at)
        if not exponent.is_Rational:
            power = self.numbers.mul(self(exponent, at), self.numbers.call("log", value))
            return self.numbers.call("exp", power)
        if exponent.q == 2:
            value = self.numbers.root(value)
        elif exponent.q != 1:
            raise Undecided(f"the root {exponent}")
        return self.whole_power(value, int(exponent.p))

    def whole_power(self, value: N, n: int) -> N:
        """The n-th power, by repeated squaring."""
        if n < 0:
            return self.whole_power(self.numbers.inverse(value), -n)
        total = self.numbers.rational(1, 1)
        while n:
            if n & 1:
                total = self.numbers.mul(total, value)
            n >>= 1
            value = self.numbers.mul(value, value) if n else value
        return total

    def sum_over(self, expr: sp.Sum, at: Units) -> N:
        (i, low, high), *rest = expr.limits[::-1]
        body = sp.Sum(expr.function, *rest[::-1]) if rest else expr.function
        total = self.numbers.rational(0, 1)
        for n in range(self.integer(low, at), self.integer(high, at) + 1):
            total = self.numbers.add(total, self(body, {**at, i: n}))
        return total

    def kronecker(self, expr: sp.KroneckerDelta, at: Units) -> N:
        i, j = (self.integer(index, at) for index in expr.args)
        return self.numbers.rational(int(i == j), 1)

    def cases(self, expr: sp.Piecewise, at: Units) -> N:
        if expr.args[-1][1] != sp.true:
            raise Undecided("cases that leave a gap")
        value = self(expr.args[-1][0], at)
        for branch, condition in expr.args[-2::-1]:
            value = self.numbers.where(self.condition(condition, at), self(branch, at), value)
        return value

    def condition(self, condition: Any, at: Units) -> Any:
        """Whether a comparison holds."""
        if condition in (sp.true, sp.false):
            return bool(condition)
        if not isinstance(condition, Relational):
            raise Undecided(f"the condition {condition}")
        u, v = self(condition.lhs, at), self(condition.rhs, at)
        forward = self.numbers.positive(self.minus(u, v))
        backward = self.numbers.positive(self.minus(v, u))
        match condition:
            case sp.StrictGreaterThan():
                return forward
            case sp.StrictLessThan():
                return backward
            case sp.GreaterThan():
                return _negated(backward)
            case sp.LessThan():
                return _negated(forward)
        raise Undecided(f"the condition {condition}")

    def minus(self, u: N, v: N) -> N:
        """The difference."""
        return self.numbers.add(u, self.numbers.mul(self.numbers.rational(-1, 1), v))

    def absolute(self, expr: sp.Abs, at: Units) -> N:
        value = self(expr.args[0], at)
        return self.numbers.mul(self.numbers.sign(value), value)

    def extreme(self, expr: Expr, at: Units) -> N:
        """The largest (or the smallest) of the arguments."""
        # In this order and no other: in the prime field, u > v and v > w do not make u > w.
        first, other = (self(part, at) for part in first_and_rest(expr))
        beyond = self.minus(first, other) if isinstance(expr, sp.Max) else self.minus(other, first)
        return self.numbers.where(self.numbers.positive(beyond), first, other)

    def apply(self, expr: Apply, at: Units) -> N:
        return self.numbers.named(expr.tag.name, expr.order, tuple(self(u, at) for u in expr.arguments))

    def partial(self, expr: Partial, at: Units) -> N:
        raise Undecided(f"the derivative {expr}")


def _negated(condition: Any) -> Any:
    return not condition if isinstance(condition, bool) else ~condition

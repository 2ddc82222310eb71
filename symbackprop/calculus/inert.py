"""Nodes that SymPy leaves alone: a function known by its name, a partial derivative, an ordered product.

SymPy sorts products, gathers fractions and evaluates derivatives at once; a derivation needs each of these to stand as
it was written until a step changes it.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy import Expr, Integer, Symbol


class Apply(sp.Function):
    """``Apply(tag, order, u, *more)``: the order-th derivative in u of the function named ``tag``, at u.

    The further arguments (a target, say) are carried along. Differentiation raises the order.

    >>> z = Symbol("z", real=True)
    >>> sp.diff(Apply(Symbol("g"), 0, z), z)
    g'(z)
    """

    nargs = (3, 4)

    @classmethod
    def eval(cls, *args: Expr) -> None:
        return None

    @property
    def tag(self) -> Symbol:
        return self.args[0]

    @property
    def order(self) -> int:
        return int(self.args[1])

    @property
    def arguments(self) -> tuple[Expr, ...]:
        return tuple(self.args[2:])

    def fdiff(self, argindex: int = 3) -> Expr:
        if argindex != 3:
            raise ValueError("only the first argument of a named function is differentiated")
        return Apply(self.tag, Integer(self.order + 1), *self.arguments)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _eval_is_finite(self) -> bool:
        return True

    def _sympystr(self, printer: Any) -> str:
        inside = ", ".join(printer.doprint(u) for u in self.arguments)
        prime = "'" * self.order
        return f"{self.tag}{prime}({inside})"


class Partial(sp.Expr):
    """``∂f/∂v``, standing as it is: f and v are entries or symbols, or f is the expression under a ``d/dv``."""

    is_commutative = True

    def __new__(cls, of: Expr, by: Expr) -> Partial:
        return super().__new__(cls, sp.sympify(of), sp.sympify(by))

    @property
    def of(self) -> Expr:
        return self.args[0]

    @property
    def by(self) -> Expr:
        return self.args[1]

    def _eval_is_extended_real(self) -> bool:
        return True

    def doit(self, **hints: Any) -> Expr:
        """The derivative, by SymPy."""
        return sp.diff(self.of.doit(**hints), self.by)

    def _sympystr(self, printer: Any) -> str:
        return f"d{printer.doprint(self.of)}/d{printer.doprint(self.by)}"


class Chain(sp.Expr):
    """A product that keeps its factors, and their order, as written."""

    is_commutative = True

    def __new__(cls, *factors: Expr) -> Chain:
        return super().__new__(cls, *map(sp.sympify, factors))

    def _eval_is_extended_real(self) -> bool:
        return True

    def doit(self, **hints: Any) -> Expr:
        """The product, multiplied out by SymPy."""
        return sp.Mul(*(factor.doit(**hints) for factor in self.args))

    def _sympystr(self, printer: Any) -> str:
        return "*".join(
            f"({text})" if isinstance(factor, sp.Add) else text
            for factor, text in ((factor, printer.doprint(factor)) for factor in self.args)
        )


class Total(sp.Expr):
    """A sum that keeps its terms, and their order, as written."""

    is_commutative = True

    def __new__(cls, *terms: Expr) -> Total:
        return super().__new__(cls, *map(sp.sympify, terms))

    def _eval_is_extended_real(self) -> bool:
        return True

    def doit(self, **hints: Any) -> Expr:
        """The sum, added up by SymPy."""
        return sp.Add(*(term.doit(**hints) for term in self.args))

    def _sympystr(self, printer: Any) -> str:
        return " + ".join(printer.doprint(term) for term in self.args)


def spelled_out(expr: Expr) -> Expr:
    """``expr`` with its ordered products and sums turned into SymPy's own; partial derivatives stay.

    >>> u, v = sp.symbols("u v")
    >>> spelled_out(Chain(u, Total(v, u)))
    u*(u + v)
    """
    if not expr.has(Chain, Total):
        return expr
    args = [spelled_out(arg) for arg in expr.args]
    if isinstance(expr, Chain):
        return sp.Mul(*args)
    return sp.Add(*args) if isinstance(expr, Total) else expr.func(*args)

"""SymPy formulas as program nodes: one rule a kind of expression; what has no rule is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sympy as sp
from sympy import Add, Expr, Integer, Mul, Piecewise, Pow, Symbol
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.relational import Relational

from symbackprop.calculus.inert import Apply, Chain, Total
from symbackprop.emit.functions import (
    EntrySum,
    Exp,
    ExpQuotient,
    LogSoftplus,
    NormalTail,
    Others,
    Round,
    RowSum,
    Shifted,
    Sigmoid,
    Softplus,
    TanhRest,
)
from symbackprop.emit.program import Call, Node, Number, Op, Reduce, parts, with_parts
from symbackprop.emit.stable import without_overflow
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.layers import GENERIC_LOSS

FUNCTIONS: Mapping[type, str] = {
    sp.exp: "exp",
    expm1: "expm1",
    sp.log: "log",
    log1p: "log1p",
    sp.tanh: "tanh",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.atan: "atan",
    sp.erf: "erf",
    Exp: "exp",
    Round: "round",
    NormalTail: "normal_tail",
    sp.floor: "floor",
    sp.Abs: "abs",
    sp.sign: "sign",
    sp.Max: "maximum",
    sp.Min: "minimum",
    sp.StrictGreaterThan: "greater",
    sp.GreaterThan: "greater_equal",
    sp.StrictLessThan: "less",
    sp.LessThan: "less_equal",
    sp.Eq: "equal",
    sp.Ne: "not_equal",
    sp.And: "and",
    sp.Or: "or",
}


@dataclass
class FormulaReader:
    """Reads SymPy formulas as nodes: ``values`` says which node a symbol stands for; other symbols are named numbers.

    ``stems`` collects what the nodes of well-known functions would be called, if they get a line of their own. In
    products, symbols whose names begin with an earlier word of ``order`` come first.
    """

    values: dict[Expr, Node] = field(default_factory=dict)
    stems: dict[Node, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def __call__(self, expr: Expr) -> Node:
        """The node that computes ``expr``. Raises ``UnsupportedExpression`` for a function that has no rule."""
        if expr in self.values:
            return self.values[expr]
        if isinstance(expr, Apply):
            return Call(handed_in(expr.tag, expr.order), tuple(map(self, expr.arguments)))
        if isinstance(expr, Symbol) or not (expr.free_symbols or expr.has(Apply)):
            return Number(expr)
        if isinstance(expr, Chain):
            return Op("multiply", tuple(map(self, expr.args)))
        if isinstance(expr, Total):
            return Op("add", tuple(map(self._term, expr.args)))
        if isinstance(expr, Add):
            return self._sum(expr)
        if isinstance(expr, Mul | Pow):
            return self._product(expr)
        if isinstance(expr, Sigmoid | Softplus):
            return self._called(expr.func.__name__.lower(), self(without_overflow(expr)))
        if isinstance(expr, TanhRest | ExpQuotient | LogSoftplus):
            return self(without_overflow(expr))
        if isinstance(expr, Others):
            return self._others(self(expr.args[0]))
        if isinstance(expr, RowSum):
            return Reduce("sum", self(expr.args[0]), "columns")
        if isinstance(expr, EntrySum):
            return self._total(expr.args[0])
        if isinstance(expr, Shifted):
            u = self(expr.args[0])
            return self._called("shifted", Op("add", (u, Op("negative", (Reduce("max", u, "columns"),)))))
        if isinstance(expr, Piecewise):
            return self._cases(expr.args)
        if isinstance(expr, Relational) and not self._has_value(expr.lhs):
            expr = expr.reversed
        if (function := FUNCTIONS.get(expr.func)) is not None:
            return Op(function, tuple(self(arg) for arg in ordered(expr)))
        raise UnsupportedExpression(f"no program line computes {expr.func.__name__}")

    def moved(self, node: Node, old: Node, new: Node) -> Node:
        """``node`` with ``new`` in place of ``old``; what it would be called stays."""
        if node == old:
            return new
        result = with_parts(node, tuple(self.moved(part, old, new) for part in parts(node)))
        if node in self.stems:
            self.stems[result] = self.stems[node]
        return result

    def _has_value(self, expr: Expr) -> bool:
        return any(symbol in self.values for symbol in expr.free_symbols)

    def _called(self, stem: str, node: Node) -> Node:
        self.stems[node] = stem
        return node

    def _sum(self, expr: Add) -> Node:
        def place(term: Expr) -> tuple[bool, bool, bool, object]:
            """Positive terms first, among them numbers, then products."""
            return term.could_extract_minus_sign(), not term.is_number, not term.is_Mul, sp.default_sort_key(term)

        terms = sorted(expr.args, key=place)
        return Op("add", tuple(self(term) for term in terms))

    def _term(self, expr: Expr) -> Node:
        """A term of a sum; the sign of a number in front of it."""
        return Op("negative", (Number(-expr),)) if expr.is_Number and expr < 0 else self(expr)

    def _others(self, node: Node) -> Node:
        """The sum of the row's entries, none above 1, less 1: whole numbers apart; the rest keeps its digits."""
        whole = Op("floor", (node,))
        rest = Op("add", (node, Op("negative", (whole,))))
        less = Op("add", (Reduce("sum", whole, "columns"), Op("negative", (Number(Integer(1)),))))
        return self._called("others", Op("add", (less, Reduce("sum", rest, "columns"))))

    def _total(self, expr: Expr) -> Node:
        """The sum of all entries, the sign in front."""
        if expr.could_extract_minus_sign():
            return Op("negative", (self._total(-expr),))
        return Reduce("sum", self(expr), "all")

    def _product(self, expr: Expr) -> Node:
        """Numbers first, then what stands above the line, divided by what stands below."""
        if expr.could_extract_minus_sign():
            return Op("negative", (self(-expr),))
        factors = sorted(Mul.make_args(expr), key=self._place)
        over, under = number_fraction(Mul(*(f for f in factors if f.is_number)))
        above = [self._power(f) for f in factors if not f.is_number and not _is_below(f)]
        below = [self._power(1 / f) for f in factors if not f.is_number and _is_below(f)]
        return fraction([*numbers(over), *above], [*numbers(under), *below])

    def _place(self, factor: Expr) -> tuple[bool, bool, bool, int, object]:
        """Named numbers before arrays, arrays before functions of them, what may be next to nothing last."""
        symbol = isinstance(factor, Symbol)
        rank = next((n for n, word in enumerate(self.order) if symbol and factor.name.startswith(word)), 99)
        last = isinstance(factor, Exp)
        return last, not (symbol and factor not in self.values), not symbol, rank, sp.default_sort_key(factor)

    def _power(self, expr: Expr) -> Node:
        if not isinstance(expr, Pow):
            return self(expr)
        if expr.exp == sp.Rational(1, 2):
            return Op("sqrt", (self(expr.base),))
        if isinstance(expr.base, Exp) and expr.exp.is_Integer and 0 < expr.exp < 5:
            return product([self(expr.base)] * int(expr.exp))
        return Op("power", (self(expr.base), self(expr.exp)))

    def _cases(self, cases: tuple[sp.Basic, ...]) -> Node:
        value, where = cases[0].args
        if where == sp.true:
            return self(value)
        if len(cases) == 1:
            raise UnsupportedExpression("a formula by cases needs a last case that holds otherwise")
        return Op("where", (self(where), self(value), self._cases(cases[1:])))


def handed_in(tag: Symbol, order: int) -> str:
    """The name of a function that the caller hands in, or of its slope.

    >>> handed_in(Symbol("g"), 1), handed_in(GENERIC_LOSS, 1)
    ('g_prime', 'cost_slope')
    """
    if order > 1:
        raise UnsupportedExpression(f"no program line computes the {order}-th derivative of {tag}")
    return str(tag) + (("_slope" if tag == GENERIC_LOSS else "_prime") if order else "")


def ordered(expr: Expr) -> Iterable[Expr]:
    """The arguments of ``expr``, numbers last where their order is free."""
    if isinstance(expr, sp.Max | sp.Min | sp.And | sp.Or):
        return sorted(expr.args, key=lambda arg: (not arg.free_symbols, sp.default_sort_key(arg)))
    return expr.args


def _is_below(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.could_extract_minus_sign()


def number_fraction(number: Expr) -> tuple[Expr, Expr]:
    """A number as what to multiply by and what to divide by: decimal fractions multiply, others divide exactly.

    >>> number_fraction(sp.Rational(1, 20)), number_fraction(sp.Rational(2, 3))
    ((1/20, 1), (2, 3))
    """
    if isinstance(number, sp.Rational) and number.q > 1 and set(sp.factorint(number.q)) - {2, 5}:
        return Integer(number.p), Integer(number.q)
    return number, Integer(1)


def numbers(number: Expr) -> list[Node]:
    """A number as a list of factors: none for 1."""
    return [] if number == 1 else [Number(number)]


def product(factors: list[Node]) -> Node:
    """The factors multiplied; one factor is itself."""
    return factors[0] if len(factors) == 1 else Op("multiply", tuple(factors))


def fraction(above: list[Node], below: list[Node]) -> Node:
    """The product of the factors above, divided by that of the factors below."""
    top = product(above or [Number(Integer(1))])
    return Op("divide", (top, product(below))) if below else top

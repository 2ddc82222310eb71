"""From the matrix view to a straight-line program. Everything backward comes from the view's own equations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp
from sympy import Add, Expr, Integer, Mul, Piecewise, Pow, Symbol
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.relational import Relational

from symbackprop.calculus.indices import Entry, derivative
from symbackprop.calculus.inert import Apply, Chain, Total
from symbackprop.catalogue.entries import Z
from symbackprop.derivation import matrix_terms as mt
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Step
from symbackprop.emit.names import ERROR_NAME, Names
from symbackprop.emit.program import Assign, Call, MatMul, Node, Number, Op, Program, Reduce, Transposed, Var, share
from symbackprop.emit.stable import EntrySum, Erfc, RowSum, Shifted, Sigmoid, Softplus, stable_form, without_overflow
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.layers import GENERIC_LOSS
from symbackprop.network.quantities import BIAS, OUT, OUTPUT_UNIT

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
    Erfc: "erfc",
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
            return Op("add", tuple(map(self, expr.args)))
        if isinstance(expr, Add):
            return self._sum(expr)
        if isinstance(expr, Mul | Pow):
            return self._product(expr)
        if isinstance(expr, Sigmoid | Softplus):
            return self._called(expr.func.__name__.lower(), self(without_overflow(expr)))
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

    def _place(self, factor: Expr) -> tuple[bool, bool, int, object]:
        """Named numbers before arrays, arrays before functions of them."""
        symbol = isinstance(factor, Symbol)
        rank = next((n for n, word in enumerate(self.order) if symbol and factor.name.startswith(word)), 99)
        return not (symbol and factor not in self.values), not symbol, rank, sp.default_sort_key(factor)

    def _power(self, expr: Expr) -> Node:
        if not isinstance(expr, Pow):
            return self(expr)
        if expr.exp == sp.Rational(1, 2):
            return Op("sqrt", (self(expr.base),))
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


@dataclass
class TermReader:
    """Reads matrix terms as nodes. Sums, products and entry-by-entry products keep the order they are written in."""

    names: Names
    slopes: Mapping[Symbol, Slope]
    read: FormulaReader = field(default_factory=FormulaReader)

    def __call__(self, term: mt.Term) -> Node:
        """The node that computes ``term``."""
        match term:
            case mt.Leaf():
                return Var(self.names.array(term))
            case mt.Gradient(of):
                return Var(self.names.gradient(of))
            case mt.Transpose(of):
                return Transposed(self(of))
            case mt.Product(left, right):
                return MatMul(self(left), self(right))
            case mt.Hadamard(factors):
                return Op("multiply", tuple(map(self, factors)))
            case mt.Plus(terms):
                return Op("add", tuple(map(self, terms)))
            case mt.Scaled(factor, mt.Ones(None, None)):
                return self.read(factor)
            case mt.Scaled(factor, of):
                return self.scaled(factor, self(of))
            case mt.SumOver(of, over):
                return Reduce("sum", self(of), over)
            case mt.Ones(None, None):
                return Number(Integer(1))
            case mt.Map():
                return self.formula_node(self.formula(term))
        raise UnsupportedExpression(f"no program line computes {type(term).__name__}")

    def name(self, left: mt.Term) -> str:
        """The name of the array on the left of a step."""
        if isinstance(left, mt.Gradient):
            return self.names.gradient(left.of)
        assert isinstance(left, mt.Leaf)
        return self.names.array(left)

    def scaled(self, factor: Expr, of: Node) -> Node:
        """``factor`` times ``of``, the sign in front, what divides behind."""
        if factor.could_extract_minus_sign():
            return Op("negative", (self.scaled(-factor, of),))
        number, named = factor.as_coeff_Mul()
        over, under = number_fraction(number)
        above, below = ([] if part == 1 else [self.read(part)] for part in sp.fraction(named))
        return fraction([*numbers(over), *above, of], [*numbers(under), *below])

    def formula_node(self, formula: Expr) -> Node:
        """The node that computes a formula in array symbols, in its stable form."""
        return self.read(stable_form(formula))

    def formula(self, term: mt.Term) -> Expr:
        """``term`` as a SymPy formula, entry by entry, in a symbol for each array inside it."""
        match term:
            case mt.Hadamard(factors):
                return Mul(*map(self.formula, factors))
            case mt.Plus(terms):
                return Add(*map(self.formula, terms))
            case mt.Scaled(factor, of):
                return factor * self.formula(of)
            case mt.Ones(None, None):
                return Integer(1)
            case mt.SumOver() if mt.shape(term) == (None, None):
                factor, of = _all_entries(term)
                return factor * EntrySum(self.formula(of))
            case mt.SumOver(of, "columns"):
                return RowSum(self.formula(of))
            case mt.Map(function, symbols, arguments):
                whole = function.xreplace(dict(zip(symbols, map(self.formula, arguments), strict=True)))
                return named(whole, self.slopes)
        node = self(term)
        symbol = Symbol(node.name if isinstance(node, Var) else f"_{len(self.read.values)}", real=True)
        self.read.values[symbol] = node
        return symbol


def named(expr: Expr, slopes: Mapping[Symbol, Slope]) -> Expr:
    """Each activation by name as its formula, each slope by name as the formula derived for it, in stable form."""

    def written_out(use: Apply) -> Expr:
        slope = slopes.get(use.tag)
        formula = None if slope is None else slope.formula if use.order else slope.value
        return use if formula is None else stable_form(formula).xreplace({Z: use.arguments[0]})

    return expr.replace(lambda e: isinstance(e, Apply), written_out)


def _all_entries(term: mt.Term) -> tuple[Expr, mt.Term]:
    """A sum over all entries as the number in front and the array that is summed."""
    factor: Expr = Integer(1)
    while isinstance(term, mt.SumOver | mt.Scaled):
        factor *= term.factor if isinstance(term, mt.Scaled) else 1
        term = term.of
    return factor, term


def lower(derivation: Derivation, names: Names) -> Program:
    """The program of the network: its batch equations in the code layout of the profile."""
    graph = derivation.graph
    sizes = graph.spec.sizes
    view = derivation.matrix(names.profile.code_layout)
    read = TermReader(names, derivation.slopes)
    forward = [_line(read, step) for step in view.forward]
    lines = [*forward, _loss_line(read, view)]
    if graph.spec.loss.entry.value is None:
        lines.append(_slope_of_generic_loss(graph, read))
    lines += [_line(read, step) for step in (*view.deltas, *view.gradients)]
    steps = (*view.forward, *view.deltas, *view.gradients)
    leaves = sorted(map(_parameter, view.gradients), key=lambda leaf: (leaf.layer or 0, leaf.base == BIAS))
    updates = {line.name: line for line in (_line(read, step) for step in view.updates)}
    return Program(
        lines=share(lines, {names.input, names.target, *map(names.array, leaves)}, read.read.stems),
        intermediates=tuple(line.name for line in forward),
        loss=ERROR_NAME,
        gradients={names.array(leaf): names.gradient(leaf) for leaf in leaves},
        updates=tuple(updates[names.array(leaf)] for leaf in leaves),
        shapes={names.array(leaf): tuple(n for n in _shape(leaf, sizes) if n) for leaf in leaves},
        arrays={read.name(step.left): _shape(step.left, sizes) for step in steps},
    )


def _parameter(step: Step) -> mt.Leaf:
    """The parameter whose gradient ``step`` states."""
    assert isinstance(step.left, mt.Gradient)
    return step.left.of


def _line(read: TermReader, step: Step) -> Assign:
    """The line that carries out ``step``; an activation is read as one formula."""
    activation = isinstance(step.left, mt.Leaf) and step.left.base == OUT
    node = read.formula_node(read.formula(step.right)) if activation else read(step.right)
    return Assign(read.name(step.left), node, step.label)


def _loss_line(read: TermReader, view: MatrixView) -> Assign:
    """The loss. Its logarithms get the output's formula put in, so that their stable forms are found."""
    out = view.forward[-1]
    symbol, formula = read.formula(out.left), read.formula(out.right)
    error = read.formula(view.error.right).replace(sp.log, lambda inside: sp.log(inside.xreplace({symbol: formula})))
    return Assign(ERROR_NAME, read.formula_node(error), view.error.label)


def slope_of_generic_loss(graph: ForwardGraph) -> Expr:
    """∂E/∂a of an output, for a loss that the caller hands in, in the loss's own slope."""
    return derivative(graph.error.right, OUT[graph.depth, OUTPUT_UNIT]).xreplace(graph.sizes)


def _slope_of_generic_loss(graph: ForwardGraph, read: TermReader) -> Assign:
    """The line for ∂E/∂a of a loss that the caller hands in."""
    leaf = mt.Leaf(OUT, graph.depth, mt.EXAMPLES, mt.Axis(graph.depth))
    slope = slope_of_generic_loss(graph)
    symbols = {e: Symbol(read.names.of(e.base, graph.depth), real=True) for e in slope.atoms(Entry)}
    read.read.values.update({symbol: Var(symbol.name) for symbol in symbols.values()})
    return Assign(read.names.gradient(leaf), read.formula_node(slope.xreplace(symbols)))


def _shape(term: mt.Term, sizes: Sequence[int]) -> tuple[int | None, ...]:
    """The shape of the array that holds ``term``: None for the examples; a bias has one axis."""
    rows, columns = mt.shape(term)
    axes = [axis for axis in (rows, columns) if axis is not None]
    return tuple(None if axis.layer is None else sizes[axis.layer - 1] for axis in axes)

"""From the matrix view to a straight-line program. Everything backward comes from the view's own equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp
from sympy import Add, Dummy, Expr, Integer, Mul, Symbol

from symbackprop.calculus.indices import Entry, derivative
from symbackprop.calculus.inert import Apply
from symbackprop.catalogue.entries import Z
from symbackprop.derivation import matrix_terms as mt
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Step
from symbackprop.emit.formulas import FormulaReader, fraction, number_fraction, numbers
from symbackprop.emit.functions import EntrySum, RowSum
from symbackprop.emit.names import ERROR_NAME, Names
from symbackprop.emit.program import (
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Op,
    Program,
    Reduce,
    Transposed,
    Var,
    share,
)
from symbackprop.emit.source import left_out
from symbackprop.emit.stable import stable_form
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, OUT, OUTPUT_UNIT, is_trained


@dataclass
class TermReader:
    """Reads matrix terms as nodes. Sums, products and entry-by-entry products keep the order they are written in."""

    names: Names
    slopes: Mapping[Symbol, Slope]
    sizes: Sequence[int]
    known: Mapping[Symbol, Expr] = field(default_factory=dict)
    read: FormulaReader = field(default_factory=FormulaReader)
    patterns: dict[tuple[Symbol, int], Node] = field(default_factory=dict)

    def __call__(self, term: mt.Term) -> Node:
        """The node that computes ``term``."""
        match term:
            case mt.Map(Apply() as use, (_,), (mt.Leaf() as leaf,)) if _has_formula(self.slopes, use):
                return self.applied(use, self(leaf))
            case mt.Leaf():
                return Var(self.names.array(term))
            case mt.Gradient(of):
                return Var(self.names.gradient(of))
            case mt.Transpose(of):
                return Transposed(self(of))
            case mt.Product(left, right):
                return MatMul(self(left), self(right))
            case mt.InBlock(of, block, "columns", _):
                (*_, size) = _shape(term, self.sizes)
                assert size is not None
                return Columns(self(of), block * size, (block + 1) * size)
            case mt.Joined(blocks, "columns"):
                return Joined(tuple(map(self, blocks)))
            case mt.Hadamard(factors):
                return self.entrywise_product(factors)
            case mt.Plus((mt.Ones(), mt.Scaled(_, mt.Map(sp.exp())))):
                return self.formula_node(self.formula(term))
            case mt.Plus(terms):
                return Op("add", tuple(map(self, terms)))
            case mt.Scaled(factor, mt.Ones(None, None)):
                return self.read(factor.xreplace(self.known))
            case mt.Scaled(factor, of):
                return self.scaled(factor, self(of))
            case mt.SumOver() if mt.shape(term) == (None, None):
                factor, of = _all_entries(term)
                total = Reduce("sum", self(of), "all")
                return total if factor == 1 else self.scaled(factor, total)
            case mt.SumOver(of, over):
                return Reduce("sum", self(of), over)
            case mt.Ones(None, None):
                return Number(Integer(1))
            case mt.Map():
                return self.formula_node(self.formula(term))
        raise UnsupportedExpression(f"no program line computes {type(term).__name__}")

    def entrywise_product(self, factors: tuple[mt.Term, ...]) -> Node:
        """Arrays multiplied; formulas among them are read as one, for together they may have a stable form."""
        maps = [factor for factor in factors if isinstance(factor, mt.Map) and not isinstance(factor.function, Apply)]
        if len(maps) < 2:
            return Op("multiply", tuple(map(self, factors)))
        together = self.formula_node(Mul(*map(self.formula, maps)))
        rest = [self(factor) for factor in factors if factor not in maps]
        return Op("multiply", (*rest, together)) if rest else together

    def applied(self, use: Apply, at: Node) -> Node:
        """An activation or its slope at an array; the formula is read once, however many layers use it."""
        key = (use.tag, use.order)
        if key not in self.patterns:
            self.read.values[Z] = Var(str(Z))
            self.patterns[key] = self.read(named(Apply(use.tag, Integer(use.order), Z), self.slopes))
        return self.read.moved(self.patterns[key], Var(str(Z)), at)

    def name(self, left: mt.Term) -> str:
        """The name of the array on the left of a step."""
        if isinstance(left, mt.Gradient):
            return self.names.gradient(left.of)
        assert isinstance(left, mt.Leaf)
        return self.names.array(left)

    def scaled(self, factor: Expr, of: Node) -> Node:
        """``factor`` times ``of``, the sign in front, what divides behind."""
        factor = factor.xreplace(self.known)
        if factor.could_extract_minus_sign() and not factor.is_Add:
            return Op("negative", (self.scaled(-factor, of),))
        number, named = factor.as_coeff_Mul()
        over, under = number_fraction(number)
        above, below = ([] if part == 1 else [self.read(part)] for part in sp.fraction(named))
        return fraction([*numbers(over), *above, of], [*numbers(under), *below])

    def formula_node(self, formula: Expr) -> Node:
        """The node that computes a formula in array symbols, in its stable form."""
        return self.read(stable_form(formula.xreplace(self.known)))

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
            case mt.Product(left, mt.Transpose(mt.Leaf(_, _, None, _) as row)):
                return RowSum(self.formula(left) * self.formula(row))  # u rᵀ is the sum of u ⊙ r over the columns
            case mt.Map(function, symbols, arguments):
                whole = function.xreplace(dict(zip(symbols, map(self.formula, arguments), strict=True)))
                return named(whole, self.slopes)
        node = self(term)
        match node:
            case Var(name):
                symbol = Symbol(name, real=True)
            case Columns(Var(name), start, _):
                symbol = Symbol(f"{name}_{start}", real=True)
            case _:
                symbol = Symbol(f"_{len(self.read.values)}", real=True)
        self.read.values[symbol] = node
        return symbol


def with_numbers(slopes: Mapping[Symbol, Slope], known: Mapping[Symbol, Expr]) -> dict[Symbol, Slope]:
    """``slopes`` with the ``known`` parameters' numbers in the formulas that code is made of."""

    def put_in(formula: Expr | None) -> Expr | None:
        return None if formula is None else formula.xreplace(known)

    return {
        tag: replace(slope, value=put_in(slope.value), formula=put_in(slope.formula)) for tag, slope in slopes.items()
    }


def named(expr: Expr, slopes: Mapping[Symbol, Slope]) -> Expr:
    """Each activation by name as its formula, each slope by name as the formula derived for it, in stable form."""

    def written_out(use: Apply) -> Expr:
        slope = slopes.get(use.tag)
        formula = None if slope is None else slope.formula if use.order else slope.value
        return use if formula is None else stable_form(formula.xreplace({Z: use.arguments[0]}))

    # SymPy multiplies (z + 3)/6 out where it puts formulas in all at once, and the digits near z = -3 are lost.
    return expr.replace(lambda e: isinstance(e, Apply), written_out, simultaneous=False)


def _has_formula(slopes: Mapping[Symbol, Slope], use: Apply) -> bool:
    return use.tag in slopes and slopes[use.tag].value is not None


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
    known = left_out(graph.spec)
    read = TermReader(names, with_numbers(derivation.slopes, known), sizes, known)
    for symbol, entry in graph.spec.trained.items():
        read.read.values[symbol] = Var(names.of(entry.base, int(entry.indices[0])))
    forward = [_line(read, step) for step in view.forward]
    lines = [*forward, _loss_line(read, view)]
    if graph.spec.loss.entry.value is None:
        lines.append(_slope_of_generic_loss(graph, read))
    single = graph.spec.loss.entry.parts == 1 == graph.spec.activation_of(graph.depth).entry.pieces
    first, *deltas = view.deltas
    lines.append(_output_delta_line(read, view, first) if single else _line(read, first))
    lines += [_line(read, step) for step in (*deltas, *view.gradients)]
    steps = (*view.forward, *view.deltas, *view.gradients)
    leaves = sorted(map(_parameter, view.gradients), key=_place)
    updates = {line.name: line for line in (_line(read, step) for step in view.updates)}
    return Program(
        lines=share(lines, {names.input, names.target, *map(names.array, leaves)}, read.read.stems),
        intermediates=tuple(line.name for line in forward),
        loss=ERROR_NAME,
        deltas=tuple(read.name(step.left) for step in view.deltas if isinstance(step.left, mt.Leaf)),
        gradients={names.array(leaf): names.gradient(leaf) for leaf in leaves},
        updates=tuple(updates[names.array(leaf)] for leaf in leaves),
        shapes={names.array(leaf): tuple(n for n in _shape(leaf, sizes) if n) for leaf in leaves},
        arrays={read.name(step.left): _shape(step.left, sizes) for step in steps},
    )


def _place(leaf: mt.Leaf) -> tuple[int, bool, bool]:
    """Where a parameter stands in lists: with the layer it leaves; what an activation learns, before its weights."""
    return leaf.layer or 0, not is_trained(leaf.base), leaf.base == BIAS


def _parameter(step: Step) -> mt.Leaf:
    """The parameter whose gradient ``step`` states."""
    assert isinstance(step.left, mt.Gradient)
    return step.left.of


def _line(read: TermReader, step: Step) -> Assign:
    """The line that carries out ``step``; an activation is read as one formula."""
    activation = isinstance(step.left, mt.Leaf) and step.left.base == OUT
    group = activation and not (isinstance(step.right, mt.Map) and isinstance(step.right.function, Apply))
    node = read.formula_node(read.formula(step.right)) if group else read(step.right)
    return Assign(read.name(step.left), node, step.label)


def _output_delta_line(read: TermReader, view: MatrixView, step: Step) -> Assign:
    """δ of the output."""
    out = view.forward[-1]
    output, formula = read.formula(out.left), read.formula(out.right)
    loss = read.formula(view.error.right)
    if in_logarithms(loss, output, formula) == loss and not formula.has(sp.log):
        return _line(read, step)
    delta = with_output(read.formula(step.right), output, formula)
    return _line(read, step) if delta is None else Assign(read.name(step.left), read.formula_node(delta), step.label)


def with_output(delta: Expr, output: Symbol, formula: Expr) -> Expr | None:
    """``delta`` with the output's formula put in, so that stable forms are found. Asked of losses of logarithms only.

    A formula over a group is put in only where δ is linear in the output, or in its exponential: in sums of products
    of outputs it would do nothing. None where it is not put in.
    """
    held = Dummy(real=True)
    plain = delta.xreplace({sp.exp(output): held}).xreplace({output: held})
    in_sums = any(total.has(held) for total in plain.atoms(RowSum))
    if formula == output or (formula.has(RowSum) and (in_sums or plain.diff(held).has(held))):
        return None
    return delta.xreplace({output: formula})


def _loss_line(read: TermReader, view: MatrixView) -> Assign:
    """The loss, its logarithms with the output's formula put in, so that their stable forms are found."""
    out = view.forward[-1]
    error = in_logarithms(read.formula(view.error.right), read.formula(out.left), read.formula(out.right))
    return Assign(ERROR_NAME, read.formula_node(error), view.error.label)


def in_logarithms(loss: Expr, output: Symbol, formula: Expr) -> Expr:
    """``loss`` with the output's formula in its logarithms of fractions; one by cases has no stable form to be found.

    Where a logarithm has changed, the formula of a single output is put in everywhere: 1 - σ(z) has a stable form, too.

    >>> a, z = sp.symbols("a z")
    >>> in_logarithms(-sp.log(a) * a, a, sp.exp(z))
    -exp(z)*log(exp(z))
    """
    if formula.has(sp.Piecewise):
        return loss

    def put_in(inside: Expr) -> Expr:
        return sp.log(inside.xreplace({output: formula}) if inside.is_rational_function(output) else inside)

    changed = loss.replace(sp.log, put_in)
    return changed if changed == loss or formula.has(RowSum) else changed.xreplace({output: formula})


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
    return tuple(None if axis.layer is None else int(axis.blocks * sizes[axis.layer - 1]) for axis in axes)

"""The scalar target: the forward pass, δ and the gradients of every individual weight, with ``math`` alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp
from sympy import Expr, Integer, Rational, Sum, Symbol

from symbackprop.calculus.indices import Entry, InBlock, instantiate
from symbackprop.calculus.inert import Partial, Total, spelled_out
from symbackprop.catalogue.entries import A
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.final import final_delta
from symbackprop.derivation.slopes import Slope
from symbackprop.emit import source
from symbackprop.emit.array_module import helpers
from symbackprop.emit.formulas import FormulaReader
from symbackprop.emit.functions import Others, RowSum, Shifted
from symbackprop.emit.lower import in_logarithms, named, slope_of_generic_loss, with_numbers, with_output
from symbackprop.emit.names import ERROR_NAME
from symbackprop.emit.printer import ATOM, CASE, PRODUCT, TEST, PythonPrinter
from symbackprop.emit.program import COSTLY, Assign, Node, Number, Op, Var, needed, share
from symbackprop.emit.stable import stable_form
from symbackprop.network.quantities import BATCH, CLASS_WEIGHT, DELTA, ERROR, OUT, OUTPUT_UNIT, PRE, TARGET
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.profile import Profile

HELPERS = "scalar{}.py.jinja"  # what the templates of our own functions are called
PER_WEIGHT = 100  # networks with more weights get no function of their own for each weight
MATH = {name: f"math.{name}" for name in sorted(COSTLY - {"normal_tail", "round"})} | {
    "abs": "abs",
    "maximum": "max",
    "minimum": "min",
    "sign": "_sign",
    "normal_tail": "_normal_tail",
    "round": "_round",
}
# The output, the target and the weight of the class of the unit in question, in a formula over several of them.
OWN = {base: Symbol(name, real=True) for base, name in ((OUT, "_a"), (TARGET, "_t"), (CLASS_WEIGHT, "_c"))}


def own_piece(block: int) -> Symbol:
    """The pre-activation, in a block, of the unit in question, in a formula over several of them."""
    return Symbol(f"_u{block}", real=True)


@dataclass
class MathPrinter(PythonPrinter):
    """Prints nodes over Python floats."""

    def printed(self, node: Node) -> tuple[str, int]:
        match node:
            case Op("power", (base, exponent)) if not (isinstance(exponent, Number) and exponent.value.is_Integer):
                # To a type checker, ** of such an exponent may be complex.
                return f"math.pow({self(base)}, {self(exponent)})", ATOM
        return super().printed(node)

    def cases(self, test: Node, value: Node, other: Node) -> tuple[str, int]:
        match test:
            case Op("greater", sides) if sides in ((value, other), (other, value)):
                return self.function("maximum" if sides == (value, other) else "minimum", sides)
        return f"{self.inside(value, TEST)} if {self.inside(test, TEST)} else {self.inside(other, CASE)}", CASE

    def function(self, function: str, args: tuple[Node, ...]) -> tuple[str, int]:
        if function in ("and", "or"):
            return f" {function} ".join(self.inside(arg, ATOM) for arg in args), CASE
        if function == "floor":
            return f"{self.inside(args[0], ATOM)} // 1", PRODUCT
        return super().function(function, args)


def identifier(entry: Entry) -> str:
    """The name of a single quantity in the source: ``w11[1]`` is ``w11_1``.

    >>> identifier(PRE[2, 1]), identifier(TARGET[1]), identifier(PRE[2, 11])
    ('z1_2', 't1', 'z11_2')
    """
    return re.sub(r"[,\[]", "_", str(entry)).rstrip("]")


@dataclass(frozen=True)
class ScalarLines:
    """The program of one example in individual units and weights, as instances of the index equations."""

    derivation: Derivation
    read: FormulaReader = field(default_factory=lambda: FormulaReader(order=("delta", "w")))

    @cached_property
    def known(self) -> dict[Symbol, Rational]:
        """The parameters whose numbers are put in."""
        return source.left_out(self.derivation.graph.spec)

    @cached_property
    def slopes(self) -> dict[Symbol, Slope]:
        """The activations and their slopes, with these numbers."""
        return with_numbers(self.derivation.slopes, self.known)

    def __call__(self) -> tuple[Assign, ...]:
        """Forward pass, error, δ and gradients, in order of evaluation; a costly part that repeats is computed once."""
        lines = [*self.forward(), self.error(), *self.deltas(), *self.gradients()]
        return share(lines, list(map(identifier, self.inputs())), self.read.stems)

    def inputs(self) -> list[Entry]:
        """The arguments of every function: inputs, weights, biases, what activations learn, targets."""
        graph = self.derivation.graph
        return [
            *(OUT[1, i] for i in graph.units(1)),
            *graph.weights(),
            *graph.biases(),
            *graph.trained(),
            *graph.targets(),
        ]

    def line(self, name: str, expr: Expr, label: str | None = None) -> Assign:
        """``name = expr``, entries as names, activations as formulas."""
        return Assign(name, self.node(named(self.symbols(expr), self.slopes)), label)

    def symbols(self, expr: Expr) -> Expr:
        """``expr`` with a symbol for each entry and each ∂E/∂a that stands by itself; one example is a batch of one."""
        slopes = {p: Symbol(f"dE_d{identifier(p.by)}", real=True) for p in expr.atoms(Partial) if p.of == ERROR}
        plain = expr.xreplace(slopes)
        return plain.xreplace({e: symbol_of(e) for e in plain.atoms(Entry)} | {BATCH: Integer(1)})

    def node(self, expr: Expr) -> Node:
        """The node of a formula in symbols of entries."""
        expr = expr.xreplace(self.known)
        numbers = source.named_numbers(self.derivation.graph.spec)
        self.read.values.update({s: Var(s.name) for s in expr.free_symbols if s not in numbers})
        return self.read(expr)

    def forward(self) -> Iterator[Assign]:
        """Z and a of every unit."""
        graph = self.derivation.graph
        for layer in range(2, graph.depth + 1):
            for j in graph.fed(layer):
                pre = PRE[layer, j]
                yield self.line(identifier(pre), graph.entry_equation(pre), f"forward.z.{layer}.{j}")
            formula = stable_form(self.output_formula(layer))
            for shifted in formula.atoms(Shifted):
                units = [self.at_unit(shifted.args[0], layer, j) for j in graph.units(layer)]
                yield Assign(f"max_{layer}", self.node(sp.Max(*units, evaluate=False)))
            for j in graph.units(layer):
                value = self.at_unit(formula, layer, j)
                yield Assign(identifier(OUT[layer, j]), self.node(value), f"forward.a.{layer}.{j}")

    def output_formula(self, layer: int) -> Expr:
        """The output of a unit of ``layer`` in ``own_piece``, sums over a group as sums over a row."""
        return self.of_any_unit(self.derivation.graph.out[layer].right)

    def of_any_unit(self, right: Expr) -> Expr:
        """A formula over the units of a layer in ``own_piece`` and ``OWN``, sums over them as sums over a row."""
        right = right.xreplace({**self.derivation.graph.sizes, **self.known})
        places = {entry: entry.indices[-1] for entry in right.atoms(Entry) if entry.base == PRE}
        units = {entry: own_piece(at.block if isinstance(at, InBlock) else 0) for entry, at in places.items()}
        units |= {entry: OWN[entry.base] for entry in right.atoms(Entry) if entry.base in OWN}
        formula = right.replace(lambda e: isinstance(e, Sum), lambda total: RowSum(total.function))
        return named(formula.xreplace(units), self.slopes)

    def at_unit(self, formula: Expr, layer: int, j: int) -> Expr:
        """A formula in ``own_piece`` and ``OWN`` at unit j of ``layer``, sums over the row written out."""
        graph = self.derivation.graph
        for block in range(graph.spec.activation_of(layer).entry.pieces):
            if formula == own_piece(block):
                return symbol_of(PRE[layer, j + block * len(graph.units(layer))])
        for base, symbol in OWN.items():
            if formula == symbol:
                return symbol_of(base[layer, j] if base == OUT else base[j])
        if isinstance(formula, Others):
            return self.others([self.at_unit(formula.args[0], layer, m) for m in graph.units(layer)])
        if isinstance(formula, RowSum):
            return sp.Add(*(self.at_unit(formula.args[0], layer, m) for m in graph.units(layer)))
        if isinstance(formula, Shifted):
            return self.at_unit(formula.args[0], layer, j) - Symbol(f"max_{layer}", real=True)
        if not formula.args:
            return formula
        return formula.func(*(self.at_unit(arg, layer, j) for arg in formula.args))

    def others(self, entries: list[Expr]) -> Expr:
        """The sum of numbers up to 1, less 1: whole numbers apart, so that the rest keeps its digits."""
        whole = [sp.floor(entry) for entry in entries]
        return Total(Total(*whole, -1), *(entry - floor for entry, floor in zip(entries, whole, strict=True)))

    def error(self) -> Assign:
        """The objective of one example; logarithms in the shares of outputs get the output's formula put in."""
        graph = self.derivation.graph
        if graph.spec.loss.entry.joint or graph.spec.loss.entry.parts > 1:
            return self.line(ERROR_NAME, instantiate(graph.error.right, graph.sizes) + graph.penalty(), "error.units")
        out, target = OUT[graph.depth, OUTPUT_UNIT], TARGET[OUTPUT_UNIT]
        factor, total = graph.error.right.xreplace(graph.sizes).as_independent(Sum)
        units = {**self.known, out: OWN[OUT], target: OWN[TARGET], CLASS_WEIGHT[OUTPUT_UNIT]: OWN[CLASS_WEIGHT]}
        share_of_unit = in_logarithms(total.function.xreplace(units), OWN[OUT], self.output_formula(graph.depth))
        formula = stable_form(share_of_unit)
        shares = [self.at_unit(formula, graph.depth, k) for k in graph.units(graph.depth)]
        return Assign(ERROR_NAME, self.node(factor * sp.Add(*shares) + self.symbols(graph.penalty())), "error.units")

    def deltas(self) -> Iterator[Assign]:
        """δ of every unit, from the output back."""
        graph, general = self.derivation.graph, self.derivation.general
        if graph.spec.loss.entry.value is None:
            for k in graph.units(graph.depth):
                slope = slope_of_generic_loss(graph).xreplace({OUTPUT_UNIT: Integer(k)})
                yield self.line(f"dE_d{identifier(OUT[graph.depth, k])}", slope)
        together = self.output_delta()
        for layer in range(graph.depth, 1, -1):
            for step in self.derivation.scalar.passed(layer):
                yield self.line(f"dE_d{identifier(step.left.by)}", step.right, step.label)
            for place in graph.fed(layer):
                of = DELTA[layer, place]
                step, units = final_delta(graph, general, of)
                if layer == graph.depth and together is not None:
                    value = self.at_unit(together, layer, int(place))
                    yield Assign(identifier(of), self.node(value), f"{step.label}.{place}")
                    continue
                right = self.derivation.scalar.instance(step.right, **{i.name: unit for i, unit in units.items()})
                if graph.spec.activation_of(layer).entry.pieces > 1:
                    right = stable_form(self.symbols(right))
                yield self.line(identifier(of), right, f"{step.label}.{next(iter(units.values()))}")

    def output_delta(self) -> Expr | None:
        """δ of an output unit with the output's formula put in, for losses that take its logarithm."""
        graph = self.derivation.graph
        entry = graph.spec.loss.entry
        several = entry.joint or entry.parts > 1 or graph.spec.activation_of(graph.depth).entry.pieces > 1
        if entry.value is None or several:
            return None
        output = self.output_formula(graph.depth)
        loss = entry.value.xreplace({A: OWN[OUT]})
        if in_logarithms(loss, OWN[OUT], output) == loss and not output.has(sp.log):
            return None
        right = spelled_out(self.derivation.general["output.delta"].right)
        delta = with_output(self.of_any_unit(right), OWN[OUT], output)
        return None if delta is None else stable_form(delta)

    def gradients(self) -> Iterator[Assign]:
        """∂E/∂w of every parameter, with the penalty's part."""
        general = self.derivation.general
        graph = self.derivation.graph
        for of in (*graph.weights(), *graph.biases(), *graph.trained()):
            name = f"gradient.{of.base.label}.{of.indices[0]}"
            steps = [general[name], *([general[f"{name}.penalty"]] if f"{name}.penalty" in general else [])]
            right = sp.Add(*(self.derivation.scalar.at_parameter(step.right, of) for step in steps))
            yield self.line(f"dE_d{identifier(of)}", right, f"{of}.folded")


def symbol_of(entry: Entry) -> Symbol:
    """The symbol that stands for an entry in the source."""
    return Symbol(identifier(entry), real=True)


def scalar_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``scalar_gradients.py`` places. The names are addresses, the same in every notation."""
    spec = derivation.graph.spec
    reader = ScalarLines(derivation)
    lines, inputs = reader(), list(map(identifier, reader.inputs()))
    cut = ScalarSlicer(lines, spec, numbers)
    graph = derivation.graph
    parameters = [*graph.weights(), *graph.biases(), *graph.trained()]
    gradients = {str(of): f"dE_d{identifier(of)}" for of in parameters}
    everything = cut([ERROR_NAME, *gradients.values()])
    single = list(gradients.items()) if spec.weight_count <= PER_WEIGHT else []
    functions = [cut.function("loss", ERROR_NAME, "The error.", inputs)]
    functions += [cut.function(name, name, f"The derivative of the error by {of}.", inputs) for of, name in single]
    return {
        "summary": f"Gradients of every single weight of the network {source.summary(spec)}, for one example.",
        "title": source.title_lines(spec),
        "handed_in": bool(source.functions_handed_in(spec)),
        "uses_math": any("math." in line for line in everything.lines),
        "arguments": source.filled([f'"{name}", ' for name in inputs]),
        "constants": source.single_constants(spec),
        "functions": functions,
        "all_def": signature("loss_and_gradients", inputs, everything.named, "tuple[float, dict[str, float]]"),
        "all_lines": everything.lines,
        "error": ERROR_NAME,
        "gradients": gradients.items(),
        "helpers": helpers(everything.helpers, HELPERS),
    }


def signature(name: str, inputs: list[str], named: list[str], result: str) -> str:
    """The first line of a function of many numbers, as many on a line as fit."""
    arguments = [f"{each}: float" for each in inputs] + (["*", *named] if named else [])
    lines = "\n".join(source.filled([f"{each}, " for each in arguments]))
    return f"def {name}(\n{lines}\n) -> {result}:"


@dataclass(frozen=True)
class ScalarSlicer:
    """Cuts the scalar program into functions."""

    lines: tuple[Assign, ...]
    spec: NetworkSpec
    numbers: Mapping[str, int]

    def __call__(self, outputs: list[str]) -> source.Slice:
        """The lines that ``outputs`` need, printed."""
        printer = MathPrinter(MATH, source.named_numbers(self.spec))
        lines = needed(self.lines, outputs)
        text = [
            part
            for line in lines
            for part in source.fitted(
                f"{line.name} = {printer(line.node)}", comment=source.citation(self.numbers, line.label)
            )
        ]
        return source.Slice(text, source.keywords(lines, self.spec), frozenset(printer.used))

    def function(self, name: str, output: str, text: str, inputs: list[str]) -> dict[str, Any]:
        """A function of all inputs that returns ``output``."""
        part = self([output])
        return {
            "def": signature(name, inputs, part.named, "float"),
            "text": text,
            "lines": part.lines,
            "result": output,
        }

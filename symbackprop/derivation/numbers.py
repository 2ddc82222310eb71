"""Worked numbers: every equation of a small network with numbers put in, one update, the error before and after."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy import Expr, Float, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Partial, spelled_out
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.steps import Step
from symbackprop.errors import SpecError
from symbackprop.network.addresses import entry_at
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import ERROR, OUT, RATE, TARGET, updated

RATE_NAME, DEFAULT_RATE = "eta", 0.5
PRECISION = 30  # digits carried; what is printed is rounded once, at the end


@dataclass(frozen=True)
class WorkedStep:
    """An equation and its value at the numbers of the example; ``before`` the values that its right side takes."""

    step: Step
    value: Expr
    before: Mapping[Expr, Expr]


@dataclass(frozen=True)
class Worked:
    """The worked example: ``given`` numbers, the steps in order, E with the old and with the new parameters."""

    given: Mapping[Expr, Expr]
    steps: tuple[WorkedStep, ...]
    error_before: Expr
    error_after: Expr

    @property
    def values(self) -> dict[Expr, Expr]:
        """Every quantity's number: given, forward, δ, gradients, new parameters."""
        return {**self.given, **{w.step.left: w.value for w in self.steps}}


def work(derivation: Derivation, given: Mapping[str, float], seed: int = 0) -> Worked:
    """Put numbers in: ``given`` by address (``w11[1]``, ``x1``, ``t1``, ``eta``), the rest drawn with ``seed``.

    Raises ``SpecError`` for an address that the network does not have, and for an activation without a formula.
    """
    graph = derivation.graph
    undefined = sorted({use.tag for use in graph.spec.activations if use.entry.value is None})
    if undefined or graph.spec.loss.entry.value is None:
        what = f"the activation {undefined[0]}" if undefined else "the loss"
        raise SpecError(f"worked numbers need formulas, and {what} is undefined; expected one of the catalogue's")
    numbers = drawn(graph, seed) | dict(graph.spec.class_weights)
    for address, value in given.items():
        numbers[RATE if address == RATE_NAME else entry_at(address, graph.spec)] = exact(value)
    numbers |= graph.spec.parameters
    for symbol, entry in graph.spec.trained.items():
        numbers[symbol] = numbers[entry]
    run = _Run(graph, dict(numbers))
    steps = tuple(run.through(equations(derivation)))
    moved = {p: run.values[updated(p)] for p in parameters(graph)}
    moved |= {symbol: moved[entry] for symbol, entry in graph.spec.trained.items()}
    after = _Run(graph, {**numbers, **moved})
    *_, last = after.through(forward(derivation))
    given_numbers = {of: value for of, value in numbers.items() if of not in graph.spec.trained}
    return Worked(given_numbers, steps, run.values[ERROR], last.value)


def drawn(graph: ForwardGraph, seed: int) -> dict[Expr, Expr]:
    """Numbers of two decimals for every parameter, input and target; targets fit the loss."""
    chance = random.Random(seed)
    numbers: dict[Expr, Expr] = {
        entry: exact(round(chance.uniform(-1, 1), 2))
        for entry in (*graph.weights(), *graph.biases(), *(OUT[1, i] for i in graph.units(1)))
    }
    loss, count = graph.spec.loss.entry, len(graph.targets())
    chosen = chance.randint(1, count)
    labels = loss.targets_sum_to_one or loss.binary_targets or loss.classes
    for k in range(1, count + 1):
        between = round(chance.uniform(0.05, 0.95), 2)
        hot = 1 if k == chosen else 0
        numbers[TARGET[k]] = exact(hot if labels else between)
    starts = {entry: graph.spec.parameters[symbol] for symbol, entry in graph.spec.trained.items()}
    return {**numbers, **starts, RATE: exact(DEFAULT_RATE)}


def exact(value: float) -> Expr:
    """The decimal that a person wrote, exactly.

    >>> exact(0.15)
    3/20
    """
    return sp.Rational(repr(value)) if isinstance(value, float) else sp.Rational(value)


def parameters(graph: ForwardGraph) -> Iterator[Entry]:
    """Every weight, every bias, every trained parameter of an activation."""
    yield from graph.weights()
    yield from graph.biases()
    yield from graph.trained()


def forward(derivation: Derivation) -> Iterator[Step]:
    """Z and a of every unit, then E."""
    for block in (*derivation.scalar.forward(), derivation.scalar.error()):
        yield from block.steps


def equations(derivation: Derivation) -> Iterator[Step]:
    """What is evaluated, in order: forward, error, δ from the output back, gradients, updates."""
    graph, scalar = derivation.graph, derivation.scalar
    yield from forward(derivation)
    for layer in range(graph.depth, 1, -1):
        yield from scalar.passed(layer)
        for unit in graph.fed(layer):
            last = scalar.delta(layer, unit)[-1]
            yield Step(last.label, scalar.delta(layer, unit)[0].left, last.right, last.rule, last.uses)
        for of in (*graph.trained(layer), *graph.weights(layer - 1), *graph.biases(layer - 1)):
            yield scalar.folded(of)
    for of in parameters(graph):
        new = updated(of)
        yield Step(f"{of}.update", new, of - RATE * Partial(ERROR, of), rules.DESCENT, (f"{of}.folded",))


@dataclass
class _Run:
    """Evaluates steps one after the other; each may use the values of those before."""

    graph: ForwardGraph
    values: dict[Expr, Expr]

    def through(self, steps: Iterator[Step]) -> Iterator[WorkedStep]:
        for step in steps:
            before = {leaf: self.values[leaf] for leaf in leaves(step.right) if leaf in self.values}
            value = self.number(step.right)
            self.values[step.left] = value
            yield WorkedStep(step, value, before)

    def number(self, expr: Expr) -> Float:
        found = self.graph.concrete(spelled_out(expr)).xreplace(self.values)
        value = sp.N(found, PRECISION)
        if not value.is_Float and not value.is_Rational:
            raise SpecError(f"{expr} has no value at these numbers; expected others")
        return value


def leaves(expr: Expr) -> list[Expr]:
    """The entries, partial derivatives and named numbers in ``expr``, in a fixed order."""
    partials = expr.atoms(Partial)
    inside = {leaf for partial in partials for leaf in partial.atoms(Entry, Symbol)}
    tags = {apply.tag for apply in expr.atoms(Apply)}
    others = {leaf for leaf in expr.atoms(Entry, Symbol) if leaf not in inside and leaf not in tags}
    return sorted(partials | others, key=str)

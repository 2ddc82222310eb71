"""A world: one network with random numbers, in which every quantity has a value and every derivative is known.

The forward equations are evaluated with dual numbers in which each entry (weight, pre-activation, output, …) is varied
on its own, so one forward pass tells ∂E/∂v for every v, and ∂u/∂v for every pair. Nothing that a derivation states
about derivatives is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.cases import without_extremes
from symbackprop.calculus.indices import Base, Entry
from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import Z
from symbackprop.check.duals import Dual, DualNumbers
from symbackprop.check.numbers import Missing, N, Numbers, Undecided
from symbackprop.check.values import NOWHERE, Evaluator, Key, Units
from symbackprop.derivation.steps import Assumption
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    DELTA,
    ERROR,
    EXAMPLE,
    OBJECTIVE,
    OUT,
    PRE,
    RATE,
    TARGET,
    WEIGHT,
    change,
    updated,
)


def name_of(quantity: Base | Entry) -> str:
    """The name by which a quantity's values are known."""
    base = quantity.base if isinstance(quantity, Entry) else quantity
    return str(base.label.name)


class NetworkValues(Evaluator[N]):
    """An evaluator that knows what the network's named activations are."""

    formulas: Mapping[Symbol, Expr] = {}

    def apply(self, expr: Apply, at: Units) -> N:
        if expr.tag not in self.formulas:
            return super().apply(expr, at)
        return self.with_symbol(Z, self(expr.arguments[0], at), derivative(self.formulas[expr.tag], expr.order))

    def with_symbol(self, symbol: Symbol, value: N, expr: Expr) -> N:
        """The value of ``expr`` where ``symbol`` has this value."""
        outer = self.symbols.get(symbol)
        self.symbols[symbol] = value
        try:
            return self(expr)
        finally:
            if outer is None:
                del self.symbols[symbol]
            else:
                self.symbols[symbol] = outer


def derivative(formula: Expr, order: int) -> Expr:
    """SymPy's own derivative of an activation's formula."""
    return sp.diff(without_extremes(formula), Z, order) if order else formula


class _Duals(NetworkValues[Dual[N]]):
    """Evaluates in dual numbers; symbols have the values of the plain evaluator and no derivative."""

    def __init__(self, plain: NetworkValues[N], entries: Mapping[Key, Dual[N]]) -> None:
        super().__init__(DualNumbers(plain.numbers), entries, {}, plain.sizes)
        self.plain = plain
        self.formulas = plain.formulas

    def symbol(self, symbol: Symbol, at: Units) -> Dual[N]:
        if symbol in self.symbols:
            return self.symbols[symbol]
        return Dual(self.plain.symbol(symbol, at), {})


class World(NetworkValues[N]):
    """One network with random numbers; ``examples`` of them in a batch, or one example without an index (None).

    ``assumptions`` hold in it, nothing else is special about it. Weights are random, or those of ``given``.
    """

    def __init__(
        self,
        graph: ForwardGraph,
        numbers: Numbers[N],
        examples: int | None = None,
        assumptions: Iterable[Assumption] = (),
    ) -> None:
        self.graph, self.examples = graph, examples
        sizes: dict[Expr, int] = dict(graph.sizes)
        if examples is not None:
            sizes[BATCH] = examples
        self.known: dict[Key, N] = {}
        super().__init__(numbers, self.known, {}, sizes)
        self.formulas = graph.formulas
        self.table: dict[Key, Dual[N]] = {}
        self.duals = _Duals(self, self.table)
        for entry in [*graph.weights(), *graph.biases()]:
            self._set(self.key(entry, NOWHERE), self.duals.numbers.random())
        for symbol, entry in graph.spec.trained.items():
            self._set(key := self.key(entry, NOWHERE), self.duals.numbers.random())
            self.duals.symbols[symbol] = self.table[key]  # what activations know it by
            self.symbols[symbol] = self.table[key].value
        for entry in graph.class_weights():
            self.table[self.key(entry, NOWHERE)] = Dual(self.numbers.random(positive=True), {})
        for at in self.example_indices():
            self._forward(at, tuple(assumptions))
        self._objective()
        self.known.update({key: dual.value for key, dual in self.table.items()})
        self._derived()

    def example_indices(self) -> list[tuple[int, ...]]:
        """The last index of an entry: one for each example, or nothing."""
        return [()] if self.examples is None else [(m,) for m in range(1, self.examples + 1)]

    def _set(self, key: Key, dual: Dual[N]) -> None:
        """The entry's value, itself varied."""
        self.table[key] = Dual(dual.value, {**dual.tangent, key: self.numbers.rational(1, 1)})

    def _forward(self, at: tuple[int, ...], assumptions: tuple[Assumption, ...]) -> None:
        graph = self.graph
        for i in graph.units(1):
            self._set(("a", 1, i, *at), self.duals.numbers.random())
        for entry in graph.targets():
            self._set((*self.key(entry, NOWHERE), *at), Dual(self.numbers.random(positive=True), {}))
        for assumption in assumptions:
            self._assume(assumption, at)
        seen = _OneExample(self.duals, at)
        for layer in range(2, graph.depth + 1):
            for node in (graph.pre[layer], graph.out[layer]):
                unit, left, right = node.left.indices[1], node.left, node.right
                for j in graph.fed(layer) if node.left.base == PRE else graph.units(layer):
                    self._set((left.base.label.name, layer, j, *at), seen(right, {unit: j}))
        error = seen(graph.error.right)
        before = self.duals.symbols.get(ERROR)
        self.duals.symbols[ERROR] = error if before is None else self.duals.numbers.add(before, error)

    def _assume(self, assumption: Assumption, at: tuple[int, ...]) -> None:
        """Set the last target so that the assumption, which is linear in it, holds."""
        last = self.graph.targets()[-1]
        key = (*self.key(last, NOWHERE), *at)
        seen = _OneExample(self.duals, at)
        zero, one = self.numbers.rational(0, 1), self.numbers.rational(1, 1)
        ends = []
        for value in (zero, one):
            self.table[key] = Dual(value, {})
            ends.append(seen(assumption.formula).value)
        slope = self.minus(ends[1], ends[0])
        value = self.numbers.mul(self.minus(zero, ends[0]), self.numbers.inverse(slope))
        self._set(key, Dual(value, {}))
        if not _same(seen(assumption.formula).value, zero):
            raise Undecided(f"the assumption {assumption.key} is not linear in {last}")

    def _objective(self) -> None:
        numbers = self.duals.numbers
        total = self.duals.symbols[ERROR]
        if self.examples is not None and self.graph.spec.batch_reduction == "mean":
            total = numbers.mul(numbers.rational(1, self.examples), total)
        self.duals.symbols[OBJECTIVE] = numbers.add(total, self.duals(self.graph.penalty()))

    def _derived(self) -> None:
        """δ, and the weights after one update, and what it changes them by."""
        error, objective = self.duals.symbols[ERROR], self.duals.symbols[OBJECTIVE]
        self.symbols[ERROR], self.symbols[OBJECTIVE] = error.value, objective.value
        rate = self.symbol(RATE, NOWHERE)
        bases = {WEIGHT, BIAS, *(entry.base for entry in self.graph.trained())}
        learned = {name_of(base): (name_of(updated(base[1])), name_of(change(base[1]))) for base in bases}
        for (name, *at), dual in self.table.items():
            slope = objective.tangent.get((name, *at), self.numbers.rational(0, 1))
            if name == PRE.label.name:
                self.known[DELTA.label.name, *at] = error.tangent[name, *at]
            if name in learned:
                step = self.numbers.mul(rate, slope)
                self.known[learned[name][0], *at] = self.minus(dual.value, step)
                self.known[learned[name][1], *at] = self.minus(self.numbers.rational(0, 1), step)

    def partial(self, expr: Partial, at: Units) -> N:
        if isinstance(expr.by, Entry):
            varied: Any = self.key(expr.by, at)
            if varied not in self.table:
                raise Missing(f"{expr.by} is not part of the network")
            dual = self.duals(expr.of, at)
        else:
            varied = expr.by
            itself = Dual(self.symbol(expr.by, at), {varied: self.numbers.rational(1, 1)})
            dual = self.duals.with_symbol(expr.by, itself, expr.of)
        return dual.tangent.get(varied, self.numbers.rational(0, 1))


class _OneExample(Generic[N]):
    """Evaluates a forward equation for the example ``at``: its pre-activations, outputs and targets."""

    def __init__(self, evaluator: _Duals[N], at: tuple[int, ...]) -> None:
        self.evaluator, self.example = evaluator, {EXAMPLE: at[0]} if at else {}

        self.equations: dict[Expr, Expr] = {}

    def __call__(self, expr: Expr, units: Units = NOWHERE) -> Dual[N]:
        if not self.example:
            return self.evaluator(expr, units)
        if expr not in self.equations:
            indexed = {e: e.base[(*e.indices, EXAMPLE)] for e in expr.atoms(Entry) if e.base in (PRE, OUT, TARGET)}
            self.equations[expr] = expr.xreplace(indexed)
        return self.evaluator(self.equations[expr], {**units, **self.example})


def _same(u: Any, v: Any) -> bool:
    return bool(u == v) if isinstance(u, int) else bool(abs(u - v) < 1e-30)

"""The δ form evaluated: δ and the gradients by the derivation's steps, everything else by the forward equations."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import A, Z
from symbackprop.check.laurent import Formulas
from symbackprop.check.meaning import written_out
from symbackprop.check.numbers import Missing, N, Numbers
from symbackprop.check.polynomials import Formula
from symbackprop.check.values import Units
from symbackprop.check.worlds import NetworkValues
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.final import final_delta
from symbackprop.network.quantities import DELTA, ERROR, FROM, OUT, PRE, TO, is_trained


class Folded(NetworkValues[N]):
    """Evaluates the δ form: δ and the gradients by the derivation's steps, z and a by the forward equations."""

    def __init__(self, derivation: Derivation, numbers: Numbers[N], given: Mapping[Entry, N]) -> None:
        graph = derivation.graph
        super().__init__(numbers, {}, {}, graph.sizes)
        self.derivation, self.graph, self.given = derivation, graph, given
        self.made: dict[Expr, N] = {}
        self.slopes = {tag: slope.in_output for tag, slope in derivation.slopes.items() if slope.replaces}

    def entry(self, entry: Entry, at: Units) -> N:
        if entry in self.sizes:
            return super().entry(entry, at)
        individual = entry.base[tuple(self.integer(i, at) for i in entry.indices)] if at else entry
        if individual not in self.made:
            self.made[individual] = self._made(individual)
        return self.made[individual]

    def _made(self, entry: Entry) -> N:
        if entry in self.given:
            return self.given[entry]
        if entry.base in (PRE, OUT):
            return self(self.graph.entry_equation(entry))
        if entry.base == DELTA:
            step, units = final_delta(self.graph, self.derivation.general, entry)
            return self(step.right, units)
        raise Missing(f"{entry} is not part of the network")

    def partial(self, expr: Partial, at: Units) -> N:
        """∂E/∂a where the δ form leaves it standing: by its own step, or of a generic loss, as SymPy's derivative."""
        by = expr.by.xreplace({i: sp.Integer(n) for i, n in at.items()})
        if expr.of != ERROR or by.base != OUT:
            return super().partial(expr, at)
        if by.indices[0] != self.graph.depth:
            layer, unit = map(int, by.indices)
            return self(self.derivation.general[f"back.{layer}.out"].right, {TO: unit})
        return self(sp.diff(written_out(self.graph.error.right, {}, self.graph.sizes), by))

    def gradient(self, of: Entry) -> N:
        """∂E/∂w of one weight or bias, by the derivation's general step."""
        step = self.derivation.general[f"gradient.{of.base.label}.{of.indices[0]}"]
        if is_trained(of):
            return self(step.right)
        return self(step.right, {FROM: int(of.indices[1]), TO: int(of.indices[-1])})


class OpaqueFolded(Folded[Formula]):
    """Evaluates to formulas; an activation is a function known by name, f′ in terms of f where a step has proved it."""

    def apply(self, expr: Apply, at: Units) -> Formula:
        if expr.order == 1 and expr.tag in self.slopes:
            value = self(Apply(expr.tag, sp.Integer(0), *expr.arguments), at)
            return self.with_symbol(A, value, self.slopes[expr.tag])
        inside = tuple(self(u, at) for u in expr.arguments)
        formula = self.derivation.graph.formulas.get(expr.tag)
        if formula is not None and formula == Z:
            return inside[0] if expr.order == 0 else self.numbers.rational(int(expr.order == 1), 1)
        return self.numbers.named(expr.tag.name, expr.order, inside)

    def symbol(self, symbol: Symbol, at: Units) -> Formula:
        if symbol in self.symbols or symbol in at:
            return super().symbol(symbol, at)
        assert isinstance(self.numbers, Formulas)
        return self.numbers.name(symbol)

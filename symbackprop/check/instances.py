"""The lines about individual units and weights of a large network: exact values at the network's own size.

A sweep through the network in the prime field supplies every value; δ and the derivatives by the weights come from the
matrix equations of the same network with a bias at every unit, where ∂E/∂b = ∂E/∂z, after forward-mode differentiation
along random directions has confirmed all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import sympy as sp

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Partial
from symbackprop.check.field import compared, evaluated
from symbackprop.check.modular import Array
from symbackprop.check.numbers import Missing, Undecided
from symbackprop.check.proofs import IN_FIELD, POINTS, TRIES
from symbackprop.check.report import DEFINED, UNDECIDED, Row
from symbackprop.check.sweep import Sweep
from symbackprop.check.values import Units
from symbackprop.check.worlds import NetworkValues
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.matrix_terms import Layout
from symbackprop.derivation.steps import Step
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, PRE, WEIGHT


class SweptValues(NetworkValues[int]):
    """Values of individual entries from the arrays of a sweep; ``slopes`` are ∂E by weights and biases."""

    def __init__(self, sweep: Sweep, slopes: dict[tuple[str, int], Array]) -> None:
        symbols = {symbol: int(dual.value) for symbol, dual in sweep.evaluate.symbols.items()}
        symbols[ERROR] = int(sweep.objective.value.reshape(-1)[0])
        super().__init__(sweep.numbers.scalars, {}, symbols, sweep.graph.sizes)
        self.formulas = sweep.graph.formulas
        self.sweep, self.slopes = sweep, slopes

    @cached_property
    def output_slopes(self) -> Array:
        """∂E/∂a of the outputs."""
        return self.sweep.output_slopes()

    def entry(self, entry: Entry, at: Units) -> int:
        if entry in self.sizes:
            return super().entry(entry, at)
        name, *place = self.key(entry, at)
        if entry.base == DELTA:
            return self._at(self.slopes.get(("b", place[0] - 1)), place[1:])
        layer = (place.pop(0),) if entry.base.layered else ()
        dual = self.sweep.arrays.get((name, *layer))
        return self._at(None if dual is None else dual.value, place)

    def _at(self, array: Array | None, place: list[int]) -> int:
        if array is None or any(not 0 < n <= size for n, size in zip(place, array.shape, strict=False)):
            raise Missing("an entry that is not part of the network")
        return int(array[tuple(n - 1 for n in place)].reshape(-1)[0])

    def partial(self, expr: Partial, at: Units) -> int:
        if expr.of == ERROR and isinstance(expr.by, Entry):
            name, layer, *place = self.key(expr.by, at)
            if expr.by.base in (WEIGHT, BIAS):
                return self._at(self.slopes.get((name, layer)), place)
            if expr.by.base == OUT and layer == self.sweep.graph.depth:
                return self._at(self.output_slopes, place)
            if expr.by.base == PRE:
                return self(DELTA[expr.by.indices], at)
            if expr.by.base == OUT:
                return self._through(expr.by)
        if isinstance(expr.of, Entry) and isinstance(expr.by, Entry):
            return self(sp.diff(self.sweep.graph.entry_equation(expr.of), expr.by), at)
        return super().partial(expr, at)

    def _through(self, out: Entry) -> int:
        """∂E/∂a of a hidden unit: what it sends to every unit of the next layer."""
        graph, layer = self.sweep.graph, int(out.indices[0]) + 1
        fed = [PRE[layer, k] for k in graph.fed(layer)]
        return self(sp.Add(*(DELTA[z.indices] * sp.diff(graph.entry_equation(z), out) for z in fed)))


class Instances:
    """Checks individual lines of ``derivation`` at ``POINTS`` random points."""

    def __init__(self, derivation: Derivation, seed: int) -> None:
        self.derivation, self.seed = derivation, seed

    @cached_property
    def points(self) -> list[SweptValues]:
        """Random points at which forward-mode differentiation confirms every derivative of E."""
        spec = self.derivation.graph.spec
        plain = derive(forward_graph(replace(spec, penalty=None, bias=(True,) * (spec.depth - 1))), "none")
        absent = [("b", l) for l in range(1, spec.depth) if not spec.has_bias(l)]
        used = {a.key: a for step in plain.steps for a in step.assumptions}
        formulas = {tag: slope.formula for tag, slope in plain.slopes.items() if slope.formula is not None}
        view = plain.matrix(Layout(batch=False))
        found: list[SweptValues] = []
        for n in range(TRIES):
            try:
                sweep = Sweep(plain.graph, self.seed * TRIES + n, False, [used[key] for key in sorted(used)], absent)
                error, gradients = evaluated(view, sweep, formulas)
            except Undecided:
                continue
            if all(row.verdict is True for row in compared(view, sweep, error, gradients)):
                slopes = {
                    (leaf.base.label.name, leaf.layer or 0): value if leaf.base == WEIGHT else value.reshape(-1)
                    for leaf, value in gradients.items()
                }
                found.append(SweptValues(sweep, slopes))
            if len(found) == POINTS:
                break
        return found

    def row(self, step: Step, group: str) -> Row:
        """The step's verdict at all points."""
        agreeing = list(self._agreeing(step))
        if False in agreeing:
            return Row(group, step.label, False, "unequal at a random point")
        if agreeing.count(True) < POINTS:
            return Row(group, step.label, None, UNDECIDED)
        return Row(group, step.label, True, DEFINED if step.rule == rules.DEFINITION else IN_FIELD)

    def _agreeing(self, step: Step) -> Iterator[bool | None]:
        for point in self.points:
            try:
                yield point(step.left) == point(step.right)
            except Missing:
                yield False
            except Undecided:
                yield None

"""Small networks: the folded δ form, with everything substituted back, against SymPy's derivative of the composed E.

E is one expression in the individual weights here, and SymPy differentiates it whole; nothing of the derivation's chain
rules is used on that side. Activations stay functions known by name where their slope is one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath
import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.cases import without_extremes
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import Z
from symbackprop.check.folded import Folded, OpaqueFolded
from symbackprop.check.laurent import Ask, Formulas
from symbackprop.check.meaning import written_out
from symbackprop.check.numbers import Missing, Undecided
from symbackprop.check.polynomials import Formula
from symbackprop.check.proofs import IN_REALS, REAL_POINTS, TRIES, same
from symbackprop.check.reals import DIGITS, Reals
from symbackprop.check.report import SYMBOLIC, UNDECIDED, Row, Verdict
from symbackprop.check.values import NOWHERE, Units
from symbackprop.check.worlds import World
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.steps import Assumption
from symbackprop.network.quantities import ERROR, OUT, WEIGHT

GROUP = "folded form"
LARGEST = 100  # weights; E as one expression is out of reach beyond
LONGEST = 10_000  # operations in E times weights; beyond, SymPy differentiates E by two of them only
TIMES_ANSWERED = 6


class Cached(World[Any]):
    """A world that remembers the value of every function and power that it has met."""

    def __call__(self, expr: Expr, at: Units = NOWHERE) -> Any:
        if at or not isinstance(expr, Apply | sp.Pow | sp.Function) or expr.has(Z):
            return super().__call__(expr, at)
        remembered = self.__dict__.setdefault("remembered", {})
        if expr not in remembered:
            remembered[expr] = super().__call__(expr, at)
        return remembered[expr]


def check_composed(derivation: Derivation, seed: int = 0) -> list[Row]:
    """One row for each layer's weights and biases; none for a network with more than ``LARGEST`` weights.

    Where E is too long to be differentiated by every weight, that is done for one weight of the first and of the last
    layer, and every weight's δ form is compared with forward-mode differentiation to 40 digits.
    """
    graph = derivation.graph
    if graph.spec.weight_count > LARGEST:
        return []
    used = {a.key: a for step in derivation.steps for a in step.assumptions}
    composed = Composed(derivation, tuple(used[key] for key in sorted(used)), seed)
    groups = [list(entries) for l in range(graph.depth - 1, 0, -1) for entries in (graph.weights(l), graph.biases(l))]
    groups = [entries for entries in groups if entries]
    if sp.count_ops(composed.error) * sum(map(len, groups)) <= LONGEST:
        rows = [Row(GROUP, named(entries), *composed.decide(entries)) for entries in groups]
        return [*rows, *(Row(GROUP, of_trained(p), *composed.decide_forward([p])) for p in graph.trained())]
    some = [next(graph.weights(layer)) for layer in (graph.depth - 1, 1)]
    row = Row(GROUP, f"the derivatives of E by {some[0]} and {some[1]}", *composed.decide(some))
    rows = [row, *(Row(GROUP, named(entries), *composed.decide_forward(entries)) for entries in groups)]
    return [*rows, *(Row(GROUP, of_trained(p), *composed.decide_forward([p])) for p in graph.trained())]


def of_trained(of: Entry) -> str:
    """What the derivative by a trained parameter is called in a report."""
    return f"the derivative of E by {of}"


def named(entries: list[Entry]) -> str:
    """What a group of derivatives is called in a report."""
    kind = "weight" if entries[0].base == WEIGHT else "bias"
    several = {"weight": "weights", "bias": "biases"}[kind] if len(entries) > 1 else kind
    return f"the derivatives of E by the {len(entries)} {several} leaving layer {entries[0].indices[0]}"


class Composed:
    """The composed E of a small network, and the comparison of its derivatives with the δ form.

    SymPy differentiates faster by symbols than by entries, so each entry in E becomes a symbol of the same name.
    """

    def __init__(self, derivation: Derivation, assumptions: tuple[Assumption, ...], seed: int) -> None:
        self.derivation, self.assumptions, self.seed = derivation, assumptions, seed
        error = without_extremes(derivation.graph.composed_error())
        self.symbols = {entry: Symbol(str(entry), real=True) for entry in sorted(error.atoms(Entry), key=str)}
        self.error = error.xreplace(self.symbols)
        self._worlds: dict[int, tuple[Cached, Folded[Any]]] = {}

    def decide(self, of: list[Entry]) -> tuple[Verdict, str]:
        """Whether the derivatives of E by the weights ``of`` equal their δ form."""
        raw = {w: sp.diff(self.error, self.symbols[w]) for w in of}
        if self.symbolically(raw):
            return True, SYMBOLIC
        return self._in_reals(raw, lambda world, w: world(raw[w]))

    def decide_forward(self, of: list[Entry]) -> tuple[Verdict, str]:
        """The same with forward-mode differentiation in place of SymPy's."""
        return self._in_reals(of, lambda world, w: world(Partial(ERROR, w)))

    def _in_reals(self, of: Iterable[Entry], slope: Callable[[Cached, Entry], Any]) -> tuple[Verdict, str]:
        with mpmath.workdps(DIGITS):
            found = self.in_reals(of, slope)
        return found, UNDECIDED if found is None else IN_REALS if found else "unequal at random points"

    def symbolically(self, raw: Mapping[Entry, Expr], taken: dict[Any, bool] | None = None) -> bool:
        """Whether all differences vanish with activations known by name only, whatever the comparisons in them."""
        taken = taken or {}
        numbers = Formulas(taken)
        graph = self.derivation.graph
        parameters = [*graph.weights(), *graph.biases(), *graph.targets(), *graph.class_weights()]
        given = {entry: numbers.name(entry) for entry in parameters}
        given.update({OUT[1, i]: numbers.name(OUT[1, i]) for i in graph.units(1)})
        try:
            folded = OpaqueFolded(self.derivation, numbers, given)
            given.update(self._solved(folded))
            folded.symbols.update({symbol: given[entry] for entry, symbol in self.symbols.items()})
            minus = numbers.rational(-1, 1)
            return all(
                numbers.is_zero(numbers.add(folded(slope), numbers.mul(minus, folded.gradient(w))))
                for w, slope in raw.items()
            )
        except (Undecided, Missing):
            return False
        except Ask as ask:
            cases = ({**taken, ask.condition: holds} for holds in (True, False))
            return len(taken) < TIMES_ANSWERED and all(self.symbolically(raw, case) for case in cases)

    def _solved(self, folded: OpaqueFolded) -> dict[Entry, Formula]:
        """The last target by the assumptions, each linear in it."""
        last = self.derivation.graph.targets()[-1]
        solved: dict[Entry, Formula] = {}
        for assumption in self.assumptions:
            formula = written_out(assumption.formula, {}, self.derivation.graph.sizes)
            solved[last] = folded(sp.expand(last - formula / formula.diff(last)))
        return solved

    def in_reals(self, of: Iterable[Entry], slope: Callable[[Cached, Entry], Any]) -> Verdict:
        """Whether all derivatives agree to 40 digits at random rational points."""
        agreeing = 0
        for n in range(TRIES):
            try:
                world, folded = self._world(n)
                if not all(same(slope(world, w), folded.gradient(w)) for w in of):
                    return False
            except Missing:
                return False
            except Undecided:
                continue
            agreeing += 1
            if agreeing == REAL_POINTS:
                return True
        return None

    def _world(self, n: int) -> tuple[Cached, Folded[Any]]:
        if n not in self._worlds:
            graph = self.derivation.graph
            world = Cached(graph, Reals(self.seed * TRIES + n), None, self.assumptions)
            inputs = [OUT[1, i] for i in graph.units(1)]
            entries = [*graph.weights(), *graph.biases(), *graph.targets(), *graph.class_weights(), *inputs]
            folded = Folded(self.derivation, world.numbers, {e: world(e) for e in entries})
            folded.formulas, folded.symbols = world.formulas, world.symbols
            world.symbols.update({symbol: world(entry) for entry, symbol in self.symbols.items()})
            self._worlds[n] = world, folded
        return self._worlds[n]

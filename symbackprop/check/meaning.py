"""What the quantities of a network stand for, as expressions of independent entries.

∂u/∂v is SymPy's own derivative of each forward equation on the way from v to u, put together by the chain rule. Where a
step is about a hidden layer, the error may be any function of a later layer's pre-activations, whose δ stay symbols:
the step is then proved for every network that goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp
from sympy import Expr, Integer, Sum, Symbol

from symbackprop.calculus.cases import without_extremes
from symbackprop.calculus.indices import Entry, InBlock, instantiate
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    BIAS_CHANGE,
    DELTA,
    ERROR,
    NEXT_BIAS,
    NEXT_WEIGHT,
    OBJECTIVE,
    OUT,
    PRE,
    RATE,
    TARGET,
    WEIGHT,
    WEIGHT_CHANGE,
    is_trained,
)

UPDATED = {NEXT_WEIGHT: WEIGHT, NEXT_BIAS: BIAS}
CHANGED = {WEIGHT_CHANGE: WEIGHT, BIAS_CHANGE: BIAS}


def written_out(expr: Expr, units: Mapping[Symbol, int], sizes: Mapping[Expr, int]) -> Expr:
    """``expr`` at the given units, its sums written out; sizes inside an outer sum depend on its index."""
    put: dict[Expr, Expr] = {s: Integer(n) for s, n in units.items()}
    done: dict[Expr, Expr] = {**put, **{size: Integer(n) for size, n in sizes.items()}}  # equal parts are written once

    def write(e: Expr) -> Expr:
        if e not in done:
            done[e] = sum_written(e) if isinstance(e, Sum) else parts_written(e)
        return done[e]

    def sum_written(e: Sum) -> Expr:
        (i, low, high), *rest = e.limits[::-1]
        body = Sum(e.function, *rest[::-1]) if rest else e.function
        values = range(int(write(low)), int(write(high)) + 1)
        return sp.Add(*(write(body.xreplace({i: Integer(n)})) for n in values))

    def parts_written(e: Expr) -> Expr:
        if isinstance(e, Entry):
            return e.base[tuple(map(write, e.indices))] if e.has(InBlock) else e.xreplace(put)
        args = tuple(map(write, e.args))
        return e if args == e.args else e.func(*args)

    return write(expr)


class Meaning:
    """What the quantities of ``graph`` stand for, as expressions; ``examples`` as in ``worlds.World``.

    ``frontier`` is the layer whose δ stay symbols, None for none.
    """

    def __init__(self, graph: ForwardGraph, examples: int | None, frontier: int | None) -> None:
        self.graph, self.examples, self.frontier = graph, examples, frontier
        self._equations: dict[Expr, Expr] = {}
        self._totals: dict[tuple[Expr, Expr], Expr] = {}
        self._slopes: dict[Expr, dict[Expr, Expr]] = {}

    def __call__(self, expr: Expr) -> Expr:
        """``expr``, its sums written out, with every derivative replaced by what it is."""
        if isinstance(expr, Partial):
            return self.total(expr.of, expr.by)
        if isinstance(expr, Entry):
            return self.entry(expr)
        if expr in (ERROR, OBJECTIVE):
            return self.equation(expr)
        if not expr.args:
            return expr
        args = [self(arg) for arg in expr.args]
        if isinstance(expr, Chain):
            return sp.Mul(*args)
        return sp.Add(*args) if isinstance(expr, Total) else expr.func(*args)

    def entry(self, entry: Entry) -> Expr:
        """δ by its definition, an updated weight by descent; every other entry stays."""
        if entry.base == DELTA and entry.indices[0] != self.frontier:
            return self.total(ERROR, PRE[entry.indices])
        if is_trained(entry, "next"):
            old = entry.base.as_role("")[entry.indices]
            return old - RATE * self.total(OBJECTIVE, old)
        if is_trained(entry, "change"):
            return -RATE * self.total(OBJECTIVE, entry.base.as_role("")[entry.indices])
        if entry.base in UPDATED:
            old = UPDATED[entry.base][entry.indices]
            return old - RATE * self.total(OBJECTIVE, old)
        if entry.base in CHANGED:
            return -RATE * self.total(OBJECTIVE, CHANGED[entry.base][entry.indices])
        return entry

    def equation(self, of: Expr) -> Expr:
        """The forward equation of a pre-activation, an output, the error or the objective."""
        if of not in self._equations:
            self._equations[of] = self._equation(of)
        return self._equations[of]

    def _equation(self, of: Expr) -> Expr:
        if of == ERROR:
            error = instantiate(self.graph.error.right, self.graph.sizes)
            return sp.Add(*(self._at_example(error, at) for at in self._examples()))
        if of == OBJECTIVE:
            return self._scale() * self.equation(ERROR) + self._penalty()
        node = (self.graph.pre if of.base == PRE else self.graph.out)[int(of.indices[0])]
        right = instantiate(node.right, {**self.graph.sizes, node.left.indices[1]: of.indices[1]})
        return self._at_example(right, tuple(of.indices[2:]))

    def _examples(self) -> list[tuple[Expr, ...]]:
        return [()] if self.examples is None else [(Integer(m),) for m in range(1, self.examples + 1)]

    def _at_example(self, expr: Expr, at: tuple[Expr, ...]) -> Expr:
        if not at:
            return expr
        return expr.xreplace({e: e.base[(*e.indices, *at)] for e in expr.atoms(Entry) if e.base in (PRE, OUT, TARGET)})

    def _scale(self) -> Expr:
        mean = self.examples is not None and self.graph.spec.batch_reduction == "mean"
        return Integer(1) / self.examples if mean else Integer(1)

    def _penalty(self) -> Expr:
        penalty = self.graph.penalty()
        return penalty if self.examples is None else penalty.xreplace({BATCH: Integer(self.examples)})

    def total(self, of: Expr, by: Expr) -> Expr:
        """∂of/∂by through every equation on the way."""
        if (of, by) not in self._totals:
            self._totals[of, by] = self._total(of, by)
        return self._totals[of, by]

    def _total(self, of: Expr, by: Expr) -> Expr:
        if of == by:
            return Integer(1)
        if not isinstance(by, Entry):
            return sp.diff(self(of), by)
        if of == OBJECTIVE:
            return self._scale() * self.total(ERROR, by) + sp.diff(self._penalty(), by)
        if of == ERROR and self.frontier is not None:
            pres = [PRE[(self.frontier, k, *m)] for k in self.graph.fed(self.frontier) for m in self._examples()]
            return sp.Add(*(DELTA[pre.indices] * self.total(pre, by) for pre in pres))
        if isinstance(of, Entry):
            if not self._depends(of, by):
                return Integer(0)
            if is_trained(by) and of.indices[0] == by.indices[0]:
                symbol = next(symbol for symbol, entry in self.graph.spec.trained.items() if entry == by)
                return sp.diff(self.graph.concrete(self.equation(of)), symbol)
            return self._through(self.equation(of), by)
        return self._through(self.equation(of) if of == ERROR else self(of), by)

    def _through(self, expr: Expr, by: Expr) -> Expr:
        slopes = self._slopes.setdefault(expr, {})
        by_cases, total = without_extremes(expr), []
        for atom in sorted(expr.atoms(Entry), key=str):
            if (inner := self.total(atom, by)) != 0:
                if atom not in slopes:
                    slopes[atom] = sp.diff(by_cases, atom)
                total.append(slopes[atom] * inner)
        return sp.Add(*total)

    @staticmethod
    def _depends(of: Entry, by: Entry) -> bool:
        """Whether ``of`` has a forward equation and lies after ``by``, as far as their layers tell."""
        return of.base in (PRE, OUT) and int(of.indices[0]) > 1 and position(of) > position(by)


def position(entry: Entry) -> int:
    """Where the entry stands in the forward pass.

    >>> position(WEIGHT[1, 1, 1]) < position(PRE[2, 1]) < position(OUT[2, 1]) < position(WEIGHT[2, 1, 1])
    True
    """
    if not entry.base.layered:
        return 0
    place = 0 if is_trained(entry) else {PRE: 0, DELTA: 0, OUT: 1}.get(entry.base, 2)
    return 3 * int(entry.indices[0]) + place

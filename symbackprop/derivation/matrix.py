"""The matrix view: the index equations of every layer, read as equations between arrays in one layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Sum, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import spelled_out
from symbackprop.derivation.final import final_deltas
from symbackprop.derivation.fold import Fold, scaled
from symbackprop.derivation.matrix_terms import Along, Gradient, Joined, Layout, Plus, Scaled, SumOver, Term
from symbackprop.derivation.steps import Step
from symbackprop.network import layers
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    DELTA,
    ERROR,
    EXAMPLE,
    FROM,
    OBJECTIVE,
    OUT,
    PRE,
    RATE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
    is_trained,
    updated,
)
from symbackprop.network.spec import PenaltyUse

PER_EXAMPLE = frozenset({PRE, OUT, DELTA, TARGET})


@dataclass(frozen=True)
class MatrixView:
    """The network's equations between arrays, as Steps in order of evaluation."""

    layout: Layout
    forward: tuple[Step, ...]
    error: Step
    deltas: tuple[Step, ...]
    gradients: tuple[Step, ...]
    updates: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All equations: forward, error, δ, gradients, updates."""
        return (*self.forward, self.error, *self.deltas, *self.gradients, *self.updates)


def matrix_view(graph: ForwardGraph, general: Mapping[str, Step], layout: Layout) -> MatrixView:
    """The matrix equations of ``graph`` in ``layout``, read from its index steps ``general`` (label -> Step)."""
    reader = _Reader(graph, layout, general)
    depth = graph.depth
    forward = [
        reader.equation(f"matrix.{name}.{l}", f"forward.{name}.{l}") for l in range(2, depth + 1) for name in ("z", "a")
    ]
    deltas = [step for l in range(depth, 1, -1) for step in reader.deltas(l)]
    parameters = list(graph.trained(depth))
    for l in range(depth - 1, 0, -1):
        parameters += [*reader.parameters(l), *graph.trained(l)]
    return MatrixView(
        layout,
        tuple(forward),
        reader.error(),
        tuple(deltas),
        tuple(reader.gradient(of) for of in parameters),
        tuple(reader.update(of) for of in parameters),
    )


@dataclass(frozen=True)
class _Reader:
    """Reads index steps of one graph as matrix steps."""

    graph: ForwardGraph
    layout: Layout
    general: Mapping[str, Step]

    @property
    def objective(self) -> Symbol:
        """What the gradients are of: E for one example without a penalty, otherwise the objective J."""
        return OBJECTIVE if self.layout.batch or self.graph.spec.penalty else ERROR

    def equation(self, label: str, of: str, target: Entry | None = None) -> Step:
        """The index step ``of``, whose left side (or ``target``) is an entry, between arrays."""
        step = self.general[of]
        leaf, rows, columns = self._fold.leaf(self.prepared(step.left if target is None else target))
        return Step(label, leaf, self._fold(self.prepared(step.right), rows, columns), rules.MATRIX, (of,))

    def deltas(self, layer: int) -> Iterator[Step]:
        """δ of ``layer``; where a unit of a hidden layer passes on more than its own δ, ∂E/∂a before it."""
        found = list(final_deltas(self.graph, self.general, layer))
        if layer < self.graph.depth and self.graph.spec.activation_of(layer).entry.over_units:
            leaf, rows, columns = self._fold.leaf(self.prepared(OUT[layer, TO]))
            of = f"back.{layer}.out"
            right = self._fold(self.prepared(self.general[of].right), rows, columns)
            yield Step(f"matrix.out.{layer}", Gradient(leaf), right, rules.MATRIX, (of,))
        leaf, rows, columns = self._fold.leaf(self.prepared(found[0].of))
        blocks = tuple(self._fold(self.prepared(each.step.right), rows, columns) for each in found)
        along: Along = "rows" if rows == found[0].index else "columns"
        right = blocks[0] if len(blocks) == 1 else Joined(blocks, along)
        yield Step(f"matrix.delta.{layer}", leaf, right, rules.MATRIX, tuple(each.step.label for each in found))

    def error(self) -> Step:
        """The error, or the objective, as one number."""
        total, of = self.over_batch(self.prepared(self.graph.error.right)), "error"
        if self.graph.spec.penalty is not None:
            total, of = total + self.penalty(self.graph.spec.penalty), "objective"
        return Step("matrix.error", self.objective, self._fold(total, None, None), rules.MATRIX, (of,))

    def penalty(self, use: PenaltyUse) -> Expr:
        """The penalty as sums over the entries of each array that it covers."""
        total, sizes, fed = Integer(0), self.graph.spec.sizes, self.graph.spec.fed
        for layer in range(1, self.graph.depth):
            for of in self.parameters(layer):
                if of.base == WEIGHT:
                    total += Sum(layers.penalty(use, of), (FROM, 1, sizes[layer - 1]), (TO, 1, fed[layer]))
                elif use.biases:
                    total += Sum(layers.penalty(use, of), (TO, 1, fed[layer]))
        return total

    def parameters(self, layer: int) -> Iterator[Entry]:
        """The patterns of the weights and biases that leave ``layer``."""
        yield WEIGHT[layer, FROM, TO]
        if self.graph.spec.has_bias(layer):
            yield BIAS[layer, TO]

    def gradient(self, of: Entry) -> Step:
        """∂E/∂W, ∂E/∂b or ∂E/∂α: the examples' δ·a summed, plus the penalty's part."""
        name = f"gradient.{of.base.label}.{of.indices[0]}"
        each = self.prepared(self.general[name].right)
        uses = [name]
        leaf, rows, columns = self._fold.leaf(of)
        if is_trained(of) and self.layout.batch:
            term = self.added_up(each)
        else:
            whole = self.over_batch(each)
            if (penalty := self.general.get(f"{name}.penalty")) is not None:
                whole += self.prepared(penalty.right)
                uses = [f"{name}.total"]
            term = self._fold(whole, rows, columns)
        rule = rules.LINEARITY if self.layout.batch else rules.MATRIX
        label = f"matrix.d{of.base.label}.{of.indices[0]}"
        return Step(label, Gradient(leaf, self.objective), term, rule, tuple(uses))

    def update(self, of: Entry) -> Step:
        """W ← W - η ∂E/∂W."""
        leaf, _, _ = self._fold.leaf(of)
        new, _, _ = self._fold.leaf(updated(of))
        right = Plus((leaf, Scaled(-RATE, Gradient(leaf, self.objective))))
        label = f"{of.base.label}.{of.indices[0]}"
        return Step(f"matrix.update.{label}", new, right, rules.DESCENT, (f"matrix.d{label}",))

    def prepared(self, expr: Expr) -> Expr:
        """Ordered nodes opened, sizes as numbers, and in a batch the example as the last index of every entry."""
        plain = spelled_out(expr)
        put: dict[Expr, Expr] = {}
        for entry in plain.atoms(Entry):
            if entry.base == SIZE:
                put[entry] = Integer(self.graph.sizes[entry])
            elif self.layout.batch and entry.base in PER_EXAMPLE:
                put[entry] = entry.base[(*entry.indices, EXAMPLE)]
        return plain.xreplace(put)

    def added_up(self, expr: Expr) -> Term:
        """The term that adds up a number of each example: SymPy would take cases out of the sums inside ``expr``."""
        in_rows = self.layout.examples_in_rows
        term = self._fold(expr, *((EXAMPLE, None) if in_rows else (None, EXAMPLE)))
        factor, inside = (term.factor, term.of) if isinstance(term, Scaled) else (Integer(1), term)
        if self.graph.spec.batch_reduction == "mean":
            factor /= BATCH
        return scaled(factor, SumOver(inside, "rows" if in_rows else "columns"))

    def over_batch(self, expr: Expr) -> Expr:
        """Σ_m, divided by the number of examples where the batch is averaged; ``expr`` itself for one example."""
        if not self.layout.batch:
            return expr
        factor, summed = expr.as_independent(Sum, as_Add=False) if expr.has(Sum) else (Integer(1), expr)
        inner = (summed.function, *summed.limits) if isinstance(summed, Sum) else (summed,)
        total = factor * Sum(*inner, (EXAMPLE, 1, BATCH))
        return total / BATCH if self.graph.spec.batch_reduction == "mean" else total

    @property
    def _fold(self) -> Fold:
        return Fold.of(self.graph, self.layout)

"""The matrix view in every layout against central differences of a forward pass that loops over examples and units."""

import itertools

import numpy as np
import pytest
import sympy as sp
from arrays import evaluate, two_dimensional
from networks import NETWORKS, derived

from symbackprop.calculus.indices import index
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.fold import Fold
from symbackprop.derivation.matrix_terms import (
    EXAMPLES,
    Axis,
    Gradient,
    Hadamard,
    Layout,
    Leaf,
    Product,
    Transpose,
    shape,
)
from symbackprop.network.quantities import BATCH, BIAS, DELTA, EXAMPLE, OUT, TARGET, WEIGHT

LAYOUTS = [Layout(*flags) for flags in itertools.product((True, False), repeat=3)]
ids = [
    "-".join(name for name, yes in zip(("batch", "rows", "from_to"), flags, strict=True) if yes) or "none"
    for flags in itertools.product((True, False), repeat=3)
]


class Data:
    """Random parameters (as from × to), inputs and targets (examples in rows) for one network."""

    def __init__(self, derivation: Derivation, examples: int) -> None:
        chance = np.random.default_rng(7)
        self.derivation, self.graph = derivation, derivation.graph
        sizes = self.graph.spec.sizes
        self.parameters = {}
        for layer in range(1, self.graph.depth):
            self.parameters[WEIGHT, layer] = chance.normal(size=(sizes[layer - 1], sizes[layer]))
            if self.graph.spec.has_bias(layer):
                self.parameters[BIAS, layer] = chance.normal(size=sizes[layer])
        self.x = chance.normal(size=(examples, sizes[0]))
        t = chance.uniform(0.05, 0.95, size=(examples, sizes[-1]))
        self.t = t / t.sum(axis=1, keepdims=True) if self.graph.spec.loss.entry.targets_sum_to_one else t

    def number(self, expr: sp.Expr) -> sp.Expr:
        return self.graph.concrete(expr).xreplace({**self.graph.spec.parameters, BATCH: sp.Integer(len(self.x))})

    def arrays(self, layout: Layout) -> dict:
        """The named arrays that do not depend on others, stored as the layout wants them."""
        stored = {}
        for (base, layer), value in self.parameters.items():
            if base == WEIGHT:
                axes = (Axis(layer), Axis(layer + 1))
                leaf = Leaf(base, layer, *(axes if layout.weights_from_to else axes[::-1]))
                stored[leaf] = value if layout.weights_from_to else value.T
            else:
                stored[self.unit_leaf(layout, base, layer, layer + 1, batch=False)] = self.oriented(layout, value)
        stored[self.unit_leaf(layout, OUT, 1, 1, layout.batch)] = self.oriented(layout, self.x)
        stored[self.unit_leaf(layout, TARGET, None, self.graph.depth, layout.batch)] = self.oriented(layout, self.t)
        return stored

    @staticmethod
    def unit_leaf(layout: Layout, base, layer, units: int, batch: bool) -> Leaf:
        example = EXAMPLES if batch else None
        return (
            Leaf(base, layer, example, Axis(units))
            if layout.examples_in_rows
            else Leaf(base, layer, Axis(units), example)
        )

    @staticmethod
    def oriented(layout: Layout, rows: np.ndarray) -> np.ndarray:
        rows = two_dimensional(rows)
        return rows if layout.examples_in_rows else rows.T

    def run(self, layout: Layout) -> dict:
        """Every equation of the matrix view, in order."""
        values = self.arrays(layout)
        view = self.derivation.matrix(layout)
        for step in (*view.forward, view.error, *view.deltas, *view.gradients):
            values[step.left] = evaluate(step.right, values, self.number)
        return values


def moved(data: Data, key, at, by: float, layout: Layout) -> float:
    kept = data.parameters[key][at]
    data.parameters[key][at] = kept + by
    view = data.derivation.matrix(layout)
    error = data.run(layout)[view.error.left].item()
    data.parameters[key][at] = kept
    return error


@pytest.mark.parametrize("layout", LAYOUTS, ids=ids)
@pytest.mark.parametrize("name", ["tanh", "softmax", "softmax-mse", "bce", "penalty", "relu"])
def test_gradients_are_central_differences_of_the_error(name, layout):
    data = Data(derived(name), examples=4 if layout.batch else 1)
    values = data.run(layout)
    view = data.derivation.matrix(layout)
    for step in view.gradients:
        key = step.left.of.base, step.left.of.layer
        gradient = values[step.left]
        in_storage = gradient if key[0] == BIAS or layout.weights_from_to else gradient.T
        for at in np.ndindex(data.parameters[key].shape):
            slope = (moved(data, key, at, 1e-5, layout) - moved(data, key, at, -1e-5, layout)) / 2e-5
            assert in_storage.reshape(data.parameters[key].shape)[at] == pytest.approx(slope, abs=2e-8), (
                step.label,
                at,
            )


@pytest.mark.parametrize("name", NETWORKS)
def test_all_layouts_give_the_same_numbers(name):
    derivation = derived(name)
    data = Data(derivation, examples=3)
    reference = data.run(Layout())
    for layout in LAYOUTS[:4]:
        values = data.run(layout)
        for leaf, value in reference.items():
            if isinstance(leaf, Gradient) and leaf.of.base == WEIGHT:
                axes = (leaf.of.rows, leaf.of.columns) if layout.weights_from_to else (leaf.of.columns, leaf.of.rows)
                same = values[Gradient(Leaf(WEIGHT, leaf.of.layer, *axes), leaf.error)]
                np.testing.assert_allclose(same if layout.weights_from_to else same.T, value, rtol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS, ids=ids)
def test_both_sides_of_every_equation_have_one_shape(layout):
    for name in NETWORKS:
        view = derived(name).matrix(layout)
        for step in (*view.forward, *view.deltas, *view.gradients, *view.updates):
            assert shape(step.left) == shape(step.right), (name, step.label)


def test_textbook_forms_of_both_conventions():
    rows, columns = derived("S1").matrix(Layout()), derived("S1").matrix(Layout(False, False, False))
    w, delta, out = (
        Leaf(WEIGHT, 2, Axis(2), Axis(3)),
        Leaf(DELTA, 3, EXAMPLES, Axis(3)),
        Leaf(OUT, 2, EXAMPLES, Axis(2)),
    )
    assert rows.deltas[1].right.factors[0] == Product(delta, Transpose(w))
    assert rows.gradients[0].right.of == Product(Transpose(out), delta)
    w, delta, out = Leaf(WEIGHT, 2, Axis(3), Axis(2)), Leaf(DELTA, 3, Axis(3), None), Leaf(OUT, 2, Axis(2), None)
    assert columns.deltas[1].right.factors[0] == Product(Transpose(w), delta)
    assert columns.gradients[0].right == Product(delta, Transpose(out))


def test_three_shared_indices_are_refused():
    i, j, k, n = index("i"), index("j"), index("k"), sp.Symbol("n", integer=True, positive=True)
    fold = Fold(Layout(batch=False), depth=3)
    with pytest.raises(ValueError, match="not a matrix product"):
        fold(sp.Sum(WEIGHT[1, i, j] * WEIGHT[1, i, k] * WEIGHT[2, j, k], (k, 1, n)), i, j)


def test_broadcast_number_and_repeated_row():
    k = index("k")
    fold = Fold(Layout(), depth=3)
    term = fold(OUT[3, k, EXAMPLE] * (1 - OUT[3, k, EXAMPLE]), EXAMPLE, k)
    assert isinstance(term, Hadamard)
    assert shape(term) == (EXAMPLES, Axis(3))

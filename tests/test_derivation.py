"""The derivation against central differences of the forward pass, carried out with 70 digits."""

import random
from itertools import pairwise

import mpmath
import pytest
import sympy as sp
from networks import NETWORKS, derived
from sympy import Integer, Rational, Sum

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, instantiate
from symbackprop.calculus.inert import Partial, spelled_out
from symbackprop.derivation import reverse
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.paths import chain, count_paths, paths
from symbackprop.derivation.steps import numbering
from symbackprop.network.forward import ForwardGraph, forward_graph
from symbackprop.network.quantities import DELTA, ERROR, OUT, OUTPUT_UNIT, PRE, TARGET, WEIGHT
from symbackprop.network.read import network

DIGITS = 40
PRECISION = 70


class Point:
    """A random rational point of a network: every forward value and δ there, to 70 digits."""

    def __init__(self, graph: ForwardGraph, seed: int = 0) -> None:
        chance = random.Random(seed)
        self.graph = graph
        entries = [*graph.weights(), *graph.biases(), *(OUT[1, i] for i in graph.units(1))]
        self.values = {entry: Rational(chance.randint(-900, 900), 500) for entry in entries}
        shares = [Rational(chance.randint(1, 99), 100) for _ in graph.targets()]
        total = sum(shares) if graph.spec.loss.entry.targets_sum_to_one else 1
        self.values |= {t: share / total for t, share in zip(graph.targets(), shares, strict=True)}
        self.values |= graph.spec.parameters
        self.forward()

    def forward(self) -> sp.Expr:
        """Every z and a from the values set so far, and E."""
        for layer in range(2, self.graph.depth + 1):
            for base in (PRE, OUT):
                for j in self.graph.units(layer):
                    self.values[base[layer, j]] = self.number(self.graph.entry_equation(base[layer, j]))
        return self.number(instantiate(self.graph.error.right, self.graph.sizes))

    def number(self, expr: sp.Expr) -> sp.Expr:
        return sp.N(self.graph.concrete(spelled_out(expr)).xreplace(self.values), PRECISION)

    def true_gradient(self, of: Entry) -> sp.Expr:
        """The central difference of E, at a precision that leaves an error below 10^-44."""
        kept, step = dict(self.values), Rational(1, 10**22)
        errors = []
        for sign in (1, -1):
            self.values = {**kept, of: kept[of] + sign * step}
            errors.append(self.forward())
        self.values = kept
        return (errors[0] - errors[1]) / (2 * step)

    def with_deltas(self, derivation: Derivation) -> "Point":
        """δ by the recursion that the derivation found, from the output back."""
        final = {}
        for step in (s for section in derivation.sections if section.key == "back" for s in section.steps):
            if isinstance(step.left, Entry) and step.left.base == DELTA:
                final[step.left] = step.right
        for layer in range(self.graph.depth, 1, -1):
            for j in self.graph.units(layer):
                self.values[DELTA[layer, j]] = self.number(final[DELTA[layer, j]])
        return self


def agree(left: sp.Expr, right: sp.Expr) -> bool:
    with mpmath.workdps(PRECISION):
        return bool(
            abs(mpmath.mpf(left) - mpmath.mpf(right)) <= mpmath.mpf(10) ** -DIGITS * (1 + abs(mpmath.mpf(left)))
        )


@pytest.mark.parametrize("name", NETWORKS)
def test_delta_form_is_the_derivative_of_the_composed_error(name):
    derivation = derived(name)
    point = Point(derivation.graph).with_deltas(derivation)
    for of in [*derivation.graph.weights(), *derivation.graph.biases()]:
        folded = derivation.by_label[f"{of}.folded"].right
        assert agree(point.number(folded), point.true_gradient(of)), of


def test_a_dropped_slope_is_seen():
    derivation = derived("tanh")
    point = Point(derivation.graph).with_deltas(derivation)
    of = WEIGHT[1, 1, 1]
    wrong = point.values[DELTA[2, 1]] / (1 - point.values[OUT[2, 1]] ** 2) * point.values[OUT[1, 1]]
    assert not agree(wrong, point.true_gradient(of))


@pytest.mark.parametrize("name", ["S1", "softmax", "deep", "softmax-mse", "relu"])
def test_product_of_every_chain_is_the_derivative(name):
    derivation = derived(name)
    point = Point(derivation.graph, seed=1).with_deltas(derivation)
    for of in derivation.graph.weights():
        product = derivation.by_label[f"{of}.product"].right
        assert agree(point.number(product), point.true_gradient(of)), of


@pytest.mark.parametrize(
    ("layers", "weight", "count"),
    [("2-3-1", "w11[1]", 1), ("4-3-3-2", "w11[1]", 6), ("4-3-3-2", "w11[2]", 2), ("2-3-4-5-1", "w11[1]", 20)],
)
def test_paths_are_counted_and_lead_from_the_error_to_the_weight(layers, weight, count):
    graph = forward_graph(network(layers, activation="tanh", loss="mse"))
    of = WEIGHT[int(weight[4]), 1, 1]
    found = list(paths(graph, of))
    assert count_paths(graph, of) == count == len(found) == len(set(found))
    for path in found:
        assert (path[0], path[-1]) == (ERROR, of)
        links = chain(path).args
        assert all(above.by == below.of for above, below in pairwise(links))


def test_a_group_output_multiplies_the_paths():
    graph = forward_graph(network("2-3-4", activation="tanh", loss="ce"))
    assert count_paths(graph, WEIGHT[2, 1, 1]) == 4
    assert count_paths(graph, WEIGHT[1, 1, 1]) == 16


DIFFERENCE = OUT[3, OUTPUT_UNIT] - TARGET[OUTPUT_UNIT]


def delta_steps(**words):
    derivation = derive(forward_graph(network("2-3-3", **words)))
    return {step.label: step for step in derivation.steps if step.label.startswith("output.")}


@pytest.mark.parametrize(
    "words",
    [
        {"activation": "sigmoid", "loss": "bce"},
        {"activation": "identity", "loss": "mse"},
        {"activation": "tanh", "output_activation": "softmax", "loss": "ce"},
    ],
    ids=["sigmoid+bce", "identity+mse", "softmax+ce"],
)
def test_three_pairs_cancel_to_the_difference(words):
    final = delta_steps(**words)["output.delta"]
    (unit,) = (s for s in final.right.free_symbols if s.is_Symbol and s.name in "kq")
    assert final.right == DIFFERENCE.xreplace({OUTPUT_UNIT: unit})


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_half_squared_error_does_not_cancel_a_slope(activation):
    final = delta_steps(activation=activation, loss="mse")["output.delta"]
    assert spelled_out(final.right) != DIFFERENCE
    assert final.right.has(OUT[3, OUTPUT_UNIT])
    assert sp.simplify(spelled_out(final.right) / DIFFERENCE) != 1


def test_sum_of_targets_is_assumed_in_one_step_and_only_there():
    steps = (
        delta_steps(activation="softmax", loss="ce")
        if False
        else delta_steps(activation="tanh", output_activation="softmax", loss="ce")
    )
    assumed = [step for step in steps.values() if step.assumptions]
    assert [step.rule for step in assumed] == [rules.ASSUMPTION]
    general = assumed[0].left
    assert general.has(Sum), "before the assumption the line is a_q Σ t - t_q"
    (total,) = general.atoms(Sum)
    assert total.function.base == TARGET
    assert assumed[0].assumptions[0].formula == total - 1


def test_layers_with_the_same_equation_are_derived_once():
    for function in (reverse.hidden_delta, reverse.gradient, reverse.error_of_output):
        function.cache_clear()
    words = {"activation": "tanh", "output_activation": "identity", "loss": "mse"}
    derive(forward_graph(network([3] * 51, **words)), listing="none")
    assert reverse.hidden_delta.cache_info().misses == 1
    assert reverse.gradient.cache_info().misses == 2  # weights and biases


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_cite_steps_that_exist_and_labels_are_unique(name):
    derivation = derived(name)
    labels = [step.label for step in derivation.steps]
    assert len(labels) == len(set(labels))
    cited = {label for step in derivation.steps for label in step.uses}
    assert cited <= set(labels)
    numbers = numbering(derivation.sections)
    assert sorted(numbers.values()) == list(range(1, len(labels) + 1))


def test_listing_is_left_out_for_large_networks_and_linear_when_asked_for():
    def count(layers, listing):
        derivation = derive(forward_graph(network(layers, activation="tanh", loss="mse")), listing=listing)
        return sum(1 for section in derivation.sections if section.key == "back" for _ in section.steps)

    assert count("20-10-5", "auto") == 0
    assert count("2-3-1", "none") == 0
    small, large = count("20-10-5", "all"), count("20-20-10", "all")
    weights = (20 * 10 + 10 * 5, 20 * 20 + 20 * 10)
    assert small / weights[0] == pytest.approx(large / weights[1], rel=0.15)


def test_bound_indices_never_capture():
    (chain_step, local, _, folded) = reverse.gradient(
        forward_graph(network("2-3-1", activation="g", loss="mse", bias=False)).pre[2].equation,
        WEIGHT[reverse.LAYER, sp.Symbol("i", integer=True, positive=True), reverse.TO],
        None,
    )
    assert not folded.right.has(Sum)
    assert local.right.base == OUT
    assert chain_step.left == Partial(ERROR, chain_step.left.by)


def test_error_is_composed_in_the_individual_weights():
    graph = forward_graph(network("2-3-1", activation="g", loss="mse", bias=False))
    names = {str(entry) for entry in graph.composed_error().atoms(Entry)}
    assert names == {str(w) for w in graph.weights()} | {"x1", "x2", "t1"}
    assert sp.diff(graph.composed_error(), WEIGHT[1, 1, 1]).has(WEIGHT[2, Integer(1), 1])


@pytest.mark.parametrize(
    ("words", "label", "conditions"),
    [
        ({"activation": "relu", "loss": "mse"}, "slope.relu.2", {"Ne(z, 0)"}),
        ({"activation": "sigmoid", "loss": "bce"}, "error.slope", {"ak[3] > 0", "ak[3] < 1"}),
        ({"activation": "tanh", "loss": "mae"}, "error.slope", {"Ne(ak[3], tk)"}),
        ({"activation": "tanh", "loss": "mse"}, "error.slope", set()),
    ],
)
def test_a_step_says_where_its_formulas_have_a_value(words, label, conditions):
    derivation = derive(forward_graph(network("2-3-2", **words)))
    found = {
        step.label: {str(condition) for condition in step.conditions} for step in derivation.steps if step.conditions
    }
    assert found.get(label, set()) == conditions

"""Losses of all outputs together: derived whole, proved, and the same in every program."""

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy as sp
from reference import parameters

from symbackprop.calculus import rules
from symbackprop.calculus.cases import without_extremes
from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.indices import instantiate
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.catalogue.joint import JOINT
from symbackprop.check.proofs import Prover
from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.errors import SpecError
from symbackprop.network import layers
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import LAYER, OUT, OUTPUT_UNIT, SIZE, TARGET
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile
from symbackprop.render.document import render

NAMES = [loss.name for loss in JOINT]
UNITS = 4
oracle = pytest.importorskip("torch_catalogue", exc_type=ImportError)


@cache
def derivation(loss: str, output: str = "identity"):
    return derive(forward_graph(network("2-3-4", activation="tanh", output_activation=output, loss=loss)), "none")


def numbers(loss, seed: int) -> dict:
    """Random outputs, a target of 1 for one class, and the loss's own numbers."""
    chance = random.Random(seed)
    outputs = {OUT[LAYER, k]: sp.Rational(chance.randint(-99, 99), 40) for k in range(1, UNITS + 1)}
    return outputs | {TARGET[k]: sp.Integer(k == 1 + seed % UNITS) for k in range(1, UNITS + 1)} | loss.parameters


@pytest.mark.parametrize("loss", JOINT, ids=NAMES)
def test_the_derived_slope_is_that_of_the_loss_written_out(loss) -> None:
    formula = layers.at_outputs(loss.value)
    slope = differentiate(formula, OUT[LAYER, OUTPUT_UNIT])[-1].right
    whole = without_extremes(instantiate(formula, {SIZE[LAYER]: UNITS}))
    for seed in range(5):
        put = numbers(loss, seed)
        for k in range(1, UNITS + 1):
            expected = sp.diff(whole, OUT[LAYER, k]).xreplace(put)
            found = instantiate(slope, {SIZE[LAYER]: UNITS, OUTPUT_UNIT: k}).xreplace(put)
            assert abs(sp.N(found - expected, 30)) < 1e-25


@pytest.mark.parametrize("loss", JOINT, ids=NAMES)
def test_a_slope_that_forgets_the_sums_is_refuted(loss) -> None:
    """The wrong twin: what one of the sums over all outputs adds is left out."""
    found = derivation(loss.name)
    steps = {step.label: step for step in found.steps}
    prover = Prover(found.graph, found.steps)
    true = steps["error.slope"]
    total = next(e for e in sp.preorder_traversal(true.right) if isinstance(e, sp.Add) and e.has(sp.Sum))
    with_sums = max(total.args, key=lambda term: len(term.atoms(sp.Sum)))
    twin = replace(true, left=steps["error.slope.0"].left, right=true.right.xreplace({total: total - with_sums}))
    assert prover.row(true, "slopes").verdict is True
    assert prover.row(twin, "slopes").verdict is False


def test_sums_are_differentiated_by_rules_with_names() -> None:
    loss = JOINT[0]
    lines = differentiate(layers.at_outputs(loss.value), OUT[LAYER, OUTPUT_UNIT])
    assert [line.rule for line in lines[-2:]] == [rules.KRONECKER, rules.SIMPLIFY]
    assert rules.TERM_BY_TERM in [line.rule for line in lines]
    assert not lines[-1].right.has(sp.KroneckerDelta, Partial, Chain)


@pytest.mark.parametrize("loss", [loss for loss in JOINT if loss.kinks], ids=lambda loss: loss.name)
def test_at_the_kink_the_slope_is_the_declared_one(loss) -> None:
    (kink,) = loss.kinks
    slope = differentiate(layers.at_outputs(loss.value), OUT[LAYER, OUTPUT_UNIT])[-1].right
    put = numbers(loss, 0) | {SIZE[LAYER]: sp.Integer(UNITS)}
    at = instantiate(layers.at_outputs(kink.at), {SIZE[LAYER]: UNITS}).xreplace(put)
    tiny = sp.Rational(1, 10**9)
    near = [
        instantiate(slope, {SIZE[LAYER]: UNITS, OUTPUT_UNIT: 2}).xreplace({**put, OUT[LAYER, 2]: at + side})
        for side in (-tiny, 0, tiny)
    ]
    assert near == [0, kink.slope, sp.Rational(1, UNITS)]


@pytest.mark.parametrize("output", ["identity", "softmax"])
@pytest.mark.parametrize("loss", NAMES)
def test_the_scalar_module_agrees_with_pytorch(loss: str, output: str) -> None:
    found = derivation(loss, output)
    scalar, arrays = (load(emit(found, load_profile("S1"), target=t), t) for t in ("scalar", "numpy"))
    params, t = parameters(arrays.SHAPES), oracle.targets(loss, (1, UNITS)).numpy()
    x = np.array([[0.5, -1.25]])
    error, gradients = oracle.loss_and_gradients(found.graph.spec, params, x, t)
    weights = [params[f"W{l}"][i, j] for l in (1, 2) for j in range((3, 4)[l - 1]) for i in range((2, 3)[l - 1])]
    values = [*x[0], *weights, *params["b1"], *params["b2"], *t[0]]
    value, slopes = scalar.loss_and_gradients(*values)
    assert abs(value - error) < 1e-12
    for i in range(3):
        for j in range(4):
            assert abs(slopes[f"w{i + 1}{j + 1}[2]"] - gradients["W2"][i, j]) < 1e-10


@pytest.mark.parametrize("loss", NAMES)
def test_documents_in_every_markup(loss: str) -> None:
    pages_too = ["typ", "html"] if loss in ("cosine", "multi_margin") else []
    kinds = {"identity": ["md", "tex", *pages_too], "softmax": ["md", "tex"]}
    for output, formats in kinds.items():
        graph = forward_graph(network("2-3", activation="tanh", output_activation=output, loss=loss))
        pages = render(derive(graph), None, load_profile("S1"), formats)
        assert all(len(pages[f"derivation.{kind}"]) > 1000 for kind in formats)


@pytest.mark.parametrize(
    ("layers_", "reduction", "message"),
    [
        ("2-1", "sum", "the loss cosine compares outputs with each other; expected several output units, got 1"),
        ("2-3", "mean", "the loss cosine is one number for all outputs; expected the output_reduction 'sum'"),
    ],
)
def test_what_makes_no_sense_is_refused(layers_: str, reduction: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        network(layers_, activation="tanh", loss="cosine", output_reduction=reduction)
    assert str(caught.value) == message

"""The derivation for any sizes: every line holds in every layer it is claimed for; the network has instances of it."""

from dataclasses import replace

import pytest
from networks import NETWORKS, derived
from sympy import KroneckerDelta

from symbackprop.calculus import rules
from symbackprop.calculus.indices import instantiate
from symbackprop.calculus.inert import spelled_out
from symbackprop.check.proofs import Prover
from symbackprop.derivation.general import general_parts
from symbackprop.network.quantities import DELTA, LAYER


@pytest.mark.parametrize("name", ["S1", "softmax", "deep", "relu", "penalty"])
def test_every_line_is_proved_in_every_layer(name):
    derivation = derived(name)
    for part in general_parts(derivation):
        for layer in part.layers:
            steps = part.at(layer)
            prover = Prover(derivation.graph, [*steps, *derivation.steps], 0)
            assert [prover.row(step, "general").verdict for step in steps] == [True] * len(steps), part.section.key


def test_a_wrong_recursion_is_refuted():
    derivation = derived("deep")
    part = next(part for part in general_parts(derivation) if part.section.key == "general_step")
    layer = part.layers[0]
    (value,) = (step for step in part.at(layer) if ".value." in step.label)
    twin = replace(value, right=value.right.args[0])  # the slope is dropped
    prover = Prover(derivation.graph, [twin, *derivation.steps], 0)
    assert prover.row(twin, "general").verdict is False


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_are_covered_once(name):
    derivation = derived(name)
    parts = list(general_parts(derivation))
    depth = derivation.graph.depth
    steps = sorted(layer for part in parts if part.section.key == "general_step" for layer in part.layers)
    weights = [part for part in parts if part.section.blocks[0].key == "general_w"]
    assert steps == list(range(2, depth))
    assert sorted(layer for part in weights for layer in part.layers) == list(range(1, depth))
    learned = [part for part in parts if part.section.blocks[0].key == "general_trained"]
    trained = sorted(int(entry.indices[0]) for entry in derivation.graph.spec.trained.values())
    assert sorted(layer for part in learned for layer in part.layers) == trained


def test_deltas_are_shown_before_they_are_contracted():
    spread = [s for p in general_parts(derived("S1")) for s in p.section.steps if s.rule is rules.TERM_BY_TERM]
    assert spread
    assert all(step.right.has(KroneckerDelta) and step.left.has(LAYER) for step in spread)


@pytest.mark.parametrize("name", ["S1", "deep"])
def test_the_concrete_equations_are_instances(name):
    derivation = derived(name)
    graph = derivation.graph
    for part in general_parts(derivation):
        for layer in part.layers if part.section.key == "general_step" else ():
            (value,) = (step for step in part.at(layer) if ".value." in step.label)
            (j,) = (s for s in value.right.free_symbols if s.name == "j")
            for unit in graph.units(layer):
                stated = derivation.scalar.delta(layer, unit)[0]
                assert stated.left == DELTA[layer, unit]
                assert spelled_out(instantiate(value.right, {**graph.sizes, j: unit})) == spelled_out(stated.right)

"""One learned parameter of an activation alone: its paths, their sum, the proof, the picture, mistakes."""

from dataclasses import replace
from functools import cache

import pytest
from test_derivation import Point, agree
from test_trained import NETWORKS, SWISH

from symbackprop import api
from symbackprop.calculus.inert import Chain, Partial, spelled_out
from symbackprop.check.proofs import Prover
from symbackprop.cli import main
from symbackprop.derivation.one_weight import weight_section
from symbackprop.derivation.paths import count_paths
from symbackprop.errors import SpecError
from symbackprop.network.quantities import ERROR, OUT, PRE
from symbackprop.network.read import network
from symbackprop.render.picture.draw import picture_of
from symbackprop.render.picture.shapes import Tone

CASES = {
    **NETWORKS,
    "one output": {"layers": "2-2-2-1", "activation": ["prelu", "tanh", "tanh"], "loss": "mse"},
    "one unit": {"layers": "3-1-2", "activation": ["prelu", "tanh"], "loss": "mse"},
}
TRAINED = [(name, str(of)) for name, case in CASES.items() for of in network(**case).trained.values()]
HALVES = pytest.mark.parametrize(("name", "address"), TRAINED)


@cache
def derived(name):
    return api.derive(network(**CASES[name]), listing="all")


def section_of(name, address):
    derivation = derived(name).derivation
    of = next(entry for entry in derivation.graph.trained() if str(entry) == address)
    return derivation, of, weight_section(derivation, of)


def test_the_cases_have_hidden_layers_outputs_and_a_softmax_behind_them():
    assert {"alpha[2]", "alpha[3]", "beta[2]", "beta[3]"} <= {address for _, address in TRAINED}


@HALVES
def test_every_line_is_proved(name, address):
    derivation, _, section = section_of(name, address)
    assert section.key == "trained"
    prover = Prover(derivation.graph, [*derivation.steps, *section.steps])
    assert [step.label for step in section.steps if prover.row(step, "alone").verdict is not True] == []


@HALVES
def test_the_sum_and_the_form_with_delta_are_the_derivative(name, address):
    """Both, and each path's product, against the central difference of E with 70 digits."""
    derivation, of, section = section_of(name, address)
    symbol = next(symbol for symbol, entry in derivation.graph.spec.trained.items() if entry == of)
    point = Point(derivation.graph, seed=4).with_deltas(derivation)
    point.values[of] = point.values[symbol]
    expected = point.true_gradient(symbol)
    steps = {step.label: step for step in section.steps}
    assert agree(point.number(steps["weight.folded"].right), expected)
    gradient = derived(name).gradient(address)
    assert agree(point.number(gradient.delta_form), expected)
    products = [step.right for label, step in steps.items() if label.startswith("weight.path.")]
    assert all(path.args[-1] == Partial(path.args[-2].by, of) for path in derived(name).paths(address))
    if count_paths(derivation.graph, of) == len(products):
        assert agree(sum(point.number(product) for product in products), expected)
        assert agree(point.number(steps["weight.sum"].right), expected)
        assert spelled_out(list(steps.values())[-1].right).equals(spelled_out(sum(map(spelled_out, products))))


def test_the_expanded_form_is_the_derivative_too():
    derivation = derived("leaky")
    point = Point(derivation.graph, seed=2)
    point.values |= {derivation.graph.spec.trained[s]: point.values[s] for s in derivation.graph.spec.trained}
    for symbol, of in derivation.graph.spec.trained.items():
        assert agree(point.number(derivation.gradient(str(of)).expanded), point.true_gradient(symbol))


def test_paths_lead_through_every_unit_of_the_layer():
    alone = derived("one output")
    paths = alone.paths("alpha[2]")
    assert len(paths) == 2 * 2 == count_paths(alone.graph, alone.gradient("alpha[2]").of)
    assert {path.args[-1].of for path in paths} == {OUT[2, 1], OUT[2, 2]}
    assert all(path.args[0] == Partial(ERROR, OUT[4, 1]) for path in paths)
    assert all(factor.of.base != PRE or factor.by.base == OUT for path in paths for factor in path.args[1:])


@pytest.mark.parametrize(("name", "address"), [("one output", "alpha[2]"), ("prelu", "alpha[3]")])
def test_a_missing_path_is_refuted(name, address):
    derivation, _, section = section_of(name, address)
    prover = Prover(derivation.graph, [*derivation.steps, *section.steps])
    total = next(step for step in section.steps if step.label in ("weight.sum", "weight.folded"))
    *most, _ = total.right.args
    assert prover.row(total, "whole").verdict is True
    assert prover.row(replace(total, right=total.right.func(*most)), "one missing").verdict is False
    for seed in range(1, 6):  # on whichever sides of their corners chance puts the units
        other = Prover(derivation.graph, [*derivation.steps, *section.steps], seed)
        assert other.row(replace(total, right=total.right.func(*most)), "one missing").verdict is False
    doubled = Chain(2, *total.right.args[0].args)
    assert prover.row(replace(total, right=total.right.func(doubled, *most[1:])), "one doubled").verdict is False


@pytest.mark.parametrize("notation", ["S1", "haykin", "goodfellow"])
def test_the_document_shows_it_and_checks_it(notation):
    derivation = api.derive(network(**CASES["one output"]), weight="alpha[2]", notation=notation)
    report = derivation.check()
    rows = [row for row in report.rows if row.name.startswith("weight.")]
    assert len(rows) > 5
    assert {row.verdict for row in rows} == {True}
    page = derivation.files(["md"])["derivation.md"]
    assert "## One learned parameter and its paths" in page
    assert "the sum over the paths comes back" in page


def test_the_picture_lights_the_layer_and_all_behind_it():
    derivation = derived("one output")
    picture = picture_of(derivation.derivation, derivation.profile, kind="path", weight="alpha[2]")
    lit = {line.entry for line in picture.edges if line.tone == Tone.LIT and line.kind == "weight"}
    assert lit == {f"w{i}{j}[2]" for i in (1, 2) for j in (1, 2)} | {"w11[3]", "w21[3]"}
    assert {node.entry for node in picture.nodes if node.tone == Tone.LIT and node.kind == "unit"} == {
        f"a{j}[{layer}]" for j in (1, 2) for layer in (2, 3)
    }
    with pytest.raises(SpecError, match="needs a weight"):
        picture_of(derivation.derivation, derivation.profile, kind="zoom", weight="alpha[2]")


def test_a_bias_has_a_heading_of_its_own():
    derivation = api.derive("S4", weight="b2[1]", detail="exam").derivation
    assert derivation.sections[-1].key == "bias"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("alpha[3]", "the network 2-3-1 has no 'alpha[3]'; did you mean 'alpha[2]'?"),
        ("alpa[2]", "the network 2-3-1 has no 'alpa[2]'; did you mean 'alpha[2]'?"),
        ("w41[1]", "the network 2-3-1 has no 'w41[1]'; did you mean 'w21[1]'?"),
        ("b4[7]", "the network 2-3-1 has no 'b4[7]'; did you mean 'b1[2]'?"),
        ("t1", "'t1' is no parameter of the network; expected one like w11[1], b1[1] or alpha[2]"),
        ("?", "cannot read the address '?'; expected one like w11[1], b1[1], alpha[2], x1 or t1"),
    ],
)
def test_mistakes_are_answered_with_the_nearest(address, message):
    derivation = api.derive(network("2-3-1", activation=["prelu", "tanh"], loss="mse"), listing="none")
    for ask in (derivation.gradient, derivation.paths, derivation.way):
        with pytest.raises(SpecError) as refusal:
            ask(address)
        assert str(refusal.value) == message


def test_the_command_line_prints_it(tmp_path, capsys):
    options = ["--net", "2-2-1", "--act", SWISH, "--param", "beta=1.5", "--train", "beta", "--loss", "mse"]
    options += ["--format", "md", "--out", str(tmp_path), "--weight", "beta[2]"]
    assert main(["derive", *options]) == 0
    said = capsys.readouterr().out
    assert "dE/dβ[2] = dE/da₁[2] · da₁[2]/dβ[2] + dE/da₂[2] · da₂[2]/dβ[2]" in " ".join(said.split())
    assert main(["derive", *options[:-1], "beta[9]"]) == 2
    assert capsys.readouterr().err == "symbp: the network 2-2-1 has no 'beta[9]'; did you mean 'beta[3]'?\n"


def test_equal_activations_of_several_layers_are_all_written_by_letter():
    derivation = api.derive(network("2-3-2", activation="prelu", loss="mse"), notation="haykin", listing="none")
    page = "".join(left + right for left, right in derivation.way("alpha[2]"))
    assert "φ₂′(v" in page
    assert "PReLU" not in page

"""What a reader would stumble over: idle lines, sentences that do not fit a layer, references to nothing."""

import re

import pytest

from symbackprop import api
from symbackprop.derivation.derive import derive
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.written import written


def page(detail="full", document="derivation.md", **options):
    layers, notation = options.pop("layers"), options.pop("notation", "S1")
    sizes = options.pop("sizes", "numeric")
    derivation = api.derive(network(layers, **options), notation=notation, detail=detail, sizes=sizes)
    return derivation.files(["md"])[document]


def equations(section):
    return re.findall(r"^.*&&.*$", section, re.MULTILINE)


def under(text, heading):
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_the_slope_of_the_identity_is_one_line_without_a_picture():
    steps = {
        step.label: step for step in derive(forward_graph(network("2-2", activation="identity", loss="mse"))).steps
    }
    slopes = [label for label in steps if label.startswith("slope.identity")]
    assert slopes == ["slope.identity.value", "slope.identity.1"]
    assert steps["slope.identity.1"].right == 1
    assert "output.insert" not in steps  # (a - t) · 1
    text = page(layers="2-2", activation="identity", loss="mse")
    assert "activation-identity" not in text
    assert len(equations(under(text, "The output layer"))) == 1


def test_the_slope_of_tanh_is_stated_once():
    steps = list(derive(forward_graph(network("2-2", activation="tanh", loss="mse"))).steps)
    (slope,) = (step for step in steps if step.label.startswith("slope.tanh"))
    assert slope.label == "slope.tanh.output"
    assert any("slope.tanh.output" in step.uses for step in steps)


@pytest.mark.parametrize(
    ("activation", "bias", "sentence"),
    [
        (["tanh", "identity"], [True, False], "The next layer has no biases, and its outputs are its pre-activations."),
        (["tanh", "identity"], [True, True], "The next layer does the same, but its outputs are its pre-activations."),
        (["tanh", "tanh"], [True, False], "The next layer does the same with the outputs of this one, but it has no"),
        (["tanh", "tanh"], [True, True], "The next layer does the same with the outputs of this one.\n"),
        (["tanh", "tanh"], [False, False], "The next layer does the same with the outputs of this one.\n"),
    ],
)
def test_what_is_said_of_the_next_layer_is_true_of_it(activation, bias, sentence):
    assert sentence in under(page(layers="2-3-2", activation=activation, loss="mse", bias=bias), "Forward pass")


@pytest.mark.parametrize("detail", ["lecture", "full"])
def test_the_algorithm_cites_only_what_is_printed(detail):
    text = page(detail, layers="2-3-2", activation="tanh", loss="mse")
    printed = {int(number) for number in re.findall(r"\\text\{\((\d+)a\)\}", text)}
    last = next(line for line in under(text, "The algorithm").splitlines() if line.startswith("6."))
    cited = {int(number) for number in re.findall(r"\((\d+)a\)", last)}
    assert cited <= printed
    assert bool(cited) == (detail == "full")


def test_the_matrix_form_cites_the_objective_and_the_whole_gradient():
    penalty = {"kind": "l2", "strength": "lambda"}
    derivation = derive(forward_graph(network("2-3-2", activation="tanh", loss="mse", penalty=penalty)))
    view = derivation.matrix(api.derive("S1").profile.layout(batch=False))
    assert view.error.uses == ("objective",)
    assert {step.label: step.uses for step in view.gradients}["matrix.dw.1"] == ("gradient.w.1.total",)


def test_conditions_for_any_sizes_name_the_last_layer_by_its_letter():
    text = page(document="general.md", layers="3-2-2", activation="tanh", loss="ce", sizes="symbolic")
    assert "makes sense where $`0 < a_p[L] < 1`$" in text
    assert text.count("Kronecker delta) |") == 1


def test_a_learned_parameter_leaves_the_array_of_all_weights_whole(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("bias = 'weight'\n[letters]\ngradient = '∇'", encoding="utf-8")
    derivation = api.derive(
        network("2-3-2", activation=["prelu", "tanh"], loss="mse", train=["alpha"]), notation=str(path)
    )
    new = written(derivation.derivation, derivation.profile)
    labels = [step.label for step in new.matrix(derivation.profile.layout(batch=False)).gradients]
    assert "matrix.dw.2" in labels
    assert "matrix.db.2" not in labels
    assert "matrix.dalpha.2.named" in labels
    assert derivation.check().ok


@pytest.mark.parametrize("penalised", [False, True])
def test_thresholds_are_called_thresholds_and_gradients_nabla(tmp_path, penalised):
    path = tmp_path / "mine.toml"
    path.write_text("bias = 'threshold'\n[letters]\ngradient = '∇'", encoding="utf-8")
    penalty = {"kind": "l2", "strength": "lambda", "biases": True} if penalised else None
    text = page(layers="2-2-1", activation="tanh", loss="mse", notation=str(path), penalty=penalty)
    assert "The thresholds $`\\theta^{(1)}_j`$ follow in the same way." in text
    assert "because the threshold of the same unit needs it too" in text
    of = "J" if penalised else "E"
    assert rf"\nabla^{{(1)}}_{{\theta,j}} &= \frac{{\partial {of}}}{{\partial \theta^{{(1)}}_j}}" in text
    assert rf"\nabla^{{(2)}}_{{\theta}} &= \frac{{\partial {of}}}{{\partial \theta^{{(2)}}}}" in text
    update = under(text, "The update")
    assert r"\eta\,\nabla^{(1)}_{\theta,j}" in update
    assert r"\frac" not in update

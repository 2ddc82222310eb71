"""Weights of the classes: the loss and gradients of PyTorch's weighted losses, derived, proved and typeset."""

from functools import cache

import numpy as np
import pytest
from backends import BACKENDS, largest_difference
from click.testing import CliRunner
from reference import parameters

import symbackprop as sb
from symbackprop import cli
from symbackprop.check.proofs import Prover
from symbackprop.derivation.derive import derive
from symbackprop.derivation.output import OTHER
from symbackprop.derivation.steps import Step
from symbackprop.emit.targets import PROGRAMS, emit, load
from symbackprop.errors import SpecError
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import CLASS_WEIGHT, OUT, OUTPUT_UNIT, TARGET
from symbackprop.notation.profile import load_profile, profile_names
from symbackprop.render.document import render

torch = pytest.importorskip("torch", exc_type=ImportError)
F = torch.nn.functional
WEIGHTS = [1, 2, 0.5]
CASES = {  # loss -> the output's activation and PyTorch's arguments
    "ce": ("softmax", {}),
    "ce_any_sum": ("softmax", {}),
    "ce_smoothed": ("softmax", {"label_smoothing": 0.1}),
    "nll": ("log_softmax", {}),
}


@cache
def derived(loss: str, reduction: str = "sum", output: str | None = None, bias: bool = True):
    words = {"activation": "tanh", "output_activation": output or CASES[loss][0], "loss": loss, "bias": bias}
    net = sb.network("4-5-3", **words, class_weights=WEIGHTS, batch_reduction=reduction)
    return sb.derive(net, listing="none")


@cache
def module(loss: str, target: str = "numpy", reduction: str = "sum", bias: bool = True):
    derivation = derived(loss, reduction, bias=bias).derivation
    return load(emit(derivation, load_profile("S1"), target=target), "module")


def numbers(loss: str, bias: bool = True):
    params = {name: np.asarray(value) for name, value in parameters(module(loss, bias=bias).SHAPES).items()}
    return params, np.random.default_rng(4).standard_normal((6, 4)), np.array([2, 0, 1, 1, 2, 0])


def by_pytorch(loss: str, params, x, t, weights=WEIGHTS):
    values = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    z = torch.tensor(x)
    for layer in (1, 2):
        z = (torch.tanh(z) if layer == 2 else z) @ values[f"W{layer}"] + values.get(f"b{layer}", 0)
    weight = torch.tensor(weights, dtype=torch.float64)
    error = F.cross_entropy(z, torch.tensor(t), weight=weight, reduction="sum", **CASES[loss][1])
    error.backward()
    return error.item(), {name: value.grad.numpy() for name, value in values.items()}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("loss", CASES)
def test_loss_and_gradients_are_those_of_pytorch(loss: str, bias: bool) -> None:
    params, x, classes = numbers(loss, bias)
    shares = np.random.default_rng(5).dirichlet(np.ones(3), 6)
    for inputs, targets in ((x, classes), (x, shares), (x[:1], classes[:1])):
        error, gradients = by_pytorch(loss, params, inputs, targets)
        found = module(loss, bias=bias).loss_and_gradients(params, inputs, targets)
        assert abs(found[0] - error) < 1e-13 * abs(error)
        assert largest_difference(found[1], gradients) < 1e-12
    wrong, _ = by_pytorch(loss, params, x, classes, [2, 1, 0.5])
    assert abs(wrong - module(loss, bias=bias).loss(params, x, classes)) > 1e-2


def test_the_mean_divides_by_the_examples_and_pytorch_s_by_their_weights() -> None:
    params, x, classes = numbers("ce")
    total, mean = (module("ce", reduction=each).loss(params, x, classes) for each in ("sum", "mean"))
    assert abs(mean - total / 6) < 1e-14
    z = torch.tensor(module("ce").forward(params, x)["z3"])
    weight = torch.tensor(WEIGHTS, dtype=torch.float64)
    of_pytorch = F.cross_entropy(z, torch.tensor(classes), weight=weight).item()
    assert abs(of_pytorch - total / np.take(WEIGHTS, classes).sum()) < 1e-14
    page = render(derived("ce", "mean").derivation, None, load_profile("S1"), ["md"])["derivation.md"]
    assert "The mean divides by the number of examples; that of torch.nn.CrossEntropyLoss(weight=…)" in page


@pytest.mark.parametrize("target", ["array-api-numpy", "array-api-torch", "array-api-dask", "torch", "jax"])
def test_every_target_computes_the_same(target: str) -> None:
    back = BACKENDS[target]
    for name in back.needs:
        pytest.importorskip(name)
    for loss in ("ce", "ce_smoothed"):
        params, x, classes = numbers(loss)
        expected = module(loss).loss_and_gradients(params, x, classes)
        with back.around():
            given = {name: back.make(value) for name, value in params.items()}
            ours = module(loss, back.target)
            found = ours.loss_and_gradients(given, back.make(x), back.make(classes))
            assert abs(float(found[0]) - expected[0]) < 1e-13 * expected[0]
            gradients = {name: back.back(value) for name, value in found[1].items()}
            single = ours.gradients(
                {name: back.make(value.astype(np.float32)) for name, value in params.items()},
                back.make(x.astype(np.float32)),
                back.make(classes),
            )
        assert largest_difference(gradients, expected[1]) < 1e-13
        assert {back.back(value).dtype for value in single.values()} == {np.dtype(np.float32)}


def test_the_scalar_module_computes_the_same() -> None:
    d = sb.derive(sb.network("2-3", activation="softmax", loss="ce_smoothed", class_weights=WEIGHTS))
    scalar, arrays = d.compile("scalar"), d.compile()
    params = {name: np.asarray(value) for name, value in parameters(arrays.SHAPES).items()}
    x, t = np.array([0.5, -1.25]), np.array([0.2, 0.5, 0.3])
    value, slopes = scalar.loss_and_gradients(*x, *params["W1"].T.ravel(), *params["b1"], *t)
    error, gradients = arrays.loss_and_gradients(params, x, t)
    assert abs(value - error) < 1e-14
    assert all(abs(slopes[f"w{i + 1}{j + 1}[1]"] - gradients["W1"][i, j]) < 1e-14 for i in (0, 1) for j in (0, 1, 2))
    assert "const C2 = 2.0;" in emit(d.derivation, d.profile, target="javascript")


@pytest.mark.parametrize("loss", ["ce", "ce_smoothed", "nll"])
def test_logits_far_out_leave_the_loss_finite(loss: str) -> None:
    params, x, classes = numbers(loss)
    params["W2"] = params["W2"] * 1e4
    with np.errstate(all="raise", under="ignore"):
        error, gradients = module(loss).loss_and_gradients(params, x, classes)
    expected, slopes = by_pytorch(loss, params, x, classes)
    assert abs(error - expected) < 1e-12 * expected and largest_difference(gradients, slopes) < 1e-9


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_every_line_is_proved_and_a_weight_at_the_wrong_class_refuted(output: str) -> None:
    words = {"activation": "tanh", "output_activation": output, "loss": "ce_any_sum", "class_weights": WEIGHTS}
    d = sb.derive(sb.network("2-3-3", **words))
    assert d.check().ok
    prover = Prover(d.derivation.graph, list(d.steps), 0)
    step = d.derivation.general["output.delta"]
    unit = OTHER if output == "softmax" else OUTPUT_UNIT
    twin = step.right.xreplace({CLASS_WEIGHT[unit]: CLASS_WEIGHT[1]})
    assert twin != step.right
    assert prover.row(step, "output").verdict is True
    assert (
        prover.row(Step(step.label, step.left, twin, step.rule, step.uses, step.assumptions), "output").verdict is False
    )


def test_what_cancels_is_derived() -> None:
    said = {loss: dict(derived(loss).summary())["δ_q[3]"] for loss in ("ce", "ce_smoothed", "nll")}
    assert said["ce"] == "a_q[3] Σₚ cₚ tₚ − c_q t_q"
    assert said["ce_smoothed"] == "a_q[3] Σₚ cₚ (ε/n₃ + tₚ (1 − ε)) − c_q (ε/n₃ + t_q (1 − ε))"
    assert said["nll"] == "exp(a_q[3]) Σₚ cₚ tₚ − c_q t_q"
    plain = sb.derive(sb.network("4-5-3", activation="tanh", output_activation="softmax", loss="ce_smoothed"))
    assert dict(plain.summary())["δ_q[3]"] == "a_q[3] − ε/n₃ − t_q (1 − ε)"


@pytest.mark.parametrize("profile", profile_names())
def test_documents_in_every_notation(profile: str) -> None:
    graph = forward_graph(sb.network("2-3", activation="softmax", loss="ce", class_weights=WEIGHTS))
    pages = render(derive(graph), None, load_profile(profile), ["md", "tex", "typ"])
    assert all(
        "weight of class" in page and "as much as its class" in page
        for page in (pages[f"derivation.{kind}"] for kind in ("md", "tex", "typ"))
    )


def test_worked_numbers_take_the_weights_or_those_given_for_the_page() -> None:
    for values, expected in (({}, WEIGHTS), ({"c2": 3}, [1, 3, 0.5])):
        net = sb.network("2-3", activation="softmax", loss="ce", class_weights=WEIGHTS, values=values)
        worked = sb.derive(net).numbers()
        assert [float(worked.values[CLASS_WEIGHT[k]]) for k in (1, 2, 3)] == expected
        t, a = (
            [float(worked.values[base[at]]) for at in ats]
            for base, ats in ((TARGET, [1, 2, 3]), (OUT, [(2, 1), (2, 2), (2, 3)]))
        )
        error = -sum(c * share * np.log(output) for c, share, output in zip(expected, t, a, strict=True))
        assert abs(float(worked.error_before) - error) < 1e-12


def test_a_profile_may_give_them_another_letter(tmp_path) -> None:
    (tmp_path / "mine.toml").write_text('[letters]\nclass_weight = "ρ"\n', encoding="utf-8")
    d = sb.derive(derived("ce").graph.spec, notation=str(tmp_path / "mine.toml"), listing="none")
    page = render(d.derivation, None, d.profile, ["md"])["derivation.md"]
    assert r"\rho_q" in page and "c_q" not in page
    assert "rho = np.asarray([CLASS_WEIGHTS], x.dtype)" in d.code["gradients.py"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"class_weights": [1, 2]}, "class_weights lists 2 numbers; expected 3 numbers from 0, one per class"),
        ({"class_weights": "1,x,2"}, "class_weights holds 'x'; expected 3 numbers from 0, one per class"),
        ({"class_weights": [1, True, 2]}, "class_weights holds True; expected 3 numbers from 0, one per class"),
        ({"class_weights": [1, -1, 2]}, "class_weights holds -1; expected 3 numbers from 0, one per class"),
        ({"class_weights": [1, float("nan"), 2]}, "class_weights holds nan; expected 3 numbers from 0, one per class"),
        ({"class_weights": 5}, "class_weights is 5; expected 3 numbers from 0, one per class"),
        (
            {"class_weights": [0, 0, 0]},
            "class_weights are all 0, so nothing is left of the loss; expected 3 numbers from 0, one per class",
        ),
        (
            {"class_weights": [1, 2, 3], "loss": "mse"},
            "the loss mse takes no class_weights; expected one of ce, ce_any_sum, ce_smoothed, nll",
        ),
        ({"class_weights": [1, 2, 3], "values": {"c4": 1}}, "the network 4-3 has no 'c4'; did you mean 'c3'?"),
        ({"values": {"c1": 1}}, "the network 4-3 has no 'c1'; expected one like w11[1] or b1[1]"),
    ],
)
def test_what_cannot_be_used_is_answered_in_one_line(words: dict, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        sb.network("4-3", **{"activation": "softmax", "loss": "ce", **words})
    assert str(caught.value) == message


def test_the_command_line_and_files_take_them(tmp_path) -> None:
    options = ["check", "--net", "2-3", "--act", "softmax", "--loss", "ce", "--class-weights", "1,2,0.5"]
    assert cli.main([*options, "-q"]) == 0
    assert CliRunner().invoke(cli.cli, [*options[:-1], "1,2"]).exception.args[0].startswith("class_weights lists 2")
    (tmp_path / "net.toml").write_text(
        'layers = "2-3"\nactivation = "softmax"\nloss = "ce"\nclass_weights = [1, 2, 0.5]\n', encoding="utf-8"
    )
    net = sb.load(tmp_path / "net.toml")
    assert list(map(float, net.loss.class_weights)) == WEIGHTS


def test_emitted_files_stand_alone() -> None:
    many = sb.derive(sb.network("3-40", activation="softmax", loss="ce", class_weights=[1.5] * 40), listing="none")
    for target in PROGRAMS.keys() - {"scalar"}:
        assert all(len(line) <= 120 for line in emit(many.derivation, many.profile, target=target).splitlines())
    assert "…" in render(many.derivation, None, many.profile, ["md"])["derivation.md"]

"""Softplus with a sharpness of its own, against PyTorch's; a parameter that is 1 costs nothing in the code."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from backends import BACKENDS, largest_difference, module
from reference import parameters

import symbackprop as sb
from symbackprop import cli
from symbackprop.emit.targets import PROGRAMS, emit, load
from symbackprop.errors import SpecError

torch = pytest.importorskip("torch", exc_type=ImportError)
F = torch.nn.functional
SHARP = {"layers": "3-4-2", "activation": ("softplus(2)", "softplus(0.3)"), "loss": "poisson"}


def by_pytorch(params: dict[str, Any], x: np.ndarray, t: np.ndarray, first: float, second: float) -> Any:
    values = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    a = F.softplus(torch.tensor(x) @ values["W1"] + values["b1"], beta=first, threshold=1e3)
    a = F.softplus(a @ values["W2"] + values["b2"], beta=second, threshold=1e3)
    loss = (a - torch.tensor(t) * a.log()).sum() / len(x)
    loss.backward()
    return loss.item(), {name: value.grad.numpy() for name, value in values.items()}


def numbers(scale: float = 1.0):
    rng = np.random.default_rng(6)
    params = {name: scale * np.asarray(value) for name, value in parameters(module("numpy", **SHARP).SHAPES).items()}
    return params, rng.standard_normal((5, 3)), rng.random((5, 2))


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize("target", BACKENDS)
def test_loss_and_gradients_are_those_of_pytorch(target: str, scale: float) -> None:
    back, (params, x, t) = BACKENDS[target], numbers(scale)
    for name in back.needs:
        pytest.importorskip(name)
    with back.around():
        given = {name: back.make(value) for name, value in params.items()}
        loss, gradients = module(back.target, **SHARP).loss_and_gradients(given, back.make(x), back.make(t))
        gradients = {name: back.back(value) for name, value in gradients.items()}
    expected, slopes = by_pytorch(params, x, t, 2.0, 0.3)
    assert abs(float(loss) - expected) < 1e-12 * abs(expected)
    assert largest_difference(gradients, slopes) < 1e-12 * max(np.abs(slope).max() for slope in slopes.values())
    wrong, _ = by_pytorch(params, x, t, 2.0, 0.4)
    assert abs(float(loss) - wrong) > 1e-3


def test_a_workspace_and_plain_numbers_compute_the_same() -> None:
    ours, (params, x, t) = module("numpy", **SHARP), numbers()
    loss, gradients = ours.loss_and_gradients(params, x, t, workspace=ours.make_workspace(5))
    expected, slopes = by_pytorch(params, x, t, 2.0, 0.3)
    assert abs(loss - expected) < 1e-13
    assert largest_difference(gradients, slopes) < 1e-13
    scalar = load(emit(derived("softplus(2)").derivation, derived("softplus(2)").profile, target="scalar"), "scalar")
    arrays = derived("softplus(2)").compile()
    first = {name: np.asarray(value) for name, value in parameters(arrays.SHAPES).items()}
    value, _ = scalar.loss_and_gradients(*x[0], *first["W1"].T.ravel(), *first["b1"], *t[0])
    assert abs(value - arrays.loss(first, x[0], t[0])) < 1e-14


@cache
def derived(activation: str):
    return sb.derive(sb.network("3-2", activation=activation, loss="mse"))


@pytest.mark.parametrize("target", PROGRAMS)
def test_a_parameter_that_is_one_is_no_factor_in_the_code(target: str) -> None:
    """The code of softplus is that of the formula without a parameter, from the equations' numbers and the name."""
    plain = sb.derive(sb.network("3-2", activation="log(1+exp(z))", loss="mse"))
    ours, theirs = (emit(d.derivation, d.profile, target=target) for d in (derived("softplus"), plain))
    assert ours.replace("softplus", "f") == theirs
    assert "BETA" not in ours and "BETA" in emit(derived("softplus(2)").derivation, plain.profile, target=target)


def test_a_learned_parameter_stays_though_it_starts_at_one() -> None:
    d = sb.derive(sb.network("3-2", activation="softplus", loss="mse", train="beta"))
    assert d.check().ok
    assert "beta2" in d.compile().SHAPES and "BETA" not in d.code["gradients.py"]


def test_the_slope_is_found_in_the_output_by_small_algebra() -> None:
    d = derived("softplus(2)")
    assert dict(d.summary())["δₚ[2]"] == "(aₚ[2] − tₚ) (1 − exp(−β aₚ[2]))"
    by_label = {step.label: step for step in d.steps}
    assert by_label["slope.softplus.output"].rule.name == "recognise"
    assert d.check().ok


def test_it_is_asked_for_with_a_number_above_nothing(capsys) -> None:
    assert cli.main(["list", "activations"]) == 0
    assert "ln(1 + exp(β z))/β" in capsys.readouterr().out
    for name in ("softplus", "softplus(2)", "softplus(beta=1/2)"):
        sb.network("2-1", activation=name, loss="mse")
    with pytest.raises(SpecError) as caught:
        sb.network("2-1", activation="softplus(-1)", loss="mse")
    assert str(caught.value) == "beta of softplus is -1; expected a positive number"

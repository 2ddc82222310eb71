"""Two outputs a target: means and logarithms of variances, in blocks, derived, proved, typeset and emitted."""

from functools import cache

import numpy as np
import pytest
from backends import BACKENDS, largest_difference, module
from reference import parameters

import symbackprop as sb
from symbackprop.calculus.indices import Entry, InBlock
from symbackprop.check.proofs import Prover
from symbackprop.derivation.derive import derive
from symbackprop.derivation.steps import Step
from symbackprop.emit.targets import emit, load
from symbackprop.errors import SpecError
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import ERROR, OUT, TARGET
from symbackprop.notation.profile import load_profile, profile_names
from symbackprop.render.document import render

torch = pytest.importorskip("torch", exc_type=ImportError)
WORDS = {"layers": "2-3-4", "activation": "tanh", "output_activation": "identity", "loss": "gaussian_nll"}


def described(**more):
    words = {**WORDS, **more}
    return sb.network(words.pop("layers"), **words)


@cache
def derived(**more):
    return derive(forward_graph(described(**more)), "none")


def by_pytorch(spec, params, x, t, *, swapped=False, half=0.5):
    """PyTorch's own loss and automatic differentiation, or a twin of them that is wrong."""
    values = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    a = torch.tensor(x)
    for layer, use in enumerate(spec.activations, start=1):
        z = a @ values[f"W{layer}"] + values.get(f"b{layer}", 0)
        a = torch.tanh(z) if use.tag == "tanh" else z
    mean, log_variance = a.chunk(2, dim=-1)[:: -1 if swapped else 1]
    loss = torch.nn.GaussianNLLLoss(reduction="sum", eps=1e-300)
    error = 2 * half * loss(mean, torch.tensor(t), log_variance.exp())
    error = error / (x.shape[0] * (t.shape[-1] if spec.output_reduction == "mean" else 1))
    error.backward()
    return error.item(), {name: value.grad.numpy() for name, value in values.items()}


@pytest.mark.parametrize("output", ["identity", "tanh"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("bias", [True, False])
def test_loss_and_gradients_are_those_of_pytorch(output: str, reduction: str, bias: bool) -> None:
    words = {"output_activation": output, "output_reduction": reduction, "bias": bias}
    spec, ours = described(**words), module("numpy", **{**WORDS, **words})
    params = parameters(ours.SHAPES)
    chance = np.random.default_rng(5)
    for batch in (1, 5):
        x, t = chance.standard_normal((batch, 2)), chance.standard_normal((batch, 2))
        error, gradients = by_pytorch(spec, params, x, t)
        found = ours.loss_and_gradients(params, *((x, t) if batch > 1 else (x[0], t[0])))
        assert abs(found[0] - error) < 1e-13 * max(1, abs(error))
        assert largest_difference(found[1], gradients) < 1e-12
    for wrong in ({"swapped": True}, {"half": 1}):
        error, gradients = by_pytorch(spec, params, x, t, **wrong)
        assert abs(found[0] - error) > 1e-2 and largest_difference(found[1], gradients) > 1e-2


@pytest.mark.parametrize("target", ["array-api-strict", "array-api-dask", "torch", "jax"])
def test_every_target_computes_the_same(target: str) -> None:
    back = BACKENDS[target]
    for name in back.needs:
        pytest.importorskip(name)
    plain = module("numpy", **WORDS)
    params = {name: np.asarray(value) for name, value in parameters(plain.SHAPES).items()}
    chance = np.random.default_rng(6)
    x, t = chance.standard_normal((4, 2)), chance.standard_normal((4, 2))
    expected = plain.loss_and_gradients(params, x, t)
    with back.around():
        given = {name: back.make(value) for name, value in params.items()}
        found = module(back.target, **WORDS).loss_and_gradients(given, back.make(x), back.make(t))
        assert abs(float(found[0]) - expected[0]) < 1e-13
        assert largest_difference({n: back.back(v) for n, v in found[1].items()}, expected[1]) < 1e-13


def test_the_scalar_module_computes_the_same() -> None:
    arrays, scalar = module("numpy", **WORDS), load(emit(derived(), load_profile("S1"), target="scalar"), "scalar")
    params = {name: np.asarray(value) for name, value in parameters(arrays.SHAPES).items()}
    x, t = np.array([0.5, -1.25]), np.array([0.75, -0.5])
    weights = [*params["W1"].T.ravel(), *params["W2"].T.ravel(), *params["b1"], *params["b2"]]
    value, slopes = scalar.loss_and_gradients(*x, *weights, *t)
    error, gradients = arrays.loss_and_gradients(params, x, t)
    assert abs(value - error) < 1e-14
    assert all(abs(slopes[f"w{i + 1}{j + 1}[2]"] - gradients["W2"][i, j]) < 1e-13 for i in range(3) for j in range(4))


@pytest.mark.parametrize("output", ["identity", "tanh"])
def test_every_line_is_proved(output: str) -> None:
    assert sb.derive(described(layers="1-2-4", output_activation=output, penalty="l2:mu")).check().ok


def test_wide_layers_are_proved_at_narrow_ones() -> None:
    assert sb.derive(described(layers="3-9-6")).check().ok


def test_wrong_twins_are_refuted() -> None:
    d = derived()
    prover = Prover(d.graph, list(d.steps), 0)
    mean, log_variance = (d.general[f"output.piece.{block}.delta"] for block in (0, 1))
    first, second = (e for e in sorted(log_variance.right.atoms(Entry), key=str) if e.base == OUT)
    swapped = log_variance.right.xreplace({first: second, second: first})
    doubled = log_variance.right * 2  # without its ½
    of_the_other = mean.right
    assert prover.row(mean, "output").verdict is prover.row(log_variance, "output").verdict is True
    for right in (swapped, doubled, of_the_other):
        twin = Step(log_variance.label, log_variance.left, right, log_variance.rule, log_variance.uses)
        assert prover.row(twin, "output").verdict is False


def test_what_is_derived() -> None:
    said = dict(sb.derive(described()).summary())
    assert said["δₚ[3]"] == "(aₚ[3] − tₚ) exp(−a_{n₃/2+p}[3])"
    assert said["δ_{n₃/2+p}[3]"] == "½ − ½ (tₚ − aₚ[3])² exp(−a_{n₃/2+p}[3])"
    assert not any(entry.has(InBlock) for entry in derived().graph.targets())


@pytest.mark.parametrize("profile", profile_names())
def test_documents_in_every_notation(profile: str) -> None:
    kinds = ["md", "tex", "typ"] if profile in ("S1", "goodfellow") else ["md"]
    pages = render(derived(), None, load_profile(profile), kinds)
    for kind in kinds:
        assert "negative log-likelihood of a normal distribution" in pages[f"derivation.{kind}"]
        # The place in the second block is set letter by letter, on one line.
        assert {"md": "/2+", "tex": "/2+", "typ": r" \/ 2 + "}[kind] in pages[f"derivation.{kind}"]
    assert "summed over the targets" in pages["derivation.md"]
    assert "The outputs lie in blocks of as many as there are targets" in pages["derivation.md"]


def test_pages_numbers_and_any_sizes() -> None:
    d = sb.derive(described(layers="1-2-4", values={"t2": 0.25}), numbers=True, sizes="symbolic")
    files = d.files(["md", "html"])
    assert "n_L" in files["general.md"]
    worked = d.numbers()
    a = [float(worked.values[OUT[3, k]]) for k in (1, 2, 3, 4)]
    t = [float(worked.values[TARGET[k]]) for k in (1, 2)]
    assert t[1] == 0.25 and TARGET[3] not in worked.values
    error = sum(a[k + 2] + (t[k] - a[k]) ** 2 * np.exp(-a[k + 2]) for k in (0, 1)) / 2
    assert abs(float(worked.values[ERROR]) - error) < 1e-12
    assert '"t2"' in files["derivation.html"] and '"t3"' not in files["derivation.html"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"layers": "2-3"},
            "the loss gaussian_nll takes 2 outputs for each target; expected a multiple of 2 output units, got 3",
        ),
        (
            {"output_activation": "softmax"},
            "the loss gaussian_nll needs an output activation that works output by output, without parameters to "
            "train; softmax does not, 'identity' does",
        ),
        (
            {"output_activation": "prelu"},
            "the loss gaussian_nll needs an output activation that works output by output, without parameters to "
            "train; prelu does not, 'identity' does",
        ),
        ({"values": {"t3": 1}}, "the network 2-3-4 has no 't3'; did you mean 't2'?"),
        (
            {"class_weights": [1, 2, 3, 4]},
            "the loss gaussian_nll takes no class_weights; expected one of ce, ce_any_sum, ce_smoothed, nll",
        ),
    ],
)
def test_what_cannot_be_used_is_answered_in_one_line(more: dict, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        described(**more)
    assert str(caught.value) == message


def test_wrong_shapes_are_answered_in_one_line() -> None:
    ours = module("numpy", **WORDS)
    with pytest.raises(ValueError, match=r"^t has shape \(3, 4\); expected \(2,\) or \(batch, 2\)$"):
        ours.loss(parameters(ours.SHAPES), np.ones((3, 2)), np.ones((3, 4)))

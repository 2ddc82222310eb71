"""Parameters that activations learn: PReLU's slope, Swish's β, against PyTorch, the proofs and the command line."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Integer, Rational, Symbol

from symbackprop import api
from symbackprop.calculus.inert import Apply, Chain
from symbackprop.check.field import check_field
from symbackprop.check.numeric import check_numeric
from symbackprop.check.proofs import Prover
from symbackprop.cli import main
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.matrix_terms import Layout, Scaled
from symbackprop.derivation.numbers import work
from symbackprop.emit.targets import emit, load
from symbackprop.errors import SpecError
from symbackprop.handover import emitted
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import OUT, TrainedBase
from symbackprop.network.read import network, spec_from_toml
from symbackprop.notation.profile import load_profile

SWISH = "z*sigmoid(beta*z)"
NETWORKS: dict[str, dict[str, Any]] = {
    "prelu": {"layers": "3-4-2-3", "activation": ["prelu", "prelu(0.1)", "identity"], "loss": "mse"},
    "swish": {
        "layers": "2-3-4",
        "activation": SWISH,
        "parameters": {"beta": 1.5},
        "train": ["beta"],
        "loss": "squared_error",
        "output_reduction": "mean",
        "penalty": {"kind": "l2", "strength": 0.3, "biases": True},
    },
    "both": {
        "layers": "2-4-3-3",
        "activation": ["prelu", SWISH],
        "output_activation": "softmax",
        "parameters": {"beta": 0.5},
        "train": "beta",
        "loss": "ce",
        "batch_reduction": "sum",
        "bias": [True, False, True],
    },
    "softplus": {"layers": "3-4-2", "activation": ["softplus", "softplus(2)"], "train": "beta", "loss": "mse"},
    "leaky": {"layers": "2-3-1", "activation": "leaky_relu(0.3)", "train": ["alpha"], "loss": "mse"},
}


@cache
def derived(name: str) -> Derivation:
    return derive(forward_graph(network(**NETWORKS[name])), "none")


@cache
def module(name: str, notation: str = "S1") -> Any:
    return load(emit(derived(name), load_profile(notation)), "gradients")


def by_torch(name: str, params: dict[str, np.ndarray], x: np.ndarray, t: np.ndarray, from_to: bool) -> Any:
    """Loss and gradients by PyTorch; the learned parameters are tensors that require a gradient."""
    torch = pytest.importorskip("torch")
    spec = network(**NETWORKS[name])
    given = {key: torch.tensor(value, requires_grad=True) for key, value in params.items()}
    a, target = torch.tensor(np.atleast_2d(x)), torch.tensor(np.atleast_2d(t))
    for layer, use in enumerate(spec.activations, start=2):
        weight = given[f"W{layer - 1}"]
        a = a @ (weight if from_to else weight.T) + given.get(f"b{layer - 1}", 0.0)
        if "alpha" in str(use.trained):
            a = torch.nn.functional.prelu(a, given[f"alpha{layer}"].reshape(1))
        elif use.trained and "softplus" in str(use.tag):
            a = (1 + (given[f"beta{layer}"] * a).exp()).log() / given[f"beta{layer}"]
        elif use.trained:
            a = a * torch.sigmoid(given[f"beta{layer}"] * a)
        elif use.tag == "softmax":
            a = torch.softmax(a, dim=1)
    loss = {
        "mse": lambda: ((a - target) ** 2).sum() / 2,
        "squared_error": lambda: ((a - target) ** 2).sum() / spec.sizes[-1],
        "ce": lambda: -(target * a.log()).sum(),
    }[spec.loss.entry.name]()
    loss = loss / (len(a) if spec.batch_reduction == "mean" else 1)
    if spec.penalty is not None:  # it covers weights and biases, and nothing that activations learn
        loss = loss + 0.15 * sum((given[key] ** 2).sum() for key in given if key[0] in "Wb" and "beta" not in key)
    loss.backward()
    return loss.item(), {key: value.grad.numpy() for key, value in given.items()}


@pytest.mark.parametrize("notation", ["S1", "S4"])
@pytest.mark.parametrize("batch", [None, 5])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_those_of_pytorch(name, batch, notation):
    code, rng = module(name, notation), np.random.default_rng(3)
    params = code.init_params(rng)
    params = {key: value + 0.2 * rng.standard_normal(np.shape(value)) for key, value in params.items()}
    sizes = network(**NETWORKS[name]).sizes
    lead = () if batch is None else (batch,)
    x, t = rng.standard_normal((*lead, sizes[0])), rng.dirichlet(np.ones(sizes[-1]), lead)
    loss, gradients = code.loss_and_gradients(params, x, t)
    expected, slopes = by_torch(name, params, x, t, code.WEIGHT_LAYOUT == "from_to")
    assert loss == pytest.approx(expected, rel=1e-12)
    assert set(gradients) == set(code.SHAPES) == set(slopes)
    for key, slope in slopes.items():
        np.testing.assert_allclose(gradients[key], slope, rtol=1e-10, atol=1e-13)
        assert np.shape(gradients[key]) == code.SHAPES[key]


def test_each_layer_has_its_own_parameter_with_its_own_start():
    code = module("prelu")
    assert list(code.SHAPES) == ["W1", "b1", "alpha2", "W2", "b2", "alpha3", "W3", "b3"]
    params = code.init_params(np.random.default_rng(0), np.float32)
    assert (params["alpha2"], params["alpha3"]) == (0.25, np.float32(0.1))
    assert {value.dtype for value in params.values()} == {np.dtype(np.float32)}
    again = code.unpack(code.pack(params))
    assert all(np.array_equal(again[key], value) for key, value in params.items())
    ones = {key: np.ones_like(value) for key, value in params.items()}
    assert code.update(params, ones, 0.5)["alpha2"] == -0.25


@pytest.mark.parametrize("notation", ["S1", "S4", "haykin", "ng"])
@pytest.mark.parametrize("name", ["prelu", "swish"])
def test_modules_check_themselves_in_every_kind_of_bias(name, notation):
    assert module(name, notation)._difference_from_central() < 1e-6


@pytest.mark.parametrize("name", NETWORKS)
def test_scalar_functions_agree_with_the_arrays(name):
    code, alone = module(name), load(emit(derived(name), load_profile("S1"), target="scalar"), "scalar")
    rng = np.random.default_rng(5)
    params, spec = code.init_params(rng), network(**NETWORKS[name])
    x, t = rng.standard_normal(spec.sizes[0]), rng.dirichlet(np.ones(spec.sizes[-1]))
    numbers = {f"x{i}": value for i, value in enumerate(x, 1)} | {f"t{k}": value for k, value in enumerate(t, 1)}
    for key, value in params.items():
        letter, layer = key.rstrip("0123456789"), key[-1]
        for at, entry in np.ndenumerate(value):
            numbers[f"{letter.lower()}{''.join(str(i + 1) for i in at)}_{layer}"] = float(entry)
    loss, slopes = alone.loss_and_gradients(*(numbers[each] for each in alone.ARGUMENTS))
    expected, gradients = code.loss_and_gradients(params, x, t)
    assert loss == pytest.approx(expected, rel=1e-12)
    for entry in spec.trained.values():
        assert slopes[str(entry)] == pytest.approx(gradients[f"{entry.base.parameter}{entry.indices[0]}"], rel=1e-10)


@pytest.mark.parametrize("notation", ["S1", "haykin", "rumelhart1986"])
def test_every_line_is_checked(notation):
    spec = network("2-3-2", activation=["prelu", SWISH], parameters={"beta": 1.5}, train=["beta"], loss="mse")
    report = api.derive(spec, notation=notation).check()
    assert [row for row in report.rows if row.verdict is not True] == []
    names = {row.name for row in report.rows}
    assert {"gradient.alpha.2", "update.alpha.2", "beta[3].folded", "matrix.dbeta.3"} <= names
    assert {"the derivative of E by alpha[2]", "dalpha2 for one example", "slope.prelu_by_alpha_2"} <= names


def test_wrong_twins_are_refuted():
    derivation = derived("prelu")
    prover = Prover(derivation.graph, derivation.steps)
    step = derivation.general["gradient.alpha.2"]
    by, slope = Symbol("prelu_by_alpha_2"), Symbol("prelu")
    twins = {
        "the slope by z for the one by the parameter": step.right.replace(
            lambda e: isinstance(e, Apply) and e.tag == by, lambda e: Apply(slope, Integer(1), *e.arguments)
        ),
        "one unit alone": step.right.xreplace({step.right.limits[0][2]: Integer(1)}),
        "the other sign": -step.right,
        "the error's own slope left out": step.right.replace(Chain, lambda *factors: factors[-1]),
    }
    assert prover.row(step, "").verdict is True
    for name, wrong in twins.items():
        assert wrong != step.right, name
        assert prover.row(replace(step, right=wrong), "").verdict is False, name
    update = derivation.general["update.alpha.2"]
    away = 2 * TrainedBase("alpha")[2] - update.right
    assert prover.row(replace(update, right=away), "").verdict is False


def test_a_wrong_gradient_fails_in_the_field_and_in_floats():
    derivation, view = derived("prelu"), derived("prelu").matrix(Layout())
    assert all(row.verdict is True for row in check_field(derivation, view))
    wrong = tuple(
        replace(step, right=Scaled(Rational(1, 2), step.right)) if step.label == "matrix.dalpha.3" else step
        for step in view.gradients
    )
    assert any(row.verdict is False for row in check_field(derivation, replace(view, gradients=wrong)))

    handed = emitted(module("prelu"), derivation.graph.spec)

    def halved(*args: Any) -> Any:
        loss, gradients = handed.loss_and_gradients(*args)
        return loss, {**gradients, "alpha3": gradients["alpha3"] / 2}

    rows, _ = check_numeric(derivation.graph, replace(handed, loss_and_gradients=halved))
    assert {row.name for row in rows if row.verdict is False} == {
        f"{what} for {where}" for what in ("dalpha3", "gradients alone") for where in ("a batch of 3", "one example")
    }


def test_worked_numbers_move_the_parameter_too():
    values = {"alpha[2]": 0.5, "x1": 1, "w11[1]": -1, "w11[2]": 2, "t1": 0, "eta": 0.5}
    spec = network("1-1-1", activation="prelu", output_activation="identity", loss="mse", bias=False)
    worked = work(derive(forward_graph(spec)), values)
    # z = -1, a = -1/2, E = (2a)²/2; by hand: dE/da = 2·(-1) = -2, dE/dα = -2·z = 2, and α falls by 1.
    assert float(worked.error_before) == 0.5
    assert float(worked.values[TrainedBase("alpha", "next")[2]]) == -0.5
    # then w1 = -1 - ½·(-2·½·1) = -½, w2 = 2 - ½·(-1·-½) = 7/4: z = -½, a = ¼
    assert float(worked.error_after) == (7 / 16) ** 2 / 2


def test_a_penalty_leaves_the_parameter_alone():
    general = derived("swish").general
    assert "gradient.w.1.total" in general
    assert "gradient.beta.2.total" not in general
    assert general["gradient.beta.3.local"].left.of == OUT[3, Symbol("k", integer=True, positive=True)]


def test_command_line_and_files_say_the_same(tmp_path, capsys):
    options = ["--net", "2-3-1", "--act", f"prelu,{SWISH}", "--param", "beta=1.5", "--train", "beta", "--loss", "mse"]
    assert main(["derive", *options, "--format", "md,tex,py,json", "--out", str(tmp_path)]) == 0
    assert "dE/dα[2]" in capsys.readouterr().out
    page = (tmp_path / "derivation.md").read_text(encoding="utf-8")
    assert "learned like the weights" in page
    assert r"\frac{d\mathrm{PReLU}}{d\alpha[2]}(z)" in page
    toml = f"""
        layers = "2-3-1"
        activation = ["prelu", "{SWISH}"]
        loss = "mse"
        train = ["beta"]
        [parameters]
        beta = 1.5
    """
    assert api.derive(spec_from_toml(toml)).code["gradients.py"] == (tmp_path / "gradients.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (["bta"], "unknown parameter to train 'bta'; did you mean 'beta'?"),
        (3, 'train is 3; expected names of parameters, like ["beta"]'),
        (["x_1"], "the parameter 'x_1' cannot be trained under this name; expected one like beta"),
    ],
)
def test_refusals_say_what_to_do(train, message):
    with pytest.raises(SpecError) as caught:
        network("2-3-1", activation=SWISH, parameters={"beta": 1.5}, train=train, loss="mse")
    assert str(caught.value) == message


def test_nothing_to_train_is_a_mistake():
    with pytest.raises(SpecError, match="no activation has the parameter 'beta' to train; leave it out"):
        network("2-3-1", activation="tanh", train=["beta"], loss="mse")

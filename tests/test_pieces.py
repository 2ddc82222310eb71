"""Units of several pieces (glu, maxout), and functions of a whole layer in hidden layers: everything about them."""

from functools import cache

import numpy as np
import pytest
from reference import parameters

import symbackprop as sb
from symbackprop.api import BackpropDerivation
from symbackprop.calculus.indices import instantiate
from symbackprop.catalogue.entries import K, N, V
from symbackprop.catalogue.lookup import find_activation
from symbackprop.derivation.derive import derive
from symbackprop.errors import SpecError
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import DELTA, OUT, PRE, WEIGHT
from symbackprop.network.read import network
from symbackprop.notation.profile import profile_from_toml

torch = pytest.importorskip("torch", exc_type=ImportError)
oracle = pytest.importorskip("torch_catalogue", exc_type=ImportError)


class Maxout(torch.nn.Module):
    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, z):
        return z.unflatten(-1, (self.pieces, -1)).max(dim=-2).values


MODULES = {
    "glu": (torch.nn.GLU, 2),
    "maxout": (lambda: Maxout(2), 2),
    "maxout(3)": (lambda: Maxout(3), 3),
    "softmax": (lambda: torch.nn.Softmax(dim=-1), 1),
    "log_softmax": (lambda: torch.nn.LogSoftmax(dim=-1), 1),
    "softmin": (lambda: torch.nn.Softmin(dim=-1), 1),
}


@cache
def derived(activation: str, sizes: str = "3-4-2", notation: str = "pytorch", **words) -> BackpropDerivation:
    return sb.derive(network(sizes, activation=activation, **{"loss": "mse", **words}), notation=notation)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", MODULES)
def test_a_state_dict_of_pytorch_gives_pytorchs_gradients(name: str, bias: bool) -> None:
    make, pieces = MODULES[name]
    chance = torch.Generator().manual_seed(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, pieces * 4, bias=bias), make(), torch.nn.Linear(4, pieces * 2, bias=bias), make()
    ).double()
    module = derived(name, bias=bias).compile()
    assert module.SHAPES["W1"] == (pieces * 4, 3) and module.SHAPES["W2"] == (pieces * 2, 4)
    rename = {"0.weight": "W1", "0.bias": "b1", "2.weight": "W2", "2.bias": "b2"}
    params = {rename[key]: value.numpy() for key, value in net.state_dict().items()}
    for shape in ((3,), (5, 3)):
        x = torch.randn(shape, dtype=torch.float64, generator=chance)
        t = torch.randn((*shape[:-1], 2), dtype=torch.float64, generator=chance)
        net.zero_grad()
        loss = ((net(x) - t) ** 2).sum() / 2 / (shape[0] if len(shape) > 1 else 1)
        loss.backward()
        error, gradients = module.loss_and_gradients(params, x.numpy(), t.numpy())
        assert abs(error - float(loss.detach())) < 1e-13
        *_, pre, _ = module.forward(params, x.numpy()).values()
        np.testing.assert_allclose(pre, net[:3](x).detach().numpy(), atol=1e-14)
        for key, parameter in net.named_parameters():
            np.testing.assert_allclose(gradients[rename[key]], parameter.grad.numpy(), rtol=1e-10, atol=1e-13)


THRESHOLDS = profile_from_toml("bias = 'threshold'\ndelta_sign = 'negative'", "thresholds")
CHECKED = [
    ("glu", "2-2-1", {}, "S1"),
    ("glu,softmax", "2-1-2", {"loss": "ce", "bias": [False, True]}, "haykin"),
    ("maxout", "2-1-2", {"penalty": "l2:0.3:half:biases"}, "ng"),
    ("glu,prelu", "2-1-1", {"output_reduction": "mean"}, THRESHOLDS),
    ("softmax", "1-2-3", {"loss": "ce"}, "S4"),
    ("log_softmax,sigmoid", "2-3-1", {"loss": "bce"}, "pytorch"),
]
SLOWLY = [
    ("glu", "3-2-2", {"loss": "ce"}, "S4"),
    ("maxout(3)", "1-2-1", {"output_activation": "identity"}, "pytorch"),
    ("softmax,maxout", "2-3-1", {}, THRESHOLDS),
    ("softmax", "2-3-2", {"loss": "ce"}, "ng"),
    ("log_softmax,sigmoid", "2-3-2", {"loss": "bce"}, "haykin"),
    ("tanh,softmin,identity", "2-2-3-1", {}, "S4"),
]
CASES = [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in CHECKED]
CASES += [pytest.param(*case, id=f"{case[0]}-{case[1]}-slowly", marks=pytest.mark.slow) for case in SLOWLY]


@pytest.mark.parametrize(("activation", "sizes", "words", "notation"), CASES)
def test_every_line_is_checked_in_every_kind_of_notation(activation, sizes, words, notation) -> None:
    spec = network(sizes, activation=activation, **{"loss": "mse", **words})
    if isinstance(notation, str):
        derivation = sb.derive(spec, notation=notation)
    else:
        derivation = BackpropDerivation(derive(forward_graph(spec)), notation)
    report = derivation.check()
    assert report.ok, [row for row in report.rows if row.verdict is not True]
    assert "derivation.md" in derivation.files(["md"])


def single(arrays: dict, entry) -> float:
    layer, *units = map(int, entry.indices)
    return arrays[f"{'W' if entry.base == WEIGHT else 'b'}{layer}"][tuple(unit - 1 for unit in units)]


@pytest.mark.parametrize("name", MODULES)
def test_single_numbers_and_arrays_agree(name: str) -> None:
    derivation = derived(name, notation="S1")
    arrays, scalars = derivation.compile(), derivation.compile("scalar")
    params = parameters(arrays.SHAPES)
    x, t = np.array([0.3, -0.4, 0.8]), np.array([0.5, -1.0])
    entries = [*derivation.graph.weights(), *derivation.graph.biases()]
    error, gradients = scalars.loss_and_gradients(*x, *(single(params, entry) for entry in entries), *t)
    expected, by_array = arrays.loss_and_gradients(params, x, t)
    assert abs(error - expected) < 1e-14
    assert all(abs(gradients[str(entry)] - single(by_array, entry)) < 1e-14 for entry in entries)


def test_weights_lead_to_every_piece_by_address() -> None:
    derivation = derived("glu", "2-5-1", "S1")
    assert derivation.gradient("w1,10[1]").delta_form == DELTA[2, 10] * OUT[1, 1]
    with pytest.raises(SpecError, match=r"the network 2-5-1 has no 'w1,11\[1\]'; did you mean 'w1,10\[1\]'\?"):
        derivation.gradient("w1,11[1]")
    assert derivation.graph.read_by(OUT[2, 5]) == [PRE[2, 5], PRE[2, 10]]
    assert derivation.graph.reader(2, 10) == (5, 1)


@pytest.mark.parametrize("pieces", [2, 3])
def test_a_tie_gives_the_slope_to_the_last_piece_as_is_said(pieces: int) -> None:
    derivation = derived(f"maxout({pieces})", "1-1-1", "S1", output_activation="identity", bias=False)
    module = derivation.compile()
    params = {"W1": np.ones((1, pieces)), "W2": np.ones((1, 1))}
    slopes = module.gradients(params, np.array([1.0]), np.array([0.0]))["W1"]
    assert slopes.tolist() == [[0.0] * (pieces - 1) + [1.0]]
    page = derivation.files(["md"])["derivation.md"]
    assert "Where the largest pieces of a unit are equal, the slope is that of the last of them." in page
    assert f"reads {pieces} pre-activations" in page


@pytest.mark.parametrize("name", ["glu", "maxout", "softmax", "log_softmax"])
def test_large_pre_activations_overflow_nowhere(name: str) -> None:
    module = derived(name, notation="S1").compile()
    params = parameters(module.SHAPES)
    for scale in (1e4, -1e4):
        with np.errstate(all="raise", under="ignore"):
            loss, gradients = module.loss_and_gradients(params, np.full((2, 3), scale), np.zeros((2, 2)))
        assert np.isfinite(loss) and all(np.isfinite(gradient).all() for gradient in gradients.values())


def test_the_rows_are_the_formulas_of_their_sources() -> None:
    _, row, _ = find_activation("Maxout(3)")
    value = instantiate(row.value, {N: 2, K: 2})
    assert value.atoms(type(V[1])) == {V[2], V[4], V[6]} and row.pieces == 3
    numbers = dict(zip((V[2], V[4], V[6]), (0.5, 2.0, -1.0), strict=True))
    assert float(value.xreplace(numbers)) == 2.0


def test_existing_networks_have_no_blocks() -> None:
    derivation = derived("tanh")
    assert derivation.graph.spec.fed == derivation.graph.spec.sizes
    shown = repr(derivation.derivation.matrix(derivation.profile.code_layout))
    assert "blocks=1" in shown and "InBlock" not in shown and "blocks=2" not in shown

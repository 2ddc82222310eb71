"""Losses over classes take the number of each example's class as PyTorch's do: on every target, one example or many."""

from functools import partial

import numpy as np
import pytest
from backends import BACKENDS, largest_difference, module
from reference import parameters

from symbackprop.catalogue.losses import LOSSES

torch = pytest.importorskip("torch", exc_type=ImportError)
F = torch.nn.functional
CLASSES = [name for name, row in LOSSES.items() if row.classes]
BATCH, OUTPUTS = 3, 3  # as many examples as outputs: the number of axes alone tells class numbers from shares
CHOSEN = np.array([2, 0, 2])
ORACLES = {  # of pre-activations, outputs and class numbers
    "ce": lambda z, a, k: F.cross_entropy(z, k),
    "ce_any_sum": lambda z, a, k: F.cross_entropy(z, k),
    "ce_smoothed": lambda z, a, k: F.cross_entropy(z, k, label_smoothing=0.1),
    "nll": lambda z, a, k: F.nll_loss(a, k),
    "multi_margin": lambda z, a, k: F.multi_margin_loss(a, k),
    "squared_multi_margin": lambda z, a, k: F.multi_margin_loss(a, k, p=2),
}


@pytest.fixture(params=BACKENDS)
def backend(request):
    with BACKENDS[request.param].ready() as found:
        yield found


def words(loss: str) -> dict:
    output = {"nll": "log_softmax", "multi_margin": "identity", "squared_multi_margin": "identity"}.get(loss, "softmax")
    return {"layers": "4-5-3", "activation": "tanh", "output_activation": output, "loss": loss}


def numbers(loss: str):
    params = {name: np.asarray(value) for name, value in parameters(module("numpy", **words(loss)).SHAPES).items()}
    return params, np.random.default_rng(3).standard_normal((BATCH, 4))


@pytest.mark.parametrize("loss", CLASSES)
def test_class_numbers_mean_what_they_mean_to_pytorch(loss: str) -> None:
    params, x = numbers(loss)
    values = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    z = torch.tanh(torch.tensor(x) @ values["W1"] + values["b1"]) @ values["W2"] + values["b2"]
    a = {"nll": F.log_softmax(z, -1), "multi_margin": z, "squared_multi_margin": z}.get(loss, F.softmax(z, -1))
    error = ORACLES[loss](z, a, torch.tensor(CHOSEN))
    error.backward()
    found = module("numpy", **words(loss)).loss_and_gradients(params, x, CHOSEN)
    assert abs(found[0] - error.item()) < 1e-13
    assert largest_difference(found[1], {name: value.grad.numpy() for name, value in values.items()}) < 1e-12
    wrong = module("numpy", **words(loss)).loss(params, x, (CHOSEN + 1) % OUTPUTS)
    assert abs(wrong - error.item()) > 1e-2


@pytest.mark.parametrize("loss", ["ce", "multi_margin"])
def test_class_numbers_are_shares_of_one_and_nothing(loss: str, backend) -> None:
    ours = module(backend.target, **words(loss))
    params, x = numbers(loss)
    given = {name: backend.make(value) for name, value in params.items()}
    for inputs, classes in ((x, CHOSEN), (x, CHOSEN.astype(np.int32)), (x[0], np.asarray(CHOSEN[0]))):
        shares = np.eye(OUTPUTS)[classes]
        arrays = [backend.make(array) for array in (inputs, classes, shares)]
        both = [ours.loss_and_gradients(given, arrays[0], targets) for targets in arrays[1:]]
        assert float(both[0][0]) == float(both[1][0])
        for first, second in zip(both[0][1].values(), both[1][1].values(), strict=True):
            np.testing.assert_array_equal(backend.back(first), backend.back(second))


@pytest.mark.parametrize("target", ["numpy", "torch", "jax"])
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([0, 3, 1], "t holds the class 3; expected classes from 0 to 2"),
        ([0, 1, -1], "t holds the class -1; expected classes from 0 to 2"),
        ([0, 1], "x has 3 examples, t has 2; expected as many"),
        (
            [0.0, 1.0],
            "t has the shape (2,) and the type float64; expected integers of that shape, or (3,) or (batch, 3)",
        ),
        ([True, False, True, True], "t has the shape (4,) and the type bool; expected integers of that shape, or (3,)"),
    ],
)
def test_what_are_no_classes_is_answered_in_one_line(target: str, targets: list, message: str) -> None:
    back = BACKENDS[target]
    pytest.importorskip(target)
    params, x = numbers("ce")
    with back.around(), pytest.raises(ValueError) as caught:
        given = {name: back.make(value) for name, value in params.items()}
        module(target, **words("ce")).loss(given, back.make(x), back.make(np.array(targets)))
    assert str(caught.value).replace("torch.", "").startswith(message)
    assert "\n" not in str(caught.value)


def test_losses_that_know_no_classes_take_shares_alone() -> None:
    params, x = numbers("ce")
    with pytest.raises(ValueError, match=r"^t has shape \(3,\); expected \(3,\) or \(batch, 3\)|as many$"):
        module("numpy", "S1", **{**words("ce"), "loss": "mse"}).loss(params, x, CHOSEN)
    assert "_one_hot" not in vars(module("numpy", "S1", **{**words("ce"), "loss": "mse"}))


def test_under_jit_and_vmap_nothing_looks_at_the_numbers() -> None:
    jax = pytest.importorskip("jax")
    params, x = numbers("ce")
    for target in ("jax", "array-api"):
        ours = module(target, **words("ce"))
        with jax.enable_x64(True):
            given = {name: jax.numpy.asarray(value) for name, value in params.items()}
            inputs, classes = jax.numpy.asarray(x), jax.numpy.asarray(CHOSEN)
            expected = float(ours.loss(given, inputs, classes))
            assert abs(float(jax.jit(ours.loss)(given, inputs, classes)) - expected) < 1e-14
            assert np.isnan(float(jax.jit(ours.loss)(given, inputs, classes + 1)))
            each = jax.vmap(partial(ours.gradients), (None, 0, 0))(given, inputs, classes)
            whole = ours.gradients(given, inputs, classes)
            np.testing.assert_allclose(each["W1"].mean(axis=0), whole["W1"], rtol=1e-12)


@pytest.mark.parametrize("target", ["numpy", "torch", "jax", "array-api"])
def test_the_type_is_that_of_the_inputs(target: str) -> None:
    back = BACKENDS["array-api-numpy" if target == "array-api" else target]
    for name in back.needs:
        pytest.importorskip(name)
    params, x = numbers("ce")
    given = {name: back.make(value.astype(np.float32)) for name, value in params.items()}
    found = module(target, **words("ce")).gradients(given, back.make(x.astype(np.float32)), back.make(CHOSEN))
    assert {np.asarray(value).dtype for value in found.values()} == {np.dtype(np.float32)}


def test_a_work_space_takes_them_too() -> None:
    params, x = numbers("ce")
    ours = module("numpy", **words("ce"))
    found = ours.loss_and_gradients(params, x, CHOSEN, workspace=ours.make_workspace(BATCH))
    assert found[0] == ours.loss(params, x, np.eye(OUTPUTS)[CHOSEN])
    assert "t may also be the classes of the examples: integers from 0 to 2" in ours.loss.__doc__

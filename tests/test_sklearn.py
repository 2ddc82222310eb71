"""scikit-learn's multilayer perceptrons on the digits: loss and gradients of ``_loss_grad_lbfgs`` reproduced."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

NAMES = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
STRENGTH = 0.3
IMAGES, DIGITS = load_digits(return_X_y=True)
X, DIGITS = IMAGES[:200] / 16, DIGITS[:200]


def module(
    outputs: int,
    activation: str,
    output: str,
    loss: str,
    *,
    reduction: str = "sum",
    form: str = "half_mean",
    hidden: tuple[int, ...] = (12, 7),
):
    spec = network(
        [64, *hidden, outputs],
        activation=NAMES[activation],
        output_activation=output,
        loss=loss,
        output_reduction=reduction,
        penalty={"kind": "l2", "strength": STRENGTH, "form": form},
    )
    return load(emit(derive(forward_graph(spec), listing="none"), load_profile("S1")), "gradients")


def fitted(kind: type, activation: str, y: np.ndarray, hidden: tuple[int, ...] = (12, 7), **options):
    """A network of scikit-learn after three steps of training."""
    model = kind(hidden_layer_sizes=hidden, activation=activation, alpha=STRENGTH, **options)
    model.set_params(random_state=0, solver="lbfgs", max_iter=3)
    with pytest.warns(ConvergenceWarning):
        return model.fit(X, y)


def of_scikit(model, t: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss and its packed gradient by ``_loss_grad_lbfgs``, all examples at once."""
    packed = np.concatenate([p.ravel() for p in (*model.coefs_, *model.intercepts_)])
    layers = [X, *(np.empty((len(X), len(b))) for b in model.intercepts_)]
    deltas = [np.empty_like(a) for a in layers[1:]]
    gradients = [np.empty_like(w) for w in model.coefs_], [np.empty_like(b) for b in model.intercepts_]
    return model._loss_grad_lbfgs(packed, X, t, None, layers, deltas, *gradients)


def of_module(ours, model, t: np.ndarray) -> tuple[float, np.ndarray]:
    params = {f"W{l}": weight for l, weight in enumerate(model.coefs_, start=1)}
    params |= {f"b{l}": bias for l, bias in enumerate(model.intercepts_, start=1)}
    loss, gradients = ours.loss_and_gradients(params, X, t)
    return loss, np.concatenate([gradients[name].ravel() for name in params])


def same(found: np.ndarray | float, expected: np.ndarray | float) -> bool:
    return bool(np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("activation", NAMES)
def test_classifier_of_ten_digits(activation: str) -> None:
    model, t = fitted(MLPClassifier, activation, DIGITS), np.eye(10)[DIGITS]
    expected = of_scikit(model, t)
    assert all(map(same, of_module(module(10, activation, "softmax", "ce"), model, t), expected))
    wrong = of_module(module(10, activation, "softmax", "ce", form="half"), model, t)
    assert not any(map(same, wrong, expected))


@pytest.mark.parametrize("activation", NAMES)
def test_classifier_of_odd_and_even(activation: str) -> None:
    model, t = fitted(MLPClassifier, activation, DIGITS % 2), (DIGITS % 2)[:, None].astype(float)
    assert all(map(same, of_module(module(1, activation, "sigmoid", "bce"), model, t), of_scikit(model, t)))


@pytest.mark.parametrize("activation", NAMES)
@pytest.mark.parametrize("outputs", [1, 2])
def test_regressor(activation: str, outputs: int) -> None:
    """With several outputs, scikit-learn's loss is their mean, and its gradient that of their sum."""
    t = np.column_stack([DIGITS / 10, DIGITS % 3 - 1.0])[:, :outputs]
    model = fitted(MLPRegressor, activation, t if outputs > 1 else t[:, 0])
    loss, gradient = of_scikit(model, t)
    assert same(of_module(module(outputs, activation, "identity", "mse", reduction="mean"), model, t)[0], loss)
    assert same(of_module(module(outputs, activation, "identity", "mse"), model, t)[1], gradient)


@pytest.mark.parametrize("activation", NAMES)
def test_regressor_of_counts(activation: str) -> None:
    """scikit-learn's Poisson deviance is our loss plus what the targets alone make of it."""
    t = 1.0 + DIGITS[:, None]
    model = fitted(MLPRegressor, activation, t[:, 0], loss="poisson")
    loss, gradient = of_scikit(model, t)
    found = of_module(module(1, activation, "exponential", "poisson"), model, t)
    assert same(found[0] + (t * np.log(t) - t).mean(), loss)
    assert same(found[1], gradient)


@pytest.mark.parametrize("hidden", [(5,), (9, 8, 7, 6)], ids=str)
@pytest.mark.parametrize("activation", NAMES)
def test_other_depths(hidden: tuple[int, ...], activation: str) -> None:
    model, t = fitted(MLPClassifier, activation, DIGITS, hidden), np.eye(10)[DIGITS]
    expected = of_scikit(model, t)
    assert all(map(same, of_module(module(10, activation, "softmax", "ce", hidden=hidden), model, t), expected))
    y = DIGITS / 10
    model = fitted(MLPRegressor, activation, y, hidden)
    ours = module(1, activation, "identity", "mse", hidden=hidden)
    assert all(map(same, of_module(ours, model, y[:, None]), of_scikit(model, y[:, None])))

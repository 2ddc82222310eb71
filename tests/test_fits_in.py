"""Parameters come from other libraries and go back, and their optimisers take the emitted functions."""

from inspect import signature

import numpy as np
import pytest
from backends import BACKENDS, largest_difference, module
from recipes import follow
from reference import data, parameters

from symbackprop.network.read import network

WORDS = {"layers": "64-12-7-10", "activation": "tanh", "output_activation": "softmax", "loss": "ce"}
LAYOUTS = ["S1", "S4", "bishop", "rumelhart1986"]  # from_to, to_from, biases in the weights' arrays, thresholds


@pytest.fixture(params=["numpy", "array-api-numpy", "numba", "torch", "jax"])
def backend(request):
    with BACKENDS[request.param].ready() as found:
        yield found


def outputs(module, params, x):
    return np.asarray(list(module.forward(params, x).values())[-1])


def letters(module):
    """What the input and the target are called."""
    return list(signature(module.loss_and_gradients).parameters)[1:3]


@pytest.mark.parametrize("profile", LAYOUTS)
def test_parameters_of_scikit_learn(profile, backend):
    from test_sklearn import DIGITS, MLPClassifier, X, fitted

    model = fitted(MLPClassifier, "tanh", DIGITS)
    ours = module(backend.target, profile, **WORDS)
    arrays = [list(map(backend.make, each)) for each in (model.coefs_, model.intercepts_)]
    given = follow(ours, "perceptron", model=type("Model", (), {"coefs_": arrays[0], "intercepts_": arrays[1]}))
    params = given["params"]
    assert {name: tuple(value.shape) for name, value in params.items()} == ours.SHAPES
    np.testing.assert_allclose(outputs(ours, params, backend.make(X)), model.predict_proba(X), rtol=1e-12)
    weights, biases = ours.to_layers(params, "from_to")
    for found, expected in zip([*weights, *biases], [*model.coefs_, *model.intercepts_], strict=True):
        np.testing.assert_array_equal(backend.back(found), expected)


@pytest.mark.parametrize("profile", LAYOUTS)
@pytest.mark.parametrize("bias", [True, (True, False, True)], ids=["biases", "one without"])
def test_parameters_and_gradients_of_a_torch_state_dict(profile, bias, backend):
    torch = pytest.importorskip("torch")
    some = (bias,) * 3 if bias is True else bias
    layers = [
        torch.nn.Linear(m, n, bias=b, dtype=torch.float64) for m, n, b in zip((3, 5, 4), (5, 4, 2), some, strict=True)
    ]
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1], torch.nn.Tanh(), layers[2], torch.nn.Tanh())
    ours = module(backend.target, profile, layers="3-5-4-2", activation="tanh", loss="squared_error", bias=bias)
    x, t = data(network("3-5-4-2", activation="tanh", loss="mse"), 6)
    state = {name: backend.make(value.numpy()) for name, value in model.state_dict().items()}
    params = follow(ours, "state_dict", state=state)["params"]
    found = ours.loss_and_gradients(params, backend.make(x), backend.make(t))

    loss = ((model(torch.from_numpy(x)) - torch.from_numpy(t)) ** 2).sum() / len(x)
    loss.backward()
    assert float(found[0]) == pytest.approx(loss.item(), rel=1e-13)
    weights, biases = ours.to_layers(found[1], "to_from")
    mine = dict(zip([n for n in state if n.endswith("weight")], map(backend.back, weights), strict=True))
    mine |= dict(zip([n for n in state if n.endswith("bias")], map(backend.back, biases), strict=True))
    expected = {name: value.grad.numpy() for name, value in model.named_parameters()}
    assert largest_difference({name: mine[name] for name in expected}, expected) < 1e-13


@pytest.mark.parametrize("profile", LAYOUTS)
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_an_optimiser_of_scipy_takes_packed_parameters(profile, target):
    import scipy
    from scipy.optimize import check_grad, minimize

    ours = module(
        target, profile, layers="3-5-2", activation="tanh", output_activation="identity", loss="mse", penalty="l2:0.1"
    )
    start = {name: np.asarray(value) for name, value in parameters(ours.SHAPES).items()}
    x, t = data(network("3-5-2", activation="tanh", loss="mse"), 40)
    found = follow(ours, "With SciPy", scipy=scipy, params=start, **dict(zip(letters(ours), (x, t), strict=True)))
    objective, best = found["objective"], found["best"]
    assert best.success
    assert np.abs(best.jac).max() < 1e-4
    assert best.fun < 0.5 * ours.loss(start, x, t)
    assert best.fun == pytest.approx(ours.loss(found["params"], x, t), rel=1e-14)
    vector = ours.pack(start)
    assert check_grad(lambda v: objective(v)[0], lambda v: objective(v)[1], vector) < 1e-5 * np.abs(vector).max()
    wrong = minimize(lambda v: (objective(v)[0], -objective(v)[1]), vector, jac=True)
    assert not wrong.success

"""The emitted module is executed: against HIPS autograd, central differences, its own wrong twins, and real data."""

import ast
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from reference import data, in_arrays, largest_difference, parameters, reference, reference_loss

from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

PROFILE = load_profile("S1")
HIDDEN = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu"]
ANY_OUTPUT = ["mse", "squared_error", "mae", "huber"]

NETWORKS = (
    {
        f"{act}-{loss}-{'bias' if bias else 'plain'}": {
            "layers": "3-4-2",
            "activation": act,
            "output_activation": act,
            "loss": loss,
            "bias": bias,
        }
        for act in HIDDEN
        for n, loss in enumerate(ANY_OUTPUT)
        for bias in ([True, False] if act == "tanh" else [n % 2 == 0])
    }
    | {
        f"{act}-{out}-{loss}": {"layers": layers, "activation": act, "output_activation": out, "loss": loss}
        for act, out, loss, layers in (
            ("tanh", "softmax", "ce", "3-4-3"),
            ("relu", "softmax", "ce", "2-5-4"),
            ("silu", "softmax", "mse", "3-2-4"),
            ("gelu", "softmax", "squared_error", "3-2-4"),
            ("tanh", "softmax", "bce", "3-2-4"),
            ("elu", "sigmoid", "bce", "3-4-1"),
            ("softplus", "sigmoid", "bce", "3-4-2"),
            ("identity", "sigmoid", "mse", "2-3-1"),
        )
    }
    | {
        "sum-mean": {
            "layers": "3-4-5-2",
            "activation": ["tanh", "silu", "identity"],
            "loss": "mse",
            "bias": [True, False, True],
            "batch_reduction": "sum",
            "output_reduction": "mean",
        },
        "no-hidden": {"layers": "3-2", "activation": "softmax", "loss": "ce", "output_reduction": "mean"},
        "l2-half": {"layers": "3-4-2", "activation": "tanh", "loss": "mse", "penalty": "l2:0.3"},
        "l2-plain": {"layers": "3-4-2", "activation": "tanh", "loss": "mse", "penalty": "l2:0.3:plain:biases"},
        "l2-mean": {"layers": "3-4-2", "activation": "tanh", "loss": "mse", "penalty": "l2:0.3:half_mean"},
        "l1": {
            "layers": "3-4-2",
            "activation": "tanh",
            "output_activation": "softmax",
            "loss": "ce",
            "penalty": "l1:0.1",
        },
    }
)


@cache
def derived(name):
    return derive(forward_graph(network(**NETWORKS[name])), listing="none")


@cache
def source_of(name, profile="S1"):
    return emit(derived(name), load_profile(profile))


@cache
def module_of(name):
    return load(source_of(name), "gradients")


def differs_by(module, spec, batch=5):
    """The largest difference between a module's loss and gradients and the reference's."""
    params, (x, t) = parameters(module.SHAPES), data(spec, batch)
    return largest_difference(module.loss_and_gradients(params, x, t), reference(spec, params, x, t))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("batch", [1, 5])
def test_loss_and_gradients_equal_automatic_differentiation(name, batch):
    spec = derived(name).graph.spec
    assert differs_by(module_of(name), spec, batch) < 1e-12


@pytest.mark.parametrize("name", ["sum-mean", "l2-mean", "tanh-softmax-ce", "gelu-mae-bias"])
def test_gradients_equal_central_differences_of_a_plain_forward_pass(name):
    module, spec = module_of(name), derived(name).graph.spec
    params, (x, t) = parameters(module.SHAPES), data(spec, 4)
    found = module.pack(module.gradients(params, x, t))
    vector, step = module.pack(params), 1e-5
    for i in range(vector.size):
        change = np.zeros(vector.size)
        change[i] = step
        above, below = (reference_loss(spec, module.unpack(vector + s * change), x, t) for s in (1, -1))
        assert abs((above - below) / (2 * step) - found[i]) < 1e-8 * max(1, np.abs(found).max())


TWINS = {
    "a slope left out": ("    delta2 *= ", "    del "),
    "a sign": ("u_6 = np.subtract(exp, t, ", "u_6 = np.subtract(t, exp, "),
    "a factor of a half": ("np.multiply(sum_2, n, ", "np.multiply(sum_2, 2 * n, "),
    "a bias left out": ('db1 = ws["ones"]', 'db1 = 0 * ws["ones"]'),
    "the slope at the output instead of the pre-activation": ("np.add(1.0, z, ", "np.add(1.0, a, "),
    "the penalty's part": ("np.multiply(0.3, W2, ", "np.multiply(0.6, W2, "),
}


@pytest.mark.parametrize("wrong", TWINS)
def test_a_wrong_twin_is_found(wrong):
    spec = network("3-4-2", activation="silu", output_activation="softmax", loss="ce", penalty="l2:0.3")
    text = emit(derive(forward_graph(spec), listing="none"), PROFILE)
    assert differs_by(in_arrays(load(text, "right")), spec) < 1e-12
    old, new = TWINS[wrong]
    twin = text.replace(old, "    _ = " if new == "    del " else new)
    assert twin != text
    assert differs_by(in_arrays(load(twin, "wrong")), spec) > 1e-5


def test_a_transposed_weight_does_not_pass():
    text = source_of("tanh-mse-bias")
    twin = text.replace("delta3.dot(W2.T,", "delta3.dot(W2,")
    assert twin != text
    with pytest.raises(ValueError, match="not aligned"):
        differs_by(in_arrays(load(twin, "wrong")), derived("tanh-mse-bias").graph.spec)


@pytest.mark.parametrize("name", ["tanh-softmax-ce", "leaky_relu-mae-bias", "relu-huber-plain", "gelu-mse-bias", "l1"])
def test_float32_stays_float32(name):
    module = module_of(name)
    params = {key: value.astype(np.float32) for key, value in parameters(module.SHAPES).items()}
    assert module.init_params(np.random.default_rng(0), np.float32)["W1"].dtype == np.float32
    x, t = data(derived(name).graph.spec, 4)
    single = x.astype(np.float32)
    assert {value.dtype for value in module.forward(params, single).values()} == {np.dtype(np.float32)}
    assert {g.dtype for g in module.gradients(params, single, t).values()} == {np.dtype(np.float32)}
    double = {key: value.astype(np.float64) for key, value in params.items()}
    found, expected = module.loss_and_gradients(params, single, t), module.loss_and_gradients(double, x, t)
    assert largest_difference(found, expected) < 1e-5


def test_one_example_may_come_without_its_batch_axis():
    module = module_of("tanh-softmax-ce")
    params, (x, t) = parameters(module.SHAPES), data(derived("tanh-softmax-ce").graph.spec, 1)
    values = module.forward(params, x[0])
    assert {name: value.shape for name, value in values.items()} == {"z2": (4,), "a2": (4,), "z3": (3,), "a3": (3,)}
    for name, value in module.forward(params, x).items():
        assert value.shape == (1, *values[name].shape)
        np.testing.assert_array_equal(value[0], values[name])
    assert module.loss(params, x[0], t[0]) == module.loss(params, x, t)
    whole = module.gradients(params, [[1, 2, 3]], [[1, 0, 0]])  # whole numbers count as doubles
    np.testing.assert_array_equal(whole["W1"], module.gradients(params, [1.0, 2, 3], [1, 0, 0])["W1"])


def test_shape_errors_are_one_line():
    module = module_of("tanh-mse-bias")
    params = parameters(module.SHAPES)
    x, t = np.ones((5, 3)), np.ones((5, 2))
    for wrong, message in (
        (lambda: module.loss(params, np.ones((5, 4)), t), "x has shape (5, 4); expected (3,) or (batch, 3)"),
        (lambda: module.loss(params, x, np.ones(3)), "t has shape (3,); expected (2,) or (batch, 2)"),
        (lambda: module.loss(params, x[:4], t), "x has 4 examples, t has 5; expected as many"),
        (lambda: module.forward(params, x[:0]), "x has shape (0, 3); expected (3,) or (batch, 3)"),
        (lambda: module.forward(params, 1.0), "x has shape (); expected (3,) or (batch, 3)"),
        (lambda: module.forward({"W1": x}, x), "params['W1'] has shape (5, 3); expected (3, 4)"),
        (lambda: module.forward({"W1": np.ones((3, 4))}, x), "params has no 'b1'; expected W1, b1, W2, b2"),
        (lambda: module.unpack(np.ones(3)), "the vector has shape (3,); expected (26,)"),
        (
            lambda: module.loss_and_gradients(params, x, t, workspace=module.make_workspace(4)),
            "the work space is for 4 examples of float64; expected 5 of float64",
        ),
    ):
        with pytest.raises(ValueError) as error:
            wrong()
        assert str(error.value) == message


@pytest.mark.parametrize("name", ["sum-mean", "l1", "silu-mse-bias"])
def test_a_work_space_gives_the_same_results_in_the_same_arrays(name):
    module = module_of(name)
    params, (x, t) = parameters(module.SHAPES), data(derived(name).graph.spec, 6)
    workspace = module.make_workspace(6)
    expected = module.loss_and_gradients(params, x, t)
    for _ in range(2):
        found = module.loss_and_gradients(params, x, t, workspace=workspace)
        assert found[0] == expected[0]
        for key, gradient in found[1].items():
            np.testing.assert_array_equal(gradient, expected[1][key])
            assert gradient is workspace[f"d{key}"]


def test_the_two_weight_layouts_give_the_same_gradients():
    spec = derived("tanh-softmax-ce").graph.spec
    row, column = module_of("tanh-softmax-ce"), load(source_of("tanh-softmax-ce", "S4"), "column")
    assert (row.WEIGHT_LAYOUT, column.WEIGHT_LAYOUT) == ("from_to", "to_from")
    params, (x, t) = parameters(row.SHAPES), data(spec, 5)
    turned = {name: value.T for name, value in params.items()}
    found = column.loss_and_gradients(turned, x, t)
    turned_back = found[0], {name: value.T for name, value in found[1].items()}
    assert largest_difference(turned_back, row.loss_and_gradients(params, x, t)) < 1e-14


def test_update_uses_the_old_weights_and_leaves_them_alone():
    module = module_of("tanh-mse-bias")
    params, (x, t) = parameters(module.SHAPES), data(derived("tanh-mse-bias").graph.spec, 5)
    before = {name: value.copy() for name, value in params.items()}
    grads = module.gradients(params, x, t)
    new = module.update(params, grads, 0.1)
    for name, value in before.items():
        np.testing.assert_array_equal(params[name], value)
        np.testing.assert_allclose(new[name], value - 0.1 * grads[name], rtol=1e-15)


def test_pack_and_unpack_are_inverse():
    module = module_of("sum-mean")
    params = parameters(module.SHAPES)
    back = module.unpack(module.pack(params))
    assert list(back) == list(params)
    for name in params:
        np.testing.assert_array_equal(back[name], params[name])


def test_generic_functions_and_a_symbolic_strength_are_keyword_arguments():
    spec = network("3-4-2", activation="g", output_activation="f2", loss="cost", penalty="l2:lambda")
    module = load(emit(derive(forward_graph(spec), listing="none"), PROFILE), "generic")
    like = network("3-4-2", activation="tanh", output_activation="sigmoid", loss="squared_error", penalty="l2:0.3")
    params, (x, t) = parameters(module.SHAPES), data(like, 5)
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    found = module.loss_and_gradients(
        params,
        x,
        t,
        g=np.tanh,
        g_prime=lambda z: 1 / np.cosh(z) ** 2,
        f2=sigmoid,
        f2_prime=lambda z: sigmoid(z) * sigmoid(-z),
        cost=lambda a, t: (a - t) ** 2,
        cost_slope=lambda a, t: 2 * (a - t),
        lambda_=0.3,
    )
    assert largest_difference(found, reference(like, params, x, t)) < 1e-12
    assert module._difference_from_central() < 1e-8


EXTREME = ["sigmoid-mse-bias", "softplus-sigmoid-bce", "tanh-softmax-ce", "elu-sigmoid-bce", "silu-mse-bias"]
EXTREME += ["gelu-mse-bias", "elu-mse-bias", "softplus-mse-bias", "no-hidden", "identity-sigmoid-mse"]


@pytest.mark.parametrize("name", EXTREME)
def test_extreme_inputs_give_finite_numbers_without_a_warning(name):
    module, spec = module_of(name), derived(name).graph.spec
    params = {key: np.sign(value) for key, value in parameters(module.SHAPES).items()}
    for size in (1e-300, 1.0, 40.0, 800.0, 1e4):
        x, t = data(spec, 6)
        loss, grads = module.loss_and_gradients(params, np.sign(x) * size, t.round())
        assert np.isfinite(loss)
        assert all(np.isfinite(g).all() for g in grads.values())


def test_the_fused_losses_keep_their_digits():
    module = load(emit(derive(forward_graph(network("1-1", activation="sigmoid", loss="bce"))), PROFILE), "bce")
    params = {"W1": np.ones((1, 1)), "b1": np.zeros(1)}
    assert module.loss(params, [1e4], [0.0]) == 1e4
    assert module.loss(params, [50.0], [1.0]) == np.exp(-50)  # log(1 + e^-50), which 1 - sigmoid(50) = 0 would lose
    module = module_of("no-hidden")
    params = {"W1": np.eye(3, 2), "b1": np.zeros(2)}
    assert module.loss(params, [1e4, -1e4, 0], [0.0, 1.0]) == 1e4  # the mean of 2e4 and 0


def test_the_input_layer_has_no_delta():
    assert "delta1" not in source_of("sum-mean")


def test_numpy_is_the_only_import():
    for name in NETWORKS:
        imports = [n for n in ast.walk(ast.parse(source_of(name))) if isinstance(n, ast.Import | ast.ImportFrom)]
        names = {(getattr(n, "module", None) or n.names[0].name).partition(".")[0] for n in imports}
        assert names - sys.stdlib_module_names == {"numpy"}


def test_comments_cite_the_equation_numbers():
    derivation = derived("sum-mean")
    numbers = {step.label: n for n, step in enumerate(derivation.matrix(PROFILE.code_layout).steps, start=101)}
    text = emit(derivation, PROFILE, numbers)
    assert "z2 = x @ W1 + b1  # (101)" in text
    assert f'dW3 = a3.T.dot(delta4, ws["dW3"])  # ({numbers["matrix.dw.3"]})' in text
    assert "# (" not in source_of("sum-mean")


def test_the_same_network_gives_the_same_bytes():
    for name in ("l1", "softplus-sigmoid-bce"):
        again = derive(forward_graph(network(**NETWORKS[name])), listing="none")
        assert emit(again, PROFILE) == source_of(name)


@pytest.mark.parametrize(
    "title", ['"""', "'''\\", "# type: ignore", "-*- coding: rot13 -*-", "\\N{DASH} {{x}} <% %>", "é" * 190]
)
def test_a_hostile_title_stays_a_comment(title):
    spec = network("2-3-1", activation="tanh", loss="mse", title=title)
    text = emit(derive(forward_graph(spec), listing="none"), PROFILE)
    plain = emit(derive(forward_graph(network("2-3-1", activation="tanh", loss="mse")), listing="none"), PROFILE)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(plain))
    assert load(text, "titled").SHAPES == load(plain, "plain").SHAPES
    assert max(map(len, text.splitlines())) <= 120


def test_the_file_checks_itself(tmp_path):
    file = tmp_path / "gradients.py"
    text = source_of("tanh-softmax-ce")
    for source, code, word in (
        (text, 0, "correct"),
        (text.replace("u_6 = np.subtract(exp, t, exp)", "u_6 = exp"), 1, "WRONG"),
    ):
        file.write_text(source, encoding="utf-8")
        done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (code, "")
        assert f"gradients {word}" in done.stdout


def test_xor_is_learned():
    spec = network("2-2-1", activation="sigmoid", loss="mse")
    module = load(emit(derive(forward_graph(spec)), load_profile("S5")), "xor")
    x, t = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    params = module.init_params(np.random.default_rng(2))
    for _ in range(4000):
        params = module.update(params, module.gradients(params, x, t), 5.0)
    answers = module.forward(params, x)["a2" if "a2" in module.forward(params, x) else "a3"]
    np.testing.assert_array_equal(answers.round(), t)


def test_handwritten_digits_are_learned():
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    x, t = images / 16, np.eye(10)[digits]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    test, train = order[: len(x) // 5], order[len(x) // 5 :]
    spec = network("64-32-10", activation="tanh", output_activation="softmax", loss="ce")
    module = load(emit(derive(forward_graph(spec), listing="none"), PROFILE), "digits")
    params, workspace = module.init_params(rng), module.make_workspace(32)
    for _ in range(30):
        for rows in np.array_split(rng.permutation(train)[: len(train) // 32 * 32], len(train) // 32):
            params = module.update(
                params, module.loss_and_gradients(params, x[rows], t[rows], workspace=workspace)[1], 0.3
            )
    guesses = module.forward(params, x[test])["a3"].argmax(axis=1)
    assert (guesses == digits[test]).mean() >= 0.95

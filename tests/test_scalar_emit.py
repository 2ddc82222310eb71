"""The emitted functions of single weights: against the matrix module, against central differences, and at extremes."""

import ast
import math
from functools import cache

import numpy as np
import pytest
import sympy as sp
from reference import data, parameters, reference

from symbackprop.derivation.derive import derive
from symbackprop.derivation.steps import Step
from symbackprop.emit.program import MatMul, Number, Op, Var
from symbackprop.emit.scalar import MATH, MathPrinter
from symbackprop.emit.targets import emit, load
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

PROFILE = load_profile("S1")
NETWORKS = {
    "S1": {"layers": "2-3-1", "activation": "sigmoid", "loss": "mse", "bias": False},
    "silu-bce": {"layers": "2-3-1", "activation": "silu", "loss": "ce"},
    "softmax-ce": {"layers": "3-2-4", "activation": "tanh", "output_activation": "softmax", "loss": "ce"},
    "softmax-mse": {"layers": "3-2-4", "activation": "elu", "output_activation": "softmax", "loss": "mse"},
    "gelu-mae": {"layers": "3-4-2", "activation": "gelu", "output_activation": "leaky_relu", "loss": "mae"},
    "softplus-huber": {"layers": "2-3-4-2", "activation": "softplus", "loss": "huber", "bias": [True, False, True]},
    "l1": {
        "layers": "2-3-2",
        "activation": "relu",
        "output_activation": "identity",
        "loss": "mse",
        "penalty": "l1:0.2",
    },
    "l2": {
        "layers": "2-11-2",
        "activation": "tanh",
        "loss": "squared_error",
        "output_reduction": "mean",
        "penalty": {"kind": "l2", "strength": 0.3, "form": "half_mean", "biases": True},
    },
}


@cache
def derived(name):
    return derive(forward_graph(network(**NETWORKS[name])), listing="none")


@cache
def source_of(name):
    return emit(derived(name), PROFILE, target="scalar")


def example(name, seed=3):
    """The parameters by layer, one example, and the same as the list of arguments."""
    graph = derived(name).graph
    shapes = load(emit(derived(name), PROFILE), "gradients").SHAPES
    # Half as large as elsewhere: where outputs saturate, the reference's own logarithms lose digits.
    params = {key: value / 2 for key, value in parameters(shapes, seed).items()}
    x, t = data(graph.spec, 1, seed)
    numbers = [*x[0]]
    numbers += [params[f"W{w.indices[0]}"][w.indices[1] - 1, w.indices[2] - 1] for w in graph.weights()]
    numbers += [params[f"b{b.indices[0]}"][b.indices[1] - 1] for b in graph.biases()]
    return params, x, t, [float(number) for number in (*numbers, *t[0])]


def differs_by(module, name):
    """The largest difference of all single gradients, and of the loss, from automatic differentiation."""
    graph = derived(name).graph
    params, x, t, numbers = example(name)
    loss, expected = reference(graph.spec, params, x, t)
    found_loss, found = module.loss_and_gradients(*numbers)
    worst = [abs(found_loss - loss)]
    for of in (*graph.weights(), *graph.biases()):
        array = expected[f"{'W' if len(of.indices) == 3 else 'b'}{of.indices[0]}"]
        worst.append(abs(found[str(of)] - array[tuple(int(i) - 1 for i in of.indices[1:])]))
    return max(worst)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_equal_automatic_differentiation(name):
    assert differs_by(load(source_of(name), "scalar"), name) < 1e-12


@pytest.mark.parametrize("name", NETWORKS)
def test_each_weight_s_own_function_gives_the_same_number(name):
    module = load(source_of(name), "scalar")
    numbers = example(name)[3]
    loss, gradients = module.loss_and_gradients(*numbers)
    assert module.loss(*numbers) == loss
    for address, gradient in gradients.items():
        function = getattr(module, "dE_d" + address.replace("[", "_").replace(",", "_").rstrip("]"))
        assert function(*numbers) == gradient


def test_gradients_equal_central_differences_of_the_loss():
    module = load(source_of("softmax-ce"), "scalar")
    numbers = example("softmax-ce")[3]
    gradients = module.loss_and_gradients(*numbers)[1]
    for at, name in enumerate(module.ARGUMENTS):
        if name[0] in "wb":
            above, below = ([*numbers[:at], numbers[at] + step, *numbers[at + 1 :]] for step in (1e-6, -1e-6))
            slope = (module.loss(*above) - module.loss(*below)) / 2e-6
            address = name.rpartition("_")[0] + f"[{name.rpartition('_')[2]}]"
            assert slope == pytest.approx(gradients[address], abs=1e-8)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("delta1_3 = (exp3 - t1", "delta1_3 = (t1 - exp3"),
        ("(delta1_3 * w11_2 + delta2_3 * w12_2", "(delta1_3 * w11_2 + delta2_3 * w21_2"),
        ("(1 - a1_2**2)", "1"),
        ("(1 - a1_2**2)", "(1 - z1_2**2)"),
        (" + delta4_3 * w14_2", ""),
    ],
    ids=["sign", "transposed weight", "slope left out", "slope at the wrong place", "a path left out"],
)
def test_a_wrong_twin_is_found(old, new):
    text = source_of("softmax-ce")
    assert old in text
    assert differs_by(load(text.replace(old, new), "wrong"), "softmax-ce") > 1e-5


def test_generic_functions_are_keyword_arguments():
    spec = network("2-3-1", activation="g", loss="mse", bias=False)
    module = load(emit(derive(forward_graph(spec)), load_profile("S1"), target="scalar"), "generic")
    numbers = example("S1")[3]
    sigmoid = lambda u: 1 / (1 + math.exp(-u))  # noqa: E731
    found = module.loss_and_gradients(*numbers, g=sigmoid, g_prime=lambda u: sigmoid(u) * sigmoid(-u))
    expected = load(source_of("S1"), "scalar").loss_and_gradients(*numbers)
    assert found[0] == pytest.approx(expected[0], rel=1e-14)
    assert found[1] == pytest.approx(expected[1], rel=1e-12)


@pytest.mark.parametrize("name", ["silu-bce", "softmax-ce", "softmax-mse", "gelu-mae", "softplus-huber"])
@pytest.mark.parametrize("size", [40.0, 800.0, 1e4])
def test_extreme_numbers_do_not_overflow(name, size):
    module = load(source_of(name), "scalar")
    numbers = [
        math.copysign(size, n) if a[0] == "x" else n for a, n in zip(module.ARGUMENTS, example(name)[3], strict=True)
    ]
    loss, gradients = module.loss_and_gradients(*numbers)
    assert math.isfinite(loss)
    assert all(map(math.isfinite, gradients.values()))


def test_math_is_the_only_import():
    imports = [n for n in ast.walk(ast.parse(source_of("gelu-mae"))) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [[alias.name for alias in n.names] for n in imports] == [["math"]]


def test_names_follow_the_addresses():
    module = load(source_of("l2"), "scalar")
    assert module.ARGUMENTS[:4] == ("x1", "x2", "w11_1", "w21_1")
    assert "w1_11_1" in module.ARGUMENTS
    assert "w1,11[1]" in module.loss_and_gradients(*example("l2")[3])[1]


def test_large_networks_get_no_function_for_each_weight():
    text = emit(
        derive(forward_graph(network("9-11-3", activation="tanh", loss="mse")), "none"), PROFILE, target="scalar"
    )
    names = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert names == ["loss", "loss_and_gradients"]


def test_numbers_of_repeated_parts_are_computed_once():
    text = source_of("silu-bce")
    whole = text[text.index("def loss_and_gradients") :]
    assert whole.count("math.exp(-max(z1_2, 0))") == 1


def test_one_example_has_the_numpy_module_s_gradients():
    params, x, t, numbers = example("l2")
    expected = load(emit(derived("l2"), PROFILE), "gradients").gradients(params, x, t)
    found = load(source_of("l2"), "scalar").loss_and_gradients(*numbers)[1]
    assert found["w21[1]"] == pytest.approx(expected["W1"][1, 0], rel=1e-13)
    assert np.isclose(found["b2[2]"], expected["b2"][1], rtol=1e-13)


A, B, C = Var("a"), Var("b"), Var("c")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Op("add", (A, Op("negative", (Op("add", (B, C)),)))), "a - (b + c)"),
        (Op("add", (Op("negative", (A,)), Op("negative", (Op("divide", (B, C)),)))), "-a - b / c"),
        (Op("multiply", (A, Op("add", (B, Op("negative", (C,)))))), "a * (b - c)"),
        (Op("multiply", (A, Op("divide", (B, C)))), "a * (b / c)"),
        (Op("divide", (A, Op("multiply", (B, C)))), "a / (b * c)"),
        (Op("divide", (Op("divide", (A, B)), C)), "a / b / c"),
        (Op("negative", (Op("add", (A, B)),)), "-(a + b)"),
        (Op("power", (Op("negative", (A,)), Number(sp.Integer(2)))), "(-a) ** 2"),
        (Op("negative", (Op("power", (A, Number(sp.Integer(2)))),)), "-a**2"),
        (Op("multiply", (Op("where", (Op("less", (A, B)), A, C)), B)), "(a if a < b else c) * b"),
        (Op("divide", (Op("add", (A, B)), Number(sp.Rational(-1, 2)))), "(a + b) / (-0.5)"),
    ],
)
def test_parentheses_stand_where_the_value_needs_them(node, text):
    assert MathPrinter(MATH)(node) == text


@pytest.mark.parametrize("node", [MatMul(A, B), Op("atan", (A,)), Number(sp.Symbol("nu")), Number(sp.I), Step])
def test_what_a_printer_has_no_rule_for_is_refused(node):
    with pytest.raises(UnsupportedExpression):
        MathPrinter({})(node)

"""Plain numbers for few examples of small networks: the arrays' values, and whatever they do not fit left to arrays."""

import math
from functools import cache

import numpy as np
import pytest
from networks import OUTPUTS
from reference import largest_difference, parameters, reference
from sympy import Integer

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.emit.array_module import OWN
from symbackprop.emit.few_examples import MOST_PRODUCTS
from symbackprop.emit.one_exponential import exponentials, with_one_exponential
from symbackprop.emit.program import Assign, Number, Op, Reduce, Var
from symbackprop.emit.quick import QuickPrinter
from symbackprop.emit.scalar import MATH
from symbackprop.emit.several import in_one, over_several
from symbackprop.emit.source import fitted
from symbackprop.emit.targets import emit, load
from symbackprop.emit.unrolled import Unroller
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import BATCH
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

N = Number(BATCH)
NETWORKS = {
    name: {
        "activation": "tanh" if row.group else name,
        "output_activation": name if row.group else "identity",
        "loss": "mse",
    }
    for name, row in ACTIVATIONS.items()
    if row.value is not None and row.pieces == 1
}
NETWORKS |= {
    f"loss-{name}": {"activation": "sigmoid", "output_activation": OUTPUTS.get(name, "identity"), "loss": name}
    for name, row in LOSSES.items()
    if name != "cost" and row.parts == 1
}
NETWORKS |= {
    "no-bias": {"activation": "tanh", "loss": "mse", "bias": False},
    "some-bias": {"activation": "tanh", "loss": "mse", "bias": (False, True), "batch_reduction": "sum"},
    "l2": {"activation": "tanh", "loss": "mse", "penalty": "l2:0.3:half_mean:biases"},
    "l1": {"activation": "tanh", "output_activation": "softmax", "loss": "ce", "penalty": "l1:0.1"},
    "l2-sum": {"activation": "silu", "loss": "mse", "penalty": "l2:0.3", "batch_reduction": "sum"},
    "weighted": {"activation": "tanh", "output_activation": "softmax", "loss": "ce", "class_weights": [0.5, 2]},
}


@cache
def text_of(name: str, profile: str = "S1", layers: str = "3-4-2") -> str:
    spec = network(layers, **NETWORKS[name])
    return emit(derive(forward_graph(spec), listing="none"), load_profile(profile))


def case(name: str, batch: int, profile: str = "S1"):
    module = load(text_of(name, profile), "few")
    rng = np.random.default_rng(7)
    params = {key: np.asarray(value) for key, value in parameters(module.SHAPES).items()}
    t = (
        rng.dirichlet(np.ones(2), batch)
        if LOSSES[NETWORKS[name]["loss"]].targets_sum_to_one
        else rng.random((batch, 2))
    )
    return module, params, rng.standard_normal((batch, 3)), t


def both_forms(module, *args, **named):
    """What numbers compute (None where they leave it to arrays), and what arrays compute."""
    numbers = module._of_one(*args, named.pop("workspace", None), **named)
    few, module.FEW_EXAMPLES = module.FEW_EXAMPLES, 0
    arrays = module.loss_and_gradients(*args, **named)
    module.FEW_EXAMPLES = few
    return numbers, arrays


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("batch", [1, 3])
def test_numbers_are_those_of_arrays(name, batch):
    module, params, x, t = case(name, batch)
    if not hasattr(module, "FEW_EXAMPLES"):
        assert any(f"def {helper}(" in text_of(name) for helper in OWN)  # it has the name of one for numbers
        return
    numbers, arrays = both_forms(module, params, x, t)
    assert type(numbers[0]) is float
    assert largest_difference(numbers, arrays) < 2e-14
    for key, gradient in numbers[1].items():
        assert (gradient.shape, gradient.dtype) == (module.SHAPES[key], np.dtype(np.float64))
        assert gradient.flags.writeable and not any(
            np.shares_memory(gradient, given) for given in (x, t, *params.values())
        )


@pytest.mark.parametrize("profile", ["S3", "S4", "nielsen", "haykin", "ng", "rumelhart1986"])
@pytest.mark.parametrize("name", ["tanh", "prelu", "loss-ce", "l2"])
def test_every_way_to_store_parameters_and_a_work_space(name, profile):
    for batch in (1, 3):
        module, params, x, t = case(name, batch, profile)
        workspace = module.make_workspace(batch)
        numbers, arrays = both_forms(module, params, x, t)
        assert largest_difference(numbers, arrays) < 2e-15
        again = module._of_one(params, x, t, workspace)
        assert again[0] == numbers[0]
        for key, gradient in again[1].items():
            np.testing.assert_array_equal(gradient, numbers[1][key])
            assert np.shares_memory(gradient, workspace["all"])
        module.FEW_EXAMPLES = 0
        assert largest_difference(module.loss_and_gradients(params, x, t, workspace=workspace), arrays) == 0


def test_the_public_function_takes_numbers_for_few_examples():
    module, params, x, t = case("tanh", 1)
    module._parameters = None  # what arrays begin with
    assert module.FEW_EXAMPLES == MOST_PRODUCTS // 20
    rows = [1, 2, module.FEW_EXAMPLES]
    for batch in rows:
        loss, gradients = module.loss_and_gradients(params, np.repeat(x, batch, 0), np.repeat(t, batch, 0))
        alone = module.loss_and_gradients(params, x[0], t[0])
        assert largest_difference((loss, gradients), alone) < 1e-14
    with pytest.raises(TypeError):
        module.loss_and_gradients(params, np.repeat(x, batch + 1, 0), np.repeat(t, batch + 1, 0))


def test_the_size_decides_on_the_form():
    assert "FEW_EXAMPLES = 1 " in text_of("tanh", layers=f"{MOST_PRODUCTS // 5}-3-2")
    assert "_of_several" not in text_of("tanh", layers=f"{MOST_PRODUCTS // 5}-3-2")
    assert "FEW_EXAMPLES" not in text_of("tanh", layers=f"{MOST_PRODUCTS}-3-2")
    handed_in = network("2-3-1", activation="g", loss="mse")
    assert "FEW_EXAMPLES" not in emit(derive(forward_graph(handed_in), listing="none"), load_profile("S1"))


@pytest.mark.parametrize("of", ["x", "t", "W1", "b2", "all"])
def test_the_type_follows_the_input(of):
    for batch in (1, 3, 200):
        module, params, x, t = case("tanh", batch)
        given = {**params, "x": x, "t": t}
        for dtype in (np.float32, np.longdouble, np.int64):
            some = {key: v.astype(dtype) if of in (key, "all") else v for key, v in given.items()}
            x, t = some.pop("x"), some.pop("t")
            expected = np.result_type(np.float64 if x.dtype.kind == "i" else x, *some.values())
            loss, gradients = module.loss_and_gradients(some, x, t)
            assert type(loss) is float
            assert {gradient.dtype for gradient in gradients.values()} == {expected}
            workspace = module.make_workspace(batch, expected)
            again = module.loss_and_gradients(some, x, t, workspace=workspace)
            assert largest_difference(again, (loss, gradients)) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.ones((1, 4))}, "x has shape (1, 4); expected (3,) or (batch, 3)"),
        ({"x": np.ones((3, 1))}, "x has shape (3, 1); expected (3,) or (batch, 3)"),
        ({"x": np.ones((1, 3, 1))}, "x has shape (1, 3, 1); expected (3,) or (batch, 3)"),
        ({"x": np.ones((0, 3))}, "x has shape (0, 3); expected (3,) or (batch, 3)"),
        ({"t": np.ones((1, 2, 1))}, "t has shape (1, 2, 1); expected (2,) or (batch, 2)"),
        ({"t": np.ones((2, 2))}, "x has 1 examples, t has 2; expected as many"),
        ({"W1": np.ones((4, 3))}, "params['W1'] has shape (4, 3); expected (3, 4)"),
        ({"W1": np.ones((3, 4, 1))}, "params['W1'] has shape (3, 4, 1); expected (3, 4)"),
        ({"b1": np.ones((4, 1))}, "params['b1'] has shape (4, 1); expected (4,)"),
        ({"b2": np.ones(1)}, "params['b2'] has shape (1,); expected (2,)"),
        ({"b2": None}, "params['b2'] has shape (); expected (2,)"),
        ({"workspace": 2}, "the work space is for 2 examples of float64; expected 1 of float64"),
        ({"workspace": np.float32}, "the work space is for 1 examples of float32; expected 1 of float64"),
        ({"workspace": np.longdouble}, "the work space is for 1 examples of float128; expected 1 of float64"),
    ],
)
def test_what_does_not_fit_is_left_to_arrays_which_say_so(change, message):
    module, params, x, t = case("tanh", 1)
    given = {**params, "x": x, "t": t, **change}
    size = given.pop("workspace", None)
    workspace = None
    if size is not None:
        workspace = module.make_workspace(size) if isinstance(size, int) else module.make_workspace(1, size)
    x, t = given.pop("x"), given.pop("t")
    with pytest.raises(ValueError) as error:
        module.loss_and_gradients(given, x, t, workspace=workspace)
    assert str(error.value) == message


def test_numbers_that_overflow_are_left_to_arrays():
    module, params, x, t = case("identity", 1)
    with pytest.warns(RuntimeWarning, match="overflow"):
        loss, _ = module.loss_and_gradients(params, 1e200 * x, t)
    assert loss == np.inf
    loss, gradients = module.loss_and_gradients(params, x * np.nan, t)
    assert np.isnan(loss) and np.isnan(gradients["W1"]).all()


TWINS = {
    "a slope left out": (" * (1 - a2_2)", ""),
    "a sign": ("delta3_1 = (exp3_1 - t_1", "delta3_1 = (t_1 - exp3_1"),
    "the mean over several": ("error = -error / n", "error = -error"),
    "an example left out": (
        "zip(x.tolist(), t.tolist(), strict=True)",
        "zip(x.tolist()[1:], t.tolist()[1:], strict=True)",
    ),
    "a transposed gradient": ("dW1_12, dW1_13", "dW1_13, dW1_12"),
    "a bias": (" + b2_1", ""),
}


@pytest.mark.parametrize("wrong", TWINS)
def test_a_wrong_twin_is_found(wrong):
    old, new = TWINS[wrong]
    text = text_of("loss-ce")
    twin = text.replace(old, new)
    spec = network("3-4-2", **NETWORKS["loss-ce"])
    assert twin != text, wrong
    found = []
    for batch in (1, 3):
        _, params, x, t = case("loss-ce", batch)
        found.append(
            largest_difference(load(twin, "wrong").loss_and_gradients(params, x, t), reference(spec, params, x, t))
        )
    assert max(found) > 1e-5


def test_the_file_checks_both_forms():
    text = text_of("tanh")
    few = MOST_PRODUCTS // 20
    assert f"for n in (1, {few}, {few + 1}))" in text
    module = load(text.replace("dW1_12, dW1_13", "dW1_13, dW1_12", 1), "wrong")  # of one example
    assert [module._difference_from_central(examples=n) < 1e-6 for n in (1, few, few + 1)] == [False, True, True]


def test_one_exponential_where_two_are_computed_of_a_number():
    z, (decaying, bounded) = Var("z"), exponentials(Var("z"))
    plain = [Assign("a", bounded), Assign("e", decaying), Assign("s", Op("add", (decaying, Var("e"))))]
    for lines, names in ((plain, ["e", "a", "s"]), (plain[:1], ["a"]), ([plain[0], plain[2]], ["exp_z", "a", "s"])):
        found = list(with_one_exponential(lines, {"exp"}))
        assert [line.name for line in found] == names
        for number in (-750.0, -0.7, -0.0, 0.0, 0.7, 750.0):
            values = [{"z": number, "e": 0.0, "math": math}, {"z": number, "e": 0.0, "math": math}]
            for program, known in zip((lines, found), values, strict=True):
                for line in program:
                    known[line.name] = eval(QuickPrinter(MATH)(line.node), known)
            assert (values[0]["a"], values[0].get("s")) == (values[1]["a"], values[1].get("s"))
    assert list(with_one_exponential([Assign("a", z)], set())) == [Assign("a", z)]


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Op("negative", (Op("power", (Var("a"), Number(Integer(2)))),)), "-a * a"),
        (Op("power", (Op("add", (Var("a"), Var("b"))), Number(Integer(2)))), "(a + b) ** 2"),
        (Op("maximum", (Number(Integer(0)), Op("negative", (Var("a"),)))), "0.0 if -a < 0 else -a"),
        (Op("multiply", (Var("a"), Op("minimum", (Var("a"), Number(Integer(0)))))), "a * (0.0 if a > 0 else a)"),
        (Op("maximum", (Op("add", (Var("a"), Var("b"))), Number(Integer(0)))), "max(a + b, 0.0)"),
    ],
)
def test_what_is_quick_to_interpret(node, text):
    assert QuickPrinter(MATH)(node) == text


def test_a_long_negative_sum_is_broken_at_its_signs():
    lines = fitted("error = -(" + " + ".join(f"t_{n} * (shifted3_{n} - log3_1)" for n in range(1, 7)) + ")")
    assert lines[0] == "error = -(" and lines[-1] == ")"
    assert not any(line.endswith(",") or len(line) > 116 for line in lines)


def test_sums_over_examples_are_cut_out():
    unroll = Unroller({"x": (None, 2), "W": (2,)}, {"n"})
    total = Reduce("sum", Op("multiply", (Var("x"), Var("W"))), "all")
    lines = list(unroll([Assign("y", Op("add", (Var("x"), Var("W")))), Assign("error", Op("divide", (total, N)))]))
    several = over_several(lines, [], unroll.taken)
    assert [line.name for line in several.lines] == ["y_1", "y_2"]
    assert [line.name for line in several.sums] == ["error"]
    assert several.after == [Assign("error", Op("divide", (Var("error"), N)))]
    assert in_one(lines[-1].node) == several.sums[0].node


@pytest.mark.parametrize(
    "node",
    [
        Op("divide", (Var("x"), Reduce("sum", Var("x"), "all"))),  # of each example, after all of them
        Reduce("sum", Op("multiply", (Var("x"), Var("mean"))), "all"),  # a sum that needs another one
        Reduce("max", Var("x"), "rows"),
    ],
)
def test_what_is_no_sum_over_examples_is_refused(node):
    unroll = Unroller({"x": (None, 2)}, set())
    with pytest.raises(UnsupportedExpression):
        lines = list(unroll([Assign("mean", Reduce("sum", Var("x"), "rows")), Assign("y", node)]))
        over_several(lines, ["x_1", "x_2"], unroll.taken)

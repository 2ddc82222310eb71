"""Descriptions of networks: what they come to mean, and the line that answers each one that cannot be used."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol

from symbackprop import resources
from symbackprop.catalogue.entries import STRENGTH
from symbackprop.errors import SpecError, SymbackpropError
from symbackprop.network.addresses import entry_at
from symbackprop.network.quantities import BIAS, OUT, TARGET, WEIGHT
from symbackprop.network.read import KEYS, load, network, spec_from_toml
from symbackprop.network.spec import NetworkSpec

MINIMAL = 'layers = "2-3-1"\nactivation = "tanh"\nloss = "mse"\n'


def described(**changes):
    arguments = {"layers": "2-3-1", "activation": "tanh", "loss": "mse"} | changes
    return network(arguments.pop("layers"), **arguments)


def tags(spec):
    return [use.tag for use in spec.activations]


def test_one_activation_name_is_every_layers():
    spec = described(layers="2-3-3-1")
    assert spec.sizes == (2, 3, 3, 1)
    assert tags(spec) == ["tanh", "tanh", "tanh"]
    assert spec.bias == (True, True, True)
    assert (spec.output_reduction, spec.batch_reduction, spec.penalty, spec.choices) == ("sum", "mean", None, ())


@pytest.mark.parametrize("activation", [["relu", "f2"], "relu, f2", ("relu", "f2")])
def test_a_list_gives_each_layer_its_own(activation):
    assert tags(described(activation=activation)) == ["relu", "f2"]


@pytest.mark.parametrize(("layers", "activation"), [("2-3-4-1", "relu"), ("2-3-4-1", "relu,relu"), ("2-1", "relu")])
def test_the_output_activation_is_the_last_layers(layers, activation):
    spec = described(layers=layers, activation=activation, output_activation="identity")
    assert tags(spec) == [*["relu"] * (len(spec.sizes) - 2), "identity"]


@pytest.mark.parametrize(
    ("changes", "expected", "loss", "choices"),
    [
        ({}, ["tanh", "sigmoid"], "bce", 1),
        ({"layers": "2-3-4"}, ["tanh", "softmax"], "ce", 1),
        ({"layers": "2-3-2"}, ["tanh", "softmax"], "ce", 1),
        ({"layers": "2-3-4", "activation": "tanh,softmax"}, ["tanh", "softmax"], "ce", 0),
        ({"layers": "2-3-4", "output_activation": "sigmoid"}, ["tanh", "sigmoid"], "ce", 0),
        ({"output_activation": "g"}, ["tanh", "g"], "bce", 1),
        ({"activation": "tanh,sigmoid"}, ["tanh", "sigmoid"], "bce", 1),
        ({"layers": "2-3-4", "loss": "cross-entropy"}, ["tanh", "softmax"], "ce", 1),
    ],
)
def test_cross_entropy_chooses_its_output_and_says_so(changes, expected, loss, choices):
    spec = described(**({"loss": "ce"} | changes))
    assert (tags(spec), spec.loss.entry.name, len(spec.choices)) == (expected, loss, choices)


def test_two_functions_never_share_a_tag_or_a_parameter():
    uses = described(layers="2-3-3-3-1", activation=["elu", "leaky_relu(0.1)", "leaky_relu(0.3)", "elu"]).activations
    assert [use.tag for use in uses] == ["elu", "leaky_relu", "leaky_relu_4", "elu"]
    alphas = [Symbol(name, real=True) for name in ("alpha", "alpha_3", "alpha_4", "alpha")]
    numbers = [1, Rational(1, 10), Rational(3, 10), 1]
    for use, alpha, number in zip(uses, alphas, numbers, strict=True):
        assert use.parameters == {alpha: number}
        assert set(use.entry.parameters) == {alpha}
        assert alpha in use.entry.value.free_symbols
        assert use.entry.kinks[0].slope == alpha
    assert [use.entry.value.subs(use.parameters | {Symbol("z", real=True): -1}) for use in uses[1:3]] == [
        Rational(-1, 10),
        Rational(-3, 10),
    ]


@pytest.mark.parametrize(
    ("penalty", "strength", "form", "biases"),
    [
        ("l2", STRENGTH, "half", False),
        ("l2:λ", STRENGTH, "half", False),
        ("l2:0.1:plain:biases", Rational(1, 10), "plain", True),
        ("ridge:1e-05:biases", Rational(1, 10**5), "half", True),
        ({"kind": "l2", "strength": 0.1, "form": "half_mean", "biases": True}, Rational(1, 10), "half_mean", True),
        ({"kind": "l2", "strength": "mu"}, Symbol("mu", positive=True), "half", False),
        ({"kind": "l2", "strength": 2}, 2, "half", False),
    ],
)
def test_a_penalty_is_read_exactly(penalty, strength, form, biases):
    use = described(penalty=penalty).penalty
    assert (use.entry.name, use.strength, use.form, use.biases) == ("l2", strength, form, biases)


def test_a_penalty_without_strength_is_left_out_and_that_is_said():
    spec = described(penalty="l2:0")
    assert spec.penalty is None
    assert spec.choices == ("The penalty has strength 0 and is left out.",)


def test_values_are_kept_by_address():
    spec = described(values={"w21[1]": 0.5, "w1, 3[1]": -1, "b1[2]": 0, "x2": 1, "t1": 0})
    assert spec.values == {"w21[1]": 0.5, "w13[1]": -1.0, "b1[2]": 0.0, "x2": 1.0, "t1": 0.0}


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("w12,3[1]", WEIGHT[1, 12, 3]),
        ("w1,12[2]", WEIGHT[2, 1, 12]),
        ("w33[1]", WEIGHT[1, 3, 3]),
        ("b11[1]", BIAS[1, 11]),
        ("x12", OUT[1, 12]),
        ("t13", TARGET[13]),
    ],
)
def test_an_address_leads_to_its_entry_and_back(address, entry):
    found = entry_at(address, described(layers="12-11-13", bias=[True, False]))
    assert (found, str(found)) == (entry, address)


@pytest.mark.parametrize(
    ("address", "nearest"),
    [
        ("w13,1[1]", "w12,1[1]"),
        ("w1,12[1]", "w1,11[1]"),
        ("w11[3]", "w11[2]"),
        ("w99[9]", "w99[2]"),
        ("b1[2]", "b1[1]"),
        ("b12[1]", "b11[1]"),
        ("x13", "x12"),
        ("t14", "t13"),
    ],
)
def test_an_address_outside_the_network_is_refused_with_the_nearest(address, nearest):
    with pytest.raises(SpecError) as refusal:
        entry_at(address, described(layers="12-11-13", bias=[True, False]))
    assert str(refusal.value) == f"the network 12-11-13 has no '{address}'; did you mean '{nearest}'?"


REFUSED = [
    ({"layers": "2--3"}, "cannot read the layers '2--3'; expected sizes joined by '-', like 2-3-1"),
    ({"layers": "-2-3"}, "cannot read the layers '-2-3'; expected sizes joined by '-', like 2-3-1"),
    ({"layers": "٢-3"}, "cannot read the layers '٢-3'; expected sizes joined by '-', like 2-3-1"),
    ({"layers": 3}, "layers is 3; expected sizes joined by '-', like 2-3-1, or a list of whole numbers"),
    ({"layers": "2-0-1"}, "the size of layer 2 is 0; expected at least 1"),
    ({"layers": [2, -3]}, "the size of layer 2 is -3; expected at least 1"),
    ({"layers": [2, True]}, "the size of layer 2 is True; expected a whole number"),
    ({"layers": [2, 2.5]}, "the size of layer 2 is 2.5; expected a whole number"),
    ({"layers": "5"}, "a network needs an input and an output layer; got 1 layer(s), expected e.g. 2-3-1"),
    ({"layers": [1] * 1001}, "the network has 1001 layers; expected at most 1000"),
    ({"layers": "2-1000001"}, "layer 2 is too large; expected at most 1000000 units"),
    ({"layers": "2-" + "9" * 6000}, "layer 2 is too large; expected at most 1000000 units"),
    ({"activation": "tahn"}, "unknown activation 'tahn'; did you mean 'tanh'?"),
    ({"activation": 3}, "activation is 3; expected a name, or a list with one per layer"),
    ({"activation": []}, "activation is []; expected a name, or a list with one per layer"),
    ({"activation": ["tanh", 1]}, "activation is 1; expected text"),
    (
        {"activation": "tanh,tanh,tanh"},
        "activation lists 3 names; expected 1, or 2, one per layer after the input",
    ),
    (
        {"activation": "tanh,tanh", "output_activation": "tanh"},
        "activation lists 2 names; expected 1, or 1, one per hidden layer, where the output activation is given too",
    ),
    ({"output_activation": "sigmod"}, "unknown activation 'sigmod'; did you mean 'sigmoid'?"),
    (
        {"activation": "softmax", "layers": "2-1-3"},
        "softmax of one unit, in layer 2, is always 1; expected several units, or 'sigmoid'",
    ),
    ({"activation": "maxout(1)"}, "maxout has 1 pieces; expected a whole number from 2 to 9"),
    ({"activation": "maxout(2.5)"}, "maxout has 5/2 pieces; expected a whole number from 2 to 9"),
    ({"activation": "glu(3)"}, "glu takes no parameters; got '3'"),
    (
        {"output_activation": "softmax"},
        "softmax of one output unit is always 1; expected several units, or 'sigmoid'",
    ),
    ({"loss": "msee"}, "unknown loss 'msee'; did you mean 'mse'?"),
    ({"loss": None}, "loss is None; expected text"),
    (
        {"loss": "bce"},
        "the loss bce needs outputs between 0 and 1, and tanh gives others; choose the output activation 'sigmoid'",
    ),
    (
        {"loss": "ce", "layers": "2-3", "output_activation": "relu"},
        "the loss ce needs outputs between 0 and 1, and relu gives others; choose the output activation 'softmax'",
    ),
    ({"bias": "yes"}, "bias is 'yes'; expected true, false or a list of them, one per layer after the input"),
    ({"bias": [True]}, "bias lists 1 values; expected 2, one per layer after the input"),
    ({"output_reduction": "men"}, "unknown output_reduction 'men'; did you mean 'mean'?"),
    ({"batch_reduction": 1}, "batch_reduction is 1; expected one of mean, sum"),
    ({"title": "two\nlines"}, "title is 'two\\nlines'; expected one line of 1 to 200 characters"),
    ({"notation": ["S1"]}, "notation is ['S1']; expected text"),
    ({"penalty": 1}, "penalty is 1; expected a kind and a strength, like l2:0.1"),
    ({"penalty": {}}, "the penalty's kind is None; expected a name, like l2"),
    (
        {"penalty": "l3"},
        "unknown penalty 'l3'; expected one of elastic, elastic_net, l1, l1_l2, l2, lasso, ridge, weight_decay",
    ),
    ({"penalty": {"kind": "l2", "stregth": 1}}, "unknown key in penalty 'stregth'; did you mean 'strength'?"),
    ({"penalty": {"kind": "l2", "biases": 1}}, "the penalty's biases is 1; expected true or false"),
    ({"penalty": "l2:1:hlf"}, "unknown form of penalty 'hlf'; did you mean 'half'?"),
    (
        {"penalty": "l2:1:half:no:more"},
        "cannot read the penalty 'l2:1:half:no:more'; expected kind:strength:form:biases, like l2:0.1:half",
    ),
    ({"penalty": "l2:-1"}, "the penalty's strength is '-1'; expected a number from 0 to 1000000000000"),
    (
        {"penalty": {"kind": "l2", "strength": math.nan}},
        "the penalty's strength is nan; expected a number from 0, or a name that stays symbolic",
    ),
    (
        {"penalty": "l2:__import__"},
        "the penalty's strength is '__import__'; expected a number from 0, or a name that stays symbolic",
    ),
    ({"penalty": "l2:t"}, "the penalty's strength cannot be called 't', that name is taken; try 'lambda' or 'mu'"),
    ({"penalty": "l2:if"}, "the penalty's strength cannot be called 'if', that name is taken; try 'lambda' or 'mu'"),
    ({"penalty": "l2:max"}, "the penalty's strength cannot be called 'max', that name is taken; try 'lambda' or 'mu'"),
    ({"values": 3}, "values is 3; expected numbers by address, like w11[1] = 0.5"),
    ({"values": {"q": 3}}, "cannot read the address 'q'; expected one like w11[1], b1[1], x1 or t1"),
    ({"values": {"w31[1]": 3}}, "the network 2-3-1 has no 'w31[1]'; did you mean 'w21[1]'?"),
    ({"values": {"w11[1]": 1, "w1,1[1]": 2}}, "two values are given for w11[1]"),
    ({"values": {"w11[1]": math.inf}}, "the value of w11[1] is inf; expected a finite number"),
    ({"values": {"w11[1]": 10**400}}, "the value of w11[1] is 1" + "0" * 55 + "...'; expected a finite number"),
    ({"values": {"w11[1]": True}}, "the value of w11[1] is True; expected a number"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=[message[:60] for _, message in REFUSED])
def test_what_cannot_be_used_is_refused_in_one_line(changes, message):
    with pytest.raises(SpecError) as refusal:
        described(**changes)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the key 'layers' is missing; expected at least layers, activation, loss"),
        (MINIMAL + "bais = true", "unknown key 'bais'; did you mean 'bias'?"),
        (MINIMAL + "bias = maybe", "not valid TOML: Invalid value (at line 4, column 8)"),
        (MINIMAL + "title = 1979-05-27", "title is datetime.date(1979, 5, 27); expected text"),
        ("a = " + "[" * 100_000, "not valid TOML: nested too deeply"),
        ("[actvations.mine]\nformula = 'z'", "unknown key 'actvations'; did you mean 'activations'?"),
    ],
)
def test_a_text_that_describes_no_network_is_refused_in_one_line(text, message):
    with pytest.raises(SpecError) as refusal:
        spec_from_toml(text)
    assert str(refusal.value) == message


def test_a_text_may_give_every_key():
    rest = """
        output_activation = "identity"
        bias = [true, false]
        output_reduction = "mean"
        batch_reduction = "sum"
        title = "Nets"
        author = "A. Reader"
        weight = "w11[1]"
        notation = "S4"
        targets = ["numpy", "torch"]
        penalty = { kind = "l1", strength = 0.5 }
        values = { "w11[1]" = 1 }
        parameters = { beta = 1.5 }
        train = ["beta"]
        activations = { mine = { formula = "beta*z" } }
        losses = { mine2 = { formula = "(a - t)**2" } }
    """
    spec = spec_from_toml(MINIMAL + rest)
    given_keys = {line.split("=")[0].strip() for line in (MINIMAL + rest).splitlines() if "=" in line}
    assert given_keys == set(KEYS) - {"class_weights"}  # which this loss does not take
    assert (tags(spec), spec.bias, spec.output_reduction) == (["tanh", "identity"], (True, False), "mean")
    assert (spec.batch_reduction, spec.title, spec.notation) == ("sum", "Nets", "S4")
    assert (spec.penalty.entry.name, spec.penalty.strength) == ("l1", Rational(1, 2))
    assert (spec.values, spec.targets) == ({"w11[1]": 1.0}, ("numpy", "torch"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_is_read_with_either_line_end_and_mark(tmp_path, newline, mark):
    path = tmp_path / "net.toml"
    path.write_bytes((mark + MINIMAL.replace("\n", newline)).encode())
    assert load(path) == spec_from_toml(MINIMAL)


def test_a_file_that_cannot_be_used_is_named_in_one_line(tmp_path):
    for name, content, message in (
        ("latin.toml", MINIMAL.encode() + b"title = '\xe9'", "latin.toml: not a text in UTF-8 (byte 59)"),
        ("huge.toml", b"#" * 1_000_001, "huge.toml: larger than 1000000 bytes"),
        (
            "wrong.toml",
            b"layers = 3",
            "wrong.toml: the key 'activation' is missing; expected at least layers, activation, loss",
        ),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SpecError) as refusal:
            load(tmp_path / name)
        assert str(refusal.value) == message
    for path in (tmp_path, tmp_path / "absent.toml", "a\0b"):
        with pytest.raises(SpecError, match=r"^cannot read '[^\n]*$"):
            load(path)


@pytest.mark.parametrize(
    ("name", "sizes", "expected", "loss", "bias"),
    [
        ("S1", (2, 3, 1), ["g", "g"], "mse", (False, False)),
        ("S2", (3, 2, 1), ["sigmoid", "sigmoid"], "bce", (False, False)),
        ("S3", (3, 4, 2), ["f1", "f2"], "cost", (False, False)),
        ("S4", (4, 2, 2, 1), ["f", "f", "identity"], "mse", (True, True, False)),
        ("S5", (2, 2, 1), ["sigmoid", "sigmoid"], "mse", (True, True)),
    ],
)
def test_the_examples_are_the_sources_networks(name, sizes, expected, loss, bias):
    spec = load(resources.examples()[name])
    assert (spec.sizes, tags(spec), spec.loss.entry.name, spec.bias) == (sizes, expected, loss, bias)
    assert spec.title
    assert (spec.penalty is not None) == (name == "S3")


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=3)
    | st.sampled_from(
        ["2-3-1", "tanh", "softmax", "g", "elu(2)", "mse", "ce", "bce", "l2", "l2:0.1", "mean", "w11[1]"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
LIKELY = {
    "layers": st.lists(st.integers(1, 4), min_size=2, max_size=4) | JUNK,
    "activation": st.sampled_from(["tanh", "softmax", "sigmoid", "f"]) | JUNK,
    "loss": st.sampled_from(["mse", "bce", "ce", "huber(2)"]) | JUNK,
}


@given(st.fixed_dictionaries(LIKELY, optional={key: JUNK for key in KEYS if key not in LIKELY}))
def test_any_description_gives_a_network_or_one_line(arguments):
    try:
        spec = described(**arguments)
    except SymbackpropError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
    else:
        assert isinstance(spec, NetworkSpec)
        assert len(spec.activations) == len(spec.bias) == spec.depth - 1


TOML_WORDS = st.sampled_from(
    [*KEYS, "=", "[", "]", '"', "\n", "{", "}", ",", "1e999", "nan", "true", '"2-3"', '"tanh"', "."]
)


@given(st.lists(TOML_WORDS | st.text(max_size=3), max_size=20))
def test_any_text_gives_a_network_or_one_line(words):
    try:
        spec_from_toml(MINIMAL + "".join(words))
    except SymbackpropError as error:
        assert "\n" not in str(error)

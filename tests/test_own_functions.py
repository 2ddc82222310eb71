"""The user's own functions: derived, checked and run like the catalogue's; kinks, jumps and ranges found."""

import importlib.util
import re

import mpmath
import numpy as np
import pytest
import sympy as sp
from exactly import equal_at_points
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Rational, oo

from symbackprop import api
from symbackprop.calculus.bounds import near
from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.in_terms_of_output import in_terms_of_output
from symbackprop.catalogue.entries import A, T, Z
from symbackprop.catalogue.own import activation_from, loss_from
from symbackprop.cli import main
from symbackprop.errors import FormulaError, SpecError, SymbackpropError
from symbackprop.network.read import network, spec_from_toml

C = sp.Symbol("c", real=True)


def own(activation, loss="mse", **more):
    return network("2-3-1", activation=activation, loss=loss, **more)


UNARY = ("exp({})", "log(1 + exp({}))", "log(1 + ({})**2)", "tanh({})", "sigmoid({})", "({})**3", "abs({})")
BINARY = ("max({}, {})", "({} + {})", "({})*({})", "({})/(1 + abs({}))", "({} - {})")


@st.composite
def formulas(draw, depth=2):
    """Random compositions of exp, log, tanh, sigmoid, powers, abs and max."""
    if depth == 0:
        return draw(st.sampled_from(["z"] * 6 + ["2", "0.5", "-1.5"]))
    inner = formulas(depth=depth - 1)
    shape = draw(st.sampled_from(UNARY + BINARY))
    return shape.format(*(draw(inner) for _ in range(shape.count("{}"))))


def central_difference(value, at):
    step = Rational(1, 10**15)
    with mpmath.workdps(60):
        return (near(value, Z, at + step) - near(value, Z, at - step)) / (2 * mpmath.mpf(10) ** -15)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(formulas())
def test_random_compositions_are_derived_and_every_line_holds(text):
    try:
        row = activation_from(text, "f", {})
    except FormulaError as refusal:
        assert "does not depend on z" in str(refusal) or "0 everywhere" in str(refusal)
        assume(False)
    lines = differentiate(row.value, Z)
    slope = lines[-1].right
    for line in lines:
        left, right = line.left.doit(), line.right.doit()
        assert left == right or equal_at_points(left, right)
    if (form := in_terms_of_output(row.value, Z, A)) is not None:
        assert equal_at_points(form.slope.xreplace({A: row.value}), slope)
    for at in (Rational(-171, 100), Rational(-23, 100), Rational(57, 100), Rational(213, 100)):
        expected = central_difference(row.value, at)
        if mpmath.isfinite(expected):
            assert abs(near(slope, Z, at) - expected) < 1e-12 * (1 + abs(expected))
        if row.range is not None:
            low, high = (near(end, Z, sp.S.Zero) for end in row.range)
            assert low <= near(row.value, Z, at) <= high


# formula: kinks with the slope taken there, range, words of the notes
FACTS = {
    "z/(1 + abs(z))": ({}, (-1, 1), ""),
    "abs(z)": ({0: 0}, (0, oo), ""),
    "abs(z)**3": ({}, (0, oo), ""),
    "abs(z - c)*z": ({C: 0}, (-oo, oo), ""),
    "max(0, z, 1 - z)": ({Rational(1, 2): -1}, (Rational(1, 2), oo), ""),
    "min(1, max(-1, z))": ({-1: 0, 1: 0}, (-1, 1), ""),
    "abs(z**2 - 1)": ({-1: 0, 1: 0}, (0, oo), ""),
    "abs(tanh(z) - 0.5)": ({sp.atanh(Rational(1, 2)): 0}, (0, Rational(3, 2)), ""),
    "where(z > 0, z, 0.1*z)": ({0: Rational(1, 10)}, (-oo, oo), ""),
    "where(z > 0, z, exp(z) - 1)": ({}, (-1, oo), ""),
    "exp(-abs(z))": ({0: 0}, (0, 1), ""),
    "z*exp(-z**2)": ({}, (-sp.sqrt(2) * sp.exp(-Rational(1, 2)) / 2, sp.sqrt(2) * sp.exp(-Rational(1, 2)) / 2), ""),
    "tanh(sigmoid(z))": ({}, (0, sp.tanh(1)), ""),
    "2**z": ({}, (0, oo), ""),
    "log(1 + exp(z))": ({}, (0, oo), ""),
    "sqrt(1 + z**2)": ({}, (1, oo), ""),
    "z*sigmoid(z)": ({}, None, ""),
    "log(z)": ({}, None, ""),
    "where(z > 0, 1, 0)*z + where(z > 1, 1, 0)": ({0: 0, 1: 1}, None, "At z = 1, f jumps"),
    "sqrt(abs(z))": ({}, (0, oo), "At z = 0, f has no finite slope"),
    "abs(z + exp(z))": ({}, None, "Where z + exp(z) = 0, f may have a kink"),
}


@pytest.mark.parametrize(("text", "facts"), FACTS.items(), ids=FACTS)
def test_kinks_ranges_and_jumps_are_found(text, facts):
    kinks, span, note = facts
    row = activation_from(text, "f", {C: Rational(2)} if "c)" in text else {})
    assert {kink.at: kink.slope for kink in row.kinks} == kinks
    assert row.range == span
    assert note in " ".join(row.notes)
    assert bool(note) == bool(row.notes)


def test_a_kink_is_where_the_parameters_put_it_and_only_if_there_is_one():
    text = "where(z > 0, z, c*z)"
    assert activation_from(text, "f", {C: Rational(1)}).kinks == ()
    (kink,) = activation_from(text, "f", {C: Rational(1, 2)}).kinks
    assert (kink.at, kink.slope) == (0, C)
    (kink,) = loss_from("abs(a - c*t)", {C: Rational(3)}).kinks
    assert (kink.at, kink.slope) == (C * T, 0)


def test_the_outputs_that_a_loss_needs_are_found_and_compared():
    assert loss_from("-t*log(a) - (1 - t)*log(1 - a)", {}).domain == (0, 1)
    with pytest.raises(
        SpecError, match=r"^the loss -t\*log\(a\)-\(1-t\)\*log\(1-a\) needs outputs between 0 and 1, and f gives others"
    ):
        own("z/(1 + abs(z))", "-t*log(a) - (1 - t)*log(1 - a)")
    assert own("(1 + z/(1 + abs(z)))/2", "bce").choices == ()
    (said,) = own("z*sigmoid(z)", "bce").choices
    assert said == "The loss needs outputs between 0 and 1; whether f gives only such is not known."


def test_formulas_names_and_tables_stand_side_by_side():
    spec = network(
        "2-3-3-3-3-1",
        activation="f, z*sigmoid(beta*z), max(z, tanh(z)), z*sigmoid(beta*z), mine",
        loss="where(abs(a - t) < 1, (a - t)**2/2, abs(a - t) - 1/2)",
        parameters={"beta": 1.5},
        activations={"mine": {"formula": "tanh(beta*z)", "parameters": {"beta": "1/3"}}},
    )
    assert [use.tag for use in spec.activations] == ["f", "f_2", "f_3", "f_2", "mine"]
    beta, beta_6 = sp.Symbol("beta", real=True), sp.Symbol("beta_6", real=True)
    assert spec.parameters == {beta: Rational(3, 2), beta_6: Rational(1, 3)}
    assert spec.activations[4].entry.value == sp.tanh(beta_6 * Z)


@pytest.mark.parametrize("text", ["Leaky-ReLU", "leaky_relu(0.2)", "elu(alpha=1e-1)", "elu(-0.5)", "g", "f_2", "tanh"])
def test_names_of_the_catalogue_are_no_formulas(text):
    assert own(text).activations[0].entry.name in ("leaky_relu", "elu", "g", "tanh")


@pytest.mark.parametrize("text", ["z", "-z", "2", ".5*z", "z-1", "tanh(z)", "z - c", "elu(z, 2)", "tanh(-2*z)", "|z|"])
def test_formulas_are_no_names(text):
    try:
        assert own(text, parameters={"c": 2} if "c" in text else None).activations[0].tag == "f"
    except FormulaError as refusal:
        assert text == "2" and "does not depend on z" in str(refusal)


MINE = {"mine": {"formula": "tanh(2*z)"}}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"activation": "tahn(z)"}, "unknown function 'tahn'; did you mean 'tanh'? (character 1 of 'tahn(z)')"),
        ({"activation": "2*3*1"}, "the formula does not depend on z"),
        (
            {"activation": "where(z > 0, 1, 0)"},
            "the slope of the formula is 0 everywhere, so no gradient goes through z",
        ),
        ({"parameters": {"beta": 1}}, "no formula holds the parameter beta; leave it out, or use it in a formula"),
        (
            {"parameters": {"w": 1}},
            "parameters: a parameter cannot be called 'w', that name is taken; try 'beta' or 'c'",
        ),
        ({"parameters": {"exp": 1}}, "a parameter cannot be called 'exp'"),
        ({"parameters": {"1": 1}}, "parameters: '1' is no name; expected letters, like beta"),
        ({"parameters": {"beta": "x"}}, "the parameter beta is 'x'; expected a number, like 1.5"),
        ({"parameters": {"beta": float("nan")}}, "the parameter beta is nan; expected a number, like 1.5"),
        ({"parameters": [1]}, "parameters is [1]; expected numbers by name, like beta = 1.5"),
        ({"activations": 1}, "activations is 1; expected formulas by name"),
        ({"activations": {"relu": {"formula": "z"}}}, "activations.relu: the name 'relu' is taken; expected another"),
        ({"activations": {"w": {"formula": "z"}}}, "activations.w: the name 'w' is taken"),
        ({"activations": {"My": {"formula": "z"}}}, "activations.My: 'My' is no name; expected small letters"),
        ({"activations": {"mine": "z"}}, "activations.mine is 'z'; expected a formula"),
        (
            {"activations": {"mine": {"formla": "z"}}},
            "unknown key in activations.mine 'formla'; did you mean 'formula'?",
        ),
        ({"activations": {"mine": {}}}, "activations.mine.formula is None; expected text"),
        ({"losses": {"mine": {"formula": "a - x"}}}, "unknown name 'x'; expected one of a, e, pi, t"),
        (
            {"activation": "z*c", "loss": "huber(2)", "parameters": {"c": 1, "delta": 3}},
            "no formula holds the parameter delta",
        ),
        (
            {"activation": "z*delta", "loss": "huber(2)", "parameters": {"delta": 3}},
            "the loss and an activation both have a parameter delta; give one of them another letter",
        ),
    ],
)
def test_bad_functions_get_one_clear_line(more, message):
    with pytest.raises(SymbackpropError) as refusal:
        own(**{"activation": "tanh", **more})
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_file_gives_functions_and_its_errors_keep_the_caret():
    text = 'layers = "2-3-1"\nactivation = "mine"\nloss = "quartic"\nparameters = { beta = 2 }\n'
    text += '[activations.mine]\nformula = "z*sigmoid(beta*z)"\n[losses.quartic]\nformula = "(a - t)**4/4"\n'
    spec = spec_from_toml(text)
    assert spec.activations[0].tag == "mine" and spec.loss.entry.value == (A - T) ** 4 / 4
    with pytest.raises(FormulaError) as refusal:
        spec_from_toml(text.replace("beta*z)", "bta*z)"))
    assert refusal.value.pointer[1].index("^") == "z*sigmoid(bta*z)".index("bta")


def run(capsys, *arguments):
    code = main(arguments)
    return (code, *capsys.readouterr())


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        (["--act", "z/(1+abs(z))", "--loss", "(a-t)**4/4"], "f, f · (a-t)**4/4"),
        (["--act", "z*sigmoid(beta*z)", "--param", "beta=1.5", "--loss", "mse", "--net", "3-2-2"], "f, f · mse"),
        (
            ["--act", "max(0, z, tanh(c*z))", "--param", "c=0.1", "--loss", "where(a>t, a-t, 2*(t-a))"],
            "f, f · where(a>t,a-t,2*(t-a))",
        ),
    ],
)
def test_derive_writes_documents_and_code_that_pass_every_check(capsys, tmp_path, options, tags):
    code, out, err = run(capsys, "derive", *options, "--format", "md,tex,py", "--out", str(tmp_path))
    assert (code, err) == (0, "")
    assert tags in out and "REFUTED" not in out and "undecided" not in out
    described = importlib.util.spec_from_file_location("emitted", tmp_path / "gradients.py")
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    rng = np.random.default_rng(0)
    params = module.init_params(rng)
    inputs, outputs = params["W1"].shape[0], params["W2"].shape[1]
    x, t = rng.normal(size=(5, inputs)), rng.uniform(size=(5, outputs))
    _, gradients = module.loss_and_gradients(params, x, t)
    for name, value in params.items():
        for place in np.ndindex(value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {key: array.copy() for key, array in params.items()}
                moved[name][place] += step
                ends.append(module.loss_and_gradients(moved, x, t)[0])
            assert abs((ends[0] - ends[1]) / 2e-6 - gradients[name][place]) < 1e-7


def test_a_bad_formula_is_a_line_and_a_caret(capsys):
    code, out, err = run(capsys, "check", "--act", "z*sigmoid(beta*z", "--param", "beta=1", "--loss", "mse")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "symbp: '(' is not closed; expected ')' (character 10 of 'z*sigmoid(beta*z')",
        "z*sigmoid(beta*z",
        "         ^",
    ]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["beta"], "--param is 'beta'; expected a name and a number, like beta=1.5"),
        (["beta=1", "beta=2"], "--param gives beta twice; give one number"),
        (["beta=two"], "the parameter beta is 'two'; expected a number, like 1.5"),
    ],
)
def test_bad_parameters_on_the_command_line(capsys, texts, message):
    given_texts = [word for text in texts for word in ("--param", text)]
    assert run(capsys, "check", "--act", "beta*z", "--loss", "mse", *given_texts) == (2, "", f"symbp: {message}\n")


def pages(spec):
    return api.derive(spec, listing="none").files(["md", "tex"])


def test_own_losses_are_called_by_their_names_or_formulas():
    quartic = network("2-3-1", activation="tanh", loss="(a - t)**4/4")
    other = network("2-3-1", activation="tanh", loss="(a - t)**4/5")
    named = network("2-3-1", activation="tanh", loss="steep", losses={"steep": {"formula": "(a - t)**4/4"}})
    assert [spec.loss.entry.name for spec in (quartic, other, named)] == ["(a-t)**4/4", "(a-t)**4/5", "steep"]
    first, second, third = map(pages, (quartic, other, named))
    assert r"# Backpropagation in the 2-3-1 network with the loss (a-t)\*\*4/4" in first["derivation.md"]
    assert r"\tfrac{1}{4}\,(a - t)^4" in first["derivation.md"].split("## Notation")[0]
    assert r"with the loss (a-t)\*\*4/5" in second["derivation.md"]
    assert "with the loss steep" in third["derivation.md"] and "is the loss steep." in third["derivation.md"]
    assert "with the loss steep" in third["derivation.tex"]
    assert "with the loss" not in pages(network("2-3-1", activation="tanh", loss="mse"))["derivation.md"].split("\n")[0]


@pytest.mark.parametrize(
    ("first", "second"), [("(a-t)**4/4", "(a-t)*4/4"), ("abs(a-t)", "abs(a+t)"), ("(a-t)**2", "(a-t)**2 + 0*a")]
)
def test_own_losses_have_folders_of_their_own(first, second, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for loss in (first, second, first.replace("-", " - ")):
        assert main(["derive", "--net", "1-1-1", "--act", "tanh", "--loss", loss, "--format", "py", "-q"]) == 0
    folders = sorted(path.name for path in (tmp_path / "output").iterdir())
    assert len(folders) == 2
    assert all(re.fullmatch(r"1-1-1-tanh-[a-z0-9.-]+", folder) for folder in folders)


@pytest.mark.parametrize("loss", ["(a-t)**2 # $\\input{x}", "../../x", "a*t<script>", "$(id)", "a" * 600])
def test_no_formula_leaves_the_folder_or_the_page(loss, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["derive", "--net", "1-1-1", "--act", "tanh", "--loss", loss, "--format", "md", "-q"]) == 2
    assert list(tmp_path.iterdir()) == []

import re

import pytest
import sympy as sp

from symbackprop import api
from symbackprop.api import BackpropDerivation
from symbackprop.calculus.inert import Apply
from symbackprop.derivation.matrix_terms import Axis, Layout, Leaf
from symbackprop.errors import ProfileError, UnsupportedExpression
from symbackprop.network.quantities import (
    BIAS,
    DELTA,
    ERROR,
    FROM,
    LAYER,
    OBJECTIVE,
    OUT,
    OUTPUT_UNIT,
    PRE,
    RATE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
)
from symbackprop.notation.apply import Notation
from symbackprop.notation.keys import OPTIONAL_SECTIONS, SECTIONS
from symbackprop.notation.profile import load_profile, profile_from_toml, profile_names
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.text import TextMarkup

DEPTH = 4


def printers(profile, tags=()):
    notation = Notation(profile, DEPTH, tags)
    return [FormulaPrinter(notation, markup) for markup in (LatexMarkup(), TextMarkup())]


# Layers are counted from 1 and weights carry the layer they leave; each profile says it in its own way.
NAMES = [
    ("S1", WEIGHT[1, 2, 3], "w_{23}[1]", "w₂₃[1]"),
    ("S2", WEIGHT[1, 2, 3], "w^{(1)}_{32}", "w₃₂⁽¹⁾"),
    ("S3", WEIGHT[1, 2, 3], "W_{1,23}", "W₁,₂₃"),
    ("S4", WEIGHT[1, 2, 3], "w^{(1)}_{32}", "w₃₂⁽¹⁾"),
    ("S5", WEIGHT[1, 2, 3], "w^1_{32}", "w₃₂¹"),
    ("S1", WEIGHT[2, 1, 12], "w_{1,12}[2]", "w₁,₁₂[2]"),
    ("S1", WEIGHT[LAYER, FROM, TO], "w_{ij}[k]", "wᵢⱼ[k]"),
    ("S4", WEIGHT[LAYER, FROM, TO], "w^{(l)}_{jk}", "wⱼₖ⁽ˡ⁾"),
    ("S5", WEIGHT[LAYER, FROM, TO], "w^l_{ji}", "wⱼᵢˡ"),
    ("S1", OUT[1, 2], "x_2", "x₂"),
    ("S4", OUT[1, 2], "x_2", "x₂"),
    ("S1", OUT[4, 1], "a_1[4]", "a₁[4]"),
    ("S4", OUT[4, 1], "s_1", "s₁"),
    ("S4", OUT[3, 1], "a^{(3)}_1", "a₁⁽³⁾"),
    ("S5", OUT[3, 1], "a^2_1", "a₁²"),
    ("S1", PRE[LAYER + 1, TO], "z_j[k+1]", "zⱼ[k+1]"),
    ("S5", PRE[LAYER + 1, TO], "z^l_j", "zⱼˡ"),
    ("S1", DELTA[3, 1], r"\delta_1[3]", "δ₁[3]"),
    ("S1", BIAS[1, 2], "b_2[1]", "b₂[1]"),
    ("S5", BIAS[1, 2], "b^1_2", "b₂¹"),
    ("S1", TARGET[OUTPUT_UNIT], "t_p", "tₚ"),
    ("S4", TARGET[OUTPUT_UNIT], "y_i", "yᵢ"),
    ("S1", SIZE[LAYER + 1], "n_{k+1}", "nₖ₊₁"),
    ("S1", ERROR, "E", "E"),
    ("S3", ERROR, r"\mathrm{Loss}", "Loss"),
    ("S4", ERROR, "C", "C"),
    ("S1", RATE, r"\eta", "η"),
    ("S4", RATE, r"\varepsilon", "ε"),
]


@pytest.mark.parametrize(("profile", "expr", "latex", "text"), NAMES, ids=str)
def test_names(profile, expr, latex, text):
    assert [printer(expr).text for printer in printers(load_profile(profile))] == [latex, text]


def test_input_can_be_the_activation_of_the_first_layer():
    profile = profile_from_toml("input_as = 'activation'", "mine")
    assert printers(profile)[0](OUT[1, 2]).text == "a^{(1)}_2"


def test_activations_by_name_or_by_letter():
    z = PRE[2, 1]
    by_letter = profile_from_toml("activation_as = 'letter'", "mine")
    sigmoid, tanh = (Apply(sp.Symbol(tag), 1, z) for tag in ("sigmoid", "tanh"))
    assert printers(load_profile("S1"), ("sigmoid",))[1](sigmoid).text == "σ′(z₁[2])"
    assert printers(by_letter, ("sigmoid",))[1](sigmoid).text == "g′(z₁⁽²⁾)"
    assert printers(by_letter, ("sigmoid", "tanh"))[1](tanh).text == "g₂′(z₁⁽²⁾)"


def test_generic_functions_keep_their_own_name():
    latex, text = printers(load_profile("S3"))
    assert latex(Apply(sp.Symbol("f2"), 1, sp.Symbol("z"))).text == "f_2'(z)"
    assert text(Apply(sp.Symbol("phi"), 0, sp.Symbol("z"))).text == "φ(z)"


def test_layouts():
    assert load_profile("S1").layout(batch=False) == Layout(False, True, True)
    assert load_profile("S4").layout(batch=True) == Layout(True, False, False)
    assert load_profile("S4").code_layout == Layout(True, True, False)


def test_arrays():
    notation = Notation(load_profile("S4"), DEPTH)
    weight, delta, bias = (Leaf(base, 2, Axis(2), Axis(3)) for base in (WEIGHT, DELTA, BIAS))
    assert [notation.array(weight, batch).letter for batch in (False, True)] == ["W", "W"]
    assert [notation.array(delta, batch).letter for batch in (False, True)] == ["δ", "Δ"]
    assert [notation.array(bias, batch).letter for batch in (False, True)] == ["b", "b"]


def test_index_letters_never_meet():
    for name in profile_names():
        letters = Notation(load_profile(name), DEPTH).index_letters
        assert len(set(letters.values())) == len(letters)


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_tells_its_quantities_apart(name):
    printer = printers(load_profile(name))[1]
    quantities = [WEIGHT[2, 1, 2], BIAS[2, 1], PRE[2, 1], OUT[2, 1], OUT[1, 1], TARGET[1], DELTA[2, 1], ERROR, RATE]
    texts = [printer(quantity).text for quantity in quantities]
    assert len(set(texts)) == len(texts)


REFUSED = [
    ("layer_label = '{k}'", "notation mine: layer_label is '{k}'; expected one of [k], (k), k"),
    ("first_layer = 2", "notation mine: first_layer is 2; expected one of 0, 1"),
    ("first_layer = true", "notation mine: first_layer is True; expected one of 0, 1"),
    ("bold = 1", "notation mine: bold is 1; expected one of true, false"),
    ("vector = 'row'", "notation mine: unknown key 'vector'; did you mean 'vectors'?"),
    ("description = 3", "notation mine: description is 3; expected a text"),
    ("letters = 3", "notation mine: letters is 3; expected a table [letters]"),
    ("[letters]\ndelta = 3", "notation mine: letters.delta is 3; expected a text"),
    (
        "[letters]\ndelta = '$'",
        "notation mine: letters.delta is '$'; expected a Latin or Greek letter, ∇ or a short word",
    ),
    ("[letters]\nwieght = 'v'", "notation mine: unknown key in [letters] 'wieght'; did you mean 'weight'?"),
    (
        "[letters]\nerror = 'E_four'",
        "notation mine: letters.error is 'E_four'; expected a Latin or Greek letter, ∇ or a short word",
    ),
    (
        "[letters]\nerror = '_n'",
        "notation mine: letters.error is '_n'; expected a Latin or Greek letter, ∇ or a short word",
    ),
    ("bias = 'weights'", "notation mine: bias is 'weights'; expected one of vector, weight, threshold"),
    ("delta_sign = -1", "notation mine: delta_sign is -1; expected one of positive, negative"),
    ("update = 'sgd'", "notation mine: update is 'sgd'; expected one of gradient, delta"),
    ("hadamard = '*'", "notation mine: hadamard is '*'; expected one of ⊙, ∘, diag"),
    ("chain_order = 'left'", "notation mine: chain_order is 'left'; expected one of numerator, denominator, both"),
    ("[reductions]\nbatch = 'average'", "notation mine: reductions.batch is 'average'; expected one of sum, mean"),
    (
        "[reductions]\nlayer = 'sum'",
        "notation mine: unknown key in [reductions] 'layer'; expected one of batch, outputs",
    ),
    ("[indices]\nfrom = 'ii'", "notation mine: indices.from is 'ii'; expected one small letter a-z"),
    ("[indices]\nfrom = 'j'", "notation mine: indices.from and indices.to are both 'j'; expected two letters"),
]


@pytest.mark.parametrize(("toml", "message"), REFUSED, ids=lambda value: value.splitlines()[-1][:30])
def test_refusals_name_the_key(toml, message):
    with pytest.raises(ProfileError) as refusal:
        profile_from_toml(toml, "mine")
    assert str(refusal.value) == message


def test_unknown_and_unreadable_profiles(tmp_path):
    with pytest.raises(ProfileError, match=r"^unknown notation 'S9'; expected one of S1, S2"):
        load_profile("S9")
    with pytest.raises(ProfileError, match=r"No such file or directory$"):
        load_profile(str(tmp_path / "none.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff")
    with pytest.raises(ProfileError, match=r"it is not UTF-8 text$"):
        load_profile(str(broken))
    with pytest.raises(ProfileError, match=r"^notation mine: not valid TOML: ") as refusal:
        profile_from_toml("a = ", "mine")
    assert "\n" not in str(refusal.value)


def test_a_profile_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[letters]\ndelta = 'ε'\n", encoding="utf-8")
    profile = load_profile(str(path))
    assert profile.name == "mine"
    assert printers(profile)[1](DELTA[2, 1]).text == "ε₁⁽²⁾"


def test_the_case_of_a_name_does_not_matter():
    assert load_profile("s4") == load_profile("S4")
    assert load_profile("Nielsen").name == "nielsen"


# The same quantities where a profile has a rule of its own.
RULES = [
    ("haykin", WEIGHT[1, 0, 2], "w^{(1)}_{20}", "w₂₀⁽¹⁾"),
    ("haykin", BIAS[1, 2], "w^{(1)}_{20}", "w₂₀⁽¹⁾"),
    ("haykin", DELTA[2, 1], r"-\delta^{(1)}_1", "−δ₁⁽¹⁾"),
    ("goodfellow", OUT[4, 1], r"\hat{y}_1", "ŷ₁"),
    ("deeplearning_ai", PRE[2, 1], "z^{[1]}_1", "z₁^[1]"),
    ("nielsen", ERROR, "C_x", "Cₓ"),
    ("haykin", OBJECTIVE, r"E_{\mathrm{av}}", "Eₐᵥ"),
    ("ng", RATE, r"\alpha", "α"),
    ("ng", sp.Symbol("alpha"), r"\alpha_0", "α₀"),
    ("S1", sp.Symbol("alpha"), r"\alpha", "α"),
]


@pytest.mark.parametrize(("profile", "expr", "latex", "text"), RULES, ids=str)
def test_names_under_a_profiles_own_rules(profile, expr, latex, text):
    assert [printer(expr).text for printer in printers(load_profile(profile))] == [latex, text]


def test_labels_name_what_the_profile_writes():
    notation = Notation(load_profile("haykin"), DEPTH)
    assert (notation.entry(BIAS[1, 2]).letter, notation.entry(BIAS[1, 2]).units) == ("w", (2, 0))
    assert notation.entry(DELTA[2, 1]).letter == "δ"
    threshold = Notation(profile_from_toml("bias = 'threshold'", "mine"), DEPTH)
    assert threshold.entry(BIAS[1, 2]).letter == threshold.array(Leaf(BIAS, 1, None, Axis(2)), batch=True).letter == "θ"


def test_arrays_with_a_unit_0():
    notation = Notation(load_profile("haykin"), DEPTH)
    whole = Leaf(WEIGHT, 2, Axis(3), Axis(2, constant=True))
    bias = Leaf(BIAS, 2, Axis(3), None)
    assert notation.array(whole, batch=True).letter == "W\u0303"
    assert (notation.array(bias, batch=True).letter, notation.array(bias, batch=True).units) == ("w", (0,))


def test_what_has_no_notation_is_not_printed():
    notation = Notation(load_profile("S1"), DEPTH)
    with pytest.raises(UnsupportedExpression, match=r"no notation for the symbol"):
        notation.symbol(sp.Symbol(r"\input{x}"))
    with pytest.raises(UnsupportedExpression, match=r"no notation for the function"):
        notation.function("f}")


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ('"forward"', "sections is 'forward'; expected a list of names"),
        ('["forward", "matrx"]', "sections: unknown part 'matrx'; did you mean 'matrix'?"),
        ('["forward", "forward"]', "sections names 'forward' twice; expected each part once"),
        (
            '["forward", "error", "start", "slopes", "output", "delta", "matrix", "numbers"]',
            "sections leaves out 'update'; only these can be left out: arrays, back, chains, procedure",
        ),
    ],
)
def test_the_parts_of_a_document_are_checked(sections, message):
    with pytest.raises(ProfileError) as refusal:
        profile_from_toml(f"sections = {sections}", "mine")
    assert str(refusal.value) == f"notation mine: {message}"


def test_a_profile_orders_the_parts_of_its_documents():
    kept = [key for key in SECTIONS if key not in OPTIONAL_SECTIONS]
    mine = profile_from_toml(f"sections = {['update', *kept[:-2], kept[-1]]}", "mine")
    derivation = BackpropDerivation(api.derive("S1").derivation, mine)
    text = derivation.files(["md"])["derivation.md"]
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert headings[1:4] == ["The update", "Forward pass", "The error"]
    assert "Vectors and matrices" not in headings and "The algorithm" not in headings
    numbers = [int(n) for n in re.findall(r"\\text\{\((\d+)\)\}", text)]
    assert numbers == sorted(numbers)
    assert derivation.check().ok
    cited = {int(n) for n in re.findall(r"# \((\d+)\)", derivation.code["gradients.py"])}
    assert cited and cited <= set(range(1, max(numbers) + 20))

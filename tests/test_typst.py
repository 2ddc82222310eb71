"""Typst: the same equations as LaTeX, and documents whose lines all fit the page."""

import re
from dataclasses import replace
from functools import cache

import pytest
import sympy as sp
from sympy import Symbol

from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.derive import derive
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import DELTA, ERROR, FROM, OUT, PRE, TARGET, TO, WEIGHT
from symbackprop.network.read import load, network
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile
from symbackprop.render import pdf
from symbackprop.render.detail import FULL, LEVELS
from symbackprop.render.document import render
from symbackprop.render.formats import FORMATS
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.paired import PairedMarkup, alternative, pair, shown
from symbackprop.render.typst import TypstMarkup, tokens
from symbackprop.render.typst_page import TYPST
from symbackprop.render.view import View
from symbackprop.resources import examples

NETWORKS = {
    "bce": {"layers": "2-3-1", "activation": "sigmoid", "loss": "ce"},
    "softmax": {"layers": "4-3-3", "activation": "tanh", "loss": "ce", "notation": "S4"},
    "kinks": {"layers": "3-2-2", "activation": ["relu", "elu"], "loss": "huber"},
    "penalty": {
        "layers": "2-2-2",
        "activation": ["gelu", "silu"],
        "loss": "mae",
        "penalty": {"kind": "l2", "strength": "lambda", "form": "half_mean", "biases": True},
    },
    "wide": {"layers": "8-16-16-4", "activation": "sigmoid", "loss": "mse"},
}
MODERATE = [*examples(), "bce", "softmax", "kinks", "penalty"]


@cache
def derived(name):
    spec = load(examples()[name]) if name in examples() else network(**NETWORKS[name])
    return derive(forward_graph(spec))


def profile_of(name, notation=None):
    return load_profile(notation or derived(name).graph.spec.notation)


def source(name, notation=None, detail=FULL):
    pages = render(derived(name), None, profile_of(name, notation), ["typ"], view=View(detail))
    return pages["derivation.typ"]


PRINTED = [
    (OUT[3, 1] - TARGET[1], r"a_(1) \[ 3 \] − t_(1)"),
    ((OUT[3, 1] - TARGET[1]) ** 2 / 2, r"inline((1)/(2)) thin \(a_(1) \[ 3 \] − t_(1)\)^(2)"),
    (Apply(Symbol("g"), sp.Integer(1), PRE[2, 1]), r"g^(′)\(z_(1) \[ 2 \]\)"),
    (Partial(ERROR, WEIGHT[1, 1, 2]), r" (d E)/(d w_(12) \[ 1 \])"),
    (DELTA[2, TO] * OUT[1, FROM], r"δ_(j) \[ 2 \] thin x_(i)"),
    (1 / (1 + sp.exp(-Z)), r" (1)/(1 + e^(−z))"),
    (sp.Max(0, Z), r'op("max")\(0\, z\)'),
    (sp.Piecewise((Z, Z > 0), (0, True)), 'cases(z & "if " z > 0, 0 & "otherwise")'),
    (sp.sqrt(2) * sp.log(Z), r'√(2) thin op("ln") z'),
]


@pytest.mark.parametrize(("formula", "text"), PRINTED, ids=[text for _, text in PRINTED])
def test_formulas_as_typst_writes_them(formula, text):
    assert FormulaPrinter(Notation(load_profile("S1"), depth=3), TypstMarkup())(formula).text == text


def test_scripts_are_taken_apart():
    # Letters that touch would be one name to Typst, and a comma would part arguments.
    assert tokens("10,2") == r"10 \, 2"
    assert tokens("l-1") == "l − 1"


def test_two_markups_at_once_are_each_as_if_alone():
    notation = Notation.of(profile_of("S4"), derived("S4").graph)
    both, first, second = (
        FormulaPrinter(notation, markup)
        for markup in (PairedMarkup(TypstMarkup(), LatexMarkup()), TypstMarkup(), LatexMarkup())
    )
    steps = [side for step in derived("S4").steps for side in (step.left, step.right) if isinstance(side, sp.Expr)]
    assert len(steps) > 100
    for side in steps:
        printed = both(side)
        assert shown(printed.text) == first(side).text
        assert alternative(printed.text) == second(side).text
        assert not printed.parts or "".join(part.text for part in printed.parts) == printed.text
    assert shown(pair("a", "b") + "c") + alternative(pair("a", "b") + "c") == "acbc"


# The two routes, each brought to plain letters: what must agree is every letter, sign and printed bracket, in order.
LATEX_TO_PLAIN = [
    (r"\(", "⟨"),
    (r"\)", "⟩"),
    (r"\\(?:begin|end)\{(?:cases|bmatrix)\}|\\\\|&|\\(?:left|right|Bigl|Bigr)(?![a-z])", ""),
    (r"\\,", " "),
    (r"\\text\{([^}]*)\}", r"(\1)"),
    (r"\\(?:t?frac|mathrm|mathbf|mathsf|boldsymbol|sqrt|fitted)(?![a-z])", ""),
    (r"\\[lr](vert|\|)|\\(?:left|right)\|", "|"),
    (r"([_^])([^{\\ ])", r"\1{\2}"),
    (r"([_^])(\\[a-z]+)", r"\1{\2}"),
    (r"'+", lambda found: f"^{{{'′' * len(found[0])}}}"),
]
LETTERS = {
    "partial": "∂", "sum": "∑", "cdot": "⋅", "odot": "⊙", "circ": "∘", "leftarrow": "←", "le": "≤", "ge": "≥",
    "ne": "≠", "top": "⊤", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eta": "η", "lambda": "λ",
    "tau": "τ",
    "sigma": "σ", "varphi": "φ", "varepsilon": "ε", "pi": "π", "Delta": "Δ", "theta": "θ", "Phi": "Φ", "mu": "μ",
    "lvert": "|", "rvert": "|",
}  # fmt: skip
TYPST_TO_PLAIN = [
    (r"lr\(\\\(, size: #1\.8em\)|\\\(", "⟨"),
    (r"lr\(\\\), size: #1\.8em\)|\\\)", "⟩"),
    (r"lr\(\| (.*?) \|\)", r"|\1|"),
    (r'mat\(delim: "\["', "mat("),
    (r'"([^"]*)"', r"(\1)"),
    (r"\b(?:thin|op|sans|bold|inline|cases|mat|lr)\b|√|\)/\(", lambda found: ")(" if found[0] == ")/(" else ""),
    (r"\\", ""),
]


def plain(text, rules):
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    text = re.sub(r"\\([A-Za-z]+)", lambda found: LETTERS.get(found[1], found[1]), text)
    text = re.sub(r"[\s,;&{}]", "", text.replace("−", "-"))
    return re.sub(r"[()]", "", text)


def from_latex(tex):
    body = tex[tex.index(r"\begin{document}") :]
    found, line = [], ""
    for row in re.findall(r"^\\quad (.*)$", body, re.MULTILINE):
        formula, _, rest = row.partition(r"&& \reason")
        line += formula.replace(r"\notag", "").replace(r"\quad", "").removesuffix(r" \\")
        if rest:
            found.append((re.search(r"\\tag\{(\w+)\}", rest)[1], plain(line, LATEX_TO_PLAIN)))
            line = ""
    return found


def from_typst(typ):
    found, line = [], ""
    some = r"(none|\$.*?\$)"
    pattern = rf'^  \(left: {some}, sign: {some}, right: {some}, alt: .* number: (none|"\w+"), reason'
    for *parts, number in re.findall(pattern, typ, re.MULTILINE):
        line += "".join(part.strip("$") for part in parts if part != "none")
        if number != "none":
            found.append((number.strip('"'), plain(line, TYPST_TO_PLAIN)))
            line = ""
    return found


@pytest.mark.parametrize("name", MODERATE)
def test_latex_and_typst_show_the_same_equations(name):
    tex = render(derived(name), None, profile_of(name), ["tex"])["derivation.tex"]
    latex, typst = from_latex(tex), from_typst(source(name))
    assert len(latex) > 50
    assert typst == latex


def test_a_letter_that_differs_would_be_seen(monkeypatch):
    right = from_typst(source("S1"))
    monkeypatch.setattr(TypstMarkup, "transposed", lambda self, of, sign: of)
    wrong = from_typst(source("S1"))
    assert [n for n, _ in wrong] == [n for n, _ in right]
    assert wrong != right


@pytest.mark.parametrize("detail", LEVELS)
@pytest.mark.parametrize("name", ["S3", "softmax", "wide"])
def test_no_line_is_wider_than_the_page(name, detail):
    assert not pdf.set_pages(source(name, detail=detail)).overfull


def test_lines_that_are_too_wide_are_found_and_broken(monkeypatch):
    monkeypatch.setitem(FORMATS, "typ", replace(FORMATS["typ"], style=replace(TYPST, line=200.0)))
    fitted = source("kinks")
    assert not pdf.set_pages(fitted).overfull
    monkeypatch.setattr(pdf, "ROUNDS", 0)
    careless = source("kinks")
    assert pdf.set_pages(careless).cramped
    assert from_typst(fitted) == from_typst(careless)


ELEMENTWISE = [name for name, entry in ACTIVATIONS.items() if not entry.over_units and entry.value is not None]
OVER_UNITS = [name for name, entry in ACTIVATIONS.items() if entry.over_units]


@pytest.mark.parametrize("names", [ELEMENTWISE[n : n + 9] for n in range(0, len(ELEMENTWISE), 9)], ids=" ".join)
def test_every_activation_can_be_set(names):
    assert_set("-".join(["2"] * (len(names) + 1)), names)


@pytest.mark.parametrize("name", OVER_UNITS)
def test_every_activation_of_several_pre_activations_can_be_set(name):
    assert_set("2-2-3", [name, name])


def assert_set(sizes, activations):
    derivation = derive(forward_graph(network(sizes, activation=activations, loss="mse")), "none")
    typ = render(derivation, None, load_profile("S2"), ["typ"])["derivation.typ"]
    assert not pdf.set_pages(typ).overfull

"""Every id of the five source derivations is in its example's document: as mathematics, and as it is printed.

An equation is found in the derivation by its label. Its right side must be the source's formula, built here from the
network's quantities, and its printed line the golden one in ``golden/sources.toml``.
"""

import tomllib
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from sklearn.datasets import load_digits
from sympy import Integer, Sum, Symbol

from symbackprop import api
from symbackprop.calculus import rules
from symbackprop.calculus.indices import index
from symbackprop.calculus.inert import Apply, Chain, Partial, spelled_out
from symbackprop.catalogue.entries import STRENGTH, Z
from symbackprop.derivation.arrays import leaf
from symbackprop.derivation.matrix_terms import (
    ChainRule,
    Entries,
    Gradient,
    Hadamard,
    Map,
    Plus,
    Product,
    Scaled,
    Transpose,
)
from symbackprop.network.quantities import (
    BIAS,
    DELTA,
    ERROR,
    FROM,
    LAYER,
    NEXT_BIAS,
    NEXT_WEIGHT,
    OBJECTIVE,
    OUT,
    OUTPUT_UNIT,
    PRE,
    RATE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
    WEIGHT_CHANGE,
)
from symbackprop.notation.apply import Notation
from symbackprop.notation.named import GradientBase
from symbackprop.render.equations import all_sections, equation_numbers
from symbackprop.render.lines import is_update
from symbackprop.render.show import to_latex

GOLDEN = Path(__file__).with_name("golden") / "sources.toml"
i, j, k = FROM, TO, OUTPUT_UNIT
g, f, s = (Symbol(tag) for tag in ("g", "f", "sigmoid"))
E, J, eta, l_ = ERROR, OBJECTIVE, RATE, LAYER
LAMBDA = STRENGTH
NABLA = GradientBase(WEIGHT)


def w(l, a, b):
    return WEIGHT[l, a, b]


def z(l, a):
    return PRE[l, a]


def a(l, b):
    return OUT[l, b]


def d(l, b):
    return DELTA[l, b]


def value(tag, u):
    return Apply(tag, 0, u)


def slope(tag, u):
    return Apply(tag, 1, u)


def by(of, *rest):
    """The chain rule from ``of`` down: ∂of/∂u · ∂u/∂v · …"""
    return Chain(*(Partial(u, v) for u, v in pairwise((of, *rest))))


OTHER, Z_OUT = index("q"), Symbol("a", real=True)
x1, x2, t1 = OUT[1, 1], OUT[1, 2], TARGET[1]
e = sp.exp(-Z)

# id -> (label, left side, right side) of every equation that it names
SCALAR = {
    "S1-2": [
        ("forward.z.2.1", z(2, 1), w(1, 1, 1) * x1 + w(1, 2, 1) * x2),
        ("forward.a.2.1", a(2, 1), value(g, z(2, 1))),
        ("forward.z.2.2", z(2, 2), w(1, 1, 2) * x1 + w(1, 2, 2) * x2),
        ("forward.a.2.2", a(2, 2), value(g, z(2, 2))),
        ("forward.z.2.3", z(2, 3), w(1, 1, 3) * x1 + w(1, 2, 3) * x2),
        ("forward.a.2.3", a(2, 3), value(g, z(2, 3))),
        ("forward.z.3.1", z(3, 1), w(2, 1, 1) * a(2, 1) + w(2, 2, 1) * a(2, 2) + w(2, 3, 1) * a(2, 3)),
        ("forward.a.3.1", a(3, 1), value(g, z(3, 1))),
    ],
    "S1-3": [("error.units", E, (a(3, 1) - t1) ** 2 / 2)],
    "S1-4": [
        ("w11[2].chain", Partial(E, w(2, 1, 1)), by(E, a(3, 1), z(3, 1), w(2, 1, 1))),
        ("w11[2].factor.1", Partial(E, a(3, 1)), a(3, 1) - t1),
        ("w11[2].factor.2", Partial(a(3, 1), z(3, 1)), slope(g, z(3, 1))),
        ("w11[2].factor.3", Partial(z(3, 1), w(2, 1, 1)), a(2, 1)),
        ("w11[2].product", Partial(E, w(2, 1, 1)), (a(3, 1) - t1) * slope(g, z(3, 1)) * a(2, 1)),
        ("w21[2].product", Partial(E, w(2, 2, 1)), (a(3, 1) - t1) * slope(g, z(3, 1)) * a(2, 2)),
        ("w31[2].product", Partial(E, w(2, 3, 1)), (a(3, 1) - t1) * slope(g, z(3, 1)) * a(2, 3)),
    ],
    "S1-5": [
        ("output.delta.1", d(3, 1), (a(3, 1) - t1) * slope(g, z(3, 1))),
        *((f"w{n}1[2].folded", Partial(E, w(2, n, 1)), d(3, 1) * a(2, n)) for n in (1, 2, 3)),
    ],
    "S1-6": [
        ("w11[1].chain", Partial(E, w(1, 1, 1)), by(E, a(3, 1), z(3, 1), a(2, 1), z(2, 1), w(1, 1, 1))),
        *(
            (
                f"w{n}{m}[1].product",
                Partial(E, w(1, n, m)),
                (a(3, 1) - t1) * slope(g, z(3, 1)) * w(2, m, 1) * slope(g, z(2, m)) * a(1, n),
            )
            for m in (1, 2, 3)
            for n in (1, 2)
        ),
    ],
    "S1-7": [
        *((f"delta.2.{m}", d(2, m), d(3, 1) * w(2, m, 1) * slope(g, z(2, m))) for m in (1, 2, 3)),
        *((f"w{n}{m}[1].folded", Partial(E, w(1, n, m)), d(2, m) * a(1, n)) for m in (1, 2, 3) for n in (1, 2)),
    ],
    "S1-8": [(f"update.w.{l}", NEXT_WEIGHT[l, i, j], w(l, i, j) - eta * Partial(E, w(l, i, j))) for l in (1, 2)],
    "S2-1": [
        ("output.definition", d(3, k), Partial(E, z(3, k))),
        ("output.chain", Partial(E, z(3, k)), by(E, a(3, k), z(3, k))),
    ],
    "S2-2": [
        (
            "error.slope",
            None,
            (a(3, k) - TARGET[k]) / (a(3, k) * (1 - a(3, k))),
        )
    ],
    "S2-3": [
        ("slope.sigmoid.value", value(s, Z), 1 / (1 + e)),
        ("slope.sigmoid.algebra.1", e / (1 + e) ** 2, 1 / (1 + e) * (e / (1 + e))),
        ("slope.sigmoid.algebra.2", None, 1 / (1 + e) * ((1 + e - 1) / (1 + e))),
        ("slope.sigmoid.algebra.3", None, 1 / (1 + e) * (1 - 1 / (1 + e))),
        ("slope.sigmoid.output", None, value(s, Z) * (1 - value(s, Z))),
    ],
    "S2-4": [("output.delta", None, a(3, k) - TARGET[k])],
    "S2-5": [
        ("delta.2.shared", d(2, 1), by(E, a(3, 1), z(3, 1), a(2, 1), z(2, 1))),
        ("delta.2.output.1", None, d(3, 1) * w(2, 1, 1) * a(2, 1) * (1 - a(2, 1))),
    ],
    "S2-6": [
        ("gradient.w.2.named", NABLA[2, i, j], Partial(E, w(2, i, j))),
        ("gradient.w.2", NABLA[2, i, j], d(3, j) * a(2, i)),
        ("gradient.w.1.named", NABLA[1, i, j], Partial(E, w(1, i, j))),
        ("gradient.w.1", NABLA[1, i, j], d(2, j) * a(1, i)),
    ],
    "S2-7": [
        ("change.w.1", WEIGHT_CHANGE[1, i, j], -eta * NABLA[1, i, j]),
        ("change.w.1.applied", NEXT_WEIGHT[1, i, j], w(1, i, j) + WEIGHT_CHANGE[1, i, j]),
    ],
    "S3-2": [
        (
            "objective",
            J,
            E + Sum(LAMBDA / 2 * WEIGHT[l_, i, j] ** 2, (i, 1, SIZE[l_]), (j, 1, SIZE[l_ + 1]), (l_, 1, 2)),
        ),
        ("gradient.w.1.total", Partial(J, w(1, i, j)), d(2, j) * a(1, i) + LAMBDA * w(1, i, j)),
    ],
    "S4-3": [
        ("gradient.w.2.chain", Partial(E, w(2, i, j)), by(E, z(3, j), w(2, i, j))),
        ("forward.z.3", z(3, j), Sum(w(2, i, j) * a(2, i), (i, 1, SIZE[2])) + BIAS[2, j]),
        ("gradient.w.2.local", Partial(z(3, j), w(2, i, j)), a(2, i)),
        ("gradient.w.2.inserted", Partial(E, w(2, i, j)), Partial(E, z(3, j)) * a(2, i)),
    ],
    "S4-4": [
        ("gradient.b.2.local", Partial(z(3, j), BIAS[2, j]), Integer(1)),
        ("gradient.b.2.inserted", Partial(E, BIAS[2, j]), Chain(Partial(E, z(3, j)), 1)),
    ],
    "S4-5": [("output.definition", d(4, k), Partial(E, z(4, k)))],
    "S4-6": [
        ("update.w.2", NEXT_WEIGHT[2, i, j], w(2, i, j) - eta * Partial(E, w(2, i, j))),
        ("update.b.2", NEXT_BIAS[2, j], BIAS[2, j] - eta * Partial(E, BIAS[2, j])),
    ],
    "S4-7": [
        ("weight.unit", Partial(E, w(2, 2, 2)), by(E, z(3, 2), w(2, 2, 2))),
        ("weight.through", None, Chain(Partial(E, a(3, 2)), slope(f, z(3, 2)), a(2, 2))),
    ],
    "S5-2": [
        ("w11[2].chain", Partial(E, w(2, 1, 1)), by(E, a(3, 1), z(3, 1), w(2, 1, 1))),
        ("w11[2].factor.1", Partial(E, a(3, 1)), a(3, 1) - t1),
        ("w11[2].factor.2", Partial(a(3, 1), z(3, 1)), a(3, 1) * (1 - a(3, 1))),
        ("w11[2].factor.3", Partial(z(3, 1), w(2, 1, 1)), a(2, 1)),
    ],
}


def arrays(source):
    """The equations between arrays that an id names, in the layout of the source's notation."""
    derivation = derived(source)
    layout = derivation.profile.layout(batch=False)

    def array(base, layer):
        return leaf(base, layer, derivation.graph, layout)

    def applied(tag, of, order=0):
        u = Symbol("u", real=True)
        return Map(Apply(Symbol(tag), order, u), (u,), (of,))

    w1, w2, x = array(WEIGHT, 1), array(WEIGHT, 2), array(OUT, 1)
    z2, a2, z3, a3 = array(PRE, 2), array(OUT, 2), array(PRE, 3), array(OUT, 3)
    if source == "S2":
        nabla2, nabla1 = (replace(each, base=NABLA) for each in (w2, w1))
        return {
            "S2-6": [
                ("matrix.dw.2.named", nabla2, Gradient(w2)),
                ("matrix.dw.2", nabla2, Product(array(DELTA, 3), Transpose(a2))),
                ("matrix.dw.1", nabla1, Product(array(DELTA, 2), Transpose(x))),
            ],
            "S2-7": [("matrix.update.w.2", array(NEXT_WEIGHT, 2), Plus((w2, Scaled(-eta, nabla2))))],
        }
    if source == "S3":
        out = applied("f2", Product(applied("f1", Product(x, w1)), w2))
        chain = ChainRule((a3, z3, a2, w1))
        full = ChainRule((a3, z3, a2, z2, w1))
        return {
            "S3-1": [
                ("arrays.2.z", z2, Product(x, w1)),
                ("matrix.z.2", z2, Product(x, w1)),
                ("matrix.a.2", a2, applied("f1", z2)),
                ("chains.composed", a3, out),
            ],
            "S3-3": [("chains.w.1.by_layer", Gradient(w1), chain), ("chains.w.1", chain, full)],
            "S3-4": [("chains.w.1.reversed", Gradient(w1), ChainRule(full.leaves, denominator=True))],
        }
    if source == "S4":
        b1, b2, w3, z4, s4 = array(BIAS, 1), array(BIAS, 2), array(WEIGHT, 3), array(PRE, 4), array(OUT, 4)
        table = tuple(tuple(w(1, n, m) for n in range(1, 5)) for m in (1, 2))
        rows = tuple((sum(w(1, n, m) * a(1, n) for n in range(1, 5)) + BIAS[1, m],) for m in (1, 2))
        slopes = tuple(tuple(Partial(E, w(2, n, m)) for n in (1, 2)) for m in (1, 2))
        return {
            "S4-1": [
                ("matrix.z.2", z2, Plus((Product(w1, x), b1))),
                ("matrix.a.2", a2, applied("f", z2)),
                ("matrix.z.3", z3, Plus((Product(w2, a2), b2))),
                ("matrix.a.3", a3, applied("f", z3)),
                ("matrix.z.4", z4, Product(w3, a3)),
                ("matrix.a.4", s4, z4),
            ],
            "S4-2": [
                ("arrays.2.w", w1, Entries(table, w1.rows, w1.columns)),
                ("arrays.2.a", x, Entries(tuple((a(1, n),) for n in range(1, 5)), x.rows, None)),
                ("arrays.2.b", b1, Entries(tuple((BIAS[1, m],) for m in (1, 2)), b1.rows, None)),
                ("arrays.2.z.rows", None, Entries(rows, z2.rows, None)),
            ],
            "S4-5": [("chains.dw.2", Gradient(w2), Entries(slopes, w2.rows, w2.columns))],
        }
    b1, b2, d2, d3 = array(BIAS, 1), array(BIAS, 2), array(DELTA, 2), array(DELTA, 3)
    back = Product(Transpose(w2), d3)
    return {
        "S5-1": [
            ("matrix.z.2", z2, Plus((Product(w1, x), b1))),
            ("matrix.a.2", a2, applied("sigmoid", z2)),
            ("matrix.z.3", z3, Plus((Product(w2, a2), b2))),
            ("chains.delta.3", d3, Hadamard((Gradient(a3), applied("sigmoid", z3, 1)))),
            ("chains.delta.2", d2, Hadamard((back, applied("sigmoid", z2, 1)))),
            ("matrix.dw.2", Gradient(w2), Product(d3, Transpose(a2))),
            ("matrix.dw.1", Gradient(w1), Product(d2, Transpose(x))),
            ("matrix.db.2", Gradient(b2), d3),
            ("matrix.db.1", Gradient(b1), d2),
        ],
        "S5-2": [("chains.w.2", Gradient(w2), ChainRule((a3, z3, w2)))],
    }


@cache
def derived(source):
    return api.derive(source)


@cache
def steps_of(source):
    """Every step of the source's document by label, in the profile's layout, and its place."""
    derivation = derived(source)
    sections = all_sections(derivation.written, derivation.profile.layout(batch=False))
    return {step.label: step for section in sections for step in section.steps}


def expected(id_):
    rows = list(SCALAR.get(id_, ()))
    return rows + (arrays(id_[:2]).get(id_, []) if id_[:2] != "S1" else [])


def agrees(found, wanted):
    """The same formula: ordered products factor by factor, plain expressions by value, arrays node by node."""
    if isinstance(wanted, Chain):
        return isinstance(found, Chain) and found.args == wanted.args
    if isinstance(wanted, sp.Expr):
        return isinstance(found, sp.Expr) and sp.cancel(sp.expand(spelled_out(found) - wanted)) == 0
    return found == wanted


def printed(source, label):
    derivation = derived(source)
    notation, step = Notation.of(derivation.profile, derivation.graph), steps_of(source)[label]
    sign = {":=": ":=", "←": r"\leftarrow", "=": "="}[notation.profile.assign] if is_update(step.left) else "="
    return f"{to_latex(step.left, notation, batch=False)} {sign} {to_latex(step.right, notation, batch=False)}"


ARRAY_IDS = ("S3-1", "S3-3", "S3-4", "S4-1", "S4-2", "S4-5", "S5-1", "S5-2")
EQUATIONS = sorted({*SCALAR, *ARRAY_IDS})


@pytest.mark.parametrize("id_", EQUATIONS)
def test_the_equations_of_the_source_are_derived(id_):
    rows = expected(id_)
    assert rows
    for label, left, right in rows:
        step = steps_of(id_[:2])[label]
        assert left is None or agrees(step.left, left), (label, step.left, left)
        assert agrees(step.right, right), (label, step.right, right)
        if isinstance(right, sp.Expr):
            assert not agrees(step.right, Chain(2, *right.args) if isinstance(right, Chain) else 2 * right + 1)


# Of each id, the equation that is its own: not one that an earlier part of its source needs already.
KEYS = {
    "S1": [
        ("S1-2", "forward.z.2.1"),
        ("S1-3", "error.units"),
        ("S1-4", "w11[2].chain"),
        ("S1-5", "output.delta.1"),
        ("S1-6", "w11[1].chain"),
        ("S1-7", "delta.2.1"),
        ("S1-8", "update.w.1"),
    ],
    "S2": [
        ("S2-1", "output.chain"),
        ("S2-2", "error.slope"),
        ("S2-3", "slope.sigmoid.output"),
        ("S2-4", "output.delta"),
        ("S2-5", "delta.2.shared"),
        ("S2-6", "gradient.w.2"),
        ("S2-7", "change.w.1"),
    ],
    "S3": [
        ("S3-1", "arrays.2.z"),
        ("S3-2", "objective"),
        ("S3-3", "chains.w.1"),
        ("S3-4", "chains.w.1.reversed"),
    ],
    "S4": [
        ("S4-1", "forward.z.2"),
        ("S4-2", "arrays.2.w"),
        ("S4-3", "gradient.w.2.inserted"),
        ("S4-4", "gradient.b.2.inserted"),
        ("S4-5", "output.definition"),
        ("S4-6", "update.w.2"),
        ("S4-7", "weight.through"),
    ],
    "S5": [("S5-1", "matrix.z.2"), ("S5-2", "chains.w.2")],
}
HEADINGS = {  # what is no equation: the heading under which it stands, and its place among the others
    "S1": ["The network", "Forward pass", "The error", "Back through the layers, weight by weight", "The update"],
    "S2": ["The chain rule at the output", "Local derivatives", "The output layer", "The update"],
    "S3": ["Vectors and matrices", "The error", "The chain rule between arrays", "The update", "Checks", "Code"],
    "S4": ["Forward pass", "Vectors and matrices", "The update", "One weight and its paths"],
    "S5": ["The algorithm", "In matrix form", "The chain rule between arrays", "Code"],
}


@pytest.mark.parametrize("source", KEYS)
def test_the_parts_of_a_source_come_in_its_order(source):
    places = {label: n for n, label in enumerate(steps_of(source))}
    found = [places[label] for _, label in KEYS[source]]
    assert found == sorted(found)
    markdown = files(source)["derivation.md"]
    lines = [markdown.index(f"\n## {heading}\n") for heading in HEADINGS[source]]
    assert lines == sorted(lines)
    named = {id_ for id_, _ in KEYS[source]}
    assert named == {id_ for id_ in EQUATIONS if id_.startswith(source)}


@pytest.mark.parametrize("source", ["S1", "S2"])
def test_what_a_source_leaves_out_is_left_out(source):
    sections = {section.key for section in all_sections(derived(source).written, derived(source).profile.layout(False))}
    assert {"arrays", "chains"}.isdisjoint(sections)
    assert "matrix" in sections  # which the generated code cites
    assert "rrays" not in files(source)["derivation.md"].split("## Code")[0].replace("every array", "")


@pytest.mark.parametrize("id_", EQUATIONS)
def test_a_wrong_equation_and_a_missing_one_are_seen(id_, monkeypatch):
    """Each equation is changed once, then taken away: the conformance test fails both times."""
    known = steps_of(id_[:2])
    for label, _, _ in expected(id_):
        for twin in ({**known, label: replace(known[label], right=wrong(known[label].right))}, known.copy()):
            if twin[label] is known[label]:
                del twin[label]
            monkeypatch.setattr(f"{__name__}.steps_of", lambda source, twin=twin: twin)
            with pytest.raises((AssertionError, KeyError)):
                test_the_equations_of_the_source_are_derived(id_)


def wrong(right):
    """A right side with one thing changed: a factor 2, or an array transposed."""
    return 2 * spelled_out(right) + 1 if isinstance(right, sp.Expr) else Transpose(right)


@pytest.mark.parametrize("id_", EQUATIONS)
def test_the_equations_of_the_source_are_printed_as_it_prints_them(id_):
    lines = [printed(id_[:2], label) for label, _, _ in expected(id_)]
    assert lines == tomllib.loads(GOLDEN.read_text("utf-8"))[id_]


@cache
def files(source):
    return derived(source).files(["md", "tex"])


def rules_of(source, prefix):
    return [step.rule for label, step in steps_of(source).items() if label.startswith(prefix)]


def picture_of_the_network():
    tex = files("S1")["derivation.tex"]
    drawing = tex[tex.index(r"\begin{tikzpicture}") : tex.index(r"\end{tikzpicture}")]
    for entry in (*derived("S1").graph.weights(), OUT[1, 1], OUT[1, 2], OUT[2, 1], OUT[2, 3], OUT[3, 1]):
        assert to_latex(entry, Notation.of(derived("S1").profile, derived("S1").graph)) in drawing


def old_weights_in_every_delta():
    assert "computed with the weights as they were before the update" in files("S1")["derivation.md"]
    code = derived("S1").code["gradients.py"]
    assert "params[" not in code[code.index("delta3 =") : code.index("return float(error)")]


def exercises_left_to_the_reader():
    softmax = api.derive(api.network("2-3-3", activation="tanh", loss="ce", notation="S1")).derivation
    assert agrees(softmax.by_label["output.delta"].right, OUT[3, OTHER] - TARGET[OTHER])
    assert [use.key for use in softmax.by_label["output.delta"].assumptions] == ["targets_sum_to_one"]
    slopes = {"sigmoid": Z_OUT * (1 - Z_OUT), "tanh": 1 - Z_OUT**2}
    for name, form in slopes.items():
        derivation = api.derive(api.network("2-3-1", activation=name, loss="mse")).derivation
        step = derivation.by_label[f"slope.{name}.output"]
        assert agrees(step.right.subs(Apply(Symbol(name), 0, Z), Z_OUT), form)
    for name, below in (("relu", 0), ("leaky_relu", sp.Rational(1, 100))):
        derivation = api.derive(api.network("2-3-1", activation=name, loss="mse"))
        formula = derivation.derivation.slopes[Symbol(name)].formula.subs(derivation.graph.spec.parameters)
        assert (formula.subs(Z, 2), formula.subs(Z, -2)) == (1, below)


def steps_no_larger_than_the_sources():
    loss = rules_of("S2", "error.slope")
    for rule in (rules.SUM, rules.CONSTANT_FACTOR, rules.LOGARITHM_CHAIN, rules.LINEAR, rules.COMMON_DENOMINATOR):
        assert rule in loss
    inner = steps_of("S2")["error.slope.3"].right.atoms(Partial)
    assert inner == {Partial(1 - a(3, k), a(3, k))}  # the inner derivative stands before its value -1 is put in
    slope_rules = rules_of("S2", "slope.sigmoid")
    wanted = [rules.POWER_CHAIN, rules.EXPONENTIAL_CHAIN, rules.SPLIT_FACTORS, rules.ADD_AND_SUBTRACT, rules.RECOGNISE]
    assert [rule for rule in slope_rules if rule in wanted] == wanted
    assert rules_of("S2", "output.delta") == [rules.CANCEL, rules.FOUND]


def numbers_rules_and_zoomed_pictures():
    markdown, tex = (files("S2")[f"derivation.{kind}"] for kind in ("md", "tex"))
    for reason in ("derivative of log and chain rule", "derivative of exp and chain rule", "insert ("):
        assert reason in markdown
    assert tex.count(r"\begin{tikzpicture}") >= 4  # the network, the activation, a unit of each part
    assert "no local gradient" in markdown


def digits():
    data = load_digits()
    x, targets = data.data / 16, np.eye(10)[data.target]
    held_out = np.arange(len(x)) % 5 == 0
    net = api.network("64-20-10", activation="sigmoid", loss="bce", bias=False, notation="S2")
    module = api.derive(net, listing="none").compile()
    rng = np.random.default_rng(0)
    params = module.init_params(rng)
    train = np.flatnonzero(~held_out)
    for _ in range(60):
        for batch in np.array_split(rng.permutation(train), 40):
            _, grads = module.loss_and_gradients(params, x[batch], targets[batch])
            params = module.update(params, grads, 2.0)
    answers = module.forward(params, x[held_out])["a3"].argmax(axis=1)
    assert (answers == data.target[held_out]).mean() > 0.93


def analytic_and_numeric():
    derivation = derived("S3")
    assert {"gradients.py", "scalar_gradients.py"} <= set(derivation.code)
    assert derivation.check().ok
    assert any(row.error is not None and row.error < 1e-6 for row in derivation.check().numeric)


def gradient_descent_as_an_algorithm(source="S4"):
    markdown = files(source)["derivation.md"]
    algorithm = markdown[markdown.index("## The algorithm") :]
    places = [algorithm.index(f"\n{n}. ") for n in range(1, 8)]
    assert places == sorted(places)
    assert "small random value" in algorithm
    assert "until the termination condition is met" in algorithm


def path_of_the_chosen_weight():
    tex = files("S4")["derivation.tex"]
    part = tex[tex.index(r"\section{One weight and its paths}") :]
    assert r"\begin{tikzpicture}" in part
    assert r"w^{(2)}_{22}" in part[: part.index(r"\end{tikzpicture}")]


def one_layer_label_throughout():
    assert "label of the layer it leaves" in files("S4")["derivation.md"]


def code_beside_the_equations():
    numbers = equation_numbers(derived("S5").written)
    code = derived("S5").code["gradients.py"]
    shown = files("S5")["derivation.md"].split("```python")[1]
    for line, label in (
        ("z2 = a1 @ W2.T + b2", "matrix.z.3"),
        ("delta2 = (a2 - y) * a2 * (1 - a2)", "matrix.delta.3"),
        ("delta1 = (delta2 @ W2) * a1 * (1 - a1)", "matrix.delta.2"),
        ("dW2 = delta2.T @ a1 / n", "matrix.dw.2"),
        ("db2 = delta2.sum(axis=0) / n", "matrix.db.2"),
    ):
        for text in (code, shown):
            assert f"    {line}  # ({numbers[label]})\n" in text
    assert "kept without the factor that a weight carries, because the bias" in files("S5")["derivation.md"]


def xor():
    module = derived("S5").compile()
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    y = np.array([[0], [1], [1], [0]], dtype=float)
    for seed in range(5):
        params = module.init_params(np.random.default_rng(seed))
        for _ in range(6000):
            _, grads = module.loss_and_gradients(params, x, y)
            params = module.update(params, grads, 5.0)
        if (np.round(module.forward(params, x)["a2"]) == y).all():
            return
    pytest.fail("no start out of five learns XOR")


OTHERS = {
    "S1-1": picture_of_the_network,
    "S1-8": old_weights_in_every_delta,
    "S1-9": exercises_left_to_the_reader,
    "S2-2": steps_no_larger_than_the_sources,
    "S2-8": numbers_rules_and_zoomed_pictures,
    "S2-9": digits,
    "S3-5": analytic_and_numeric,
    "S4-3": one_layer_label_throughout,
    "S4-6": gradient_descent_as_an_algorithm,
    "S4-7": path_of_the_chosen_weight,
    "S5-1": lambda: gradient_descent_as_an_algorithm("S5"),
    "S5-3": code_beside_the_equations,
    "S5-4": xor,
}


@pytest.mark.parametrize("id_", OTHERS)
def test_what_the_source_does_besides_equations_is_done(id_):
    OTHERS[id_]()


def test_no_id_is_missing():
    counts = {"S1": 9, "S2": 9, "S3": 5, "S4": 7, "S5": 4}
    assert {*EQUATIONS, *OTHERS} == {f"{source}-{n}" for source, last in counts.items() for n in range(1, last + 1)}
    assert {id_ for id_ in EQUATIONS if not expected(id_)} == set()


@pytest.mark.parametrize("source", ["S1", "S2", "S3", "S4", "S5"])
def test_everything_in_a_sources_document_is_proved(source):
    assert derived(source).check().ok

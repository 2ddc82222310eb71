"""Pictures: everything is there, nothing overlaps, the right things are highlighted, and every markup can be read."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from itertools import combinations, pairwise
from math import dist
from pathlib import Path
from xml.etree import ElementTree

import pytest
from networks import NETWORKS, derived
from sympy import Symbol, diff

from symbackprop.calculus.indices import Entry
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.derive import derive
from symbackprop.derivation.paths import count_paths, paths
from symbackprop.errors import SpecError
from symbackprop.network.addresses import entry_at
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, PRE, WEIGHT
from symbackprop.network.read import network
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile, profile_names
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.picture.draw import EMITTERS, picture_for, picture_of, unit_picture
from symbackprop.render.picture.error_plot import error_picture
from symbackprop.render.picture.highlight import highlight
from symbackprop.render.picture.placing import Span
from symbackprop.render.picture.plots import activation_picture
from symbackprop.render.picture.shapes import Tone

SHAPES = {
    **NETWORKS,
    "S4": {"layers": "4-2-2-1", "activation": "g", "loss": "mse", "bias": [True, True, False]},
    "small": {"layers": "2-2-1", "activation": "sigmoid", "loss": "mse"},
    "three": {"layers": "3-3-3", "activation": "relu", "loss": "ce"},
    "wide": {"layers": "8-16-16-4", "activation": "relu", "loss": "ce"},
}
ROUNDING = 2e-3


@cache
def drawn(name, profile, kind, weight):
    return picture_of(derivation(name), load_profile(profile), kind=kind, weight=weight)


@cache
def derivation(name):
    return derived(name) if name in NETWORKS else derive(forward_graph(network(**SHAPES[name])), "none")


CASES = [
    *[(name, "S1", "network", None) for name in SHAPES],
    *[("S4", profile, "network", None) for profile in profile_names()],
    *[("three", profile, "path", "w13[1]") for profile in profile_names()],
    *[(name, "S1", kind, "w21[1]") for name in SHAPES for kind in ("network", "path", "zoom")],
    *[(name, "S4", kind, "b1[1]") for name in ("S4", "softmax", "wide") for kind in ("network", "path", "zoom")],
    ("wide", "S1", "path", "w1,12[2]"),
    ("wide", "S1", "zoom", "w12,3[3]"),
    *[(name, "S2", "block", None) for name in ("small", "wide", "deep")],
]
every_picture = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
NETWORK_CASES = [case for case in CASES if case[2] in ("network", "path")]


@pytest.mark.parametrize("case", NETWORK_CASES, ids=lambda case: "-".join(map(str, case)))
def test_every_unit_and_every_weight_is_there_once(case):
    picture, graph = drawn(*case), derivation(case[0]).graph
    units = [str(OUT[l, unit]) for l in range(1, graph.depth + 1) for unit in graph.units(l)]
    assert sorted(n.entry for n in picture.nodes if n.kind in ("input", "unit", "output")) == sorted(units)
    edges = [line.entry for line in picture.edges if line.kind in ("weight", "bias")]
    assert sorted(edges) == sorted(map(str, (*graph.weights(), *graph.biases())))


@pytest.mark.parametrize("name", [name for name in SHAPES if max(derivation(name).graph.spec.sizes) <= 3])
def test_small_networks_have_a_label_on_every_weight(name):
    assert all(line.label is not None for line in drawn(name, "S1", "network", None).edges)


@every_picture
def test_no_label_lies_on_another_or_on_a_circle(case):
    picture = drawn(*case)
    assert picture.all_labels
    for one, other in combinations(picture.all_labels, 2):
        assert not one.box.meets(other.box), (one.entry, other.entry)
    for label in picture.all_labels:
        on = [node.entry for node in picture.nodes if node.label is not label and node.box.meets(label.box)]
        assert not on, (label.entry, on)


@every_picture
def test_no_line_runs_through_a_label_and_all_is_within_the_picture(case):
    picture = drawn(*case)
    spans = [(line.entry, Span(a, b)) for line in picture.lines for piece in line.pieces for a, b in pairwise(piece)]
    for label in picture.all_labels:
        assert not [entry for entry, span in spans if span.inside(label.box.grown(-0.01))], label.entry
        box = label.box
        assert min(box.left, box.top) >= 0
        assert box.right <= picture.width
        assert box.bottom <= picture.height


@every_picture
def test_edges_end_on_circles(case):
    picture = drawn(*case)
    circles = [node for node in picture.nodes if node.round]
    boxes = [node for node in picture.nodes if not node.round]

    def on_a_border(point):
        on_circle = any(abs(dist(point, node.at) - node.width / 2) < ROUNDING for node in circles)
        return on_circle or any(
            abs(abs(point[0] - node.at[0]) - node.width / 2) < ROUNDING
            or abs(abs(point[1] - node.at[1]) - node.height / 2) < ROUNDING
            for node in boxes
        )

    for line in picture.edges:
        if line.kind in ("weight", "bias", "activation", "error"):
            assert on_a_border(line.start), line.entry
            assert on_a_border(line.end), line.entry


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "wide"])
def test_what_is_lit_are_the_weights_of_the_paths(name):
    graph = derivation(name).graph
    for of in (*list(graph.weights())[::2], *graph.biases()):
        walked = {of} | {
            WEIGHT[below.indices[0], below.indices[1], above.indices[1]]
            for path in paths(graph, of)
            for above, below in pairwise(path)
            if isinstance(above, Entry) and above.base == PRE and below.base == OUT
        }
        passed = {
            entry for path in paths(graph, of) for entry in path if isinstance(entry, Entry) and entry.base == OUT
        }
        for kind in ("network", "path") if of.indices[-1] == 1 else ("path",):
            picture = drawn(name, "S1", kind, str(of))
            lit = [line for line in picture.edges if line.tone == Tone.LIT and line.kind in ("weight", "bias")]
            assert {line.entry for line in lit} == set(map(str, walked))
            source = set() if of.base == BIAS else {str(OUT[of.indices[0], of.indices[1]])}
            units = {n.entry for n in picture.nodes if n.tone == Tone.LIT and n.kind in ("input", "unit", "output")}
            assert units == set(map(str, passed)) | source


def test_paths_too_many_to_list_are_lit_all_the_same():
    graph = forward_graph(network([9] * 12, activation="relu", loss="mse"))
    of = entry_at("w11[1]", graph.spec)
    assert count_paths(graph, of) == 9**10
    assert len(highlight(graph, of).weights) == 1 + 9 + 9 * 81


@pytest.mark.parametrize(("name", "weight"), [("S1", "w12[1]"), ("softmax", "w23[1]"), ("deep", "w11[1]")])
def test_delta_comes_back_to_the_unit_that_the_weight_feeds(name, weight):
    picture, graph = drawn(name, "S1", "path", weight), derivation(name).graph
    of = entry_at(weight, graph.spec)
    outputs = [out for out in highlight(graph, of).outputs if out.indices[0] > of.indices[0]]
    deltas = {label.entry for label in picture.labels if label.tone == Tone.BACK}
    assert deltas == {f"delta{out.indices[1]}[{out.indices[0]}]" for out in outputs}
    for arrow in picture.arrows:
        forward = next(line for line in picture.edges if f"back-{line.entry}" == arrow.entry)
        assert (forward.end[0] - forward.start[0]) * (arrow.end[0] - arrow.start[0]) < 0


def test_large_networks_are_drawn_as_blocks():
    large = derive(forward_graph(network("784-128-10", activation="relu", loss="ce")))
    picture = picture_of(large, load_profile("S4"))
    assert [node.entry for node in picture.nodes] == ["layer[1]", "layer[2]", "layer[3]", "E"]
    shown = [(label.entry, label.marks[0].letter, label.marks[0].label) for label in picture.labels]
    assert ("n[1]", "784", "") in shown
    assert ("W[2]", "W", "(2)") in shown
    deep = derive(forward_graph(network([3] * 50, activation="tanh", loss="mse")))
    assert sum(node.kind == "block" for node in picture_of(deep, load_profile("S1")).nodes) == 4


def test_a_unit_is_taken_apart():
    picture = unit_picture(derivation("softmax"), load_profile("S4"), 2, 3)
    assert {line.entry for line in picture.edges if line.kind in ("weight", "bias")} == {
        "w13[1]", "w23[1]", "b3[1]", "w31[2]", "w32[2]", "w33[2]",
    }  # fmt: skip
    assert {node.entry for node in picture.nodes if node.kind == "pre"} == {"z3[2]", "z1[3]", "z2[3]", "z3[3]"}


# Markups


@every_picture
def test_svg_is_xml_with_an_id_and_the_address_on_everything(case):
    name, profile, kind, weight = case
    text = picture_for(derivation(name), load_profile(profile), kind=kind, weight=weight, markup="svg")
    root = ElementTree.fromstring(text)
    identities = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(identities) == len(set(identities))
    entries = [element.get("data-entry") for element in root.iter("{http://www.w3.org/2000/svg}g")]
    picture = drawn(*case)
    assert text == EMITTERS["svg"](picture)
    assert {line.entry for line in picture.lines} | {node.entry for node in picture.nodes} <= set(entries)
    assert root.find("{http://www.w3.org/2000/svg}title").text
    assert root.find("{http://www.w3.org/2000/svg}desc").text
    assert "nan" not in text


@pytest.mark.parametrize("profile", profile_names())
def test_names_are_those_of_the_formulas(profile):
    graph = derivation("S4").graph
    printed = FormulaPrinter(Notation.of(load_profile(profile), graph), LatexMarkup())
    text = picture_for(derivation("S4"), load_profile(profile), kind="path", weight="b1[1]", markup="tikz")
    whole = picture_for(derivation("S4"), load_profile(profile), markup="tikz")
    for entry in (*graph.weights(), *graph.biases(), OUT[1, 4], OUT[2, 2], OUT[4, 1]):
        assert f"{{${printed(entry).text.removeprefix('-')}$}}" in whole
    for entry in (DELTA[2, 1], DELTA[3, 2], DELTA[4, 1], ERROR):
        assert f"{{${printed(entry).text.removeprefix('-')}$}}" in text


def test_a_name_in_svg_and_typst():
    root = ElementTree.fromstring(picture_for(derivation("S1"), load_profile("S1"), markup="svg"))
    (group,) = (element for element in root.iter() if element.get("data-entry") == "w31[2]")
    texts = [(text.text, float(text.get("x"))) for text in group.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text, _ in texts] == ["w", "31", "[2]"]
    assert texts == sorted(texts, key=lambda text: text[1])
    assert '$w_"31""[2]"$' in picture_for(derivation("S1"), load_profile("S1"), markup="typst")
    assert '$w_"13"^"(2)"$' in picture_for(derivation("S1"), load_profile("S4"), markup="typst")


HOSTILE = '</title><script>alert(1)</script> & "quotes" \\input{/etc/passwd} #read("x") $x$'


def test_titles_are_only_words():
    graph = forward_graph(network(**{**SHAPES["S1"], "title": HOSTILE}))
    hostile, plain = derive(graph, "none"), derivation("S1")
    text = picture_for(hostile, load_profile("S1"), markup="svg")
    root = ElementTree.fromstring(text)
    assert root.find("{http://www.w3.org/2000/svg}title").text == HOSTILE
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    for markup in ("tikz", "typst"):
        pictures = [picture_for(d, load_profile("S1"), markup=markup) for d in (hostile, plain)]
        assert pictures[0] == pictures[1]


def a_selection(markup):
    """A picture of every kind in every profile, and plots, in one markup."""
    emit = EMITTERS[markup]
    for profile in profile_names():
        for kind, weight in (("network", None), ("path", "w22[2]"), ("zoom", "w22[2]"), ("block", None)):
            yield emit(drawn("softmax", profile, kind, weight))
    yield emit(drawn("wide", "S1", "path", "w1,12[2]"))
    for name in ("S1", "relu", "elu"):
        for tag in derivation(name).slopes:
            yield emit(activation_picture(derivation(name), load_profile("S4"), str(tag)))
    yield emit(error_picture(DIFFERENCES))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_tikz_compiles(tmp_path):
    # A page of its own for each, so that none is split.
    pages = "\n\\newpage\n".join(f"\\noindent\n{text}" for text in a_selection("tikz"))
    head = r"\documentclass{article}\usepackage[paperwidth=21cm,paperheight=40cm,margin=1.5cm]{geometry}"
    page = rf"{head}\usepackage{{amsmath,tikz}}\begin{{document}}{pages}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False
    )
    log = (tmp_path / "page.log").read_text(encoding="utf-8", errors="replace")
    assert ran.returncode == 0, log[-2000:]
    assert not re.search("Overfull|Missing character|undefined|Font Warning", log)


def test_typst_compiles(tmp_path):
    typst = pytest.importorskip("typst")
    source = "#set page(width: 18cm, height: 37cm, margin: 0cm)\n" + "#pagebreak()\n".join(a_selection("typst"))
    (tmp_path / "page.typ").write_text(source, encoding="utf-8")
    pdf = typst.compile(str(tmp_path / "page.typ"), ignore_system_fonts=True)
    assert pdf.startswith(b"%PDF")


def test_the_same_bytes_on_every_run():
    program = (
        "from symbackprop.derivation.derive import derive\n"
        "from symbackprop.network.forward import forward_graph\n"
        "from symbackprop.network.read import network\n"
        "from symbackprop.notation.profile import load_profile\n"
        "from symbackprop.render.picture.draw import picture_for\n"
        "d = derive(forward_graph(network('2-3-2', activation='tanh', loss='ce')), 'none')\n"
        "for markup in ('svg', 'tikz', 'typst'):\n"
        "    print(picture_for(d, load_profile('S1'), kind='path', weight='w12[1]', markup=markup))\n"
    )
    root = Path(__file__).resolve().parent.parent
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0]
    assert runs[0] == runs[1]


# Plots

DIFFERENCES = [(10.0**-k, 10.0 ** (-2 * k) + 1e-16 * 10.0**k) for k in range(1, 13)]
ACTIVATIONS = [(name, str(tag)) for name in NETWORKS for tag in derivation(name).slopes]


@pytest.mark.parametrize(("name", "tag"), ACTIVATIONS)
def test_a_plot_shows_the_function_and_the_derivative_that_sympy_finds(name, tag):
    slope, spec = derivation(name).slopes[Symbol(tag)], derivation(name).graph.spec
    picture = activation_picture(derivation(name), load_profile("S1"), tag)
    curves = {line.entry: line for line in picture.edges if line.kind == "curve"}
    value = slope.value.xreplace(spec.parameters)
    ticks = {label.entry: label for label in picture.labels if label.entry.startswith(("x-number", "y-number"))}

    def scale(axis, side):
        marks = sorted((float(l.marks[0].letter), l.at[side]) for l in ticks.values() if l.entry.startswith(axis))
        (low, start), (high, end) = marks[0], marks[-1]
        return lambda place: low + (place - start) / (end - start) * (high - low)

    x_of, y_of = scale("x-number", 0), scale("y-number", 1)
    for entry, function in (("value", value), ("slope", diff(value, Z))):
        points = [point for piece in curves[entry].pieces for point in piece[3:-3:4]]
        assert len(points) > 10
        for x, y in points:
            assert abs(float(function.subs(Z, x_of(x))) - y_of(y)) < 0.01


def test_kinks_are_marked_where_the_slope_jumps():
    relu = activation_picture(derivation("relu"), load_profile("S1"), "relu")
    assert [node.entry for node in relu.nodes] == ["kink-1", "slope-at-kink-1", "slope-beside-kink-1-1"]
    taken, beside = relu.nodes[1].at, relu.nodes[2].at
    assert taken[0] == beside[0]
    assert taken[1] > beside[1]  # 0 is taken, 1 is approached; y runs down
    elu = activation_picture(derivation("elu"), load_profile("S1"), "elu")
    assert [node.entry for node in elu.nodes] == ["kink-1"]  # with alpha = 1 the slope does not jump
    assert not activation_picture(derivation("tanh"), load_profile("S1"), "tanh").nodes


def test_plots_have_their_labels_apart():
    plots = [activation_picture(derivation(name), load_profile("S1"), tag) for name, tag in ACTIVATIONS]
    for picture in (*plots, error_picture(DIFFERENCES)):
        for one, other in combinations(picture.all_labels, 2):
            assert not one.box.meets(other.box), (picture.name, one.entry, other.entry)
        names = [label for label in picture.labels if label.entry.endswith("-name")]
        curves = [line for line in picture.edges if line.kind == "curve"]
        spans = [Span(a, b) for line in curves for piece in line.pieces for a, b in pairwise(piece)]
        assert not [label.entry for label in names if any(span.inside(label.box) for span in spans)]


def test_the_smallest_error_is_marked():
    picture = error_picture([*DIFFERENCES, (0.0, 1.0), (1e-13, 0.0)])
    assert len(picture.nodes) == len(DIFFERENCES)
    (best,) = (node for node in picture.nodes if node.tone == Tone.LIT)
    assert best.at[1] == max(node.at[1] for node in picture.nodes)
    with pytest.raises(ValueError, match="two points"):
        error_picture([(0.1, 0.0), (0.01, 1e-4)])


# Mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "pat"}, "unknown kind of picture 'pat'; did you mean 'path'?"),
        ({"markup": "tik"}, "unknown picture markup 'tik'; did you mean 'tikz'?"),
        ({"kind": "zoom"}, "a picture of the kind 'zoom' needs a weight; expected one like w11[1] or b1[1]"),
        ({"weight": "x1"}, "'x1' is no parameter of the network; expected one like w11[1]"),
        ({"weight": "w99[1]"}, "the network 2-3-1 has no 'w99[1]'; did you mean 'w23[1]'?"),
    ],
)
def test_mistakes_are_told_in_one_line(options, message):
    with pytest.raises(SpecError) as caught:
        picture_for(derivation("S1"), load_profile("S1"), **options)
    assert str(caught.value) == message


def test_what_has_no_graph_is_told():
    for name, tag, message in (
        ("S4", "g", "the activation g has no graph; expected one with a formula in z alone"),
        ("softmax", "softmax", "the activation softmax has no graph; expected one with a formula in z alone"),
        ("S1", "tanh", "unknown activation of this network 'tanh'; expected one of sigmoid"),
    ):
        with pytest.raises(SpecError) as caught:
            activation_picture(derivation(name), load_profile("S1"), tag)
        assert str(caught.value) == message
    with pytest.raises(SpecError, match="no unit 4 in layer 2"):
        unit_picture(derivation("S1"), load_profile("S1"), 2, 4)

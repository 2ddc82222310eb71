"""The page as text: self-contained, escaped, small, the same equations as the other documents."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from symbackprop import api
from symbackprop.calculus.indices import instantiate
from symbackprop.calculus.inert import Partial
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OUT, PRE, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile, profile_names
from symbackprop.render.equations import EquationWriter, equation_numbers
from symbackprop.render.formats import FORMATS
from symbackprop.render.html.about import AboutWriter
from symbackprop.render.html.about_folded import FoldedAboutWriter
from symbackprop.render.html.equations import mentioned
from symbackprop.render.html.factors import FactorMarks, came_from
from symbackprop.render.html.live import LiveWriter
from symbackprop.render.html.mathml import continued, mathml
from symbackprop.render.picture.highlight import highlight

LIMIT = 500_000
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Reader(HTMLParser):
    """Checks that elements close in order; gathers ids, links and addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.anchors, self.loads = [], [], [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.anchors.append(given["href"])
        elif "href" in given or "src" in given:
            self.loads.append((tag, given))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def pages():
    return {name: api.derive(name).files(["html", "md"]) for name in api.examples()}


@pytest.mark.parametrize("name", list(api.examples()))
def test_the_examples_pages_are_whole_and_small(pages, name):
    page = pages[name]["derivation.html"]
    assert len(page.encode()) < LIMIT
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert all(anchor.startswith("#") and anchor[1:] in reader.ids for anchor in reader.anchors)
    assert reader.loads == []
    assert not re.search(r"url\((?!\"data:)", page)


@pytest.mark.parametrize("name", list(api.examples()))
def test_the_page_has_the_equations_of_the_markdown_document(pages, name):
    page, markdown = pages[name]["derivation.html"], pages[name]["derivation.md"]
    numbers = re.findall(r'class="at">\((\w+)\)', page)
    assert numbers == re.findall(r"\\text\{\((\w+)\)\}\\quad", markdown)
    assert len(numbers) > 50


def test_the_same_network_gives_the_same_page():
    net = api.network("2-2-1", activation="tanh", loss="mse")
    assert api.derive(net).files(["html"]) == api.derive(net).files(["html"])


def test_a_hostile_title_stays_text():
    net = api.network("2-2-1", activation="tanh", loss="mse", title='</title><script>alert("1")</script>&amp;')
    page = api.derive(net).files(["html"])["derivation.html"]
    assert "<script>alert" not in page
    assert "&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;" in page


def known(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page)[1])


def test_in_a_large_network_layers_and_the_weights_between_them_can_be_selected():
    derivation = api.derive(api.network("20-30-5", activation="relu", loss="ce"))
    page = derivation.files(["html"])["derivation.html"]
    assert "function gradients" not in page
    about = known(page)["about"]
    assert set(about) == {"layer[1]", "layer[2]", "layer[3]", "W[1]", "W[2]"}
    assert about["W[1]"]["spoken"].endswith("600; paths from each to the error: 5")
    assert about["W[2]"]["spoken"].endswith("150; paths from each to the error: 1")
    assert set(about["W[2]"]["lit"]) >= {"W[2]", "b[2]", "layer[3]", "E"}
    assert not set(about["W[2]"]["lit"]) & {"W[1]", "layer[1]", "layer[2]"}
    numbers = equation_numbers(derivation.written)
    expected = [f"{numbers[f'matrix.{label}']}a" for label in ("dw.1", "db.1", "delta.2")]
    assert about["W[1]"]["equations"] == expected


@pytest.mark.parametrize("notation", ["S1", "bishop", "haykin", "goodfellow"])
def test_in_a_network_of_hundreds_of_weights_each_has_its_factored_form(notation):
    derivation = api.derive(api.network("8-16-16-4", activation="tanh", loss="ce"), notation=notation)
    page = derivation.files(["html"])["derivation.html"]
    assert len(page.encode()) < 1_000_000
    data, graph = known(page), derivation.graph
    parameters = [*graph.weights(), *graph.biases()]
    assert {str(of) for of in parameters} < set(data["about"])
    for of in (WEIGHT[1, 8, 16], WEIGHT[2, 3, 11], BIAS[3, 4]):
        about = data["about"][str(of)]
        lit = {*about["lit"], *data["passed"][about["passed"]]}
        assert lit == {str(entry) for entry in highlight(graph, of).lit}
        assert about["spoken"].endswith(f"paths to the error: {len(derivation.paths(str(of)))}")
        assert about["equations"] == [
            str(equation_numbers(derivation.written)[f"gradient.{of.base.label}.{of.indices[0]}"])
        ]


@pytest.mark.parametrize("activation", ["tanh", "glu", "softmax"])
def test_what_is_said_of_one_weight_of_hundreds_is_the_equation_of_any_at_this_one(activation):
    derivation = api.derive(api.network("3-16-14-4", activation=[activation, "tanh", "softmax"], loss="ce")).derivation
    graph = derivation.graph
    notation = Notation.of(load_profile("S1"), graph)
    writer = FoldedAboutWriter(EquationWriter(derivation, notation, FORMATS["html"].style, {}))
    for of in (WEIGHT[1, 3, graph.fed(2)[-1]], WEIGHT[2, 16, 2], BIAS[3, 4]):
        layer, place = int(of.indices[0]) + 1, int(of.indices[-1])
        (gradient, *recursion) = writer.parameter(of).lines
        folded = derivation.scalar.folded(of)
        assert [gradient] == list(writer._lines(folded.right, folded.left))
        assert tuple(recursion) == writer.delta(layer, place).lines
        label, units = writer.final(layer, place)
        said = writer.at(layer, derivation.by_label[label].right, units)
        assert instantiate(said, graph.sizes) == derivation.scalar.delta(layer, place)[-1].right
        assert said != writer.at(layer, derivation.by_label[label].right, {i: n % 3 + 1 for i, n in units.items()})


def test_what_mathml_does_not_know_is_refused():
    with pytest.raises(UnsupportedExpression, match=r"no MathML for '\\\\nosuch'"):
        mathml(r"\nosuch")


def test_the_number_of_a_layer_is_one_sign():
    assert mathml("a^{(2)}_1") == "<math><msubsup><mi>a</mi><mn>1</mn><mn>(2)</mn></msubsup></math>"
    assert mathml("w_1[3]") == "<math><msub><mi>w</mi><mn>1</mn></msub><mn>[3]</mn></math>"
    assert "<mn>(" not in mathml("f(2)")


def test_a_line_that_goes_on_keeps_the_space_of_its_sign():
    assert continued(" + b") == "{} + b"
    assert continued("a") == "a"


FACTORS = {
    Partial(ERROR, OUT[3, 1]): "a1[3]",
    Partial(OUT[3, 1], PRE[3, 1]): "a1[3]",
    Partial(PRE[3, 1], OUT[2, 2]): "w21[2]",
    Partial(PRE[2, 2], WEIGHT[1, 1, 2]): "w12[1]",
    Partial(ERROR, PRE[2, 2]): "delta2[2]",
}


@pytest.mark.parametrize("factor", FACTORS, ids=FACTORS.values())
def test_every_factor_comes_from_an_edge_a_unit_or_a_delta(factor):
    assert came_from(factor) == FACTORS[factor]


def writer_of(derivation):
    notation = Notation.of(derivation.profile, derivation.graph)
    marks = FactorMarks.of(derivation.written, derivation.profile)
    numbers = equation_numbers(derivation.written)
    return EquationWriter(derivation.written, notation, FORMATS["html"].style, numbers, factors=marks)


def test_a_step_mentions_single_parts_of_the_picture_only():
    derivation = api.derive("S1")
    writer, steps = writer_of(derivation), {step.label: step for step in derivation.steps}
    assert mentioned(writer, steps["forward.z.2"]) == []
    assert mentioned(writer, steps["forward.z.2.1"]) == ["a1[2]", "w11[1]", "w21[1]", "x1", "x2"]
    assert str(DELTA[2, 1]) in mentioned(writer, steps["w11[1].folded"])


@pytest.mark.parametrize("name", profile_names())
def test_every_notation_has_its_page_and_every_weight_its_colours(name):
    derivation = api.derive(api.network("2-2-1", activation="tanh", loss="mse"), notation=name)
    page = derivation.files(["html"])["derivation.html"]
    about = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])["about"]
    graph = derivation.graph
    for of in (*graph.weights(), *graph.biases()):
        known = about[str(of)]
        on_path = {str(edge) for edge in known["lit"] if edge[0] in "wb"}
        assert set(known["order"]) >= on_path
        assert known["equations"]


@pytest.mark.parametrize(("name", "entry", "sign"), [("haykin", "delta1[2]", -1), ("S1", "delta1[2]", 1)])
def test_a_quantity_of_the_other_sign_is_shown_with_its_sign(name, entry, sign):
    derivation = api.derive(api.network("2-2-1", activation="tanh", loss="mse"), notation=name)
    abouts = {about.entry: about for about in AboutWriter(writer_of(derivation))()}
    assert abouts[entry].sign == sign
    rows = {row.address: row for group in LiveWriter(writer_of(derivation)).groups() for row in group.follows}
    assert rows[entry].sign == sign


@pytest.mark.parametrize("loss", ["mse", "ce"])
def test_functions_without_a_formula_get_one_that_is_named(loss):
    page = api.derive(api.network("2-2-1", activation="g", output_activation="sigmoid", loss=loss))
    text = page.files(["html"])["derivation.html"]
    assert "The numbers need a formula for" in text
    assert "function gradients" in text


def test_the_page_starts_from_the_numbers_that_its_equations_show():
    net = api.network("2-2-1", activation="tanh", loss="mse")
    derivation = api.derive(net, numbers=True, seed=7)
    page = derivation.files(["html"])["derivation.html"]
    given = derivation.view.worked.given
    for of in derivation.graph.weights():
        assert re.search(rf'value="{float(given[of]):g}" aria-label="{re.escape(str(of))}"', page)

"""Derivations, equations and reports display themselves: in a notebook that is executed, and by their own methods."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from symbackprop import api
from symbackprop.check.report import CheckReport, Row
from symbackprop.derivation.steps import Step
from symbackprop.notation.profile import profile_names
from symbackprop.render.notebook import Equation

CELLS = (
    "import symbackprop as sb\nd = sb.derive(sb.network('2-3-1', activation='sigmoid', loss='mse', bias=False))\nd",
    "d.gradient('w11[1]').steps[0]",
    "d.matrix.deltas[0]",
    "d.check()",
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the cells of an executed notebook display, by MIME type."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(CELLS)]
    )
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return [cell.outputs[0]["data"] for cell in book.cells]


# The kernel's own libraries warn of what they will change.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_executed_notebook_shows_formulas_and_tables(shown):
    derivation, equation, between_arrays, report = shown
    for output in (derivation, equation, between_arrays):
        assert set(output) == {"text/plain", "text/latex", "text/html"}
        assert "<math" in output["text/html"]
        assert output["text/latex"].startswith("$$\\begin{aligned}")
    assert r"\delta_p[3]" in derivation["text/latex"]
    assert r"\frac{dE}{dw_{11}[1]}" in equation["text/latex"]
    assert "chain rule" in equation["text/html"]
    assert between_arrays["text/plain"].startswith("Δ[3] = ")
    assert report["text/html"].startswith("<table>")
    assert "proved symbolically" in report["text/html"]


def test_an_equation_equals_the_step_it_is():
    derivation = api.derive("S1")
    step, equation = next(derivation.derivation.steps), derivation.steps[0]
    assert type(step) is Step
    assert type(equation) is Equation
    assert step == equation
    assert equation == step
    assert {equation: 1}[derivation.steps[0]] == 1
    assert equation != derivation.steps[1]
    assert repr(equation).startswith("zⱼ[2] = ")


@pytest.mark.parametrize("name", profile_names())
def test_every_equation_displays_itself_in_every_notation(name):
    derivation = api.derive(api.network("2-2-1", activation="tanh", loss="mse"), notation=name)
    for step in (*derivation.steps, *derivation.matrix.steps, *derivation.matrix_of_one.steps):
        bundle = step._repr_mimebundle_()
        assert bundle["text/plain"] == repr(step)
        assert bundle["text/html"].count("<math") == 3


def test_delta_of_the_other_sign_is_displayed_with_its_own_formula():
    haykin = api.derive(api.network("2-2-1", activation="tanh", loss="mse"), notation="haykin")
    assert "−" not in repr(haykin.delta(1, layer=3).steps[0]).split("=")[0]
    assert repr(haykin.delta(1, layer=3).steps[-1]) != repr(api.derive(haykin.graph.spec).delta(1, layer=3).steps[-1])


def test_a_report_names_what_failed_and_escapes_it():
    report = CheckReport(
        (Row("forward", "<z>", True, "by definition"), Row("delta", "<d>", False, "exactly")), ("a & b",)
    )
    assert "refuted: delta: &lt;d&gt;" in report._repr_html_()
    assert "a &amp; b" in report._repr_html_()
    assert str(report).splitlines() == [
        "1 of 1 hold: forward (by definition)",
        "0 of 1 hold: delta (exactly)",
        "refuted: delta: <d>",
        "a & b",
    ]

"""Every example in every notation at every level, in every format: no error, no overfull line, no missing glyph."""

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache

import pytest
from flavours import pitfalls

from symbackprop import api
from symbackprop.check.report import CheckReport, Row
from symbackprop.notation.profile import load_profile, profile_names
from symbackprop.render.detail import LEVELS
from symbackprop.render.document import page
from symbackprop.render.formats import FORMATS
from symbackprop.render.markdown import FLAVOURS
from symbackprop.render.pdf import Typesetting

WITH_NUMBERS = ("S2", "S5")  # the examples whose functions have formulas
REPORT = CheckReport(
    (Row("forward", "forward.z2", True, "by definition"),), (), ((1e-2, 1e-5), (1e-4, 1e-9), (1e-6, 1e-10))
)
CODE = {"gradients.py": "def gradients(params, x, t):\n    return {}\n"}
EXAMPLES, PROFILES = list(api.examples()), profile_names()
PDFLATEX = shutil.which("pdflatex")


def cases(always):
    """All combinations; the others than ``always`` (by the places of example, profile, level) are for long runs."""
    for e, example in enumerate(EXAMPLES):
        for p, profile in enumerate(PROFILES):
            for n, level in enumerate(LEVELS):
                marks = () if always(e, p, n) else pytest.mark.slow
                yield pytest.param(example, profile, level, marks=marks, id=f"{example}-{profile}-{level}")


def covering(e, p, n):
    """Every notation at every level, and with them every example at every level."""
    return (e - p - n) % len(EXAMPLES) == 0


def sample(e, p, n):
    """Every notation once, every level five times, every example three times."""
    return covering(e, p, n) and (p - n) % len(LEVELS) == 0


@cache
def derived(example):
    """One derivation for all notations and levels."""
    return api.derive(example, numbers=example in WITH_NUMBERS)


def pages(example, profile, level, form):
    """The files of one format."""
    base = derived(example)
    d = replace(base, profile=load_profile(profile), view=replace(base.view, detail=level))
    return page(d.written, REPORT, d.profile, form, code=CODE, view=d.view)


def test_what_always_runs_has_every_notation_at_every_level_and_every_example():
    run = {case.values for case in cases(covering) if not case.marks}
    assert {(profile, level) for _, profile, level in run} == {(p, n) for p in PROFILES for n in LEVELS}
    assert {(example, level) for example, _, level in run} == {(e, n) for e in EXAMPLES for n in LEVELS}
    set_by_latex = {case.values for case in cases(sample) if not case.marks}
    assert [{case[n] for case in set_by_latex} for n in range(3)] == [set(EXAMPLES), set(PROFILES), set(LEVELS)]


@pytest.mark.parametrize(("example", "profile", "level"), [*cases(covering)])
def test_pages_are_set_in_every_format(example, profile, level):
    form = FORMATS["typ"]
    # Typst itself refuses a page with a letter that no font has: the standard for accessible PDF asks for that.
    made = Typesetting(
        lambda style: pages(example, profile, level, replace(form, style=style))[form.file], form.style
    ).result()
    assert not made.overfull
    assert made.pdf.startswith(b"%PDF")
    # The converter to MathML refuses what it does not know.
    assert "<math" in pages(example, profile, level, FORMATS["html"])["derivation.html"]
    for name, flavour in FLAVOURS.items():
        form = replace(FORMATS["md"], style=flavour.style, prepare=flavour.prepare)
        assert pitfalls(pages(example, profile, level, form)["derivation.md"], name) == []


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize(("example", "profile", "level"), [*cases(sample)])
def test_pdflatex_sets_it_too(example, profile, level, tmp_path):
    tex = pages(example, profile, level, FORMATS["tex"])["derivation.tex"]
    (tmp_path / "derivation.tex").write_text(tex, encoding="ascii")
    options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-file-line-error"]
    run = subprocess.run([PDFLATEX, *options, "derivation.tex"], cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "derivation.log").read_text(encoding="latin-1")
    assert run.returncode == 0, re.findall(r"^.*derivation\.tex:\d+:.*$", log, re.MULTILINE)
    assert [points for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(points) > 5] == []
    assert "Missing character" not in log

"""The flavours of Markdown, and what GitHub's and Jupyter's readers trip over."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from symbackprop import api
from symbackprop.errors import SpecError
from symbackprop.render.markdown import FLAVOURS, github_inline, jupyter_inline

# GitHub refuses these, or shows them raw.
FORBIDDEN = ("\\operatorname", "\\newcommand", "\\def", "flalign", "\\href", "\\color{#", "\\tag", "\\label", "\\ref{")
INLINE = {"github": re.compile(r"\$`([^`]*)`\$"), "jupyter": re.compile(r"(?<![\\$])\$([^$\n]+)\$(?!\$)")}
DISPLAYED = {
    "github": re.compile(r"^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE),
    "jupyter": re.compile(r"^\$\$\n(.*?)\n\$\$$", re.DOTALL | re.MULTILINE),
}
NETWORKS = {
    **dict.fromkeys(api.examples()),
    "kinks": {"layers": "2-3-2", "activation": "elu", "loss": "huber"},
    "softsign": {"layers": "2-2-1", "activation": "softsign", "loss": "mae"},
    "gelu": {"layers": "2-2-2", "activation": "gelu", "loss": "ce", "penalty": {"kind": "l1", "strength": 0.1}},
}


@pytest.fixture(scope="module", params=NETWORKS)
def derivation(request):
    given = NETWORKS[request.param]
    return api.derive(request.param if given is None else api.network(**given))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_formulas_stand_between_the_flavours_own_marks(derivation, flavour):
    text = derivation.files(["md"], markdown=flavour)["derivation.md"]
    other = next(name for name in FLAVOURS if name != flavour)
    prose = re.sub(r"^```python\n.*?\n```$", "", DISPLAYED[flavour].sub("", text), flags=re.DOTALL | re.MULTILINE)
    assert len(DISPLAYED[flavour].findall(text)) > 10
    assert DISPLAYED[other].findall(text) == []
    assert len(INLINE[flavour].findall(prose)) > 10
    # Every mark is one of a pair: nothing that looks like mathematics is left.
    left = INLINE[flavour].sub("", prose)
    assert "$" not in left.replace("\\$", "")
    assert "```" not in left
    assert not re.search(r"\\[A-Za-z]", left)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_formulas_hold_nothing_that_the_readers_trip_over(derivation, flavour):
    text = derivation.files(["md"], markdown=flavour)["derivation.md"]
    assert [word for word in FORBIDDEN if word in text] == []
    for formula in DISPLAYED[flavour].findall(text):
        assert formula.startswith("\\begin{aligned}")
        assert "\n\n" not in formula  # a blank line ends a formula
        assert "$" not in formula
    for formula in INLINE[flavour].findall(text):
        assert "|" not in formula  # a bar ends the cell of a table
        if flavour == "jupyter":
            assert formula == formula.strip()
            assert "<" not in formula  # it would start HTML


def test_both_flavours_say_the_same():
    derivation = api.derive("S1")
    github, jupyter = (derivation.files(["md"], markdown=flavour)["derivation.md"] for flavour in FLAVOURS)
    assert DISPLAYED["github"].findall(github) == DISPLAYED["jupyter"].findall(jupyter)
    assert INLINE["github"].sub("", DISPLAYED["github"].sub("", github)) == INLINE["jupyter"].sub(
        "", DISPLAYED["jupyter"].sub("", jupyter)
    )


@pytest.mark.parametrize("name", list(api.examples()))
def test_the_pictures_stand_beside_the_document(name):
    files = api.derive(name).files(["md"])
    named = re.findall(r"!\[[^]]+\]\(([^)]+)\)", files["derivation.md"])
    assert named
    for picture in named:
        assert ElementTree.fromstring(files[picture]).tag.endswith("svg")


def test_bars_do_not_end_cells():
    assert github_inline(r"\left|z\right|") == r"$`\left\vert z\right\vert `$"
    assert jupyter_inline(r"|z| < 1 ") == r"$\vert z\vert  \lt  1$"


def test_an_unknown_flavour_is_named_with_the_nearest():
    with pytest.raises(SpecError, match="unknown flavour of Markdown 'github2'; did you mean 'github'"):
        api.derive("S1").files(["md"], markdown="github2")

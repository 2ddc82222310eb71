"""The flavours of Markdown, and what GitHub's and Jupyter's readers trip over."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from flavours import DISPLAYED, INLINE, pitfalls

from symbackprop import api
from symbackprop.errors import SpecError
from symbackprop.render.markdown import FLAVOURS, github_inline, jupyter_inline

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
def test_readers_trip_over_nothing(derivation, flavour):
    text = derivation.files(["md"], markdown=flavour)["derivation.md"]
    other = next(name for name in FLAVOURS if name != flavour)
    assert len(DISPLAYED[flavour].findall(text)) > 10
    assert DISPLAYED[other].findall(text) == []
    assert len(INLINE[flavour].findall(DISPLAYED[flavour].sub("", text))) > 10
    assert pitfalls(text, flavour) == []


@pytest.mark.parametrize(
    ("flavour", "text"),
    [
        ("github", "$a$ is raw"),
        ("github", "\\frac is raw"),
        ("github", "| $`|z|`$ |"),
        ("github", "```math\n\\begin{aligned}\n\n\\end{aligned}\n```"),
        ("github", "```math\nE = 1\n```"),
        ("github", "```math\n\\begin{aligned} \\operatorname{erf} \\end{aligned}\n```"),
        ("jupyter", "$ a $"),
        ("jupyter", "$a < b$"),
        ("jupyter", "five $"),
    ],
)
def test_what_they_trip_over_is_found(flavour, text):
    assert pitfalls(text, flavour)


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

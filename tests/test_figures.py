"""The pictures of documents: in every format the same, each in the part that it is about."""

import re

import pytest

from symbackprop import api
from symbackprop.render.picture.draw import picture_of
from symbackprop.render.wording import keys, words

# What each part of a document shows: the network, its activation, the units that the part is about, the checks.
PARTS = {
    "The network": ["network"],
    "Local derivatives": ["activation-sigmoid"],
    "The output layer": ["unit-3-1"],
    "Back through the layers, weight by weight": ["path-w11-1"],
    "The same for any unit, with δ": ["unit-2-1"],
    "Checks": ["error-against-step"],
}
FORMATS = ("md", "html", "tex", "typ")
HEADINGS = {
    "md": r"^## (.*)$",
    "html": r"<h2>(.*)</h2>",
    "tex": r"^\\(?:section|closing)\{(.*)\}$",
    "typ": r"^(?:= |#closing\[)(.*?)\]?$",
}
NAMES = {"md": r"!\[.*\]\((.*)\.svg\)", "html": r'<svg [^>]*id="([^"]*)"'}
DRAWN = {"tex": "\\begin{tikzpicture}", "typ": "#box(width:"}


@pytest.fixture(scope="module")
def documents():
    return api.derive("S2").files(FORMATS)


def parts(text, form):
    """Each heading with the text under it; a page's picture of the network stands before the first."""
    pieces = re.split(HEADINGS[form], text, flags=re.MULTILINE)
    found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    if form == "html":
        found["The network"] += pieces[0]
    return found


def plain(heading):
    return heading.replace(r"$\delta$", "δ")


@pytest.mark.parametrize("form", FORMATS)
def test_every_part_shows_its_pictures(documents, form):
    for heading, text in parts(documents[f"derivation.{form}"], form).items():
        expected = PARTS.get(plain(heading), [])
        if form in NAMES:
            assert re.findall(NAMES[form], text) == expected, heading
        else:
            assert text.count(DRAWN[form]) == len(expected), heading


def test_the_files_beside_markdown_are_those_that_it_shows(documents):
    beside = {name for name in documents if name.endswith(".svg")}
    assert beside == {f"{name}.svg" for names in PARTS.values() for name in names}
    for name in beside:
        assert documents[name].startswith("<svg")
        assert "<title" in documents[name]


def test_a_brief_document_has_no_pictures():
    files = api.derive("S2", detail="exam").files(("md", "tex"))
    assert set(files) == {"derivation.md", "derivation.tex"}
    assert "![" not in files["derivation.md"]
    assert "tikzpicture}" not in files["derivation.tex"]


def test_a_picture_without_its_part_is_left_out():
    net = api.network("2-2-1", activation="g", loss="mse")
    files = api.derive(net).files(("md",))
    assert "activation-g.svg" not in files  # g has no graph
    assert "path-w11-1.svg" in files


def test_kinks_are_marked_beside_markdown_too():
    drawn = api.derive(api.network("2-2-1", activation="relu", loss="mse")).files(("md",))["activation-relu.svg"]
    assert "At 0 it has no derivative; 0 is taken." in drawn
    assert 'data-entry="slope-beside-kink-1-1"' in drawn


def test_layers_are_counted_as_the_notation_counts_them():
    net = api.network("2-3-1", activation="tanh", loss="mse")
    assert "Unit 1 of layer 3" in api.derive(net, notation="S1").files(("md",))["unit-3-1.svg"]
    assert "Unit 1 of layer 2" in api.derive(net, notation="goodfellow").files(("md",))["unit-3-1.svg"]


@pytest.mark.parametrize("sizes", ["2-3-1", [3] * 12])
def test_words_of_pictures_come_from_the_wording(sizes):
    derivation = api.derive(api.network(sizes, activation="tanh", loss="mse"))
    picture = picture_of(derivation.derivation, derivation.profile)
    about = {"2-3-1": "A network of 3 layers, from the inputs to the outputs with 2, 3, 1 units."}
    assert picture.about == about.get(str(sizes), "A network of 12 layers with 3 units each.")
    assert picture.title == ("Network 2-3-1" if sizes == "2-3-1" else "Network of 12 layers")
    assert {"network", "unit", "activation", "errors"} <= set(keys("pictures"))
    assert words("pictures", "error") == "relative error"

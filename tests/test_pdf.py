"""PDF: by Typst what a reader and a screen reader need, by LaTeX engines without any freedom; words stay words."""

import io
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from functools import cache

import pypdf
import pytest

from symbackprop import api
from symbackprop.check.report import CheckReport, Row
from symbackprop.derivation.derive import derive
from symbackprop.errors import SpecError, SymbackpropError
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import load, network
from symbackprop.notation.profile import load_profile
from symbackprop.render import engines
from symbackprop.render.detail import EXAM
from symbackprop.render.document import render
from symbackprop.render.engines import ENGINES, complaint, known_engine, latex_pdf
from symbackprop.render.escape import for_typst
from symbackprop.render.pdf import set_pages
from symbackprop.render.view import View
from symbackprop.resources import examples

PDFLATEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
TITLES = [
    "#set page(width: 1cm) #panic()",
    r"\input{/etc/passwd} \ end",
    '"; #eval("1") // no comment /* none */',
    "*bold* _it_ `raw` <label> @ref [x] ~ - + 1. = head",
    "100% of $x_1$ & #2 ^ {}",
    "--- ... 'single' \"double\"",
    "Émile Čapek, Zürich — “δ ≤ ∂E” ½",
]
SMALL = r"\documentclass{article}\begin{document}%s\end{document}"


def s1(**given):
    spec = replace(load(examples()["S1"]), **given)
    return derive(forward_graph(spec), "none")


@cache
def pdf(title=None, author=None):
    return render(s1(title=title, author=author), None, load_profile("S1"), ["pdf"])["derivation.pdf"]


def read(data):
    return pypdf.PdfReader(io.BytesIO(data))


def squeezed(text):
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("title", TITLES)
def test_titles_and_authors_are_words_and_nothing_else(title):
    reader = read(pdf(title, title))
    assert reader.metadata.title == title
    assert reader.metadata.author == title
    assert squeezed(reader.pages[0].extract_text()).count(squeezed(title)) == 2


def test_a_letter_without_a_glyph_is_named():
    assert for_typst("中") == r"\[U\+4E2D\]"
    assert "[U+4E2D]" in read(pdf("中 \u200b")).pages[0].extract_text()


def test_every_letter_that_is_let_through_has_a_glyph():
    letters = [chr(code) for code in range(0x20, 0x3000) if "[U" not in for_typst(chr(code))]
    assert len(letters) > 400
    page = '#set document(title: "x")\n#set text(font: "New Computer Modern", lang: "en")\n'
    # The standard for accessible PDF forbids letters without a glyph, so Typst would refuse the page.
    set_pages(page + " ".join(map(for_typst, letters)))
    with pytest.raises(SymbackpropError, match=r"^typst refuses the document: "):
        set_pages(page + "中")


def test_the_file_is_tagged_and_its_fonts_are_in_it():
    reader = read(pdf())
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"] if "/DescendantFonts" in font else None
        assert described is not None and any(key.startswith("/FontFile") for key in described)


def test_equations_and_pictures_have_alternative_text():
    spoken = {"/Formula": [], "/Figure": []}

    def collect(node):
        node = node.get_object()
        if isinstance(node, list):
            for kid in node:
                collect(kid)
        elif isinstance(node, dict):
            if node.get("/S") in spoken:
                spoken[node["/S"]].append(node.get("/Alt"))
            if "/K" in node:
                collect(node["/K"])

    collect(read(pdf()).trailer["/Root"]["/StructTreeRoot"]["/K"])
    assert len(spoken["/Formula"]) > 60
    assert len(spoken["/Figure"]) >= 2
    assert all(spoken["/Formula"]) and all(spoken["/Figure"])
    assert r"\delta_p[3] = \frac{dE}{dz_p[3]}" in spoken["/Formula"]


def test_numbers_in_reasons_are_links():
    links = [
        note.get_object()
        for page in read(pdf()).pages
        for note in page.get("/Annots", [])
        if note.get_object()["/Subtype"] == "/Link"
    ]
    assert len(links) > 40


def test_long_documents_have_contents_and_running_heads():
    spec = replace(load(examples()["S1"]), title="A running head")
    reader = read(render(derive(forward_graph(spec), "all"), None, load_profile("S1"), ["pdf"])["derivation.pdf"])
    assert len(reader.pages) > 6
    assert "Contents" in reader.pages[0].extract_text()
    assert all("A running head" in page.extract_text() for page in reader.pages[1:])
    assert len(reader.outline) > 5


def test_the_same_input_gives_the_same_bytes():
    program = (
        "import hashlib\nfrom symbackprop.derivation.derive import derive\n"
        "from symbackprop.network.forward import forward_graph\nfrom symbackprop.network.read import network\n"
        "from symbackprop.notation.profile import load_profile\nfrom symbackprop.render.document import render\n"
        "d = derive(forward_graph(network('2-3-2', activation='tanh', loss='ce')), 'none')\n"
        "print(hashlib.sha256(render(d, None, load_profile('S4'), ['pdf'])['derivation.pdf']).hexdigest())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def ink_in_the_margins(data, tmp_path):
    """Pages with something within 15 mm of the left or right edge."""
    (tmp_path / "page.pdf").write_bytes(data)
    command = ["pdftoppm", "-r", "40", "-gray", "page.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    marked = []
    for file in sorted(tmp_path.glob("page-*.pgm")):
        _, size, _, pixels = file.read_bytes().split(b"\n", 3)
        width = int(size.split()[0])
        edge = int(15 / 25.4 * 40)
        rows = [pixels[n : n + width] for n in range(0, len(pixels), width)]
        if any(min(row[:edge]) < 200 or min(row[-edge:]) < 200 for row in rows):
            marked.append(file.stem)
    return marked


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is not installed")
@pytest.mark.parametrize("name", ["S3", "S4", "wide", "large"])
def test_the_margins_are_white(name, tmp_path):
    networks = {"wide": "8-16-16-4", "large": "784-512-10"}
    spec = network(networks[name], activation="gelu", loss="mse") if name in networks else load(examples()[name])
    data = render(derive(forward_graph(spec)), None, load_profile(spec.notation), ["pdf"])["derivation.pdf"]
    assert ink_in_the_margins(data, tmp_path) == []


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is not installed")
def test_ink_in_the_margin_would_be_seen(tmp_path):
    page = '#set document(title: "x")\n#set text(lang: "en")\n#place(dx: -20mm, rect(width: 200mm, fill: black))'
    assert ink_in_the_margins(set_pages(page).pdf, tmp_path) == ["page-1"]


def test_an_engine_that_is_none_or_absent_is_named(monkeypatch):
    with pytest.raises(SpecError, match=r"^unknown PDF engine 'pdflatx'; did you mean 'pdflatex'\?$"):
        known_engine("pdflatx")
    monkeypatch.setenv("PATH", "")
    for name, engine in ENGINES.items():
        with pytest.raises(SpecError) as told:
            render(s1(), None, load_profile("S1"), ["pdf"], pdf_engine=name)
        assert str(told.value) == (
            f"the PDF engine {name} is not installed; on Debian: apt install {engine.package};"
            " or take --pdf-engine typst, which comes with the program"
        )
    assert known_engine("auto") == "typst"


def set_by_latex(name, title=None, author=None):
    given, brief = s1(title=title, author=author), View(EXAM)
    return render(given, None, load_profile("S1"), ["pdf"], pdf_engine=name, view=brief)["derivation.pdf"]


latex = cache(set_by_latex)


@pytest.mark.parametrize("name", ENGINES)
def test_latex_engines_set_the_document(name):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    assert latex(name).startswith(b"%PDF")
    assert "Backpropagation in the 2-3-1 network" in read(latex(name)).pages[0].extract_text()
    assert set_by_latex(name) == latex(name)


@PDFLATEX
def test_latex_keeps_titles_and_authors_to_the_letter():
    for title in (" ".join(TITLES), "中 Émile", r"\input{/etc/passwd}"):
        kept = read(latex("pdflatex", title, title)).metadata
        assert (kept.title, kept.author, kept.creator) == (title, title, "symbackprop")


@PDFLATEX
def test_latex_has_links_contents_and_running_heads():
    spec = replace(load(examples()["S1"]), title="A running head")
    long = render(derive(forward_graph(spec), "all"), None, load_profile("S1"), ["pdf"], pdf_engine="pdflatex")
    reader = read(long["derivation.pdf"])
    assert len(reader.pages) > 6
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert "Contents" in reader.pages[0].extract_text()
    assert all("A running head" in page.extract_text() for page in reader.pages)
    assert [entry.title for entry in reader.outline][:2] == ["The network", "Forward pass"]
    ends = [
        note.get_object()["/A"]["/D"]
        for page in reader.pages
        for note in page.get("/Annots", [])
        if note.get_object()["/Subtype"] == "/Link"
    ]
    assert len([end for end in ends if end.startswith("AMS.")]) > 40
    assert set(ends) <= set(reader.named_destinations)


@PDFLATEX
def test_plain_pdflatex_gives_the_same_bytes_in_any_folder_on_any_day(tmp_path):
    tex = render(s1(title="δ"), None, load_profile("S1"), ["tex"], view=View(EXAM))["derivation.tex"]
    made = set()
    for folder, day in (("one", "1"), ("another one", "1000000000")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "derivation.tex").write_text(tex, encoding="ascii")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
        settings = {**os.environ, "SOURCE_DATE_EPOCH": day, "FORCE_SOURCE_DATE": "1"}
        for _ in range(2):
            subprocess.run(command, cwd=tmp_path / folder, check=True, capture_output=True, env=settings)
        made.add((tmp_path / folder / "derivation.pdf").read_bytes())
    assert len(made) == 1


@PDFLATEX
def test_latex_refuses_with_the_line():
    with pytest.raises(SymbackpropError) as told:
        latex_pdf(SMALL % "\n\n\\wrong", "pdflatex")
    assert str(told.value) == "pdflatex refuses the document: Undefined control sequence (line 3 of the LaTeX source)"
    with pytest.raises(SymbackpropError, match=r"File `not-there\.sty' not found \(install the package that holds it"):
        latex_pdf(r"\documentclass{article}\usepackage{not-there}\begin{document}x\end{document}", "pdflatex")


@PDFLATEX
def test_latex_has_no_freedom(tmp_path):
    target = tmp_path / "written"
    shell = latex_pdf(SMALL % rf"x\immediate\write18{{touch {target}}}", "pdflatex")
    assert shell.startswith(b"%PDF")
    assert not target.exists()
    for reach in (r"\input{/etc/passwd}", r"\newwrite\f\immediate\openout\f=/tmp/symbackprop-out.txt x"):
        with pytest.raises(SymbackpropError, match=r"^pdflatex refuses the document: "):
            latex_pdf(SMALL % reach, "pdflatex")


def test_an_engine_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    script = tmp_path / "pdflatex"
    script.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SymbackpropError, match=r"^pdflatex did not finish within 0\.2 s$"):
        latex_pdf(SMALL % "x", "pdflatex", time_out=0.2)


def test_a_table_gets_its_second_run(monkeypatch):
    logs = iter(["Package longtable Warning: Table widths have changed. Rerun LaTeX.", "", "never"])
    runs = []

    def run(command, folder, time_out):
        runs.append(command)
        (folder / "derivation.pdf").write_bytes(b"%PDF")
        return next(logs)

    monkeypatch.setattr(engines, "_run", run)
    monkeypatch.setattr(engines, "known_engine", str)
    assert latex_pdf("", "lualatex") == b"%PDF"
    assert len(runs) == 2
    assert {"-no-shell-escape", "-halt-on-error", "-file-line-error", "-interaction=nonstopmode"} <= set(runs[0])


def test_logs_without_a_line_still_say_something():
    assert complaint("! Emergency stop.\n") == "Emergency stop."
    assert complaint("") == "it gives no reason"


@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S5"])
def test_a_brief_view_with_its_checks_fits_on_a_page(name):
    derivation = api.derive(name).written
    passed = CheckReport((Row("forward", "forward.z2", True, "by definition"),))
    pages = render(derivation, passed, load_profile(name), ["pdf"], view=View(EXAM))
    assert len(read(pages["derivation.pdf"]).pages) == 1


def test_a_weight_alone_has_its_paths_drawn():
    derivation = api.derive("S4", weight="w22[2]").written
    typ = render(derivation, None, load_profile("S4"), ["typ"])["derivation.typ"]
    assert "w22[2] and the error. Arrows lead δ back along it" in typ
    assert "w22[2] and the error" not in render(s1(), None, load_profile("S1"), ["typ"])["derivation.typ"]

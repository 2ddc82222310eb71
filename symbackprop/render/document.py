"""Documents: a derivation and its checks, set in a notation, in each of the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.errors import SpecError, unknown
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import Profile
from symbackprop.notation.written import unwritten
from symbackprop.render.any_sizes import AnySizesWriter, any_sizes_numbers
from symbackprop.render.back import BackWriter, Report, excerpt
from symbackprop.render.engines import AUTO, TYPST, known_engine, latex_pdf
from symbackprop.render.equations import EquationWriter, equation_numbers
from symbackprop.render.formats import FORMATS, DocumentFormat
from symbackprop.render.front import FrontWriter, title_of
from symbackprop.render.markdown import GITHUB, known_flavour
from symbackprop.render.pdf import typeset
from symbackprop.render.style import Style
from symbackprop.render.view import View
from symbackprop.render.wording import words
from symbackprop.templating import environment

# The headings of the sections that hold no equations.
FRAME = ("network", "notation", "assumptions", "checks", "code")
TEXTS = ("md", "tex")  # the formats of the document for any sizes
SOURCE, PDF = SET = ("typ", "pdf")  # the formats that are set on pages, to see where lines end
MARKDOWN = "md"
CODE_FILE, CODE_FUNCTION = "gradients.py", "gradients"


def render(
    derivation: Derivation,
    report: Report | None,
    profile: Profile,
    formats: Iterable[str],
    code: Mapping[str, str] | None = None,
    *,
    pdf_engine: str = AUTO,
    view: View | None = None,
    markdown: str = GITHUB,
) -> dict[str, str | bytes]:
    """The documents of a derivation: file name -> text (PDF: bytes), the same bytes for the same input.

    Without a ``report`` the section on checks is left out, without ``gradients.py`` in ``code`` (file name -> text) the
    one on code. Raises ``SpecError`` for an unknown format and for a PDF engine that is not there.
    """
    wanted = list(formats)
    for name in wanted:
        if name not in FORMATS:
            raise SpecError(unknown("format", name, FORMATS))
    write = partial(page, derivation, report, profile, code=code or {}, view=view or View())
    flavour = known_flavour(markdown)
    forms = FORMATS | {MARKDOWN: replace(FORMATS[MARKDOWN], style=flavour.style, prepare=flavour.prepare)}
    pages: dict[str, str | bytes] = {}
    for name in wanted:
        pages |= write(forms[name]) if name not in SET else {}
    if view is not None and view.any_sizes:
        pages |= {
            f"general.{name}": any_sizes_page(derivation, profile, forms[name]) for name in wanted if name in TEXTS
        }
    return pages | _set(write, [name for name in wanted if name in SET], known_engine(pdf_engine))


def _set(write: Callable[[DocumentFormat], dict[str, str]], wanted: list[str], engine: str) -> dict[str, str | bytes]:
    """The formats for which pages are set: Typst's source and the PDF, set once for both."""
    pages: dict[str, str | bytes] = {}
    if PDF in wanted and engine != TYPST:
        pages[FORMATS[PDF].file] = latex_pdf(write(FORMATS["tex"])[FORMATS["tex"].file], engine)
        wanted = [name for name in wanted if name != PDF]
    if wanted:
        form = FORMATS[SOURCE]
        made = typeset(lambda style: write(replace(form, style=style))[form.file], form.style)
        files: dict[str, str | bytes] = {SOURCE: made.source, PDF: made.pdf}
        pages |= {FORMATS[name].file: files[name] for name in wanted}
    return pages


def page(
    derivation: Derivation,
    report: Report | None,
    profile: Profile,
    form: DocumentFormat,
    *,
    code: Mapping[str, str],
    view: View,
) -> dict[str, str]:
    """One document, and the pictures that stand beside it: file name -> text."""
    style = form.style
    notation, numbers = Notation.of(profile, derivation.graph), equation_numbers(derivation)
    writer = EquationWriter(derivation, notation, style, numbers, view, form.factors(derivation, profile))
    placed = form.prepare(writer, contents(writer, report, code), code)
    text = form.finish(environment().get_template(form.template).render(placed))
    beside = [figure for drawn in placed["figures"].values() for figure in drawn] if form.pictures_beside else []
    return {form.file: text, **{f"{figure.name}.svg": figure.drawing for figure in beside}}


def any_sizes_page(derivation: Derivation, profile: Profile, form: DocumentFormat) -> str:
    """The derivation for any sizes, as a document of its own."""
    notation, numbers = Notation.of(profile, derivation.graph), any_sizes_numbers(derivation)
    writer = AnySizesWriter(unwritten(derivation), notation, form.style, numbers)
    placed = {**contents(writer, None, {}), "layers": [], "title": form.style.words(words("words", "any_sizes_title"))}
    return form.finish(environment().get_template(form.template).render(form.prepare(writer, placed, {})))


def contents(writer: EquationWriter, report: Report | None, code: Mapping[str, str]) -> dict[str, Any]:
    """What templates place, by name; every text in the style of ``writer``."""
    style, derivation, profile = writer.style, writer.derivation, writer.notation.profile
    front, back, brief = FrontWriter(writer), BackWriter(writer), writer.view.brief
    return {
        "title": style.words(title_of(derivation.graph.spec)),
        "author": None if derivation.graph.spec.author is None else style.words(derivation.graph.spec.author),
        "notation_name": style.words(profile.name),
        "notation_about": style.words(profile.description),
        "brief": brief,
        "said": [*front.sentences(), *front.kinks()],
        "layers": [] if brief else front.layers(),
        "symbols": [] if brief else front.notation(),
        "sections": writer.sections(),
        "assumptions": back.assumptions(),
        "checks": None if report is None else [] if brief else back.checks(report),
        "step_errors": () if report is None else report.step_errors,
        "verdict": None if report is None else back.verdict(report),
        "check_notes": [] if report is None else back.notes(report),
        "code": excerpt(code[CODE_FILE], CODE_FUNCTION) if CODE_FILE in code and not brief else None,
        "code_sentence": words("words", "code", file=_file_name(style)),
        "headings": {key: words("words", f"contents_{key}") for key in FRAME},
    }


def _file_name(style: Style) -> str:
    return style.words(CODE_FILE)

"""Documents: a derivation and its checks, set in a notation, in each of the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from symbackprop.derivation.derive import Derivation
from symbackprop.errors import SpecError, unknown
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import Profile
from symbackprop.render.any_sizes import AnySizesFront, AnySizesWriter, any_sizes_numbers
from symbackprop.render.back import BackWriter, Report, about, excerpt
from symbackprop.render.engines import AUTO, TYPST, known_engine, latex_pdf
from symbackprop.render.equations import EquationWriter, equation_numbers
from symbackprop.render.formats import FORMATS, DocumentFormat
from symbackprop.render.front import FrontWriter, title_of
from symbackprop.render.markdown import GITHUB, known_flavour
from symbackprop.render.pdf import Typesetting
from symbackprop.render.picture.draw import Pictures
from symbackprop.render.style import Style
from symbackprop.render.view import View
from symbackprop.render.wording import words
from symbackprop.templating import environment

# The headings of the sections that hold no equations.
FRAME = ("network", "notation", "assumptions", "checks", "code")
NAME, GENERAL = "derivation", "general"  # the files of the document, and of the one for any sizes
SOURCE, PDF = SET = ("typ", "pdf")  # the formats that are set on pages, to see where lines end
MARKDOWN = "md"
Pages: TypeAlias = dict[str, str | bytes]
Write: TypeAlias = Callable[[DocumentFormat], dict[str, str]]
CODE_FILE, CODE_FUNCTION, CODE_BOTH = "gradients.py", "gradients", "loss_and_gradients"


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
    pictures = Pictures(derivation, profile)
    write = partial(page, derivation, report, profile, code=code or {}, view=view or View(), pictures=pictures)
    flavour = known_flavour(markdown)
    forms = FORMATS | {MARKDOWN: replace(FORMATS[MARKDOWN], style=flavour.style, prepare=flavour.prepare)}
    engine = known_engine(pdf_engine)
    pages = _pages(write, wanted, forms, engine)
    if view is not None and view.any_sizes:
        renamed = {name: replace(form, file=form.file.replace(NAME, GENERAL)) for name, form in forms.items()}
        pages |= _pages(partial(any_sizes_page, derivation, report, profile), wanted, renamed, engine)
    return pages


def _pages(write: Write, wanted: list[str], forms: Mapping[str, DocumentFormat], engine: str) -> Pages:
    """One document in each format that is ``wanted``; Typst sets its pages while the others are written."""
    by_latex = [PDF] if PDF in wanted and engine != TYPST else []
    by_typst = [name for name in wanted if name in SET and name not in by_latex]
    setting = typesetting(write, forms[SOURCE]) if by_typst else None
    pages: Pages = {}
    for name in wanted:
        pages |= write(forms[name]) if name not in SET else {}
    for name in by_latex:
        pages[forms[name].file] = latex_pdf(write(forms["tex"])[forms["tex"].file], engine)
    if setting is not None:
        made = setting.result()
        files: Pages = {SOURCE: made.source, PDF: made.pdf}
        pages |= {forms[name].file: files[name] for name in by_typst}
    return pages


def typesetting(write: Write, form: DocumentFormat) -> Typesetting:
    """The pages on which Typst sets the document, begun."""
    return Typesetting(lambda style: write(replace(form, style=style))[form.file], form.style)


def page(
    derivation: Derivation,
    report: Report | None,
    profile: Profile,
    form: DocumentFormat,
    *,
    code: Mapping[str, str],
    view: View,
    pictures: Pictures | None = None,
) -> dict[str, str]:
    """One document, and the pictures that stand beside it: file name -> text.

    ``pictures`` are those that other documents of the same derivation show too.
    """
    style = form.style
    notation, numbers = Notation.of(profile, derivation.graph), equation_numbers(derivation)
    factors = form.factors(derivation, profile)
    writer = EquationWriter(derivation, notation, style, numbers, view, factors, pictures)
    return written_page(writer, contents(writer, report, code), form, code)


def written_page(
    writer: EquationWriter, what: dict[str, Any], form: DocumentFormat, code: Mapping[str, str]
) -> dict[str, str]:
    """A document with the contents ``what``, and the pictures beside it."""
    placed = form.prepare(writer, what, code)
    text = form.finish(environment().get_template(form.template).render(placed))
    beside = [figure for drawn in placed["figures"].values() for figure in drawn] if form.pictures_beside else []
    return {form.file: text, **{f"{figure.name}.svg": figure.drawing for figure in beside}}


def any_sizes_page(
    derivation: Derivation, report: Report | None, profile: Profile, form: DocumentFormat
) -> dict[str, str]:
    """The derivation for any sizes, as a document of its own; of the checks, those of its equations."""
    notation, numbers = Notation.of(profile, derivation.graph), any_sizes_numbers(derivation)
    writer = AnySizesWriter(derivation, notation, form.style, numbers)
    own = None if report is None else about(report, numbers)
    title = form.style.words(words("words", "any_sizes_title"))
    what = contents(writer, own, {}, AnySizesFront(writer))
    return written_page(writer, {**what, "layers": [], "title": title}, form, {})


def contents(
    writer: EquationWriter, report: Report | None, code: Mapping[str, str], front: FrontWriter | None = None
) -> dict[str, Any]:
    """What templates place, by name; every text in the style of ``writer``."""
    style, derivation, profile = writer.style, writer.derivation, writer.notation.profile
    front, back, brief = front or FrontWriter(writer), BackWriter(writer), writer.view.brief
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
        "code_sentence": words("words", "code", file=_file_name(style), both=style.words(CODE_BOTH)),
        "headings": {key: words("words", f"contents_{key}") for key in FRAME},
    }


def _file_name(style: Style) -> str:
    return style.words(CODE_FILE)

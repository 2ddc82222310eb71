"""The document formats: a row and a template each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from symbackprop.calculus.inert import Chain
from symbackprop.derivation.derive import Derivation
from symbackprop.notation.profile import Profile
from symbackprop.render import escape
from symbackprop.render.equations import EquationWriter
from symbackprop.render.html.factors import FactorMarks
from symbackprop.render.html.mathml import for_html, html_inline, html_reason
from symbackprop.render.html.page import html_parts
from symbackprop.render.latex import LatexMarkup, PaperMarkup
from symbackprop.render.latex_page import latex_parts
from symbackprop.render.markdown import FLAVOURS, GITHUB
from symbackprop.render.printed import Printed
from symbackprop.render.style import Style, latex_inline, latex_reason
from symbackprop.render.sums import as_they_are
from symbackprop.render.typst_page import TYPST, typst_parts

Factors: TypeAlias = Callable[[Chain, list[Printed]], list[Printed]]
Prepare: TypeAlias = Callable[[EquationWriter, dict[str, Any], Mapping[str, str]], dict[str, Any]]


def as_it_is(writer: EquationWriter, placed: dict[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    """Nothing to prepare."""
    return placed


def unmarked(derivation: Derivation, profile: Profile) -> Factors:
    """No marks."""
    return as_they_are


@dataclass(frozen=True)
class DocumentFormat:
    """A document format: its file, its template, its style."""

    description: str
    file: str
    template: str
    style: Style
    finish: Callable[[str], str] = str  # the last touch to the whole text
    prepare: Prepare = as_it_is  # what the template places, made of what documents have in common
    factors: Callable[[Derivation, Profile], Factors] = unmarked  # what marks the factors of ordered products
    pictures_beside: bool = False  # whether pictures are files of their own, in SVG


FORMATS: dict[str, DocumentFormat] = {
    "md": DocumentFormat(
        "Markdown, as GitHub shows it, or Jupyter; with the pictures beside it",
        "derivation.md",
        "document.md.jinja",
        FLAVOURS[GITHUB].style,
        prepare=FLAVOURS[GITHUB].prepare,
        pictures_beside=True,
    ),
    "tex": DocumentFormat(
        "LaTeX, for pdflatex",
        "derivation.tex",
        "document.tex.jinja",
        Style(PaperMarkup(), escape.for_latex, latex_inline, latex_reason, line=84, reason_letter=0.72),
        escape.only_ascii,
        latex_parts,
    ),
    "html": DocumentFormat(
        "HTML: one page, with the network to click on",
        "derivation.html",
        "document.html.jinja",
        Style(LatexMarkup(), for_html, html_inline, html_reason, line=92, reason_letter=0.7),
        prepare=html_parts,
        factors=FactorMarks.of,
    ),
    "typ": DocumentFormat(
        "Typst, with its lines broken to fit the page",
        "derivation.typ",
        "document.typ.jinja",
        TYPST,
        prepare=typst_parts,
    ),
    "pdf": DocumentFormat(
        "PDF, tagged: by Typst, or by an installed LaTeX",
        "derivation.pdf",
        "document.typ.jinja",
        TYPST,
        prepare=typst_parts,
    ),
}

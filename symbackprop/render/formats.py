"""The document formats: a row and a template each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.render import escape
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.style import Style, latex_inline, latex_reason, markdown_inline, markdown_reason


@dataclass(frozen=True)
class DocumentFormat:
    """A document format: its file, its template, its style."""

    description: str
    file: str
    template: str
    style: Style
    finish: Callable[[str], str] = str  # the last touch to the whole text


FORMATS: dict[str, DocumentFormat] = {
    "md": DocumentFormat(
        "Markdown, as GitHub shows it",
        "derivation.md",
        "document.md.jinja",
        Style(LatexMarkup(), escape.for_markdown, markdown_inline, markdown_reason, line=104, reason_letter=0.9),
    ),
    "tex": DocumentFormat(
        "LaTeX, for pdflatex",
        "derivation.tex",
        "document.tex.jinja",
        Style(LatexMarkup(), escape.for_latex, latex_inline, latex_reason, line=84, reason_letter=0.72),
        escape.only_ascii,
    ),
}

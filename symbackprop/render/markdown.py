"""The flavours of Markdown: GitHub and Jupyter read formulas in Markdown by different marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.errors import SpecError, unknown
from symbackprop.render import escape
from symbackprop.render.equations import EquationWriter
from symbackprop.render.figures import figures
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.picture.svg import svg
from symbackprop.render.style import Style, markdown_reason

GITHUB, JUPYTER = "github", "jupyter"


@dataclass(frozen=True)
class Flavour:
    """The marks around a displayed formula, and the style."""

    opening: str
    closing: str
    style: Style

    def prepare(self, writer: EquationWriter, placed: dict[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
        """What the template places."""
        drawn = figures(writer, placed, svg, escape.for_markdown)
        return {**placed, "opening": self.opening, "closing": self.closing, "figures": drawn}


def jupyter_inline(formula: str) -> str:
    r"""A formula within words, as Jupyter reads it: no blank inside the dollars, no sign that starts HTML.

    >>> print(jupyter_inline("a < b "))
    $a \lt  b$
    """
    inside = without_bars(formula).replace("<", r"\lt ").strip()
    return f"${inside}$"


def github_inline(formula: str) -> str:
    r"""A formula within words, as GitHub reads it: backticks keep its Markdown from reading the formula first.

    >>> print(github_inline(r"\left|z\right|"))
    $`\left\vert z\right\vert `$
    """
    return f"$`{without_bars(formula)}`$"


def without_bars(formula: str) -> str:
    """A formula without bars, which would end the cell of a table."""
    return formula.replace("|", r"\vert ")


FLAVOURS: dict[str, Flavour] = {
    GITHUB: Flavour(
        "```math",
        "```",
        Style(LatexMarkup(), escape.for_markdown, github_inline, markdown_reason, line=104, reason_letter=0.9),
    ),
    JUPYTER: Flavour(
        "$$",
        "$$",
        Style(LatexMarkup(), escape.for_markdown, jupyter_inline, markdown_reason, line=104, reason_letter=0.9),
    ),
}


def known_flavour(name: str) -> Flavour:
    """The flavour ``name``. Raises ``SpecError`` if there is none.

    >>> known_flavour("jupyter").opening
    '$$'
    """
    if name not in FLAVOURS:
        raise SpecError(unknown("flavour of Markdown", name, FLAVOURS))
    return FLAVOURS[name]

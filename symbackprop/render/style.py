"""What differs between document formats besides the marks of formulas: how words and formulas in words are set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from symbackprop.render import escape
from symbackprop.render.markup import Markup


@dataclass(frozen=True)
class Style:
    """One document format: its formula marks, its words, and the room that a line has (in letters)."""

    markup: Markup
    words: Callable[[str], str]  # plain words, nothing in them is markup
    inline: Callable[[str], str]  # a formula within words
    reason: Callable[[list[str]], str]  # the lines of a reason beside a formula
    line: float
    reason_letter: float  # the width of a letter of the reasons beside a formula
    # The share of the line that formulas may take in the block that starts with the equation of that number.
    narrower: Mapping[str, float] = field(default_factory=dict)


def latex_reason(lines: list[str]) -> str:
    """A reason on one or more lines, in LaTeX."""
    return r"\\".join(map(escape.for_latex, lines))


def markdown_reason(lines: list[str]) -> str:
    """A reason on one line, in GitHub's Markdown, where a formula may be wide."""
    return escape.one_line(" ".join(lines))


def latex_inline(formula: str) -> str:
    """A formula within words, in LaTeX."""
    return f"${formula}$"

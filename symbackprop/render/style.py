"""What differs between document formats besides the marks of formulas: how words and formulas in words are set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.render.markup import Markup


@dataclass(frozen=True)
class Style:
    """One document format: its formula marks, its words, and the room that a line has (in letters)."""

    markup: Markup
    words: Callable[[str], str]  # plain words, nothing in them is markup
    inline: Callable[[str], str]  # a formula within words
    in_formula: Callable[[str], str]  # words within a formula
    line: float
    reason_letter: float  # the width of a letter of the reasons beside a formula


def latex_inline(formula: str) -> str:
    """A formula within words, in LaTeX."""
    return f"${formula}$"


def markdown_inline(formula: str) -> str:
    """A formula within words, in GitHub's Markdown."""
    # The backticks keep GitHub's Markdown from reading the formula first; they must not meet one inside.
    return f"$`{formula}`$"

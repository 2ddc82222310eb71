"""Plain Unicode for the terminal: one line a formula."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.render.printed import Level, Printed, case_words

BELOW = dict(zip("0123456789+-=()aehijklmnoprstuvxβγρφχ,", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ,", strict=True))
ABOVE = dict(
    zip("0123456789+-=()abcdefghijklmnoprstuvwxyzT∘", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ°", strict=True)
)


def lowered(text: str) -> str:
    """Subscript letters where Unicode has all of them, else braces.

    >>> lowered("12"), lowered("q")
    ('₁₂', '_q')
    """
    text = text.replace(" ", "").replace("−", "-")
    if all(letter in BELOW for letter in text):
        return "".join(BELOW[letter] for letter in text)
    return f"_{text}" if len(text) == 1 else f"_{{{text}}}"


def raised(text: str) -> str:
    """Superscript letters where Unicode has all of them, else a caret.

    >>> raised("(2)"), raised("q")
    ('⁽²⁾', '^q')
    """
    text = text.replace(" ", "").replace("−", "-")
    if all(letter in ABOVE for letter in text):
        return "".join(ABOVE[letter] for letter in text)
    return f"^{text}" if len(text) == 1 or text.startswith("[") else f"^({text})"


@dataclass(frozen=True)
class TextMarkup:
    """Unicode text on one line; fractions are written with a slash."""

    space: str = " "
    dot: str = " · "
    function_space: str = " "
    comma: str = ", "
    dots: str = "…"

    def letter(self, text: str) -> Printed:
        letter, _, index = unicodedata.normalize("NFC", text).partition("_")
        return self._text(letter + (lowered(index) if index else ""))

    def number(self, text: str) -> Printed:
        return self._text(text)

    def operator(self, symbol: str) -> str:
        return "−" if symbol == "-" else symbol

    def scripts(self, letter: Printed, sub: str, label: str, place: str, bold: bool) -> Printed:
        label = label.replace("−", "-")
        text = letter.text + (lowered(sub) if sub else "")
        if place == "above" and label:
            return self._text(text + raised(label), Level.SCRIPTED)
        return self._text(text + label)

    def fraction(self, above: Printed, below: Printed) -> Printed:
        over = above.text if above.level > Level.SUM else f"({above.text})"
        under = below.text if below.level > Level.PRODUCT else f"({below.text})"
        return Printed(f"{over}/{under}", Level.PRODUCT, len(over) + len(under) + 1, fraction=True)

    def small_fraction(self, above: int, below: int) -> Printed:
        named = {(1, 2): "½", (1, 3): "⅓", (1, 4): "¼", (2, 3): "⅔", (3, 4): "¾"}
        return self._text(named.get((above, below), f"({above}/{below})"))

    def power(self, base: Printed, exponent: Printed) -> Printed:
        return self._text(base.text + raised(exponent.text), Level.SCRIPTED)

    def root(self, inside: Printed) -> Printed:
        return self._text(f"√{inside.text}" if len(inside.text) == 1 else f"√({inside.text})")

    def brackets(self, inside: Printed) -> Printed:
        return self._text(f"({inside.text})")

    def bars(self, inside: Printed) -> Printed:
        return self._text(f"|{inside.text}|")

    def exponential(self, exponent: Printed) -> Printed:
        text = raised(exponent.text)
        return self._text(f"e{text}", Level.SCRIPTED) if "^" not in text else self._text(f"exp({exponent.text})")

    def primed(self, function: Printed, order: int) -> Printed:
        return self._text(function.text + "′" * order)

    def sum(self, index: str, low: str, high: str) -> Printed:
        return self._text(f"Σ{lowered(index)} ", Level.PRODUCT)

    def cases(self, rows: Sequence[tuple[Printed, Printed | None]]) -> Printed:
        parts = [
            f"{value.text} " + ("otherwise" if where is None else f"{word} {where.text}")
            for (value, where), word in zip(rows, case_words(len(rows)), strict=True)
        ]
        return self._text("{" + "; ".join(parts) + "}", Level.SUM)

    def array(self, rows: Sequence[Sequence[Printed]]) -> Printed:
        return self._text("[" + "; ".join(", ".join(entry.text for entry in row) for row in rows) + "]")

    def indicator(self, condition: str) -> Printed:
        return self._text(f"1{{{condition}}}")

    def derivative(self, sign: str, of: Printed | None, by: Printed) -> Printed:
        return self._text(f"{sign}{of.text if of else ''}/{sign}{by.text}")

    def transposed(self, of: Printed, sign: str) -> Printed:
        return self._text(of.text + ("ᵀ" if sign == "T" else "^⊤"), Level.SCRIPTED)

    def ones(self) -> Printed:
        return self._text("𝟏")

    def _text(self, text: str, level: Level = Level.ATOM) -> Printed:
        return Printed(text, level, float(len(text)))

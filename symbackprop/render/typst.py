"""Typst: the marks of the markup. Symbols are written as Unicode, because their names change between versions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.render.latex import FUNCTION_NAMES, HATS, LATIN_LOOKALIKES, LONG, LatexMarkup
from symbackprop.render.printed import Printed, case_words, enclosed

OPEN, CLOSE = r"\(", r"\)"  # plain parentheses; without the backslash they group, and are not printed after a slash
BIG = "#1.8em"
TYPST_HATS = {"hat": "hat", "tilde": "tilde", "bar": "macron"}


def tokens(text: str) -> str:
    r"""A script letter by letter: letters that touch would be one name, brackets and commas would group.

    >>> print(tokens("(l+1)"), tokens("1,12"), tokens("ij"), tokens("n_(2)+j"))
    \( l + 1 \) 1 \, 12 i j n_(2) + j
    """
    pieces: list[str] = []
    for letter in re.findall(r"_\([^()]*\)|.", text.replace(" ", "")):
        if letter.startswith("_("):
            pieces[-1] += f"_({tokens(letter[2:-1])})"
        elif letter.isdigit() and pieces and pieces[-1].isdigit():
            pieces[-1] += letter
        else:
            pieces.append(letter if letter.isalnum() else {"-": "−", "+": "+"}.get(letter, f"\\{letter}"))
    return " ".join(pieces)


def spaced(piece: Printed, text: str) -> Printed:
    """The piece with another text, which no letter before or behind can run into."""
    return replace(piece, text=text, parts=())


@dataclass(frozen=True)
class TypstMarkup(LatexMarkup):
    """Typst's mathematics, set in Computer Modern: widths, levels and breaks as in LaTeX, marks of its own."""

    space: str = " thin "
    dot: str = " ⋅ "
    function_space: str = " "
    comma: str = r"\, "
    dots: str = "dots.c"

    def letter(self, text: str) -> Printed:
        like = super().letter(text)
        if "_" in text:
            letter, index = text.split("_", 1)
            below = (
                f'"{index}"'
                if index.isalpha() and not (len(index) == 1 and index.islower())
                else self.letter(index).text
                if not index.isdigit()
                else index
            )
            return spaced(like, f"{self.letter(letter).text}_({below})")
        plain = unicodedata.normalize("NFD", text)
        if plain[-1:] in HATS:
            return spaced(like, f"{TYPST_HATS[HATS[plain[-1]]]}({self.letter(plain[:-1]).text})")
        if len(text) == 1:
            return spaced(like, LATIN_LOOKALIKES.get(text, text))
        return spaced(like, f'op("{text}")' if text in FUNCTION_NAMES else f'"{text}"')

    def operator(self, symbol: str) -> str:
        return {"-": "−", "Δ": "Δ "}.get(symbol, symbol)

    def scripts(self, letter: Printed, sub: str, label: str, place: str, bold: bool) -> Printed:
        text = f"bold({letter.text})" if bold else letter.text
        text += f"^({tokens(label)})" if label and place == "above" else ""
        text += f"_({tokens(sub)})" if sub else ""
        text += f" {tokens(label)}" if label and place == "beside" else ""
        return spaced(super().scripts(letter, sub, label, place, bold), text)

    def fraction(self, above: Printed, below: Printed) -> Printed:
        return spaced(super().fraction(above, below), f" ({above.text})/({below.text})")

    def small_fraction(self, above: int, below: int) -> Printed:
        return spaced(super().small_fraction(above, below), f"inline(({above})/({below}))")

    def power(self, base: Printed, exponent: Printed) -> Printed:
        return spaced(super().power(base, exponent), f"{base.text}^({exponent.text})")

    def root(self, inside: Printed) -> Printed:
        return spaced(super().root(inside), f"√({inside.text})")

    def brackets(self, inside: Printed) -> Printed:
        if not inside.tall:
            return enclosed(OPEN, inside, CLOSE, 1.2)
        if inside.parts and inside.width > LONG:
            # A matching pair must stand on one line; long sums may need several.
            return enclosed(f"lr({OPEN}, size: {BIG}) ", inside, f" lr({CLOSE}, size: {BIG})", 2)
        return enclosed(f" lr({OPEN} ", replace(inside, parts=()), f" {CLOSE})", 2)

    def bars(self, inside: Printed) -> Printed:
        return spaced(super().bars(inside), f"lr(| {inside.text} |)")

    def exponential(self, exponent: Printed) -> Printed:
        text = f'op("exp"){self.brackets(exponent).text}' if exponent.tall else f"e^({exponent.text})"
        return spaced(super().exponential(exponent), text)

    def primed(self, function: Printed, order: int) -> Printed:
        return spaced(super().primed(function, order), function.text + (f"^({'′' * order})" if order else ""))

    def sum(self, index: str, low: str, high: str) -> Printed:
        return spaced(super().sum(index, low, high), f"∑_({index} = {low})^({high}) ")

    def cases(self, rows: Sequence[tuple[Printed, Printed | None]]) -> Printed:
        lines = [
            f"{value.text} & " + ('"otherwise"' if where is None else f'"{word} " {where.text}')
            for (value, where), word in zip(rows, case_words(len(rows)), strict=True)
        ]
        return spaced(super().cases(rows), f"cases({', '.join(lines)})")

    def array(self, rows: Sequence[Sequence[Printed]]) -> Printed:
        lines = "; ".join(", ".join(entry.text for entry in row) for row in rows)
        return spaced(super().array(rows), f'mat(delim: "[", {lines})')

    def indicator(self, condition: str) -> Printed:
        return spaced(super().indicator(condition), f"bold(1)_({condition})")

    def derivative(self, sign: str, of: Printed | None, by: Printed) -> Printed:
        above = f"{sign} {of.text if of else ''}".strip()
        return spaced(super().derivative(sign, of, by), f" ({above})/({sign} {by.text})")

    def transposed(self, of: Printed, sign: str) -> Printed:
        mark = 'sans("T")' if sign == "T" else "⊤"
        return replace(super().transposed(of, sign), text=f"{of.text}^({mark})")

    def ones(self) -> Printed:
        return Printed("bold(1)")

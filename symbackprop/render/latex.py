"""LaTeX: the marks of the markup, and formulas and names printed in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.render.printed import Level, Printed, case_words, enclosed

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "∇": "nabla",
}  # fmt: skip
HATS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar"}
LATIN_LOOKALIKES = {"ο": "o", "Ρ": "P"}
OPERATORS = {
    "-": "-", "+": "+", "=": "=", "<": "<", ">": ">", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx",
    "⊙": r"\odot", "∘": r"\circ", "←": r"\leftarrow", ":=": ":=", "Δ": r"\Delta ",
}  # fmt: skip
FUNCTION_NAMES = {"tanh", "ln", "log", "max", "min", "cosh"}  # those with a command of their own


LONG = 30  # letters; a longer sum in brackets may be broken between lines


def braced(text: str) -> str:
    """A script in braces, unless it is one letter.

    >>> braced("2"), braced("12")
    ('2', '{12}')
    """
    return text if len(text) == 1 else f"{{{text}}}"


def smaller(exponent: Printed) -> Printed:
    """An exponent, its fractions in the size of exponents."""
    return replace(exponent, text=exponent.text.replace(r"\tfrac", r"\frac"))


@dataclass(frozen=True)
class LatexMarkup:
    """LaTeX that pdflatex with amsmath and GitHub's MathJax both set: no operatorname, no macros of our own."""

    space: str = r"\,"
    dot: str = r" \cdot "
    function_space: str = " "
    comma: str = ", "
    dots: str = r"\cdots"

    def letter(self, text: str) -> Printed:
        if "_" in text:
            letter, index = text.split("_", 1)
            base, below = self.letter(letter), self.letter(index) if not index.isdigit() else Printed(index)
            below = (
                replace(below, text=rf"\mathrm{{{index}}}")
                if index.isalpha() and not (len(index) == 1 and index.islower())
                else below
            )
            return Printed(f"{base.text}_{braced(below.text)}", Level.ATOM, base.width + 0.7 * below.width)
        plain = unicodedata.normalize("NFD", text)
        if plain[-1:] in HATS:
            inside = self.letter(plain[:-1])
            wide = "wide" if inside.width > 1 and HATS[plain[-1]] != "bar" else ""
            return replace(inside, text=rf"\{wide}{HATS[plain[-1]]}{{{inside.text}}}")
        if text in GREEK:
            return Printed(f"\\{GREEK[text]} ".rstrip())
        if len(text) == 1:
            return Printed(LATIN_LOOKALIKES.get(text, text))
        if text in FUNCTION_NAMES:
            return Printed(f"\\{text}", width=len(text))
        return Printed(rf"\mathrm{{{text}}}", width=len(text))

    def number(self, text: str) -> Printed:
        return Printed(text, width=float(len(text)))

    def operator(self, symbol: str) -> str:
        return OPERATORS[symbol]

    def scripts(self, letter: Printed, sub: str, label: str, place: str, bold: bool) -> Printed:
        text = rf"\boldsymbol{{{letter.text}}}" if bold else letter.text
        above = place == "above" and label
        text += f"^{braced(label)}" if above else ""
        text += f"_{braced(sub)}" if sub else ""
        text += label if place == "beside" else ""
        small = max(len(sub), len(label)) if above else len(sub)
        width = letter.width + 0.7 * small + (0.8 * len(label) if label and not above else 0)
        return Printed(text, Level.SCRIPTED if above else Level.ATOM, width)

    def fraction(self, above: Printed, below: Printed) -> Printed:
        width = max(above.width, below.width) + 0.5
        return Printed(rf"\frac{{{above.text}}}{{{below.text}}}", Level.ATOM, width, tall=True, fraction=True)

    def small_fraction(self, above: int, below: int) -> Printed:
        return Printed(
            rf"\tfrac{{{above}}}{{{below}}}",
            Level.ATOM,
            0.7 * max(len(str(above)), len(str(below))) + 0.3,
            fraction=True,
        )

    def power(self, base: Printed, exponent: Printed) -> Printed:
        exponent = smaller(exponent)
        return Printed(
            f"{base.text}^{braced(exponent.text)}", Level.SCRIPTED, base.width + 0.7 * exponent.width, base.tall
        )

    def root(self, inside: Printed) -> Printed:
        return Printed(rf"\sqrt{{{inside.text}}}", Level.ATOM, inside.width + 1, inside.tall)

    def brackets(self, inside: Printed) -> Printed:
        if not inside.tall:
            return enclosed("(", inside, ")", 1.2)
        if inside.parts and inside.width > LONG:
            # A pair of \\left and \\right must stand on one line; long sums may need several.
            return enclosed(r"\Bigl(", inside, r"\Bigr)", 2)
        # The outer braces keep TeX from adding space around the pair.
        return enclosed(r"{\left(", replace(inside, parts=()), r"\right)}", 2)

    def bars(self, inside: Printed) -> Printed:
        left, right = (r"\left|", r"\right|") if inside.tall else (r"\lvert ", r"\rvert")
        return Printed(f"{left}{inside.text}{right}", Level.ATOM, inside.width + 1, inside.tall)

    def exponential(self, exponent: Printed) -> Printed:
        if exponent.tall:
            inside = self.brackets(exponent)
            return Printed(rf"\exp{inside.text}", Level.ATOM, 3 + inside.width, tall=True)
        exponent = smaller(exponent)
        return Printed(f"e^{braced(exponent.text)}", Level.SCRIPTED, 1 + 0.7 * exponent.width)

    def primed(self, function: Printed, order: int) -> Printed:
        return Printed(function.text + "'" * order, Level.ATOM, function.width + 0.4 * order)

    def sum(self, index: str, low: str, high: str) -> Printed:
        return Printed(rf"\sum_{{{index}={low}}}^{braced(high)} ", Level.PRODUCT, 2.4, tall=True)

    def cases(self, rows: Sequence[tuple[Printed, Printed | None]]) -> Printed:
        words = case_words(len(rows))
        lines = [
            f"{value.text} & " + (r"\text{otherwise}" if where is None else rf"\text{{{word} }} {where.text}")
            for (value, where), word in zip(rows, words, strict=True)
        ]
        conditions = (len(word) + where.width if where else 7 for (_, where), word in zip(rows, words, strict=True))
        width = max(value.width for value, _ in rows) + max(conditions) + 2
        return Printed(r"\begin{cases} " + r" \\ ".join(lines) + r" \end{cases}", Level.SUM, width, tall=True)

    def array(self, rows: Sequence[Sequence[Printed]]) -> Printed:
        lines = r" \\ ".join(" & ".join(entry.text for entry in row) for row in rows)
        width = sum(max(entry.width for entry in column) + 2 for column in zip(*rows, strict=True)) + 1
        return Printed(rf"\begin{{bmatrix}} {lines} \end{{bmatrix}}", Level.ATOM, width, tall=True)

    def indicator(self, condition: str) -> Printed:
        return Printed(rf"\mathbf{{1}}_{{{condition}}}", Level.ATOM, 1 + 0.7 * len(condition))

    def derivative(self, sign: str, of: Printed | None, by: Printed) -> Printed:
        mark = r"\partial " if sign == "∂" else "d"
        above = f"{mark}{of.text if of else ''}".strip()
        width = max(1 + (of.width if of else 0), 1 + by.width) + 0.5
        return Printed(rf"\frac{{{above}}}{{{mark}{by.text}}}", Level.ATOM, width, tall=True)

    def transposed(self, of: Printed, sign: str) -> Printed:
        mark = r"\mathsf{T}" if sign == "T" else r"\top"
        return Printed(f"{of.text}^{{{mark}}}", Level.SCRIPTED, of.width + 0.7)

    def ones(self) -> Printed:
        return Printed(r"\mathbf{1}")


WIDE = 56  # letters; wider arrays and cases, which have no place to break, are made smaller


@dataclass(frozen=True)
class PaperMarkup(LatexMarkup):
    """LaTeX on a page of fixed width: what has no place to break is set smaller (``fitted``)."""

    def array(self, rows: Sequence[Sequence[Printed]]) -> Printed:
        return fitted(super().array(rows))

    def cases(self, rows: Sequence[tuple[Printed, Printed | None]]) -> Printed:
        return fitted(super().cases(rows))


def fitted(printed: Printed) -> Printed:
    """``printed``, made smaller on the page where it is wider than a line."""
    if printed.width <= WIDE:
        return printed
    return Printed(rf"\fitted{{{printed.text}}}", printed.level, WIDE, tall=True)

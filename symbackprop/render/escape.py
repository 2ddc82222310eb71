"""Words that come from users, made harmless for each markup."""

from __future__ import annotations

import re
import unicodedata

from symbackprop.render.latex import GREEK

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\char96{}",
}  # fmt: skip
LATEX_WORDS = {
    "—": "---", "–": "--", "…": r"\dots{}", "“": "``", "”": "''", "’": "'", "×": r"$\times$", "·": r"$\cdot$",
    "−": "$-$", "←": r"$\leftarrow$", "∂": r"$\partial$", "Σ": r"$\sum$", "′": "$'$", "≤": r"$\le$", "≠": r"$\ne$",
    "⊙": r"$\odot$", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "½": r"$\tfrac12$",
    "\u00a0": "~",
}  # fmt: skip
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u0327": "c",
    "\u030c": "v",
}  # fmt: skip
TYPST_SPECIAL = re.compile(r"""([\\#$*_`@<>\[\]~'"/=+.-])""")
# What the fonts that come with Typst can set: Latin, Greek, Cyrillic, punctuation, arrows and mathematics.
TYPST_LETTERS = re.compile(
    r"[^\u0020-\u007e\u00a0-\u024f\u0370-\u0373\u0384-\u03ce\u0400-\u045f\u2010-\u2026\u2190-\u2193∂∑√∞≤≥≠⊙∇′−×·½¼¾]"
)
MARKDOWN_SPECIAL = re.compile(r"([\\`*_\[\]#|$~])")


def one_line(text: str) -> str:
    r"""The text without control characters and line breaks.

    >>> one_line("two\nlines")
    'two lines'
    """
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def for_latex(text: str) -> str:
    r"""The text as pdflatex sets it, every special character literal; what no font has is named by its code.

    >>> print(for_latex("50% of $x_1$ \\input{/etc/passwd}"))
    50\% of \$x\_1\$ \textbackslash{}input\{/etc/passwd\}
    """
    return "".join(map(_latex_letter, one_line(text)))


def for_pdf_string(text: str) -> str:
    r"""The text as hyperref keeps it in a PDF: every letter but those of ASCII by its code.

    >>> print(for_pdf_string("50% δ"))
    50\unichar{"25} \unichar{"3B4}
    """
    kept = (c if c.isascii() and (c.isalnum() or c == " ") else rf'\unichar{{"{ord(c):X}}}' for c in one_line(text))
    return "".join(kept)


def only_ascii(text: str) -> str:
    r"""LaTeX whose words hold Unicode letters, with each of them written as a command.

    >>> print(only_ascii("layers 2–4, with δ"))
    layers 2--4, with $\delta$
    """
    return "".join(letter if letter.isascii() else _latex_letter(letter) for letter in text)


def _latex_letter(letter: str) -> str:
    for table in (LATEX_SPECIAL, LATEX_WORDS):
        if letter in table:
            return table[letter]
    if letter in GREEK:
        return f"$\\{GREEK[letter]}$"
    if letter.isascii():
        return letter
    base, marks = unicodedata.normalize("NFD", letter)[0], unicodedata.normalize("NFD", letter)[1:]
    if base.isascii() and base.isalpha() and marks in ACCENTS:
        # A dotless i keeps its accent readable.
        return f"\\{ACCENTS[marks]}{{{chr(92) + base + '{}' if base in 'ij' else base}}}"
    return rf"[U+{ord(letter):04X}]"


def for_typst(text: str) -> str:
    r"""The text as Typst sets it, every special character literal; what no font has is named by its code.

    >>> print(for_typst("#eval *x* 中"))
    \#eval \*x\* \[U\+4E2D\]
    """
    return TYPST_SPECIAL.sub(r"\\\1", TYPST_LETTERS.sub(lambda found: f"[U+{ord(found[0]):04X}]", one_line(text)))


def typst_string(text: str) -> str:
    r"""The text between the quotation marks of a string of Typst's.

    >>> print(typst_string('a "b" \\frac'))
    a \"b\" \\frac
    """
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def for_markdown(text: str) -> str:
    r"""The text as GitHub shows it, every special character literal.

    >>> print(for_markdown("<b> *x* $1"))
    &lt;b&gt; \*x\* \$1
    """
    text = MARKDOWN_SPECIAL.sub(r"\\\1", one_line(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")

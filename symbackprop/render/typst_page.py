"""What the Typst template places: every line as shown and in LaTeX, for those who read with a screen reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.render.equations import EquationWriter, PrintedBlock
from symbackprop.render.escape import for_typst, typst_string
from symbackprop.render.figures import figures
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.lines import Line
from symbackprop.render.links import Linking, with_links
from symbackprop.render.paired import PairedMarkup, alternative, shown
from symbackprop.render.picture.typst import typst
from symbackprop.render.style import Style
from symbackprop.render.typst import TypstMarkup

MARKUP = PairedMarkup(TypstMarkup(), LatexMarkup())
NONE = "none"


@dataclass(frozen=True)
class TypstLine:
    """A line as arguments of Typst's: what is left out is ``none``; ``alt`` is the whole line in LaTeX."""

    left: str
    sign: str
    right: str
    alt: str
    reason: str
    number: str


@dataclass(frozen=True)
class TypstBlock:
    """A sentence, its lines, a note; ``name`` is the number of its first equation."""

    sentence: str
    lines: tuple[TypstLine, ...]
    note: str
    name: str


def typst_inline(formula: str) -> str:
    """A formula within words; ``formula`` holds both readings."""
    return f'#formula("{typst_string(alternative(formula))}", ${shown(formula)}$)'


def typst_reason(lines: list[str]) -> str:
    """A reason; Typst breaks it where the page asks for that."""
    return for_typst(" ".join(lines))


# Escaped signs and formulas cite nothing.
LINKS = Linking(r'\\.|#formula\("(?:[^"\\]|\\.)*", \$[^$]*\$\)', lambda number: f"#link(<eq-{number}>)[({number})]")
TYPST = Style(MARKUP, for_typst, typst_inline, typst_reason, line=84, reason_letter=0.72)


def typst_parts(writer: EquationWriter, placed: dict[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    """``placed`` with Typst's own lines, and the code as a string of Typst's."""
    linked = with_links(placed, LINKS)
    sections = [replace(section, blocks=tuple(map(_block, section.blocks))) for section in linked["sections"]]
    source, author = placed["code"], writer.derivation.graph.spec.author
    return {
        **linked,
        "sections": sections,
        "figures": figures(writer, placed, typst, typst_string),
        "brief": writer.view.brief,
        "author_text": None if author is None else typst_string(author),
        "code_text": None if source is None else typst_string(source),
    }


def _block(block: PrintedBlock) -> TypstBlock:
    name = next(line.number for line in block.lines if line.number)
    return TypstBlock(block.sentence, tuple(map(_line, block.lines)), block.note, name)


def _line(line: Line) -> TypstLine:
    alt = " ".join(alternative(part) for part in (line.left, line.sign, line.right) if part)
    left, sign, right = (f"${shown(part)}$" if part else NONE for part in (line.left, line.sign, line.right))
    number = f'"{line.number}"' if line.number else NONE
    return TypstLine(left, sign, right, typst_string(alt), line.reason, number)

"""What the LaTeX templates place: links to the equations that are cited, pictures, title and author as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.network.spec import NetworkSpec
from symbackprop.render.equations import EquationWriter, PrintedBlock, PrintedSection
from symbackprop.render.escape import for_latex, for_pdf_string
from symbackprop.render.figures import figures
from symbackprop.render.front import title_of
from symbackprop.render.picture.tikz import tikz

# An escaped sign, a formula, or the number of an equation: a number within a formula cites nothing.
REFERENCE = re.compile(r"\\.|\$[^$]*\$|\((\d+[ab]?)\)")


def latex_parts(writer: EquationWriter, placed: dict[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    """``placed`` with links to the equations that are printed, and the pictures in TikZ."""
    links = Links.to(placed["sections"])
    return {
        **placed,
        "sections": list(map(links.section, placed["sections"])),
        "assumptions": list(map(links.linked, placed["assumptions"])),
        "checks": [replace(row, what=links.linked(row.what)) for row in placed["checks"] or []],
        "figures": figures(writer, placed, tikz, for_latex),
        "metadata": metadata(writer.derivation.graph.spec),
    }


def metadata(spec: NetworkSpec) -> dict[str, str | None]:
    """Title and author as a PDF keeps them."""
    author = None if spec.author is None else for_pdf_string(spec.author)
    return {"title": for_pdf_string(title_of(spec)), "author": author}


@dataclass(frozen=True)
class Links:
    """Makes numbers of equations in words links to the equations, as far as these are ``printed``."""

    printed: frozenset[str]

    @classmethod
    def to(cls, sections: list[PrintedSection]) -> Links:
        """Links to the equations of these sections."""
        return cls(frozenset(line.number for section in sections for block in section.blocks for line in block.lines))

    def linked(self, text: str) -> str:
        r"""``text`` with its links.

        >>> print(Links(frozenset({"2", "3a"})).linked("by (1), (2) and $f(2)$; (3a)"))
        by (1), \hyperref[eq:2]{(2)} and $f(2)$; \hyperref[eq:3a]{(3a)}
        """

        def link(found: re.Match[str]) -> str:
            return rf"\hyperref[eq:{found[1]}]{{{found[0]}}}" if found[1] in self.printed else found[0]

        return REFERENCE.sub(link, text)

    def section(self, section: PrintedSection) -> PrintedSection:
        """A section whose reasons and notes have their links."""
        blocks, notes = map(self.block, section.blocks), map(self.linked, section.notes)
        return replace(section, blocks=tuple(blocks), notes=tuple(notes))

    def block(self, block: PrintedBlock) -> PrintedBlock:
        """A block whose reasons and note have their links."""
        lines = (replace(line, reason=self.linked(line.reason)) for line in block.lines)
        return replace(block, lines=tuple(lines), note=self.linked(block.note))

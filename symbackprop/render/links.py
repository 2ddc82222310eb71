"""Numbers of equations in words, made links to the equations."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from symbackprop.render.equations import PrintedBlock, PrintedSection


@dataclass(frozen=True)
class Linking:
    """How one markup writes links: ``aside`` is what holds no reference, formulas for one; ``link`` gets the number."""

    aside: str
    link: Callable[[str], str]

    @cached_property
    def reference(self) -> re.Pattern[str]:
        """What is left as it is, or a number in parentheses, which is the only group."""
        return re.compile(rf"{self.aside}|\((\d+[ab]?)\)")


@dataclass(frozen=True)
class Links:
    """Makes numbers of equations links to the equations, as far as these are ``printed``."""

    linking: Linking
    printed: frozenset[str]

    def linked(self, text: str) -> str:
        r"""``text`` with its links.

        >>> latex = Linking(r"\$[^$]*\$", lambda number: rf"\hyperref[eq:{number}]{{({number})}}")
        >>> print(Links(latex, frozenset({"2", "3a"})).linked("by (1), (2) and $f(2)$; (3a)"))
        by (1), \hyperref[eq:2]{(2)} and $f(2)$; \hyperref[eq:3a]{(3a)}
        """

        def link(found: re.Match[str]) -> str:
            return self.linking.link(found[1]) if found[1] in self.printed else found[0]

        return self.linking.reference.sub(link, text)

    def within(self, placed: dict[str, Any]) -> dict[str, Any]:
        """What templates place, with its links."""
        checks = placed["checks"]
        return {
            **placed,
            "sections": list(map(self.section, placed["sections"])),
            "assumptions": list(map(self.linked, placed["assumptions"])),
            "checks": checks and [replace(row, what=self.linked(row.what)) for row in checks],
        }

    def section(self, section: PrintedSection) -> PrintedSection:
        """A section whose reasons and notes have their links."""
        blocks, notes = map(self.block, section.blocks), map(self.linked, section.notes)
        return replace(section, blocks=tuple(blocks), notes=tuple(notes))

    def block(self, block: PrintedBlock) -> PrintedBlock:
        """A block whose reasons and note have their links."""
        lines = (replace(line, reason=self.linked(line.reason)) for line in block.lines)
        return replace(block, lines=tuple(lines), note=self.linked(block.note))


def with_links(placed: dict[str, Any], linking: Linking) -> dict[str, Any]:
    """What templates place, its numbers of equations links to those that are printed."""
    lines = (line for section in placed["sections"] for block in section.blocks for line in block.lines)
    return Links(linking, frozenset(line.number for line in lines)).within(placed)

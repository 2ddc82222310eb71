"""The numbered sections on a page: an equation for each step, with its LaTeX and what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from markupsafe import Markup
from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.steps import Step
from symbackprop.network.quantities import BIAS, DELTA, OUT, PRE, WEIGHT
from symbackprop.render.equations import EquationWriter, PrintedBlock, PrintedSection
from symbackprop.render.html.factors import came_from, factors
from symbackprop.render.html.mathml import continued, marked, mathml, unmarked
from symbackprop.render.html.signs import local_derivative, own
from symbackprop.render.lines import Line

SHOWN_AS = {PRE: OUT, OUT: OUT, WEIGHT: WEIGHT, BIAS: BIAS, DELTA: DELTA}  # what of the picture an entry is


@dataclass(frozen=True)
class Row:
    """One line of an equation, as MathML."""

    left: Markup
    sign: Markup
    right: Markup


@dataclass(frozen=True)
class PageEquation:
    """A step: its rows, its reason with links, its whole LaTeX, and the parts of the picture that it mentions."""

    identity: str
    number: str
    rows: tuple[Row, ...]
    reason: Markup
    latex: str
    entries: str


@dataclass(frozen=True)
class PageBlock:
    """A sentence, its equations, perhaps a note."""

    sentence: Markup
    equations: tuple[PageEquation, ...]
    note: Markup


@dataclass(frozen=True)
class PageSection:
    """A heading and its blocks."""

    identity: str
    heading: Markup
    blocks: tuple[PageBlock, ...]
    notes: tuple[Markup, ...]


@dataclass(frozen=True)
class SectionSetter:
    """Sets printed sections on a page."""

    writer: EquationWriter

    def __call__(self, sections: list[PrintedSection]) -> list[PageSection]:
        """The sections, with the steps behind their equations."""
        return [
            PageSection(
                f"part-{n}",
                Markup(section.heading),
                tuple(self._block(block) for block in section.blocks),
                tuple(map(Markup, section.notes)),
            )
            for n, section in enumerate(sections, start=1)
        ]

    @cached_property
    def steps(self) -> dict[str, Step]:
        """The derivation's steps by their equation's number as it is printed."""
        known = self.writer.derivation.by_label
        return {str(number): known[label] for label, number in self.writer.numbers.items() if label in known}

    @cached_property
    def factors(self) -> frozenset[Expr]:
        """The factors of chain rules."""
        return factors(self.writer.derivation)

    def _block(self, block: PrintedBlock) -> PageBlock:
        equations, left = [], ""
        for lines in _equations(block.lines):
            left = lines[0].left or left
            step = self.steps.get(lines[-1].number)
            equations.append(
                PageEquation(
                    f"eq-{lines[-1].number}",
                    lines[-1].number,
                    tuple(map(_row, self.traced(lines, step))),
                    Markup(lines[-1].reason),
                    unmarked(" ".join([left, lines[0].sign, *(line.right.strip() for line in lines)])),
                    " ".join(mentioned(self.writer, step)) if step is not None else "",
                )
            )
        return PageBlock(Markup(block.sentence), tuple(equations), Markup(block.note))

    def traced(self, lines: list[Line], step: Step | None) -> list[Line]:
        """The line that derives a factor: both its sides come from where the factor comes from."""
        if step is None or step.left not in self.factors or len(lines) > 1:
            return lines
        local = local_derivative(self.writer.notation.profile, step.left)
        source = came_from(local) if local is not None else ""
        sides = {key: unmarked(getattr(lines[0], key)) for key in ("left", "right")}
        return [replace(lines[0], **{key: marked(side, source) for key, side in sides.items() if side and source})]


def mentioned(writer: EquationWriter, step: Step) -> list[str]:
    """The single weights, units and δ that a step is about, as the picture names them, in a fixed order."""
    sides = [own(writer.notation.profile, side) for side in (step.left, step.right) if isinstance(side, Expr)]
    entries = {entry for side in sides for entry in side.atoms(Entry) if entry.base in SHOWN_AS}
    single = [entry for entry in entries if all(index.is_Integer for index in entry.indices)]
    return sorted({str(SHOWN_AS[entry.base][entry.indices]) for entry in single})


def _equations(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines of one step each: its number stands on its last line."""
    gathered: list[Line] = []
    for line in lines:
        gathered.append(line)
        if line.number:
            yield gathered
            gathered = []


def _row(line: Line) -> Row:
    right = line.right if line.sign else continued(line.right)
    return Row(*(Markup(mathml(part, display=True)) if part else Markup() for part in (line.left, line.sign, right)))

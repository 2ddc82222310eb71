"""The derivation for any sizes as a document: layers and widths stay letters, the network's own equations follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.general import general_parts, instances
from symbackprop.derivation.steps import Block, Section, Step, numbering
from symbackprop.network.quantities import LAYER
from symbackprop.notation.written import as_written, unwritten
from symbackprop.render.equations import EquationWriter, PrintedSection

LAST = Symbol("L", integer=True, positive=True)  # the last layer


def any_sizes(derivation: Derivation, first_layer: int) -> tuple[Section, ...]:
    """Forward equations, slopes, induction and gradients in the symbolic layer l, then the network's own instances.

    ``first_layer`` is the number of the input layer in the notation, which the symbolic layers are counted by.
    """
    parts = [part.section for part in general_parts(derivation)]
    slopes = [section for section in derivation.sections if section.key == "slopes"]
    blocks: dict[str, list[Block]] = {"general_forward": [], "slopes": []}
    said: set[tuple[tuple[Expr, Expr], ...]] = set()
    for section in (*slopes, *parts):
        for block in in_letters(section, derivation.graph.depth, first_layer).blocks:
            equations = tuple((step.left, step.right) for step in block.steps)
            if equations not in said:  # layers with and without biases share most of their equations
                blocks.setdefault(section.key, []).append(block)
            said.add(equations)
    steps = tuple(step for block in blocks["general_forward"] for step in block.steps)
    blocks["general_forward"] = [Block("general_forward", steps)]
    return (*(Section(key, tuple(found)) for key, found in blocks.items() if found), instances(derivation))


def in_letters(section: Section, depth: int, first_layer: int) -> Section:
    """The section with l, and L for the last layer, as the notation counts layers."""
    shift = first_layer - 1

    def counted(expr: Expr) -> Expr:
        if not isinstance(expr, Expr):
            return expr
        put: dict[Expr, Expr] = {}
        for entry in expr.atoms(Entry):
            if entry.base.layered:
                layer = LAST if entry.indices[0] == depth else entry.indices[0]
                moved = layer.xreplace({LAYER: LAYER - shift, LAST: LAST - shift})
                put[entry] = entry.base[(moved, *entry.indices[1:])]
        return expr.xreplace(put)

    def step_in_letters(step: Step) -> Step:
        facts = tuple(replace(fact, formula=counted(fact.formula)) for fact in step.assumptions)
        where = tuple(map(counted, step.conditions))
        return replace(step, left=counted(step.left), right=counted(step.right), assumptions=facts, conditions=where)

    return Section(
        section.key,
        tuple(Block(b.key, tuple(map(step_in_letters, b.steps)), tuple(map(counted, b.about))) for b in section.blocks),
    )


@dataclass(frozen=True)
class AnySizesWriter(EquationWriter):
    """Writes the document for any sizes."""

    selectable: ClassVar[bool] = False

    @cached_property
    def shown(self) -> tuple[Section, ...]:
        """The general sections and the instances."""
        plain = any_sizes(unwritten(self.derivation), self.notation.profile.first_layer)
        return tuple(as_written(section, self.derivation) for section in plain)

    def sections(self) -> list[PrintedSection]:
        """All sections of equations."""
        return [self.section(section) for section in self.shown]


def any_sizes_numbers(derivation: Derivation) -> dict[str, int]:
    """The numbers of the equations in the document for any sizes."""
    return numbering(any_sizes(unwritten(derivation), 1))

"""The derivation for any sizes as a document: layers and widths stay letters, the network's own equations follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from sympy import Expr, KroneckerDelta, Symbol
from sympy.core.relational import Relational

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.general import general_parts, instances
from symbackprop.derivation.steps import Block, Section, Step, numbering
from symbackprop.network.quantities import ERROR, FROM, LAYER, TO
from symbackprop.notation.profile import Profile
from symbackprop.notation.written import as_written, unwritten
from symbackprop.render.equations import EquationWriter, PrintedSection
from symbackprop.render.front import FrontWriter, SymbolRow
from symbackprop.render.wording import words

LAST = Symbol("L", integer=True, positive=True)  # the last layer


def any_sizes(derivation: Derivation, first_layer: int, last: Symbol = LAST) -> tuple[Section, ...]:
    """Forward equations, slopes, induction and gradients in the symbolic layer l, then the network's own instances.

    ``first_layer`` is the number of the input layer in the notation, which the symbolic layers are counted by; ``last``
    is the letter of the last layer.
    """
    parts = [part.section for part in general_parts(derivation)]
    (error,) = (
        step.label for part in parts for step in part.steps if step.left == ERROR and step.rule == rules.DEFINITION
    )
    slopes = [citing(section, {"error": error}) for section in derivation.sections if section.key == "slopes"]
    blocks: dict[str, list[Block]] = {"general_forward": [], "slopes": []}
    said: set[tuple[tuple[Expr, Expr], ...]] = set()
    for section in (*slopes, *parts):
        for block in in_letters(section, derivation.graph.depth, first_layer, last).blocks:
            equations = tuple((step.left, step.right) for step in block.steps)
            if equations not in said:  # layers with and without biases share most of their equations
                blocks.setdefault(section.key, []).append(block)
            said.add(equations)
    steps = tuple(step for block in blocks["general_forward"] for step in block.steps)
    blocks["general_forward"] = [Block("general_forward", steps)]
    return (*(Section(key, tuple(found)) for key, found in blocks.items() if found), instances(derivation))


def citing(section: Section, names: Mapping[str, str]) -> Section:
    """The section with other labels in what its steps cite."""
    blocks = (
        replace(b, steps=tuple(replace(s, uses=tuple(names.get(use, use) for use in s.uses)) for s in b.steps))
        for b in section.blocks
    )
    return Section(section.key, tuple(blocks))


def last_letter(profile: Profile) -> Symbol:
    """The letter for the last layer: L, or the first that the notation does not use otherwise."""
    taken = {*profile.letters.values(), *(letter.upper() for letter in profile.letters.values())}
    return Symbol(next(letter for letter in "LKDM" if letter not in taken), integer=True, positive=True)


def in_letters(section: Section, depth: int, first_layer: int, last: Symbol) -> Section:
    """The section with l, and ``last`` for the last layer, as the notation counts layers."""
    shift = first_layer - 1

    def counted(expr: Any) -> Any:
        if not isinstance(expr, (Expr, Relational)):
            return expr
        put: dict[Expr, Expr] = {}
        for entry in expr.atoms(Entry):
            if entry.base.layered:
                layer = last if entry.indices[0] == depth else entry.indices[0]
                moved = layer.xreplace({LAYER: LAYER - shift, last: last - shift})
                put[entry] = entry.base[(moved, *map(counted, entry.indices[1:]))]
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

    @property
    def last(self) -> Symbol:
        """The letter of the last layer."""
        return last_letter(self.notation.profile)

    @cached_property
    def shown(self) -> tuple[Section, ...]:
        """The general sections and the instances."""
        plain = any_sizes(unwritten(self.derivation), self.notation.profile.first_layer, self.last)
        return tuple(as_written(section, self.derivation) for section in plain)

    def sections(self) -> list[PrintedSection]:
        """All sections of equations."""
        return [self.section(section) for section in self.shown]


def any_sizes_numbers(derivation: Derivation) -> dict[str, int]:
    """The numbers of the equations in the document for any sizes."""
    return numbering(any_sizes(unwritten(derivation), 1))


@dataclass(frozen=True)
class AnySizesFront(FrontWriter):
    """Writes the front matter of the document for any sizes."""

    writer: AnySizesWriter

    def network(self) -> str:
        """How many layers there are, and the network that is an instance."""
        first = self.writer.notation.profile.first_layer
        sizes = "-".join(map(str, self.writer.derivation.graph.spec.sizes))
        return words("words", "any_sizes_network", first=first, last=self.writer.inline(self.writer.last), sizes=sizes)

    def notation(self) -> list[SymbolRow]:
        """The notation table, with the letter of the last layer and the sign of equal indices."""
        rows = ((self.writer.last, "last"), (KroneckerDelta(FROM, TO), "kronecker"))
        known = super().notation()
        said = {row.meaning for row in known}
        added = (SymbolRow(self.writer.inline(of), words("meanings", key)) for of, key in rows)
        return [*known, *(row for row in added if row.meaning not in said)]

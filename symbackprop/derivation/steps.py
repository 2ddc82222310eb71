"""What a derivation is made of: steps, in blocks, in sections. All of it is data, and free of any notation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sympy import Expr

from symbackprop.calculus.rules import Rule

Formula: TypeAlias = Any  # an Expr, or a Term in the matrix view; SymPy is untyped, so a union would check neither


@dataclass(frozen=True)
class Assumption:
    """A fact about the data that a step needs; ``key`` finds its wording, ``formula`` is an expression that is zero."""

    key: str
    formula: Expr


@dataclass(frozen=True)
class Step:
    """One checkable line: ``left = right``, by ``rule``, from the steps labelled in ``uses``, under ``assumptions``.

    Without its assumptions a step would be false; ``conditions`` are relations that say where its formulas make sense.
    """

    label: str
    left: Formula
    right: Formula
    rule: Rule
    uses: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    conditions: tuple[Expr, ...] = ()


@dataclass(frozen=True)
class Block:
    """Steps that are read together, under one sentence (found by ``key``, filled with ``about``).

    Where a step's left side is the right side of the step before, the two print as one running line of equalities.
    """

    key: str
    steps: tuple[Step, ...]
    about: tuple[Formula, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the derivation: ``key`` finds its heading."""

    key: str
    blocks: tuple[Block, ...]

    @property
    def steps(self) -> Iterator[Step]:
        """The section's steps in order."""
        return (step for block in self.blocks for step in block.steps)


def numbering(sections: tuple[Section, ...]) -> dict[str, int]:
    """Equation numbers, from 1, in reading order: label -> number. Documents print them, generated code cites them."""
    return {step.label: n for n, step in enumerate((s for section in sections for s in section.steps), start=1)}

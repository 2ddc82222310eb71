"""Deep networks: of equations that differ only in the layer, one is printed and the others are counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from sympy import Expr, Integer

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Axis, Leaf
from symbackprop.derivation.steps import Block, Step

REPEATS = 3  # up to this many equal equations are printed in full


@dataclass(frozen=True)
class Condensed:
    """A block as it is printed, and for its steps the labels of the equal steps of other layers, left out here."""

    block: Block
    alike: tuple[str, ...] = ()


def condense(blocks: Iterable[Block], depth: int) -> list[Condensed]:
    """The blocks, with every step left out that repeats a printed one at another layer, if there are many of them."""
    blocks = list(blocks)
    families: dict[Any, list[Step]] = {}
    for block in blocks:
        for step in block.steps:
            families.setdefault((block.key, _form(step, depth)), []).append(step)
    large = {steps[0].label: steps for steps in families.values() if len(steps) > REPEATS}
    dropped = {step.label for steps in large.values() for step in steps[1:]}
    shown = []
    for block in blocks:
        kept = tuple(step for step in block.steps if step.label not in dropped)
        if kept:
            alike = tuple(step.label for first in kept for step in large.get(first.label, [])[1:])
            shown.append(Condensed(replace(block, steps=kept), alike))
    return shown


def _form(step: Step, depth: int) -> Any:
    layers = sorted({layer for side in (step.left, step.right) for layer in _layers(side)})
    shift = layers[0] if layers else 0
    ends = (1 in layers, depth in layers)  # the input and the output have letters of their own
    return (_moved(step.left, shift), _moved(step.right, shift), step.rule, ends)


def _layers(side: Any) -> set[int]:
    if isinstance(side, Expr):
        return {int(e.indices[0]) for e in side.atoms(Entry) if e.base.layered and e.indices[0].is_Integer}
    if isinstance(side, Leaf):
        # Only an array's own layer counts: W[1] reaches layer 2 without printing it.
        return set() if side.layer is None else {side.layer}
    if isinstance(side, tuple):
        return {layer for part in side for layer in _layers(part)}
    if is_dataclass(side):
        return {layer for each in fields(side) for layer in _layers(getattr(side, each.name))}
    return set()


def _moved(side: Any, shift: int) -> Any:
    """``side`` with every layer counted from ``shift``."""
    if isinstance(side, Expr):
        moved = {
            e: e.base[(Integer(int(e.indices[0]) - shift), *e.indices[1:])]
            for e in side.atoms(Entry)
            if e.base.layered and e.indices[0].is_Integer
        }
        return side.xreplace(moved)
    if isinstance(side, Axis):
        return side if side.layer is None else Axis(side.layer - shift)
    if isinstance(side, Leaf):
        layer = None if side.layer is None else side.layer - shift
        return replace(side, layer=layer, rows=_moved(side.rows, shift), columns=_moved(side.columns, shift))
    if isinstance(side, tuple):
        return tuple(_moved(part, shift) for part in side)
    if is_dataclass(side) and not isinstance(side, type):
        return type(side)(*(_moved(getattr(side, each.name), shift) for each in fields(side)))
    return side

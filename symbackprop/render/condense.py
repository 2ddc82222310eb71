"""Deep networks: of equations that differ only in the layer, one is printed and the others are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from sympy import Expr, Integer

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Axis, Leaf
from symbackprop.derivation.steps import Block, Step
from symbackprop.network.quantities import OUT

REPEATS = 3  # up to this many equal equations are printed in full
LAYERS = ("forward_layer", "gradient_w", "gradient_b", "hidden_delta")  # blocks that state one layer for any unit
LISTS = (  # blocks of independent equations
    "update",
    "change",
    "matrix",
    "matrix_deltas",
    "matrix_gradients",
    "matrix_updates",
)


@dataclass(frozen=True)
class Condensed:
    """The blocks that are printed, and the labels of the steps that repeat one of theirs at another layer."""

    blocks: tuple[Block, ...]
    alike: tuple[str, ...]


def condense(blocks: Iterable[Block], lettered: frozenset[int]) -> Condensed:
    """The blocks, without those that repeat a printed one at another layer, if there are many of them.

    In a block that is a list of independent equations, each stands for itself. ``lettered`` are the layers whose
    outputs have a letter of their own; what mentions them is not the same as what does not.
    """
    pieces = [piece for block in blocks for piece in _pieces(block)]
    families: dict[Any, list[Block]] = {}
    for piece in (piece for piece in pieces if piece.key in (*LAYERS, *LISTS)):
        families.setdefault((piece.key, _form(piece.steps, lettered)), []).append(piece)
    repeated = [piece for family in families.values() if len(family) > REPEATS for piece in family[1:]]
    alike = tuple(step.label for piece in repeated for step in piece.steps)
    left_out = set(alike)
    kept = [piece for piece in pieces if piece.steps[0].label not in left_out]
    return Condensed(tuple(_joined(kept)), alike)


def _pieces(block: Block) -> Iterator[Block]:
    if block.key in LISTS:
        yield from (replace(block, steps=(step,)) for step in block.steps)
    else:
        yield block


def _joined(pieces: list[Block]) -> Iterator[Block]:
    """The pieces, those of one list as one block again."""
    lists: dict[str, list[Step]] = {}
    for piece in pieces:
        if piece.key in LISTS:
            lists.setdefault(piece.key, []).extend(piece.steps)
    for piece in pieces:
        if piece.key not in LISTS:
            yield piece
        elif piece.key in lists:
            yield replace(piece, steps=tuple(lists.pop(piece.key)))


def _form(steps: tuple[Step, ...], lettered: frozenset[int]) -> Any:
    """What the steps say with their layers counted from the lowest, and whether they mention a lettered output."""
    sides = tuple(side for step in steps for side in (step.left, step.right))
    layers = _layers(sides)
    letters = tuple(layer for layer in lettered if layer in layers and _mentions(sides, layer))
    return _moved(sides, min(layers, default=0)), tuple(step.rule for step in steps), letters


def _entries(side: Expr) -> Iterator[Entry]:
    return (e for e in side.atoms(Entry) if e.base.layered and e.indices[0].is_Integer)


def _layers(side: Any) -> set[int]:
    if isinstance(side, Expr):
        return {int(entry.indices[0]) for entry in _entries(side)}
    if isinstance(side, Leaf):
        # Only an array's own layer counts: W[1] reaches layer 2 without printing it.
        return set() if side.layer is None else {side.layer}
    return {layer for part in _parts(side) for layer in _layers(part)}


def _mentions(side: Any, layer: int) -> bool:
    """Whether the outputs of ``layer`` occur."""
    if isinstance(side, Expr):
        return any(entry.base == OUT and entry.indices[0] == layer for entry in _entries(side))
    if isinstance(side, Leaf):
        return side.base == OUT and side.layer == layer
    return any(_mentions(part, layer) for part in _parts(side))


def _moved(side: Any, shift: int) -> Any:
    """``side`` with every layer counted from ``shift``."""
    if isinstance(side, Expr):
        return side.xreplace({e: e.base[(Integer(int(e.indices[0]) - shift), *e.indices[1:])] for e in _entries(side)})
    if isinstance(side, Axis):
        return side if side.layer is None else replace(side, layer=side.layer - shift)
    if isinstance(side, Leaf):
        layer = None if side.layer is None else side.layer - shift
        return replace(side, layer=layer, rows=_moved(side.rows, shift), columns=_moved(side.columns, shift))
    parts = tuple(_moved(part, shift) for part in _parts(side))
    return parts if isinstance(side, tuple) else type(side)(*parts) if parts else side


def _parts(side: Any) -> tuple[Any, ...]:
    if isinstance(side, tuple):
        return side
    return tuple(getattr(side, each.name) for each in fields(side)) if is_dataclass(side) else ()

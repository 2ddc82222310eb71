"""Levels of detail: which steps of a derivation a document prints. The equations keep the numbers of the full one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from symbackprop.derivation.one_weight import ALONE
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.errors import SpecError, unknown

FULL, LECTURE, EXAM = LEVELS = ("full", "lecture", "exam")
FEW = 4  # equations of one kind that a lecture prints in full
AT_EACH_END = {"first": 2, "last": 1}  # of more than a few, these are printed
MOST_TERMS = {FULL: None, LECTURE: 6, EXAM: 6}  # terms of a sum that is printed whole

Blocks = tuple[Block, ...]


def known_level(name: str) -> str:
    """``name``, if it is a level of detail. Raises ``SpecError`` for any other.

    >>> known_level("exam")
    'exam'
    """
    if name not in LEVELS:
        raise SpecError(unknown("level of detail", name, LEVELS))
    return name


def shown(sections: tuple[Section, ...], level: str) -> tuple[Section, ...]:
    """The sections as a document of this level prints them; those that it leaves out are gone.

    A lecture derives one weight of a layer in full and states the others; an exam states the results. Lines that lead
    from one another without a break may be joined: the last one keeps its number.
    """
    if level == FULL:
        return sections
    if level == EXAM:
        return (Section("exam", tuple(part for part in exam(sections) if part.steps)),)
    kept = (Section(s.key, LECTURES[s.key](s.blocks)) if s.key in LECTURES else s for s in sections)
    return tuple(section for section in kept if section.blocks)


def one_of_each(blocks: Blocks) -> Blocks:
    """The first block of each kind in full, of the others the result alone."""
    seen: set[str] = set()
    kept = []
    for block in blocks:
        kept.append(replace(block, steps=tuple(joined(block.steps))[-1:]) if block.key in seen else block)
        seen.add(block.key)
    return tuple(kept)


def first_of_each(blocks: Blocks) -> Blocks:
    """The first block of each kind."""
    return tuple({block.key: block for block in reversed(blocks)}[key] for key in dict.fromkeys(b.key for b in blocks))


def weight_by_weight(blocks: Blocks) -> Blocks:
    """One weight of each layer in full, of the others the product; of many equations those at the ends."""
    kept: list[Block] = []
    for block in blocks:
        if block.key != "weight_next":
            kept.append(ends(block))
        elif kept[-1].key == "weight_stated":
            kept[-1] = replace(kept[-1], steps=(*kept[-1].steps, block.steps[-1]))
        else:
            kept.append(Block("weight_stated", block.steps[-1:], block.about))
    return tuple(map(ends, kept))


def ends(block: Block) -> Block:
    """Of many independent equations, those at the ends; ``*_ends`` is the sentence that says so."""
    if block.key not in ("forward_units", "deltas", "folded", "weight_stated") or len(block.steps) <= 2 * FEW:
        return block
    steps = block.steps[: AT_EACH_END["first"]] + block.steps[-AT_EACH_END["last"] :]
    return Block(f"{block.key}_ends", steps, block.about)


def listed(blocks: Blocks) -> Blocks:
    """Of many units of a layer, those at the ends."""
    return tuple(map(ends, blocks))


def without(*keys: str) -> Callable[[Blocks], Blocks]:
    """The blocks but for those of some kinds."""
    return lambda blocks: tuple(block for block in blocks if block.key not in keys)


LECTURES: Mapping[str, Callable[[Blocks], Blocks]] = {
    "forward": listed,
    "arrays": first_of_each,
    "back": weight_by_weight,
    "delta": one_of_each,
    "chains": without("array_gradients"),
    "matrix": without("matrix_updates"),
    "update": without("change"),
}


def exam(sections: tuple[Section, ...]) -> Iterator[Block]:
    """The results alone, in a few blocks."""
    blocks = {section.key: section.blocks for section in sections}

    def lines(key: str, *kinds: str) -> list[Step]:
        chosen = (block for block in blocks.get(key, ()) if not kinds or block.key in kinds)
        return [line for block in chosen for line in joined(block.steps)]

    slopes = [list(joined(block.steps))[-1] for block in blocks.get("slopes", ())]
    yield Block("exam_forward", (*lines("forward", "forward_layer"), *lines("error", "error")))
    yield Block("exam_output", (*slopes, *lines("start"), *lines("output")))
    for block in blocks.get("back", ()):
        if block.key == "weight_first":
            yield Block(
                "exam_weight", (block.steps[0], replace(block.steps[-1], left=block.steps[0].right)), block.about
            )
    yield Block("exam_delta", tuple(list(joined(block.steps))[-1] for block in blocks["delta"]))
    yield from (block for block in blocks["update"] if block.key == "update")
    alone = (block for key in ALONE for block in blocks.get(key, ()))
    yield from (replace(block, steps=tuple(joined(block.steps))) for block in alone)


def joined(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Each run of lines u = v, v = w as the one line u = w."""
    start = None
    for n, step in enumerate(steps):
        if n == 0 or steps[n - 1].right != step.left:
            start = step.left
        if n + 1 == len(steps) or steps[n + 1].left != step.right:
            yield replace(step, left=start)

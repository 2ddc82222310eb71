"""Dots: for what a picture leaves out, and for single points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from symbackprop.render.picture.geometry import Point
from symbackprop.render.picture.shapes import Node, Tone

DOT, DOT_STEP = 0.07, 0.18


def dots(name: str, at: Point, upright: bool) -> list[Node]:
    """Three dots for what is left out; ``name`` tells them from others."""
    steps = [(0.0, n * DOT_STEP) if upright else (n * DOT_STEP, 0.0) for n in (-1, 0, 1)]
    return [dot(f"{name}-{n}", (at[0] + dx, at[1] + dy)) for n, (dx, dy) in enumerate(steps, start=1)]


def dot(entry: str, at: Point, tone: Tone = Tone.PLAIN) -> Node:
    """A filled dot."""
    return Node(entry, "dot", at, DOT, DOT, tone=tone)


def some(units: Sequence[int], needed: int | None, limit: int) -> list[int | None]:
    """At most ``limit`` of the units, the needed one among them; None stands for those left out.

    >>> some(range(1, 4), 2, 4), some(range(1, 10), 5, 4)
    ([1, 2, 3], [1, None, 5, None, 9])
    """
    if len(units) <= limit:
        return list(units)
    ends = (limit - 1) // 2 if needed is None else 1
    kept = sorted({*units[:ends], *units[-ends:], *((needed,) if needed else ())})
    shown: list[int | None] = kept[:1]
    for before, unit in pairwise(kept):
        shown += [unit] if unit == before + 1 else [None, unit]
    return shown

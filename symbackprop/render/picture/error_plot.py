"""The error of finite differences against their step."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from symbackprop.render.picture.axes import HEIGHT, WIDTH, Axes, decade_ticks
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.left_out import dot
from symbackprop.render.picture.marks import Mark
from symbackprop.render.picture.parts import LETTERS
from symbackprop.render.picture.shapes import Label, Line, Picture, Tone
from symbackprop.render.wording import words

LEAST_POINTS = 2
CURVE = 0.6  # points: the width of the curve


def error_picture(points: Sequence[tuple[float, float]]) -> Picture:
    """The error of finite differences (second numbers) against their step (first numbers), both by powers of ten.

    The smallest error is marked. Points that have no logarithm are left out.
    Raises ``ValueError`` if fewer than two are left.
    """
    logs = sorted((log10(step), log10(error)) for step, error in points if step > 0 and 0 < error < float("inf"))
    if len(logs) < LEAST_POINTS:
        raise ValueError("a plot needs two points with a positive step and a positive error")
    steps, errors = zip(*logs, strict=True)
    axes = Axes((steps[0] - 0.5, min(errors) - 0.8), (steps[-1] + 0.5, max(errors) + 0.8))
    places = [axes.at(*point) for point in logs]
    best = errors.index(min(errors))
    told = {"first": steps[0], "last": steps[-1], "step": steps[best], "error": errors[best]}
    ticks, numbers = axes.ticks(decade_ticks(axes.low[0], axes.high[0]), decade_ticks(axes.low[1], axes.high[1]))
    return finished(
        Picture(
            "error-against-step",
            words("pictures", "errors"),
            words("pictures", "errors_about", count=len(logs), **{key: 10**power for key, power in told.items()}),
            nodes=tuple(dot(f"point-{n}", at, Tone.LIT if n == best else Tone.PLAIN) for n, at in enumerate(places)),
            edges=(*ticks, Line("error", "curve", (tuple(places),), width=CURVE)),
            labels=(
                *numbers,
                Label((Mark(words("pictures", "step")),), (WIDTH / 2, HEIGHT + 0.75), LETTERS, entry="step"),
                Label((Mark(words("pictures", "error")),), (0.0, -0.3), LETTERS, entry="error"),
            ),
            frames=(axes.frame,),
        )
    )

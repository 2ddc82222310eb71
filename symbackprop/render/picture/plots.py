"""The graph of an activation and of its derivative, with its kinks marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

import sympy as sp
from sympy import Expr, Rational, Symbol

from symbackprop.catalogue.entries import Z
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.slopes import Slope
from symbackprop.errors import SpecError, unknown
from symbackprop.network.spec import ActivationUse
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import Profile
from symbackprop.render.picture.axes import HEIGHT, WIDTH, Axes, round_ticks
from symbackprop.render.picture.frame import finished
from symbackprop.render.picture.geometry import Point, Polyline, clipped
from symbackprop.render.picture.left_out import DOT, dot
from symbackprop.render.picture.marks import Lettering, Mark
from symbackprop.render.picture.parts import LETTERS
from symbackprop.render.picture.shapes import Label, Line, Node, Picture, Tone
from symbackprop.render.wording import words

REACH, BEYOND = 4.0, 2.0  # the plot goes this far to both sides of zero, or this far beyond the outermost kink
TALLEST = 4.0  # heights beyond this are cut off
SAMPLES = 80  # points of a curve between two kinks
CURVE = 1.2  # points: the width of a curve
CLOSE = 1e-9  # how near to a kink the value beside it is taken
JUMP = 1e-6  # one-sided slopes closer than this are the same
RING = 2 * DOT

Function = Callable[[float], float | None]


def activation_picture(derivation: Derivation, profile: Profile, tag: str) -> Picture:
    """The graph of the activation ``tag`` of the network and of its derivative.

    At a kink a dot marks the slope that is taken, rings the slopes that the two sides approach.
    Raises ``SpecError`` if the network has no such activation, or one without a formula in z alone.
    """
    uses = {use.tag: use for use in derivation.graph.spec.activations}
    if tag not in uses:
        raise SpecError(unknown("activation of this network", tag, uses))
    slope = derivation.slopes.get(Symbol(tag))
    if slope is None or slope.value is None:
        raise SpecError(f"the activation {tag} has no graph; expected one with a formula in z alone")
    lettering = Lettering(Notation.of(profile, derivation.graph))
    return ActivationPlot(uses[tag], slope, derivation.graph.spec.parameters, lettering).picture()


@dataclass(frozen=True)
class ActivationPlot:
    """The plot of one activation, its parameters at the numbers chosen for them."""

    use: ActivationUse
    slope: Slope
    parameters: dict[Symbol, Rational]
    lettering: Lettering

    @property
    def kinks(self) -> list[tuple[float, float]]:
        """Where the activation has no derivative, and the slope taken there."""
        found = ((kink.at, kink.slope) for kink in self.use.entry.kinks)
        return sorted((float(self._number(at)), float(self._number(slope))) for at, slope in found)

    def _number(self, expr: Expr) -> Expr:
        return sp.sympify(expr).xreplace(self.parameters)

    @property
    def ends(self) -> tuple[float, float]:
        places = [at for at, _ in self.kinks] or [0.0]
        return min(-REACH, places[0] - BEYOND), max(REACH, places[-1] + BEYOND)

    def sampled(self, function: Function) -> list[list[Point]]:
        """Points of a graph, a run of them between every two kinks; points without a value are left out."""
        left, right = self.ends
        runs = []
        for start, end in pairwise([left, *(at for at, _ in self.kinks), right]):
            first, last = start + CLOSE, end - CLOSE
            xs = [first + n * (last - first) / SAMPLES for n in range(SAMPLES + 1)]
            runs.append([(x, y) for x in xs if (y := function(x)) is not None])
        return runs

    def picture(self) -> Picture:
        """The picture, moved so that its corner is the origin."""
        value, slope = (
            number_function(self._number(self.slope.value)),
            number_function(self._number(self.slope.formula)),
        )
        graphs = {"value": self.sampled(value), "slope": self.sampled(slope)}
        at_kinks = [y for at, taken in self.kinks for y in (value(at), taken) if y is not None]
        axes = self._axes([y for runs in graphs.values() for run in runs for _, y in run], at_kinks)
        curves = [
            Line(kind, "curve", self._drawn(graphs[kind], axes), dashed=tone == Tone.BACK, tone=tone, width=CURVE)
            for kind, tone in (("value", Tone.PLAIN), ("slope", Tone.BACK))
        ]
        nodes = [*self._corners(value, axes), *self._jumps(slope, axes)]
        ticks, numbers = axes.ticks(round_ticks(axes.low[0], axes.high[0]), round_ticks(axes.low[1], axes.high[1]))
        z = self.lettering.letter("pre_activation")
        labels: list[Label] = []
        for n, curve in enumerate(curves):
            marks = (*self.lettering.function(self.use.tag, primes=n), Mark("("), *z, Mark(")"))
            taken = [*(label.box for label in labels), *(node.box for node in nodes)]
            labels.append(axes.label(marks, curve, [other for other in curves if other is not curve], taken))
        name = self.use.entry.name.replace("_", " ")
        kinks = [words("pictures", "kink", at=at, slope=slope) for at, slope in self.kinks]
        return finished(
            Picture(
                f"activation-{self.use.tag.replace('_', '-')}",
                words("pictures", "activation", name=name),
                " ".join([words("pictures", "graph", name=name, low=self.ends[0], high=self.ends[1]), *kinks]),
                nodes=tuple(nodes),
                edges=(*axes.zero_lines(), *ticks, *curves),
                labels=(*labels, *numbers, Label(z, (WIDTH / 2, HEIGHT + 0.65), LETTERS, entry="z")),
                frames=(axes.frame,),
            )
        )

    def _axes(self, heights: list[float], at_kinks: list[float]) -> Axes:
        if not heights:
            raise SpecError(f"the activation {self.use.tag} has no value near zero; there is nothing to draw")
        low = max(min(heights), min([-TALLEST, *at_kinks]))
        high = min(max(heights), max([TALLEST, *at_kinks]))
        pad = 0.08 * (high - low) or 1.0
        return Axes((self.ends[0], low - pad), (self.ends[1], high + pad))

    def _drawn(self, runs: list[list[Point]], axes: Axes) -> tuple[Polyline, ...]:
        cut = [piece for run in runs for piece in clipped(run, axes.low[1], axes.high[1])]
        return tuple(tuple(axes.at(x, y) for x, y in piece) for piece in cut)

    def _corners(self, value: Function, axes: Axes) -> list[Node]:
        """Dots on the graph of the activation at its kinks."""
        heights = [(n, at, value(at)) for n, (at, _) in enumerate(self.kinks, start=1)]
        return [dot(f"kink-{n}", axes.at(at, height)) for n, at, height in heights if height is not None]

    def _jumps(self, slope: Function, axes: Axes) -> list[Node]:
        """A dot at the slope taken at a kink, rings at the slopes beside it; nothing where they are all the same."""
        nodes = []
        for n, (at, taken) in enumerate(self.kinks, start=1):
            beside = [slope(at - CLOSE), slope(at + CLOSE)]
            rings = [y for y in beside if y is not None and abs(y - taken) > JUMP and axes.low[1] <= y <= axes.high[1]]
            if rings:
                nodes.append(dot(f"slope-at-kink-{n}", axes.at(at, taken), Tone.BACK))
            nodes += [
                Node(f"slope-beside-kink-{n}-{m}", "ring", axes.at(at, y), RING, RING, tone=Tone.BACK)
                for m, y in enumerate(rings, start=1)
            ]
        return nodes


def number_function(expr: Expr) -> Function:
    """The expression in z as a function of numbers; None where it has no finite real value.

    >>> number_function(sp.log(Z))(-1.0)
    """
    compiled = sp.lambdify(Z, expr, "math")

    def value(x: float) -> float | None:
        try:
            y = compiled(x)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None
        return float(y) if not isinstance(y, complex) and isfinite(y) else None

    return value

"""Every step of a derivation, proved or refuted at individual entries.

A step is first evaluated in a network with random numbers from a prime field, which finds what is false; what holds
there is then proved symbolically, or, where that would be too long, evaluated in more such networks. Where the field
cannot speak for the reals, 50-digit numbers do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import mpmath
from sympy import Expr, Integer, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.check.meaning import Meaning, written_out
from symbackprop.check.numbers import Missing, Undecided
from symbackprop.check.prime_field import PrimeField
from symbackprop.check.reach import Reach
from symbackprop.check.reals import DIGITS, Reals
from symbackprop.check.report import DEFINED, SYMBOLIC, UNDECIDED, Row, Verdict
from symbackprop.check.symbolic import vanishes
from symbackprop.check.terms import entries_of
from symbackprop.check.units import free_indices
from symbackprop.check.worlds import World
from symbackprop.derivation.matrix_terms import Layout
from symbackprop.derivation.steps import Assumption, Step
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BATCH, TARGET

# How the random networks over the prime field answer, in turn, whether a number is positive: behind a corner where the
# slope is 0 nothing can be seen, so each unit must be seen on both sides of it, and between two of them.
LEANINGS = ("+", "-", "+-", "-+")
POINTS = len(LEANINGS)
REAL_POINTS = 5
TRIES = 24  # random networks tried before a step counts as undecided
IN_FIELD = f"identical at {POINTS} random points of GF(2^61-1)"
IN_REALS = f"equal to 40 digits at {REAL_POINTS} random rational points"
SHAPES = "the shapes differ"

Units = dict[Symbol, int]
Pattern = tuple[Any, ...]


@dataclass(frozen=True)
class Pair:
    """``left = right`` at the given units; both sides hold entries."""

    left: Expr
    right: Expr
    units: Mapping[Symbol, int]


class Prover:
    """Proves steps about the network ``graph``; ``steps`` are all steps that may be cited.

    A step may use its own assumptions and those of the steps that it cites, but is first tried without them.
    """

    def __init__(self, graph: ForwardGraph, steps: Iterable[Step], seed: int = 0) -> None:
        self.graph, self.seed = graph, seed
        self.steps = {step.label: step for step in steps}
        self.reach = Reach(graph.depth)
        self._worlds: dict[Any, list[World[Any]]] = {}
        self._meanings: dict[Any, Meaning] = {}
        self._proved: dict[Pattern, bool] = {}
        self._theorems: set[Pattern] = set()

    def row(self, step: Step, group: str, layout: Layout | None = None) -> Row:
        """The step's verdict; ``layout`` is that of a matrix step."""
        examples = self.examples(layout)
        pairs = self.pairs(step, layout, examples)
        if pairs is None:
            return Row(group, step.label, False, SHAPES)
        verdict, how = self.decide(pairs, examples, step.assumptions)
        if verdict is not True and (inherited := self.inherited(step)) != step.assumptions:
            verdict, how = self.decide(pairs, examples, inherited)
        if verdict is True and step.rule == rules.DEFINITION:
            how = DEFINED
        return Row(group, step.label, verdict, how)

    def needs_assumptions(self, step: Step) -> bool:
        """Whether the step is false where its own assumptions do not hold."""
        pairs = self.pairs(step, None, None)
        return pairs is not None and self.decide(pairs, None, ())[0] is False

    def inherited(self, step: Step) -> tuple[Assumption, ...]:
        """The assumptions of the step and of all that it rests on."""
        found: dict[str, Assumption] = {}
        waiting, seen = [step], {step.label}
        while waiting:
            current = waiting.pop()
            found.update({assumption.key: assumption for assumption in current.assumptions})
            cited = [label for label in current.uses if label in self.steps and label not in seen]
            seen.update(cited)
            waiting += [self.steps[label] for label in cited]
        return tuple(found[key] for key in sorted(found))

    def examples(self, layout: Layout | None) -> int | None:
        """The number of examples in a batch: unlike any layer's width, so that no shape fits by chance."""
        if layout is None or not layout.batch:
            return None
        return next(n for n in range(2, 100) if n not in self.graph.spec.sizes)

    def pairs(self, step: Step, layout: Layout | None, examples: int | None) -> list[Pair] | None:
        """The equations between individual entries that the step states; None where the shapes of its sides differ."""
        if layout is None:
            return [Pair(step.left, step.right, units) for units in self.instances(step)]
        sizes, to_from = self.graph.spec.sizes, not layout.weights_from_to
        try:
            right = entries_of(step.right, sizes, examples, to_from)
        except ValueError:  # a product of matrices that do not fit
            return None
        left = (
            [[step.left]] if isinstance(step.left, Expr) else entries_of(step.left, sizes, examples, to_from).tolist()
        )
        if (len(left), len(left[0])) != right.shape:
            return None
        put = {} if examples is None else {BATCH: Integer(examples)}
        flat = zip(chain(*left), chain(*right.tolist()), strict=True)
        return [Pair(l, r.xreplace(put) if isinstance(r, Expr) else r, {}) for l, r in flat]

    def instances(self, step: Step) -> list[Units]:
        """Every choice of units for the step's free indices."""
        ranges = free_indices([step.left, step.right], self.graph)
        return [dict(zip(ranges, units, strict=True)) for units in product(*ranges.values())]

    def decide(
        self, pairs: Sequence[Pair], examples: int | None, assumptions: tuple[Assumption, ...]
    ) -> tuple[Verdict, str]:
        """Whether all pairs are equal under the assumptions, and how that was found."""
        pattern = None if assumptions else self._pattern(pairs)
        if pattern is not None and pattern in self._theorems:
            return True, SYMBOLIC
        found: Verdict = None
        # A random choice of signs need not be one that real numbers can have: only the reals refute.
        for kind, points, how in (("field", POINTS, IN_FIELD), ("reals", REAL_POINTS, IN_REALS)):
            found = self.compare(kind, pairs, examples, assumptions, points=1)
            if found is True and self.symbolically(pairs, examples, assumptions, pattern):
                return True, SYMBOLIC
            if found is True:
                found = self.compare(kind, pairs, examples, assumptions, points)
            if found is True:
                return True, how
        return found, UNDECIDED if found is None else "unequal at random points"

    def compare(
        self, kind: str, pairs: Sequence[Pair], examples: int | None, assumptions: tuple[Assumption, ...], points: int
    ) -> Verdict:
        """Whether all pairs agree at so many random points; None if too few points have a value."""
        left_to_find = points
        with mpmath.workdps(DIGITS):
            for world in self.worlds(kind, examples, assumptions):
                try:
                    if not all(same(world(pair.left, pair.units), world(pair.right, pair.units)) for pair in pairs):
                        return False
                except Missing:
                    return False
                except Undecided:
                    continue
                left_to_find -= 1
                if left_to_find == 0:
                    return True
        return None

    def worlds(self, kind: str, examples: int | None, assumptions: tuple[Assumption, ...]) -> Iterator[World[Any]]:
        """Random networks, made when they are first asked for."""
        make: Callable[[int], Any] = in_field if kind == "field" else Reals
        made = self._worlds.setdefault((kind, examples, assumptions), [])
        for n in range(TRIES):
            if len(made) <= n:
                try:
                    made.append(World(self.graph, make(self.seed * TRIES + n), examples, assumptions))
                except Undecided:
                    return
            yield made[n]

    def symbolically(
        self,
        pairs: Sequence[Pair],
        examples: int | None,
        assumptions: tuple[Assumption, ...],
        pattern: Pattern | None = None,
    ) -> bool:
        """Whether every pair is proved with symbols; what holds for any error beyond is remembered by its pattern."""
        if pattern is not None and all(self._proved_for_any_error(pair, examples) for pair in pairs):
            self._theorems.add(pattern)
            return True
        return all(self._proved_pair(pair, examples, assumptions) for pair in pairs)

    def _proved_pair(self, pair: Pair, examples: int | None, assumptions: tuple[Assumption, ...]) -> bool:
        if not assumptions and self._proved_for_any_error(pair, examples):
            return True
        left, right = self._written_out(pair)
        return self._vanishes(left - right, examples, None, assumptions)

    def _proved_for_any_error(self, pair: Pair, examples: int | None) -> bool:
        """Whether the pair holds whatever function of the last layer in it the error is."""
        left, right = self._written_out(pair)
        if left == right:
            return True
        frontier = self.reach([left, right])
        if frontier is None:
            return False
        key = self._shifted((left, right), frontier)
        if key not in self._proved:
            self._proved[key] = self._vanishes(left - right, examples, frontier, ())
        return self._proved[key]

    def _written_out(self, pair: Pair) -> tuple[Expr, Expr]:
        return tuple(written_out(side, pair.units, self.graph.sizes) for side in (pair.left, pair.right))

    def _vanishes(
        self, difference: Expr, examples: int | None, frontier: int | None, assumptions: tuple[Assumption, ...]
    ) -> bool:
        if (examples, frontier) not in self._meanings:
            self._meanings[examples, frontier] = Meaning(self.graph, examples, frontier)
        meaning = self._meanings[examples, frontier]
        value = meaning(difference).xreplace(self._solved(assumptions, examples))
        return vanishes(value, meaning)

    def _solved(self, assumptions: tuple[Assumption, ...], examples: int | None) -> dict[Expr, Expr]:
        """The last target in terms of the others, by the assumption, for each example."""
        put: dict[Expr, Expr] = {}
        for assumption in assumptions:
            formula = written_out(assumption.formula, {}, self.graph.sizes)
            last = self.graph.targets()[-1]
            solution = last - formula / formula.diff(last)
            targets = [e for e in formula.atoms(Entry) if e.base == TARGET]
            for m in [()] if examples is None else [(n,) for n in range(1, examples + 1)]:
                at = {e: TARGET[(*e.indices, *m)] for e in targets}
                put[at[last]] = solution.xreplace(at)
        return put

    def _pattern(self, pairs: Sequence[Pair]) -> Pattern | None:
        """What the pairs say, wherever in the network they say it; None if they reach the error itself."""
        sides = [side for pair in pairs for side in (pair.left, pair.right)]
        frontier = self.reach(sides)
        if frontier is None:
            return None
        units = tuple(tuple(pair.units.items()) for pair in pairs)
        return units, self._shifted(sides, frontier)

    def _shifted(self, sides: Sequence[Expr], frontier: int) -> Pattern:
        """The sides, layers counted from the first that occurs, and all that decides about these layers.

        Two steps with the same pattern state the same equation at different layers, so one proof serves both.
        """
        entries = {e for side in sides for e in side.atoms(Entry) if e.base.layered}
        first = min((int(e.indices[0]) for e in entries), default=1)
        moved = {e: e.base[(e.indices[0] - first + 2, *e.indices[1:])] for e in entries} if first > 1 else {}
        spec = self.graph.spec
        layers = range(first, frontier + 1)
        uses = tuple((spec.sizes[l - 1], spec.activation_of(l).tag if l > 1 else "") for l in layers)
        biases = tuple(spec.has_bias(l) for l in layers if l < spec.depth)
        return tuple(side.xreplace(moved) for side in sides), first > 1, uses, biases


def in_field(seed: int) -> PrimeField:
    """A prime field; those of successive seeds take sides in different ways."""
    return PrimeField(seed, unknown_roots=True, leaning=LEANINGS[seed % POINTS])


def same(u: Any, v: Any) -> bool:
    """Equality: exact in the field, to 40 digits of the larger number in the reals."""
    if isinstance(u, int):
        return bool(u == v)
    return bool(abs(u - v) <= mpmath.mpf(10) ** -40 * max(1, abs(u), abs(v)))

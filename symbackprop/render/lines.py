"""Steps as printed lines: running equalities, line breaks, reasons with the equations they cite, numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.derivation.steps import Formula, Step
from symbackprop.network.quantities import NEXT_BIAS, NEXT_WEIGHT, is_trained
from symbackprop.notation.profile import Profile
from symbackprop.notation.substitution import NEXT_THRESHOLD
from symbackprop.render.printed import Printed, broken, least_width, widest_term
from symbackprop.render.style import Style

CITED = 5  # at most this many equations, or runs of them, are cited beside a line
GAP = 6.0  # letters: the relation sign, and what parts formula, reason and number
INDENT = 3.0
NARROW = 22  # letters of a reason on a line of its own, where the formula needs the room
LEAST = 24.0  # a formula gets this much room, whatever stands beside it
MOST_LEFT = 0.5  # a left side that takes more of a line stands above its right side


@dataclass(frozen=True)
class Line:
    """One printed line: ``left sign right``; the reason and the number stand on the last line of a step."""

    left: str
    sign: str
    right: str
    reason: str = ""
    number: str = ""


@dataclass(frozen=True)
class Setter:
    """Sets steps as lines in one document; ``numbers`` are the equations' numbers by label."""

    printer: Callable[[Formula], Printed]
    style: Style
    profile: Profile
    numbers: Mapping[str, int]
    mark: str = ""  # a letter behind the number

    def lines(self, steps: tuple[Step, ...]) -> list[Line]:
        """The lines of the steps of one block."""
        rights = [self.printer(step.right) for step in steps]
        lefts = [
            None if before is not None and before.right == step.left else self.printer(step.left)
            for before, step in zip((None, *steps), steps, strict=False)
        ]
        above = [left if left is not None and left.width > MOST_LEFT * self.style.line else None for left in lefts]
        lefts = [None if high is not None else left for left, high in zip(lefts, above, strict=True)]
        reasons = [self.reason(step) for step in steps]
        # The columns of a block are as wide as their widest entries.
        line = self.style.line - GAP - max((left.width for left in lefts if left is not None), default=0.0)
        room = line - self.style.reason_letter * max(map(len, reasons))
        if room < max(LEAST, *map(widest_term, rights)):
            wrapped = [textwrap.wrap(reason, NARROW) for reason in reasons]
            room = max(LEAST, line - self.style.reason_letter * max(len(text) for texts in wrapped for text in texts))
        else:
            wrapped = [[reason] for reason in reasons]
        if (share := self.style.narrower.get(self.number(steps[0]), 1.0)) < 1:
            room = max(share * min(room, max(right.width for right in rights)), *map(least_width, rights))
        lines: list[Line] = []
        for step, left, high, right, reason in zip(steps, lefts, above, rights, wrapped, strict=True):
            lines += [Line("", "", text) for text in broken(high, line - INDENT, line - INDENT)] if high else []
            lines += self.step(step, left, broken(right, room, room - INDENT), reason)
        return lines

    def number(self, step: Step) -> str:
        """The number of a step's equation, with the letter behind it."""
        return f"{self.numbers[step.label]}{self.mark}"

    def step(self, step: Step, left: Printed | None, texts: list[str], reason: list[str]) -> list[Line]:
        """The lines of one step; without ``left`` it continues the line before."""
        sign = self.style.markup.operator(self.profile.assign if is_update(step.left) else "=")
        lines = [Line(left.text if left else "", sign, texts[0])]
        lines += [Line("", "", text) for text in texts[1:]]
        lines[-1] = replace(lines[-1], reason=self.style.reason(reason), number=self.number(step))
        return lines

    def reason(self, step: Step) -> str:
        """Why the line holds: the rule, and the numbers of the equations it uses."""
        own = self.numbers[step.label]
        # What stands further down is no reason yet, though the program knows it already.
        cited = {label: self.numbers[label] for label in step.uses if self.numbers.get(label, own) < own}
        marked = {number for label, number in cited.items() if label.startswith("matrix.")} if self.mark else set()
        spans = [*spans_of({*cited.values()} - marked), *spans_of(marked, self.mark)]
        if not spans or len(spans) > CITED:
            return step.rule.reason
        return f"{step.rule.citing} {', '.join(spans)}"


def is_update(left: Formula) -> bool:
    """Whether the left side is a parameter's new value, which is assigned rather than equal."""
    if not isinstance(left, (Entry, Leaf)):
        return False
    return left.base in (NEXT_WEIGHT, NEXT_BIAS, NEXT_THRESHOLD) or is_trained(left.base, "next")


def ranges(numbers: Iterable[int], mark: str = "") -> str:
    """Equation numbers in words: runs of three and more are shortened.

    >>> ranges([1, 2, 3, 5, 8, 9])
    '(1)–(3), (5), (8), (9)'
    """
    return ", ".join(spans_of(numbers, mark))


def spans_of(numbers: Iterable[int], mark: str = "") -> list[str]:
    """The single numbers and the shortened runs of ``ranges``.

    >>> spans_of([1, 2, 3, 5], "a")
    ['(1a)–(3a)', '(5a)']
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    ends = [[(run[0], run[-1])] if len(run) > 2 else [(n, n) for n in run] for run in runs]
    return [f"({low}{mark})" if low == high else f"({low}{mark})–({high}{mark})" for end in ends for low, high in end]

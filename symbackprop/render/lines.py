"""Steps as printed lines: running equalities, line breaks, reasons with the equations they cite, numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.matrix_terms import Leaf
from symbackprop.derivation.steps import Formula, Step
from symbackprop.network.quantities import NEXT_BIAS, NEXT_WEIGHT
from symbackprop.notation.profile import Profile
from symbackprop.render.printed import Printed, broken
from symbackprop.render.style import Style

CITED = 4  # at most this many equations are cited beside a line
GAP = 6.0  # letters: the relation sign, and what parts formula, reason and number
INDENT = 3.0
LEAST = 24.0  # a formula gets this much room, whatever stands beside it


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
        lefts = [
            None if before is not None and before.right == step.left else self.printer(step.left)
            for before, step in zip((None, *steps), steps, strict=False)
        ]
        widest = max(left.width for left in lefts if left is not None)
        return [line for step, left in zip(steps, lefts, strict=True) for line in self.step(step, left, widest)]

    def step(self, step: Step, left: Printed | None, widest: float) -> list[Line]:
        """The lines of one step; without ``left`` it continues the line before."""
        reason = self.reason(step)
        room = self.style.line - widest - GAP - len(reason) * self.style.reason_letter
        texts = broken(self.printer(step.right), max(room, LEAST), max(room - INDENT, LEAST))
        sign = self.style.markup.operator(self.profile.assign if is_update(step.left) else "=")
        lines = [Line(left.text if left else "", sign, texts[0])]
        lines += [Line("", "", text) for text in texts[1:]]
        last = lines[-1]
        number = f"{self.numbers[step.label]}{self.mark}"
        return [*lines[:-1], Line(last.left, last.sign, last.right, self.style.in_formula(reason), number)]

    def reason(self, step: Step) -> str:
        """Why the line holds: the rule, and the numbers of the equations it uses."""
        cited = sorted({self.numbers[label] for label in step.uses if label in self.numbers})
        if not cited or len(cited) > CITED:
            return step.rule.reason
        return f"{step.rule.reason} " + ", ".join(f"({number})" for number in cited)


def is_update(left: Formula) -> bool:
    """Whether the left side is a parameter's new value, which is assigned rather than equal."""
    return isinstance(left, (Entry, Leaf)) and left.base in (NEXT_WEIGHT, NEXT_BIAS)


def ranges(numbers: list[int]) -> str:
    """Equation numbers in words: runs of three and more are shortened.

    >>> ranges([1, 2, 3, 5, 8, 9])
    '(1)–(3), (5), (8), (9)'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    short = [[run[0]] if len(run) == 1 else run if len(run) == 2 else [run[0], run[-1]] for run in runs]
    return ", ".join(
        f"({run[0]})–({run[-1]})" if run[-1] - run[0] > 1 else ", ".join(f"({n})" for n in run) for run in short
    )

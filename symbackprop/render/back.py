"""The back matter of a document: assumptions, the checks that were made, and the generated code."""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from symbackprop.render.equations import EquationWriter
from symbackprop.render.lines import ranges
from symbackprop.render.wording import group_words, keys, words

NAMES_SHOWN = 8


class ReportRow(Protocol):
    """One check: what, whether it holds (None: undecided), how it was checked, the numeric error if there is one."""

    @property
    def group(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def verdict(self) -> bool | None: ...
    @property
    def how(self) -> str: ...
    @property
    def error(self) -> float | None: ...


class Report(Protocol):
    """The checks of a derivation."""

    @property
    def rows(self) -> Sequence[ReportRow]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def step_errors(self) -> Sequence[tuple[float, float]]: ...
    @property
    def ok(self) -> bool: ...


@dataclass(frozen=True)
class Some:
    """Some of the checks of a report."""

    rows: Sequence[ReportRow]
    notes: Sequence[str] = ()
    step_errors: Sequence[tuple[float, float]] = ()

    @property
    def ok(self) -> bool:
        """Whether none of them failed."""
        return all(row.verdict is True for row in self.rows)


def about(report: Report, labels: Container[str]) -> Report:
    """The checks of the steps with these ``labels``."""
    return Some([row for row in report.rows if row.name in labels])


@dataclass(frozen=True)
class CheckRow:
    """A line of the table of checks: the equations or comparisons that had the same outcome."""

    group: str
    what: str
    verdict: str
    how: str


@dataclass(frozen=True)
class BackWriter:
    """Writes the back matter with the printers of ``writer``."""

    writer: EquationWriter

    def assumptions(self) -> list[str]:
        """Every printed step that needs a fact about the data, and the fact; then where formulas make sense."""
        numbered = [(s, self.writer.numbers[s.label]) for section in self.writer.shown for s in section.steps]
        facts = self.writer.facts
        needed = [said for step in numbered for said in facts.assumed(*step)]
        sensible = [said for step in numbered for said in facts.conditioned(*step)]
        return [*needed, *sensible] or [words("words", "no_assumptions")]

    def verdict(self, report: Report) -> str:
        """The outcome of all checks in a sentence."""
        refuted = sum(row.verdict is False for row in report.rows)
        undecided = sum(row.verdict is None for row in report.rows)
        if report.ok:
            return words("words", "checks_ok")
        return words("words", "checks_failed", refuted=refuted, undecided=undecided)

    def checks(self, report: Report) -> list[CheckRow]:
        """The table of checks: rows of one group with one outcome share a line; parts left out have none."""
        alike: dict[tuple[str, bool | None, str], list[ReportRow]] = {}
        for row in report.rows:
            if row.group in keys("headings") and row.name not in self.writer.numbers:
                continue
            alike.setdefault((row.group, row.verdict, row.how), []).append(row)
        return [self._check_row(group, verdict, how, rows) for (group, verdict, how), rows in alike.items()]

    def _check_row(self, group: str, verdict: bool | None, how: str, rows: list[ReportRow]) -> CheckRow:
        escaped = self.writer.style.words
        numbers = {self.writer.numbers[row.name] for row in rows if row.name in self.writer.numbers}
        others = list(dict.fromkeys(row.name for row in rows if row.name not in self.writer.numbers))
        shown = [escaped(name) for name in others[:NAMES_SHOWN]] + (["…"] if len(others) > NAMES_SHOWN else [])
        what = [escaped(ranges(numbers))] if numbers else []
        errors = [row.error for row in rows if row.error is not None]
        figure = f", {words('words', 'largest_error', error=f'{max(errors):.0e}')}" if errors else ""
        outcome = {True: "holds", False: "refuted", None: "undecided"}[verdict]
        title, outcome = group_words(group), words("words", outcome)
        return CheckRow(escaped(title), "; ".join(what + shown), outcome, escaped(how + figure))

    def notes(self, report: Report) -> list[str]:
        """What the reader must know about the checks."""
        return [self.writer.style.words(note) for note in report.notes]


def excerpt(source: str, function: str) -> str:
    r"""The lines of one function of a Python file; the whole text where it has none of that name.

    >>> excerpt("import math\n\ndef f(x):\n    return x\n", "f")
    'def f(x):\n    return x'
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])
    return source

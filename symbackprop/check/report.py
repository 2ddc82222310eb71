"""What was checked, how, and the verdicts: True, False or None (undecided); only True counts as proved."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

SYMBOLIC = "proved symbolically"
DEFINED = "by definition"
UNDECIDED = "undecided"

Verdict = bool | None

NUMERIC_GROUP = "emitted code"


@dataclass(frozen=True)
class Row:
    """One check: ``error`` bounds the relative differences of a numeric comparison, None for an exact one."""

    group: str
    name: str
    verdict: Verdict
    how: str
    error: float | None = None


@dataclass(frozen=True)
class CheckReport:
    """All checks of one derivation, in order, and what the reader must know about them.

    ``step_errors`` are pairs of a step and the relative error of central differences with it.

    >>> report = CheckReport((Row("forward", "z", True, DEFINED), Row("delta", "d", None, UNDECIDED)))
    >>> report.ok, [row.name for row in report.undecided], report.refuted
    (False, ['d'], [])
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    step_errors: tuple[tuple[float, float], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether something was checked, nothing was refuted and nothing was left undecided."""
        return bool(self.rows) and all(row.verdict is True for row in self.rows)

    @property
    def refuted(self) -> list[Row]:
        """The rows that were found to be false."""
        return [row for row in self.rows if row.verdict is False]

    @property
    def undecided(self) -> list[Row]:
        """The rows that no method could decide."""
        return [row for row in self.rows if row.verdict is None]

    @property
    def proofs(self) -> list[Row]:
        """The rows about equations: exact, without rounding."""
        return [row for row in self.rows if row.group != NUMERIC_GROUP]

    @property
    def numeric(self) -> list[Row]:
        """The rows about emitted code, compared in floating point."""
        return [row for row in self.rows if row.group == NUMERIC_GROUP]

    def how(self) -> dict[str, str]:
        """How each equation was checked: step label -> wording, for the document's equations that were proved."""
        return {row.name: row.how for row in self.rows if row.verdict is True}

    def summary(self) -> list[tuple[str, int, int, list[str]]]:
        """For each group: its name, how many checks hold, how many there are, and the ways they were checked."""
        groups = dict.fromkeys(row.group for row in self.rows)
        return [_summary(group, [row for row in self.rows if row.group == group]) for group in groups]

    def __str__(self) -> str:
        lines = [
            f"{holding} of {total} hold: {group} ({', '.join(ways)})" for group, holding, total, ways in self.summary()
        ]
        lines += [f"{_verdict(row)}: {row.group}: {row.name}" for row in (*self.refuted, *self.undecided)]
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(title)}</th>" for title in ("What", "Holds", "Of", "How"))
        rows = [(group, holding, total, ", ".join(ways)) for group, holding, total, ways in self.summary()]
        body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        said = [f"{_verdict(row)}: {row.group}: {row.name}" for row in (*self.refuted, *self.undecided)]
        notes = "".join(f"<p>{escape(note)}</p>" for note in (*said, *self.notes))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def to_json(self) -> str:
        """The report as JSON text, the same bytes for the same report; errors are powers of ten."""
        groups = [
            {"group": group, "holding": holding, "of": total, "how": ways}
            for group, holding, total, ways in self.summary()
        ]
        content = {
            "ok": self.ok,
            "groups": groups,
            "rows": [_as_json(row) for row in self.rows],
            "notes": list(self.notes),
            "step_errors": [[f"{number:.0e}" for number in pair] for pair in self.step_errors],
        }
        return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _verdict(row: Row) -> str:
    return "refuted" if row.verdict is False else "undecided"


def _summary(group: str, rows: list[Row]) -> tuple[str, int, int, list[str]]:
    ways = list(dict.fromkeys(row.how for row in rows))
    return group, sum(row.verdict is True for row in rows), len(rows), ways


def _as_json(row: Row) -> dict[str, object]:
    error = None if row.error is None else f"{row.error:.0e}"
    return {"group": row.group, "name": row.name, "verdict": row.verdict, "how": row.how, "error": error}


def all_hold(verdicts: Iterable[Verdict]) -> Verdict:
    """False if one is False, else None if one is None, else True.

    >>> all_hold([True, None]), all_hold([None, False]), all_hold([True, True])
    (None, False, True)
    """
    found = set(verdicts)
    if False in found:
        return False
    return None if None in found else True

"""What ``symbp`` prints: formulas, checks, files. Colour and motion only where a person is watching."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from symbackprop.network.spec import NetworkSpec
from symbackprop.render.wording import group_words

WIDE = 1000  # columns where nobody is watching: a line in a file or a pipe is never folded
PATIENCE = 1.0  # seconds before a person is told what goes on
VERDICTS = {True: "passed", False: "REFUTED", None: "undecided"}


def _console() -> Console:
    watched = sys.stdout.isatty()
    return Console(markup=False, highlight=False, emoji=False, width=None if watched else WIDE)


@dataclass(frozen=True)
class Summary:
    """What a command has to say: the network, its checks, formulas by name, the files written."""

    spec: NetworkSpec
    report: Any
    formulas: Sequence[tuple[str, str]] = ()
    paths: Sequence[Path] = ()

    def show(self, *, quiet: bool = False, as_json: bool = False) -> None:
        """Print it for people; as one JSON object for programs; with ``quiet`` what was refuted and nothing else."""
        if as_json:
            print(json.dumps(self.content(), ensure_ascii=False, indent=2))
        elif quiet:
            show_refuted(self.report)
        else:
            show_choices(self.spec)
            if self.formulas:
                show_formulas(self.formulas)
            show_checks(self.report)
            if self.paths:
                show_paths(self.paths)

    def content(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "network": {
                "layers": list(self.spec.sizes),
                "activations": [use.tag for use in self.spec.activations],
                "loss": self.spec.loss.entry.name,
                "bias": list(self.spec.bias),
                "choices": list(self.spec.choices),
            },
            "formulas": dict(self.formulas),
            "checks": json.loads(self.report.to_json()),
            "files": [str(path) for path in self.paths],
        }


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Say ``what`` goes on, once it has taken a second and if stderr is a terminal; never with ``quiet``."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    status = Console(stderr=True).status(f"{what} …")
    timer = threading.Timer(PATIENCE, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a spinner that is just starting must be stopped after it has started
        status.stop()


def show_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Rows of text in aligned columns."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for column in range(max(map(len, rows), default=0)):
        table.add_column(style="bold" if column == 0 else None, overflow="fold")
    for row in rows:
        table.add_row(*row)
    _print_lines(table)


def show_choices(spec: NetworkSpec) -> None:
    """The network, and what was chosen where the user left it open."""
    console = _console()
    activations = ", ".join(use.tag for use in spec.activations)
    console.print(f"{'-'.join(map(str, spec.sizes))} · {activations} · {spec.loss.entry.name}", style="bold")
    for choice in spec.choices:
        console.print(choice, soft_wrap=True)


def show_formulas(rows: Sequence[tuple[str, str]]) -> None:
    """Names and their formulas, an equation a line."""
    console = _console()
    width = max((len(name) for name, _ in rows), default=0)
    console.print()
    for name, formula in rows:
        console.print(f"{name:<{width}} = {formula}", soft_wrap=True)


def show_checks(report: Any) -> None:
    """The checks, a line for each group and verdict, and each refuted one by its name."""
    groups: dict[tuple[str, bool | None], list[Any]] = {}
    for row in report.rows:
        groups.setdefault((row.group, row.verdict), []).append(row)
    lines = []
    for (group, verdict), rows in groups.items():
        errors = [row.error for row in rows if row.error is not None]
        ways = ", ".join(dict.fromkeys(row.how for row in rows))
        worst = f"errors below {max(errors):.0e}" if errors else ""
        lines.append((f"{len(rows)} {VERDICTS[verdict]}", group_words(group), ways, worst))
    _console().print("\nChecks")
    show_table(lines)
    show_refuted(report)


def show_refuted(report: Any) -> None:
    """Each refuted check by its name."""
    console = _console()
    for row in report.rows:
        if row.verdict is False:
            what = f"{group_words(row.group)}: {row.name} ({row.how})"
            console.print(f"REFUTED: {what}", style="bold red", soft_wrap=True)


def show_translation(translation: Any, paths: Sequence[Path], *, quiet: bool = False, as_json: bool = False) -> None:
    """What differs between two notations, the equations in both, the files; as JSON for programs, quietly nothing."""
    names = (translation.first.name, translation.second.name)
    changes = [(change.what, change.first, change.second) for change in translation.changes()]
    parts = {part.heading: [(pair.first, pair.second) for pair in part.pairs] for part in translation.parts()}
    if as_json:
        content = {"notations": names, "differences": changes, "equations": parts, "files": list(map(str, paths))}
        print(json.dumps(content, ensure_ascii=False, indent=2))
    elif not quiet:
        show_table([("", *names), *changes])
        console = _console()
        for heading, pairs in parts.items():
            console.print(f"\n{heading}", style="bold")
            show_table([names, *pairs])
        show_paths(paths)


def show_paths(paths: Sequence[Path]) -> None:
    """The files that were written."""
    console = _console()
    console.print("\nWritten")
    for path in paths:
        console.print(f"  {path}", soft_wrap=True)


def _print_lines(table: Table) -> None:
    """Print ``table`` without blanks at the ends of lines where it goes to a file."""
    console = _console()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        console.print(line.rstrip(), soft_wrap=True)

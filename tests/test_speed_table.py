"""The README's table of ratios is one that the script prints; its numbers are those of the machine that it ran on."""

import re
import sys
from pathlib import Path

import numpy as np

BENCHMARKS = Path(__file__).resolve().parent / "benchmarks"
README = BENCHMARKS.parent.parent / "README.md"
NUMBER = re.compile(r"\d+\.?\d*")


def shown() -> list[str]:
    """The table's lines in the README."""
    text = README.read_text(encoding="utf-8").partition("python tests/benchmarks/table.py\n```")[2]
    return re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0].splitlines()


def without_numbers(line: str) -> str:
    """A row, its numbers and their absence the same sign; the first cell is left alone."""
    _, name, *cells = line.split("|")
    return "|".join([name, *(re.sub(r"–|#( · #)", "#", NUMBER.sub("#", cell)) for cell in cells)])


def test_the_readme_s_table_is_the_script_s(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", ["table.py"])
    import contenders
    import peers
    import table

    turns = list(np.linspace(1, 2, 20))
    made = list(table.table({name: dict.fromkeys(contenders.CONTENDERS, turns) for name in peers.NETWORKS}))
    readme = shown()
    assert readme[:2] == made[:2]
    assert list(map(without_numbers, readme[2:])) == list(map(without_numbers, made[2:]))


def test_ratios_are_those_of_the_quick_turns(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import table

    slow = [5.0] * 50
    times = {
        table.OURS: [1.0] * 50 + slow,
        table.WITH_WORKSPACE: [0.5] * 50 + slow,
        "plain NumPy": [4.0] * 50 + slow * 2,
    }
    assert table.cell(times, "plain NumPy") == "0.25 · 0.12"
    assert table.cell(times, "autograd") == "–"

"""The program's own text: linted, formatted, typed."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "tool", ["ruff check", "ruff format --check", pytest.param("mypy", marks=pytest.mark.slow)], ids=str
)
def test_the_tool_finds_nothing(tool):
    ran = subprocess.run(
        [sys.executable, "-m", *tool.split()], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

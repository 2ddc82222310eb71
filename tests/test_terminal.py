"""What the terminal shows: for people, for pipes, for programs; colour and motion only where they belong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from symbackprop import terminal
from symbackprop.check.report import CheckReport, Row
from symbackprop.cli import main
from symbackprop.terminal import Summary, working

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

NETWORK = ("--net", "2-2-1", "--act", "tanh", "--loss", "mse")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-9]|9[0-7]|4[0-9])(?:;[0-9;]*)?m")


def test_quiet_prints_nothing_and_writes_the_files(capsys, tmp_path):
    assert main(["derive", *NETWORK, "--quiet", "--format", "md", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "derivation.md").exists()


def test_a_quiet_comparison_prints_nothing(capsys, tmp_path):
    assert main(["derive", *NETWORK, "--quiet", "--compare", "bishop", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "translation.md").exists()


def test_a_comparison_is_an_object_for_programs(capsys, tmp_path):
    assert main(["derive", *NETWORK, "--json", "--compare", "bishop", "--out", str(tmp_path)]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["notations"] == ["S1", "bishop"]
    assert ["indices of a weight", "from, to", "to, from"] in content["differences"]
    assert [side.split(" = ")[0] for side in content["equations"]["In matrix form, one example"][6]] == ["δ[2]", "δ⁽¹⁾"]
    assert content["files"] == [str(tmp_path / name) for name in ("translation.md", "translation.tex")]


def test_json_is_one_object_that_says_it_all(capsys, tmp_path):
    assert main(["derive", *NETWORK, "--json", "--format", "json", "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    content = json.loads(out)
    assert err == ""
    assert content["network"]["layers"] == [2, 2, 1]
    assert content["network"]["activations"] == ["tanh", "tanh"]
    assert content["checks"]["ok"] is True
    assert content["checks"] == json.loads((tmp_path / "check.json").read_text("utf-8"))
    assert content["files"] == [str(tmp_path / "check.json")]
    assert any("δ" in name for name in content["formulas"])


def test_check_speaks_json_too(capsys):
    assert main(["check", *NETWORK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == []


def test_quiet_still_names_what_was_refuted(capsys):
    report = CheckReport((Row("delta", "delta.2", False, "exactly"), Row("delta", "delta.3", True, "exactly")))
    Summary(None, report).show(quiet=True)  # type: ignore[arg-type]
    assert capsys.readouterr().out == "REFUTED: The same for any unit, with δ: delta.2 (exactly)\n"


def test_a_pipe_gets_text_without_escapes_and_without_progress(tmp_path):
    command = [sys.executable, "-m", "symbackprop.cli", "check", *NETWORK]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm"})
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "passed" in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def on_a_terminal(code, **settings):
    """What ``code`` writes on a terminal."""
    leader, follower = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(
        command, stdout=follower, stderr=follower, env={**environment, "TERM": "xterm-256color", **settings}
    )
    os.close(follower)
    written = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(leader)
    assert process.wait() == 0
    return written.decode()


REFUTED = """
from symbackprop.check.report import CheckReport, Row
from symbackprop.terminal import show_checks
show_checks(CheckReport((Row("delta", "delta.2", False, "exactly"),)))
"""
SLOW = """
import time
from symbackprop.terminal import working
with working("checking"{}):
    time.sleep({})
"""


def test_a_terminal_gets_colour_unless_it_is_not_wanted():
    assert COLOUR.search(on_a_terminal(REFUTED))
    assert not COLOUR.search(on_a_terminal(REFUTED, NO_COLOR="1"))
    assert not ESCAPE.search(on_a_terminal(REFUTED, TERM="dumb"))


def test_work_over_a_second_is_announced_on_a_terminal():
    assert "checking" in on_a_terminal(SLOW.format("", 1.5))
    assert "checking" not in on_a_terminal(SLOW.format("", 0.1))
    assert "checking" not in on_a_terminal(SLOW.format(", quiet=True", 1.2))


def test_no_progress_where_nobody_watches(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "PATIENCE", 0.01)
    with working("checking"):
        time.sleep(0.1)
    assert capsys.readouterr() == ("", "")

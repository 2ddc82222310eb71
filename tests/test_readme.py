"""What the README shows is what happens."""

import doctest
import re
from pathlib import Path

from symbackprop.cli import main

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_python_session():
    failures, tried = doctest.testfile(str(README), module_relative=False)
    assert tried >= 6
    assert failures == 0


def test_training_example(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    (printed,) = capsys.readouterr().out.splitlines()
    assert f"# {printed}\n" in code
    assert float(printed.split("%")[0]) >= 95


def test_first_command(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (session,) = re.findall(r"```console\n\$ symbp (.*?)```", TEXT, re.DOTALL)
    command, *expected = session.rstrip().splitlines()
    assert main([*command.split(), "--format", "json"]) == 0
    assert capsys.readouterr().out.splitlines()[: len(expected)] == expected


def test_mistake(capsys):
    (session,) = re.findall(r"```\n\$ symbp (.*?)```", TEXT, re.DOTALL)
    command, answer = session.rstrip().splitlines()
    assert main(command.split()) == 2
    assert capsys.readouterr().err.splitlines() == [answer]

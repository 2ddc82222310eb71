"""What the README shows is what happens."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from backends import compiled_quickly, double, largest_difference

from symbackprop.cli import main
from symbackprop.emit.targets import PROGRAMS

README = Path(__file__).resolve().parent.parent / "README.md"
TARGETS = README.parent / "docs" / "targets.md"
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


def test_recipes_of_the_targets():
    """One after the other in one session: all of them find the gradients that the first one finds."""
    for library in ("scipy", "torch", "jax", "dask.array", "array_api_compat", "numba"):
        pytest.importorskip(library)
    names = {}
    with double(), compiled_quickly():
        for code in re.findall(r"```python\n(.*?)```", TARGETS.read_text(encoding="utf-8"), re.DOTALL):
            exec(compile(code, "targets.md", "exec"), names)
    found = {name: value for name, value in names.items() if name.startswith("gradients")}
    assert len(found) == 6
    found["over devices"] = names["over_devices"]
    found["each"] = {name: np.mean(np.asarray(v), axis=0) for name, v in names["of_each_example"].items()}
    with_numpy = names["f"].gradients(names["params"], names["x"], names["t"])
    for gradients in found.values():
        assert largest_difference({name: np.asarray(gradients[name]) for name in with_numpy}, with_numpy) < 1e-13
    assert names["best"].fun < names["loss"]


def test_every_target_is_in_the_table():
    rows = re.findall(r"^\| `(.*?)` \| `(.*?)` \|", TARGETS.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {name: row.file for name, row in PROGRAMS.items()}

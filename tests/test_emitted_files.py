"""Emitted files by themselves: linted, formatted, typed; run, they check themselves, and find what is wrong."""

import importlib.util
import re
import runpy
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from backends import compiled_quickly, derivation

from symbackprop.emit.targets import PROGRAMS, emit
from symbackprop.notation.profile import load_profile

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
# What the files owe to their purpose: results have names before they are returned, as in the derivation; single numbers
# are handed over one by one; a deep network has many lines.
OF_PURPOSE = "RET504,PLR0917,PLR0915"
NETWORKS = {
    "softmax": {
        "layers": "3-4-3",
        "activation": "tanh",
        "output_activation": "softmax",
        "loss": "ce",
        "penalty": "l2:1",
    },
    "relu": {
        "layers": "3-4-5-2",
        "activation": "relu",
        "loss": "mse",
        "bias": (False, True, False),
        "penalty": "l1:0.1",
    },
    "gelu": {"layers": "3-4-1", "activation": "gelu", "loss": "huber", "bias": False, "output_reduction": "mean"},
    "prelu": {"layers": "3-4-2", "activation": "prelu", "output_activation": "identity", "loss": "mse"},
    "focal": {"layers": "2-3-2", "activation": "silu", "output_activation": "sigmoid", "loss": "focal"},
    "joint": {"layers": "2-3-2", "activation": "leaky_relu", "output_activation": "identity", "loss": "multi_margin"},
    "generic": {
        "layers": "3-4-2",
        "activation": ("f", "g"),
        "loss": "cost",
        "penalty": "l2:mu:half_mean:biases",
        "title": "A title",
    },
    "blocks": {
        "layers": "3-24-9-30",
        "activation": ("log_softmax", "glu", "softmax"),
        "loss": "ce",
        "class_weights": ("1.5",) * 30,
    },
    "deep": {"layers": "-".join(["4"] * 40), "activation": "mish", "loss": "log_cosh", "penalty": "l1:0.1"},
}
PROFILES = {"softmax": "S4", "relu": "bishop", "prelu": "rumelhart1986"}
NEEDS = {"array-api": (), "torch": ("torch",), "jax": ("jax",), "numba": ("numba", "scipy")}


def is_there(target: str) -> bool:
    return all(importlib.util.find_spec(name) for name in NEEDS.get(target, ()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of every target for every network, some with the numbers of equations."""
    written = tmp_path_factory.mktemp("emitted")
    for name, words in NETWORKS.items():
        found, profile = derivation(**words), load_profile(PROFILES.get(name, "S1"))
        steps = found.matrix(profile.code_layout).steps if name in ("softmax", "gelu", "focal") else ()
        numbers = {step.label: n for n, step in enumerate(steps, start=101)}
        for target in PROGRAMS:
            if target != "scalar" or name != "deep":
                path = written / f"{target.replace('-', '_')}_{name}.py"
                path.write_text(emit(found, profile, numbers, target), encoding="utf-8")
    return written


def by_tool(*command, cwd):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=cwd, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_linted_by_our_rules_and_by_the_usual_ones(folder):
    for rules in (["--config", PYPROJECT, "--ignore", OF_PURPOSE], ["--isolated", "--line-length", "120"]):
        assert by_tool("ruff", "check", *rules, ".", cwd=folder) == (0, "All checks passed!\n")


def test_formatted(folder):
    code, text = by_tool("ruff", "format", "--isolated", "--line-length", "120", "--check", ".", cwd=folder)
    assert code == 0, text


# Reading torch, jax and numba takes the type checker most of a minute.
@pytest.mark.parametrize(
    "targets",
    [["numpy", "scalar", "array_api"], pytest.param(["torch", "jax", "numba"], marks=pytest.mark.slow)],
    ids=str,
)
def test_typed(folder, targets, tmp_path):
    files = [p for p in sorted(folder.glob("*.py")) if p.name.startswith(tuple(targets)) and "deep" not in p.name]
    options = ["--strict", "--config-file=", "--cache-dir", tmp_path]
    code, text = by_tool("mypy", *options, *files, cwd=folder)
    assert code == 0, text


RUN = [(target, "softmax") for target in PROGRAMS if target != "scalar"]
RUN += [
    ("numpy", "prelu"),
    ("numpy", "generic"),
    ("array-api", "prelu"),
    ("array-api", "generic"),
    ("numba", "generic"),
]


@pytest.mark.parametrize(("target", "name"), RUN)
def test_run_as_a_program_it_checks_itself(folder, name, target, capsys):
    if not is_there(target):
        pytest.skip(f"{target} is not installed")
    path = folder / f"{target.replace('-', '_')}_{name}.py"
    source = path.read_text(encoding="utf-8")
    wrong = path.with_name(f"wrong_{path.name}")
    wrong.write_text(re.sub(r"\b(dW1(\[i, j\])?) = (?!np.empty)", r"\1 = 2 * ", source), encoding="utf-8")
    assert wrong.read_text(encoding="utf-8") != source
    for file, code, word in ((path, 0, "correct"), (wrong, 1, "WRONG")):
        with pytest.raises(SystemExit) as ended, compiled_quickly() if target == "numba" else nullcontext():
            runpy.run_path(str(file), run_name="__main__")
        assert int(ended.value.code) == code
        assert f"gradients {word}" in capsys.readouterr().out
    wrong.unlink()

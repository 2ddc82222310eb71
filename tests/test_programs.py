"""Which programs are written: asked for on the command line, in a file, in Python; or the usual ones."""

import pytest

from symbackprop import api
from symbackprop.cli import main
from symbackprop.emit.targets import PROGRAMS
from symbackprop.errors import SpecError

SPEC = 'layers = "2-3-1"\nactivation = "tanh"\nloss = "mse"\n'
OPTIONS = ["--net", "2-3-1", "--act", "tanh", "--loss", "mse", "--format", "py,json"]
USUAL = {"gradients.py", "scalar_gradients.py"}


def written(folder) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"check.json"}


@pytest.mark.parametrize("target", PROGRAMS)
def test_a_target_is_its_own_file(target, tmp_path, capsys):
    assert main(["derive", *OPTIONS, "--target", target, "--out", str(tmp_path)]) == 0
    assert written(tmp_path) == {PROGRAMS[target].file}
    (path,) = tmp_path.glob("*.py")
    compile(path.read_text("utf-8"), path.name, "exec")
    assert "Loss and gradients" in path.read_text("utf-8") or target == "scalar"


def test_several_targets_and_the_usual_ones(tmp_path, capsys):
    assert main(["derive", *OPTIONS, "--target", "torch, numpy,torch", "--out", str(tmp_path / "two")]) == 0
    assert written(tmp_path / "two") == {"gradients.py", "gradients_torch.py"}
    assert main(["derive", *OPTIONS, "--out", str(tmp_path / "usual")]) == 0
    assert written(tmp_path / "usual") == USUAL


def test_a_file_names_its_targets(tmp_path, capsys):
    derivation = api.derive(api.spec_from_toml(f'{SPEC}targets = ["jax", "scalar"]'))
    assert list(derivation.programs()) == ["gradients_jax.py", "scalar_gradients.py"]
    assert list(derivation.programs(["numpy"])) == ["gradients.py"]
    assert derivation.programs(["numpy"])["gradients.py"] == derivation.code["gradients.py"]
    assert set(derivation.code) == USUAL
    one = api.derive(api.spec_from_toml(f'{SPEC}targets = "torch"'))
    assert {path.name for path in one.write(tmp_path, ["py"])} == {"gradients_torch.py"}
    assert {path.name for path in one.write(tmp_path, ["py"], targets=["numpy"])} == {"gradients.py"}


def test_a_large_network_gets_a_scalar_program_where_it_is_asked_for():
    derivation = api.derive(api.network("20-10-1", activation="tanh", loss="mse"))
    assert list(derivation.programs()) == ["gradients.py"]
    assert list(derivation.programs(["scalar"])) == ["scalar_gradients.py"]


def test_compiled_by_name():
    derivation = api.derive(api.network("2-3-1", activation="tanh", loss="mse"))
    assert derivation.compile().__name__ == "gradients"
    assert derivation.compile("scalar").ARGUMENTS[0] == "x1"
    assert derivation.compile(target="array-api").SHAPES == derivation.compile().SHAPES


def test_an_unknown_target_is_one_line(tmp_path, capsys):
    assert main(["derive", *OPTIONS, "--target", "numpy,troch", "--out", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == "symbp: unknown target 'troch'; did you mean 'torch'?\n"
    assert not (tmp_path / "none").exists()
    for wrong, message in (
        ("'javascript'", "unknown target 'javascript'"),
        ("7", "targets is 7; expected text"),
        ('["numpy", 7]', "targets is 7; expected text"),
    ):
        with pytest.raises(SpecError, match=message):
            api.derive(api.spec_from_toml(f"{SPEC}targets = {wrong}"))


def test_the_list_of_targets(capsys):
    assert main(["list", "targets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, row.file] for name, row in PROGRAMS.items()]
    assert all(row.description in line for line, row in zip(lines, PROGRAMS.values(), strict=True))


def test_documents_show_the_program_that_lies_beside_them():
    derivation = api.derive("S1")
    shown = {target: derivation.files(["md"], targets=[target])["derivation.md"] for target in ("numpy", "torch")}
    assert "gradients.py" in shown["numpy"] and "gradients.py" not in shown["torch"]

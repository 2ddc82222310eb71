"""What is installed: the wheel and an editable install both find templates, profiles and examples."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
REPORT = """
from pathlib import Path
from symbackprop import resources
print(resources.PACKAGE)
print(resources.templates())
print(*sorted(str(p.relative_to(resources.templates()).as_posix()) for p in resources.templates().rglob("*.*")))
print(*resources.examples())
"""


def pip(*arguments, python=sys.executable):
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", folder, REPOSITORY)
    (built,) = folder.glob("symbackprop-*.whl")
    return built


def files_below(folder, suffixes):
    return {p.relative_to(REPOSITORY).as_posix() for p in (REPOSITORY / folder).rglob("*") if p.suffix in suffixes}


def test_the_wheel_holds_every_file_of_the_program_and_nothing_else(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = files_below("symbackprop", {".py", ".toml", ".typed"}) | {"symbackprop/py.typed"}
    templates = {f"symbackprop/{p.relative_to(REPOSITORY).as_posix()}" for p in (REPOSITORY / "templates").rglob("*.*")}
    assert templates
    assert held == package | templates


@pytest.mark.slow
@pytest.mark.parametrize("editable", [False, True], ids=["wheel", "editable"])
def test_both_kinds_of_install_find_templates_and_examples(wheel, tmp_path, editable):
    venv.create(tmp_path / "venv", with_pip=True)
    (python,) = [p for p in (tmp_path / "venv").glob("*/python*") if p.stem == "python"]
    pip("install", "--no-deps", *(["--editable", REPOSITORY] if editable else [wheel]), python=python)
    ran = subprocess.run([python, "-c", REPORT], cwd=tmp_path, capture_output=True, text=True, check=True)
    package, templates, names, examples = ran.stdout.splitlines()
    expected = REPOSITORY / "templates" if editable else Path(package) / "templates"
    assert Path(templates) == expected
    assert (Path(package) == REPOSITORY / "symbackprop") == editable
    assert names.split() == sorted(
        p.relative_to(REPOSITORY / "templates").as_posix() for p in (REPOSITORY / "templates").rglob("*.*")
    )
    assert examples == "S1 S2 S3 S4 S5"

"""The house: which floor a file is on, and that it imports from the floors below only."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "symbackprop"
FLOORS = {
    "errors": 0,
    "files": 0,
    "resources": 0,
    "templating": 0,
    "calculus": 1,
    "catalogue": 2,
    "network": 3,
    "derivation": 4,
    "notation": 5,
    "render": 6,
    "emit": 6,
    "check": 6,
    "api": 7,
    "handover": 7,
    "programs": 7,
    "__init__": 7,  # the public names
    "cli": 8,
    "terminal": 8,
}
OF_LOOSE_FILES = (0, 7, 8)  # floors without rooms: their files may import each other
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 400


def room(module: str) -> str:
    """``symbackprop.calculus.rules`` is in the room ``calculus``; the package itself is ``__init__``."""
    _, _, inside = module.partition(".")
    return inside.split(".")[0] or "__init__"


def imported(source: str, package: str) -> set[str]:
    """Every module of ours that ``source``, a file in ``package``, imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: 1 - node.level or None]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            # "from symbackprop import api" imports the module api
            found |= {f"{origin}.{alias.name}" for alias in node.names} if origin == "symbackprop" else {origin}
    return {name for name in found if name.split(".")[0] == "symbackprop"}


def breaches(name: str, source: str) -> list[str]:
    """The imports that lead up, or across to another room on the same floor."""
    own = room(name)
    others = sorted(imported(source, name.rpartition(".")[0]))
    return [other for other in others if room(other) != own and not may_import(own, room(other))]


def may_import(own: str, other: str) -> bool:
    return FLOORS[other] < FLOORS[own] or FLOORS[other] == FLOORS[own] in OF_LOOSE_FILES


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_lead_down(path):
    assert room(module_name(path)) in FLOORS, "a file that is on no floor"
    assert breaches(module_name(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("symbackprop.calculus.rules", "from symbackprop.network.spec import NetworkSpec"),
        ("symbackprop.render.latex", "from symbackprop.emit import program"),
        ("symbackprop.check.proofs", "def f():\n    import symbackprop.render.latex"),
        ("symbackprop.derivation.steps", "from symbackprop import api"),
        ("symbackprop.api", "from symbackprop.cli import main"),
        ("symbackprop.check.proofs", "from ..emit import program"),
    ],
)
def test_an_import_that_leads_up_or_across_is_found(name, source):
    assert breaches(name, source)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_half_of_the_files_are_under_120_lines():
    lengths = sorted(len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES if p.name != "__init__.py")
    assert lengths[len(lengths) // 2] < 120

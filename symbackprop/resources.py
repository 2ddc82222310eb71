"""Where the files that are not Python lie: templates and example networks."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The folder of templates: inside an installed package, beside it in the repository and an editable install.

    >>> templates().name
    'templates'
    """
    for folder in (PACKAGE / "templates", PACKAGE.parent / "templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no templates inside or beside {PACKAGE}: the installation is incomplete")


def examples() -> dict[str, Path]:
    """The example networks that come with the program: name -> TOML file, in order.

    >>> list(examples())
    ['S1', 'S2', 'S3', 'S4', 'S5']
    """
    return {path.stem: path for path in sorted((PACKAGE / "examples").glob("*.toml"))}

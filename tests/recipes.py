"""The recipes in an emitted module's docstring, executed."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any


def recipes(module: ModuleType) -> Iterator[tuple[str, str]]:
    """What the docstring says of each piece of code, and the code: lines four spaces in, behind a colon."""
    text, code = "", ""
    for line in [*(module.__doc__ or "").splitlines(), ""]:
        if line.startswith("    "):
            code += f"{line[4:]}\n"
            continue
        if code:
            yield text, code
            text, code = "", ""
        text += f"{line}\n"


def recipe(module: ModuleType, word: str) -> str:
    """The code of the one recipe whose text has this word."""
    (found,) = [code for text, code in recipes(module) if word in text]
    return found


def follow(module: ModuleType, word: str, **given: Any) -> dict[str, Any]:
    """All names after a recipe, executed among the module's own names and what is ``given``."""
    names = {**vars(module), **given}
    exec(compile(recipe(module, word), "recipe", "exec"), names)
    return names

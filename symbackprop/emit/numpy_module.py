"""What goes into the emitted module ``gradients.py``: NumPy's lines, and a work space for their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit.array_module import ArrayModule
from symbackprop.emit.numpy import NumPyPrinter, in_buffer
from symbackprop.emit.program import Assign, Program
from symbackprop.notation.profile import Profile

HELPERS = "numpy{}.py.jinja"


def numpy_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients.py`` places."""
    module = ArrayModule(derivation, profile, numbers, NumPyPrinter, HELPERS)
    return {**module.parts(["workspace: Arrays | None = None"]), **buffers(module.program)}


def buffers(program: Program) -> dict[str, Any]:
    """The arrays of the work space and their shapes."""
    found = [(line.name, program.arrays[line.name]) for line in program.lines if _in_workspace(line, program)]
    return {
        "buffers": [(name, _shape_text(shape)) for name, shape in found],
        "first_buffer": found[0][0],
        "first_buffer_width": found[0][1][1],
    }


def _in_workspace(line: Assign, program: Program) -> bool:
    return line.name in program.arrays and in_buffer(line)


def _shape_text(shape: tuple[int | None, ...]) -> str:
    sizes = ["batch" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

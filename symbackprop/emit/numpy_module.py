"""What goes into the emitted module ``gradients.py``: NumPy's statements, and a work space for their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit import source
from symbackprop.emit.array_module import ArrayModule
from symbackprop.emit.elementary import elementary
from symbackprop.emit.linearity import divided_at_the_output
from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.numpy_statements import Statements
from symbackprop.emit.program import Number, early, needed
from symbackprop.emit.shapes import Shape
from symbackprop.emit.storage import placed
from symbackprop.network.quantities import BATCH
from symbackprop.notation.profile import Profile


def numpy_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients.py`` places."""
    module = ArrayModule(derivation, profile, numbers, NumPyPrinter)
    statements = backward(module)
    written = module.cut.written([line.line for line in statements.lines], list(statements()), statements.printer)
    plain = module.cut(list(module.program.gradients.values()))
    return {**module.parts(written, ["workspace: Arrays | None = None"], plain), **work_space(statements)}


def backward(module: ArrayModule) -> Statements:
    """Loss and gradients as statements: the batch divided by once, gradients early, every operation in its place."""
    program, spec, results = module.program, module.spec, list(module.program.gradients.values())
    lines = early(needed(divided_at_the_output(program, Number(BATCH)), module.outputs), results)
    known: dict[str, Shape] = {
        **program.shapes,
        module.names.input: (None, spec.sizes[0]),
        module.names.target: (None, spec.targets_count),
        module.names.class_weights: (1, spec.sizes[-1]),
    }
    operations = elementary(lines, known, module.outputs)
    places, shapes = placed(operations, known, results)
    printer = NumPyPrinter(source.named_numbers(spec))
    return Statements(printer, places, shapes, {line.name for line in lines}, results)


def work_space(statements: Statements) -> dict[str, Any]:
    """The arrays of the work space: their names, and how they are made."""
    room = list(statements.room())
    arrays = [(name, f"np.empty({shape_text(shape)}, {'bool' if truth else 'dtype'})") for name, shape, truth in room]
    ones = [(name, f"np.ones({shape_text(shape)}, dtype)") for shape, name in statements.ones.items()]
    starts = [(name, f"np.arange(0, {size} * batch, {size})[:, None]") for size, name in statements.starts.items()]
    first, shape, _ = room[0]
    return {"arrays": [*arrays, *ones, *starts], "first_array": first, "first_shape": shape_text(shape)}


def shape_text(shape: Shape) -> str:
    """A shape in the source, the number of examples by its name.

    >>> shape_text((None, 3)), shape_text((3,))
    ('(batch, 3)', '(3,)')
    """
    sizes = ["batch" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

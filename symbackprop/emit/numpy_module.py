"""What goes into the emitted module ``gradients.py``: NumPy's statements, and a work space for their results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit import source
from symbackprop.emit.array_module import ArrayModule
from symbackprop.emit.elementary import elementary
from symbackprop.emit.few_examples import few_examples
from symbackprop.emit.linearity import divided_at_the_output
from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.numpy_statements import Statements
from symbackprop.emit.program import Assign, Number, early, needed
from symbackprop.emit.shapes import Shape
from symbackprop.emit.storage import placed
from symbackprop.network.quantities import BATCH
from symbackprop.notation.profile import Profile


def numpy_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients.py`` places."""
    module = ArrayModule(derivation, profile, numbers, NumPyPrinter)
    statements, lines, known = backward(module), backward_lines(module), handed_in(module)
    written = module.cut.written([line.line for line in statements.lines], list(statements()), statements.printer)
    plain = module.cut(list(module.program.gradients.values()))
    room = {name: shape_text(shape) for name, shape, _ in statements.room()}
    form = few_examples(module, lines, known, room)
    return {
        **module.parts(written, ["workspace: Arrays | None = None"], plain),
        **work_space(statements, form["held_in"].values() if form else ()),
        "few_examples": form,
    }


def backward_lines(module: ArrayModule) -> tuple[Assign, ...]:
    """The lines of loss and gradients: the batch divided by once, gradients early."""
    lines = needed(divided_at_the_output(module.program, Number(BATCH)), module.outputs)
    return early(lines, list(module.program.gradients.values()))


def handed_in(module: ArrayModule) -> dict[str, Shape]:
    """The shapes of what the lines start from."""
    names, spec = module.names, module.spec
    return {
        **module.program.shapes,
        names.input: (None, spec.sizes[0]),
        names.target: (None, spec.targets_count),
        names.class_weights: (1, spec.sizes[-1]),
    }


def backward(module: ArrayModule) -> Statements:
    """Loss and gradients as statements, every operation in its place."""
    lines, known, results = backward_lines(module), handed_in(module), list(module.program.gradients.values())
    operations = elementary(lines, known, module.outputs)
    places, shapes = placed(operations, known, results)
    printer = NumPyPrinter(source.named_numbers(module.spec))
    return Statements(printer, places, shapes, {line.name for line in lines}, results)


def work_space(statements: Statements, made: Collection[str]) -> dict[str, Any]:
    """The arrays of the work space, but for those that are ``made`` already: their names, and how they are made."""
    room = [each for each in statements.room() if each[0] not in made]
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

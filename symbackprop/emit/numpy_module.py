"""What goes into the emitted module ``gradients.py``: NumPy's statements, and a work space for their results."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit import source
from symbackprop.emit.array_module import ArrayModule, layer_of
from symbackprop.emit.elementary import elementary
from symbackprop.emit.few_examples import few_examples
from symbackprop.emit.linearity import divided_at_the_output
from symbackprop.emit.lines import Lines
from symbackprop.emit.loss_pass import Given, loss_by_blocks
from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.numpy_statements import Statements
from symbackprop.emit.one_pass import Layer, Pass, in_one_pass
from symbackprop.emit.pass_functions import PassFunction, PassFunctions
from symbackprop.emit.program import Assign, Number, early, needed
from symbackprop.emit.shapes import Shape
from symbackprop.emit.storage import find_hosts, placed
from symbackprop.network.quantities import BATCH, DELTA, PRE
from symbackprop.notation.profile import Profile


def numpy_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients.py`` places."""
    module = ArrayModule(derivation, profile, numbers, NumPyPrinter)
    statements, functions = backward(module)
    lines, known = backward_lines(module), handed_in(module)
    written = module.cut.written([line.line for line in statements.lines], list(statements()), statements.printer)
    plain = module.cut(list(module.program.gradients.values()))
    room = {statements.key(store): shape_text(store.shape) for store in statements.stores}
    form = few_examples(module, lines, known, room)
    parts = module.parts(written, ["workspace: Arrays | None = None"], plain)
    return {
        **parts,
        "uses_any": parts["uses_any"] or bool(form) or any(each.total for each in functions),
        "uses_callable": parts["uses_callable"] or bool(form or functions),
        **work_space(statements, form["held_in"].values() if form else ()),
        "few_examples": form,
        "pass_functions": functions,
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


def backward(module: ArrayModule) -> tuple[Statements, list[PassFunction]]:
    """Loss and gradients as statements, every operation in its place, and the functions that they call.

    Arrays take no more room than the activations and the δ do: where it is not enough, narrow ones lie inside wider
    ones, and where that is not enough, the loss is computed a few rows at a time.
    """
    spec, known, every = module.spec, handed_in(module), list(layers(module))
    lines, one_set = backward_lines(module), sum(spec.sizes[1:]) + sum(spec.fed[1:])
    by_layers = Lines(lines, known)
    statements, functions = in_statements(module, by_layers, in_one_pass(by_layers, every), one_set)
    found = loss_by_blocks(Lines(lines, known), every[-1], of_loss(module)) if statements.columns > one_set else None
    if found:
        with_loss, loss = found
        passes = [loss, *in_one_pass(with_loss, every[:-1])]
        statements, functions = in_statements(module, with_loss, passes, one_set)
    return statements, functions


def in_statements(
    module: ArrayModule, lines: Lines, passes: Sequence[Pass], most: float
) -> tuple[Statements, list[PassFunction]]:
    """The lines as statements in ``most`` columns if they fit, and the functions for what is computed in one pass."""
    known, results = handed_in(module), list(module.program.gradients.values())
    printer = NumPyPrinter(source.named_numbers(module.spec))
    functions = PassFunctions(printer, lines.shapes)
    called = tuple(functions(lines, passes))
    places, shapes = placed(elementary(called, known, module.outputs), known, results)
    find_hosts(places, results, most)
    return Statements(printer, places, shapes, {line.name for line in called}, results), functions.written


def of_loss(module: ArrayModule) -> Given:
    """What the loss is given."""
    names = module.names
    return Given(module.spec.loss.entry.name, module.program.loss, names.target, (names.class_weights,))


def layers(module: ArrayModule) -> Iterator[Layer]:
    """The names of what each layer computes."""
    names, spec = module.names, module.spec
    for layer in range(2, spec.depth + 1):
        trained = frozenset(name for name in module.starts if layer_of(name) == layer)
        tag = spec.activation_of(layer).entry.name
        yield Layer(tag, names.of(PRE, layer), names.out(layer), names.of(DELTA, layer), trained)


def work_space(statements: Statements, made: Collection[str]) -> dict[str, Any]:
    """The arrays of the work space, but for those that are ``made`` already: their names, and how they are made."""
    room = {key: store for store in statements.stores if (key := statements.key(store)) not in made}
    arrays = [
        (name, f"np.empty({shape_text(store.shape)}, {'bool' if store.truth else 'dtype'})")
        for name, store in room.items()
        if store.host is None
    ]
    ones = [(name, f"np.ones({shape_text(shape)}, dtype)") for shape, name in statements.ones.items()]
    starts = [(name, f"np.arange(0, {size} * batch, {size})[:, None]") for size, name in statements.starts.items()]
    first = next(iter(room))
    return {
        "arrays": arrays,
        "fixed": [*ones, *starts],
        "hosted": [
            (name, statements.key(store.host), store.first, store.first + store.columns)
            for name, store in room.items()
            if store.host
        ],
        "first_array": first,
        "first_shape": shape_text(room[first].shape),
    }


def shape_text(shape: Shape) -> str:
    """A shape in the source, the number of examples by its name.

    >>> shape_text((None, 3)), shape_text((3,))
    ('(batch, 3)', '(3,)')
    """
    sizes = ["batch" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

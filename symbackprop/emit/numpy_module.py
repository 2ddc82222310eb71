"""What goes into the emitted module ``gradients.py``: program lines, names and numbers, all of them derived."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from sympy import Expr, Symbol, diff

from symbackprop import resources
from symbackprop.catalogue import entries as row
from symbackprop.catalogue.activations import SIGMOID, TANH
from symbackprop.catalogue.losses import MSE
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.slopes import slope_of
from symbackprop.emit import source
from symbackprop.emit.formulas import FormulaReader
from symbackprop.emit.lower import lower
from symbackprop.emit.names import Names
from symbackprop.emit.numpy import NUMPY, NumPyPrinter, in_buffer
from symbackprop.emit.program import Assign, Program, Var, needed
from symbackprop.emit.stored import Stored
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.profile import Profile

HELPERS = {"_erf": ("_erf", "_erfc"), "_erfc": ("_erfc",), "_near": ("_near",)}


@dataclass(frozen=True)
class Slicer:
    """Cuts a program into functions."""

    program: Program
    spec: NetworkSpec
    names: Names
    numbers: Mapping[str, int]

    def __call__(self, outputs: Sequence[str], in_buffers: bool = False) -> source.Slice:
        """The lines that ``outputs`` need, with what must stand before them."""
        lines = needed(self.program.lines, outputs)
        printer = NumPyPrinter(NUMPY, source.named_numbers(self.spec))
        write: Callable[[Assign], list[str]] = printer.line_in_buffers if in_buffers else printer.line
        text = [part for line in lines for part in self._fitted(write(line), line.label)]
        before = ["n = len({0})"] if any("n" in _words(part) for part in text) else []
        before += ["real = {0}.dtype.type"] if "real" in printer.used else []
        preamble = [line.format(self.names.input) for line in before]
        return source.Slice([*preamble, *text], source.keywords(lines, self.spec), frozenset(printer.used) - {"real"})

    def _fitted(self, statements: list[str], label: str | None) -> list[str]:
        first, *rest = statements
        comment = source.citation(self.numbers, label)
        return [*source.fitted(first, comment=comment), *(part for line in rest for part in source.fitted(line))]


def numpy_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients.py`` places."""
    spec = derivation.graph.spec
    starts = {
        f"{entry.base.parameter}{entry.indices[0]}": float(spec.parameters[symbol])
        for symbol, entry in spec.trained.items()
    }
    names = Names(profile, spec.depth, source.functions_handed_in(spec) | starts.keys())
    program = lower(derivation, names)
    stored = Stored(program, profile, starts)
    cut = Slicer(program, spec, names, numbers)
    forward, loss = cut(program.intermediates), cut([program.loss])
    backward = cut([program.loss, *program.gradients.values()], in_buffers=True)
    x, t = names.input, names.target
    return {
        **arguments(spec, names, forward, loss, backward),
        **layout_parts(program, stored),
        "x": x,
        "t": t,
        "summary": f"Loss and gradients of the network {source.summary(spec)}.",
        "description": description(spec, names, numbers),
        "title": source.title_lines(spec),
        "inputs": spec.sizes[0],
        "outputs": spec.sizes[-1],
        "reduction": f"the {spec.batch_reduction} over the batch" + (", plus the penalty" if spec.penalty else ""),
        "constants": source.constants(spec),
        "trained": ", ".join(starts),
        "initial": [(name, stored.start(name, spec.sizes[layer_of(name) - 1])) for name in stored.shapes],
        "intermediates": program.intermediates,
        "intermediates_in_words": textwrap.wrap(
            ", ".join(f"{name} ({program.arrays[name][1]},)" for name in program.intermediates) + ".", 110
        ),
        "forward_lines": forward.lines,
        "loss_lines": loss.lines,
        "gradient_lines": backward.lines,
        "error": program.loss,
        "gradient_names": stored.gradients.items(),
        "updates": updates(stored, spec),
        "helpers": helpers(forward.helpers | backward.helpers),
        "random_targets": f"rng.dirichlet(np.ones({spec.sizes[-1]}), 5)"
        if spec.loss.entry.targets_sum_to_one
        else f"rng.random((5, {spec.sizes[-1]}))",
    }


def arguments(
    spec: NetworkSpec, names: Names, forward: source.Slice, loss: source.Slice, backward: source.Slice
) -> dict[str, Any]:
    """The first lines of the functions and the calls between them."""
    params, x, t = "params: Arrays", f"{names.input}: ArrayLike", f"{names.target}: ArrayLike"
    both = backward.passed
    call = ", ".join
    return {
        "handed_in": bool(source.functions_handed_in(spec)),
        "forward_def": source.signature("forward", [params, x], forward.named, "Arrays"),
        "loss_def": source.signature("loss", [params, x, t], loss.named, "float"),
        "gradients_def": source.signature("gradients", [params, x, t], backward.named, "Arrays"),
        "both_def": source.signature(
            "loss_and_gradients",
            [params, x, t],
            [*backward.named, "workspace: Arrays | None = None"],
            "tuple[float, Arrays]",
        ),
        "gradients_call": source.fitted(
            f"return loss_and_gradients({call(['params', names.input, names.target, *both])})[1]"
        ),
        "check_def": source.signature(
            "_difference_from_central", ["seed: int = 0"], stand_ins(backward.keywords, spec), "float"
        ),
        "found_call": source.fitted(f"slopes = gradients({call(['params', 'x', 't', *both])})"),
        "above_call": source.fitted(f"change = loss({call(['unpack(above)', 'x', 't', *loss.passed])})", 8),
        "below_call": source.fitted(f"change -= loss({call(['unpack(below)', 'x', 't', *loss.passed])})", 8),
    }


def layout_parts(program: Program, stored: Stored) -> dict[str, Any]:
    """Shapes, and where each parameter lies in one vector."""
    buffers = [(line.name, program.arrays[line.name]) for line in program.lines if _in_workspace(line, program)]
    order = ", ".join(stored.shapes)
    ends, unpacked = 0, []
    for name, shape in stored.shapes.items():
        start, ends = ends, ends + prod(shape)
        reshaped = f".reshape({shape})" if len(shape) != 1 else ""
        unpacked.append((name, f"vector[{start}:{ends}]{reshaped}"))
    return {
        "shapes": stored.shapes.items(),
        "weight_layout": "from_to" if stored.from_to else "to_from",
        "weight_layout_in_words": f"W1[{'i, j' if stored.from_to else 'j, i'}] leads from unit i to unit j",
        "biases": stored.biases,
        "biases_in_words": stored.in_words,
        "parameters": [*_unpacking(order, "_parameters(params)"), *stored.opening],
        "first_parameter": next(iter(program.shapes)),
        "buffers": [(name, _shape_text(shape)) for name, shape in buffers],
        "first_buffer": buffers[0][0],
        "first_buffer_width": buffers[0][1][1],
        "size": ends,
        "unpacked": unpacked,
    }


def _unpacking(names: str, value: str) -> list[str]:
    """``names = value`` for one name or many, on lines that fit."""
    line = f"{names} = {value}" if "," in names else f"({names},) = {value}"
    if len(line) + 4 <= source.WIDTH:
        return [line]
    return ["(", *(f"    {name}," for name in names.split(", ")), f") = {value}"]


def _in_workspace(line: Assign, program: Program) -> bool:
    return line.name in program.arrays and in_buffer(line)


def _shape_text(shape: tuple[int | None, ...]) -> str:
    sizes = ["batch" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def description(spec: NetworkSpec, names: Names, numbers: Mapping[str, int]) -> list[str]:
    """The heading's sentences."""
    text = f"Examples lie in rows: {names.input} has shape ({spec.sizes[0]},) or (batch, {spec.sizes[0]}). "
    if numbers:
        text += "Numbers in comments are those of the equations in the derivation. "
    text += "Run the file to check it against central differences."
    return textwrap.wrap(text, source.WIDTH - 4)


def layer_of(name: str) -> int:
    """The layer that the parameter ``name`` leaves.

    >>> layer_of("theta12")
    12
    """
    return int(re.findall(r"\d+", name)[-1])


def updates(stored: Stored, spec: NetworkSpec) -> list[tuple[str, str]]:
    """Each stored parameter's next value, from the dictionaries of parameters and gradients.

    A step of gradient descent is the same for a bias, a threshold and an array of weights with the biases in it.
    """
    program = stored.program
    names = {name: f'params["{stored.held_in(name)}"]' for name in program.shapes}
    names |= {gradient: f'grads["{stored.held_in(name)}"]' for name, gradient in program.gradients.items()}
    printer = NumPyPrinter(NUMPY, source.named_numbers(spec), names)
    return list({stored.held_in(line.name): printer(line.node) for line in program.updates}.items())


def stand_ins(keywords: Mapping[str, str], spec: NetworkSpec) -> list[str]:
    """Keyword arguments with defaults, for the self-check: tanh and half the squared error, their slopes derived.

    A loss that takes outputs between 0 and 1 only gets the sigmoid in place of tanh.
    """
    activation = TANH if spec.loss.entry.domain[0].is_infinite else SIGMOID
    return [f"{name}: {kind} = {_stand_in(name, kind, activation)}" for name, kind in keywords.items()]


def _stand_in(name: str, kind: str, activation: row.Activation) -> str:
    if kind == "float":
        return "0.1"
    if name in ("cost", "cost_slope"):
        formula = MSE.value if name == "cost" else diff(MSE.value, row.A)
        return f"lambda a, t: {_printed(formula, row.A, row.T)}"
    slope = slope_of(Symbol(activation.name), activation.value)
    return f"lambda z: {_printed(slope.formula if name.endswith('_prime') else slope.value, row.Z)}"


def _printed(formula: Expr | None, *symbols: Symbol) -> str:
    read = FormulaReader({symbol: Var(symbol.name) for symbol in symbols})
    return NumPyPrinter(NUMPY)(read(formula))


def helpers(used: frozenset[str]) -> list[str]:
    """The sources of the helper functions that the lines call."""
    names = sorted({name for helper in used for name in HELPERS[helper]}, reverse=True)
    return [(resources.templates() / f"numpy{name}.py.jinja").read_text(encoding="utf-8").rstrip() for name in names]


def _words(text: str) -> set[str]:
    code = text.partition("  # ")[0]
    return set("".join(c if c.isalnum() or c == "_" else " " for c in code).split())

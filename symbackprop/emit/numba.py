"""The Numba target: kernels of plain loops that Numba compiles, around them the functions of the NumPy module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit import source
from symbackprop.emit.array_module import ArrayModule, helpers, stand_ins, unpacking
from symbackprop.emit.linearity import divided_at_the_output
from symbackprop.emit.loops import Nest, names_in, nests, stored
from symbackprop.emit.names import RESERVED
from symbackprop.emit.numpy import NUMPY, NumPyPrinter
from symbackprop.emit.printer import ATOM, ArrayNode
from symbackprop.emit.program import (
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Reduce,
    Transposed,
    Var,
    free_name,
    needed,
)
from symbackprop.emit.scalar import HELPERS, MATH, MathPrinter
from symbackprop.emit.shapes import Shape, is_truth
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.quantities import BATCH
from symbackprop.notation.profile import Profile

COMPILED = '@numba.njit(error_model="numpy")'
START = {"sum": "0.0", "max": "-np.inf"}
GATHER = {"sum": "{0} += {1}", "max": "{0} = max({0}, {1})"}
INDENT = "    "


@dataclass
class EntryPrinter(MathPrinter):
    """Prints nodes over single entries; ``column`` is that of an array whose columns are counted from a number on."""

    column: Callable[[str, int], str] = field(init=False)

    def array(self, node: ArrayNode) -> tuple[str, int]:
        match node:
            case Columns(Var(name), start, _):
                return self.column(name, start), ATOM
        return super().array(node)


@dataclass
class Kernel:
    """A function that computes ``outputs`` from the arrays handed in, as Numba compiles it."""

    module: ArrayModule
    name: str
    lines: Sequence[Assign]
    outputs: Sequence[str]
    printer: EntryPrinter = field(init=False)
    nests: list[Nest] = field(init=False)
    shapes: dict[str, Shape] = field(init=False)

    def __post_init__(self) -> None:
        spec, names = self.module.spec, self.module.names
        known: dict[str, Shape] = {
            **self.module.program.shapes,
            names.input: (None, spec.sizes[0]),
            names.target: (None, spec.targets_count),
        }
        weights: dict[str, Shape] = {names.class_weights: (spec.sizes[-1],)}
        self.lines = needed(self.lines, self.outputs)
        self.nests, self.shapes = nests(self.lines, known | weights, {*known, *weights, *RESERVED, *self.handed_in})
        self.stored = stored(self.nests, self.outputs)
        self.arrays = [name for name in known if any(name in names_in(line.node) for line in self.lines)]
        results = [name for name in self.outputs if name != self.module.program.loss]
        self.boxed = {name for name in (*self.arrays, *results) if not self.shapes[name]}  # arrays of one number
        taken = {*self.shapes, *RESERVED, *self.handed_in}
        self.row, self.column, self.dtype = (free_name(stem, taken) for stem in ("i", "j", "dtype"))
        self.printer = EntryPrinter(MATH, source.named_numbers(spec))

    @property
    def handed_in(self) -> dict[str, str]:
        """The functions and numbers that the caller hands in, with their types."""
        return source.keywords(self.lines, self.module.spec)

    def parts(self) -> dict[str, Any]:
        """What the template places."""
        arguments = [*map(": ".join, self.handed_in.items()), *(f"{name}: np.ndarray" for name in self.arrays)]
        return {
            "def": source.signature(self.name, arguments, [], "tuple[Any, ...]"),
            "lines": [*self.opening(), *self.body()],
            "results": source.fitted(f"return ({', '.join(self.outputs)}{',' * (len(self.outputs) == 1)})"),
        }

    def call(self) -> list[str]:
        """The lines that call the kernel, its results by their names."""
        names, alike = ", ".join(self.outputs), f"_alike({', '.join(self.arrays)})"
        value = f"{self.name}({', '.join([*self.handed_in, f'*{alike}'])})"
        if len(f"{names} = {value}") + 8 <= source.WIDTH:
            return unpacking(names, value)
        value = f"{self.name}({', '.join([*self.handed_in, '*arrays'])})"
        return [*source.fitted(f"arrays = {alike}"), *source.fitted(f"results = {value}"), *unpacking(names, "results")]

    def opening(self) -> Iterator[str]:
        """The number of examples and the type of numbers, where lines use them."""
        words = set(re.findall(r"\w+", "\n".join(self.body())))
        if self.dtype in words:
            yield f"{self.dtype} = {self.module.names.input}.dtype"
        if "n" in words:
            yield f"n = len({self.module.names.input})"

    def body(self) -> Iterator[str]:
        """The statements of all nests."""
        for nest in self.nests:
            if nest.shape is None:
                yield from self.whole(nest.lines[0])
            else:
                yield from self.loops(nest, nest.shape)

    def whole(self, line: Assign) -> list[str]:
        """A line that computes an array without a loop of ours."""
        match line.node:
            case MatMul(left, right):
                value = f"np.dot({self.array(left)}, {self.array(right)})"
            case Joined(blocks):
                value = f"np.hstack(({', '.join(map(self.array, blocks))}))"
            case _:
                raise UnsupportedExpression(f"no line is known for {type(line.node).__name__}")
        return self.fitted(f"{line.name} = {value}", line, "")

    def array(self, node: Node) -> str:
        """A whole array."""
        match node:
            case Var(name):
                return name
            case Transposed(Var(name)):
                return f"{name}.T"
        raise UnsupportedExpression(f"no array is known for {type(node).__name__}")

    def loops(self, nest: Nest, over: Shape) -> Iterator[str]:
        """The arrays that a nest fills, and its loops."""
        own = [line.name for line in nest.lines]
        for line in nest.lines:
            held = self.shapes[line.name] or line.name in self.boxed or isinstance(line.node, Reduce)
            if held and line.name in self.stored:
                yield f"{line.name} = {self.start(line)}"
        indent = ""
        for variable, size in zip((self.row, self.column)[-len(over) :], over, strict=True) if over else ():
            if size != 1:
                yield f"{indent}for {variable} in range({'n' if size is None else size}):"
                indent += INDENT
        arrays = [name for name, each in self.shapes.items() if each or name in self.boxed]
        self.printer.names = {name: self.entry(name, over) for name in arrays if name in self.stored or name not in own}
        self.printer.column = lambda name, start: self.entry(name, over, start)
        for line in nest.lines:
            yield from self.fitted(self.statement(line), line, indent)

    def start(self, line: Assign) -> str:
        """What a line's array, or its sum, is before the loops."""
        own, node = self.shapes[line.name], line.node
        if not isinstance(node, Reduce):
            return f"np.empty({self.sizes(own)}, {'np.bool_' if is_truth(node) else self.dtype})"
        first = START[node.function]
        return f"np.full({self.sizes(own)}, {first}, {self.dtype})" if own or line.name in self.boxed else first

    def sizes(self, own: Shape) -> str:
        """A shape in the source."""
        sizes = ["n" if size is None else str(size) for size in own]
        return sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"

    def entry(self, name: str, over: Shape, start: int = 0) -> str:
        """An entry of an array inside loops over ``over``: last axes stand together, an axis of 1 is repeated.

        The columns are counted from ``start``.
        """
        array = source.CLASS_WEIGHTS if name == self.module.names.class_weights else name
        if not (own := self.shapes[name]):
            return f"{array}[()]"
        if len(own) > len(over):
            return name
        variables = (self.row, self.column)[-len(over) :][-len(own) :]
        places = ["0" if size == 1 else place for size, place in zip(over[-len(own) :], variables, strict=True)]
        places = ["0" if size == 1 else place for size, place in zip(own, places, strict=True)]
        if start:
            places[-1] = str(start) if places[-1] == "0" else f"{places[-1]} + {start}"
        return f"{array}[{', '.join(places)}]"

    def statement(self, line: Assign) -> str:
        """What the loops do for a line at one entry."""
        own = self.printer.names.get(line.name, line.name)
        match line.node:
            case Reduce(function, of, _):
                return GATHER[function].format(own, self.printer(of))
        return f"{own} = {self.printer(line.node)}"

    def fitted(self, statement: str, line: Assign, indent: str) -> list[str]:
        """A statement on lines that fit, with the number of the equation that it carries out."""
        comment = source.citation(self.module.numbers, line.label)
        return [indent + each for each in source.fitted(statement, len(indent) + 4, comment)]


def numba_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients_numba.py`` places."""
    module = ArrayModule(derivation, profile, numbers, NumPyPrinter)
    program = module.program
    kernels = {
        "forward_lines": Kernel(module, "_values", program.lines, program.intermediates),
        "loss_lines": Kernel(module, "_loss", program.lines, [program.loss]),
        "gradient_lines": Kernel(
            module, "_loss_and_gradients", divided_at_the_output(program, Number(BATCH)), module.outputs
        ),
    }
    written = [kernel.parts() for kernel in kernels.values()]
    used = frozenset(name for kernel in kernels.values() for name in kernel.printer.used)
    own = [text.replace("def ", f"{COMPILED}\ndef ", 1) for text in helpers(used, HELPERS)]
    handed_in = stand_ins(kernels["gradient_lines"].handed_in, module.spec, lambda names: MathPrinter(MATH, names))
    functions = [(f"{COMPILED}\n    {first}", value) for first, value in handed_in["functions"]]
    text = [*(line for kernel in written for line in kernel["lines"]), *(value for _, value in functions)]
    return {
        **module.parts(),
        **{name: kernel.call() for name, kernel in kernels.items()},
        "kernels": written,
        "compiled": COMPILED,
        "uses_math": any("math." in line for line in text),
        "helpers": helpers(module.of_targets, NUMPY.helpers) + own,
        "stand_ins": {**handed_in, "functions": functions},
    }

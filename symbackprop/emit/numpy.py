"""Program lines as NumPy statements, with room for their results handed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.emit.arrays import ArrayPrinter, Library, is_truth, named_as
from symbackprop.emit.printer import ATOM
from symbackprop.emit.program import Assign, MatMul, Node, Op, Reduce, Transposed, Var

NUMPY = Library(
    functions=named_as("np", {"atan": "np.arctan", "erf": "_erf", "erfc": "_erfc", "near": "_near"}),
    where="np.where({}, {}, {})",
    reductions={
        (function, over): f"np.{function}({{}}{axis})"
        for function in ("sum", "max")
        for over, axis in (("rows", ", axis=0"), ("columns", ", axis=1, keepdims=True"), ("all", ""))
    },
    opening={"n": "n = len({})", "real": "real = {}.dtype.type"},
    rows="np.vstack(({}, {}))",
    columns="np.column_stack(({}, {}))",
    normal="np.asarray(rng.standard_normal({}) / {}**0.5, dtype)",
    zeros="np.zeros({}, dtype)",
    start="np.asarray({}, dtype)",
    given="ArrayLike",
    number="float",
)
IN_PLACE = {"add": "+=", "multiply": "*=", "divide": "/="}


@dataclass
class NumPyPrinter(ArrayPrinter):
    """Prints nodes over NumPy arrays."""

    library: Library = field(default=NUMPY, kw_only=True)

    def array(self, node: MatMul | Transposed | Reduce) -> tuple[str, int]:
        match node:
            case Reduce(function, Var(name), "rows"):
                return f"{self(Var(name))}.{function}(axis=0)", ATOM
            case Reduce(function, Var(name), "columns"):
                return f"{self(Var(name))}.{function}(axis=1, keepdims=True)", ATOM
        return super().array(node)

    def line_in_buffers(self, line: Assign) -> list[str]:
        """The line as statements that write a matrix product into the work space and go on in place."""
        product, changes = _product_first(line.node)
        buffer = f'out=ws.get("{line.name}")'
        match product:
            case MatMul(left, right):
                statements = [f"{line.name} = np.matmul({self(left)}, {self(right)}, {buffer})"]
            case Reduce(function, Var(name), "rows"):
                statements = [f"{line.name} = {self(Var(name))}.{function}(axis=0, {buffer})"]
            case _:
                return self.line(line)
        for function, node in changes:
            match function, node:
                case "add", Op("negative", (of,)):
                    statements.append(f"{line.name} -= {self(of)}")
                case "multiply", _:
                    statements.append(f"{line.name} *= {self._scale(node)}")
                case _:
                    statements.append(f"{line.name} {IN_PLACE[function]} {self(node)}")
        return statements

    def _scale(self, node: Node) -> str:
        """What an array is multiplied by in place: ``node``, with a truth value for the numbers 1 and 0."""
        return self.factor(node, first=True) if is_truth(node) else self(node)


def in_buffer(line: Assign) -> bool:
    """Whether ``line_in_buffers`` writes the line into the work space."""
    return _starts_with_product(line.node)


def _product_first(node: Node) -> tuple[Node, list[tuple[str, Node]]]:
    """A node as a matrix product (or a sum of rows) and what is then done to it in place, in order."""
    match node:
        case Op("add" | "multiply" as function, args):
            at = next((n for n, arg in enumerate(args) if _starts_with_product(arg)), None)
            if at is not None:
                start, changes = _product_first(args[at])
                return start, [*changes, *((function, arg) for n, arg in enumerate(args) if n != at)]
        case Op("divide", (above, below)) if _starts_with_product(above):
            start, changes = _product_first(above)
            return start, [*changes, ("divide", below)]
    return node, []


def _starts_with_product(node: Node) -> bool:
    match _product_first(node)[0]:
        case MatMul() | Reduce(_, Var(), "rows"):
            return True
    return False

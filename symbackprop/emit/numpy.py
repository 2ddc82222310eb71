"""Program lines as NumPy statements."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.emit.printer import ATOM, PRODUCT, TEST, PythonPrinter
from symbackprop.emit.program import (
    ARITHMETIC,
    FUNCTIONS,
    TESTS,
    Assign,
    MatMul,
    Node,
    Number,
    Op,
    Reduce,
    Transposed,
    Var,
    parts,
)
from symbackprop.errors import UnsupportedExpression

SAME_NAME = FUNCTIONS - ARITHMETIC - TESTS - {"where", "atan", "erf", "erfc", "near"}
NUMPY = {name: f"np.{name}" for name in sorted(SAME_NAME)} | {
    "atan": "np.arctan",
    "erf": "_erf",
    "erfc": "_erfc",
    "near": "_near",
}
IN_PLACE = {"add": "+=", "multiply": "*=", "divide": "/="}
AXIS = {"rows": "axis=0", "columns": "axis=1, keepdims=True"}


@dataclass
class NumPyPrinter(PythonPrinter):
    """Prints nodes over NumPy arrays."""

    def factor(self, factor: Node, first: bool) -> str:
        if _is_truth(factor):
            return self.inside(parts(factor)[0], ATOM)  # a truth value counts as 1 or 0 in a product
        return super().factor(factor, first)

    def cases(self, test: Node, value: Node, other: Node) -> tuple[str, int]:
        branches = [self(value), self(other)]
        if not any(_is_array(branch) for branch in (value, other)):
            # Two bare numbers would make doubles of any input's type.
            self.used.add("real")
            branches = [f"real({branch})" for branch in branches]
        return f"np.where({self(test)}, {', '.join(branches)})", ATOM

    def function(self, function: str, args: tuple[Node, ...]) -> tuple[str, int]:
        if function in ("and", "or"):
            sign = " & " if function == "and" else " | "
            return sign.join(self.inside(arg, ATOM) for arg in args), TEST
        if function in ("maximum", "minimum") and len(args) > 2:
            return super().function(function, (Op(function, args[:-1]), args[-1]))
        return super().function(function, args)

    def array(self, node: MatMul | Transposed | Reduce) -> tuple[str, int]:
        match node:
            case MatMul(left, right):
                return f"{self.inside(left, ATOM)} @ {self.inside(right, ATOM)}", PRODUCT
            case Transposed(of):
                return f"{self.inside(of, ATOM)}.T", ATOM
            case Reduce(function, Var(name), over) if over in AXIS:
                return f"{self(Var(name))}.{function}({AXIS[over]})", ATOM
            case Reduce(function, of, over):
                return f"np.{function}({', '.join([self(of), *([AXIS[over]] if over in AXIS else [])])})", ATOM
        raise UnsupportedExpression(f"no source is known for {type(node).__name__}")

    def line(self, line: Assign) -> list[str]:
        """The line as one statement."""
        return [f"{line.name} = {self(line.node)}"]

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
        return self.factor(node, first=True) if _is_truth(node) else self(node)


def in_buffer(line: Assign) -> bool:
    """Whether ``line_in_buffers`` writes the line into the work space."""
    return _starts_with_product(line.node)


def _is_truth(node: Node) -> bool:
    """Whether ``node`` is 1 where a test holds and 0 elsewhere."""
    match node:
        case Op("where", (_, Number(one), Number(zero))):
            return bool(one == 1 and zero == 0)
    return False


def _is_array(node: Node) -> bool:
    match node:
        case Number():
            return False
        case Op("where", (_, value, other)):
            return _is_array(value) or _is_array(other)
        case Op(_, args):
            return any(map(_is_array, args))
    return True


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

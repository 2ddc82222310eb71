"""Program lines as statements over the arrays of a library: a library is a table of words, the printer is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.emit.printer import ATOM, PRODUCT, TEST, ArrayNode, PythonPrinter
from symbackprop.emit.program import (
    ARITHMETIC,
    FUNCTIONS,
    TESTS,
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Op,
    Reduce,
    Transposed,
    parts,
    walk,
)
from symbackprop.errors import UnsupportedExpression

SAME_NAME = sorted(FUNCTIONS - ARITHMETIC - TESTS - {"where", "erf", "normal_tail"})


@dataclass(frozen=True)
class Library:
    """How the source reads that calls an array library; ``{}`` in a text is where an expression goes.

    ``helpers`` says what the templates of our own functions are called, by the function's name. ``functions`` are those
    that work entry by entry, ``where`` chooses between two values, ``reductions`` (by function and by what they go
    over) make an array smaller. A number on its own is ``bare``; ``"real({})"`` makes an array of the input's type of
    it, where the library's functions take arrays only. ``truth_counts`` where a test multiplies as 1 or 0. ``opening``
    holds, for each word that lines may use, the line that defines it; its ``{}`` is the input. ``class_weights`` is the
    line that makes a row of the constant with the weights of the classes, under the name ``{1}``.

    ``rows`` and ``columns`` put a vector (the first ``{}``) in front of a matrix, ``joined`` puts matrices side by
    side, ``shaped`` gives a shape. Parameters start at ``normal`` (of a shape and the number of units it comes from),
    ``zeros`` (of a shape) or ``start`` (a number). ``given`` is the type of inputs and targets, ``array`` what
    ``as_array`` makes of them and ``as_arrays`` of a list, ``number`` the type of the loss, and ``as_number`` makes one
    of the value computed.
    ``beyond_the_classes`` says what becomes of a class that is none, where it is not refused.
    """

    helpers: str
    functions: Mapping[str, str]
    where: str
    reductions: Mapping[tuple[str, str], str]
    opening: Mapping[str, str]
    rows: str
    columns: str
    joined: str
    normal: str
    zeros: str
    start: str
    as_array: str
    as_arrays: str
    given: str
    array: str
    number: str
    class_weights: str
    as_number: str = "{}"
    truth_counts: bool = True
    bare: str = "{}"
    shaped: str = "{}.reshape({})"
    beyond_the_classes: str = ""


def named_as(module: str, others: Mapping[str, str]) -> dict[str, str]:
    """The functions of a library that calls most of them as programs do; ``others`` have names of their own.

    >>> named_as("np", {"erf": "_erf"})["tanh"]
    'np.tanh'
    """
    return {name: f"{module}.{name}" for name in SAME_NAME} | dict(others)


def reduced(module: str) -> dict[tuple[str, str], str]:
    """The reductions of a library that calls them as NumPy does.

    >>> reduced("np")["sum", "columns"]
    'np.sum({}, axis=1, keepdims=True)'
    """
    axes = {"rows": ", axis=0", "columns": ", axis=1, keepdims=True", "all": ""}
    return {(name, over): f"{module}.{name}({{}}{axis})" for name in ("sum", "max") for over, axis in axes.items()}


@dataclass
class ArrayPrinter(PythonPrinter):
    """Prints nodes over the arrays of ``library``."""

    functions: Mapping[str, str] = field(init=False)
    library: Library = field(kw_only=True)

    def __post_init__(self) -> None:
        self.functions = self.library.functions

    def factor(self, factor: Node, first: bool) -> str:
        if is_truth(factor) and self.library.truth_counts:
            return self.inside(parts(factor)[0], ATOM)
        return super().factor(factor, first)

    def cases(self, test: Node, value: Node, other: Node) -> tuple[str, int]:
        branches = [self(value), self(other)]
        if not (is_array(value) or is_array(other)):
            # Two bare numbers would make doubles of any input's type.
            branches = [
                f"real({text})" if is_number(branch) else text
                for branch, text in zip((value, other), branches, strict=True)
            ]
        return self.library.where.format(self(test), *branches), ATOM

    def function(self, function: str, args: tuple[Node, ...]) -> tuple[str, int]:
        if function in ("and", "or"):
            sign = " & " if function == "and" else " | "
            return sign.join(self.inside(arg, ATOM) for arg in args), TEST
        if function == "round" and is_number(args[0]):
            return f"round({self(args[0])})", ATOM  # NumPy's would make a double of any input's type
        if function in ("maximum", "minimum") and len(args) > 2:
            return super().function(function, (Op(function, args[:-1]), args[-1]))
        return super().function(function, args)

    def argument(self, node: Node) -> str:
        text = self(node)
        return self.library.bare.format(text) if is_number(node) else text

    def array(self, node: ArrayNode) -> tuple[str, int]:
        match node:
            case MatMul(left, right):
                return f"{self.inside(left, ATOM)} @ {self.inside(right, ATOM)}", PRODUCT
            case Transposed(of):
                return f"{self.inside(of, ATOM)}.T", ATOM
            case Columns(of, start, stop):
                return f"{self.inside(of, ATOM)}[:, {start}:{stop}]", ATOM
            case Joined(blocks):
                return self.library.joined.format(", ".join(map(self, blocks))), ATOM
            case Reduce(function, of, over) if (function, over) in self.library.reductions:
                return self.library.reductions[function, over].format(self(of)), ATOM
        raise UnsupportedExpression(f"no source is known for {type(node).__name__}")

    def line(self, line: Assign) -> list[str]:
        """The line as one statement."""
        return [f"{line.name} = {self(line.node)}"]


def is_truth(node: Node) -> bool:
    """Whether ``node`` is 1 where a test holds and 0 elsewhere."""
    match node:
        case Op("where", (_, Number(one), Number(zero))):
            return bool(one == 1 and zero == 0)
    return False


def is_number(node: Node) -> bool:
    """Whether ``node`` is one number, whatever the arrays hold."""
    return all(isinstance(n, Number) or (isinstance(n, Op) and n.function != "where") for n in walk(node))


def is_array(node: Node) -> bool:
    """Whether ``node`` takes its type from an array: numbers chosen by a test do not."""
    match node:
        case Number():
            return False
        case Op("where", (_, value, other)):
            return is_array(value) or is_array(other)
        case Op(_, args):
            return any(map(is_array, args))
    return True

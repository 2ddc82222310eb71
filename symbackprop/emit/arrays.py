"""Program lines as statements over the arrays of a library: a library is a table of words, the printer is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    parts,
)
from symbackprop.errors import UnsupportedExpression

SAME_NAME = sorted(FUNCTIONS - ARITHMETIC - TESTS - {"where", "erf", "erfc", "near"})


@dataclass(frozen=True)
class Library:
    """How the source reads that calls an array library; ``{}`` in a text is where an expression goes.

    ``functions`` are those that work entry by entry, ``where`` chooses between two values, ``reductions`` (by function
    and by what it goes over) make an array smaller, ``truth`` is a test as the numbers 1 and 0. A number on its own is
    ``bare`` (``"real({})"`` makes an array of it, of the input's type, where the library's functions take arrays only).
    ``opening`` holds, for each word that lines may use, the line that defines it; its ``{}`` is the input.

    ``rows`` and ``columns`` put a vector (the first ``{}``) in front of a matrix, ``shaped`` gives a shape. Parameters
    start at ``normal`` (of a shape and the number of units it comes from), ``zeros`` (of a shape) or ``start`` (a
    number). ``given`` is the type of inputs and targets, ``number`` that of the loss.
    """

    functions: Mapping[str, str]
    where: str
    reductions: Mapping[tuple[str, str], str]
    opening: Mapping[str, str]
    rows: str
    columns: str
    normal: str
    zeros: str
    start: str
    given: str
    number: str
    truth: str = "{}"
    bare: str = "{}"
    shaped: str = "{}.reshape({})"


def named_as(module: str, others: Mapping[str, str]) -> dict[str, str]:
    """The functions of a library that calls most of them as programs do; ``others`` have names of their own.

    >>> named_as("np", {"erf": "_erf"})["tanh"]
    'np.tanh'
    """
    return {name: f"{module}.{name}" for name in SAME_NAME} | dict(others)


@dataclass
class ArrayPrinter(PythonPrinter):
    """Prints nodes over the arrays of ``library``."""

    functions: Mapping[str, str] = field(init=False)
    library: Library = field(kw_only=True)

    def __post_init__(self) -> None:
        self.functions = self.library.functions

    def factor(self, factor: Node, first: bool) -> str:
        if is_truth(factor):  # a truth value counts as 1 or 0 in a product
            return self.library.truth.format(self.inside(parts(factor)[0], ATOM))
        return super().factor(factor, first)

    def cases(self, test: Node, value: Node, other: Node) -> tuple[str, int]:
        branches = [self(value), self(other)]
        if not (is_array(value) or is_array(other)):
            # Two bare numbers would make doubles of any input's type.
            branches = [f"real({branch})" for branch in branches]
        return self.library.where.format(self(test), *branches), ATOM

    def function(self, function: str, args: tuple[Node, ...]) -> tuple[str, int]:
        if function in ("and", "or"):
            sign = " & " if function == "and" else " | "
            return sign.join(self.inside(arg, ATOM) for arg in args), TEST
        if function in ("maximum", "minimum") and len(args) > 2:
            return super().function(function, (Op(function, args[:-1]), args[-1]))
        return super().function(function, args)

    def argument(self, node: Node) -> str:
        text = self(node)
        return text if is_array(node) else self.library.bare.format(text)

    def array(self, node: MatMul | Transposed | Reduce) -> tuple[str, int]:
        match node:
            case MatMul(left, right):
                return f"{self.inside(left, ATOM)} @ {self.inside(right, ATOM)}", PRODUCT
            case Transposed(of):
                return f"{self.inside(of, ATOM)}.T", ATOM
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


def is_array(node: Node) -> bool:
    """Whether ``node`` is more than numbers: an array, or made of one."""
    match node:
        case Number():
            return False
        case Op("where", (_, value, other)):
            return is_array(value) or is_array(other)
        case Op(_, args):
            return any(map(is_array, args))
    return True

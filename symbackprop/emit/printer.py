"""Nodes as Python source: what the printers of all targets share. A node without a rule is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp
from sympy import Symbol

from symbackprop.emit.program import Call, Columns, Joined, MatMul, Node, Number, Op, Reduce, Transposed, Var
from symbackprop.errors import UnsupportedExpression

ArrayNode = MatMul | Transposed | Reduce | Columns | Joined
ATOM, POWER, SIGN, PRODUCT, SUM, TEST, CASE = 9, 8, 7, 6, 5, 4, 3

SIMPLE = re.compile(r"\w+|[0-9.e]+")  # a name or a number
COMPARISONS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}


@dataclass
class PythonPrinter:
    """What the printers of Python targets have in common; ``numbers`` are the names of named numbers.

    ``used`` collects the helper functions that the printed text calls.
    """

    functions: Mapping[str, str]
    numbers: Mapping[Symbol, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def __call__(self, node: Node) -> str:
        """The source of ``node``.

        >>> PythonPrinter({})(Op("multiply", (Var("a"), Op("add", (Var("b"), Op("negative", (Var("y"),)))))))
        'a * (b - y)'
        """
        return self.printed(node)[0]

    def inside(self, node: Node, level: int) -> str:
        """The source of ``node``, in parentheses where it binds less tightly than ``level``."""
        text, own = self.printed(node)
        return text if own >= level else f"({text})"

    def printed(self, node: Node) -> tuple[str, int]:
        """The source of ``node`` and how tightly it binds."""
        match node:
            case Var(name):
                return self.names.get(name, name), ATOM
            case Number(value):
                return self.number(value)
            case Call(function, args):
                return f"{function}({', '.join(map(self, args))})", ATOM
            case Op("add", terms):
                return self.terms(terms), SUM
            case Op("multiply", factors):
                return self.factors(factors), PRODUCT
            case Op("divide", (above, below)):
                return f"{self.inside(above, PRODUCT)} / {self.inside(below, POWER)}", PRODUCT
            case Op("negative", (of,)):
                text = self.inside(of, PRODUCT)
                # As formatters write it: the sign of a power stands apart from it, unless that is of names and numbers.
                apart = isinstance(of, Op) and of.function == "power" and " ** " in text
                return f"-({text})" if apart else f"-{text}", SIGN
            case Op("power", (base, exponent)):
                text, times = self.inside(base, ATOM), self.inside(exponent, ATOM)
                sign = "**" if SIMPLE.fullmatch(text) and SIMPLE.fullmatch(times) else " ** "
                return f"{text}{sign}{times}", POWER
            case Op(function, (left, right)) if function in COMPARISONS:
                return f"{self.inside(left, SUM)} {COMPARISONS[function]} {self.inside(right, SUM)}", TEST
            case Op("where", (test, value, other)):
                return self.cases(test, value, other)
            case Op(function, args):
                return self.function(function, args)
            case MatMul() | Transposed() | Reduce() | Columns() | Joined():
                return self.array(node)
        raise UnsupportedExpression(f"no source is known for {type(node).__name__}")

    def number(self, value: sp.Expr) -> tuple[str, int]:
        """A number: a whole one as it is, any other to the nearest double, a named one by its name."""
        if isinstance(value, Symbol):
            if value not in self.numbers:
                raise UnsupportedExpression(f"the number {value} has no value in the program")
            return self.numbers[value], ATOM
        if not (value.is_number and value.is_real):
            raise UnsupportedExpression(f"{value} is not a real number")
        text = str(int(value)) if value.is_Integer else repr(float(sp.N(value, 30)))
        return text, SIGN if text.startswith("-") else ATOM

    def terms(self, terms: tuple[Node, ...]) -> str:
        """A sum, with a minus sign for each negative term."""
        first, *rest = terms
        text = self.inside(first, SUM)
        for term in rest:
            match term:
                case Op("negative", (of,)):
                    text += f" - {self.inside(of, PRODUCT)}"
                case _:
                    text += f" + {self.inside(term, PRODUCT)}"
        return text

    def factors(self, factors: tuple[Node, ...]) -> str:
        """A product; a fraction or a matrix product in it stands in parentheses."""
        return " * ".join(self.factor(factor, n == 0) for n, factor in enumerate(factors))

    def factor(self, factor: Node, first: bool) -> str:
        """One factor of a product."""
        plain = isinstance(factor, Op) and factor.function == "multiply"
        return self.inside(factor, PRODUCT if first and plain else SIGN if first else POWER)

    def function(self, function: str, args: tuple[Node, ...]) -> tuple[str, int]:
        """A function by its name in the target; one that starts with an underscore is a helper of ours."""
        if function not in self.functions:
            raise UnsupportedExpression(f"the function {function} is not known to this target")
        name = self.functions[function]
        if name.startswith("_"):
            self.used.add(name)
        return f"{name}({', '.join(map(self.argument, args))})", ATOM

    def argument(self, node: Node) -> str:
        """What a function is handed."""
        return self(node)

    def cases(self, test: Node, value: Node, other: Node) -> tuple[str, int]:
        """``value`` where ``test`` holds, else ``other``."""
        raise UnsupportedExpression("this target has no cases")

    def array(self, node: ArrayNode) -> tuple[str, int]:
        """A node that only arrays have."""
        raise UnsupportedExpression(f"this target has no arrays: {type(node).__name__}")

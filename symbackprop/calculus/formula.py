"""A formula as SymPy, read from text by a parser of its own: the text is never handed to Python or to SymPy.

Numbers are exact. What would be too large to compute, and what is no real number, is refused where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy import Expr, Piecewise, Pow, Rational, Symbol

from symbackprop.calculus.bounds import weight
from symbackprop.calculus.formula_text import Tree, parse, refused
from symbackprop.errors import FormulaError, unknown

MAX_POWER = 64
MAX_SIZE = 600  # nodes of the SymPy expression
MAX_BITS = 4000  # of a number's numerator or denominator
MAX_ARGUMENT = 10**5  # of a number in an exponent or in a function's argument, once it is multiplied out
LARGEST = 10**100  # no constant may be larger
CORNERS = (Piecewise, sp.Abs, sp.Max, sp.Min)
MAX_CORNERS = 8

COMPARE: Mapping[str, Callable[[Expr, Expr], sp.Basic]] = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge}
CONSTANTS: Mapping[str, Expr] = {"pi": sp.pi, "e": sp.E}
PLAIN = frozenset({"log", "ln", "sqrt", "abs", "sign", "max", "min"})  # functions that take numbers of any size
WHERE = frozenset({"where", "if"})
NOT_REAL = (sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo, sp.re, sp.im, sp.arg, sp.conjugate)  # what SymPy may turn roots into


@dataclass(frozen=True)
class Function:
    """A function that formulas may call with ``low`` to ``high`` arguments, and what it makes of them."""

    value: Callable[..., Expr]
    low: int = 1
    high: int = 1


def _sign(u: Expr) -> Expr:
    return Piecewise((1, u > 0), (-1, u < 0), (0, True))


FUNCTIONS: Mapping[str, Function] = {
    "exp": Function(sp.exp),
    "log": Function(sp.log),
    "ln": Function(sp.log),
    "sqrt": Function(sp.sqrt),
    "abs": Function(sp.Abs),
    "sign": Function(_sign),
    "sin": Function(sp.sin),
    "cos": Function(sp.cos),
    "sinh": Function(sp.sinh),
    "cosh": Function(sp.cosh),
    "tanh": Function(sp.tanh),
    "erf": Function(sp.erf),
    "max": Function(sp.Max, 2, 4),
    "min": Function(sp.Min, 2, 4),
}


def read_formula(
    text: str,
    variables: Iterable[Symbol],
    parameters: Iterable[Symbol] = (),
    functions: Mapping[str, Function] = FUNCTIONS,
) -> Expr:
    """The formula that ``text`` is, over real ``variables`` and ``parameters``; ``functions`` may be called by name.

    ``where(u > v, yes, no)`` is a formula by cases. Raises ``FormulaError``, one line with the position, for anything
    else than a formula, and for numbers that are too large or not real.

    >>> z, beta = sp.symbols("z beta", real=True)
    >>> read_formula("z/(1 + |z|) + 0.5*beta", [z], [beta])
    beta/2 + z/(Abs(z) + 1)
    >>> read_formula("exp(y)", [z])
    Traceback (most recent call last):
    symbackprop.errors.FormulaError: unknown name 'y'; expected one of e, pi, z (character 5 of 'exp(y)')
    """
    names = {symbol.name: symbol for symbol in (*variables, *parameters)}
    reader = _Reader(text, {**CONSTANTS, **names}, functions)
    return reader(parse(text))


@dataclass(frozen=True)
class _Reader:
    """Makes SymPy of trees, innermost first; whatever comes out of each step is bounded before the next."""

    text: str
    names: Mapping[str, Expr]
    functions: Mapping[str, Function]

    def __call__(self, tree: Tree) -> Expr:
        """The meaning of ``tree``: a real expression of bounded size."""
        return self.bounded(self.made(tree), tree)

    def error(self, message: str, tree: Tree) -> FormulaError:
        return refused(message, self.text, tree.at)

    def made(self, tree: Tree) -> Expr:
        match tree.kind:
            case "number":
                return Rational(tree.text)
            case "name":
                return self.named(tree)
            case "sign":
                return -self(tree.parts[0])
            case "operator":
                return self.operation(tree)
            case "call":
                return self.cases(tree) if tree.text in WHERE else self.called(tree)
        raise self.error("a comparison stands only in where(u > v, yes, no)", tree)

    def named(self, tree: Tree) -> Expr:
        if tree.text in self.names:
            return self.names[tree.text]
        if tree.text in self.functions or tree.text in WHERE:
            raise self.error(f"the function {tree.text} has no argument; expected {tree.text}(…)", tree)
        raise self.error(unknown("name", tree.text, self.names), tree)

    def operation(self, tree: Tree) -> Expr:
        left, right = map(self, tree.parts)
        match tree.text:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                if right == 0:
                    raise self.error("a division by zero", tree)
                return left / right
        return self.power(left, right, tree)

    def power(self, base: Expr, exponent: Expr, tree: Tree) -> Expr:
        """A power that can be computed: numbers are estimated before they are raised."""
        if exponent.is_number:
            if abs(exponent) > MAX_POWER:
                raise self.error(f"the power is too high; expected an exponent from -{MAX_POWER} to {MAX_POWER}", tree)
            if base == 0 and not exponent > 0:
                raise self.error("0 has only positive powers", tree)
            numbers = [number for number in base.atoms(Rational) if isinstance(number, Rational)]
            if max(map(_bits, numbers), default=0) * abs(exponent) > MAX_BITS:
                raise self.error("the power of this number is too large", tree)
        elif base.is_number and not base > 0:
            raise self.error("the base of a power with a variable exponent is not positive", tree)
        elif weight(exponent) > MAX_ARGUMENT:
            raise self.error(f"the exponent holds a number above {MAX_ARGUMENT}", tree)
        return base**exponent

    def called(self, tree: Tree) -> Expr:
        if tree.text not in self.functions:
            if tree.text in self.names:
                raise self.error(f"{tree.text} is no function; expected an operator, such as *, before '('", tree)
            raise self.error(unknown("function", tree.text, (*self.functions, "where")), tree)
        function = self.functions[tree.text]
        self.count(tree, function.low, function.high)
        arguments = [self(part) for part in tree.parts]
        for part, argument in zip(tree.parts, arguments, strict=True):
            if tree.text not in PLAIN and weight(argument) > MAX_ARGUMENT:
                raise self.error(f"the argument of {tree.text} holds a number above {MAX_ARGUMENT}", part)
        return function.value(*arguments)

    def cases(self, tree: Tree) -> Expr:
        """``where(u > v, yes, no)``."""
        self.count(tree, 3, 3)
        test, yes, no = tree.parts
        if test.kind != "comparison":
            raise self.error(f"the first argument of {tree.text} is no comparison; expected one like u > v", test)
        if test.text not in COMPARE:
            raise self.error(f"{test.text!r} holds at single points; expected <, <=, > or >=", test)
        left, right = map(self, test.parts)
        if not (left - right).free_symbols:
            raise self.error("both sides of the comparison are constant", test)
        return Piecewise((self(yes), COMPARE[test.text](left, right)), (self(no), True))

    def count(self, tree: Tree, low: int, high: int) -> None:
        """Refuse a call with too few or too many arguments."""
        if not low <= len(tree.parts) <= high:
            expected = f"{low}" if low == high else f"{low} to {high}"
            plural = "" if high == 1 else "s"
            raise self.error(f"{tree.text} takes {expected} argument{plural}; got {len(tree.parts)}", tree)

    def bounded(self, expr: Expr, tree: Tree) -> Expr:
        """``expr`` if it is a real number of sensible size, or a formula of sensible size."""
        if expr.is_number:
            self.refuse_constant(expr, tree)
        nodes = list(sp.preorder_traversal(expr))
        if len(nodes) > MAX_SIZE:
            raise self.error("the formula grows too large here", tree)
        if sum(isinstance(node, CORNERS) for node in nodes) > MAX_CORNERS:
            raise self.error(f"the formula has more than {MAX_CORNERS} corners and cases", tree)
        if expr.has(*NOT_REAL):
            raise self.error("this is no real number", tree)
        if any(isinstance(n, Pow) and n.exp.is_number and abs(n.exp) > MAX_POWER for n in nodes):
            raise self.error(f"the power is too high; expected an exponent from -{MAX_POWER} to {MAX_POWER}", tree)
        if any(isinstance(node, Rational) and _bits(node) > MAX_BITS for node in nodes):
            raise self.error("a number gets too large here", tree)
        return expr

    def refuse_constant(self, expr: Expr, tree: Tree) -> None:
        value = expr if expr.is_Rational else sp.N(expr)
        if not value.is_number or value.is_comparable is False or value.is_finite is not True:
            raise self.error("this is no real number", tree)
        if abs(value) > LARGEST:
            raise self.error("this number is too large", tree)


def _bits(number: Rational) -> int:
    return max(int(number.p).bit_length(), int(number.q).bit_length())

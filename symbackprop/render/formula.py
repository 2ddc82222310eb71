"""The formula printer: precedence, signs and textbook order, the same for every markup.

It knows a closed set of nodes. Any other raises ``UnsupportedExpression``: a formula is printed right or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import sympy as sp
from sympy import Add, Expr, KroneckerDelta, Mul, Piecewise, Pow, Sum, Symbol
from sympy.core.relational import Relational

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Chain, Partial, Total
from symbackprop.catalogue.entries import A, W, Z
from symbackprop.errors import UnsupportedExpression, shown
from symbackprop.network.quantities import SIZE
from symbackprop.notation.apply import Name, Notation
from symbackprop.render.markup import Markup, name_text
from symbackprop.render.order import factors_in_order, terms_in_order
from symbackprop.render.printed import Level, Printed, before, join

NAMED_FUNCTIONS = {sp.erf: "erf", sp.tanh: "tanh", sp.sign: "sign", sp.Max: "max", sp.Min: "min", sp.cosh: "cosh"}
RELATIONS = {"<": "<", ">": ">", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


@dataclass(frozen=True)
class FormulaPrinter:
    """Prints expressions in a notation and a markup; ``bound`` are symbols that stand for pieces already printed.

    Where symbols are bound to whole arrays, products and powers are meant entry by entry, and ``entrywise`` is true.
    """

    notation: Notation
    markup: Markup
    bound: Mapping[Symbol, Printed] = field(default_factory=dict)
    entrywise: bool = False

    def __call__(self, expr: Expr) -> Printed:
        """``expr`` in the markup. Raises ``UnsupportedExpression`` for a node without a rule."""
        for kind, rule in RULES.items():
            if isinstance(expr, kind):
                return rule(self, expr)
        raise UnsupportedExpression(f"no rule prints {type(expr).__name__}: {shown(str(expr))}")

    def tight(self, expr: Expr, level: Level) -> Printed:
        """``expr``, in parentheses if it holds together less tightly than ``level``."""
        return self.held(self(expr), level)

    def held(self, piece: Printed, level: Level) -> Printed:
        """``piece``, in parentheses if it holds together less tightly than ``level``."""
        return self.markup.brackets(piece) if piece.level < level else piece

    # Leaves

    def name(self, name: Name) -> Printed:
        """A name with its subscripts and its layer label."""
        units = [self.label(unit) for unit in name.units]
        layer = None if name.layer is None else self.label(name.layer)
        sub, label = name_text(name, units, layer)
        return self.markup.scripts(self.markup.letter(name.letter), sub, label, name.place, name.bold)

    def label(self, layer: Expr | int) -> str:
        """A layer or unit in a label: set without spaces, the letter first (``l+1``)."""
        offset, letter = sp.sympify(layer).as_coeff_Add()
        if letter == 0:
            return str(offset)
        sign = "+" if offset > 0 else "-"
        return self(letter).text + (f"{sign}{abs(offset)}" if offset else "")

    def entry(self, entry: Entry) -> Printed:
        """One entry of an indexed quantity."""
        return self.name(self.notation.size(entry) if entry.base == SIZE else self.notation.entry(entry))

    def symbol(self, symbol: Symbol) -> Printed:
        """A symbol by its letter, or the piece that it is bound to."""
        return self.bound[symbol] if symbol in self.bound else self.markup.letter(self.notation.symbol(symbol))

    def number(self, number: sp.Rational) -> Printed:
        """An integer or a fraction, with its sign."""
        if number < 0:
            return self.negative(self.number(-number))
        if number.q == 1:
            return self.markup.number(str(number))
        return self.markup.small_fraction(int(number.p), int(number.q))

    # Sums and products

    def negative(self, piece: Printed) -> Printed:
        """``piece`` with a minus sign in front."""
        return before(self.markup.operator("-"), self.held(piece, Level.PRODUCT), 1).at(Level.SUM)

    def signed(self, expr: Expr) -> tuple[bool, Printed]:
        """Whether ``expr`` starts with a minus sign, and ``expr`` printed without it."""
        if isinstance(expr, Chain) and expr.args[0] == -1 and len(expr.args) > 1:
            return True, self(Chain(*expr.args[1:]) if len(expr.args) > 2 else expr.args[1])
        if isinstance(expr, Chain) and _negative(expr.args[0]) and not isinstance(expr.args[0], Add):
            return True, self(Chain(-expr.args[0], *expr.args[1:]))
        if _negative(expr):
            return True, self(-expr)
        return False, self(expr)

    def sum_of_terms(self, terms: list[Expr]) -> Printed:
        """Terms in the given order, joined by their signs."""
        pieces: list[Printed] = []
        for n, term in enumerate(terms):
            minus, piece = self.signed(term)
            inner_sum = n and isinstance(term, (Add, Total))
            piece = self.held(piece, Level.PRODUCT) if minus or inner_sum else piece
            sign = self.markup.operator("-" if minus else "+")
            if n:
                pieces.append(before(f" {sign} ", piece, 3))
            else:
                pieces.append(before(sign, piece, 1) if minus else piece)
        return join(pieces, Level.SUM)

    def add(self, expr: Add) -> Printed:
        """A sum in textbook order."""
        return self.sum_of_terms(terms_in_order(list(expr.args)))

    def mul(self, expr: Mul) -> Printed:
        """A product in textbook order: number, numerators, one fraction bar."""
        coefficient, rest = expr.as_coeff_Mul()
        if coefficient.is_negative:
            return self.negative(self(-expr))
        if not coefficient.is_Rational:
            coefficient, rest = sp.S.One, expr
        coefficient, above, below = _above_and_below(coefficient, rest)
        if len(above) == 1 and isinstance(above[0], Sum) and not below and coefficient == 1:
            return self(above[0])
        if not below:
            numbers = [] if coefficient == 1 else [self(coefficient)]
            return self.product(above, numbers)
        under = self.product(factors_in_order(below), [] if coefficient.q == 1 else [self(sp.Integer(coefficient.q))])
        over_numbers = [] if coefficient.p == 1 else [self(sp.Integer(coefficient.p))]
        if any(factor.has(Sum, Total, Chain) for factor in above):
            front = self.markup.fraction(over_numbers[0] if over_numbers else self(sp.S.One), under)
            return self.product(above, [front])
        return self.markup.fraction(
            self.product(above, over_numbers) if above or over_numbers else self(sp.S.One), under
        )

    def product(self, factors: list[Expr], numbers: list[Printed]) -> Printed:
        """Numbers and factors side by side; a dot stands where two would run together."""
        ordered = factors_in_order(factors)
        if self.entrywise:
            ordered.sort(key=lambda factor: factor.has(*self.bound))
        if not numbers and len(ordered) == 1:
            return self(ordered[0])
        pieces = list(numbers)
        for n, factor in enumerate(ordered):
            piece = self(factor)
            last = n == len(ordered) - 1
            open_ended = isinstance(factor, Sum) and not last
            piece = self.markup.brackets(piece) if open_ended else self.held(piece, Level.PRODUCT)
            if isinstance(factor, Chain) and pieces:
                piece = self.markup.brackets(piece)
            pieces.append(piece)
        if self.entrywise:
            numbers_end = len(numbers) + sum(not factor.has(*self.bound) for factor in ordered)
            return self.entry_by_entry(pieces[:numbers_end], pieces[numbers_end:])
        return self.side_by_side(pieces)

    def entry_by_entry(self, numbers: list[Printed], arrays: list[Printed]) -> Printed:
        """Numbers in front of arrays that are multiplied entry by entry."""
        sign = f" {self.markup.operator(self.notation.profile.hadamard)} "
        joined = [*arrays[:1], *(before(sign, piece, 3) for piece in arrays[1:])]
        return self.side_by_side([*numbers, join(joined, Level.PRODUCT)] if arrays else numbers)

    def side_by_side(self, pieces: list[Printed], dots: bool = False) -> Printed:
        """Pieces multiplied, with a space, a dot or the entry-by-entry sign between them."""
        between = self.markup.dot if dots else self.markup.space
        joined = [pieces[0]]
        for left, right in pairwise(pieces):
            mark = self.markup.dot if right.text[:1].isdigit() and left.text[-1:].isdigit() else between
            if left.text.isdigit() and not right.text[:1].isdigit() and not dots:
                mark = self.markup.space
            joined.append(before(mark, right, 2 if mark != self.markup.space else 0.4))
        return join(joined, Level.PRODUCT)

    def chain(self, expr: Chain) -> Printed:
        """A product in the order it was written; dots between derivatives."""
        minus, piece = (
            self.signed(expr) if _negative(expr.args[0]) and not isinstance(expr.args[0], Add) else (False, None)
        )
        if minus and piece is not None:
            return self.negative(piece)
        dots = expr.has(Partial) or any(factor.is_number for factor in expr.args[1:])
        pieces = []
        for n, factor in enumerate(expr.args):
            piece = self(factor)
            loose = piece.level <= Level.SUM or (isinstance(factor, Sum) and n < len(expr.args) - 1)
            pieces.append(self.markup.brackets(piece) if loose or isinstance(factor, Chain) else piece)
        dots = dots or any(piece.fraction for piece in pieces)
        return pieces[0] if len(pieces) == 1 else self.side_by_side(pieces, dots)

    def total(self, expr: Total) -> Printed:
        """A sum in the order it was written."""
        return self.sum_of_terms(list(expr.args))

    def power(self, expr: Pow) -> Printed:
        """A power, a root or one over a power."""
        base, exponent = expr.args
        if exponent.is_Rational and exponent.is_negative:
            return self.markup.fraction(self(sp.S.One), self(base**-exponent))
        if exponent == sp.Rational(1, 2):
            return self.markup.root(self(base))
        piece = self.tight(base, Level.ATOM)
        if piece.fraction:
            piece = self.markup.brackets(piece)
        above = self(exponent)
        if self.entrywise:
            above = before(self.markup.operator("∘"), above, 1)
        return self.markup.power(piece, above)

    def sum(self, expr: Sum) -> Printed:
        """A sum over indices; a minus sign that all its terms share stands in front of it."""
        body = expr.function
        minus = (isinstance(body, Add) and all(_negative(term) for term in body.args)) or (
            not isinstance(body, Add) and _negative(body)
        )
        if minus:
            return self.negative(self.sum(Sum(-body, *expr.limits)))
        piece = self.tight(body, Level.PRODUCT)
        for i, low, high in expr.limits:
            sign = self.markup.sum(self(i).text, self(low).text, self(high).text)
            piece = Printed(sign.text + piece.text, Level.PRODUCT, sign.width + piece.width, tall=True)
        return piece

    # Functions, cases, derivatives

    def function(self, name: str, arguments: tuple[Expr, ...], order: int = 0) -> Printed:
        """``name(arguments)`` with ``order`` primes."""
        pieces = [self(argument) for argument in arguments]
        inside = Printed(
            ", ".join(piece.text for piece in pieces),
            Level.SUM,
            sum(p.width + 1 for p in pieces),
            any(p.tall for p in pieces),
        )
        head = self.markup.primed(self.markup.letter(name), order)
        brackets = self.markup.brackets(inside)
        return Printed(head.text + brackets.text, Level.ATOM, head.width + brackets.width, brackets.tall)

    def apply(self, expr: Apply) -> Printed:
        """A function known by its name, or a derivative of it."""
        return self.function(self.notation.function(expr.tag.name), expr.arguments, expr.order)

    def named(self, expr: Expr) -> Printed:
        """One of SymPy's functions that has a name of its own."""
        arguments = factors_in_order(list(expr.args)) if isinstance(expr, (sp.Max, sp.Min)) else expr.args
        return self.function(NAMED_FUNCTIONS[expr.func], tuple(arguments))

    def logarithm(self, expr: Expr) -> Printed:
        """A natural logarithm, under the profile's name for it; brackets only where they are needed."""
        piece, head = self(expr.args[0]), self.markup.letter(self.notation.profile.logarithm)
        if piece.level >= Level.SCRIPTED and not piece.fraction and not isinstance(expr.args[0], Apply):
            return Printed(
                f"{head.text}{self.markup.function_space}{piece.text}", Level.PRODUCT, 2 + piece.width, piece.tall
            )
        return self.function(self.notation.profile.logarithm, expr.args)

    def piecewise(self, expr: Piecewise) -> Printed:
        """Cases: each value with its condition, the last one otherwise."""
        rows = [(self(value), None if where == sp.true else self.condition(where)) for value, where in expr.args]
        return self.markup.cases(rows)

    def condition(self, where: Expr) -> Printed:
        """A comparison; what varies stands on the left."""
        if not isinstance(where, Relational):
            raise UnsupportedExpression(f"no rule prints the condition {shown(str(where))}")
        if not where.lhs.has(Entry, Z, A, W, *self.bound) and where.rhs.has(Entry, Z, A, W, *self.bound):
            where = where.reversed
        left, right = self(where.lhs), self(where.rhs)
        sign = self.markup.operator(RELATIONS[where.rel_op])
        return Printed(
            f"{left.text} {sign} {right.text}", Level.SUM, left.width + right.width + 3, left.tall or right.tall
        )

    def partial(self, expr: Partial) -> Printed:
        """``∂f/∂v``; the derivative of an expression is written as an operator in front of its brackets."""
        sign, by = self.notation.profile.derivative, self(expr.by)
        if isinstance(expr.of, (Entry, Symbol)):
            return self.markup.derivative(sign, self(expr.of), by)
        front, inside = self.markup.derivative(sign, None, by), self(expr.of)
        body = inside if isinstance(expr.of, Apply) else self.markup.brackets(inside)
        joined = Printed(front.text + self.markup.space + body.text, Level.PRODUCT, front.width + body.width, tall=True)
        return joined.at(Level.ATOM) if body is not inside else joined

    def kronecker(self, expr: KroneckerDelta) -> Printed:
        """One where the indices agree, else nothing; δ is taken by the local gradient."""
        return self.markup.indicator("=".join(self(i).text for i in expr.args))


def _negative(expr: Expr) -> bool:
    return bool(expr.as_coeff_Mul()[0].is_negative)


def _above_and_below(coefficient: sp.Rational, expr: Expr) -> tuple[sp.Rational, list[Expr], list[Expr]]:
    """The number, the factors above and those below the fraction bar; √2/2 is written 1/√2, and roots below as one."""
    above, below, roots = [], [], sp.S.One
    for factor in Mul.make_args(expr):
        base, exponent = factor.args if isinstance(factor, Pow) else (factor, sp.S.One)
        if exponent == sp.Rational(1, 2) and base.is_Integer and coefficient.q % base == 0:
            coefficient, roots = coefficient * base, roots * base
        elif exponent == -sp.Rational(1, 2):
            roots *= base
        elif exponent.is_Rational and exponent.is_negative:
            below.append(base**-exponent)
        elif factor != 1:
            above.append(factor)
    return coefficient, above, below if roots == 1 else [*below, sp.sqrt(roots, evaluate=False)]


RULES: dict[type, Callable[[FormulaPrinter, Expr], Printed]] = {
    Entry: FormulaPrinter.entry,
    Symbol: FormulaPrinter.symbol,
    sp.Rational: FormulaPrinter.number,
    Add: FormulaPrinter.add,
    Mul: FormulaPrinter.mul,
    sp.exp: lambda printer, expr: printer.markup.exponential(replace(printer, entrywise=False)(expr.args[0])),
    Pow: FormulaPrinter.power,
    Sum: FormulaPrinter.sum,
    Chain: FormulaPrinter.chain,
    Total: FormulaPrinter.total,
    Partial: FormulaPrinter.partial,
    Apply: FormulaPrinter.apply,
    KroneckerDelta: FormulaPrinter.kronecker,
    Piecewise: FormulaPrinter.piecewise,
    sp.log: FormulaPrinter.logarithm,
    sp.Abs: lambda printer, expr: printer.markup.bars(printer(expr.args[0])),
    **dict.fromkeys(NAMED_FUNCTIONS, FormulaPrinter.named),
    sp.core.numbers.Pi: lambda printer, expr: printer.markup.letter("π"),
    sp.core.numbers.Exp1: lambda printer, expr: printer.markup.letter("e"),
}

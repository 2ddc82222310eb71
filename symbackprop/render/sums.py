"""How sums, products and powers are printed: signs, brackets, textbook order, one fraction bar."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Sum

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.render.order import factors_in_order, terms_in_order
from symbackprop.render.printed import Level, Printed, before, join

if TYPE_CHECKING:
    from symbackprop.render.formula import FormulaPrinter


# The widths of what stands between terms and factors, in letters.
SIGN, DOT, THIN = 2.4, 1.5, 0.4


def rational(printer: FormulaPrinter, number: sp.Rational) -> Printed:
    """An integer or a fraction, with its sign."""
    if number < 0:
        return printer.negative(rational(printer, -number))
    if number.q == 1:
        return printer.markup.number(str(number))
    return printer.markup.small_fraction(int(number.p), int(number.q))


def signed(printer: FormulaPrinter, expr: Expr) -> tuple[bool, Printed]:
    """Whether ``expr`` starts with a minus sign, and ``expr`` printed without it."""
    if isinstance(expr, Chain) and expr.args[0] == -1 and len(expr.args) > 1:
        return True, printer(Chain(*expr.args[1:]) if len(expr.args) > 2 else expr.args[1])
    if isinstance(expr, Chain) and _negative(expr.args[0]) and not isinstance(expr.args[0], Add):
        return True, printer(Chain(-expr.args[0], *expr.args[1:]))
    if _negative(expr):
        return True, printer(-expr)
    return False, printer(expr)


def sum_of_terms(printer: FormulaPrinter, terms: list[Expr]) -> Printed:
    """Terms in the given order, joined by their signs."""
    pieces: list[Printed] = []
    for n, term in enumerate(terms):
        minus, piece = signed(printer, term)
        inner_sum = n and isinstance(term, (Add, Total))
        negative_number = n and isinstance(term, Entry)  # printed in place of the entry
        piece = printer.held(piece, Level.PRODUCT) if minus or inner_sum or negative_number else piece
        sign = printer.markup.operator("-" if minus else "+")
        if n:
            pieces.append(before(f" {sign} ", piece, SIGN))
        else:
            pieces.append(before(sign, piece, 1) if minus else piece)
    return join(pieces, Level.SUM)


def addition(printer: FormulaPrinter, expr: Add) -> Printed:
    """A sum in textbook order."""
    terms = terms_in_order(list(expr.args))
    if printer.most_terms is None or len(terms) <= printer.most_terms:
        return sum_of_terms(printer, terms)
    start, (minus, last) = sum_of_terms(printer, terms[:2]), signed(printer, terms[-1])
    dots = Printed(f" + {printer.markup.dots} ", width=4)
    piece = before(f"{printer.markup.operator('-' if minus else '+')} ", printer.held(last, Level.PRODUCT), 2)
    return join([*(start.parts or (start,)), dots, piece], Level.SUM)


def multiplication(printer: FormulaPrinter, expr: Mul) -> Printed:
    """A product in textbook order: number, numerators, one fraction bar."""
    coefficient, rest = expr.as_coeff_Mul()
    if coefficient.is_negative:
        return printer.negative(printer(-expr))
    if not coefficient.is_Rational:
        coefficient, rest = sp.S.One, expr
    coefficient, above, below = _above_and_below(coefficient, rest)
    if not below:
        return product(printer, above, [] if coefficient == 1 else [printer(coefficient)])
    over, under = ([] if part == 1 else [printer(sp.Integer(part))] for part in (coefficient.p, coefficient.q))
    denominator = product(printer, below, under)
    if any(factor.has(Sum, Chain) for factor in above):
        front = printer.markup.fraction(over[0] if over else printer(sp.S.One), denominator)
        return product(printer, above, [front])
    numerator = product(printer, above, over) if above or over else printer(sp.S.One)
    return printer.markup.fraction(numerator, denominator)


def product(printer: FormulaPrinter, factors: list[Expr], numbers: list[Printed]) -> Printed:
    """Numbers and factors side by side; a dot stands where two would run together."""
    ordered = factors_in_order(factors)
    if printer.entrywise:
        ordered.sort(key=lambda factor: factor.has(*printer.bound))
    if not numbers and len(ordered) == 1:
        return printer(ordered[0])
    pieces = list(numbers)
    for n, factor in enumerate(ordered):
        piece = printer(factor)
        last = n == len(ordered) - 1
        open_ended = isinstance(factor, Sum) and not last
        piece = printer.markup.brackets(piece) if open_ended else printer.held(piece, Level.PRODUCT)
        if isinstance(factor, Chain) and pieces:
            piece = printer.markup.brackets(piece)
        pieces.append(piece)
    if printer.entrywise:
        numbers_end = len(numbers) + sum(not factor.has(*printer.bound) for factor in ordered)
        return entry_by_entry(printer, pieces[:numbers_end], pieces[numbers_end:])
    return side_by_side(printer, pieces)


def entry_by_entry(printer: FormulaPrinter, numbers: list[Printed], arrays: list[Printed]) -> Printed:
    """Numbers in front of arrays that are multiplied entry by entry."""
    sign = f" {printer.markup.operator(printer.notation.profile.entrywise_sign)} "
    joined = [*arrays[:1], *(before(sign, piece, SIGN) for piece in arrays[1:])]
    return side_by_side(printer, [*numbers, join(joined, Level.PRODUCT)] if arrays else numbers)


def side_by_side(printer: FormulaPrinter, pieces: list[Printed], dots: bool = False) -> Printed:
    """Pieces multiplied, with a space, a dot or the entry-by-entry sign between them."""
    between = printer.markup.dot if dots else printer.markup.space
    joined = [pieces[0]]
    for left, right in pairwise(pieces):
        mark = printer.markup.dot if right.text[:1].isdigit() else between
        if left.text.isdigit() and not right.text[:1].isdigit() and not dots:
            mark = printer.markup.space
        joined.append(before(mark, right, DOT if mark != printer.markup.space else THIN))
    return join(joined, Level.PRODUCT)


def as_they_are(product: Chain, pieces: list[Printed]) -> list[Printed]:
    """The printed factors of an ordered product, nothing done to them."""
    return pieces


def chain(printer: FormulaPrinter, expr: Chain) -> Printed:
    """A product in the order it was written; dots between derivatives."""
    first = expr.args[0]
    if _negative(first) and not isinstance(first, Add):
        return printer.negative(signed(printer, expr)[1])
    dots = expr.has(Partial) or any(factor.is_number for factor in expr.args[1:])
    pieces = []
    for n, factor in enumerate(expr.args):
        piece = printer(factor)
        loose = piece.level <= Level.SUM or (isinstance(factor, Sum) and n < len(expr.args) - 1)
        pieces.append(printer.markup.brackets(piece) if loose or isinstance(factor, Chain) else piece)
    pieces = printer.factors(expr, pieces)
    dots = dots or any(piece.fraction for piece in pieces)
    return pieces[0] if len(pieces) == 1 else side_by_side(printer, pieces, dots)


def total(printer: FormulaPrinter, expr: Total) -> Printed:
    """A sum in the order it was written."""
    return sum_of_terms(printer, list(expr.args))


def power(printer: FormulaPrinter, expr: Pow) -> Printed:
    """A power, a root or one over a power."""
    base, exponent = expr.args
    if exponent.is_Rational and exponent.is_negative:
        return printer.markup.fraction(printer(sp.S.One), printer(base**-exponent))
    if exponent == sp.Rational(1, 2):
        return printer.markup.root(printer(base))
    piece = printer.tight(base, Level.ATOM)
    if piece.fraction:
        piece = printer.markup.brackets(piece)
    above = printer(exponent)
    if printer.entrywise:
        above = before(printer.markup.operator("∘"), above, 1)
    return printer.markup.power(piece, above)


def summation(printer: FormulaPrinter, expr: Sum) -> Printed:
    """A sum over indices; a minus sign that all its terms share stands in front of it."""
    body = expr.function
    minus = (isinstance(body, Add) and all(_negative(term) for term in body.args)) or (
        not isinstance(body, Add) and _negative(body)
    )
    if minus:
        return printer.negative(summation(printer, Sum(-body, *expr.limits)))
    piece = printer.tight(body, Level.PRODUCT)
    for i, low, high in expr.limits:
        sign = printer.markup.sum(printer(i).text, printer(low).text, printer(high).text)
        piece = Printed(sign.text + piece.text, Level.PRODUCT, sign.width + piece.width, tall=True)
    return piece


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
    sp.Rational: rational,
    Add: addition,
    Mul: multiplication,
    Pow: power,
    Sum: summation,
    Chain: chain,
    Total: total,
}

"""How functions, cases, derivatives and indicators are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import sympy as sp
from sympy import Expr, KroneckerDelta, Piecewise, Symbol
from sympy.core.relational import Relational

from symbackprop.calculus.indices import Entry, place
from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import A, W, Z
from symbackprop.errors import UnsupportedExpression, shown
from symbackprop.network.layers import BY
from symbackprop.render.order import factors_in_order
from symbackprop.render.printed import Level, Printed

if TYPE_CHECKING:
    from symbackprop.render.formula import FormulaPrinter

NAMED_FUNCTIONS = {
    sp.erf: "erf",
    sp.tanh: "tanh",
    sp.sign: "sign",
    sp.Max: "max",
    sp.Min: "min",
    sp.cosh: "cosh",
    sp.sinh: "sinh",
}
RELATIONS = {"<": "<", ">": ">", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def call(printer: FormulaPrinter, name: str, arguments: tuple[Expr, ...], order: int = 0) -> Printed:
    """``name(arguments)`` with ``order`` primes."""
    return with_arguments(printer, printer.markup.primed(printer.markup.letter(name), order), arguments)


def with_arguments(printer: FormulaPrinter, head: Printed, arguments: tuple[Expr, ...]) -> Printed:
    """``head(arguments)``."""
    pieces = [printer(argument) for argument in arguments]
    inside = Printed(
        printer.markup.comma.join(piece.text for piece in pieces),
        Level.SUM,
        sum(p.width + 1 for p in pieces),
        any(p.tall for p in pieces),
    )
    brackets = printer.markup.brackets(inside)
    return Printed(head.text + brackets.text, Level.ATOM, head.width + brackets.width, head.tall or brackets.tall)


def applied(printer: FormulaPrinter, expr: Apply) -> Printed:
    """A function known by its name, or a derivative of it, perhaps by one of its trained parameters."""
    name, by, parameter = expr.tag.name.partition(BY)
    if by:
        markup, sign = printer.markup, printer.notation.profile.derivative
        of = markup.letter(printer.notation.function(name))
        head = markup.derivative(sign, of, printer(Symbol(parameter, real=True)))
        return with_arguments(printer, head, expr.arguments)
    return call(printer, printer.notation.function(expr.tag.name), expr.arguments, expr.order)


def named(printer: FormulaPrinter, expr: Expr) -> Printed:
    """One of SymPy's functions that has a name of its own."""
    arguments: Sequence[Expr] = expr.args
    if isinstance(expr, sp.Max | sp.Min):
        if all(isinstance(arg, Entry) for arg in arguments):
            arguments = sorted(arguments, key=place)
        elif all(arg in printer.bound for arg in arguments):
            arguments = sorted(arguments, key=lambda arg: printer.bound[arg].text)
        else:
            arguments = factors_in_order(list(arguments))
    return call(printer, NAMED_FUNCTIONS[expr.func], tuple(arguments))


def logarithm(printer: FormulaPrinter, expr: Expr) -> Printed:
    """A natural logarithm, under the profile's name for it; brackets only where they are needed."""
    piece, head = printer(expr.args[0]), printer.markup.letter(printer.notation.profile.logarithm)
    if piece.level >= Level.SCRIPTED and not piece.fraction and not isinstance(expr.args[0], Apply):
        return Printed(
            f"{head.text}{printer.markup.function_space}{piece.text}", Level.PRODUCT, 2 + piece.width, piece.tall
        )
    return call(printer, printer.notation.profile.logarithm, expr.args)


def piecewise(printer: FormulaPrinter, expr: Piecewise) -> Printed:
    """Cases: each value with its condition, which counts where none above it holds; the last one otherwise."""
    cases = branches(expr)
    rows = [(printer(value), None if where == sp.true else condition(printer, where)) for value, where in cases]
    return printer.markup.cases(rows)


def branches(expr: Piecewise) -> tuple[tuple[Expr, Expr], ...]:
    """Values and conditions; cases within the last case follow the others.

    >>> branches(Piecewise((1, Z > 1), (Piecewise((Z, Z > 0), (0, True)), True)))
    ((1, z > 1), (z, z > 0), (0, True))
    """
    *first, (value, where) = (tuple(case) for case in expr.args)
    if where == sp.true and isinstance(value, Piecewise):
        return (*first, *branches(value))
    return (*first, (value, where))


def condition(printer: FormulaPrinter, where: Expr) -> Printed:
    """A comparison; what varies stands on the left."""
    if not isinstance(where, Relational):
        raise UnsupportedExpression(f"no rule prints the condition {shown(str(where))}")
    if not where.lhs.has(Entry, Z, A, W, *printer.bound) and where.rhs.has(Entry, Z, A, W, *printer.bound):
        where = where.reversed
    left, right = printer(where.lhs), printer(where.rhs)
    sign = printer.markup.operator(RELATIONS[where.rel_op])
    return Printed(f"{left.text} {sign} {right.text}", Level.SUM, left.width + right.width + 3, left.tall or right.tall)


def derivative(printer: FormulaPrinter, expr: Partial) -> Printed:
    """``∂f/∂v``; the derivative of an expression is written as an operator in front of its brackets."""
    sign, by = printer.notation.profile.derivative, printer(expr.by)
    if isinstance(expr.of, (Entry, Symbol)):
        return printer.markup.derivative(sign, printer(expr.of), by)
    front, inside = printer.markup.derivative(sign, None, by), printer(expr.of)
    body = inside if isinstance(expr.of, Apply) else printer.markup.brackets(inside)
    joined = Printed(front.text + printer.markup.space + body.text, Level.PRODUCT, front.width + body.width, tall=True)
    return joined.at(Level.ATOM) if body is not inside else joined


def kronecker(printer: FormulaPrinter, expr: KroneckerDelta) -> Printed:
    """One where the indices agree, else nothing; δ is taken by the local gradient."""
    return printer.markup.indicator("=".join(printer(i).text for i in expr.args))


def exponential(printer: FormulaPrinter, expr: sp.exp) -> Printed:
    """E to a power; within the exponent nothing is meant entry by entry."""
    return printer.markup.exponential(replace(printer, entrywise=False)(expr.args[0]))


RULES: dict[type, Callable[[FormulaPrinter, Expr], Printed]] = {
    sp.exp: exponential,
    sp.log: logarithm,
    Apply: applied,
    Partial: derivative,
    Piecewise: piecewise,
    KroneckerDelta: kronecker,
    sp.Abs: lambda printer, expr: printer.markup.bars(printer(expr.args[0])),
    **dict.fromkeys(NAMED_FUNCTIONS, named),
    sp.core.numbers.Pi: lambda printer, expr: printer.markup.letter("π"),
    sp.core.numbers.Exp1: lambda printer, expr: printer.markup.letter("e"),
}

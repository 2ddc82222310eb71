"""Worked numbers: every equation with numbers put in, and the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

import sympy as sp
from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Partial
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.numbers import Worked, WorkedStep
from symbackprop.derivation.steps import Step
from symbackprop.network.quantities import DELTA, ERROR, OUT, is_entry
from symbackprop.notation.written import Written
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.lines import Line, Setter, is_update
from symbackprop.render.markup import Markup
from symbackprop.render.printed import Level, Printed, broken, join
from symbackprop.render.wording import words

DIGITS = 5  # significant digits of what is printed; nothing is rounded before that
LEAST, MOST = -4, 6  # powers of ten that are written as plain decimals
Values = Mapping[Expr, Expr]


@dataclass(frozen=True)
class NumberPrinter(FormulaPrinter):
    """Prints expressions with ``values`` in place of the quantities that have one."""

    values: Values = field(default_factory=dict)

    def __call__(self, expr: Expr) -> Printed:
        return number(self.values[expr], self.markup) if expr in self.values else super().__call__(expr)


def number(value: Expr, markup: Markup) -> Printed:
    """A number to five significant digits.

    >>> from symbackprop.render.text import TextMarkup
    >>> number(sp.Rational(-3, 20), TextMarkup()).text, number(sp.Float("0.000012345678"), TextMarkup()).text
    ('−0.15', '1.2346 · 10⁻⁵')
    """
    if value < 0:
        sign = markup.operator("-")
        whole = number(-value, markup)
        return Printed(f"{sign}{whole.text}", Level.SUM, whole.width + 1)
    mantissa, power = f"{float(value):.{DIGITS - 1}e}".split("e")
    if value == 0 or LEAST <= int(power) < MOST:
        return markup.number(decimal(value))
    ten = markup.power(markup.number("10"), markup.number(str(int(power)).replace("-", markup.operator("-"))))
    text = Printed(markup.dot + ten.text, width=ten.width + 2)
    return join([markup.number(mantissa.rstrip("0").rstrip(".")), text], Level.PRODUCT)


def decimal(value: Expr) -> str:
    """The number with five significant digits, without a power of ten.

    >>> decimal(sp.Float("0.30685281944"))
    '0.30685'
    """
    figures = f"{float(value):.{DIGITS}g}"
    return f"{float(figures):f}".rstrip("0").rstrip(".") if "e" in figures else figures


def rounds(value: Expr) -> bool:
    """Whether the number is printed with fewer digits than it has."""
    return sp.Rational(str(sp.N(value, 25))) != sp.Rational(f"{float(value):.{DIGITS}g}")


def kind(step: Step) -> str:
    """Which part of the example a step belongs to."""
    if is_update(step.left):
        return "numbers_update"
    if isinstance(step.left, Partial) and is_entry(step.left.by, OUT):
        return "numbers_deltas"  # the local gradients after it are stated by it
    if isinstance(step.left, Partial):
        return "numbers_gradients"
    if step.left == ERROR:
        return "numbers_error"
    return "numbers_deltas" if step.left.base == DELTA else "numbers_forward"


@dataclass(frozen=True)
class WorkedWriter:
    """Writes a worked example with the printers and the numbers of ``setter``, in the quantities of ``derivation``."""

    worked: Worked
    derivation: Derivation
    formula: FormulaPrinter
    setter: Setter

    def blocks(self) -> Iterator[tuple[str, tuple[Line, ...]]]:
        """Sentences, and the lines under each."""
        count = 0
        for key, group in groupby(self.worked.steps, key=lambda worked: kind(worked.step)):
            lines: list[Line] = []
            for worked in group:
                count += 1
                lines += self.lines(worked, f"n{count}")
            yield words("numbers", key), tuple(lines)

    def given(self) -> str:
        """The numbers that the example starts from, as formulas within words."""
        pairs = [(self.formula(of), number(value, self.formula.markup)) for of, value in self.own(self.worked.given)]
        return ", ".join(self.setter.style.inline(f"{left.text} = {right.text}") for left, right in pairs)

    def fall(self) -> str:
        """The error before and after the update."""
        before, after = self.worked.error_before, self.worked.error_after
        shown = [self.setter.style.inline(number(value, self.formula.markup).text) for value in (before, after)]
        return words("numbers", "falls" if after < before else "rises", *shown)

    def lines(self, worked: WorkedStep, name: str) -> Iterator[Line]:
        """The equation, the same with numbers, the result."""
        step, values = self.written(worked.step), dict(self.own({**self.worked.given, **worked.before}))
        printer = NumberPrinter(self.formula.notation, self.formula.markup, values=values)
        left, right, inserted = self.formula(step.left), self.formula(step.right), printer(step.right)
        room = self.setter.style.line - left.width - 12
        sign = self.setter.style.markup.operator(self.setter.profile.assign if is_update(step.left) else "=")
        yield from self.running(left.text, sign, right, room)
        value = number(next(iter(dict(self.own({worked.step.left: worked.value})).values())), self.formula.markup)
        if inserted.text not in (right.text, value.text):
            yield from self.running("", self.setter.style.markup.operator("="), inserted, room)
        about = self.setter.style.markup.operator("≈" if rounds(worked.value) else "=")
        cited = self.setter.numbers.get(worked.step.label)
        reason = words("numbers", "inserted") + (f" ({cited})" if cited else "")
        yield Line("", about, value.text, self.setter.style.reason([reason]), name)

    def running(self, left: str, sign: str, right: Printed, room: float) -> Iterator[Line]:
        """One side of the equation, on as many lines as it needs."""
        first, *more = broken(right, room, room - 3)
        yield Line(left, sign, first)
        yield from (Line("", "", text) for text in more)

    def written(self, step: Step) -> Step:
        """The step in the notation's quantities."""
        if not isinstance(self.derivation, Written):
            return step
        left, right = self.derivation.writer.equation(step.left, step.right)
        return replace(step, left=left, right=right)

    def own(self, values: Values) -> Iterator[tuple[Expr, Expr]]:
        """Quantities and their values, in the notation's quantities; a negative one turns its value's sign."""
        for of, value in values.items():
            new = self.derivation.writer.substitution.into(of) if isinstance(self.derivation, Written) else of
            factor, quantity = new.as_coeff_Mul()
            yield (quantity, value / factor) if factor != 1 else (of if not isinstance(new, Entry) else new, value)

"""The slope of each activation, step by step, and in terms of the activation's own output where that is possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp
from sympy import Expr, Integer, Piecewise, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.differentiate import Line, differentiate
from symbackprop.calculus.in_terms_of_output import in_terms_of_output
from symbackprop.calculus.inert import Apply, Partial
from symbackprop.calculus.recognise import recognise
from symbackprop.catalogue.entries import A, Z
from symbackprop.derivation.steps import Block, Step


@dataclass(frozen=True)
class Slope:
    """What is known of f′ for the activation ``tag``: ``formula`` in ``Z``, ``in_output`` in ``A`` and perhaps ``Z``.

    Both are None for a generic activation; ``in_output`` is None where the elimination finds no form. ``replaces`` says
    whether ``in_output`` is a plain expression in the output alone, which may stand in for f′(z) anywhere.
    """

    tag: Symbol
    value: Expr | None
    lines: tuple[Line, ...] = ()
    formula: Expr | None = None
    in_output: Expr | None = None

    @property
    def replaces(self) -> bool:
        return self.in_output is not None and not self.in_output.has(Z, Piecewise)

    @property
    def rewritten(self) -> bool:
        """Whether the form in the output differs from the formula in z."""
        return self.in_output is not None and self.in_output != self.formula

    @property
    def cites(self) -> tuple[str, ...]:
        """The label of the step that gives the slope, if there is one."""
        if self.value is None:
            return ()
        return (f"slope.{self.tag}.{'output' if self.rewritten else len(self.lines)}",)

    def at(self, pre: Expr, out: Expr) -> Expr:
        """The slope of a unit with pre-activation ``pre`` and output ``out``: in the output alone, or f′(pre)."""
        if self.in_output is not None and self.replaces:
            return self.in_output.xreplace({A: out})
        return Apply(self.tag, Integer(1), pre)

    def block(self) -> Block:
        """The derivation of the slope as steps."""
        value, slope = Apply(self.tag, Integer(0), Z), Apply(self.tag, Integer(1), Z)
        name = f"slope.{self.tag}"
        steps = [Step(f"{name}.{n}", line.left, line.right, line.rule) for n, line in enumerate(self.lines, start=1)]
        known = type(self.value).__name__ == str(self.tag)
        if len(steps) == 1 and (known or self.value == Z):  # d/dz tanh(z) and dz/dz need no line of their own
            steps = [replace(steps[0], left=slope)]
        else:
            steps.insert(0, Step(f"{name}.0", slope, Partial(self.value, Z), rules.DEFINITION))
        if not known:  # tanh(z) = tanh(z) says nothing
            steps.insert(0, Step(f"{name}.value", value, self.value, rules.DEFINITION))
        if self.in_output is not None and self.rewritten:
            form = self.in_output.xreplace({A: value})
            if known and steps[-1].right.xreplace({self.value: value}) == form:  # 1 - tanh(z)^2 is written no other way
                steps[-1] = replace(steps[-1], label=f"{name}.output", right=form)
            else:
                steps += self._to_output(slope, value, form)
        return Block("slope", tuple(steps), (value,))

    def _to_output(self, slope: Expr, value: Expr, form: Expr) -> list[Step]:
        """From f′ in z to its form in the output: by hand's algebra where that leads there, else by elimination."""
        name = f"slope.{self.tag}"
        lines = recognise(self.formula, self.value, Z, value)
        if not lines or sp.expand(lines[-1].right - form) != 0:
            return [Step(f"{name}.output", slope, form, rules.IN_OUTPUT)]
        steps = [Step(f"{name}.algebra.{n}", line.left, line.right, line.rule) for n, line in enumerate(lines, start=1)]
        return [*steps[:-1], replace(steps[-1], label=f"{name}.output", right=form)]


@lru_cache
def slope_of(tag: Symbol, value: Expr | None) -> Slope:
    """The slope of the activation ``tag`` with the formula ``value`` in ``Z``."""
    if value is None:
        return Slope(tag, None)
    lines = differentiate(value, Z)
    form = in_terms_of_output(value, Z, A)
    return Slope(tag, value, lines, lines[-1].right if lines else None, form.slope if form else None)

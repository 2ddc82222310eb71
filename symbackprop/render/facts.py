"""What a step needs of the data, and where its formulas make sense, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sympy as sp
from sympy import Expr

from symbackprop.derivation.steps import Step
from symbackprop.network.quantities import OUTPUT_UNIT, TARGET
from symbackprop.network.spec import NetworkSpec
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.functions import RELATIONS, condition
from symbackprop.render.style import Style
from symbackprop.render.wording import words


@dataclass(frozen=True)
class Facts:
    """Writes the sentences about the steps of one network."""

    spec: NetworkSpec
    formula: FormulaPrinter
    style: Style

    def assumed(self, step: Step, number: int) -> Iterator[str]:
        """What holds of the data; without it the step would be false."""
        for assumption in step.assumptions:
            reason = words("assumptions", assumption.key, self.fact(assumption.formula))
            yield words("words", "assumption", number=f"({number})", reason=reason)

    def conditioned(self, step: Step, number: int) -> Iterator[str]:
        """Which targets the error is meant for, and where the step's formulas make sense."""
        if step.label == "error" and self.spec.loss.entry.binary_targets:
            target = self.style.inline(self.formula(TARGET[OUTPUT_UNIT]).text)
            yield words("words", "binary_targets", number=f"({number})", target=target)
        if step.conditions:
            where = ", ".join(map(self.style.inline, self.conditions(step.conditions)))
            yield words("words", "condition", number=f"({number})", reason=where)

    def fact(self, formula: Expr) -> str:
        """``formula`` = 0, with its number on the right-hand side."""
        number, rest = formula.as_coeff_Add()
        left, right = self.formula(rest), self.formula(sp.sympify(-number))
        return self.style.inline(f"{left.text} = {right.text}")

    def conditions(self, where: Iterable[Expr]) -> Iterator[str]:
        """The comparisons as formulas; a lower and an upper bound of the same quantity are written as one."""
        waiting = list(where)
        while waiting:
            one = waiting.pop(0)
            upper = next((other for other in waiting if bounds(one, other)), None)
            text = condition(self.formula, one).text
            if upper is not None:
                waiting.remove(upper)
                less = self.formula.markup.operator(RELATIONS["<"])
                text = f"{self.formula(one.rhs).text} {less} {condition(self.formula, upper).text}"
            yield text


def bounds(low: Expr, high: Expr) -> bool:
    """Whether the two comparisons are a lower and an upper bound of one quantity.

    >>> from sympy.abc import a, b
    >>> bounds(sp.Gt(a, 0), sp.Lt(a, 1)), bounds(sp.Gt(a, 0), sp.Lt(b, 1))
    (True, False)
    """
    return isinstance(low, sp.Gt) and isinstance(high, sp.Lt) and low.lhs == high.lhs

"""One formula on its own, for terminals, notebooks and error messages."""

from __future__ import annotations

from sympy import Expr

from symbackprop.derivation.steps import Formula, Step
from symbackprop.notation.apply import Notation
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.lines import is_update
from symbackprop.render.markup import Markup
from symbackprop.render.matrix_formula import MatrixPrinter
from symbackprop.render.text import TextMarkup


def to_text(formula: Formula, notation: Notation, *, batch: bool = True) -> str:
    """An expression or a matrix term on one line of Unicode; ``batch`` says what arrays hold.

    >>> from symbackprop.network.quantities import OUT, TARGET
    >>> from symbackprop.notation.profile import load_profile
    >>> to_text(OUT[3, 1] - TARGET[1], Notation(load_profile("S1"), depth=3))
    'a₁[3] − t₁'
    """
    return _show(formula, notation, TextMarkup(), batch)


def to_latex(formula: Formula, notation: Notation, *, batch: bool = True) -> str:
    r"""An expression or a matrix term in LaTeX, without dollar signs.

    >>> from symbackprop.network.quantities import OUT, TARGET
    >>> from symbackprop.notation.profile import load_profile
    >>> print(to_latex(OUT[2, 1] - TARGET[1], Notation(load_profile("S4"), depth=3)))
    a^{(2)}_1 - y_1
    """
    return _show(formula, notation, LatexMarkup(), batch)


def step_to_text(step: Step, notation: Notation, *, batch: bool = True) -> str:
    """A step on one line: ``δ₁[3] = a₁[3] − t₁``; an update with the profile's sign of assignment."""
    sign = notation.profile.assign if is_update(step.left) else "="
    return f"{to_text(step.left, notation, batch=batch)} {sign} {to_text(step.right, notation, batch=batch)}"


def _show(formula: Formula, notation: Notation, markup: Markup, batch: bool) -> str:
    printer = FormulaPrinter(notation, markup)
    return (printer(formula) if isinstance(formula, Expr) else MatrixPrinter(printer, batch)(formula)).text

"""What is found of one parameter or one unit: the same derivative, in the ways that a reader may want it."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.derivation.steps import Step


@dataclass(frozen=True)
class Gradient:
    """One parameter's gradient: the same derivative, four ways.

    ``expanded`` is SymPy's derivative of the composed error (with the penalty, where there is one), ``chain`` the chain
    rule along every path (an ordered product, or an ordered sum of them), ``delta_form`` the product with δ, ``steps``
    the lines of the derivation that are about it.
    """

    of: Entry
    expanded: Expr
    chain: Expr
    delta_form: Expr
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Delta:
    """δ of one unit: ``definition`` is ∂E/∂z, ``recursion`` its formula from the error or from the next layer's δ."""

    of: Entry
    definition: Expr
    recursion: Expr
    steps: tuple[Step, ...]

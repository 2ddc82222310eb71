"""Units of several pieces: the slope by each pre-activation of a unit, and δ of each of them at the output."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp
from sympy import Expr

from symbackprop.calculus import rules
from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.inert import Partial
from symbackprop.derivation.output import delta_of_unit, finished_as
from symbackprop.derivation.steps import Step
from symbackprop.network.layers import Equation


@lru_cache
def piece_slope(activation: Equation, block: int) -> tuple[Step, ...]:
    """∂a_k/∂z of a unit of several pieces, by its pre-activation in ``block``, one rule at a time.

    The pre-activations are different quantities here, so no Kronecker delta ties them.
    """
    # Their names sort them as entries are compared: later ones first.
    pieces = {pre: sp.Symbol(f"z_{n}", real=True) for n, pre in enumerate(reversed(activation.parents), start=1)}
    entries = {symbol: pre for pre, symbol in pieces.items()}
    by, name = activation.parents[block], f"slope.piece.{{l}}.{block}"
    steps = [
        Step(
            f"{name}.0",
            Partial(activation.left, by),
            Partial(activation.right, by),
            rules.SUBSTITUTE,
            ("forward.a.{l}",),
        )
    ]
    for n, line in enumerate(differentiate(activation.right.xreplace(pieces), pieces[by]), start=1):
        left, right = (side.xreplace(entries) for side in (line.left, line.right))
        steps.append(Step(f"{name}.{n}", left, right, line.rule))
    return finished_as(name, steps)


def piece_deltas(slope_of_error: Expr, activation: Equation) -> tuple[Step, ...]:
    """δ of every pre-activation of a unit of several pieces."""
    steps: list[Step] = []
    for block, pre in enumerate(activation.parents):
        *_, slope = piece_slope(activation, block)
        steps += delta_of_unit(f"output.piece.{block}", slope_of_error, pre, slope.right, (slope.label,))
    return tuple(steps)

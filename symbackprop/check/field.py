"""At any size: the gradients as the matrix equations state them, against forward-mode differentiation, exactly.

The whole network gets random numbers of a prime field. One forward sweep through the index equations in dual numbers
gives the derivative of the objective along a direction; the matrix equations must give the same number.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sympy import Expr, Symbol

from symbackprop.check.modular import Array, add_up, multiply
from symbackprop.check.numbers import Undecided
from symbackprop.check.prime_field import PRIME
from symbackprop.check.report import UNDECIDED, Row
from symbackprop.check.sweep import DIRECTIONS, EXAMPLES, Direction, Sweep, oriented
from symbackprop.check.term_arrays import TermArrays
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import (
    ChainRule,
    Diagonal,
    Entries,
    Gradient,
    Hadamard,
    InBlock,
    Joined,
    Leaf,
    Map,
    Ones,
    Plus,
    Product,
    Scaled,
    SumOver,
    Term,
    Transpose,
)

GROUP = "whole network"
TRIES = 32


def evaluated(view: MatrixView, sweep: Sweep, slopes: Mapping[Symbol, Expr]) -> tuple[Array, dict[Leaf, Array]]:
    """The objective and the gradients that the matrix equations state, at the sweep's numbers."""
    terms = TermArrays(sweep.evaluate, sweep.numbers, lambda leaf: sweep.given(view, leaf), slopes)
    stated = {step.left for step in view.deltas}
    left_standing = {part for step in view.deltas for part in gradients_in(step.right)} - stated
    for gradient in left_standing:
        terms.known[gradient] = oriented(sweep.output_slopes(), gradient.of, view.layout.weights_from_to)
    for step in (*view.forward, *view.deltas):
        assert isinstance(step.left, Leaf | Gradient)
        terms.known[step.left] = terms.term(step.right)
    gradients: dict[Leaf, Array] = {}
    for step in view.gradients:
        assert isinstance(step.left, Gradient)
        gradients[step.left.of] = terms.term(step.right)
    return terms.term(view.error.right), gradients


def gradients_in(term: Term) -> set[Gradient]:
    """Every gradient that occurs in ``term``."""
    match term:
        case Gradient():
            return {term}
        case Transpose(of) | Scaled(_, of) | SumOver(of, _) | InBlock(of, _, _, _):
            return gradients_in(of)
        case Product(left, right):
            return gradients_in(left) | gradients_in(right)
        case Hadamard(parts) | Plus(parts) | Map(_, _, parts) | Joined(parts, _):
            return set().union(*map(gradients_in, parts))
        case Leaf() | Ones() | Entries() | ChainRule() | Diagonal():
            return set()


def along_direction(gradients: Mapping[Leaf, Array], direction: Direction, weights_from_to: bool) -> int:
    """Σ gradient · direction over all weights and biases."""
    total = 0
    for leaf, gradient in gradients.items():
        name = (leaf.base.label.name, leaf.layer)
        if name in direction:
            part = multiply(gradient, oriented(direction[name], leaf, weights_from_to))
            total += int(add_up(part.reshape(-1), 0)[0])
    return total % PRIME


def check_field(derivation: Derivation, view: MatrixView, seed: int = 0) -> list[Row]:
    """The objective and its gradients by the matrix equations, against forward-mode differentiation.

    Up to a few hundred weights are compared one by one; in larger networks some of them, and random directions.
    """
    used = {a.key: a for step in derivation.steps for a in step.assumptions}
    slopes = {tag: slope.formula for tag, slope in derivation.slopes.items() if slope.formula is not None}
    for attempt in range(TRIES):
        try:
            assumptions = [used[key] for key in sorted(used)]
            sweep = Sweep(derivation.graph, seed * TRIES + attempt, view.layout.batch, assumptions)
            objective, gradients = evaluated(view, sweep, slopes)
        except Undecided:
            continue
        except ValueError as mismatch:  # arrays that do not fit each other
            return [Row(GROUP, "gradients", False, str(mismatch))]
        rows = compared(view, sweep, objective, gradients)
        # What fails for unknowns in place of square roots may still hold for the roots: try another point.
        if all(row.verdict for row in rows) or not sweep.numbers.scalars.roots:
            return rows
    return [Row(GROUP, "gradients", None, UNDECIDED)]


def compared(view: MatrixView, sweep: Sweep, objective: Array, gradients: Mapping[Leaf, Array]) -> list[Row]:
    """The rows: the objective, and the gradients along all directions."""
    where = f"a batch of {EXAMPLES}" if view.layout.batch else "one example"
    how = "identical in GF(2^61-1) to forward-mode differentiation of the forward equations"
    how += ", square roots as unknowns" if sweep.numbers.scalars.roots else ""
    value = int(objective.reshape(-1)[0]) == int(sweep.objective.value.reshape(-1)[0])
    agreeing = [
        along_direction(gradients, direction, view.layout.weights_from_to)
        == (int(sweep.objective.tangent[key].reshape(-1)[0]) if key in sweep.objective.tangent else 0)
        for key, direction in sweep.directions.items()
    ]
    count = len(agreeing)
    what = (
        f"all {count} parameters"
        if len(sweep.directions) == sum(map(_size, sweep.parameter_shapes().values()))
        else (f"{DIRECTIONS} random directions of all parameters, and {count - DIRECTIONS} of them alone")
    )
    return [
        Row(GROUP, f"the error of {where}", value, how),
        Row(GROUP, f"gradients for {where}: {what}", all(agreeing), how),
    ]


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))

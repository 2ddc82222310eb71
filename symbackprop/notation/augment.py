"""Biases as weights of a unit 0 in matrix form: one array of all weights, and outputs with a 1 in front."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import TERMS, Axis, Leaf, Plus, Product
from symbackprop.derivation.steps import Step
from symbackprop.network.quantities import BIAS, NEXT_BIAS, NEXT_WEIGHT, OUT, WEIGHT, is_trained

OF_WEIGHTS, OF_BIASES = (WEIGHT, NEXT_WEIGHT), (BIAS, NEXT_BIAS)


def augmented(view: MatrixView) -> MatrixView:
    """The view with ``z = W̃ ã`` in place of ``z = W a + w_0``, one gradient and one update for each W̃.

    A gradient with a penalty's share stays apart from the bias's, for the penalty need not cover both.
    """
    biases = {step.left.of.layer for step in view.gradients if step.left.of.base in OF_BIASES}
    of_weights = (step for step in view.gradients if step.left.of.base in OF_WEIGHTS)
    penalised = {step.left.of.layer for step in of_weights if holds(step.right, WEIGHT)}
    whole = biases - penalised
    return replace(
        view,
        forward=tuple(map(forward, view.forward)),
        gradients=parameters(view.gradients, whole),
        updates=parameters(view.updates, whole),
    )


def forward(step: Step) -> Step:
    """``z = W a + b`` as ``z = W̃ ã``."""
    match step.right:
        case Plus((Product() as product, Leaf(base))) | Plus((Leaf(base), Product() as product)) if base == BIAS:
            return replace(step, right=with_constant(product))
    return step


def parameters(steps: tuple[Step, ...], whole: set[int | None]) -> tuple[Step, ...]:
    """The steps about the parameters that leave each layer; those in ``whole`` have one array of all weights."""
    kept = []
    for step in steps:
        of = step.left if isinstance(step.left, Leaf) else step.left.of
        if of.layer not in whole or is_trained(of.base):
            kept.append(step)
        elif of.base in OF_WEIGHTS:
            kept.append(replace(step, left=with_constant(step.left), right=with_constant(step.right)))
    return tuple(kept)


def with_constant(term: Any) -> Any:
    """``term`` with the unit 0 among the units of every layer that weights leave."""
    if isinstance(term, Leaf):
        along = {OUT: term.layer, WEIGHT: term.layer, NEXT_WEIGHT: term.layer}.get(term.base)
        return replace(term, rows=started(term.rows, along), columns=started(term.columns, along))
    if isinstance(term, tuple):
        return tuple(map(with_constant, term))
    if not isinstance(term, TERMS):
        return term
    return type(term)(*(with_constant(getattr(term, each.name)) for each in fields(term)))


def started(axis: Axis | None, layer: int | None) -> Axis | None:
    """The axis, with the unit 0 in front if it is that of ``layer``."""
    return replace(axis, constant=True) if axis is not None and layer is not None and axis.layer == layer else axis


def holds(term: Any, base: Any) -> bool:
    """Whether an array of ``base`` occurs in ``term``."""
    if isinstance(term, Leaf):
        return bool(term.base == base)
    if isinstance(term, tuple):
        return any(holds(part, base) for part in term)
    return is_dataclass(term) and any(holds(getattr(term, each.name), base) for each in fields(term))

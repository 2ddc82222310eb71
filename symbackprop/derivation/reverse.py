"""The reverse sweep over index equations.

For every entry v, ∂E/∂v = Σ over the equations that use v, Σ over their indices, of ∂E/∂(left) · ∂(right)/∂v; the
Kronecker deltas of the local derivatives remove the sums. Each function here states this once for a distinct layer
equation, with the layer left symbolic; ``at_layer`` puts a network's layers in.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sympy as sp
from sympy import Expr, Integer, Sum

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, contract, derivative, index
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.derivation.output import group_delta, in_chain
from symbackprop.derivation.pieces import piece_slope
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Assumption, Step
from symbackprop.network import layers, quantities
from symbackprop.network.layers import Equation
from symbackprop.network.quantities import (
    DELTA,
    ERROR,
    LAYER,
    OBJECTIVE,
    OUT,
    OUTPUT_UNIT,
    PRE,
    RATE,
    TO,
    WEIGHT,
)
from symbackprop.network.spec import PenaltyUse

NEXT = OUTPUT_UNIT  # a unit of the next layer, in the recursion for δ
HERE, LATER = DELTA[LAYER, TO], DELTA[LAYER + 1, NEXT]


def at_layer(steps: Iterable[Step], layer: int) -> tuple[Step, ...]:
    """The steps, written for the symbolic layer l, at ``layer``."""
    put = {LAYER: Integer(layer)}

    def placed(assumption: Assumption) -> Assumption:
        return Assumption(assumption.key, assumption.formula.xreplace(put))

    return tuple(
        Step(
            step.label.format(l=layer),
            step.left.xreplace(put),
            step.right.xreplace(put),
            step.rule,
            tuple(label.format(l=layer, next=layer + 1) for label in step.uses),
            tuple(map(placed, step.assumptions)),
            tuple(condition.xreplace(put) for condition in step.conditions),
        )
        for step in steps
    )


def local_derivative(equation: Equation, unit: Expr, of: Entry) -> Expr:
    """∂(left)/∂(of) with the left side at ``unit``: SymPy's derivative of the forward equation, contracted."""
    (own,) = equation.left.indices[1:]
    return derivative(equation.right.xreplace({own: unit}), of)


@lru_cache
def error_of_output(consumer: Equation) -> tuple[Step, ...]:
    """∂E/∂a_j of layer l: Σ_k δ_k of the next layer times ∂z_k/∂a_j, from the next layer's own equation."""
    of = OUT[LAYER, TO]
    name_of = "back.{l}.out"
    limits = (NEXT, 1, consumer.count)
    using = consumer.left.xreplace({consumer.left.indices[1]: NEXT})
    local = local_derivative(consumer, NEXT, of)
    chain = Sum(Chain(Partial(ERROR, using), Partial(using, of)), limits)
    return (
        Step(name_of + ".chain", Partial(ERROR, of), chain, rules.CHAIN),
        Step(name_of + ".local", Partial(using, of), local, rules.KRONECKER, ("forward.z.{next}",)),
        Step(
            name_of,
            Partial(ERROR, of),
            contract(Sum(LATER * local, limits)),
            rules.LOCAL_GRADIENT,
            (name_of + ".chain", name_of + ".local"),
        ),
    )


@lru_cache
def hidden_delta(consumer: Equation, slope: Slope) -> tuple[Step, ...]:
    """δ_j of layer l, for an activation that works unit by unit: (Σ_k δ_k w_jk) f′(z_j)."""
    out, pre = OUT[LAYER, TO], PRE[LAYER, TO]
    *head, passed = error_of_output(consumer)
    chain = Chain(Partial(ERROR, out), Partial(out, pre))
    named = Slope(slope.tag, None).at(pre, out)
    steps = [
        *head,
        passed,
        Step("delta.{l}.chain", HERE, chain, rules.CHAIN),
        Step("delta.{l}", chain, Chain(passed.right, named), rules.SUBSTITUTE, ("back.{l}.out",)),
    ]
    in_output = Chain(passed.right, slope.at(pre, out))
    if in_output != steps[-1].right:
        steps.append(Step("delta.{l}.output", steps[-1].right, in_chain(in_output), rules.IN_OUTPUT, slope.cites))
    return tuple(steps)


@lru_cache
def hidden_group_delta(consumer: Equation, activation: Equation) -> tuple[Step, ...]:
    """δ_q of layer l, for a function of the whole layer: Σ_j ∂E/∂a_j · ∂a_j/∂z_q, contracted."""
    back = error_of_output(consumer)
    return (*back, *group_delta("delta.{l}", Partial(ERROR, OUT[LAYER, TO]), activation, (back[-1].label,)))


@lru_cache
def hidden_piece_deltas(consumer: Equation, activation: Equation) -> tuple[Step, ...]:
    """δ of every pre-activation of a unit of several pieces in layer l: ∂E/∂a_j · ∂a_j/∂z."""
    out, steps = OUT[LAYER, TO], list(error_of_output(consumer))
    uses = (steps[-1].label,)
    for block, pre in enumerate(activation.parents):
        name, slope = f"delta.{{l}}.piece.{block}", piece_slope(activation, block)[-1]
        chain = Chain(Partial(ERROR, out), Partial(out, pre))
        steps.append(Step(f"{name}.chain", DELTA[pre.indices], chain, rules.CHAIN))
        inserted = Chain(Partial(ERROR, out), slope.right)
        steps.append(Step(name, chain, inserted, rules.SUBSTITUTE, (*uses, slope.label)))
    return tuple(steps)


@lru_cache
def gradient(equation: Equation, of: Entry, penalty: PenaltyUse | None) -> tuple[Step, ...]:
    """∂E/∂w_ij (or ∂E/∂b_j): Σ_q δ_q ∂z_q/∂w_ij, where the Kronecker delta leaves the unit that w_ij leads to."""
    kind = of.base.label
    other = index("q")
    unit = of.indices[-1]
    using = PRE[LAYER + 1, unit]
    spread = local_derivative(equation, other, of)
    local = contract(Sum(spread, (other, 1, equation.count)))
    name = f"gradient.{kind}.{{l}}"
    chain = Chain(Partial(ERROR, using), Partial(using, of))
    folded = contract(Sum(DELTA[LAYER + 1, other] * spread, (other, 1, equation.count)))
    steps = [
        Step(name + ".chain", Partial(ERROR, of), chain, rules.CHAIN),
        Step(name + ".local", Partial(using, of), local, picking(equation, of), ("forward.z.{next}",)),
        Step(
            name + ".inserted",
            Partial(ERROR, of),
            Chain(Partial(ERROR, using), local),
            rules.SUBSTITUTE,
            (name + ".chain", name + ".local"),
        ),
        Step(name, Partial(ERROR, of), folded, rules.LOCAL_GRADIENT, (name + ".inserted",)),
    ]
    if penalty is not None and (of.base == WEIGHT or penalty.biases):
        share = layers.penalty(penalty, of)
        whole, alone = Partial(OBJECTIVE, of), Partial(share, of)
        slope = sp.diff(share, of)
        steps += [
            Step(name + ".parts", whole, Total(Partial(ERROR, of), alone), rules.SUM, ("objective",)),
            Step(name + ".penalty", alone, slope, rules.POWER),
            Step(
                name + ".total",
                whole,
                Total(folded, slope),
                rules.SUBSTITUTE,
                (name, name + ".parts", name + ".penalty"),
            ),
        ]
    return tuple(steps)


def picking(equation: Equation, of: Entry) -> rules.Rule:
    """The rule of ∂z/∂w: an entry that is summed over is left alone in its sum, another one is no part of any sum."""
    summed = any(total.has(of.base) for total in equation.right.atoms(Sum))
    return rules.KRONECKER if summed else rules.LOCAL


@lru_cache
def update(of: Entry, penalised: bool) -> Step:
    """One descent step, w ← w - η ∂E/∂w, every quantity on the right from before the update."""
    gradient_of = Partial(OBJECTIVE if penalised else ERROR, of)
    return Step(
        f"update.{of.base.label}.{{l}}",
        quantities.updated(of),
        of - RATE * gradient_of,
        rules.DESCENT,
        (gradient_label(of, penalised),),
    )


def gradient_label(of: Entry, penalised: bool) -> str:
    """The label of the step that gives the gradient, with the penalty's share where there is one."""
    return f"gradient.{of.base.label}.{{l}}" + (".total" if penalised else "")


@lru_cache
def change(of: Entry, penalised: bool) -> tuple[Step, ...]:
    """The same descent step in two: the change Δw = -η ∂E/∂w, and the weight w + Δw that it leads to."""
    kind, by = of.base.label, quantities.change(of)
    slope = Partial(OBJECTIVE if penalised else ERROR, of)
    name = f"change.{kind}.{{l}}"
    return (
        Step(name, by, -RATE * slope, rules.DESCENT, (gradient_label(of, penalised),)),
        Step(f"{name}.applied", quantities.updated(of), of + by, rules.ADD_CHANGE, (name,)),
    )

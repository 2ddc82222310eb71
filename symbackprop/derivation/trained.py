"""Trained parameters of activations: a parameter acts on the error through every unit of its layer.

∂E/∂α = Σ_j ∂E/∂a_j · ∂a_j/∂α, where ∂a_j/∂α is the derivative of the activation's formula by α, taken at z_j.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from sympy import Expr, Integer, Sum, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Chain, Partial
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Block, Step
from symbackprop.network.layers import by_parameter
from symbackprop.network.quantities import ERROR, LAYER, OUT, OUTPUT_UNIT, PRE, SIZE, TO
from symbackprop.network.spec import ActivationUse


@lru_cache
def lines_by(tag: str, value: Expr, symbol: Symbol) -> tuple[Step, ...]:
    """∂f/∂α as a function of z, one rule at a time; the last line has the label that later steps cite."""
    name = f"slope.{by_parameter(tag, symbol)}"
    left = Apply(by_parameter(tag, symbol), Integer(0), Z)
    steps = [Step(f"{name}.0", left, Partial(value, symbol), rules.DEFINITION)]
    steps += [
        Step(f"{name}.{n}", line.left, line.right, line.rule)
        for n, line in enumerate(differentiate(value, symbol), start=1)
    ]
    return (*steps[:-1], replace(steps[-1], label=name))


def slopes_by(use: ActivationUse) -> Iterator[tuple[Symbol, Slope]]:
    """The derivatives of an activation by its trained parameters, as functions of z with names of their own."""
    for symbol in use.trained:
        name = by_parameter(use.tag, symbol)
        yield name, Slope(name, lines_by(use.tag, use.entry.value, symbol)[-1].right)


def slope_blocks(use: ActivationUse) -> Iterator[Block]:
    """The derivation of each of them."""
    for symbol in use.trained:
        about = (Apply(Symbol(use.tag), Integer(0), Z), symbol)
        yield Block("slope_by", lines_by(use.tag, use.entry.value, symbol), about)


def at_output(slope_of_error: Expr, tag: str, symbol: Symbol, of: Entry) -> tuple[Step, ...]:
    """The gradient of a parameter of the output layer's activation; ``slope_of_error`` is ∂E/∂a_k."""
    uses = () if isinstance(slope_of_error, Partial) else ("error.slope",)
    return gradient(slope_of_error, OUTPUT_UNIT, uses, by_parameter(tag, symbol), of)


def at_hidden(passed: Step, tag: str, symbol: Symbol, of: Entry) -> tuple[Step, ...]:
    """The gradient of a parameter of a hidden layer's activation; ``passed`` states ∂E/∂a_j."""
    return gradient(passed.right, TO, (passed.label,), by_parameter(tag, symbol), of)


def gradient(slope_of_error: Expr, unit: Symbol, uses: tuple[str, ...], by: Symbol, of: Entry) -> tuple[Step, ...]:
    """∂E/∂α as the sum over the units of its layer, in the symbolic layer."""
    out, pre = OUT[LAYER, unit], PRE[LAYER, unit]
    limits, name = (unit, 1, SIZE[LAYER]), f"gradient.{of.base.label}.{{l}}"
    chain = Sum(Chain(Partial(ERROR, out), Partial(out, of)), limits)
    local = Apply(by, Integer(0), pre)
    inserted = Sum(Chain(slope_of_error, local), limits)
    return (
        Step(f"{name}.chain", Partial(ERROR, of), chain, rules.CHAIN),
        Step(f"{name}.local", Partial(out, of), local, rules.LOCAL, ("forward.a.{l}", f"slope.{by}")),
        Step(name, Partial(ERROR, of), inserted, rules.SUBSTITUTE, (f"{name}.chain", *uses, f"{name}.local")),
    )

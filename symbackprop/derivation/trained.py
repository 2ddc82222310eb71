"""Trained parameters of activations: a parameter acts on the error through every unit of its layer.

∂E/∂α = Σ_j ∂E/∂a_j · ∂a_j/∂α, where ∂a_j/∂α is the derivative of the activation's formula by α, taken at z_j. Where
that has a form in the output that cancels with the error's slope, the form is put in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import sympy as sp
from sympy import Expr, Integer, Piecewise, Sum, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.in_terms_of_output import in_terms_of_output
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Chain, Partial
from symbackprop.catalogue.entries import A, Z
from symbackprop.derivation.output import cancelled, in_chain
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


@lru_cache
def in_output(value: Expr, symbol: Symbol) -> Expr | None:
    """∂f/∂α as a polynomial in the output ``A`` and ``Z``, which may stand in for it anywhere; None without one.

    >>> beta = Symbol("beta", real=True)
    >>> in_output(1 / (1 + sp.exp(-beta * Z)), beta)
    a*z*(1 - a)
    """
    found = in_terms_of_output(value, Z, A, symbol)
    if found is None or found.slope.has(Piecewise) or not found.slope.has(A):
        return None
    return found.slope if sp.fraction(sp.together(found.slope))[1].is_number else None


def slopes_by(use: ActivationUse) -> Iterator[tuple[Symbol, Slope]]:
    """The derivatives of an activation by its trained parameters, as functions of z with names of their own."""
    for symbol in use.trained:
        name = by_parameter(use.tag, symbol)
        yield name, Slope(name, lines_by(use.tag, use.entry.value, symbol)[-1].right)


def slope_blocks(use: ActivationUse) -> Iterator[Block]:
    """The derivation of each of them."""
    for symbol in use.trained:
        steps, value = lines_by(use.tag, use.entry.value, symbol), Apply(Symbol(use.tag), Integer(0), Z)
        if (form := in_output(use.entry.value, symbol)) is not None:
            final = steps[-1]
            inside = form.xreplace({A: value})
            steps = (*steps, Step(f"{final.label}.output", steps[0].left, inside, rules.IN_OUTPUT, (final.label,)))
        yield Block("slope_by", steps, (value, symbol))


def at_output(slope_of_error: Expr, use: ActivationUse, symbol: Symbol, of: Entry) -> tuple[Step, ...]:
    """The gradient of a parameter of the output layer's activation; ``slope_of_error`` is ∂E/∂a_k."""
    uses = () if isinstance(slope_of_error, Partial) else ("error.slope",)
    return gradient(slope_of_error, OUTPUT_UNIT, uses, use=use, symbol=symbol, of=of)


def at_hidden(passed: Step, use: ActivationUse, symbol: Symbol, of: Entry) -> tuple[Step, ...]:
    """The gradient of a parameter of a hidden layer's activation; ``passed`` states ∂E/∂a_j."""
    return gradient(passed.right, TO, (passed.label,), use=use, symbol=symbol, of=of)


def gradient(
    slope_of_error: Expr, unit: Symbol, uses: tuple[str, ...], *, use: ActivationUse, symbol: Symbol, of: Entry
) -> tuple[Step, ...]:
    """∂E/∂α as the sum over the units of its layer, in the symbolic layer."""
    out, pre = OUT[LAYER, unit], PRE[LAYER, unit]
    limits, name, by = (unit, 1, SIZE[LAYER]), f"gradient.{of.base.label}.{{l}}", by_parameter(use.tag, symbol)
    chain = Sum(Chain(Partial(ERROR, out), Partial(out, of)), limits)
    local, label = Apply(by, Integer(0), pre), f"slope.{by}"
    form = in_output(use.entry.value, symbol)
    if reduces := form is not None and cancels(slope_of_error, in_unit := form.xreplace({A: out, Z: pre})):
        local, label = in_unit, f"{label}.output"
    inserted = in_chain(Chain(slope_of_error, local))
    cites = (f"{name}.chain", *uses, f"{name}.local")
    steps = (
        Step(f"{name}.chain", Partial(ERROR, of), chain, rules.CHAIN),
        Step(f"{name}.local", Partial(out, of), local, rules.FOUND, (label,)),
        Step(name, Partial(ERROR, of), Sum(inserted, limits), rules.SUBSTITUTE, cites),
    )
    if not reduces:
        return steps
    whole = replace(steps[-1], label=f"{name}.inserted")
    reduced = Sum(cancelled(inserted), limits)
    return (*steps[:-1], whole, Step(name, Partial(ERROR, of), reduced, rules.CANCEL, (whole.label,)))


def cancels(slope_of_error: Expr, local: Expr) -> bool:
    """Whether the error's slope has a denominator of which something cancels with ``local``."""
    product = in_chain(Chain(slope_of_error, local))
    return bool(sp.fraction(slope_of_error)[1].has(OUT)) and cancelled(product) != product

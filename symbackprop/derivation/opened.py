"""The form with δ of one parameter's derivative, and its δ opened down to the output: the sum over the paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.derivation import paths as along
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.scalar import together
from symbackprop.derivation.steps import Step
from symbackprop.network.quantities import DELTA, is_trained


def by_delta(derivation: Derivation, of: Entry) -> Iterator[Step]:
    """∂E/∂w = δ · a, and δ of the unit that the weight feeds; for a trained parameter, the sum over its layer."""
    folded = derivation.scalar.folded(of)
    if is_trained(of):
        yield Step("weight.folded", folded.left, over_units(derivation, of), folded.rule, folded.uses)
        return
    yield Step("weight.folded", folded.left, folded.right, rules.LOCAL_GRADIENT, ("weight.unit", "weight.local"))
    layer, pre = along.first_unit(of)
    stated = derivation.scalar.delta(layer, pre)
    read = {partial for step in stated for partial in step.right.atoms(Partial)}
    for step in (*(step for step in derivation.scalar.passed(layer) if step.left in read), *stated):
        yield Step(f"weight.{step.label}", step.left, step.right, step.rule, step.uses)


def over_units(derivation: Derivation, of: Entry) -> Expr:
    """∂E/∂α as the sum over the units of its layer, in their order."""
    layer = along.first_layer(of)
    total = derivation.general[f"gradient.{of.base.label}.{layer}"].right
    ((unit, *_),) = total.limits
    units = derivation.graph.units(layer)
    return together([derivation.scalar.instance(total.function, **{unit.name: n}) for n in units])


def proof(derivation: Derivation, of: Entry, products: Sequence[Step]) -> Iterator[Step]:
    """The form with δ, every δ in it opened down to the output, is the sum over the paths."""
    steps = list(by_delta(derivation, of))
    yield from steps
    scalar, graph = derivation.scalar, derivation.graph
    current, label = steps[0].right, steps[0].label
    for layer in range(along.first_layer(of), graph.depth + 1):
        values = {DELTA[layer, j]: scalar.delta(layer, j)[-1].right for j in graph.fed(layer)}
        slopes = {step.left: step.right for step in scalar.passed(layer)}
        if slopes:
            values = {of: put_in_order(right, slopes) for of, right in values.items()}
        if not values.keys() & current.atoms(Entry):
            continue
        opened = put_in_order(current, values)
        if current in values:  # the lines above have said it
            label = steps[-1].label
        else:
            uses = tuple(found for entry in values if (found := stated(derivation, entry)) and current.has(entry))
            yield Step(f"weight.opened.{layer}", current, opened, rules.SUBSTITUTE, uses or (label,))
            label = f"weight.opened.{layer}"
        current = opened
    total = together([step.right for step in products])
    if as_printed(current) != as_printed(total):
        rule = rules.MULTIPLY_OUT if isinstance(total, Total) else rules.SAME_PRODUCT
        yield Step("weight.same", current, total, rule, ("weight.sum",))


def stated(derivation: Derivation, delta: Entry) -> str | None:
    """The label of the line that states one unit's δ; None where units have no lines of their own."""
    label = derivation.scalar.delta(*map(int, delta.indices))[-1].label
    return label if label in derivation.by_label else None


def put_in_order(expr: Expr, values: dict[Expr, Expr]) -> Expr:
    """``expr`` with formulas in place of its δ, the order of its factors kept."""
    if expr in values:
        return values[expr]
    if not expr.args or isinstance(expr, (Entry, Symbol, Partial)):
        return expr
    args = [put_in_order(arg, values) for arg in expr.args]
    if isinstance(expr, sp.Mul | Chain):
        return Chain(*(f for arg in args for f in (arg.args if isinstance(arg, Chain) else (arg,))))
    return Total(*args) if isinstance(expr, sp.Add) and expr.has(DELTA) else expr.func(*args)


def as_printed(expr: Expr) -> list[tuple[Expr, ...]]:
    """The factors of every term of a sum, in order."""
    return [factors(term) for term in (expr.args if isinstance(expr, Total) else [expr])]


def factors(expr: Expr) -> tuple[Expr, ...]:
    """The factors of a product as they are printed, in order."""
    if isinstance(expr, Chain):
        return tuple(factor for arg in expr.args for factor in factors(arg))
    return tuple(sp.Mul.make_args(expr))

"""One weight or bias alone: through the unit it feeds, along every path, and the proof that both are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import sympy as sp
from sympy import Expr, Integer, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.derivation import paths as along
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.scalar import PATHS_SHOWN, together, without_ones
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.network.quantities import DELTA, ERROR, OUT, PRE

FIRST_SHOWN = 3  # paths that are written out where there are too many for all


def weight_section(derivation: Derivation, of: Entry) -> Section:
    """∂E/∂w for the weight or bias ``of``, in every way: by its unit, by its paths, by δ.

    The section's steps cite those of ``derivation``. Where the paths are many, their number, the first few and the
    factored form are given.
    """
    count = along.count_paths(derivation.graph, of)
    many = count > PATHS_SHOWN
    shown = list(islice(along.paths(derivation.graph, of), FIRST_SHOWN if many else PATHS_SHOWN))
    products = [Step(f"weight.path.{n}", *along_path(derivation, path)) for n, path in enumerate(shown, start=1)]
    blocks = [
        Block("weight_unit", tuple(through_unit(derivation, of)), (of, PRE[along.first_unit(of)])),
        Block("weight_paths_many" if many else "weight_paths", tuple(products), (of, Integer(count))),
    ]
    if many:
        blocks.append(Block("weight_factored", tuple(by_delta(derivation, of)), (of,)))
    else:
        blocks.append(Block("weight_sum", tuple(summed(of, products)), (of,)))
        blocks.append(Block("weight_proof", tuple(proof(derivation, of, products)), (of,)))
    return Section("weight", tuple(blocks))


def through_unit(derivation: Derivation, of: Entry) -> Iterator[Step]:
    """∂E/∂w = ∂E/∂z · ∂z/∂w = ∂E/∂a · f′(z) · a."""
    pre, out = PRE[along.first_unit(of)], OUT[along.first_unit(of)]
    local, cited = derivation.scalar.factor(pre, of)
    by_unit = Chain(Partial(ERROR, pre), Partial(pre, of))
    inserted = without_ones([Partial(ERROR, pre), local])
    yield Step("weight.unit", Partial(ERROR, of), by_unit, rules.CHAIN)
    yield Step("weight.local", Partial(pre, of), local, rules.LOCAL, cited)
    yield Step("weight.inserted", by_unit, inserted, rules.SUBSTITUTE, ("weight.local",))
    if derivation.graph.spec.activation_of(int(pre.indices[0])).entry.group:
        return
    slope, cited = derivation.scalar.factor(out, pre)
    through = without_ones([Partial(ERROR, out), slope, local])
    yield Step("weight.through", inserted, through, rules.CHAIN, cited)


def along_path(derivation: Derivation, path: along.Path) -> tuple[Expr, Expr, rules.Rule, tuple[str, ...]]:
    """The chain rule along one path, and the product of the factors' values."""
    chain = along.chain(path)
    values, cited = zip(*(derivation.scalar.factor(factor.of, factor.by) for factor in chain.args), strict=True)
    labels = dict.fromkeys(label for each in cited for label in each)
    return chain, without_ones(list(values)), rules.SUBSTITUTE, tuple(labels)


def summed(of: Entry, products: Sequence[Step]) -> Iterator[Step]:
    """∂E/∂w as the sum of the products along all paths."""
    labels = tuple(step.label for step in products)
    yield Step("weight.sum", Partial(ERROR, of), together([step.right for step in products]), rules.CHAIN, labels)


def by_delta(derivation: Derivation, of: Entry) -> Iterator[Step]:
    """∂E/∂w = δ · a, and δ of the unit that the weight feeds."""
    folded = derivation.scalar.folded(of)
    yield Step("weight.folded", folded.left, folded.right, rules.LOCAL_GRADIENT, ("weight.unit", "weight.local"))
    for step in derivation.scalar.delta(*along.first_unit(of)):
        yield Step(f"weight.{step.label}", step.left, step.right, step.rule, step.uses)


def proof(derivation: Derivation, of: Entry, products: Sequence[Step]) -> Iterator[Step]:
    """δ · a, with every δ opened down to the output, is the sum over the paths."""
    steps = list(by_delta(derivation, of))
    yield from steps
    scalar, graph = derivation.scalar, derivation.graph
    current, label = steps[0].right, steps[0].label
    for layer in range(along.first_unit(of)[0], graph.depth + 1):
        values = {DELTA[layer, j]: scalar.delta(layer, j)[-1].right for j in graph.units(layer)}
        opened = put_in_order(current, values)
        if opened == current:
            continue
        if current not in values:
            yield Step(f"weight.opened.{layer}", current, opened, rules.SUBSTITUTE, (label,))
        current, label = opened, f"weight.opened.{layer}"
    total = together([step.right for step in products])
    if factors(current) != factors(total):
        rule = rules.MULTIPLY_OUT if isinstance(total, Total) else rules.SAME_PRODUCT
        yield Step("weight.same", current, total, rule, ("weight.sum",))


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


def factors(expr: Expr) -> tuple[Expr, ...]:
    """The factors of a product as they are printed, in order."""
    if isinstance(expr, Chain):
        return tuple(factor for arg in expr.args for factor in factors(arg))
    return tuple(sp.Mul.make_args(expr))

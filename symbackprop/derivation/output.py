"""The output layer: ∂E/∂a from the loss, the activation's slope, and their product δ, cancelled where it cancels."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy as sp
from sympy import Add, Expr, Mul, Sum

from symbackprop.calculus import rules
from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.indices import Entry, apart, contracted, derivative, index
from symbackprop.calculus.inert import Apply, Chain, Partial, spelled_out
from symbackprop.catalogue.entries import A, C, Loss, T
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Assumption, Step
from symbackprop.network.layers import Equation, at_outputs, part
from symbackprop.network.quantities import CLASS_WEIGHT, DELTA, ERROR, LAYER, OUT, OUTPUT_UNIT, PRE, SIZE, TARGET

OTHER = index("q")  # the unit whose pre-activation varies, where a group function ties all units together
OUT_K, PRE_K = OUT[LAYER, OUTPUT_UNIT], PRE[LAYER, OUTPUT_UNIT]

TARGETS_SUM_TO_ONE = Assumption("targets_sum_to_one", Sum(TARGET[OUTPUT_UNIT], (OUTPUT_UNIT, 1, SIZE[LAYER])) - 1)


@lru_cache
def error_slope(error: Equation, share: Expr | None) -> tuple[tuple[Step, ...], Expr]:
    """∂E/∂a_k in steps, and its value; ``share`` is one output's part of the error in ``A``, ``T``, ``C``.

    Only the k-th share holds a_k; a joint loss has no shares (None) and is differentiated whole. A generic loss keeps
    ``∂E/∂a_k`` as it is.
    """
    left = Partial(ERROR, OUT_K)
    if isinstance(share, Apply):
        return (), left
    if share is None:
        lines = differentiate(apart(error.right, OUT_K), OUT_K)
        steps = [Step("error.slope.0", left, lines[0].left, rules.SUBSTITUTE, ("error",))]
        steps += [Step(f"error.slope.{n}", line.left, line.right, line.rule) for n, line in enumerate(lines, start=1)]
        return finished_as("error.slope", steps), spelled_out(steps[-1].right)
    factor, _ = error.right.as_independent(Sum)
    unit = {A: OUT_K, T: TARGET[OUTPUT_UNIT], C: CLASS_WEIGHT[OUTPUT_UNIT]}
    first = times(factor, Partial(share.xreplace(unit), OUT_K))
    steps = [Step("error.slope.0", left, first, rules.KRONECKER, ("error",))]
    for n, line in enumerate(differentiate(share, A), start=1):
        before, after = (times(factor, side.xreplace(unit)) for side in (line.left, line.right))
        steps.append(Step(f"error.slope.{n}", before, after, line.rule))
    return finished_as("error.slope", steps), spelled_out(steps[-1].right)


@lru_cache
def part_slope(error: Equation, share: Expr, block: int, parts: int) -> tuple[Step, ...]:
    """∂E/∂a for the output of the k-th target in a block, in steps; only that target's share holds it.

    The outputs of one target are different quantities here, so no Kronecker delta ties them.
    """
    own = [part(OUTPUT_UNIT, each, parts) for each in range(parts)]
    outs, symbols = [OUT[LAYER, place] for place in own], [sp.Symbol(f"a_{n}", real=True) for n in range(parts)]
    put = dict(zip(outs, symbols, strict=True))
    back = dict(zip(symbols, outs, strict=True))
    of_target = at_outputs(share)
    factor, _ = error.right.as_independent(Sum)
    name, left = f"error.slope.part.{block}", Partial(ERROR, outs[block])
    first = times(factor, Partial(of_target, outs[block]))
    steps = [Step(f"{name}.0", left, first, rules.KRONECKER, ("error",))]
    for n, line in enumerate(differentiate(of_target.xreplace(put), symbols[block]), start=1):
        before, after = (times(factor, side.xreplace(back)) for side in (line.left, line.right))
        steps.append(Step(f"{name}.{n}", before, after, line.rule))
    return finished_as(name, steps)


def part_deltas(error: Equation, share: Expr, parts: int, slope: Slope) -> tuple[Step, ...]:
    """δ of every output of a target, for an activation that works unit by unit."""
    steps: list[Step] = []
    for block in range(parts):
        *_, of_error = part_slope(error, share, block, parts)
        place = part(OUTPUT_UNIT, block, parts)
        pre, out = PRE[LAYER, place], OUT[LAYER, place]
        value = spelled_out(of_error.right)
        cites = (of_error.label, *slope.cites)
        steps += delta_of_unit(f"output.piece.{block}", value, pre, slope.at(pre, out), cites, out=out)
    return tuple(steps)


def where_defined(loss: Loss, layer: int) -> tuple[Expr, ...]:
    """Where the loss and its slope have a value: outputs inside the domain, and away from its kinks."""
    low, high = loss.domain
    bounds = [sp.Gt(A, low)] if low.is_finite else []
    bounds += [sp.Lt(A, high)] if high.is_finite else []
    apart = [sp.Ne(A, kink.at) for kink in loss.kinks]
    return tuple(at_outputs(condition).xreplace({LAYER: sp.Integer(layer)}) for condition in (*bounds, *apart))


def times(factor: Expr, expr: Expr) -> Expr:
    """The factor in front, where there is one."""
    return expr if factor == 1 else Chain(factor, expr)


@lru_cache
def elementwise_delta(slope_of_error: Expr, slope: Slope) -> tuple[Step, ...]:
    """δ_k = ∂E/∂a_k · f′(z_k), for an activation that works unit by unit."""
    return delta_of_unit("output", slope_of_error, PRE_K, slope.at(PRE_K, OUT_K), slope.cites)


def delta_of_unit(
    name: str, slope_of_error: Expr, pre: Entry, slope: Expr, cites: tuple[str, ...], *, out: Entry = OUT_K
) -> tuple[Step, ...]:
    """δ = ∂E/∂a · ∂a/∂z for a pre-activation ``pre`` that the output ``out`` alone reads; ``slope`` is ∂a/∂z."""
    factors = Chain(Partial(ERROR, out), Partial(out, pre))
    inserted = slope_of_error if slope == 1 else Chain(slope_of_error, slope)
    uses = () if isinstance(slope_of_error, Partial) or out != OUT_K else ("error.slope",)
    steps = [
        Step(f"{name}.definition", DELTA[pre.indices], Partial(ERROR, pre), rules.DEFINITION),
        Step(f"{name}.chain", Partial(ERROR, pre), factors, rules.CHAIN),
        Step(f"{name}.insert", factors, inserted, rules.SUBSTITUTE, uses + cites),
    ]
    product = cancelled(inserted) if isinstance(inserted, Chain) else inserted
    if product != inserted:
        rule = rules.CANCEL if sp.fraction(slope_of_error)[1].has(out) else rules.SIMPLIFY
        steps.append(Step(f"{name}.cancel", inserted, product, rule))
    return finished_as(f"{name}.delta", steps)


def finished_as(label: str, steps: list[Step]) -> tuple[Step, ...]:
    """The steps, the last of them under the ``label`` that later steps cite."""
    return (*steps[:-1], replace(steps[-1], label=label))


def cancelled(product: Chain) -> Expr:
    """The product with common factors cancelled; it stays as it was where nothing cancels."""
    plain = [f for f in product.args if f != 1]
    value = Mul(*plain)
    if sp.fraction(value)[1].has(OUT):
        reduced = sp.cancel(value)
        value = reduced if sp.count_ops(reduced) < sp.count_ops(value) else value
    if sp.count_ops(value) < sp.count_ops(Mul(*plain, evaluate=False)):
        return value
    return plain[0] if len(plain) == 1 else Chain(*plain)


@lru_cache
def group_slope(activation: Equation) -> tuple[Step, ...]:
    """∂a_k/∂z_q of a group function such as softmax, written in terms of the outputs.

    With S for the sum that all units share, a_k = f(z_k, S) is solved for z_k; put in, S cancels.
    """
    varied = PRE[LAYER, OTHER]
    raw = derivative(activation.right, varied)
    left = Partial(activation.left, varied)
    inside = in_outputs(raw, activation)
    rule = rules.QUOTIENT if sp.fraction(activation.right)[1] != 1 else rules.LOCAL
    return (
        Step("slope.group.{l}.0", left, raw, rule, ("forward.a.{l}",)),
        Step("slope.group.{l}.1", raw, inside, rules.IN_OUTPUT, ("forward.a.{l}",)),
    )


def in_outputs(expr: Expr, activation: Equation) -> Expr:
    """``expr`` with the group function's own pre-activations and shared sums replaced by its outputs."""
    shared = {
        total: sp.Dummy(f"S{n}", positive=True) for n, total in enumerate(sorted(activation.right.atoms(Sum), key=str))
    }
    pre = sp.Dummy("z", real=True)
    own, (_, unit) = activation.left, activation.left.indices
    equation = activation.right.xreplace(shared).xreplace({PRE[LAYER, unit]: pre}) - own
    # Every step is proved later, and SymPy's own check of a solution loads its units of physics first.
    (inverse,) = sp.solve(equation, pre, check=False, simplify=False)
    solved = {PRE[LAYER, at]: inverse.xreplace({unit: at}) for at in (unit, OTHER)}
    value = sp.expand(expr.xreplace(shared).xreplace(solved))
    return common_factor_out(value)


def common_factor_out(expr: Expr) -> Expr:
    """A sum with the entries that all its terms share written in front of the brackets."""
    terms = Add.make_args(expr)
    if len(terms) == 1:
        return expr
    shared = [f for f in Mul.make_args(terms[0]) if isinstance(f, Entry) and all(f in Mul.make_args(t) for t in terms)]
    if not shared:
        return expr
    outside = Mul(*shared)
    return Mul(outside, Add(*(t / outside for t in terms)), evaluate=False)


@lru_cache
def group_delta(
    name: str, error_slope_value: Expr, activation: Equation, uses: tuple[str, ...], sums_to_one: bool = False
) -> tuple[Step, ...]:
    """δ_q = Σ_k ∂E/∂a_k · ∂a_k/∂z_q, contracted; with Σ t = 1 where the loss says that targets are distributions.

    ``name`` begins the labels, ``uses`` are those of the steps that state ∂E/∂a_k.
    """
    slope, out = group_slope(activation), activation.left
    delta, varied = DELTA[LAYER, OTHER], PRE[LAYER, OTHER]
    limits = (out.indices[1], 1, SIZE[LAYER])
    chain = Sum(Chain(Partial(ERROR, out), Partial(out, varied)), limits)
    inserted = Sum(Chain(error_slope_value, slope[-1].right), limits)
    product = error_slope_value if error_slope_value.has(Partial) else in_lowest_terms(error_slope_value)
    reduced = reduce_product(product, slope[-1].right)
    final = common_factor_out(contracted(reduced, [limits]))
    steps = [
        Step(f"{name}.definition", delta, Partial(ERROR, varied), rules.DEFINITION),
        Step(f"{name}.chain", Partial(ERROR, varied), chain, rules.CHAIN),
        Step(f"{name}.insert", chain, inserted, rules.SUBSTITUTE, (*uses, slope[-1].label)),
    ]
    if sp.fraction(product)[1].has(OUT):
        steps.append(Step(f"{name}.cancel", inserted, Sum(reduced, limits), rules.CANCEL))
    steps.append(Step(f"{name}.contract", steps[-1].right, final, rules.KRONECKER))
    total = Sum(TARGET[OUTPUT_UNIT], limits)
    opened = sums_split(final)
    if sums_to_one and opened.has(total):
        if opened != final:
            steps.append(Step(f"{name}.split", final, opened, rules.SPLIT_SUM))
        assumed = opened.xreplace({total: sp.S.One})
        steps.append(Step(f"{name}.assume", opened, assumed, rules.ASSUMPTION, assumptions=(TARGETS_SUM_TO_ONE,)))
    return finished_as("output.delta" if name == "output" else name, steps)


def sums_split(expr: Expr) -> Expr:
    """``expr`` with the sums that hold no outputs split into sums of single terms, their constant factors in front."""

    def split(total: Sum) -> Expr:
        terms = Add.make_args(sp.expand(total.function))
        return Add(*(contracted(term, total.limits) for term in terms))

    return expr.replace(lambda e: isinstance(e, Sum) and not e.function.has(OUT), split)


def in_lowest_terms(expr: Expr) -> Expr:
    """``expr`` with common factors cancelled, where outputs stand above and below the line."""
    above, below = sp.fraction(expr)
    if below.has(OUT) and not above.has(OUT):
        return expr
    return sp.cancel(expr) if sp.fraction(sp.together(expr))[1].has(OUT) else expr


def in_chain(product: Chain) -> Expr:
    """An ordered product whose last factor is opened up, so that a(1 - a) prints as two factors; no factors of one."""
    *head, last = product.args
    opened = sorted(Mul.make_args(last), key=lambda f: (isinstance(f, Add), str(f)))
    factors = [f for f in (*head, *opened) if f != 1]
    return factors[0] if len(factors) == 1 else Chain(*factors)


def reduce_product(error_slope_value: Expr, slope: Expr) -> Expr:
    """The product of the two slopes with a_k cancelled, the bracket [k = q] - a_q kept whole.

    Where ∂E/∂a_k is a sum of cases, each term gets a product of its own, so that each keeps its own cases.
    """
    factors = Mul.make_args(error_slope_value)
    cases = next((f for f in factors if isinstance(f, Add) and f.has(sp.Piecewise)), None)
    if cases is not None:
        rest = Mul(*(f for f in factors if f != cases))
        return Add(*(reduce_product(rest * term, slope) for term in cases.args))
    return Mul(*(f for part in (error_slope_value, slope) for f in Mul.make_args(part)))

"""The kinds of layer equation: each is one forward equation in index notation, for a layer l left symbolic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Add, Expr, Integer, Mul, Sum, Symbol

from symbackprop.calculus.indices import Entry, InBlock
from symbackprop.calculus.inert import Apply
from symbackprop.catalogue import entries as row
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    CLASS_WEIGHT,
    ERROR,
    FROM,
    LAYER,
    OUT,
    OUTPUT_UNIT,
    PRE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
)
from symbackprop.network.spec import ActivationUse, LossUse, PenaltyUse

GENERIC_LOSS = Symbol("cost")
BY = "_by_"


def by_parameter(tag: str, parameter: Symbol) -> Symbol:
    """The name of the function of z that is the derivative of the activation ``tag`` by its trained parameter.

    >>> by_parameter("prelu", Symbol("alpha_2"))
    prelu_by_alpha_2
    """
    return Symbol(f"{tag}{BY}{parameter.name}")


@dataclass(frozen=True)
class Equation:
    """``left = right`` for every unit; ``parents`` are the entries, at their own indices, that ``right`` depends on.

    The index of ``left`` runs up to ``count``, the number of such equations.
    """

    left: Expr
    right: Expr
    parents: tuple[Entry, ...]
    count: Expr


def dense(bias: bool, pieces: int = 1) -> Equation:
    """The pre-activations of layer l+1, so many ``pieces`` for each unit: z_j = Σ_i w_ij a_i (+ b_j).

    >>> dense(bias=False).right
    Sum(ai[l]*wij[l], (i, 1, n[l]))
    """
    weight, source = WEIGHT[LAYER, FROM, TO], OUT[LAYER, FROM]
    products = Sum(weight * source, (FROM, 1, SIZE[LAYER]))
    parents, count = (weight, source), pieces * SIZE[LAYER + 1]
    if not bias:
        return Equation(PRE[LAYER + 1, TO], products, parents, count)
    return Equation(PRE[LAYER + 1, TO], Add(products, BIAS[LAYER, TO]), (*parents, BIAS[LAYER, TO]), count)


def in_layer(expr: Expr, equation: Equation) -> Expr:
    """``expr``, written in the catalogue's ``V``, at the unit whose output ``equation`` states.

    >>> in_layer(row.V[row.K], Equation(OUT[LAYER, TO], PRE[LAYER, TO], (), SIZE[LAYER]))
    zj[l]
    """
    at = expr.xreplace({row.N: SIZE[LAYER], row.K: equation.left.indices[1]})
    return at.xreplace({entry: PRE[LAYER, entry.indices[0]] for entry in at.atoms(Entry) if entry.base == row.V})


def activation(use: ActivationUse, at_output: bool = True) -> Equation:
    """The outputs of layer l: a_j = f(z_j), or the formula over the layer's pre-activations.

    There, k is the unit where l is the output layer.
    """
    if not use.entry.over_units:
        pre = PRE[LAYER, TO]
        output = pre if use.entry.value == row.Z else Apply(Symbol(use.tag), Integer(0), pre)
        return Equation(OUT[LAYER, TO], output, (pre,), SIZE[LAYER])
    assert use.entry.value is not None
    unit = OUTPUT_UNIT if at_output else TO
    own: tuple[Entry, ...] = (PRE[LAYER, unit],)
    if use.entry.pieces > 1:
        own = tuple(PRE[LAYER, InBlock(unit, block, SIZE[LAYER])] for block in range(use.entry.pieces))
    unread = Equation(OUT[LAYER, unit], Integer(0), own, SIZE[LAYER])
    return replace(unread, right=in_layer(use.entry.value, unread))


def loss_share(use: LossUse) -> Expr | None:
    """One output's share of the error, in the catalogue's ``A``, ``T`` and ``C``, for the units of layer l.

    Where classes have weights, each share counts as much as its class. None for a joint loss, which has no shares.
    """
    if use.entry.joint:
        return None
    if use.entry.value is None:
        return Apply(GENERIC_LOSS, Integer(0), row.A, row.T)
    share = use.entry.value.xreplace({row.N: SIZE[LAYER]})
    return row.C * share if use.class_weights else share


def part(unit: Expr, block: int, parts: int) -> Expr:
    """The place of the output of a target in a block of the outputs of layer l; of one part, the target's own place.

    >>> part(OUTPUT_UNIT, 1, 2), part(OUTPUT_UNIT, 0, 1)
    (k+n[l]/2, k)
    """
    return unit if parts == 1 else InBlock(unit, block, SIZE[LAYER] / parts)


def at_outputs(formula: Expr) -> Expr:
    """A formula of a loss at the k-th output, or at all outputs, of layer l.

    >>> at_outputs(row.A - row.T), at_outputs(row.OUTPUTS[row.M])
    (ak[l] - tk, am[l])
    """
    put = {row.A: OUT[LAYER, OUTPUT_UNIT], row.T: TARGET[OUTPUT_UNIT], row.C: CLASS_WEIGHT[OUTPUT_UNIT]}
    put[row.N] = SIZE[LAYER]
    outputs = {e: OUT[LAYER, e.indices[0].xreplace(put)] for e in formula.atoms(Entry) if e.base == row.OUTPUTS}
    return formula.xreplace({**put, **outputs})


def error(use: LossUse, output_reduction: str) -> Equation:
    """The error of one example: the formula of a joint loss, or the outputs' shares, summed or averaged."""
    out, share = OUT[LAYER, OUTPUT_UNIT], loss_share(use)
    if share is None:
        return Equation(ERROR, at_outputs(use.entry.value), (out,), Integer(1))
    targets = SIZE[LAYER] / use.entry.parts
    total = Sum(at_outputs(share), (OUTPUT_UNIT, 1, targets))
    return Equation(ERROR, total / targets if output_reduction == "mean" else total, (out,), Integer(1))


def penalty(use: PenaltyUse, of: Entry) -> Expr:
    """What the weight (or bias) ``of`` adds to the objective."""
    factor = row.FORM_FACTORS[use.form].xreplace({Symbol("N", integer=True, positive=True): BATCH})
    return Mul(factor, use.strength, use.entry.value.xreplace({row.W: of}))

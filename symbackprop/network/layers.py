"""The kinds of layer equation: each is one forward equation in index notation, for a layer l left symbolic."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, Sum, Symbol

from symbackprop.calculus.indices import Entry
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
    """``left = right`` for every unit; ``parents`` are the entries, at their own indices, that ``right`` depends on."""

    left: Expr
    right: Expr
    parents: tuple[Entry, ...]


def dense(bias: bool) -> Equation:
    """The pre-activations of layer l+1: z_j = Σ_i w_ij a_i (+ b_j).

    >>> dense(bias=False).right
    Sum(ai[l]*wij[l], (i, 1, n[l]))
    """
    weight, source = WEIGHT[LAYER, FROM, TO], OUT[LAYER, FROM]
    products = Sum(weight * source, (FROM, 1, SIZE[LAYER]))
    parents = (weight, source)
    if not bias:
        return Equation(PRE[LAYER + 1, TO], products, parents)
    return Equation(PRE[LAYER + 1, TO], Add(products, BIAS[LAYER, TO]), (*parents, BIAS[LAYER, TO]))


def activation(use: ActivationUse) -> Equation:
    """The outputs of layer l: a_j = f(z_j), or for a group function the formula over the layer's units."""
    if not use.entry.group:
        pre = PRE[LAYER, TO]
        output = pre if use.entry.value == row.Z else Apply(Symbol(use.tag), Integer(0), pre)
        return Equation(OUT[LAYER, TO], output, (pre,))
    assert use.entry.value is not None
    value = use.entry.value.xreplace({row.N: SIZE[LAYER], row.K: OUTPUT_UNIT})
    pres = {entry: PRE[LAYER, entry.indices[0]] for entry in value.atoms(Entry) if entry.base == row.V}
    return Equation(OUT[LAYER, OUTPUT_UNIT], value.xreplace(pres), (PRE[LAYER, OUTPUT_UNIT],))


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


def at_outputs(formula: Expr) -> Expr:
    """A formula of a loss at the k-th output, or at all outputs, of layer l.

    >>> at_outputs(row.A - row.T), at_outputs(row.OUTPUTS[row.M])
    (ak[l] - tk, am[l])
    """
    put = {row.A: OUT[LAYER, OUTPUT_UNIT], row.T: TARGET[OUTPUT_UNIT], row.C: CLASS_WEIGHT[OUTPUT_UNIT]}
    put[row.N] = SIZE[LAYER]
    outputs = {e: OUT[LAYER, e.indices[0]] for e in formula.atoms(Entry) if e.base == row.OUTPUTS}
    return formula.xreplace({**put, **outputs})


def error(use: LossUse, output_reduction: str) -> Equation:
    """The error of one example: the formula of a joint loss, or the outputs' shares, summed or averaged."""
    out, share = OUT[LAYER, OUTPUT_UNIT], loss_share(use)
    if share is None:
        return Equation(ERROR, at_outputs(use.entry.value), (out,))
    total = Sum(at_outputs(share), (OUTPUT_UNIT, 1, SIZE[LAYER]))
    return Equation(ERROR, total / SIZE[LAYER] if output_reduction == "mean" else total, (out,))


def penalty(use: PenaltyUse, of: Entry) -> Expr:
    """What the weight (or bias) ``of`` adds to the objective."""
    factor = row.FORM_FACTORS[use.form].xreplace({Symbol("N", integer=True, positive=True): BATCH})
    return Mul(factor, use.strength, use.entry.value.xreplace({row.W: of}))

"""The claim ∂E/∂z = δ for a layer, from ∂E/∂a: by the unit, by its pieces, or for all units of the layer together."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Sum

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, contracted
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.derivation.output import OTHER, common_factor_out, group_slope
from symbackprop.derivation.pieces import piece_slope
from symbackprop.derivation.reverse import HERE
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Step
from symbackprop.network.layers import Equation
from symbackprop.network.quantities import DELTA, ERROR, LAYER, OUT, PRE, TO


def claim(name: str, pre: Entry, passed: Expr, slope: Slope) -> Iterator[Step]:
    """∂E/∂z_j(l) = δ_j(l), where only a_j reads z_j."""
    whole = Chain(Partial(ERROR, OUT[LAYER, TO]), Partial(OUT[LAYER, TO], pre))
    yield Step(f"{name}.pre", Partial(ERROR, pre), whole, rules.CHAIN)
    value = Chain(passed, Slope(slope.tag, None).at(pre, OUT[LAYER, TO])) if slope.formula != 1 else passed
    yield Step(f"{name}.value", whole, value, rules.SUBSTITUTE, (f"{name}.out",))
    yield Step(f"{name}.claim", value, HERE, rules.LOCAL_GRADIENT)


def piece_claims(name: str, activation: Equation) -> Iterator[Step]:
    """The same for every pre-activation of a unit of several pieces."""
    out = activation.left
    for block, pre in enumerate(activation.parents):
        whole = Chain(Partial(ERROR, out), Partial(out, pre))
        value = Chain(Partial(ERROR, out), piece_slope(activation, block)[-1].right)
        yield Step(f"{name}.pre.{block}", Partial(ERROR, pre), whole, rules.CHAIN)
        yield Step(f"{name}.value.{block}", whole, value, rules.SUBSTITUTE, (f"{name}.out",))
        yield Step(f"{name}.claim.{block}", value, DELTA[pre.indices], rules.LOCAL_GRADIENT, (f"{name}.value.{block}",))


def group_claim(name: str, activation: Equation) -> Iterator[Step]:
    """The same where every output of the layer reads z_q: the sum over all of them."""
    out, varied, slope = activation.left, PRE[LAYER, OTHER], group_slope(activation)[-1].right
    limits = (out.indices[1], 1, activation.count)
    whole = Sum(Chain(Partial(ERROR, out), Partial(out, varied)), limits)
    inserted = Sum(Chain(Partial(ERROR, out), slope), limits)
    yield Step(f"{name}.pre", Partial(ERROR, varied), whole, rules.CHAIN)
    yield Step(f"{name}.spread.pre", whole, inserted, rules.SUBSTITUTE, (f"{name}.out",))
    value = common_factor_out(contracted(Partial(ERROR, out) * slope, [limits]))
    yield Step(f"{name}.value", inserted, value, rules.KRONECKER, (f"{name}.spread.pre",))
    yield Step(f"{name}.claim", value, DELTA[LAYER, OTHER], rules.LOCAL_GRADIENT, (f"{name}.value",))

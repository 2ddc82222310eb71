"""The derivation for any sizes: layers and widths stay symbols, and every Kronecker delta is shown before it goes.

The claim, for every layer l of a network: δ_j(l) = ∂E/∂z_j(l), where δ of the last layer comes from the error and every
other δ from the layer after it. It is proved by induction from the last layer down; the concrete network's equations
are instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Sum, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, contract, contracted, index, term_by_term
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.derivation.derive import Derivation, output_delta
from symbackprop.derivation.output import OTHER, common_factor_out, group_slope, piece_slope
from symbackprop.derivation.reverse import HERE, LATER, NEXT, at_layer
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.network.layers import Equation
from symbackprop.network.quantities import BIAS, DELTA, ERROR, FROM, LAYER, OUT, PRE, TO, WEIGHT

FED = index("q")  # any unit of the layer that a weight leads to, before the Kronecker delta picks one


@dataclass(frozen=True)
class GeneralPart:
    """A section in the symbolic layer l, and the layers of the network that it holds for."""

    section: Section
    layers: tuple[int, ...]

    def at(self, layer: int) -> tuple[Step, ...]:
        """The part's steps for one of its layers: what the checks prove."""
        return at_layer(self.section.steps, layer)


def general_parts(derivation: Derivation) -> Iterator[GeneralPart]:
    """The induction: its start at the last layer, its step for each distinct hidden layer, then the gradients."""
    graph = derivation.graph
    start = Section("general_start", (Block("output_delta", output_delta(graph, derivation.slopes)),))
    yield GeneralPart(start, (graph.depth,))
    hidden: dict[tuple[Equation, Equation | Slope], list[int]] = {}
    feeding: dict[Equation, list[int]] = {}
    for layer in range(1, graph.depth):
        consumer = graph.pre[layer + 1].equation
        feeding.setdefault(consumer, []).append(layer)
        if layer > 1:
            use = graph.spec.activation_of(layer)
            own = graph.out[layer].equation if use.entry.over_units else derivation.slopes[Symbol(use.tag)]
            hidden.setdefault((consumer, own), []).append(layer)
    for (consumer, own), layers in hidden.items():
        block = Block("general_step", tuple(induction_step(consumer, own)), (OUT[LAYER, TO],))
        yield GeneralPart(Section("general_step", (block,)), tuple(layers))
    for consumer, layers in feeding.items():
        of_each = [of for of in (WEIGHT[LAYER, FROM, TO], BIAS[LAYER, TO]) if consumer.right.has(of.base)]
        blocks = [Block(f"general_{of.base.label}", tuple(gradient(consumer, of)), (of,)) for of in of_each]
        yield GeneralPart(Section("general_gradients", tuple(blocks)), tuple(layers))


def induction_step(consumer: Equation, own: Equation | Slope) -> Iterator[Step]:
    """From ∂E/∂z(l+1) = δ(l+1), the hypothesis, to ∂E/∂z(l) = δ(l).

    ``own`` is the slope of the layer's activation, or its equation, where that reads several pre-activations.
    """
    out = OUT[LAYER, TO]
    using, limits = PRE[LAYER + 1, NEXT], (NEXT, 1, consumer.count)
    spread = term_by_term(at_unit(consumer, NEXT), out)
    local = contract(spread)
    name = "general.step.{l}"
    chain = Sum(Chain(Partial(ERROR, using), Partial(using, out)), limits)
    yield Step(f"{name}.chain", Partial(ERROR, out), chain, rules.CHAIN)
    yield Step(f"{name}.spread", Partial(using, out), spread, rules.TERM_BY_TERM)
    yield Step(f"{name}.local", Partial(using, out), local, rules.KRONECKER, (f"{name}.spread",))
    yield Step(f"{name}.hypothesis", Partial(ERROR, using), LATER, rules.INDUCTION)
    passed = contracted(LATER * local, [limits])
    cited = tuple(f"{name}.{part}" for part in ("chain", "local", "hypothesis"))
    yield Step(f"{name}.out", Partial(ERROR, out), passed, rules.SUBSTITUTE, cited)
    if isinstance(own, Slope):
        yield from claim(name, PRE[LAYER, TO], passed, own)
    elif len(own.parents) > 1:
        yield from piece_claims(name, own)
    else:
        yield from group_claim(name, own)


def claim(name: str, pre: Entry, passed: Expr, slope: Slope) -> Iterator[Step]:
    """∂E/∂z_j(l) = δ_j(l), where only a_j reads z_j."""
    whole = Chain(Partial(ERROR, OUT[LAYER, TO]), Partial(OUT[LAYER, TO], pre))
    yield Step(f"{name}.pre", Partial(ERROR, pre), whole, rules.CHAIN)
    value = Chain(passed, Slope(slope.tag, None).at(pre, OUT[LAYER, TO])) if slope.formula != 1 else passed
    yield Step(f"{name}.value", whole, value, rules.SUBSTITUTE, (f"{name}.out",))
    yield Step(f"{name}.claim", value, HERE, rules.LOCAL_GRADIENT, (f"{name}.value",))


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


def gradient(consumer: Equation, of: Entry) -> Iterator[Step]:
    """∂E/∂w_ij as the sum over every unit that z feeds, of which the Kronecker deltas leave one."""
    using, limits = PRE[LAYER + 1, FED], (FED, 1, consumer.count)
    spread = term_by_term(at_unit(consumer, FED), of)
    local = contract(spread)
    name = f"general.{of.base.label}.{{l}}"
    chain = Sum(Chain(Partial(ERROR, using), Partial(using, of)), limits)
    inserted = Sum(Chain(DELTA[LAYER + 1, FED], local), limits)
    yield Step(f"{name}.chain", Partial(ERROR, of), chain, rules.CHAIN)
    yield Step(f"{name}.spread", Partial(using, of), spread, rules.TERM_BY_TERM)
    if local != spread:
        yield Step(f"{name}.local", Partial(using, of), local, rules.KRONECKER, (f"{name}.spread",))
    yield Step(f"{name}.inserted", chain, inserted, rules.SUBSTITUTE, (f"{name}.spread",))
    final = contracted(DELTA[LAYER + 1, FED] * local, [limits])
    yield Step(f"{name}.final", inserted, final, rules.KRONECKER)


def at_unit(equation: Equation, unit: Expr) -> Expr:
    """The right side of a layer's equation for ``unit``."""
    return equation.right.xreplace({equation.left.indices[1]: unit})

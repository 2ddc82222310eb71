"""The derivation for any sizes: layers and widths stay symbols, and every Kronecker delta is shown before it goes.

The claim, for every layer l of a network: δ_j(l) = ∂E/∂z_j(l), where δ of the last layer comes from the error and every
other δ from the layer after it. It is proved by induction from the last layer down; the concrete network's equations
are instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Sum, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, contract, contracted, index, term_by_term
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.derivation import output, trained
from symbackprop.derivation.claims import claim, group_claim, piece_claims
from symbackprop.derivation.derive import Derivation, output_blocks
from symbackprop.derivation.reverse import LATER, NEXT, at_layer, error_of_output
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.network import layers
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
    """The induction: its start at the last layer, its step for each distinct hidden layer, then the gradients.

    One layer equation may be derived for several kinds of layer; the labels of each part are its own.
    """
    for n, part in enumerate((*forward_parts(derivation), start(derivation), *steps_back(derivation))):
        blocks = tuple(labelled(block, n) for block in part.section.blocks)
        yield GeneralPart(Section(part.section.key, blocks), part.layers)


def labelled(block: Block, n: int) -> Block:
    """The block with labels of its own: cited are its own steps, and what is cited from elsewhere."""
    names = {step.label: f"{step.label}.{n}" for step in block.steps}
    steps = (replace(s, label=names[s.label], uses=tuple(names.get(use, use) for use in s.uses)) for s in block.steps)
    return replace(block, steps=tuple(steps))


def forward_parts(derivation: Derivation) -> Iterator[GeneralPart]:
    """The distinct forward equations, with the layer left symbolic, and the error."""
    graph = derivation.graph
    for name, nodes in (("z", graph.pre), ("a", graph.out)):
        kinds: dict[Expr, list[int]] = {}
        for layer in range(2, graph.depth + 1):
            equation = nodes[layer].equation
            # The units of the last layer may have a letter of their own.
            kinds.setdefault(equation.right.xreplace({equation.left.indices[1]: TO}), []).append(layer)
        for found in kinds.values():
            equation = nodes[found[0]].equation
            # A pre-activation's equation names its own layer l + 1, an output's l.
            shift = 1 if name == "z" else 0
            sides = equation.left, equation.right
            if name == "a" and found == [graph.depth]:
                sides = sides_at(equation, graph.depth)
            step = Step(f"general.{name}", *sides, rules.DEFINITION)
            yield GeneralPart(section("general_forward", step), tuple(layer - shift for layer in found))
    error = Step("general.error", *sides_at(graph.error.equation, graph.depth), rules.DEFINITION)
    yield GeneralPart(section("general_forward", error), (graph.depth,))


def sides_at(equation: Equation, layer: int) -> tuple[Expr, Expr]:
    """Both sides of an equation at a layer."""
    put: dict[Expr, Expr] = {LAYER: Integer(layer)}
    return equation.left.xreplace(put), equation.right.xreplace(put)


def section(key: str, *steps: Step) -> Section:
    """A section of one block, both called ``key``."""
    return Section(key, (Block(key, steps),))


def start(derivation: Derivation) -> GeneralPart:
    """δ of the last layer."""
    blocks = output_blocks(derivation.graph, derivation.slopes)
    return GeneralPart(Section("general_start", blocks), (derivation.graph.depth,))


def steps_back(derivation: Derivation) -> Iterator[GeneralPart]:
    """The step of the induction, and the gradients, for each distinct kind of layer."""
    graph = derivation.graph
    hidden: dict[tuple[Equation, Equation | Slope], list[int]] = {}
    feeding: dict[Equation, list[int]] = {}
    for layer in range(1, graph.depth):
        consumer = graph.pre[layer + 1].equation
        feeding.setdefault(consumer, []).append(layer)
        if layer > 1:
            use = graph.spec.activation_of(layer)
            own = graph.out[layer].equation if use.entry.over_units else derivation.slopes[Symbol(use.tag)]
            hidden.setdefault((consumer, own), []).append(layer)
    for (consumer, own), found in hidden.items():
        block = Block("general_step", tuple(induction_step(consumer, own)), (OUT[LAYER, TO],))
        yield GeneralPart(Section("general_step", (block,)), tuple(found))
    for consumer, found in feeding.items():
        of_each = [of for of in (WEIGHT[LAYER, FROM, TO], BIAS[LAYER, TO]) if consumer.right.has(of.base)]
        blocks = [Block(f"general_{of.base.label}", tuple(gradient(consumer, of)), (of,)) for of in of_each]
        yield GeneralPart(Section("general_gradients", tuple(blocks)), tuple(found))
    for layer in range(2, graph.depth + 1):
        for symbol in graph.spec.activation_of(layer).trained:
            block = learned(derivation, layer, symbol)
            yield GeneralPart(Section("general_gradients", (block,)), (layer,))


def learned(derivation: Derivation, layer: int, symbol: Symbol) -> Block:
    """The gradient of what the activation of ``layer`` learns, with the layer left symbolic."""
    graph = derivation.graph
    use, entry = graph.spec.activation_of(layer), graph.spec.trained[symbol]
    of = entry.base[LAYER]
    if layer == graph.depth:
        share = layers.loss_share(graph.spec.loss)
        steps = trained.at_output(output.error_slope(graph.error.equation, share)[1], use, symbol, of)
        steps, of = at_layer(steps, layer), entry
    else:
        passed = error_of_output(graph.pre[layer + 1].equation)[-1]
        steps = trained.at_hidden(passed, use, symbol, of)
    return Block("general_trained", steps, (of,))


def instances(derivation: Derivation) -> Section:
    """The first unit and the first weight of every layer of the network: the general equations at its own sizes."""
    graph, scalar = derivation.graph, derivation.scalar
    blocks = []
    for layer in range(graph.depth, 1, -1):
        steps = (*scalar.delta(layer, 1), scalar.folded(WEIGHT[layer - 1, 1, 1]))
        steps += tuple(scalar.folded(of) for of in graph.trained(layer))
        own = tuple(replace(step, label=f"instance.{layer}.{n}") for n, step in enumerate(steps))
        blocks.append(Block("general_instances", own, (PRE[layer, 1],)))
    return Section("general_instances", tuple(blocks))


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
    picked = f"{name}.local" if local != spread else f"{name}.spread"
    yield Step(f"{name}.inserted", Partial(ERROR, of), inserted, rules.SUBSTITUTE, (f"{name}.chain", picked))
    final = contracted(DELTA[LAYER + 1, FED] * local, [limits])
    yield Step(f"{name}.final", inserted, final, rules.KRONECKER)


def at_unit(equation: Equation, unit: Expr) -> Expr:
    """The right side of a layer's equation for ``unit``."""
    return equation.right.xreplace({equation.left.indices[1]: unit})

"""ForwardGraph in, Derivation out: the sections of steps that lead from the forward equations to every gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Partial
from symbackprop.catalogue.entries import Z
from symbackprop.derivation import output, pieces, reverse, trained
from symbackprop.derivation.matrix import MatrixView, matrix_view
from symbackprop.derivation.matrix_terms import Layout
from symbackprop.derivation.scalar import CHAINS_SHOWN, ScalarView
from symbackprop.derivation.slopes import Slope, slope_of
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.network import layers
from symbackprop.network.forward import ForwardGraph, Node
from symbackprop.network.quantities import BIAS, ERROR, FROM, LAYER, OBJECTIVE, OUT, SIZE, TO, WEIGHT
from symbackprop.network.spec import PenaltyUse

Listing = Literal["auto", "all", "none"]


@dataclass(frozen=True)
class Derivation:
    """The derivation of one network's gradients, free of any notation.

    ``sections`` come in reading order: forward, error, start, slopes, output, back, delta, update. ``general`` finds
    the index steps by label; ``matrix`` reads them as equations between arrays.
    """

    graph: ForwardGraph
    slopes: Mapping[Symbol, Slope]
    general: Mapping[str, Step]
    sections: tuple[Section, ...]
    scalar: ScalarView
    _views: dict[Layout, MatrixView] = field(default_factory=dict, compare=False, repr=False)

    def matrix(self, layout: Layout) -> MatrixView:
        """The equations between arrays in ``layout``."""
        if layout not in self._views:
            self._views[layout] = matrix_view(self.graph, self.general, layout)
        return self._views[layout]

    @property
    def steps(self) -> Iterator[Step]:
        """Every step of the sections, in reading order."""
        return (step for section in self.sections for step in section.steps)

    @cached_property
    def by_label(self) -> dict[str, Step]:
        """The steps by label."""
        return {step.label: step for step in self.steps}


def derive(graph: ForwardGraph, listing: Listing = "auto") -> Derivation:
    """Derive every gradient of ``graph``.

    ``listing`` says whether each individual unit and weight gets its own lines: "auto" for networks of up to
    ``CHAINS_SHOWN`` weights, "all" for any network, "none" for no network.
    """
    slopes = {
        Symbol(use.tag): slope_of(Symbol(use.tag), graph.formulas.get(Symbol(use.tag)))
        for use in graph.spec.activations
        if not use.entry.over_units
    }
    slopes |= {name: slope for use in graph.spec.activations for name, slope in trained.slopes_by(use)}
    start, end = output_blocks(graph, slopes)
    sections = {
        "forward": tuple(forward_blocks(graph)),
        "error": error_blocks(graph),
        "start": (start,),
        "slopes": (*slope_blocks(graph, slopes),),
        "output": (end,),
        "delta": tuple(delta_blocks(graph, slopes)),
        "update": (Block("update", tuple(update_steps(graph))), Block("change", tuple(change_steps(graph)))),
    }
    general = {step.label: step for blocks in sections.values() for block in blocks for step in block.steps}
    scalar = ScalarView(graph, slopes, general)
    if listing == "all" or (listing == "auto" and graph.spec.weight_count <= CHAINS_SHOWN):
        sections["forward"] += tuple(scalar.forward())
        sections["error"] += (scalar.error(),)
        sections["back"] = tuple(scalar.back())
    order = ("forward", "error", "start", "slopes", "output", "back", "delta", "update")
    return Derivation(
        graph, slopes, general, tuple(Section(key, sections[key]) for key in order if sections.get(key)), scalar
    )


def forward_blocks(graph: ForwardGraph) -> Iterator[Block]:
    """Pre-activations and outputs of every layer, in index notation."""
    for layer in range(2, graph.depth + 1):
        pre, out = graph.pre[layer], graph.out[layer]
        steps = (definition(f"forward.z.{layer}", pre), definition(f"forward.a.{layer}", out))
        yield Block("forward_layer", steps, (pre.left, out.left))


def definition(label: str, node: Node) -> Step:
    """A forward equation as a step."""
    return Step(label, node.left, node.right, rules.DEFINITION)


def error_blocks(graph: ForwardGraph) -> tuple[Block, ...]:
    """The error, and the objective where there is a penalty."""
    steps = [definition("error", graph.error)]
    if (penalty := graph.spec.penalty) is not None:
        total = ERROR + penalised_weights(graph, penalty)
        for l in range(1, graph.depth) if penalty.biases else ():
            if graph.spec.has_bias(l):
                total += sp.Sum(layers.penalty(penalty, BIAS[l, TO]), (TO, 1, graph.pre[l + 1].count))
        steps.append(Step("objective", OBJECTIVE, total, rules.DEFINITION, ("error",)))
    return (Block("error", tuple(steps)),)


def penalised_weights(graph: ForwardGraph, penalty: PenaltyUse) -> Expr:
    """The penalty on all weights: one sum over the layers where a unit has one pre-activation in each of them."""
    of_layer = sp.Sum(
        layers.penalty(penalty, WEIGHT[LAYER, FROM, TO]), (FROM, 1, SIZE[LAYER]), (TO, 1, SIZE[LAYER + 1])
    )
    if graph.spec.fed == graph.spec.sizes:
        return sp.Sum(of_layer.function, *of_layer.limits, (LAYER, 1, graph.depth - 1))
    (first, (to, low, _)) = of_layer.limits
    each = (
        sp.Sum(of_layer.function, first, (to, low, graph.pre[l + 1].count)).xreplace({LAYER: sp.Integer(l)})
        for l in range(1, graph.depth)
    )
    return sp.Add(*each)


def slope_blocks(graph: ForwardGraph, slopes: Mapping[Symbol, Slope]) -> Iterator[Block]:
    """The slope of the error, of a group function, and of each activation."""
    yield from error_slopes(graph)
    for layer in range(2, graph.depth + 1):
        yield from over_units_slopes(graph, layer)
    for use in {use.tag: use for use in graph.spec.activations}.values():
        slope = slopes.get(Symbol(use.tag))
        if slope is not None and slope.value is not None:
            conditions = tuple(sp.Ne(Z, kink.at) for kink in use.entry.kinks)
            yield conditioned(slope.block(), f"slope.{use.tag}.{len(slope.lines)}", conditions)
        yield from trained.slope_blocks(use)


def error_slopes(graph: ForwardGraph) -> Iterator[Block]:
    """∂E/∂a of the outputs, or of those in each block where a target has several."""
    loss, last = graph.spec.loss.entry, graph.depth
    if loss.parts > 1:
        share = layers.loss_share(graph.spec.loss)
        for part in range(loss.parts):
            of_part = reverse.at_layer(output.part_slope(graph.error.equation, share, part, loss.parts), last)
            yield Block("error_slope", of_part)
        return
    steps, _ = output.error_slope(graph.error.equation, layers.loss_share(graph.spec.loss))
    if steps:
        block = Block("error_slope", reverse.at_layer(steps, last))
        yield conditioned(block, "error.slope", output.where_defined(graph.spec.loss.entry, last))


def over_units_slopes(graph: ForwardGraph, layer: int) -> Iterator[Block]:
    """∂a/∂z of a layer whose outputs read several pre-activations: of all units, or of each unit's pieces."""
    activation, entry = graph.out[layer].equation, graph.spec.activation_of(layer).entry
    if entry.group:
        key = "group_slope" if layer == graph.depth else "group_slope_hidden"
        yield Block(key, reverse.at_layer(output.group_slope(activation), layer), (OUT[layer, TO],))
    for block, pre in enumerate(activation.parents if entry.pieces > 1 else ()):
        steps = reverse.at_layer(pieces.piece_slope(activation, block), layer)
        apart = (sp.Ne(kink.of, kink.at) for kink in entry.kinks)
        conditions = tuple(layers.in_layer(each, activation).xreplace({LAYER: sp.Integer(layer)}) for each in apart)
        about = (graph.out[layer].left, pre.xreplace({LAYER: sp.Integer(layer)}))
        yield conditioned(Block("piece_slope", steps, about), steps[-1].label, conditions)


def conditioned(block: Block, label: str, conditions: tuple[Expr, ...]) -> Block:
    """The block with ``conditions`` on the step called ``label``."""
    steps = [replace(step, conditions=conditions) if step.label == label else step for step in block.steps]
    return replace(block, steps=tuple(steps))


def output_delta(graph: ForwardGraph, slopes: Mapping[Symbol, Slope]) -> tuple[Step, ...]:
    """δ of the output layer."""
    last, loss = graph.depth, graph.spec.loss.entry
    use = graph.spec.activation_of(last)
    activation = graph.out[last].equation
    if loss.parts > 1:
        share, slope = layers.loss_share(graph.spec.loss), slopes[Symbol(use.tag)]
        return reverse.at_layer(output.part_deltas(graph.error.equation, share, loss.parts, slope), last)
    _, slope_of_error = output.error_slope(graph.error.equation, layers.loss_share(graph.spec.loss))
    if use.entry.group:
        uses = () if isinstance(slope_of_error, Partial) else ("error.slope",)
        sums_to_one = graph.spec.loss.entry.targets_sum_to_one
        steps = output.group_delta("output", slope_of_error, activation, uses, sums_to_one)
    elif use.entry.pieces > 1:
        steps = pieces.piece_deltas(slope_of_error, activation)
    else:
        steps = output.elementwise_delta(slope_of_error, slopes[Symbol(use.tag)])
    return reverse.at_layer(steps, last)


def output_blocks(graph: ForwardGraph, slopes: Mapping[Symbol, Slope]) -> tuple[Block, Block]:
    """δ of the output layer: its definition and the chain rule, and, once its factors are known, its formula."""
    steps = output_delta(graph, slopes)
    known = [n for n, step in enumerate(steps) if step.rule not in (rules.DEFINITION, rules.CHAIN)]
    # What follows a chain rule states δ anew: the parts of a document between them may be many.
    opening = {n: (steps[n - 2].left, steps[n - 1].label) for n in known if steps[n - 1].rule == rules.CHAIN}
    formulas = [
        replace(steps[n], left=opening[n][0], uses=(opening[n][1], *steps[n].uses)) if n in opening else steps[n]
        for n in known
    ]
    start = tuple(step for n, step in enumerate(steps) if n not in known)
    return Block("output_chain", start), Block("output_delta", tuple(formulas))


def delta_blocks(graph: ForwardGraph, slopes: Mapping[Symbol, Slope]) -> Iterator[Block]:
    """From the output back: each layer's gradients, then δ of the layer before and what its activation learns."""
    if graph.spec.activation_of(graph.depth).trained:
        _, slope_of_error = output.error_slope(graph.error.equation, layers.loss_share(graph.spec.loss))
        yield from trained_blocks(graph, graph.depth, lambda *of: trained.at_output(slope_of_error, *of))
    for layer in range(graph.depth - 1, 0, -1):
        for of in parameters(graph, layer):
            steps = reverse.gradient(graph.pre[layer + 1].equation, of, graph.spec.penalty)
            yield Block(
                f"gradient_{of.base.label}", reverse.at_layer(steps, layer), (of.xreplace({LAYER: sp.Integer(layer)}),)
            )
        if layer > 1:
            steps = hidden_steps(graph, slopes, layer)
            yield Block("hidden_delta", reverse.at_layer(steps, layer), (OUT[layer, TO],))
            (passed,) = (step for step in steps if step.label == "back.{l}.out")
            yield from trained_blocks(graph, layer, partial(trained.at_hidden, passed))


def hidden_steps(graph: ForwardGraph, slopes: Mapping[Symbol, Slope], layer: int) -> tuple[Step, ...]:
    """δ of a hidden layer, in the symbolic layer, after ∂E/∂a that it comes from."""
    use, consumer, activation = (
        graph.spec.activation_of(layer),
        graph.pre[layer + 1].equation,
        graph.out[layer].equation,
    )
    if use.entry.group:
        return reverse.hidden_group_delta(consumer, activation)
    if use.entry.pieces > 1:
        return reverse.hidden_piece_deltas(consumer, activation)
    return reverse.hidden_delta(consumer, slopes[Symbol(use.tag)])


def trained_blocks(graph: ForwardGraph, layer: int, steps: Callable[..., tuple[Step, ...]]) -> Iterator[Block]:
    """The gradients of the trained parameters of the activation of ``layer``."""
    use = graph.spec.activation_of(layer)
    for symbol in use.trained:
        of = graph.spec.trained[symbol]
        placed = reverse.at_layer(steps(use, symbol, of.base[LAYER]), layer)
        yield Block("gradient_trained", placed, (of,))


def parameters(graph: ForwardGraph, layer: int) -> Iterator[Entry]:
    """The patterns of the weights and biases that leave ``layer``, in the symbolic layer."""
    yield WEIGHT[LAYER, FROM, TO]
    if graph.spec.has_bias(layer):
        yield BIAS[LAYER, TO]


def update_steps(graph: ForwardGraph) -> Iterator[Step]:
    """One gradient descent step for every layer's parameters."""
    for layer, of, penalised in descended(graph):
        yield from reverse.at_layer((reverse.update(of, penalised),), layer)


def change_steps(graph: ForwardGraph) -> Iterator[Step]:
    """The same, with the change of each parameter on a line of its own."""
    for layer, of, penalised in descended(graph):
        yield from reverse.at_layer(reverse.change(of, penalised), layer)


def descended(graph: ForwardGraph) -> Iterator[tuple[int, Entry, bool]]:
    """Every layer, each of its parameters' patterns, and whether the penalty covers it."""
    penalty = graph.spec.penalty
    for layer in range(1, graph.depth):
        for of in parameters(graph, layer):
            yield layer, of, penalty is not None and (of.base == WEIGHT or penalty.biases)
        for of in graph.trained(layer + 1):
            yield layer + 1, of.base[LAYER], False

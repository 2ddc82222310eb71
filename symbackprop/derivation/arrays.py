"""Vectors and matrices seen from outside and from inside: written out entry by entry, composed, and in the chain rule.

All of it is about one example. The sections are read from the matrix view, so that they follow its layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from sympy import Expr, Integer, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Base, Entry
from symbackprop.calculus.inert import Apply, Partial, spelled_out
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.fold import Fold
from symbackprop.derivation.matrix_terms import (
    BOTH,
    DENOMINATOR,
    NUMERATOR,
    TERMS,
    ChainRule,
    Entries,
    Gradient,
    Layout,
    Leaf,
    Plus,
    Product,
    Term,
)
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import BIAS, DELTA, ERROR, FROM, OUT, PRE, TO, WEIGHT, WEIGHTS

WRITTEN_OUT = 24  # weights of the largest network whose arrays are written out
MOST_COMPOSED = 4  # layers of the deepest network whose output is written as one formula
MOST_CHAINED = 6  # layers of the deepest network whose chain rule is written between arrays


def array_section(derivation: Derivation, layout: Layout) -> Section | None:
    """Every layer's forward equation with all entries of its arrays; None for a network too large for that."""
    graph = derivation.graph
    if graph.spec.weight_count > WRITTEN_OUT:
        return None
    forward = {step.label: step for step in derivation.matrix(layout).forward}
    blocks = (written_layer(graph, layout, layer, forward[f"matrix.z.{layer}"]) for layer in range(2, graph.depth + 1))
    return Section("arrays", tuple(blocks))


def written_layer(graph: ForwardGraph, layout: Layout, layer: int, equation: Step) -> Block:
    """The arrays of one layer's pre-activations, and the product multiplied out row by row."""
    sizes, name = graph.spec.sizes, f"arrays.{layer}"
    leaves = [leaf(base, at, graph, layout) for base, at in ((WEIGHT, layer - 1), (OUT, layer - 1))]
    if graph.spec.has_bias(layer - 1):
        leaves.append(leaf(BIAS, layer - 1, graph, layout))
    steps = [Step(f"{name}.{each.base.label}", each, entries(each, graph), rules.WRITTEN_OUT) for each in leaves]
    pre = leaf(PRE, layer, graph, layout)
    inside = opened(equation.right, graph)
    row_by_row = entries(pre, graph, graph.entry_equation)
    uses = tuple(step.label for step in steps)
    steps += [
        Step(f"{name}.z", pre, equation.right, rules.MATRIX, (f"forward.z.{layer}",)),
        Step(f"{name}.z.written", equation.right, inside, rules.WRITTEN_OUT, uses),
        Step(f"{name}.z.rows", inside, row_by_row, rules.MULTIPLY_OUT),
    ]
    about = (leaves[0], *map(Integer, shape_of(leaves[0], sizes)), leaves[1], Integer(sizes[layer - 2]), pre)
    return Block("arrays_layer", tuple(steps), (*about, Integer(graph.spec.fed[layer - 1])))


def chain_section(derivation: Derivation, layout: Layout, order: str = NUMERATOR) -> Section | None:
    """The output as one formula, the chain rule between arrays with its factors in ``order``, and the gradients."""
    graph = derivation.graph
    blocks = []
    if graph.depth <= MOST_COMPOSED:
        blocks.append(Block("composed", tuple(composed(derivation, layout))))
    if graph.depth <= MOST_CHAINED:
        blocks += chain_blocks(graph, layout, order)
        blocks.append(Block("array_deltas", tuple(deltas(derivation, layout))))
    if graph.spec.weight_count <= WRITTEN_OUT:
        blocks.append(Block("array_gradients", tuple(gradients(graph, layout))))
    blocks = [block for block in blocks if block.steps]  # δ of a group function has a section of its own
    return Section("chains", tuple(blocks)) if blocks else None


def composed(derivation: Derivation, layout: Layout) -> Iterator[Step]:
    """The network's output, and its error, in the input and the weights alone."""
    graph, view = derivation.graph, derivation.matrix(layout)
    put: dict[Leaf, Term] = {}
    for step in view.forward:
        put[step.left] = with_leaves(step.right, put)
    out = view.forward[-1].left
    labels = tuple(f"forward.{kind}.{layer}" for layer in range(2, graph.depth + 1) for kind in ("z", "a"))
    yield Step("chains.composed", out, put[out], rules.COMPOSE, labels)
    sizes: dict[Expr, Expr] = {size: Integer(n) for size, n in graph.sizes.items()}
    error = Fold.of(graph, layout)(graph.error.right.xreplace(sizes), None, None)
    uses = ("error", "chains.composed")
    yield Step("chains.composed.error", ERROR, with_leaves(error, {out: put[out]}), rules.COMPOSE, uses)


def chain_blocks(graph: ForwardGraph, layout: Layout, order: str) -> Iterator[Block]:
    """The chain rule of every layer's weights in one layout of derivatives, or in both, the second from the first."""
    own = DENOMINATOR if order == DENOMINATOR else NUMERATOR
    chains = [chain_rule(graph, layout, layer, own) for layer in range(graph.depth - 1, 0, -1)]
    yield Block(f"array_chain_{own}", tuple(step for chain in chains for step in chain))
    if order == BOTH:
        yield Block("array_chain_reversed", tuple(in_reverse(chain[-1]) for chain in chains))


def chain_rule(graph: ForwardGraph, layout: Layout, layer: int, order: str) -> tuple[Step, ...]:
    """∂E/∂W = ∂E/∂a · ∂a/∂z · … · ∂z/∂W for the weights that leave ``layer``, first with a whole layer last."""
    passed = [(base, l) for l in range(graph.depth, layer, -1) for base in (OUT, PRE)]
    leaves = tuple(leaf(base, l, graph, layout) for base, l in (*passed, (WEIGHT, layer)))
    name, left = f"chains.w.{layer}", Gradient(leaves[-1])
    cited = ("error", *(f"forward.{kind}.{l}" for l in range(layer + 1, graph.depth + 1) for kind in ("z", "a")))
    whole = ChainRule(leaves, denominator=order == DENOMINATOR)
    if layer == graph.depth - 1:
        return (Step(name, left, whole, rules.CHAIN, cited),)
    by_layer = replace(whole, leaves=(*leaves[:-2], leaves[-1]))
    return (
        Step(f"{name}.by_layer", left, by_layer, rules.CHAIN, cited),
        Step(name, by_layer, whole, rules.CHAIN, cited[1:3]),
    )


def in_reverse(step: Step) -> Step:
    """The chain rule of ``step`` in denominator layout."""
    of = Gradient(step.right.leaves[-1])
    return Step(f"{step.label}.reversed", of, replace(step.right, denominator=True), rules.TRANSPOSE, (step.label,))


def deltas(derivation: Derivation, layout: Layout) -> Iterator[Step]:
    """δ of every layer with the slopes by their names: ∂E/∂a ⊙ f′(z) at the output, then what comes back ⊙ f′(z)."""
    graph, fold = derivation.graph, Fold.of(derivation.graph, layout)
    last = graph.depth
    if not graph.spec.activation_of(last).entry.over_units:
        slope_of_error = Partial(ERROR, OUT[last, TO])
        slope = named_slope(derivation, last)
        term = fold(slope_of_error * slope, *axes(fold, DELTA[last, TO]))
        chains = ("output.chain", *(f"output.piece.{part}.chain" for part in range(graph.spec.loss.entry.parts)))
        cited = tuple(label for label in chains if label in derivation.general)
        yield Step(f"chains.delta.{last}", leaf(DELTA, last, graph, layout), term, rules.MATRIX, cited)
    by_unit = (l for l in range(last - 1, 1, -1) if not graph.spec.activation_of(l).entry.over_units)
    for layer in by_unit:
        sizes: dict[Expr, Expr] = {size: Integer(n) for size, n in graph.sizes.items()}
        passed = spelled_out(derivation.general[f"back.{layer}.out"].right).xreplace(sizes)
        term = fold(passed * named_slope(derivation, layer), *axes(fold, DELTA[layer, TO]))
        yield Step(f"chains.delta.{layer}", leaf(DELTA, layer, graph, layout), term, rules.MATRIX, (f"delta.{layer}",))


def named_slope(derivation: Derivation, layer: int) -> Expr:
    """f′(z) by its name; 1 for an activation that hands its input on."""
    tag = Symbol(derivation.graph.spec.activation_of(layer).tag)
    return Integer(1) if derivation.slopes[tag].formula == 1 else Apply(tag, Integer(1), PRE[layer, TO])


def axes(fold: Fold, of: Entry) -> tuple[Any, Any]:
    """The indices along the rows and columns of the array that ``of`` is an entry of."""
    _, rows, columns = fold.leaf(of)
    return rows, columns


def gradients(graph: ForwardGraph, layout: Layout) -> Iterator[Step]:
    """Each gradient as the array of its partial derivatives."""
    for layer in range(graph.depth - 1, 0, -1):
        for base in (WEIGHT, BIAS) if graph.spec.has_bias(layer) else (WEIGHT,):
            of = leaf(base, layer, graph, layout)
            inside = entries(of, graph, lambda entry: Partial(ERROR, entry))
            yield Step(f"chains.d{base.label}.{layer}", Gradient(of), inside, rules.WRITTEN_OUT)


def leaf(base: Base, layer: int, graph: ForwardGraph, layout: Layout) -> Leaf:
    """The array of ``base`` at ``layer``."""
    pattern = base[layer, FROM, TO] if base in WEIGHTS else base[layer, TO]
    return Fold.of(graph, layout).leaf(pattern)[0]


def shape_of(of: Leaf, sizes: tuple[int, ...]) -> tuple[int, int]:
    """The number of rows and of columns."""
    rows, columns = (
        1 if axis is None or axis.layer is None else int(axis.blocks * sizes[axis.layer - 1])
        for axis in (of.rows, of.columns)
    )
    return rows, columns


def entries(of: Leaf, graph: ForwardGraph, value: Any = lambda entry: entry) -> Entries:
    """``of`` with its entries, or what ``value`` makes of each of them."""
    rows, columns = shape_of(of, graph.spec.sizes)
    # A weight's first index is the unit it leaves, whichever way its array is stored.
    from_to = of.rows is not None and of.rows.layer == of.layer

    def entry(r: int, c: int) -> Expr:
        if of.base == WEIGHT:
            return of.base[(of.layer, r, c) if from_to else (of.layer, c, r)]
        return of.base[of.layer, c if of.rows is None else r]

    table = tuple(tuple(value(entry(r, c)) for c in range(1, columns + 1)) for r in range(1, rows + 1))
    return Entries(table, of.rows, of.columns)


def opened(term: Term, graph: ForwardGraph) -> Term:
    """A layer's product, and its bias, with every array written out."""
    match term:
        case Leaf():
            return entries(term, graph)
        case Product(left, right):
            return Product(opened(left, graph), opened(right, graph))
        case Plus(terms):
            return Plus(tuple(opened(part, graph) for part in terms))
    return term


def with_leaves(term: Any, put: dict[Leaf, Term]) -> Any:
    """``term`` with other terms in place of some of its arrays."""
    if isinstance(term, Leaf):
        return put.get(term, term)
    if isinstance(term, tuple):
        return tuple(with_leaves(part, put) for part in term)
    if not isinstance(term, TERMS):
        return term
    return type(term)(*(with_leaves(getattr(term, each.name), put) for each in fields(term)))

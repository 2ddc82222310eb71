"""The derivation for any sizes as a document: layers and widths stay letters, the network's own equations follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.general import general_parts
from symbackprop.derivation.steps import Block, Section, Step, numbering
from symbackprop.network.layers import Equation
from symbackprop.network.quantities import LAYER, PRE, TO, WEIGHT
from symbackprop.render.equations import EquationWriter, PrintedSection

LAST = Symbol("L", integer=True, positive=True)  # the last layer


def any_sizes(derivation: Derivation, first_layer: int) -> tuple[Section, ...]:
    """Forward equations, induction and gradients in the symbolic layer l, then the network's own instances.

    ``first_layer`` is the number of the input layer in the notation, which the symbolic layers are counted by.
    """
    parts = [part.section for part in general_parts(derivation)]
    general = [Section("general_forward", (Block("general_forward", tuple(forward(derivation))),)), *parts]
    blocks: dict[str, list[Block]] = {}
    said: set[tuple[tuple[Expr, Expr], ...]] = set()
    for n, section in enumerate(general):
        for block in in_letters(section, derivation.graph.depth, first_layer).blocks:
            equations = tuple((step.left, step.right) for step in block.steps)
            if equations not in said:  # layers with and without biases share most of their equations
                blocks.setdefault(section.key, []).append(labelled(block, n))
            said.add(equations)
    sections = (Section(key, tuple(found)) for key, found in blocks.items())
    instances = Section("general_instances", tuple(instance_blocks(derivation)))
    return (*sections, instances)


def forward(derivation: Derivation) -> Iterator[Step]:
    """The distinct forward equations, with the layer left symbolic."""
    graph = derivation.graph
    pre = dict.fromkeys(graph.pre[l].equation for l in range(2, graph.depth + 1))
    out: dict[Expr, Equation] = {}
    for equation in (graph.out[l].equation for l in range(2, graph.depth + 1)):
        # The units of the last layer may have a letter of their own.
        out.setdefault(equation.right.xreplace({equation.left.indices[1]: TO}), equation)
    for name, equations in (("z", pre), ("a", out.values()), ("error", [graph.error.equation])):
        for n, equation in enumerate(equations):
            put = {LAYER: LAST} if name == "error" else {}
            left, right = (side.xreplace(put) for side in (equation.left, equation.right))
            yield Step(f"general.{name}.{n}", left, right, rules.DEFINITION)


def labelled(block: Block, n: int) -> Block:
    """The block with labels of its own: one layer equation may be derived for several kinds of layer."""
    names = {step.label: f"{step.label}.{n}" for step in block.steps}
    steps = (replace(s, label=names[s.label], uses=tuple(names.get(use, use) for use in s.uses)) for s in block.steps)
    return replace(block, steps=tuple(steps))


def in_letters(section: Section, depth: int, first_layer: int) -> Section:
    """The section with l, and L for the last layer, as the notation counts layers."""
    shift = first_layer - 1

    def counted(expr: Expr) -> Expr:
        if not isinstance(expr, Expr):
            return expr
        put: dict[Expr, Expr] = {}
        for entry in expr.atoms(Entry):
            if entry.base.layered:
                layer = LAST if entry.indices[0] == depth else entry.indices[0]
                moved = layer.xreplace({LAYER: LAYER - shift, LAST: LAST - shift})
                put[entry] = entry.base[(moved, *map(counted, entry.indices[1:]))]
        return expr.xreplace(put)

    def step_in_letters(step: Step) -> Step:
        facts = tuple(replace(fact, formula=counted(fact.formula)) for fact in step.assumptions)
        return replace(step, left=counted(step.left), right=counted(step.right), assumptions=facts)

    return Section(
        section.key,
        tuple(Block(b.key, tuple(map(step_in_letters, b.steps)), tuple(map(counted, b.about))) for b in section.blocks),
    )


def instance_blocks(derivation: Derivation) -> Iterator[Block]:
    """The first unit and the first weight of every layer of the network: the general equations at its own sizes."""
    graph, scalar = derivation.graph, derivation.scalar
    for layer in range(graph.depth, 1, -1):
        steps = (*scalar.delta(layer, 1), scalar.folded(WEIGHT[layer - 1, 1, 1]))
        own = tuple(replace(step, label=f"instance.{layer}.{n}", uses=()) for n, step in enumerate(steps))
        yield Block("general_instances", own, (PRE[layer, 1],))


@dataclass(frozen=True)
class AnySizesWriter(EquationWriter):
    """Writes the document for any sizes."""

    @cached_property
    def shown(self) -> tuple[Section, ...]:
        """The general sections and the instances."""
        return any_sizes(self.derivation, self.notation.profile.first_layer)

    def sections(self) -> list[PrintedSection]:
        """All sections of equations."""
        return [self.section(section) for section in self.shown]


def any_sizes_numbers(derivation: Derivation) -> dict[str, int]:
    """The numbers of the equations in the document for any sizes."""
    return numbering(any_sizes(derivation, 1))

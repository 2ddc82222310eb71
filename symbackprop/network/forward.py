"""ForwardGraph: the network as forward equations, each a distinct layer equation with the layer put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy as sp
from sympy import Expr, Integer, Symbol

from symbackprop.calculus.cases import without_extremes
from symbackprop.calculus.indices import Entry, instantiate
from symbackprop.calculus.inert import Apply
from symbackprop.catalogue import entries as row
from symbackprop.network import layers
from symbackprop.network.layers import Equation, by_parameter
from symbackprop.network.quantities import BIAS, ERROR, LAYER, OUT, PRE, SIZE, TARGET, WEIGHT
from symbackprop.network.spec import NetworkSpec


@dataclass(frozen=True)
class Node:
    """One forward equation of the network: a distinct layer equation at ``layer``."""

    equation: Equation
    layer: int

    def at_layer(self, expr: Expr) -> Expr:
        """``expr``, written for the symbolic layer, at this node's layer."""
        return expr.xreplace({LAYER: Integer(self.layer)})

    @property
    def left(self) -> Expr:
        return self.at_layer(self.equation.left)

    @property
    def right(self) -> Expr:
        return self.at_layer(self.equation.right)

    @property
    def count(self) -> Expr:
        return self.at_layer(self.equation.count)

    @property
    def parents(self) -> tuple[Expr, ...]:
        return tuple(map(self.at_layer, self.equation.parents))


@dataclass(frozen=True)
class ForwardGraph:
    """``pre[l]`` and ``out[l]`` for l = 2 … depth, then ``error``; unit indices and sizes are symbols."""

    spec: NetworkSpec
    pre: Mapping[int, Node]
    out: Mapping[int, Node]
    error: Node

    @property
    def depth(self) -> int:
        return self.spec.depth

    @cached_property
    def sizes(self) -> dict[Expr, int]:
        """The layer sizes, as numbers for their symbols."""
        return {SIZE[l]: n for l, n in enumerate(self.spec.sizes, start=1)}

    @cached_property
    def formulas(self) -> dict[Symbol, Expr]:
        """The activations' formulas in ``Z`` by tag, and those of their derivatives by a trained parameter.

        Generic and group activations have none.
        """
        formulas = {
            Symbol(use.tag): use.entry.value
            for use in self.spec.activations
            if use.entry.value is not None and not use.entry.over_units
        }
        for use in self.spec.activations:
            for symbol in use.trained:
                formulas[by_parameter(use.tag, symbol)] = sp.diff(without_extremes(use.entry.value), symbol)
        return formulas

    @property
    def nodes(self) -> Iterator[Node]:
        """The equations in the order of the forward pass."""
        for layer in range(2, self.depth + 1):
            yield self.pre[layer]
            yield self.out[layer]
        yield self.error

    def units(self, layer: int) -> range:
        """The units of ``layer``, counted from 1."""
        return range(1, self.spec.sizes[layer - 1] + 1)

    def fed(self, layer: int) -> range:
        """The pre-activations of ``layer``, counted from 1; one for each unit, or several blocks of these."""
        return range(1, self.spec.fed[layer - 1] + 1)

    def forward_entries(self, layer: int) -> list[Entry]:
        """The pre-activations and outputs of ``layer``: unit by unit where each has one of both."""
        if self.spec.activation_of(layer).entry.pieces == 1:
            return [base[layer, unit] for unit in self.units(layer) for base in (PRE, OUT)]
        return [*(PRE[layer, pre] for pre in self.fed(layer)), *(OUT[layer, unit] for unit in self.units(layer))]

    def reader(self, layer: int, pre: int) -> tuple[int, int]:
        """The unit of ``layer`` that reads its pre-activation ``pre``, and the block that this lies in, from 0."""
        block, place = divmod(pre - 1, self.spec.sizes[layer - 1])
        return place + 1, block

    def within_block(self, layer: int, place: int) -> tuple[int, int]:
        """Where a pre-activation lies in its block of ``layer``, from 1, and which block that is, from 0."""
        block, within = divmod(place - 1, self.block(layer))
        return within + 1, block

    def block(self, layer: int) -> int:
        """The number of places in a block of ``layer``: its units, or in the output layer the targets."""
        return self.spec.targets_count if layer == self.depth else self.spec.sizes[layer - 1]

    def read_by(self, out: Entry) -> list[Entry]:
        """The pre-activations that feed the unit with the output ``out``, by block."""
        layer, unit = map(int, out.indices)
        return [PRE[layer, pre] for pre in self.fed(layer)[unit - 1 :: len(self.units(layer))]]

    def weights(self, layer: int | None = None) -> Iterator[Entry]:
        """The individual weights that leave ``layer`` (all, without one), by target unit, then source unit."""
        for l in range(1, self.depth) if layer is None else (layer,):
            for j in self.fed(l + 1):
                yield from (WEIGHT[l, i, j] for i in self.units(l))

    def biases(self, layer: int | None = None) -> Iterator[Entry]:
        """The individual biases that leave ``layer`` (all, without one)."""
        for l in range(1, self.depth) if layer is None else (layer,):
            if self.spec.has_bias(l):
                yield from (BIAS[l, j] for j in self.fed(l + 1))

    def trained(self, layer: int | None = None) -> Iterator[Entry]:
        """The trained parameters of the activation of ``layer`` (of all, without one)."""
        yield from (entry for entry in self.spec.trained.values() if layer in (None, entry.indices[0]))

    def targets(self) -> list[Entry]:
        """The individual targets."""
        return [TARGET[k] for k in range(1, self.spec.targets_count + 1)]

    def class_weights(self) -> list[Entry]:
        """The individual weights of the classes, where they have any."""
        return list(self.spec.class_weights)

    def entry_equation(self, entry: Entry) -> Expr:
        """The forward equation of one pre-activation or output, sums written out."""
        layer, unit = (int(i) for i in entry.indices)
        node = (self.pre if entry.base == PRE else self.out)[layer]
        return instantiate(node.right, {**self.sizes, node.left.indices[1]: unit})

    def concrete(self, expr: Expr) -> Expr:
        """``expr`` with every named activation replaced by its formula, and every slope by the formula's derivative."""

        def formula(tag: Symbol, order: Expr, at: Expr) -> Expr:
            if tag not in self.formulas:
                return Apply(tag, order, at)
            return sp.diff(without_extremes(self.formulas[tag]), row.Z, int(order)).xreplace({row.Z: at})

        return expr.replace(lambda e: isinstance(e, Apply) and len(e.args) == 3, lambda e: formula(*e.args))

    def composed_error(self) -> Expr:
        """E as one expression in the individual weights, biases, inputs and targets; activations by name."""
        error = instantiate(self.error.right, self.sizes)
        for layer in range(self.depth, 1, -1):
            for base, units in ((OUT, self.units(layer)), (PRE, self.fed(layer))):
                error = error.xreplace({base[layer, j]: self.entry_equation(base[layer, j]) for j in units})
        return error

    def penalty(self) -> Expr:
        """The penalty in the individual weights; 0 without one."""
        use = self.spec.penalty
        if use is None:
            return sp.S.Zero
        entries = [*self.weights(), *(self.biases() if use.biases else ())]
        return sp.Add(*(layers.penalty(use, entry) for entry in entries))


def forward_graph(spec: NetworkSpec) -> ForwardGraph:
    """The forward equations of the network that ``spec`` describes."""
    depth = spec.depth
    return ForwardGraph(
        spec,
        pre={
            l: Node(layers.dense(spec.has_bias(l - 1), spec.activation_of(l).entry.pieces), l - 1)
            for l in range(2, depth + 1)
        },
        out={l: Node(layers.activation(spec.activation_of(l), at_output=l == depth), l) for l in range(2, depth + 1)},
        error=Node(layers.error(spec.loss, spec.output_reduction), depth),
    )


__all__ = ["ERROR", "ForwardGraph", "Node", "forward_graph"]

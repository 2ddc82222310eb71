"""NetworkSpec: what the user asked for, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Rational, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.catalogue.entries import Activation, Loss, Penalty
from symbackprop.network.quantities import CLASS_WEIGHT, TrainedBase


@dataclass(frozen=True)
class ActivationUse:
    """An activation as one layer uses it; ``tag`` names it in formulas, ``parameters`` hold the numbers chosen.

    Parameters that are ``trained`` start at these numbers.
    """

    tag: str
    entry: Activation
    parameters: Mapping[Symbol, Rational] = field(default_factory=dict)
    trained: tuple[Symbol, ...] = ()


@dataclass(frozen=True)
class LossUse:
    """The loss, with the numbers chosen for its parameters, and weights of the classes where there are any."""

    entry: Loss
    parameters: Mapping[Symbol, Rational] = field(default_factory=dict)
    class_weights: tuple[Rational, ...] = ()


@dataclass(frozen=True)
class PenaltyUse:
    """A penalty ``factor · strength · Σ value``; ``strength`` is a number or a symbol that stays symbolic."""

    entry: Penalty
    strength: Expr
    form: str = "half"
    biases: bool = False


@dataclass(frozen=True)
class NetworkSpec:
    """A validated network.

    ``sizes`` are the layer widths, input first; ``activations`` and ``bias`` have one item for each layer after the
    input. ``choices`` are sentences that say what was chosen where the user left it open.
    """

    sizes: tuple[int, ...]
    activations: tuple[ActivationUse, ...]
    loss: LossUse
    bias: tuple[bool, ...]
    output_reduction: str = "sum"
    batch_reduction: str = "mean"
    penalty: PenaltyUse | None = None
    title: str | None = None
    author: str | None = None
    weight: str | None = None  # the address of a parameter that the document singles out
    notation: str = "S1"
    targets: tuple[str, ...] = ()  # of the programs; none are the usual ones
    choices: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """The number of layers, the input layer counted."""
        return len(self.sizes)

    @property
    def fed(self) -> tuple[int, ...]:
        """The number of pre-activations of each layer, which weights lead to; of the input layer, that of its units."""
        return (self.sizes[0], *(n * use.entry.pieces for n, use in zip(self.sizes[1:], self.activations, strict=True)))

    @property
    def weight_count(self) -> int:
        """The number of weights, biases not counted."""
        return sum(m * n for m, n in zip(self.sizes, self.fed[1:], strict=False))

    @property
    def parameters(self) -> dict[Symbol, Rational]:
        """Every named number of the activations and the loss; trained parameters by the number they start at."""
        merged: dict[Symbol, Rational] = {}
        for parameters in (*(use.parameters for use in self.activations), self.loss.parameters):
            merged.update(parameters)
        return merged

    @property
    def targets_count(self) -> int:
        """The number of targets: one for each output, or for several of them."""
        return self.sizes[-1] // self.loss.entry.parts

    @cached_property
    def class_weights(self) -> dict[Entry, Rational]:
        """The weights of the classes, as formulas name them, and their numbers."""
        return {CLASS_WEIGHT[k]: number for k, number in enumerate(self.loss.class_weights, start=1)}

    @cached_property
    def trained(self) -> dict[Symbol, Entry]:
        """The trained parameters of the activations, as formulas name them, and as quantities of their layers."""
        return {
            symbol: TrainedBase(symbol.name.rpartition("_")[0])[layer]
            for layer, use in enumerate(self.activations, start=2)
            for symbol in use.trained
        }

    def activation_of(self, layer: int) -> ActivationUse:
        """The activation of ``layer`` (2 … depth)."""
        return self.activations[layer - 2]

    def has_bias(self, layer: int) -> bool:
        """Whether the step that leaves ``layer`` (1 … depth-1) adds a bias."""
        return self.bias[layer - 1]

"""What a row of the catalogue is: one forward formula and its facts. No row stores a derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, Integer, Rational, Symbol, oo

from symbackprop.calculus.indices import Base, Entry, InBlock, index

Z = Symbol("z", real=True)  # the pre-activation in an elementwise activation's formula
A = Symbol("a", real=True)  # the output in a loss formula
T = Symbol("t", real=True)  # the target in a loss formula
C = Symbol("c", real=True)  # the weight of the output's class, which multiplies its share of a loss
V = Base("v", layered=False)  # the group's pre-activations v[k], k = 1..N, in a group activation's formula
K, M = index("k"), index("m")  # the unit whose output is meant, and a running unit, in a formula over units
OUTPUTS = Base("a", layered=False)  # the outputs a[k], k = 1..N, in the formula of a joint loss
TARGETS = Base("t", layered=False)  # the targets t[k] in the formula of a joint loss
N = Symbol("n", integer=True, positive=True)  # the number of units in the group, or of outputs in a loss
W = Symbol("w", real=True)  # the weight in a penalty's formula
STRENGTH = Symbol("lambda", positive=True)  # a penalty's strength λ


def piece(block: int) -> Entry:
    """The k-th unit's pre-activation in a block, counted from 0, in the formula of a unit of several pieces.

    >>> piece(1)
    vk+n
    """
    return V[InBlock(K, block, N)]


def part(block: int, parts: int) -> Entry:
    """The k-th output in a block of the outputs, counted from 0, in the formula of a loss of several parts.

    >>> part(0, 2), part(1, 2)
    (ak, ak+n/2)
    """
    return OUTPUTS[InBlock(K, block, N / parts)]


@dataclass(frozen=True)
class Kink:
    """A point where the formula has no derivative, and the slope that is taken there (PyTorch's choice).

    It lies where ``of`` equals ``at``; ``of`` is the pre-activation, or the output in a loss, where it is not given.
    """

    at: Expr
    slope: Expr
    of: Expr | None = None


@dataclass(frozen=True)
class Activation:
    """An activation: ``value`` in ``Z``, or, for a group function, the k-th output in ``V[K]``, ``V[M]`` and ``N``.

    A unit of several ``pieces`` has a pre-activation in each of so many blocks of ``N``, and no unit reads another's:
    its ``value`` is the k-th output in ``piece(0)``, ``piece(1)``, …; ``of_pieces`` gives the row for another number.

    ``value`` is None for the generic, undefined activation. Every output lies in ``range`` or is one of its ends;
    ``range`` is None where it is not known. ``trained`` are the parameters that are learned like weights, starting at
    their numbers. ``notes`` are sentences that a document says about it.
    """

    name: str
    value: Expr | None
    source: str
    aliases: tuple[str, ...] = ()
    parameters: Mapping[Symbol, Rational] = field(default_factory=dict)
    kinks: tuple[Kink, ...] = ()
    range: tuple[Expr, Expr] | None = (-oo, oo)
    group: bool = False
    pieces: int = 1
    of_pieces: Callable[[int], Activation] | None = None
    trained: tuple[Symbol, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def over_units(self) -> bool:
        """Whether ``value`` is written in the pre-activations of the layer, not in ``Z``."""
        return self.group or self.pieces > 1


@dataclass(frozen=True)
class Loss:
    """A loss: ``value`` is one output's share in ``A`` and ``T`` (and ``N``); E sums the shares over the outputs.

    The ``value`` of a ``joint`` loss is E itself, in ``OUTPUTS[M]``, ``TARGETS[M]`` and ``N``; its kinks are those of
    the output ``OUTPUTS[K]``. ``value`` is None for the generic cost, a function of the outputs and the targets.
    A loss of several ``parts`` takes so many outputs for each target, a block of outputs for each part: its ``value``
    is the share of the k-th target, in ``part(0, parts)``, ``part(1, parts)``, … and ``T``.
    ``domain`` is the open interval that the outputs must lie in; ``targets_sum_to_one`` and ``binary_targets`` are
    assumptions that a step may use (and must then name). Targets of ``classes`` are 1 for the example's class and 0 for
    the others, or probabilities of classes; emitted modules also take the number of the class.
    """

    name: str
    value: Expr | None
    source: str
    aliases: tuple[str, ...] = ()
    parameters: Mapping[Symbol, Rational] = field(default_factory=dict)
    kinks: tuple[Kink, ...] = ()
    domain: tuple[Expr, Expr] = (-oo, oo)
    targets_sum_to_one: bool = False
    binary_targets: bool = False
    joint: bool = False
    parts: int = 1
    classes: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Penalty:
    """A penalty: ``value`` is one weight's share in ``W``; the error gains ``factor·λ·Σ value``."""

    name: str
    value: Expr
    source: str
    aliases: tuple[str, ...] = ()
    kinks: tuple[Kink, ...] = ()


FORM_FACTORS: Mapping[str, Expr] = {
    "plain": Integer(1),
    "half": Rational(1, 2),
    "half_mean": 1 / (2 * Symbol("N", integer=True, positive=True)),
}

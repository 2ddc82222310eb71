"""The quantities of a layered network, as indexed entries.

Layers are counted from 1, the input being layer 1. ``WEIGHT[l, i, j]`` leads from unit i of layer l to unit j of layer
l+1; ``BIAS[l, j]`` feeds unit j of layer l+1; ``PRE[l, j]`` and ``OUT[l, j]`` are the pre-activation and the output of
unit j of layer l, ``OUT[1, i]`` is the input x_i; ``DELTA[l, j]`` is ∂E/∂PRE[l, j]. A batch adds the example as the
last index.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Base, Entry, index


class OutputBase(Base):
    """Outputs of units: those of layer 1 are the inputs, addressed as ``x1``."""

    def text(self, at: tuple[Expr, ...]) -> str:
        if at[0] == 1:
            return INPUT_NAME.text(at[1:])
        return super().text(at)


class TrainedBase(Base):
    """A trained parameter of activations, one number a layer: ``alpha[2]`` belongs to the activation of layer 2.

    ``role`` tells apart its value (""), its ``next`` value after the update and its ``change``.
    """

    parameter: str
    role: str

    def __new__(cls, parameter: str, role: str = "") -> TrainedBase:
        self = super().__new__(cls, f"{parameter}_{role}" if role else parameter)
        self.parameter, self.role = parameter, role
        return self

    def told_apart_by(self) -> tuple[Any, ...]:
        return (*super().told_apart_by(), self.role)

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, bool]]:  # type: ignore[override]
        return (self.parameter, self.role), {}

    def as_role(self, role: str) -> TrainedBase:
        """The same parameter's value, next value or change."""
        return TrainedBase(self.parameter, role)


INPUT_NAME = Base("x", layered=False)
WEIGHT = Base("w")
BIAS = Base("b")
PRE = Base("z")
OUT = OutputBase("a")
DELTA = Base("delta")
TARGET = Base("t", layered=False)
CLASS_WEIGHT = Base("c", layered=False)  # CLASS_WEIGHT[k]: how much the class k counts in the error
SIZE = Base("n", integer=True, positive=True)  # SIZE[l]: the number of units of layer l

NEXT_WEIGHT = Base("w_next")  # a weight's value after the update
NEXT_BIAS = Base("b_next")
WEIGHT_CHANGE = Base("w_change")  # what the update adds to a weight
BIAS_CHANGE = Base("b_change")
UPDATED: dict[Base, Base] = {WEIGHT: NEXT_WEIGHT, BIAS: NEXT_BIAS}
CHANGED: dict[Base, Base] = {WEIGHT: WEIGHT_CHANGE, BIAS: BIAS_CHANGE}
WEIGHTS = (WEIGHT, NEXT_WEIGHT, WEIGHT_CHANGE)
BIASES = (BIAS, NEXT_BIAS, BIAS_CHANGE)

ERROR = Symbol("E", real=True)  # the error of one example
OBJECTIVE = Symbol("J", real=True)  # what is minimised: the examples' errors, reduced over the batch, plus the penalty
RATE = Symbol("eta", positive=True)
BATCH = Symbol("N", integer=True, positive=True)  # the number of examples in a batch

LAYER = index("l")  # the layer in a layer's equation, before it is instantiated
EXAMPLE = index("example")  # the example in a batch
FROM, TO = index("i"), index("j")  # units of the layer a weight leaves and of the layer it enters
OUTPUT_UNIT = index("k")


def updated(of: Entry) -> Entry:
    """The value of a parameter after the update.

    >>> updated(WEIGHT[1, 2, 3]), updated(TrainedBase("alpha")[2])
    (w_next23[1], alpha_next[2])
    """
    return (of.base.as_role("next") if is_trained(of) else UPDATED[of.base])[of.indices]


def change(of: Entry) -> Entry:
    """What the update adds to a parameter."""
    return (of.base.as_role("change") if is_trained(of) else CHANGED[of.base])[of.indices]


def is_trained(expr: object, role: str | None = None) -> bool:
    """Whether ``expr`` is a trained parameter of an activation, in this role if one is given.

    >>> is_trained(TrainedBase("alpha")[2]), is_trained(BIAS[1, 2])
    (True, False)
    """
    base = expr.base if isinstance(expr, Entry) else expr
    return isinstance(base, TrainedBase) and role in (None, base.role)


def is_entry(expr: object, base: Base) -> bool:
    """Whether ``expr`` is an entry of ``base``.

    >>> is_entry(WEIGHT[1, 2, 3], WEIGHT), is_entry(ERROR, WEIGHT)
    (True, False)
    """
    return isinstance(expr, Entry) and expr.base == base

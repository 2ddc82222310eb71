"""Activations with corners or jumps, beyond the classic ones: one forward formula each, data only.

Where the slope jumps, the cases are cut so that the point itself belongs to the case whose slope PyTorch takes there.
"""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Piecewise, Rational, Symbol, oo

from symbackprop.catalogue.entries import Activation, Kink, Z

LOWER, UPPER = Symbol("lower", real=True), Symbol("upper", real=True)  # RReLU's slope is drawn between them
SCALE, ALPHA = Symbol("scale", positive=True), Symbol("alpha", positive=True)  # SELU's two fixed numbers
LOW, HIGH = Symbol("low", real=True), Symbol("high", real=True)  # where hard tanh is cut off
SHRINK = Symbol("kappa", positive=True)  # what a shrinking function takes away, λ in its source
THETA, BELOW = Symbol("theta", real=True), Symbol("v", real=True)  # the threshold, and the value up to it
ZERO = Kink(Integer(0), Integer(0))

RELU6 = Activation(
    name="relu6",
    value=Piecewise((0, Z <= 0), (Z, Z < 6), (6, True)),
    kinks=(ZERO, Kink(Integer(6), Integer(0))),
    range=(Integer(0), Integer(6)),
    source="torch.nn.ReLU6",
)
RRELU = Activation(
    name="rrelu",
    aliases=("randomized_leaky_relu",),
    value=Piecewise((Z, Z > 0), ((LOWER + UPPER) / 2 * Z, True)),
    parameters={LOWER: Rational(1, 8), UPPER: Rational(1, 3)},
    kinks=(Kink(Integer(0), (LOWER + UPPER) / 2),),
    source="torch.nn.RReLU in evaluation mode",
)
SELU = Activation(
    name="selu",
    aliases=("scaled_elu",),
    value=Piecewise((SCALE * Z, Z > 0), (SCALE * ALPHA * (sp.exp(Z) - 1), True)),
    parameters={
        SCALE: Rational("1.0507009873554804934193349852946"),
        ALPHA: Rational("1.6732632423543772848170429916717"),
    },
    kinks=(Kink(Integer(0), SCALE * ALPHA),),
    range=(-SCALE * ALPHA, oo),
    source="torch.nn.SELU; Klambauer and others: Self-Normalizing Neural Networks (2017)",
)
HARD_SIGMOID = Activation(
    name="hard_sigmoid",
    value=Piecewise((0, Z <= -3), (Z / 6 + Rational(1, 2), Z < 3), (1, True)),
    kinks=(Kink(Integer(-3), Integer(0)), Kink(Integer(3), Integer(0))),
    range=(Integer(0), Integer(1)),
    source="torch.nn.Hardsigmoid",
)
HARD_SWISH = Activation(
    name="hard_swish",
    aliases=("hard_silu",),
    value=Piecewise((0, Z <= -3), (Z * (Z + 3) / 6, Z < 3), (Z, True)),
    kinks=(Kink(Integer(-3), Integer(0)), Kink(Integer(3), Integer(1))),
    range=(Rational(-3, 8), oo),
    source="torch.nn.Hardswish",
)
HARD_TANH = Activation(
    name="hard_tanh",
    value=Piecewise((LOW, Z <= LOW), (Z, Z < HIGH), (HIGH, True)),
    parameters={LOW: Integer(-1), HIGH: Integer(1)},
    kinks=(Kink(LOW, Integer(0)), Kink(HIGH, Integer(0))),
    range=(LOW, HIGH),
    source="torch.nn.Hardtanh",
)
SOFT_SHRINK = Activation(
    name="soft_shrink",
    value=Piecewise((Z + SHRINK, Z < -SHRINK), (0, Z <= SHRINK), (Z - SHRINK, True)),
    parameters={SHRINK: Rational(1, 2)},
    kinks=(Kink(-SHRINK, Integer(0)), Kink(SHRINK, Integer(0))),
    source="torch.nn.Softshrink",
)
HARD_SHRINK = Activation(
    name="hard_shrink",
    value=Piecewise((Z, Z < -SHRINK), (0, Z <= SHRINK), (Z, True)),
    parameters={SHRINK: Rational(1, 2)},
    kinks=(Kink(-SHRINK, Integer(0)), Kink(SHRINK, Integer(0))),
    source="torch.nn.Hardshrink",
    notes=("At z = -kappa and z = kappa, hard_shrink jumps; gradients do not see the jumps.",),
)
THRESHOLD = Activation(
    name="threshold",
    aliases=("thresholded_relu",),
    value=Piecewise((Z, Z > THETA), (BELOW, True)),
    parameters={THETA: Integer(1), BELOW: Integer(0)},
    kinks=(Kink(THETA, Integer(0)),),
    range=(sp.Min(THETA, BELOW), oo),
    source="torch.nn.Threshold(threshold, value)",
    notes=("Where v is not theta, threshold jumps at z = theta; gradients do not see the jump.",),
)

CORNERED = (RELU6, RRELU, SELU, HARD_SIGMOID, HARD_SWISH, HARD_TANH, SOFT_SHRINK, HARD_SHRINK, THRESHOLD)

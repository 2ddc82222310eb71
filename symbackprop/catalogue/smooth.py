"""Activations whose slope is continuous, beyond the classic ones: one forward formula each, data only."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Piecewise, Rational, Symbol, oo, pi

from symbackprop.catalogue.entries import Activation, Z

WIDTH = Symbol("alpha", positive=True)  # how slowly CELU's exponential falls
ROUNDNESS = Symbol("r", positive=True)  # squareplus is 0 or z at the edges, √r/2 in the middle
HEIGHT, STEEPNESS = Symbol("c", positive=True), Symbol("s", positive=True)  # c·tanh(s z)

CELU = Activation(
    name="celu",
    aliases=("continuous_elu",),
    value=Piecewise((Z, Z > 0), (WIDTH * (sp.exp(Z / WIDTH) - 1), True)),
    parameters={WIDTH: Integer(1)},
    range=(-WIDTH, oo),
    source="torch.nn.CELU",
)
GELU_TANH = Activation(
    name="gelu_tanh",
    aliases=("gelu_approximate", "gelu_new"),
    value=Z * (1 + sp.tanh(sp.sqrt(2 / pi) * (Z + Rational("0.044715") * Z**3))) / 2,
    range=(Rational(-1701, 10000), oo),  # the minimum, -0.17004, has no closed form
    source="torch.nn.GELU, approximate='tanh'",
)
MISH = Activation(
    name="mish",
    value=Z * sp.tanh(sp.log(1 + sp.exp(Z))),
    range=(Rational(-309, 1000), oo),  # the minimum, -0.30884, has no closed form
    source="torch.nn.Mish",
)
SOFTSIGN = Activation(
    name="softsign",
    value=Z / (1 + sp.Abs(Z)),
    range=(Integer(-1), Integer(1)),
    source="torch.nn.Softsign",
)
LOG_SIGMOID = Activation(
    name="log_sigmoid",
    aliases=("log_logistic",),
    value=sp.log(1 / (1 + sp.exp(-Z))),
    range=(-oo, Integer(0)),
    source="torch.nn.LogSigmoid",
)
TANH_SHRINK = Activation(
    name="tanh_shrink",
    value=Z - sp.tanh(Z),
    source="torch.nn.Tanhshrink",
)
EXPONENTIAL = Activation(
    name="exponential",
    aliases=("exp",),
    value=sp.exp(Z),
    range=(Integer(0), oo),
    source="keras.activations.exponential",
)
SQUAREPLUS = Activation(
    name="squareplus",
    value=(Z + sp.sqrt(Z**2 + ROUNDNESS)) / 2,
    parameters={ROUNDNESS: Integer(4)},
    range=(Integer(0), oo),
    source="keras.activations.squareplus",
)
GAUSSIAN = Activation(
    name="gaussian",
    value=sp.exp(-(Z**2)),
    range=(Integer(0), Integer(1)),
    source="the bell of radial basis functions, e^(-z²)",
)
SCALED_TANH = Activation(
    name="scaled_tanh",
    aliases=("lecun_tanh",),
    value=HEIGHT * sp.tanh(STEEPNESS * Z),
    parameters={HEIGHT: Rational("1.7159"), STEEPNESS: Rational(2, 3)},
    range=(-HEIGHT, HEIGHT),
    source="LeCun, Bottou, Orr, Müller: Efficient BackProp (1998)",
)

SMOOTH = (
    CELU,
    GELU_TANH,
    MISH,
    SOFTSIGN,
    LOG_SIGMOID,
    TANH_SHRINK,
    EXPONENTIAL,
    SQUAREPLUS,
    GAUSSIAN,
    SCALED_TANH,
)

"""The activations: one forward formula each. Data only; everything about derivatives is derived."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Piecewise, Rational, Symbol, oo

from symbackprop.catalogue.cornered import CORNERED
from symbackprop.catalogue.entries import Activation, Kink, Z
from symbackprop.catalogue.groups import GROUPS
from symbackprop.catalogue.smooth import SMOOTH

ALPHA = Symbol("alpha", real=True)
BETA = Symbol("beta", positive=True)  # how sharply softplus turns at 0

IDENTITY = Activation(
    name="identity",
    aliases=("linear", "none"),
    value=Z,
    source="torch.nn.Identity",
)
SIGMOID = Activation(
    name="sigmoid",
    aliases=("logistic", "expit"),
    value=1 / (1 + sp.exp(-Z)),
    range=(Integer(0), Integer(1)),
    source="torch.nn.Sigmoid",
)
TANH = Activation(
    name="tanh",
    aliases=("hyperbolic_tangent",),
    value=sp.tanh(Z),
    range=(Integer(-1), Integer(1)),
    source="torch.nn.Tanh",
)
RELU = Activation(
    name="relu",
    aliases=("rectifier", "rectified_linear_unit"),
    value=Piecewise((Z, Z > 0), (0, True)),
    kinks=(Kink(Integer(0), Integer(0)),),
    range=(Integer(0), oo),
    source="torch.nn.ReLU",
)
LEAKY_RELU = Activation(
    name="leaky_relu",
    aliases=("lrelu",),
    value=Piecewise((Z, Z > 0), (ALPHA * Z, True)),
    parameters={ALPHA: Rational(1, 100)},
    kinks=(Kink(Integer(0), ALPHA),),
    source="torch.nn.LeakyReLU",
)
PRELU = Activation(
    name="prelu",
    aliases=("parametric_relu",),
    value=Piecewise((Z, Z > 0), (ALPHA * Z, True)),
    parameters={ALPHA: Rational(1, 4)},
    trained=(ALPHA,),
    kinks=(Kink(Integer(0), ALPHA),),
    source="torch.nn.PReLU with one slope for a layer; He and others: Delving Deep into Rectifiers (2015)",
)
ELU = Activation(
    name="elu",
    aliases=("exponential_linear_unit",),
    value=Piecewise((Z, Z > 0), (ALPHA * (sp.exp(Z) - 1), True)),
    parameters={ALPHA: Integer(1)},
    kinks=(Kink(Integer(0), ALPHA),),
    range=(-ALPHA, oo),
    source="torch.nn.ELU",
)
SOFTPLUS = Activation(
    name="softplus",
    value=sp.log(1 + sp.exp(BETA * Z)) / BETA,
    parameters={BETA: Integer(1)},
    range=(Integer(0), oo),
    source="torch.nn.Softplus",
)
SILU = Activation(
    name="silu",
    aliases=("swish",),
    value=Z / (1 + sp.exp(-Z)),
    range=(-sp.LambertW(sp.exp(-1)), oo),
    source="torch.nn.SiLU",
)
GELU = Activation(
    name="gelu",
    aliases=("gaussian_error_linear_unit",),
    value=Z * (1 + sp.erf(Z / sp.sqrt(2))) / 2,
    range=(Rational(-17, 100), oo),  # the minimum, -0.16997, has no closed form
    source="torch.nn.GELU",
)
GENERIC = Activation(
    name="g",
    aliases=("generic",),
    value=None,
    source="any differentiable function of one variable",
)

CLASSIC = (IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, PRELU, ELU, SOFTPLUS, SILU, GELU)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in (*CLASSIC, *CORNERED, *SMOOTH, *GROUPS, GENERIC)}

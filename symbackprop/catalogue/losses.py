"""The losses: one output's share of each, or all of it, as a forward formula. Data only; derivatives are derived."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Piecewise, Rational, Symbol

from symbackprop.catalogue.classification import CLASSIFICATION
from symbackprop.catalogue.entries import A, Kink, Loss, T
from symbackprop.catalogue.joint import JOINT
from symbackprop.catalogue.regression import REGRESSION

THRESHOLD = Symbol("delta", positive=True)  # where the Huber loss turns from a parabola into a line

MSE = Loss(
    name="mse",
    aliases=("mean_squared_error", "half_squared_error"),
    value=(A - T) ** 2 / 2,
    source="half the squared difference, as in textbooks; half of torch.nn.MSELoss before its mean",
)
SQUARED_ERROR = Loss(
    name="squared_error",
    aliases=("sum_of_squares", "sse", "mse_loss"),
    value=(A - T) ** 2,
    source="torch.nn.MSELoss, reduction='none'",
)
BCE = Loss(
    name="bce",
    aliases=("binary_cross_entropy", "bce_loss", "binary_log_loss"),
    value=-T * sp.log(A) - (1 - T) * sp.log(1 - A),
    domain=(Integer(0), Integer(1)),
    binary_targets=True,
    source="torch.nn.BCELoss, reduction='none'",
)
CE = Loss(
    name="ce",
    aliases=(
        "cross_entropy",
        "categorical_cross_entropy",
        "cross_entropy_loss",
        "sparse_categorical_cross_entropy",
        "log_loss",
    ),
    value=-T * sp.log(A),
    domain=(Integer(0), Integer(1)),
    targets_sum_to_one=True,
    classes=True,
    source="torch.nn.CrossEntropyLoss with class probabilities as targets, after its softmax",
)
MAE = Loss(
    name="mae",
    aliases=("mean_absolute_error", "absolute_error", "l1_loss"),
    value=sp.Abs(A - T),
    kinks=(Kink(T, Integer(0)),),
    source="torch.nn.L1Loss, reduction='none'",
)
HUBER = Loss(
    name="huber",
    aliases=("huber_loss",),
    value=Piecewise(
        ((A - T) ** 2 / 2, sp.Abs(A - T) < THRESHOLD),
        (THRESHOLD * (sp.Abs(A - T) - THRESHOLD * Rational(1, 2)), True),
    ),
    parameters={THRESHOLD: Integer(1)},
    source="torch.nn.HuberLoss, reduction='none'",
)
COST = Loss(
    name="cost",
    aliases=("generic",),
    value=None,
    source="any differentiable function of the outputs and the targets",
)

LOSSES: dict[str, Loss] = {
    entry.name: entry for entry in (MSE, SQUARED_ERROR, BCE, CE, MAE, HUBER, *REGRESSION, *CLASSIFICATION, *JOINT, COST)
}

"""Losses between numbers, beyond the classic ones: one output's share of each as a forward formula. Data only."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Piecewise, Rational, Symbol, oo

from symbackprop.catalogue.entries import A, Kink, Loss, T, part

TURN = Symbol("beta", positive=True)  # where smooth L1 turns from a parabola into a line
LEVEL = Symbol("tau", positive=True)  # the quantile that is estimated

MSLE = Loss(
    name="msle",
    aliases=("mean_squared_logarithmic_error", "squared_log_error", "mean_squared_log_error"),
    value=(sp.log(1 + A) - sp.log(1 + T)) ** 2,
    domain=(Integer(-1), oo),
    source="keras.losses.MeanSquaredLogarithmicError",
    notes=("Targets must be greater than -1.",),
)
MAPE = Loss(
    name="mape",
    aliases=("mean_absolute_percentage_error",),
    value=100 * sp.Abs((A - T) / T),
    kinks=(Kink(T, Integer(0)),),
    source="keras.losses.MeanAbsolutePercentageError",
    notes=("No target may be 0.",),
)
SMOOTH_L1 = Loss(
    name="smooth_l1",
    aliases=("smooth_l1_loss",),
    value=Piecewise(
        ((A - T) ** 2 / (2 * TURN), sp.Abs(A - T) < TURN),
        (sp.Abs(A - T) - TURN / 2, True),
    ),
    parameters={TURN: Integer(1)},
    source="torch.nn.SmoothL1Loss, reduction='none'",
)
LOG_COSH = Loss(
    name="log_cosh",
    aliases=("log_cosh_loss",),
    value=sp.log(sp.cosh(A - T)),
    source="keras.losses.LogCosh",
)
QUANTILE = Loss(
    name="quantile",
    aliases=("pinball", "pinball_loss", "quantile_loss"),
    value=Piecewise((LEVEL * (T - A), A < T), ((1 - LEVEL) * (A - T), True)),
    parameters={LEVEL: Rational(1, 2)},
    kinks=(Kink(T, 1 - LEVEL),),
    source="sklearn.metrics.mean_pinball_loss",
)
POISSON = Loss(
    name="poisson",
    aliases=("poisson_loss",),
    value=A - T * sp.log(A),
    domain=(Integer(0), oo),
    source="keras.losses.Poisson",
)
POISSON_NLL = Loss(
    name="poisson_nll",
    aliases=("poisson_nll_loss",),
    value=sp.exp(A) - T * A,
    source="torch.nn.PoissonNLLLoss, log_input=True, reduction='none'",
)

MEAN, LOG_VARIANCE = part(0, 2), part(1, 2)
GAUSSIAN_NLL = Loss(
    name="gaussian_nll",
    aliases=("gaussian_nll_loss", "heteroscedastic"),
    value=(LOG_VARIANCE + (T - MEAN) ** 2 * sp.exp(-LOG_VARIANCE)) / 2,
    parts=2,
    source="torch.nn.GaussianNLLLoss with var = exp(s), eps towards 0; Nix and Weigend (1994)",
    notes=("The first half of the outputs are means, the second half logarithms of variances: two outputs a target.",),
)

REGRESSION = (MSLE, MAPE, SMOOTH_L1, LOG_COSH, QUANTILE, POISSON, POISSON_NLL, GAUSSIAN_NLL)

"""Losses between classes, beyond the classic ones: one output's share of each as a forward formula. Data only."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Piecewise, Rational, Symbol, oo

from symbackprop.catalogue.entries import A, Kink, Loss, N, T

POSITIVE = Symbol("rho", positive=True)  # how much a positive example counts, pos_weight in its source
SMOOTHING = Symbol("epsilon", positive=True)  # the part of each target that is spread over all classes
FOCUS = Symbol("gamma", positive=True)  # how much less an easy example counts

ZERO, ONE = Integer(0), Integer(1)

BCE_WITH_LOGITS = Loss(
    name="bce_with_logits",
    aliases=("binary_cross_entropy_with_logits", "sigmoid_cross_entropy", "bce_with_logits_loss"),
    value=-POSITIVE * T * sp.log(1 / (1 + sp.exp(-A))) - (1 - T) * sp.log(1 / (1 + sp.exp(A))),
    parameters={POSITIVE: ONE},
    binary_targets=True,
    source="torch.nn.BCEWithLogitsLoss(pos_weight=rho), reduction='none'",
)
CE_ANY_SUM = Loss(
    name="ce_any_sum",
    value=-T * sp.log(A),
    domain=(ZERO, ONE),
    classes=True,
    source="cross-entropy for targets of any sum, such as soft or several labels; torch.nn.CrossEntropyLoss",
)
CE_SMOOTHED = Loss(
    name="ce_smoothed",
    aliases=("label_smoothing", "smoothed_cross_entropy"),
    value=-(((1 - SMOOTHING) * T + SMOOTHING / N) * sp.log(A)),  # SymPy would multiply the sign into the bracket
    parameters={SMOOTHING: Rational(1, 10)},
    domain=(ZERO, ONE),
    targets_sum_to_one=True,
    classes=True,
    source="torch.nn.CrossEntropyLoss(label_smoothing=epsilon), after its softmax",
)
NLL = Loss(
    name="nll",
    aliases=("negative_log_likelihood", "nll_loss"),
    value=-T * A,
    domain=(-oo, ZERO),
    targets_sum_to_one=True,
    classes=True,
    source="torch.nn.NLLLoss on log-probabilities, with class probabilities as targets",
)
KL = Loss(
    name="kl",
    aliases=("kl_divergence", "kullback_leibler", "kld", "kullback_leibler_divergence", "kl_div", "kl_div_loss"),
    value=Piecewise((T * sp.log(T), T > 0), (0, True)) - T * sp.log(A),
    domain=(ZERO, ONE),
    targets_sum_to_one=True,
    source="keras.losses.KLDivergence; torch.nn.KLDivLoss takes the logarithm of the outputs",
)
FOCAL = Loss(
    name="focal",
    aliases=("focal_loss", "binary_focal", "binary_focal_cross_entropy"),
    value=-T * (1 - A) ** FOCUS * sp.log(A) - (1 - T) * A**FOCUS * sp.log(1 - A),
    parameters={FOCUS: Integer(2)},
    domain=(ZERO, ONE),
    binary_targets=True,
    source="torchvision.ops.sigmoid_focal_loss without alpha, after its sigmoid; Lin and others (2017)",
)
HINGE = Loss(
    name="hinge",
    aliases=("hinge_loss",),
    value=Piecewise((1 - T * A, T * A < 1), (0, True)),
    kinks=(Kink(1 / T, ZERO),),
    source="keras.losses.Hinge",
    notes=("Targets are -1 or 1.",),
)
SQUARED_HINGE = Loss(
    name="squared_hinge",
    value=Piecewise(((1 - T * A) ** 2, T * A < 1), (0, True)),
    source="keras.losses.SquaredHinge",
    notes=("Targets are -1 or 1.",),
)
SOFT_MARGIN = Loss(
    name="soft_margin",
    aliases=("logistic_loss", "soft_margin_loss"),
    value=sp.log(1 + sp.exp(-T * A)),
    source="torch.nn.SoftMarginLoss, reduction='none'",
    notes=("Targets are -1 or 1.",),
)

CLASSIFICATION = (
    BCE_WITH_LOGITS,
    CE_ANY_SUM,
    CE_SMOOTHED,
    NLL,
    KL,
    FOCAL,
    HINGE,
    SQUARED_HINGE,
    SOFT_MARGIN,
)

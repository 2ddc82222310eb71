"""Losses of all outputs together: the error of one example as one formula in the outputs and targets. Data only."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, Symbol

from symbackprop.catalogue.entries import OUTPUTS, TARGETS, K, Kink, Loss, M, N

MARGIN = Symbol("mu", positive=True)  # how far the class of the example must stand out

ZERO = Integer(0)
ALONG = sp.Sum(OUTPUTS[M] * TARGETS[M], (M, 1, N))  # a · t; the output of the class, where targets are 0 and 1
COSINE_OF_ANGLE = ALONG / (sp.sqrt(sp.Sum(OUTPUTS[M] ** 2, (M, 1, N))) * sp.sqrt(sp.Sum(TARGETS[M] ** 2, (M, 1, N))))
NOT_ALL_ZERO = "Neither the outputs nor the targets of an example may all be 0."
BEYOND = sp.Max(0, MARGIN + OUTPUTS[K] - ALONG)  # by how much an output comes too near to that of the class
AT_MARGIN = Kink(ALONG - MARGIN, ZERO)

COSINE = Loss(
    name="cosine",
    aliases=("cosine_distance", "cosine_embedding", "cosine_embedding_loss"),
    value=1 - COSINE_OF_ANGLE,
    joint=True,
    source="torch.nn.CosineEmbeddingLoss for pairs that are alike (y = 1)",
    notes=(NOT_ALL_ZERO,),
)
COSINE_SIMILARITY = Loss(
    name="cosine_similarity",
    value=-COSINE_OF_ANGLE,
    joint=True,
    source="keras.losses.CosineSimilarity",
    notes=(NOT_ALL_ZERO,),
)
MULTI_MARGIN = Loss(
    name="multi_margin",
    aliases=("multi_margin_loss", "multi_class_hinge"),
    value=sp.Sum((1 - TARGETS[K]) * BEYOND, (K, 1, N)) / N,
    parameters={MARGIN: Integer(1)},
    kinks=(AT_MARGIN,),
    joint=True,
    classes=True,
    source="torch.nn.MultiMarginLoss(margin=mu); Weston and Watkins (1999)",
    notes=("Targets are 1 for the class of the example and 0 for the others.",),
)
SQUARED_MULTI_MARGIN = Loss(
    name="squared_multi_margin",
    aliases=("squared_multi_class_hinge",),
    value=sp.Sum((1 - TARGETS[K]) * BEYOND**2, (K, 1, N)) / N,
    parameters={MARGIN: Integer(1)},
    joint=True,
    classes=True,
    source="torch.nn.MultiMarginLoss(p=2, margin=mu)",
    notes=("Targets are 1 for the class of the example and 0 for the others.",),
)

JOINT = (COSINE, COSINE_SIMILARITY, MULTI_MARGIN, SQUARED_MULTI_MARGIN)

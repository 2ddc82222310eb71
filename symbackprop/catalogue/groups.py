"""Activations of several pre-activations, all of a layer or some for each unit: one forward formula each, data only."""

from __future__ import annotations

from itertools import combinations

import sympy as sp
from sympy import Integer, oo

from symbackprop.catalogue.entries import Activation, K, Kink, M, N, V, piece

SOFTMAX = Activation(
    name="softmax",
    value=sp.exp(V[K]) / sp.Sum(sp.exp(V[M]), (M, 1, N)),
    range=(Integer(0), Integer(1)),
    group=True,
    source="torch.nn.Softmax",
)
LOG_SOFTMAX = Activation(
    name="log_softmax",
    value=V[K] - sp.log(sp.Sum(sp.exp(V[M]), (M, 1, N))),
    range=(-oo, Integer(0)),
    group=True,
    source="torch.nn.LogSoftmax",
)
SOFTMIN = Activation(
    name="softmin",
    value=sp.exp(-V[K]) / sp.Sum(sp.exp(-V[M]), (M, 1, N)),
    range=(Integer(0), Integer(1)),
    group=True,
    source="torch.nn.Softmin",
)

GLU = Activation(
    name="glu",
    aliases=("gated_linear_unit",),
    value=piece(0) / (1 + sp.exp(-piece(1))),
    pieces=2,
    source="torch.nn.GLU after a torch.nn.Linear(m, 2n); Dauphin and others: Language Modeling with Gated "
    "Convolutional Networks (2017)",
)


def maxout(pieces: int) -> Activation:
    """The largest of so many pieces."""
    each = [piece(block) for block in range(pieces)]
    return Activation(
        name="maxout" if pieces == 2 else f"maxout{pieces}",
        value=sp.Max(*each),
        kinks=tuple(Kink(later, Integer(0), of=first) for first, later in combinations(each, 2)),
        pieces=pieces,
        of_pieces=maxout,
        source="Goodfellow and others: Maxout Networks (2013), units of 2 pieces, maxout(3) of 3",
        notes=("Where the largest pieces of a unit are equal, the slope is that of the last of them.",),
    )


MAXOUT = maxout(2)

GROUPS = (SOFTMAX, LOG_SOFTMAX, SOFTMIN, GLU, MAXOUT)

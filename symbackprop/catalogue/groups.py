"""Activations over a group, the units of a whole layer: the k-th output as one forward formula each, data only."""

from __future__ import annotations

import sympy as sp
from sympy import Integer, oo

from symbackprop.catalogue.entries import Activation, K, M, N, V

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

GROUPS = (SOFTMAX, LOG_SOFTMAX, SOFTMIN)

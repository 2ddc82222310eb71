"""The penalties: one weight's share of each, as a forward formula. Data only; derivatives are derived."""

from __future__ import annotations

import sympy as sp
from sympy import Integer

from symbackprop.catalogue.entries import Kink, Penalty, W

L2 = Penalty(
    name="l2",
    aliases=("ridge", "weight_decay"),
    value=W**2,
    source="weight decay; half the form is torch.optim.SGD's weight_decay",
)
L1 = Penalty(
    name="l1",
    aliases=("lasso",),
    value=sp.Abs(W),
    kinks=(Kink(Integer(0), Integer(0)),),
    source="torch.nn.L1Loss against zero, reduction='sum'",
)

ELASTIC_NET = Penalty(
    name="elastic_net",
    aliases=("elastic", "l1_l2"),
    value=(sp.Abs(W) + W**2) / 2,
    kinks=(Kink(Integer(0), Integer(0)),),
    source="Zou and Hastie (2005), both parts in equal shares; sklearn.linear_model.ElasticNet with l1_ratio 1/2",
)

PENALTIES: dict[str, Penalty] = {entry.name: entry for entry in (L2, L1, ELASTIC_NET)}

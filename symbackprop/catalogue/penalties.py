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

PENALTIES: dict[str, Penalty] = {entry.name: entry for entry in (L2, L1)}

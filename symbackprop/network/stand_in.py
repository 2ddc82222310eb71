"""Functions with formulas in place of those that are known by name only, so that numbers can be put in."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.network.spec import ActivationUse, LossUse, NetworkSpec

ACTIVATION, LOSS = "sigmoid", "mse"


def is_generic(use: ActivationUse) -> bool:
    """Whether the activation is known by its name only; a group function is written out as equations."""
    return use.entry.value is None and not use.entry.over_units


def with_formulas(spec: NetworkSpec) -> NetworkSpec:
    """``spec`` with the sigmoid for every generic activation, under its own tag, and ``mse`` for a generic loss.

    >>> from symbackprop.network.read import network
    >>> with_formulas(network("2-3-1", activation="g", loss="mse")).activations[0].entry.name
    'sigmoid'
    """
    activations = tuple(
        ActivationUse(use.tag, ACTIVATIONS[ACTIVATION]) if is_generic(use) else use for use in spec.activations
    )
    loss = LossUse(LOSSES[LOSS]) if spec.loss.entry.value is None else spec.loss
    return replace(spec, activations=activations, loss=loss)

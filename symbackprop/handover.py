"""What the checks need of an emitted module: its functions with everything handed in that stays open in the network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from types import ModuleType
from typing import Any

from symbackprop.check.floats import Emitted, stand_in
from symbackprop.emit.source import named_numbers, strength
from symbackprop.network.layers import GENERIC_LOSS
from symbackprop.network.spec import NetworkSpec

STRENGTH = 0.3  # the number that stands for a penalty's symbolic strength while the code is checked
SLOPE_SUFFIXES = {"_prime": 1, "_slope": 1}


def emitted(module: ModuleType, spec: NetworkSpec) -> Emitted:
    """``module`` ready to be checked: smooth functions stand in for those that are known by name only."""
    numbers = {}
    given: dict[str, Any] = {}
    if (symbol := strength(spec)) is not None:
        numbers[symbol] = given[named_numbers(spec)[symbol]] = STRENGTH
    tags = [use.tag for use in spec.activations if use.entry.value is None]
    tags += [GENERIC_LOSS.name] if spec.loss.entry.value is None else []
    for tag in tags:
        given[tag] = _of_order(tag, 0)
        given |= {f"{tag}{suffix}": _of_order(tag, order) for suffix, order in SLOPE_SUFFIXES.items()}
    wanted = signature(module.loss_and_gradients).parameters
    return Emitted(
        partial(module.loss_and_gradients, **{name: value for name, value in given.items() if name in wanted}),
        names={name: (name[0].lower(), int(name[1:])) for name in module.SHAPES},
        weights_from_to=module.WEIGHT_LAYOUT == "from_to",
        stand_ins={tag: stand_in(tag) for tag in tags},
        numbers=numbers,
    )


def _of_order(tag: str, order: int) -> Callable[..., Any]:
    return partial(stand_in(tag), order)

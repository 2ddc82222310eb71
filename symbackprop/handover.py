"""What the checks need of an emitted module: its functions with everything handed in that stays open in the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from symbackprop.check.floats import Arrays, Emitted, stand_in
from symbackprop.emit.source import named_numbers, strength
from symbackprop.network.layers import GENERIC_LOSS
from symbackprop.network.spec import NetworkSpec

STRENGTH = 0.3  # the number that stands for a penalty's symbolic strength while the code is checked
FEW_EXAMPLES = "FEW_EXAMPLES"  # up to so many, a module computes in plain numbers
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
    parameters = Parameters(module, spec)
    both, plain = (handed(function, given) for function in (module.loss_and_gradients, module.gradients))

    def alone(params: Arrays, x: Any, t: Any) -> Arrays:
        return parameters.of_vectors(lambda *args: (0.0, plain(*args)))(params, x, t)[1]

    return Emitted(
        parameters.of_vectors(of_all_forms(module, both)),
        names=parameters.places,
        weights_from_to=module.WEIGHT_LAYOUT == "from_to",
        stand_ins={tag: stand_in(tag) for tag in tags},
        numbers=numbers,
        gradients=alone,
    )


def of_all_forms(module: ModuleType, function: Callable[..., Any]) -> Callable[..., Any]:
    """The mean of what ``function`` computes in plain numbers and in arrays: if one of the two is wrong, so is it.

    Only modules of small networks have both forms.
    """
    if not hasattr(module, FEW_EXAMPLES):
        return function
    most = getattr(module, FEW_EXAMPLES)

    def mean(params: Arrays, x: Any, t: Any) -> tuple[float, Arrays]:
        found = []
        for few in (most, 0):
            setattr(module, FEW_EXAMPLES, few)
            found.append(function(params, x, t))
        setattr(module, FEW_EXAMPLES, most)
        (loss, gradients), (other, others) = found
        return (loss + other) / 2, {name: (gradients[name] + others[name]) / 2 for name in gradients}

    return mean


def handed(function: Callable[..., Any], given: dict[str, Any]) -> Callable[..., Any]:
    """``function`` with those of the ``given`` arguments that it takes."""
    wanted = signature(function).parameters
    return partial(function, **{name: value for name, value in given.items() if name in wanted})


@dataclass(frozen=True)
class Parameters:
    """Weights and bias vectors for a ``module`` that may store them in another way."""

    module: ModuleType
    spec: NetworkSpec

    @property
    def biases(self) -> str:
        """How the module stores biases."""
        return getattr(self.module, "BIASES", "vector")

    @property
    def names(self) -> list[str]:
        """The weights and the bias vectors, ``W1``, ``b1``, …, and what activations learn, in the module's order."""
        return list(self.places)

    @cached_property
    def places(self) -> dict[str, tuple[str, int]]:
        """For each of ``names``: w, b or the name of what an activation learns, and the layer."""
        found: dict[str, tuple[str, int]] = {}
        for l in range(1, self.spec.depth + 1):
            learned = [entry for entry in self.spec.trained.values() if entry.indices[0] == l]
            found |= {f"{entry.base.parameter}{l}": (entry.base.parameter, l) for entry in learned}
            if l < self.spec.depth:
                found |= {f"W{l}": ("w", l), **({f"b{l}": ("b", l)} if self.spec.has_bias(l) else {})}
        return found

    def is_bias(self, name: str) -> bool:
        """Whether ``name`` is a bias vector."""
        return self.places[name][0] == "b"

    def of_vectors(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` of the module's parameters, as one of weights and bias vectors."""
        if self.biases == "vector":
            return function

        def with_vectors(params: Arrays, x: Any, t: Any) -> tuple[float, Arrays]:
            loss, gradients = function(self.stored(params), x, t)
            return loss, self.vectors(gradients)

        return with_vectors

    def stored(self, params: Arrays) -> Arrays:
        """The module's parameters: biases are the weights of a unit 0, or thresholds are their negatives."""
        found: Arrays = {}
        names = iter(self.module.SHAPES)
        for name in self.names:
            if self.is_bias(name) and self.biases == "weight":
                weights = found[f"W{name[1:]}"]
                found[f"W{name[1:]}"] = self.joined(params[name], weights)
            else:
                found[next(names)] = -params[name] if self.is_bias(name) else params[name]
        return found

    def vectors(self, gradients: Arrays) -> Arrays:
        """The gradients by weights and bias vectors, from those by the module's parameters."""
        found: Arrays = {}
        names = iter(self.module.SHAPES)
        for name in self.names:
            if self.is_bias(name) and self.biases == "weight":
                found[name], found[f"W{name[1:]}"] = self.parted(found[f"W{name[1:]}"])
            else:
                gradient = gradients[next(names)]
                found[name] = -gradient if self.is_bias(name) else gradient
        return found

    def joined(self, bias: Any, weights: Any) -> Any:
        """The biases in front of the weights, along the units that these leave."""
        return np.vstack((bias, weights)) if self.from_to else np.column_stack((bias, weights))

    def parted(self, both: Any) -> tuple[Any, Any]:
        """What ``joined`` has put together."""
        return (both[0], both[1:]) if self.from_to else (both[:, 0], both[:, 1:])

    @property
    def from_to(self) -> bool:
        return bool(self.module.WEIGHT_LAYOUT == "from_to")


def _of_order(tag: str, order: int) -> Callable[..., Any]:
    return partial(stand_in(tag), order)

"""Addresses of single quantities, as commands and files write them: ``w11[1]``, ``b1[1]``, ``x1``, ``t1``."""

from __future__ import annotations

import re

from symbackprop.calculus.indices import Entry
from symbackprop.errors import SpecError, shown
from symbackprop.network.quantities import BIAS, OUT, TARGET, WEIGHT
from symbackprop.network.spec import NetworkSpec

NUMBER = r"([1-9][0-9]{0,6})"
WEIGHT_FORM = re.compile(rf"w(?:([1-9])([1-9])|{NUMBER},{NUMBER})\[{NUMBER}\]")
BIAS_FORM = re.compile(rf"b{NUMBER}\[{NUMBER}\]")
DATA_FORM = re.compile(rf"([xt]){NUMBER}")


def entry_at(address: str, spec: NetworkSpec) -> Entry:
    """The weight, bias, input, target or trained parameter that ``address`` names in the network ``spec``.

    ``wij[l]`` leads from unit i of layer l to unit j of layer l+1 (``w1,12[1]`` once a number has two digits),
    ``bj[l]`` feeds unit j of layer l+1, ``alpha[l]`` belongs to the activation of layer l.
    Raises ``SpecError`` if the text is no address or the network has no such quantity.

    >>> from symbackprop.network.read import network
    >>> entry_at("w21[1]", network("2-3-1", activation="g", loss="mse"))
    w21[1]
    """
    text = "".join(address.split())
    if match := WEIGHT_FORM.fullmatch(text):
        i, j, layer = (int(number) for number in match.groups() if number)
        if layer < spec.depth and i <= spec.sizes[layer - 1] and j <= spec.sizes[layer]:
            return WEIGHT[layer, i, j]
    elif match := BIAS_FORM.fullmatch(text):
        j, layer = int(match[1]), int(match[2])
        if layer < spec.depth and spec.has_bias(layer) and j <= spec.sizes[layer]:
            return BIAS[layer, j]
    elif text in (named := {str(entry): entry for entry in spec.trained.values()}):
        return named[text]
    elif match := DATA_FORM.fullmatch(text):
        if int(match[2]) <= spec.sizes[0 if match[1] == "x" else -1]:
            return OUT[1, int(match[2])] if match[1] == "x" else TARGET[int(match[2])]
    else:
        raise SpecError(f"cannot read the address {shown(address)}; expected one like w11[1], b1[1], x1 or t1")
    sizes = "-".join(map(str, spec.sizes))
    raise SpecError(f"the network {sizes} has no {shown(address)}; expected, for example, w11[1]")


def parameter_at(address: str, spec: NetworkSpec) -> Entry:
    """The weight or bias that ``address`` names.

    Raises ``SpecError`` for anything else.
    """
    of = entry_at(address, spec)
    if of.base not in (WEIGHT, BIAS):
        raise SpecError(f"{address!r} is no weight or bias; expected one like w11[1] or b1[1]")
    return of

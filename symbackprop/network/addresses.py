"""Addresses of single quantities, as commands and files write them: ``w11[1]``, ``b1[1]``, ``x1``, ``t1``."""

from __future__ import annotations

import re

from symbackprop.calculus.indices import Entry
from symbackprop.errors import SpecError, closest, shown
from symbackprop.network.quantities import BIAS, CLASS_WEIGHT, OUT, TARGET, WEIGHT, is_trained
from symbackprop.network.spec import NetworkSpec

NUMBER = r"([1-9][0-9]{0,6})"
WEIGHT_FORM = re.compile(rf"w(?:([1-9])([1-9])|{NUMBER},{NUMBER})\[{NUMBER}\]")
BIAS_FORM = re.compile(rf"b{NUMBER}\[{NUMBER}\]")
DATA_FORM = re.compile(rf"([xtc]){NUMBER}")


def entry_at(address: str, spec: NetworkSpec) -> Entry:
    """The weight, bias, input, target, weight of a class or trained parameter that ``address`` names in ``spec``.

    ``wij[l]`` leads from unit i of layer l to unit j of layer l+1 (``w1,12[1]`` once a number has two digits),
    ``bj[l]`` feeds unit j of layer l+1, ``alpha[l]`` belongs to the activation of layer l.
    Raises ``SpecError`` if the text is no address or the network has no such quantity; the message names the nearest.

    >>> from symbackprop.network.read import network
    >>> net = network("2-3-1", activation="g", loss="mse")
    >>> entry_at("w21[1]", net)
    w21[1]
    >>> entry_at("w52[1]", net)
    Traceback (most recent call last):
    symbackprop.errors.SpecError: the network 2-3-1 has no 'w52[1]'; did you mean 'w22[1]'?
    """
    text = "".join(address.split())
    trained = {str(entry): entry for entry in spec.trained.values()}
    if text in trained:
        return trained[text]
    asked, nearest = _meant(text, spec)
    if asked is not None and asked == nearest:
        return asked
    near = str(nearest) if nearest is not None else closest(text, trained)
    if asked is None and near is None:
        raise SpecError(f"cannot read the address {shown(address)}; expected one like {_examples(spec, 'x1', 't1')}")
    hint = f"did you mean {near!r}?" if near else f"expected one like {_examples(spec)}"
    sizes = "-".join(map(str, spec.sizes))
    raise SpecError(f"the network {sizes} has no {shown(address)}; {hint}")


def parameter_at(address: str, spec: NetworkSpec) -> Entry:
    """The weight, bias or trained parameter that ``address`` names.

    Raises ``SpecError`` for anything else.
    """
    of = entry_at(address, spec)
    if of.base not in (WEIGHT, BIAS) and not is_trained(of):
        raise SpecError(f"{shown(address)} is no parameter of the network; expected one like {_examples(spec)}")
    return of


def _meant(text: str, spec: NetworkSpec) -> tuple[Entry | None, Entry | None]:
    """The weight, bias, input or target that ``text`` would name, and the nearest one that there is."""

    def within(number: int, most: int) -> int:
        return min(number, most)

    if match := WEIGHT_FORM.fullmatch(text):
        i, j, layer = (int(number) for number in match.groups() if number)
        l = within(layer, spec.depth - 1)
        return WEIGHT[layer, i, j], WEIGHT[l, within(i, spec.sizes[l - 1]), within(j, spec.fed[l])]
    if match := BIAS_FORM.fullmatch(text):
        j, layer = int(match[1]), int(match[2])
        with_bias = [l for l in range(1, spec.depth) if spec.has_bias(l)]
        l = min(with_bias, key=lambda other: abs(other - layer), default=0)
        return BIAS[layer, j], BIAS[l, within(j, spec.fed[l])] if with_bias else None
    if match := DATA_FORM.fullmatch(text):
        j, letter = int(match[2]), match[1]
        if letter == "x":
            return OUT[1, j], OUT[1, within(j, spec.sizes[0])]
        base = TARGET if letter == "t" else CLASS_WEIGHT
        most = spec.targets_count
        return base[j], base[within(j, most)] if letter == "t" or spec.class_weights else None
    return None, None


def _examples(spec: NetworkSpec, *others: str) -> str:
    """An address of each kind that the network has."""
    biases = [f"b1[{layer}]" for layer in range(1, spec.depth) if spec.has_bias(layer)][:1]
    learned = [str(entry) for entry in spec.trained.values()][:1]
    *most, last = ["w11[1]", *biases, *learned, *others]
    return f"{', '.join(most)} or {last}" if most else last

"""Each key of a network's description on its own: its value checked and converted. Every refusal is one line."""

from __future__ import annotations

import builtins
import keyword
import math
import re
from collections.abc import Collection, Mapping, Sequence

from sympy import Expr, Rational, Symbol

from symbackprop.catalogue.entries import FORM_FACTORS, STRENGTH
from symbackprop.catalogue.lookup import find_penalty, read_number
from symbackprop.errors import SpecError, shown, unknown
from symbackprop.network.spec import PenaltyUse

MAX_SIZE = 10**6  # units in a layer
MAX_DEPTH = 1000  # layers
MAX_STRENGTH = 10**12
MAX_FORMULA = 500  # characters of an activation or a loss

SIZES = re.compile(r"[0-9]+(-[0-9]+)*")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}(_[A-Za-z0-9]{1,10})?")
# What documents and emitted functions already use; a penalty's strength must not take any of these names.
TAKEN = frozenset("abefghijklmnstvwxyzEJN") | {
    *("eta", "alpha", "beta", "gamma", "delta", "learning", "np", "params", "grads", "ws", "workspace", "rng", "loss"),
    *("forward", "gradients", "update", "dtype", "batch"),
}


def layer_sizes(layers: object) -> tuple[int, ...]:
    """The layer widths, input first.

    >>> layer_sizes("2-3-1"), layer_sizes([4, 2])
    ((2, 3, 1), (4, 2))
    """
    expected = "expected sizes joined by '-', like 2-3-1"
    if isinstance(layers, str):
        text = "".join(layers.split())
        if not SIZES.fullmatch(text):
            raise SpecError(f"cannot read the layers {shown(layers)}; {expected}")
        # Longer numbers are too large whatever they are, and Python refuses to read the longest.
        sizes: list[object] = [int(number[:12]) for number in text.split("-")]
    elif isinstance(layers, Sequence) and not isinstance(layers, bytes | bytearray):
        sizes = list(layers)
    else:
        raise SpecError(f"layers is {shown(layers)}; {expected}, or a list of whole numbers")
    return tuple(_size(size, layer) for layer, size in enumerate(_depth_checked(sizes), start=1))


def _depth_checked(sizes: list[object]) -> list[object]:
    if len(sizes) < 2:
        raise SpecError(f"a network needs an input and an output layer; got {len(sizes)} layer(s), expected e.g. 2-3-1")
    if len(sizes) > MAX_DEPTH:
        raise SpecError(f"the network has {len(sizes)} layers; expected at most {MAX_DEPTH}")
    return sizes


def _size(size: object, layer: int) -> int:
    if isinstance(size, bool) or not isinstance(size, int):
        raise SpecError(f"the size of layer {layer} is {shown(size)}; expected a whole number")
    if size < 1:
        raise SpecError(f"the size of layer {layer} is {shown(size)}; expected at least 1")
    if size > MAX_SIZE:
        raise SpecError(f"layer {layer} is too large; expected at most {MAX_SIZE} units")
    return size


def bias_of_each_layer(bias: object, steps: int) -> tuple[bool, ...]:
    """Whether each layer after the input has a bias; ``steps`` is how many there are.

    >>> bias_of_each_layer(True, 2), bias_of_each_layer([True, False], 2)
    ((True, True), (True, False))
    """
    if isinstance(bias, bool):
        return (bias,) * steps
    if not isinstance(bias, list | tuple) or not all(isinstance(one, bool) for one in bias):
        raise SpecError(f"bias is {shown(bias)}; expected true, false or a list of them, one per layer after the input")
    if len(bias) != steps:
        raise SpecError(f"bias lists {len(bias)} values; expected {steps}, one per layer after the input")
    return tuple(bias)


def class_weights(weights: object, classes: int) -> tuple[Rational, ...]:
    """A number from 0 for each of the ``classes``, exact; none for None.

    >>> class_weights("1, 2, 0.5", 3), class_weights([1, 2], 2)
    ((1, 2, 1/2), (1, 2))
    """
    if weights is None:
        return ()
    listed = weights.split(",") if isinstance(weights, str) else weights
    expected = f"expected {classes} numbers from 0, one per class"
    if not isinstance(listed, Sequence) or isinstance(listed, bytes | bytearray):
        raise SpecError(f"class_weights is {shown(weights)}; {expected}")
    if len(listed) != classes:
        raise SpecError(f"class_weights lists {len(listed)} numbers; {expected}")
    found = [None if isinstance(each, bool) else read_number(str(each).strip()) for each in listed]
    for each, number in zip(listed, found, strict=True):
        if number is None or not 0 <= number <= MAX_STRENGTH:
            raise SpecError(f"class_weights holds {shown(each)}; {expected}")
    if not any(found):
        raise SpecError(f"class_weights are all 0, so nothing is left of the loss; {expected}")
    return tuple(number for number in found if number is not None)


def one_of(key: str, value: object, choices: Collection[str]) -> str:
    """``value`` if it is one of ``choices``.

    >>> one_of("batch_reduction", "mean", ("sum", "mean"))
    'mean'
    """
    if not isinstance(value, str):
        raise SpecError(f"{key} is {shown(value)}; expected one of {', '.join(choices)}")
    if value not in choices:
        raise SpecError(unknown(key, value, choices))
    return value


def line_of_text(key: str, value: object, limit: int = 200) -> str:
    """``value`` if it is a text on one line, not empty, without control characters.

    >>> line_of_text("title", " XOR ")
    'XOR'
    """
    if not isinstance(value, str):
        raise SpecError(f"{key} is {shown(value)}; expected text")
    text = value.strip()
    if not text or len(text) > limit or not text.isprintable():
        raise SpecError(f"{key} is {shown(value)}; expected one line of 1 to {limit} characters")
    return text


def lines_of_text(key: str, values: object) -> tuple[str, ...]:
    """A list of lines of text; one may stand alone.

    >>> lines_of_text("targets", "torch"), lines_of_text("targets", ["numpy", "jax"])
    (('torch',), ('numpy', 'jax'))
    """
    listed = values if isinstance(values, list | tuple) else [values]
    return tuple(line_of_text(key, value) for value in listed)


def known_keys(where: str, given: Mapping[str, object], known: Collection[str]) -> None:
    """Refuse a key that is not ``known``, and name the nearest that is."""
    for key in given:
        if key not in known:
            raise SpecError(unknown(f"key in {where}" if where else "key", str(key), known))


def penalty_use(penalty: object) -> PenaltyUse | None:
    """The penalty: a table ``{kind, strength, form, biases}``, or its short form like ``l2:0.1:plain:biases``.

    The short form may end after any part. Without a strength, λ stays symbolic. None for a penalty of strength 0.

    >>> penalty_use({"kind": "l2", "strength": 0.1, "form": "plain"}) == penalty_use("l2:0.1:plain")
    True
    """
    if isinstance(penalty, str):
        penalty = _penalty_table(penalty)
    if not isinstance(penalty, Mapping):
        raise SpecError(f"penalty is {shown(penalty)}; expected a kind and a strength, like l2:0.1")
    known_keys("penalty", penalty, ("kind", "strength", "form", "biases"))
    if not isinstance(kind := penalty.get("kind"), str):
        raise SpecError(f"the penalty's kind is {shown(kind)}; expected a name, like l2")
    if not isinstance(biases := penalty.get("biases", False), bool):
        raise SpecError(f"the penalty's biases is {shown(biases)}; expected true or false")
    form = one_of("form of penalty", penalty.get("form", "half"), FORM_FACTORS)
    strength = _strength(penalty.get("strength", STRENGTH.name))
    return PenaltyUse(find_penalty(kind), strength, form, biases) if strength != 0 else None


def _penalty_table(text: str) -> dict[str, object]:
    kind, *rest = (part.strip() for part in text.split(":"))
    table: dict[str, object] = {"kind": kind}
    if rest:
        table["strength"] = rest.pop(0)
    if rest and rest[-1] == "biases":
        table["biases"] = bool(rest.pop())
    if rest:
        table["form"] = rest.pop(0)
    if rest:
        raise SpecError(f"cannot read the penalty {shown(text)}; expected kind:strength:form:biases, like l2:0.1:half")
    return table


def _strength(strength: object) -> Expr:
    """λ as an exact number, or as a symbol where it is given by name."""
    expected = "expected a number from 0, or a name that stays symbolic"
    if isinstance(strength, bool) or not isinstance(strength, int | float | str):
        raise SpecError(f"the penalty's strength is {shown(strength)}; {expected}")
    text = strength.strip() if isinstance(strength, str) else repr(strength)
    if text in (STRENGTH.name, "λ"):
        return STRENGTH
    if (number := read_number(text)) is not None:
        if not 0 <= number <= MAX_STRENGTH:
            raise SpecError(f"the penalty's strength is {shown(strength)}; expected a number from 0 to {MAX_STRENGTH}")
        return number
    if not isinstance(strength, str) or not IDENTIFIER.fullmatch(text):
        raise SpecError(f"the penalty's strength is {shown(strength)}; {expected}")
    if is_taken(text):
        raise SpecError(f"the penalty's strength cannot be called {text!r}, that name is taken; try 'lambda' or 'mu'")
    return Symbol(text, positive=True)


def is_taken(name: str) -> bool:
    """Whether documents or emitted code use ``name`` for something else.

    >>> is_taken("w"), is_taken("kappa")
    (True, False)
    """
    return name.split("_", maxsplit=1)[0] in TAKEN or keyword.iskeyword(name) or hasattr(builtins, name)


def finite(name: str, value: object) -> float:
    """``value`` as a float, refused if it is not a number, or not a finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"the value of {name} is {shown(value)}; expected a number")
    if abs(value) > 10**300 or not math.isfinite(value):
        raise SpecError(f"the value of {name} is {shown(value)}; expected a finite number")
    return float(value)

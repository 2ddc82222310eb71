"""What the words for activations and loss mean together, and which of them do not go together."""

from __future__ import annotations

from dataclasses import replace

from sympy import Rational, Symbol, oo

from symbackprop.calculus.indices import instantiate
from symbackprop.catalogue import entries as row
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import Kink, Loss
from symbackprop.catalogue.lookup import find_activation, find_loss
from symbackprop.catalogue.losses import LOSSES
from symbackprop.errors import SpecError, shown
from symbackprop.network import options
from symbackprop.network.given import Given
from symbackprop.network.spec import ActivationUse, LossUse


def activation_uses(
    activation: object, output: object, steps: int, own: Given | None = None
) -> tuple[list[ActivationUse], bool]:
    """The activation of each layer after the input, and whether the user left the output's open by naming just one.

    Names mean rows of the catalogue, or the user's ``own`` functions; a formula in z stands for itself.
    """
    own = own or Given()
    names = _names(activation)
    if output is not None:
        hidden = names * (steps - 1) if len(names) == 1 else names
        if len(hidden) != steps - 1:
            raise SpecError(
                f"activation lists {len(names)} names; expected 1, or {steps - 1}, one per hidden layer, "
                "where the output activation is given too"
            )
        last = options.line_of_text("output_activation", output, options.MAX_FORMULA)
        return own.activation_uses([*hidden, last]), False
    if len(names) not in (1, steps):
        raise SpecError(f"activation lists {len(names)} names; expected 1, or {steps}, one per layer after the input")
    return own.activation_uses(names * steps if len(names) == 1 else names), len(names) == 1


def _names(activation: object) -> list[str]:
    items = _split(activation) if isinstance(activation, str) else activation
    if not isinstance(items, list | tuple) or not items:
        raise SpecError(f"activation is {shown(activation)}; expected a name, or a list with one per layer")
    return [options.line_of_text("activation", item, options.MAX_FORMULA) for item in items]


def _split(text: str) -> list[str]:
    """The parts of ``text`` between commas; a comma inside parentheses separates arguments, not names.

    >>> _split("max(z, tanh(z)), elu(2)")
    ['max(z, tanh(z))', ' elu(2)']
    """
    parts, depth = [""], 0
    for character in text:
        depth = max(depth + {"(": 1, ")": -1}.get(character, 0), 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _use(name: str) -> ActivationUse:
    tag, entry, numbers = find_activation(name)
    return ActivationUse(tag, entry, numbers, entry.trained)


def cross_entropy(
    uses: list[ActivationUse], loss: LossUse, open_output: bool, outputs: int
) -> tuple[list[ActivationUse], LossUse, tuple[str, ...]]:
    """What ``ce`` means for this output layer: binary with a sigmoid for one unit, softmax for several."""
    if outputs > 1:
        if not open_output:
            return uses, loss, ()
        return (
            [*uses[:-1], _use("softmax")],
            loss,
            (f"The {outputs} output units take softmax, to go with cross-entropy.",),
        )
    binary = LossUse(*find_loss("bce"))
    if not open_output:
        return uses, binary, ("With one output unit, cross-entropy takes its binary form.",)
    choice = "With one output unit, cross-entropy takes its binary form, and the output unit a sigmoid."
    return [*uses[:-1], _use("sigmoid")], binary, (choice,)


def refuse_lone_groups(uses: list[ActivationUse], sizes: tuple[int, ...]) -> None:
    """A function of a whole layer needs more than one unit to say anything."""
    for layer, (use, size) in enumerate(zip(uses, sizes[1:], strict=True), start=2):
        if use.entry.group and size == 1:
            value = instantiate(use.entry.value, {row.N: 1, row.K: 1})
            unit = "output unit" if layer == len(sizes) else f"unit, in layer {layer},"
            raise SpecError(f"{use.tag} of one {unit} is always {value}; expected several units, or 'sigmoid'")


def refuse_joint(loss: Loss, output_reduction: str, outputs: int) -> None:
    """A loss of all outputs together needs several of them, and leaves nothing to average."""
    if loss.joint and outputs == 1:
        raise SpecError(f"the loss {loss.name} compares outputs with each other; expected several output units, got 1")
    if loss.joint and output_reduction == "mean":
        raise SpecError(f"the loss {loss.name} is one number for all outputs; expected the output_reduction 'sum'")


def refuse_parts(loss: Loss, output: ActivationUse, outputs: int) -> None:
    """A loss of several outputs a target needs as many of each, and an activation that works output by output."""
    if loss.parts == 1:
        return
    if outputs % loss.parts:
        what = f"takes {loss.parts} outputs for each target"
        raise SpecError(f"the loss {loss.name} {what}; expected a multiple of {loss.parts} output units, got {outputs}")
    if output.entry.over_units or output.trained:
        raise SpecError(
            f"the loss {loss.name} needs an output activation that works output by output, without parameters to "
            f"train; {output.tag} does not, 'identity' does"
        )


def with_class_weights(use: LossUse, weights: tuple[Rational, ...]) -> LossUse:
    """The loss with ``weights`` of the classes: one whose outputs have shares of their own, by classes."""
    if not weights:
        return use
    if not use.entry.classes or use.entry.joint:
        fitting = ", ".join(loss.name for loss in LOSSES.values() if loss.classes and not loss.joint)
        raise SpecError(f"the loss {use.entry.name} takes no class_weights; expected one of {fitting}")
    return replace(use, class_weights=weights)


def refuse_misfit(loss: Loss, output: ActivationUse, outputs: int) -> None:
    """The loss must be defined wherever the output layer's values can lie."""
    if _fits(loss, output):
        return
    wants_group = loss.targets_sum_to_one and outputs > 1
    fitting = [
        row for row in ACTIVATIONS.values() if row.value is not None and row.group == wants_group and row.pieces == 1
    ]
    choice = next((row.name for row in fitting if _fits(loss, _use(row.name))), None)
    low, high = loss.domain
    raise SpecError(
        f"the loss {loss.name} needs outputs between {low} and {high}, and {output.tag} gives others"
        + (f"; choose the output activation {choice!r}" if choice else "")
    )


def _fits(loss: Loss, output: ActivationUse) -> bool:
    if output.entry.value is None:
        return True
    if output.entry.range is None:
        return True
    low, high = (edge.xreplace(dict(output.parameters)) for edge in output.entry.range)
    return bool(low >= loss.domain[0]) and bool(high <= loss.domain[1])


def distinct(uses: list[ActivationUse]) -> tuple[ActivationUse, ...]:
    """Give different functions different names: one tag is one function, one parameter is one number.

    ``leaky_relu(0.1)`` in layer 2 and ``leaky_relu(0.2)`` in layer 3 are two functions; the second becomes
    ``leaky_relu_3`` with the parameter ``alpha_3``. A trained parameter is each layer's own, so it is always named so.

    >>> uses, _ = activation_uses("leaky_relu(0.1), leaky_relu(0.2), leaky_relu(0.1)", None, 3)
    >>> [(use.tag, *use.parameters) for use in distinct(uses)]
    [('leaky_relu', alpha), ('leaky_relu_3', alpha_3), ('leaky_relu', alpha)]
    """
    taken: dict[str, tuple[Symbol, Rational]] = {}
    named: dict[tuple[object, ...], ActivationUse] = {}
    functions = [
        (use.tag, *use.parameters.items(), *((layer,) if use.trained else ()))
        for layer, use in enumerate(uses, start=2)
    ]
    for layer, (function, use) in enumerate(zip(functions, uses, strict=True), start=2):
        if function in named:
            continue
        tag = f"{use.tag}_{layer}" if any(other.tag == use.tag for other in named.values()) else use.tag
        clashing = [p for p, number in use.parameters.items() if taken.get(p.name, (p, number)) != (p, number)]
        own = {p: Symbol(f"{p.name}_{layer}", **p.assumptions0) for p in clashing}
        # Training may take a parameter anywhere, whatever its start is like.
        own |= {p: Symbol(f"{p.name}_{layer}", real=True) for p in use.trained}
        named[function] = _renamed(use, tag, own)
        taken.update({p.name: (p, number) for p, number in named[function].parameters.items()})
    return tuple(named[function] for function in functions)


def _renamed(use: ActivationUse, tag: str, names: dict[Symbol, Symbol]) -> ActivationUse:
    if not names:
        return replace(use, tag=tag)
    row = use.entry
    assert row.value is not None
    # A range that was found for one number need not be that of the next.
    ends = row.range if not use.trained or row.range == (-oo, oo) else None
    renamed = replace(
        row,
        value=row.value.xreplace(names),
        parameters={names.get(p, p): number for p, number in row.parameters.items()},
        kinks=tuple(Kink(kink.at.xreplace(names), kink.slope.xreplace(names)) for kink in row.kinks),
        range=None if ends is None else (ends[0].xreplace(names), ends[1].xreplace(names)),
    )
    numbers = {names.get(p, p): number for p, number in use.parameters.items()}
    return ActivationUse(tag, renamed, numbers, tuple(names[p] for p in use.trained))

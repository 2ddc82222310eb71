"""From what a user writes (arguments, TOML) to a validated NetworkSpec."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from symbackprop.catalogue.losses import CE
from symbackprop.errors import FormulaError, SpecError, SymbackpropError, shown
from symbackprop.network import options
from symbackprop.network.addresses import entry_at, parameter_at
from symbackprop.network.choices import (
    activation_uses,
    cross_entropy,
    distinct,
    refuse_joint,
    refuse_lone_groups,
    refuse_misfit,
    refuse_parts,
    with_class_weights,
)
from symbackprop.network.given import given, refuse_shared_letters, refuse_untrained, refuse_unused, remarks
from symbackprop.network.spec import NetworkSpec

KEYS = (
    "layers",
    "activation",
    "output_activation",
    "loss",
    "class_weights",
    "bias",
    "output_reduction",
    "batch_reduction",
    "penalty",
    "title",
    "author",
    "weight",
    "notation",
    "targets",
    "values",
    "parameters",
    "train",
    "activations",
    "losses",
)
REQUIRED = ("layers", "activation", "loss")
MAX_BYTES = 10**6


def network(
    layers: object,
    *,
    activation: object,
    output_activation: object = None,
    loss: object,
    class_weights: object = None,
    bias: object = True,
    output_reduction: object = "sum",
    batch_reduction: object = "mean",
    penalty: object = None,
    title: object = None,
    author: object = None,
    weight: object = None,
    notation: object = "S1",
    targets: object = (),
    values: object = None,
    parameters: object = None,
    train: object = None,
    activations: object = None,
    losses: object = None,
) -> NetworkSpec:
    """The network that these words describe, validated.

    ``layers`` is ``"2-3-1"`` or a list of ints, input first. ``activation`` is one name for all layers, or a list with
    a name for each layer after the input (for each hidden layer, where ``output_activation`` is given). ``bias`` is a
    bool or a list of them. ``penalty`` is a table ``{"kind", "strength", "form", "biases"}``, or short ``"l2:0.1"``.
    ``class_weights`` has a number for each class, by which the loss of its output is multiplied: a list, or
    ``"1,2,0.5"``.
    ``weight`` is the address of the weight or bias that the document singles out.
    ``targets`` names the programs to write, one name or a list, such as ``["numpy", "torch"]``.
    ``values`` gives numbers to weights, inputs and targets by address (``{"w11[1]": 0.5, "x1": 1}``).

    A formula in z stands for an activation, one in a and t for a loss: ``activation="z*sigmoid(beta*z)"``, with
    ``parameters={"beta": 1.5}``; ``train=["beta"]`` has each layer learn its own, from that start. ``activations`` and
    ``losses`` name such formulas:
    ``activations={"mine": {"formula": "z*sigmoid(beta*z)", "parameters": {"beta": 1.5}}}``.

    With one activation name and the loss ``ce``, the output layer takes softmax, or, where it has one unit, a sigmoid
    and the binary form; ``choices`` of the result says so. Raises ``SpecError``, one line, for what cannot be used.

    >>> spec = network("2-3-1", activation="tanh", loss="ce")
    >>> spec.sizes, [use.tag for use in spec.activations], spec.loss.entry.name
    ((2, 3, 1), ['tanh', 'sigmoid'], 'bce')
    >>> network("2-3-1", activation="tahn", loss="mse")
    Traceback (most recent call last):
    symbackprop.errors.SpecError: unknown activation 'tahn'; did you mean 'tanh'?
    """
    sizes = options.layer_sizes(layers)
    own = given(parameters, activations, losses, train)
    uses, open_output = activation_uses(activation, output_activation, len(sizes) - 1, own)
    loss_use = own.loss_use(options.line_of_text("loss", loss, options.MAX_FORMULA))
    refuse_unused(own, uses, loss_use)
    refuse_untrained(own, uses)
    choices: tuple[str, ...] = ()
    if loss_use.entry is CE:
        uses, loss_use, choices = cross_entropy(uses, loss_use, open_output, sizes[-1])
    loss_use = with_class_weights(loss_use, options.class_weights(class_weights, sizes[-1]))
    refuse_lone_groups(uses, sizes)
    refuse_parts(loss_use.entry, uses[-1], sizes[-1])
    refuse_misfit(loss_use.entry, uses[-1], sizes[-1])
    reduction = options.one_of("output_reduction", output_reduction, ("sum", "mean"))
    refuse_joint(loss_use.entry, reduction, sizes[-1])
    named = distinct(uses)
    refuse_shared_letters(named, loss_use)
    choices += remarks(named, loss_use)
    penalty_use = None if penalty is None else options.penalty_use(penalty)
    if penalty is not None and penalty_use is None:
        choices += ("The penalty has strength 0 and is left out.",)
    spec = NetworkSpec(
        sizes=sizes,
        activations=named,
        loss=loss_use,
        bias=options.bias_of_each_layer(bias, len(sizes) - 1),
        output_reduction=reduction,
        batch_reduction=options.one_of("batch_reduction", batch_reduction, ("mean", "sum")),
        penalty=penalty_use,
        title=None if title is None else options.line_of_text("title", title),
        author=None if author is None else options.line_of_text("author", author),
        notation=options.line_of_text("notation", notation),
        targets=options.lines_of_text("targets", targets),
        choices=choices,
    )
    if weight is not None:
        spec = replace(spec, weight=str(parameter_at(options.line_of_text("weight", weight), spec)))
    return spec if values is None else replace(spec, values=_values(values, spec))


def load(path: str | Path) -> NetworkSpec:
    """The network described by the TOML file at ``path``; its keys are the arguments of ``network``.

    Raises ``SpecError``, one line that starts with the file's name, if it cannot be read or used.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SpecError(f"larger than {MAX_BYTES} bytes")
        return spec_from_toml(content.decode("utf-8-sig"))
    except OSError as error:
        raise SpecError(f"cannot read {shown(str(path))}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{_shown_path(path)}: not a text in UTF-8 (byte {error.start})") from error
    except FormulaError as error:
        raise FormulaError(f"{_shown_path(path)}: {error}", error.text, error.position) from error
    except SymbackpropError as error:
        raise SpecError(f"{_shown_path(path)}: {error}") from error
    except ValueError as error:  # a zero byte in the path
        raise SpecError(f"cannot read {shown(str(path))}: {error}") from error


def spec_from_toml(text: str) -> NetworkSpec:
    r"""The network that a TOML text describes.

    >>> spec_from_toml('layers = "2-2-1"\nactivation = "sigmoid"\nloss = "mse"').sizes
    (2, 2, 1)
    """
    try:
        table = tomllib.loads(text)
    except RecursionError as error:
        raise SpecError("not valid TOML: nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and a number with more digits than Python reads
        raise SpecError(f"not valid TOML: {' '.join(str(error).split())}") from error
    options.known_keys("", table, KEYS)
    for key in REQUIRED:
        if key not in table:
            raise SpecError(f"the key {key!r} is missing; expected at least {', '.join(REQUIRED)}")
    return network(table.pop("layers"), **table)


def _shown_path(path: Path) -> str:
    name = path.name
    return name if name.isprintable() and len(name) <= 60 else shown(name)


def _values(values: object, spec: NetworkSpec) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise SpecError(f"values is {shown(values)}; expected numbers by address, like w11[1] = 0.5")
    numbers: dict[str, float] = {}
    for address, value in values.items():
        name = str(entry_at(str(address), spec))
        if name in numbers:
            raise SpecError(f"two values are given for {name}")
        numbers[name] = options.finite(name, value)
    return numbers

"""The functions and parameters that the user gives with the network: formulas in place of names, named formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Rational, Symbol, oo

from symbackprop.calculus.formula import CONSTANTS, WHERE
from symbackprop.catalogue.entries import Activation, Loss
from symbackprop.catalogue.lookup import ARGUMENT, CALL, find_activation, find_loss, read_number
from symbackprop.catalogue.own import activation_from, functions, loss_from
from symbackprop.errors import SpecError, shown, unknown
from symbackprop.network import options
from symbackprop.network.spec import ActivationUse, LossUse

NAME = re.compile(r"[a-z]{1,20}[0-9]{0,3}")
GREEK = frozenset({"alpha", "beta", "gamma", "delta"})  # letters that a parameter may have
FUNCTION_LETTERS = frozenset("fgh")  # letters that a function may have
OPERATORS = frozenset("+*/^<>|")


@dataclass(frozen=True)
class Given:
    """What may stand for an activation or a loss besides the catalogue's names, and the numbers of the parameters."""

    numbers: Mapping[Symbol, Rational] = field(default_factory=dict)
    activations: Mapping[str, Activation] = field(default_factory=dict)
    losses: Mapping[str, Loss] = field(default_factory=dict)
    train: tuple[str, ...] = ()

    def activation_uses(self, names: list[str]) -> list[ActivationUse]:
        """The activation that each name or formula means; formulas are called f, f_2, …, equal ones the same."""
        formulas = list(dict.fromkeys(name for name in names if self.is_formula(name, "z")))
        uses = {name: self._named_activation(name) for name in dict.fromkeys(names) if name not in formulas}
        taken = {use.tag for use in uses.values()} | set(self.activations)
        free = (tag for n in range(1, len(names) + len(taken) + 2) if (tag := f"f_{n}" if n > 1 else "f") not in taken)
        for formula in formulas:
            tag = next(free)
            uses[formula] = _activation_use(tag, activation_from(formula, tag, self.numbers))
        return [self._training(uses[name]) for name in names]

    def _training(self, use: ActivationUse) -> ActivationUse:
        """``use`` with those of its parameters trained that the row or the user says."""
        asked = [p for p in use.parameters if p.name in self.train and p not in use.entry.trained]
        return replace(use, trained=(*use.entry.trained, *asked))

    def _named_activation(self, name: str) -> ActivationUse:
        if name in self.activations:
            return _activation_use(name, self.activations[name])
        return ActivationUse(*find_activation(name))

    def loss_use(self, name: str) -> LossUse:
        """The loss that a name or a formula in a and t means."""
        if name not in self.losses and not self.is_formula(name, "at"):
            return LossUse(*find_loss(name))
        row = self.losses[name] if name in self.losses else loss_from(name, self.numbers)
        return LossUse(row, row.parameters)

    def is_formula(self, text: str, variables: str) -> bool:
        """Whether ``text`` is meant as a formula: an operator or an argument in it, and no name with numbers."""
        if text in self.activations or text in self.losses:
            return False
        match = CALL.fullmatch(text)
        if match is None:
            return bool(OPERATORS & set(text)) or "(" in text or text.strip()[:1] in {"-", ".", *"0123456789"}
        name, arguments = match.groups()
        if arguments is not None and arguments.strip():
            return not all(_is_number(argument) for argument in arguments.split(","))
        words = {*variables, *(symbol.name for symbol in self.numbers)}
        return arguments is None and any(part.strip() in words or part.strip().isdigit() for part in name.split("-"))


def _is_number(argument: str) -> bool:
    match = ARGUMENT.fullmatch(argument)
    return bool(match and (match[1] or read_number(match[2]) is not None))


def _activation_use(tag: str, row: Activation) -> ActivationUse:
    return ActivationUse(tag, row, row.parameters)


def given(parameters: object, activations: object, losses: object, train: object = None) -> Given:
    """The user's own functions and numbers, checked; ``train`` lists the activations' parameters that are learned.

    ``parameters`` gives numbers by name; ``activations`` and ``losses`` give ``{"formula": text}`` by name, perhaps
    with ``parameters`` of their own.

    >>> own = given({"beta": 1.5}, {"mine": {"formula": "z*sigmoid(beta*z)"}}, None)
    >>> own.numbers, own.activations["mine"].value
    ({beta: 3/2}, z/(1 + exp(-beta*z)))
    """
    numbers = _numbers("parameters", parameters)
    return Given(
        numbers,
        {name: activation_from(*made) for name, made in _tables("activations", activations, numbers)},
        {name: loss_from(text, values, name) for name, (text, _, values) in _tables("losses", losses, numbers)},
        _names_to_train(train),
    )


def _names_to_train(train: object) -> tuple[str, ...]:
    names = [train] if isinstance(train, str) else [] if train is None else train
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise SpecError(f'train is {shown(train)}; expected names of parameters, like ["beta"]')
    for name in names:
        # Emitted names have the layer's number behind them: beta2, W1.
        if not name.strip().isalpha() or name.strip() == "W":
            raise SpecError(f"the parameter {shown(name)} cannot be trained under this name; expected one like beta")
    return tuple(name.strip() for name in names)


def refuse_untrained(own: Given, uses: Sequence[ActivationUse]) -> None:
    """A parameter that is to be trained, and that no activation has, is a mistake."""
    rows = [*(use.entry for use in uses), *own.activations.values()]
    known = {p.name: None for row in rows for p in row.parameters}
    for name in own.train:
        if name not in known:
            raise SpecError(unknown("parameter to train", name, known) if known else no_parameter(name))


def no_parameter(name: str) -> str:
    """What is said to a user who would train what is not there."""
    return f"no activation has the parameter {shown(name)} to train; leave it out, or use prelu, or a formula"


def _tables(
    key: str, tables: object, numbers: Mapping[Symbol, Rational]
) -> Iterable[tuple[str, tuple[str, str, Mapping[Symbol, Rational]]]]:
    """Each named function: its name, then its formula, its name and the numbers of its parameters."""
    if tables is None:
        return
    if not isinstance(tables, Mapping):
        raise SpecError(f'{key} is {shown(tables)}; expected formulas by name, like mine = {{formula = "…"}}')
    for name, table in tables.items():
        where = f"{key}.{name}" if isinstance(name, str) and name.isprintable() and len(name) < 30 else key
        _refuse_name(where, name)
        if not isinstance(table, Mapping):
            raise SpecError(f'{where} is {shown(table)}; expected a formula, like {{formula = "…"}}')
        options.known_keys(where, table, ("formula", "parameters"))
        text = options.line_of_text(f"{where}.formula", table.get("formula"), options.MAX_FORMULA)
        yield name, (text, name, {**numbers, **_numbers(f"{where}.parameters", table.get("parameters"))})


def _refuse_name(where: str, name: object) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SpecError(f"{where}: {shown(name)} is no name; expected small letters, then perhaps digits, like mine2")
    taken = options.is_taken(name) and name not in FUNCTION_LETTERS
    if taken or name in functions() or _in_catalogue(name):
        raise SpecError(f"{where}: the name {name!r} is taken; expected another, like my{name[:15]}")


def _in_catalogue(name: str) -> bool:
    for find in (find_activation, find_loss):
        try:
            find(name)
        except SpecError:
            continue
        return name.rstrip("0123456789") not in FUNCTION_LETTERS
    return False


def _numbers(where: str, parameters: object) -> dict[Symbol, Rational]:
    """The parameters' numbers, exact."""
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        raise SpecError(f"{where} is {shown(parameters)}; expected numbers by name, like beta = 1.5")
    return {_parameter(where, name): _number(name, value) for name, value in parameters.items()}


def _parameter(where: str, name: object) -> Symbol:
    if not isinstance(name, str) or not options.IDENTIFIER.fullmatch(name):
        raise SpecError(f"{where}: {shown(name)} is no name; expected letters, like beta")
    reserved = {*functions(), *CONSTANTS, *WHERE}
    if name in reserved or (options.is_taken(name) and name not in GREEK):
        raise SpecError(f"{where}: a parameter cannot be called {name!r}, that name is taken; try 'beta' or 'c'")
    return Symbol(name, real=True)


def _number(name: str, value: object) -> Rational:
    text = value.strip() if isinstance(value, str) else repr(value)
    number = None if isinstance(value, bool) or not isinstance(value, int | float | str) else read_number(text)
    if number is None:
        raise SpecError(f"the parameter {name} is {shown(value)}; expected a number, like 1.5")
    return number


def refuse_unused(own: Given, uses: list[ActivationUse], loss: LossUse) -> None:
    """A number for a letter that no formula has is a mistake."""
    rows: list[Activation | Loss] = [
        *(use.entry for use in uses),
        loss.entry,
        *own.activations.values(),
        *own.losses.values(),
    ]
    for symbol in own.numbers:
        if not any(symbol in row.parameters for row in rows):
            raise SpecError(f"no formula holds the parameter {symbol.name}; leave it out, or use it in a formula")


def refuse_shared_letters(uses: Sequence[ActivationUse], loss: LossUse) -> None:
    """One letter is one number in the whole network, so an activation and the loss must not differ over it."""
    taken = {p.name: (p, number) for use in uses for p, number in use.parameters.items()}
    for p, number in loss.parameters.items():
        if taken.get(p.name, (p, number)) != (p, number):
            raise SpecError(
                f"the loss and an activation both have a parameter {p.name}; give one of them another letter"
            )


def remarks(uses: Sequence[ActivationUse], loss: LossUse) -> tuple[str, ...]:
    """What the rows themselves have to say, and what is not known about the outputs that the loss needs."""
    rows = {use.tag: use for use in uses}
    said = [note for use in rows.values() for note in use.entry.notes] + list(loss.entry.notes)
    last = uses[-1]
    if last.entry.value is not None and last.entry.range is None and loss.entry.domain != (-oo, oo):
        low, high = loss.entry.domain
        said.append(
            f"The loss needs outputs between {low} and {high}; whether {last.tag} gives only such is not known."
        )
    return tuple(said)

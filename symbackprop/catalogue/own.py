"""Rows made from the user's own formulas: the same kind of row as the catalogue's, its facts derived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Rational, Symbol

from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.formula import FUNCTIONS, Function, read_formula
from symbackprop.calculus.kinks import Breaks, breaks
from symbackprop.calculus.range_of import domain_of, range_of
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import A, Activation, Kink, Loss, T, Z
from symbackprop.errors import FormulaError

Numbers = Mapping[Symbol, Rational]


def functions() -> dict[str, Function]:
    """What formulas may call: the common functions, and every activation that works unit by unit, by all its names.

    The parameters of an activation may follow its argument: ``leaky_relu(z, 0.2)``.

    >>> functions()["logistic"].value(Z) == ACTIVATIONS["sigmoid"].value
    True
    """
    found = {
        name: Function(_applied(row), 1, 1 + len(row.parameters))
        for row in ACTIVATIONS.values()
        if row.value is not None and not row.over_units
        for name in (row.name, *row.aliases)
    }
    return {**found, **FUNCTIONS}


def _applied(row: Activation) -> _Applied:
    assert row.value is not None
    return _Applied(row.value, tuple(row.parameters.items()))


@dataclass(frozen=True)
class _Applied:
    """An activation's formula at any argument."""

    value: Expr
    parameters: tuple[tuple[Symbol, Rational], ...]

    def __call__(self, u: Expr, *given: Expr) -> Expr:
        numbers = [*given, *(number for _, number in self.parameters[len(given) :])]
        put = dict(zip((symbol for symbol, _ in self.parameters), numbers, strict=True))
        return self.value.xreplace({Z: u, **put})


def activation_from(text: str, name: str, numbers: Numbers) -> Activation:
    """The activation with the formula ``text`` in z and in the parameters that have ``numbers``.

    Raises ``FormulaError`` where the text is no formula, or one that no gradient goes through.

    >>> row = activation_from("z/(1 + abs(z))", "f", {})
    >>> row.value, row.range, row.kinks
    (z/(Abs(z) + 1), (-1, 1), ())
    """
    value = read_formula(text, [Z], numbers, functions())
    slope, found = _slope_and_breaks(text, value, Z, numbers)
    range_ = None
    if not found.unsolved and not any(point.jump for point in found.points):
        put = dict(_used(value, numbers))
        range_ = range_of(value.xreplace(put), slope.xreplace(put), Z)
    return Activation(
        name=name,
        value=value,
        source=f"the formula {text}",
        parameters=_used(value, numbers),
        kinks=_kinks(found),
        range=range_,
        notes=tuple(_notes(name, Z, found)),
    )


def loss_from(text: str, numbers: Numbers, name: str | None = None) -> Loss:
    """The loss with the formula ``text`` in the output a, the target t and the parameters that have ``numbers``.

    Without a ``name`` it is called by its formula.

    >>> row = loss_from("(a - t)**4 / 4", {})
    >>> row.name, row.value
    ('(a-t)**4/4', (a - t)**4/4)
    """
    value = read_formula(text, [A, T], numbers, functions())
    _, found = _slope_and_breaks(text, value, A, numbers)
    used = _used(value, numbers)
    return Loss(
        name=name or "".join(text.split()),
        value=value,
        source=f"the formula {text}",
        parameters=used,
        kinks=_kinks(found),
        domain=domain_of(value.xreplace(dict(used)), A),
        notes=tuple(_notes("the loss", A, found)),
    )


def _slope_and_breaks(text: str, value: Expr, by: Symbol, numbers: Numbers) -> tuple[Expr, Breaks]:
    if not value.has(by):
        raise FormulaError(f"the formula does not depend on {by}", text, 0)
    slope = differentiate(value, by)[-1].right
    if slope == 0:
        raise FormulaError(f"the slope of the formula is 0 everywhere, so no gradient goes through {by}", text, 0)
    return slope, breaks(value, slope, by, _used(value, numbers))


def _used(value: Expr, numbers: Numbers) -> dict[Symbol, Rational]:
    return {symbol: number for symbol, number in numbers.items() if value.has(symbol)}


def _notes(name: str, by: Symbol, found: Breaks) -> Iterator[str]:
    """What a kink with a slope does not say."""
    for point in found.points:
        if point.jump:
            yield f"At {by} = {point.at}, {name} jumps; gradients do not see the jump."
        if point.slope is None:
            yield f"At {by} = {point.at}, {name} has no finite slope."
    for expr in found.unsolved:
        yield f"Where {expr} = 0, {name} may have a kink; the slope taken there is what its formula gives."


def _kinks(found: Breaks) -> tuple[Kink, ...]:
    return tuple(Kink(point.at, point.slope) for point in found.points if point.slope is not None)

"""The small algebra that leads from f′ in z to f′ in the output, each line checked; wrong twins are refuted."""

from dataclasses import replace

import pytest
import sympy as sp
from exactly import equal, lines_hold
from sympy import Symbol

from symbackprop.calculus.recognise import recognise
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import A, Z
from symbackprop.derivation.slopes import slope_of

UNITWISE = {name: entry for name, entry in ACTIVATIONS.items() if entry.value is not None and not entry.over_units}
BY_HAND = {
    "sigmoid": ["split_factors", "add_and_subtract", "split_fraction", "recognise"],
    "softplus": ["add_and_subtract", "split_fraction", "recognise"],
    "tanh": ["recognise"],
    "exponential": ["recognise"],
}


@pytest.mark.parametrize("name", UNITWISE)
def test_every_line_holds_with_the_output_put_in(name):
    entry = UNITWISE[name]
    slope = slope_of(Symbol(name), entry.value)
    lines = recognise(slope.formula, entry.value, Z, A)
    assert [line.rule.name for line in lines] == BY_HAND.get(name, [])
    assert lines_hold([replace(line, right=line.right.xreplace({A: entry.value})) for line in lines])


def test_a_wrong_line_is_refuted():
    value = UNITWISE["sigmoid"].value
    lines = recognise(slope_of(Symbol("sigmoid"), value).formula, value, Z, value)
    for n, line in enumerate(lines):
        twin = replace(line, right=2 * line.right.doit())
        assert not lines_hold([*lines[:n], twin, *lines[n + 1 :]])


def test_scaled_sigmoid_with_a_constant():
    c = Symbol("c", positive=True)
    value = 3 / (1 + sp.exp(-c * Z))
    lines = recognise(sp.diff(value, Z), value, Z, A)
    assert lines[-1].right.free_symbols <= {A, c}
    assert equal(lines[-1].right.subs({A: value, c: 2}), sp.diff(value, Z).subs(c, 2))

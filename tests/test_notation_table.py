"""The notation table: one row a symbol, whatever two quantities a profile gives one letter."""

import re

import pytest

from symbackprop.api import BackpropDerivation
from symbackprop.derivation.derive import derive
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile, profile_from_toml, profile_names
from symbackprop.render.equations import EquationWriter, equation_numbers
from symbackprop.render.formats import FORMATS
from symbackprop.render.front import FrontWriter

PENALTIES = {"without": None, "with": {"kind": "l2", "strength": "lambda"}}
OWN = {
    "indexed": "[letters]\nerror = 'C_x'\nobjective = 'C_x'",
    "word": "[letters]\nerror = 'Loss'\nobjective = 'Loss'",
}


def profile(name):
    return profile_from_toml(OWN[name], name) if name in OWN else load_profile(name)


def rows(name, penalty):
    spec = network("2-3-2", activation=["prelu", "tanh"], loss="mse", penalty=PENALTIES[penalty])
    derivation = BackpropDerivation(derive(forward_graph(spec)), profile(name)).written
    notation = Notation.of(profile(name), derivation.graph)
    style = FORMATS["md"].style
    writer = EquationWriter(derivation, notation, style, equation_numbers(derivation))
    return [(row.symbol, row.meaning) for row in FrontWriter(writer).notation()]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", [*profile_names(), *OWN])
def test_no_symbol_has_two_rows(name, penalty):
    found = rows(name, penalty)
    symbols = [symbol for symbol, _ in found]
    assert len(set(symbols)) == len(symbols)
    for said in ("error of one example", "what is minimised", "learning rate", "local gradient"):
        assert sum(said in meaning for _, meaning in found) == 1, said


@pytest.mark.parametrize(
    ("name", "symbol", "penalised"),
    [
        ("S2", "J", r"\tilde{J}"),
        ("indexed", "C_x", r"\tilde{C}_x"),
        ("word", r"\mathrm{Loss}", r"\widetilde{\mathrm{Loss}}"),
    ],
)
def test_one_letter_for_error_and_objective(name, symbol, penalised):
    (shared,) = (meaning for each, meaning in rows(name, "without") if each == f"$`{symbol}`$")
    assert re.match(r"error of one example; or what is minimised", shared)
    apart = dict(rows(name, "with"))
    assert apart[f"$`{symbol}`$"] == "error of one example"
    assert apart[f"$`{penalised}`$"].startswith("what is minimised")

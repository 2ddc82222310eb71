"""Emitted functions from -1e4 to 1e4: no warning, no nan, and how far they are from 50-digit values.

``python tests/test_extremes.py`` prints the worst error of every function, in units in the last place.
"""

import mpmath
import numpy as np
import pytest
import sympy as sp
from sympy import Expr, Symbol

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.slopes import slope_of
from symbackprop.emit.array_module import helpers
from symbackprop.emit.formulas import FormulaReader
from symbackprop.emit.numpy import NUMPY, NumPyPrinter
from symbackprop.emit.program import Var
from symbackprop.emit.stable import stable_form

UNITWISE = [name for name, row in ACTIVATIONS.items() if row.value is not None and not row.over_units]
POSITIVE = np.concatenate([np.geomspace(1e-300, 1e4, 40), np.geomspace(1e-3, 50, 250)])
POINTS = np.unique(np.concatenate([-POSITIVE, [0.0], POSITIVE]))
LARGEST = {"exponential": 700}  # beyond it the value itself is no double
ULP = 4
# A slope is 0 at the minimum, a number that no double is. There it is a difference of terms, which are right to some
# units of their own last place, and so is the difference: to keep its own digits it would have to be written in the
# distance from the minimum, to as many digits of that. In these intervals it is judged beside numbers from 1/4, as its
# terms are. Where the terms are hardly rounded (1 + z beside e^z), the interval is short.
TERMS = {"silu": (-1.36, -1.2), "mish": (-1.27, -1.11), "gelu": (-1.6, -0.34), "gelu_tanh": (-1.8, -0.34)}


def compiled(formula: Expr, numbers: dict[Symbol, Expr]):
    """The function that a module computes the formula with."""
    printer = NumPyPrinter({symbol: repr(float(number)) for symbol, number in numbers.items()})
    source = printer(FormulaReader({Z: Var("z")})(stable_form(formula)))
    names: dict[str, object] = {"np": np, "real": np.float64}
    for helper in helpers(frozenset(printer.used), NUMPY.helpers):
        exec(helper, names)
    exec(f"def function(z): return {source}", names)
    return names["function"]


def formulas(name: str) -> dict[str, Expr]:
    slope = slope_of(Symbol(name), ACTIVATIONS[name].value)
    return {what: sp.sympify(f) for what, f in (("value", slope.value), ("slope", slope.formula))}


def errors(name: str, what: str, *given: sp.Rational) -> list[tuple[float, float]]:
    """At each point, how many units in the last place the emitted function is off, of the ``given`` parameters."""
    formula, numbers = formulas(name)[what], ACTIVATIONS[name].parameters
    numbers = dict(zip(numbers, given, strict=True)) if given else numbers
    points = POINTS[np.abs(POINTS) <= LARGEST.get(name, 1e4)]
    found = compiled(formula, numbers)(points) * np.ones_like(points)
    assert np.isfinite(found).all()
    exact_numbers = {symbol: sp.Rational(float(number)) for symbol, number in numbers.items()}
    exactly = sp.lambdify(Z, formula.xreplace(exact_numbers), "mpmath")
    low, high = TERMS.get(name, (0.0, 0.0)) if what == "slope" else (0.0, 0.0)
    return [
        (float(z), off(y, exactly, float(z), 0.25 if low < z < high else 0.0))
        for z, y in zip(points, found, strict=True)
    ]


def off(found: float, exactly, z: float, least: float = 0.0) -> float:
    """How many units in the last place ``found`` is off, of the value or of the ``least`` number."""
    with mpmath.workdps(
        9000 if abs(z) > 300 else 100 if 1e-20 < abs(z) < 5 else 400
    ):  # 1 + e^-z must keep both its terms
        exact = exactly(mpmath.mpf(z))
    with mpmath.workdps(50):
        return float(
            abs(mpmath.mpf(float(found)) - exact) / mpmath.mpf(float(np.spacing(max(abs(float(exact)), least))))
        )


@pytest.mark.parametrize("what", ["value", "slope"])
@pytest.mark.parametrize("name", UNITWISE)
def test_functions_keep_their_digits(name: str, what: str) -> None:
    assert max(error for _, error in errors(name, what)) <= ULP


@pytest.mark.parametrize("what", ["value", "slope"])
@pytest.mark.parametrize("sharpness", [sp.Rational(5, 2), sp.Rational(1, 10), sp.Integer(7)], ids=str)
def test_softplus_keeps_its_digits_however_sharp(sharpness: sp.Rational, what: str) -> None:
    assert max(error for _, error in errors("softplus", what, sharpness)) <= ULP


@pytest.mark.parametrize("name", TERMS)
def test_only_where_a_slope_is_0_it_has_the_digits_of_its_terms(name: str) -> None:
    low, high = TERMS[name]
    formula = formulas(name)["slope"]
    exactly = sp.lambdify(Z, formula, "mpmath")
    assert exactly(low) * exactly(high) < 0
    points = np.linspace(low, high, 200)
    found = compiled(formula, {})(points)
    assert max(off(y, exactly, float(z)) for z, y in zip(points, found, strict=True)) > ULP


def test_a_function_that_loses_digits_is_found() -> None:
    with pytest.warns(RuntimeWarning, match="overflow"):
        naive = 1 / (1 + np.exp(-POINTS))
    exactly = sp.lambdify(Z, 1 - 1 / (1 + sp.exp(-Z)), "mpmath")
    assert max(off(1 - y, exactly, float(z)) for z, y in zip(POINTS, naive, strict=True)) > 1e6


if __name__ == "__main__":
    print(f"{'function':14} {'value':>8} {'at z':>10} {'slope':>8} {'at z':>10}   (units in the last place)")
    for each in UNITWISE:
        worst = [max(errors(each, what), key=lambda pair: pair[1]) for what in ("value", "slope")]
        print(f"{each:14} " + " ".join(f"{error:8.2g} {z:10.3g}" for z, error in worst))

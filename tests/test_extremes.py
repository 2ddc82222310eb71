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
from symbackprop.derivation.derive import derive
from symbackprop.derivation.slopes import slope_of
from symbackprop.emit.array_module import helpers
from symbackprop.emit.formulas import FormulaReader
from symbackprop.emit.numpy import NUMPY, NumPyPrinter
from symbackprop.emit.program import Var
from symbackprop.emit.stable import stable_form
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

UNITWISE = [name for name, row in ACTIVATIONS.items() if row.value is not None and not row.over_units]
POSITIVE = np.concatenate([np.geomspace(1e-300, 1e4, 40), np.geomspace(1e-3, 50, 250)])
CHANCE = np.random.default_rng(1)
RANGES = [(-4, 0.5, 800), (-12, 12, 500), (-40, -12, 60), (-746, -700, 40)]  # the last: the least numbers near e^z
RANDOM = [CHANCE.uniform(low, high, count) for low, high, count in RANGES]
HARD = [-3.766, -2.6373464947990914, -2.1724207431829776, -1.8597135849577686, -1.8249999999999997]
HARD += [-1.6154644396545592, -0.1971655560645118, -0.00122400172330898]  # where plainer forms were off by more
POINTS = np.unique(np.concatenate([-POSITIVE, [0.0], POSITIVE, HARD, *RANDOM]))
LARGEST = {"exponential": 700}  # beyond it the value itself is no double
ULP = 4
# A slope is 0 at the minimum, a number that no double is. There it is a difference of terms, which are right to some
# units of their own last place, and so is the difference: to keep its own digits it would have to be written in the
# distance from the minimum, to as many digits of that. In these intervals it is judged beside numbers from 1/4, as its
# terms are. Where the terms are hardly rounded (1 + z beside e^z), the interval is short.
TERMS = {"silu": (-1.36, -1.2), "mish": (-1.31, -1.07), "gelu": (-1.6, -0.32), "gelu_tanh": (-1.8, -0.32)}

# What needs no more arrays than its values and its slopes has no function of its own in a module.
INLINE = {"identity", "sigmoid", "tanh", "relu", "prelu", "softplus", "softsign", "log_sigmoid", "scaled_tanh"}


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
    with mpmath.workdps(digits(abs(z))):
        exact = exactly(mpmath.mpf(z))
    nearest = float(exact)
    with mpmath.workdps(50):
        rest = float(exact - nearest)
    return abs((float(found) - nearest) - rest) / float(np.spacing(max(abs(nearest), least)))


def digits(size: float) -> int:
    """How many digits keep both terms of 1 + e^-z, 1 + erf z, 1 + tanh z³ and z - tanh z, for z of this size."""
    if size < 1e-20 or size > 760:
        return 400 if size < 760 else 9000
    return int(80 + max(size / 2, min(size, 40) ** 2 / 4, min(size, 22) ** 3 / 28))


@pytest.mark.parametrize("what", ["value", "slope"])
@pytest.mark.parametrize("name", UNITWISE)
def test_functions_keep_their_digits(name: str, what: str) -> None:
    assert max(error for _, error in errors(name, what)) <= ULP


@pytest.mark.parametrize("name", [name for name in UNITWISE if name not in LARGEST])
def test_the_forward_pass_of_a_module_keeps_its_digits(name: str) -> None:
    spec = network("1-1", activation=name, loss="mse")
    module = load(emit(derive(forward_graph(spec), listing="none"), load_profile("S1")), "gradients")
    params = {key: np.ones(shape) if key == "W1" else np.zeros(shape) for key, shape in module.SHAPES.items()}
    numbers = ACTIVATIONS[name].parameters
    params |= {key: np.array(float(numbers[ACTIVATIONS[name].trained[0]])) for key in params if key[0] not in "Wb"}
    found = module.forward(params, POINTS[:, np.newaxis])["a2"][:, 0]
    exact_numbers = {symbol: sp.Rational(float(number)) for symbol, number in numbers.items()}
    exactly = sp.lambdify(Z, formulas(name)["value"].xreplace(exact_numbers), "mpmath")
    assert max(off(y, exactly, float(z)) for z, y in zip(POINTS, found, strict=True)) <= ULP


@pytest.mark.parametrize("name", [name for name in UNITWISE if name not in LARGEST])
def test_value_and_slope_in_one_pass_keep_their_digits(name: str) -> None:
    """The statements of a module, which write over arrays and share parts."""
    spec = network("1-20-20-1", activation=name, output_activation="identity", loss="mse")
    module = load(emit(derive(forward_graph(spec), listing="none"), load_profile("S1")), "gradients")
    function = getattr(module, f"_{name}_and_slope", None)
    assert (function is None) == (name in INLINE)
    if function is None:
        return
    z = POINTS[:, np.newaxis]
    found = {"value": np.empty_like(z), "slope": np.empty_like(z)}
    function(z, *found.values())
    numbers = {symbol: sp.Rational(float(number)) for symbol, number in ACTIVATIONS[name].parameters.items()}
    low, high = TERMS.get(name, (0.0, 0.0))
    for what, values in found.items():
        exactly = sp.lambdify(Z, formulas(name)[what].xreplace(numbers), "mpmath")
        for at, y in zip(z[:, 0], values[:, 0], strict=True):
            least = 0.25 if what == "slope" and low < at < high else 0.0
            assert off(y, exactly, float(at), least) <= ULP, (what, at)


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

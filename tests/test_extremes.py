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
from symbackprop.network.quantities import BIAS, OUT, TARGET, WEIGHT
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

UNITWISE = [name for name, row in ACTIVATIONS.items() if row.value is not None and not row.over_units]
POSITIVE = np.concatenate([np.geomspace(1e-300, 1e4, 40), np.geomspace(1e-3, 50, 80)])
POINTS = np.unique(np.concatenate([-POSITIVE, [0.0], POSITIVE]))
LARGEST = {"exponential": 700}  # beyond it the value itself is no double
ULP = 4
# Wider bounds, and why. Where a slope is the difference of terms that cancel (silu, mish, gelu, hard_swish at their
# minimum), it has the digits of the terms; the others end where the value itself is next to nothing.
WIDER = {
    ("gelu", "value"): 8,  # erfc's polynomial
    ("gelu", "slope"): 6,
    ("hard_sigmoid", "value"): 11,  # z/6 + 1/2 ends at 0
    ("gelu_tanh", "value"): 1e3,  # below z = -5 the cubic in the exponent is rounded: 1e-13 of a value below 1e-6
    ("gelu_tanh", "slope"): 1e3,
    ("scaled_tanh", "slope"): 1e3,  # c s (1 - tanh²) below z = -5: the argument s z is rounded
}
CANCELLING = {"silu", "mish", "gelu", "gelu_tanh", "hard_swish"}


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


def errors(name: str, what: str) -> list[tuple[float, float]]:
    """At each point, how many units in the last place the emitted function is off."""
    formula, numbers = formulas(name)[what], ACTIVATIONS[name].parameters
    points = POINTS[np.abs(POINTS) <= LARGEST.get(name, 1e4)]
    found = compiled(formula, numbers)(points) * np.ones_like(points)
    assert np.isfinite(found).all()
    exact_numbers = {symbol: sp.Rational(float(number)) for symbol, number in numbers.items()}
    exactly = sp.lambdify(Z, formula.xreplace(exact_numbers), "mpmath")
    return [
        (float(z), off(y, exactly, float(z), what == "slope" and name in CANCELLING))
        for z, y in zip(points, found, strict=True)
    ]


def off(found: float, exactly, z: float, cancelling: bool) -> float:
    with mpmath.workdps(
        9000 if abs(z) > 300 else 100 if 1e-20 < abs(z) < 5 else 400
    ):  # 1 + e^-z must keep both its terms
        exact = exactly(mpmath.mpf(z))
    with mpmath.workdps(50):
        size = max(abs(float(exact)), 0.25 if cancelling and -3 < z < 0 else 0.0)
        return float(abs(mpmath.mpf(float(found)) - exact) / mpmath.mpf(float(np.spacing(size))))


@pytest.mark.parametrize("what", ["value", "slope"])
@pytest.mark.parametrize("name", UNITWISE)
def test_functions_keep_their_digits(name: str, what: str) -> None:
    pairs = errors(name, what)
    if (name, what) == ("tanh_shrink", "value"):
        pairs = [(z, error) for z, error in pairs if abs(z) > 1]  # near 0, z - tanh z has the digits of z
    assert max(error for _, error in pairs) <= WIDER.get((name, what), ULP)


def test_a_function_that_loses_digits_is_found() -> None:
    with pytest.warns(RuntimeWarning, match="overflow"):
        naive = 1 / (1 + np.exp(-POINTS))
    exactly = sp.lambdify(Z, 1 - 1 / (1 + sp.exp(-Z)), "mpmath")
    assert max(off(1 - y, exactly, float(z), False) for z, y in zip(POINTS, naive, strict=True)) > 1e6


LOGITS = [(1e4, -1e4), (-1e4, 1e4), (40.0, -1.0), (-30.0, 2.0), (0.25, 0.5), (1e-9, 0.0)]
FUSED = [
    ("softmax", "ce", [0.0, 1.0]),
    ("softmax", "ce", [0.25, 0.75]),
    ("softmax", "ce_smoothed", [1.0, 0.0]),
    ("softmax", "ce_any_sum", [1.0, 0.5]),
    ("softmax", "kl", [1.0, 0.0]),
    ("softmin", "ce", [0.0, 1.0]),
    ("log_softmax", "nll", [0.0, 1.0]),
    ("sigmoid", "bce", [0.0, 1.0]),
    ("sigmoid", "bce", [1.0, 1.0]),
    ("identity", "bce_with_logits", [0.0, 1.0]),
    ("identity", "soft_margin", [-1.0, 1.0]),
    ("identity", "log_cosh", [0.5, -2.0]),
    ("identity", "huber", [0.5, -2.0]),
    ("identity", "smooth_l1", [0.5, -2.0]),
    ("identity", "mse", [0.5, -2.0]),
    ("identity", "hinge", [1.0, -1.0]),
    ("identity", "squared_hinge", [1.0, -1.0]),
    ("softplus", "mse", [0.5, 2.0]),
]


@pytest.mark.parametrize(("activation", "loss", "t"), FUSED, ids=[f"{a}-{l}-{n}" for n, (a, l, _) in enumerate(FUSED)])
def test_losses_and_gradients_of_extreme_logits(activation: str, loss: str, t: list[float]) -> None:
    graph = forward_graph(network("2-2", activation=activation, loss=loss))
    module = load(emit(derive(graph, listing="none"), load_profile("S1")), "gradients")
    biases = [BIAS[1, j] for j in (1, 2)]
    plain = graph.concrete(graph.composed_error()).xreplace(graph.spec.parameters)
    plain = plain.xreplace({WEIGHT[1, i, j]: sp.Integer(int(i == j)) for i in (1, 2) for j in (1, 2)})
    plain = plain.xreplace({TARGET[k]: sp.Rational(t[k - 1]) for k in (1, 2)} | {OUT[1, i]: sp.S.Zero for i in (1, 2)})
    letters = sp.symbols("p q", real=True)
    plain = plain.xreplace(dict(zip(biases, letters, strict=True)))
    exactly = sp.lambdify(letters, [plain, *(sp.diff(plain, letter) for letter in letters)], "mpmath")
    for logits in LOGITS:
        params = {"W1": np.eye(2), "b1": np.array(logits)}
        error, gradients = module.loss_and_gradients(params, np.zeros(2), np.array(t))
        with mpmath.workdps(9000 if max(map(abs, logits)) > 50 else 100):
            expected = [+value for value in exactly(*map(mpmath.mpf, logits))]
        for found, exact in zip((error, *gradients["b1"]), expected, strict=True):
            assert abs(mpmath.mpf(float(found)) - exact) <= 1e-12 * max(abs(exact), 1), (logits, exact)


if __name__ == "__main__":
    print(f"{'function':14} {'value':>8} {'at z':>10} {'slope':>8} {'at z':>10}   (units in the last place)")
    for each in UNITWISE:
        worst = [max(errors(each, what), key=lambda pair: pair[1]) for what in ("value", "slope")]
        print(f"{each:14} " + " ".join(f"{error:8.2g} {z:10.3g}" for z, error in worst))

"""The prime field, its arrays, and forward-mode differentiation in it."""

import time
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from symbackprop.calculus.inert import Apply
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import Z
from symbackprop.catalogue.smooth import ROUNDNESS
from symbackprop.check.duals import Dual, DualNumbers
from symbackprop.check.field import check_field
from symbackprop.check.modular import FieldArrays, add_up, matrix_product, multiply
from symbackprop.check.numbers import Undecided
from symbackprop.check.prime_field import PRIME, PrimeField
from symbackprop.check.reals import Reals
from symbackprop.check.values import Evaluator
from symbackprop.check.worlds import NetworkValues
from symbackprop.derivation.derive import derive
from symbackprop.derivation.matrix_terms import Layout
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network

NUMBERS = st.one_of(st.integers(0, PRIME - 1), st.sampled_from([0, 1, 2**31, 2**31 - 1, 2**60, PRIME - 1]))
LISTS = st.lists(NUMBERS, min_size=1, max_size=9)


def array(values: Any) -> Any:
    return np.array(values, dtype=np.uint64)


@given(NUMBERS, NUMBERS)
def test_array_product_is_the_product_of_integers(u: int, v: int) -> None:
    assert int(multiply(array([u]), array([v]))[0]) == u * v % PRIME


@given(LISTS)
def test_array_sum_is_the_sum_of_integers(values: list[int]) -> None:
    assert add_up(array(values * 50), 0).tolist() == [sum(values) * 50 % PRIME]


@pytest.mark.parametrize("shape", [(2, 3, 4), (4, 3, 2), (4, 2, 3), (1, 5, 1), (3, 1, 2)])
def test_matrix_product_is_that_of_integers(shape: tuple[int, int, int]) -> None:
    numbers = FieldArrays(PrimeField(1))
    u, v = numbers.random_array(shape[:2]), numbers.random_array(shape[1:])
    expected = (u.astype(object) @ v.astype(object)) % PRIME
    assert matrix_product(u, v).tolist() == expected.tolist()


def test_matrices_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        matrix_product(array([[1, 2]]), array([[1, 2]]))


@given(st.integers(1, PRIME - 1))
def test_laws_of_functions_hold_in_the_field(u: int) -> None:
    f = PrimeField(u % 1000)
    e = f.call("exp", u)
    assert f.call("exp", PRIME - u) * e % PRIME == 1
    assert f.call("exp", 3 * u % PRIME) == pow(e, 3, PRIME)
    assert pow(f.call("exp", f.mul(u, f.rational(1, 2))), 2, PRIME) == e
    assert f.call("log", e) == u
    assert f.call("exp", f.call("log", u)) == u
    t = f.call("tanh", u)
    assert f.add(1, -t * t) == f.inverse(pow(f.call("cosh", u), 2, PRIME))
    assert f.call("erf", PRIME - u) == (PRIME - f.call("erf", u)) % PRIME
    assert f.positive(u) != f.positive(PRIME - u)
    assert f.root(u * u % PRIME) in (u, PRIME - u)


def test_field_refuses_what_has_no_value() -> None:
    f = PrimeField(0)
    with pytest.raises(Undecided):
        f.inverse(0)
    square = 5 * 5 % PRIME
    with pytest.raises(Undecided):
        f.root(PRIME - square)


FORMULAS = {n: e.value for n, e in ACTIVATIONS.items() if e.value is not None and not e.over_units}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
@pytest.mark.parametrize("seed", range(3))
def test_dual_slope_is_sympys_derivative(formula: sp.Expr, seed: int) -> None:
    field = PrimeField(seed)
    at = field.random()
    plain: Evaluator[int] = Evaluator(field, {}, {Z: at})
    symbols = {Z: Dual(at, {"z": 1})}
    symbols.update({s: Dual(plain(s), {}) for s in formula.free_symbols - {Z}})
    if formula.has(sp.sqrt(Z**2 + ROUNDNESS)):  # half of the numbers have no root: one of them is chosen to have one
        root = field.random()
        plain.symbols[ROUNDNESS] = (root**2 - at**2) % PRIME
        symbols[ROUNDNESS] = Dual(plain.symbols[ROUNDNESS], {})
    dual = Evaluator(DualNumbers(field), {}, symbols)(formula)
    assert dual.value == plain(formula)
    assert dual.tangent.get("z", 0) == plain(sp.diff(formula, Z))
    assert dual.tangent.get("z", 0) != plain(sp.diff(formula, Z) + 1)


def test_named_function_raises_its_order() -> None:
    u = Dual(5, {"z": 7})
    dual = DualNumbers(PrimeField(3))
    assert dual.named("g", 0, (u,)).tangent["z"] == dual.base.named("g", 1, (5,)) * 7 % PRIME


def test_stand_in_of_the_reals_is_its_own_derivative() -> None:
    reals = Reals(0)
    low, high = (reals.named("g", 0, (0.3 + h, 0.2)) for h in (-1e-5, 1e-5))
    assert abs((high - low) / 2e-5 - reals.named("g", 1, (0.3, 0.2))) < 1e-8


def test_unknown_node_is_undecided() -> None:
    with pytest.raises(Undecided):
        Evaluator(PrimeField(0), {})(sp.besselj(1, Z))
    with pytest.raises(Undecided):
        Evaluator(PrimeField(0), {})(sp.Integral(Z, Z))


def test_activation_is_evaluated_by_its_formula() -> None:
    values: NetworkValues[int] = NetworkValues(PrimeField(4), {}, {Z: 9})
    values.formulas = {sp.Symbol("f"): Z**3}
    assert values(Apply(sp.Symbol("f"), 0, Z)) == 729
    assert values(Apply(sp.Symbol("f"), 1, Z)) == 243


NETWORKS = [
    ("2-3-2", {"loss": "ce"}),
    ("4-3-5", {"loss": "cost", "activation": "g", "penalty": "l1:0.5"}),
    ("3-4-1", {"loss": "ce", "activation": "gelu"}),
    ("3-4-2", {"loss": "huber", "activation": "elu", "bias": False, "output_reduction": "mean"}),
    ("3-4-2", {"loss": "mae", "penalty": {"kind": "l2", "strength": "mu", "form": "half_mean", "biases": True}}),
    ("30-20-10", {"loss": "ce", "activation": "softplus", "batch_reduction": "sum"}),
]


@pytest.mark.parametrize(("layers", "options"), NETWORKS)
@pytest.mark.parametrize(
    "layout", [Layout(), Layout(batch=False), Layout(True, False, False), Layout(False, False, False)]
)
def test_gradients_are_those_of_forward_mode(layers: str, options: dict[str, Any], layout: Layout) -> None:
    spec = network(layers, **{"activation": "sigmoid", **options})
    derivation = derive(forward_graph(spec), "none")
    rows = check_field(derivation, derivation.matrix(layout))
    assert [row.verdict for row in rows] == [True, True]


def test_large_network_is_checked_in_seconds() -> None:
    derivation = derive(forward_graph(network("784-128-10", activation="relu", loss="ce")), "none")
    view = derivation.matrix(Layout())
    started = time.perf_counter()
    rows = check_field(derivation, view)
    assert time.perf_counter() - started < 3
    assert [row.verdict for row in rows] == [True, True]
    assert "2 random directions" in rows[1].name


def test_a_leaning_puts_numbers_on_chosen_sides_and_opposites_on_the_other():
    f = PrimeField(7, leaning="+-")
    met = [f.random() for _ in range(6)]
    assert [f.positive(u) for u in met] == [True, False] * 3
    assert [f.positive(PRIME - u) for u in met] == [False, True] * 3
    assert [f.sign(u) for u in met] == [1, PRIME - 1] * 3
    assert [f.positive(u) for u in reversed(met)] == [False, True] * 3
    assert not f.positive(0)
    assert all(PrimeField(n, leaning="-").positive(f.random()) is False for n in range(4))

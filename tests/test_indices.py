"""Kronecker contraction and writing sums out, against SymPy's own finite sums, with captured indices as wrong twins."""

import pickle

import pytest
import sympy as sp
from sympy import KroneckerDelta, Sum, Symbol

from symbackprop.calculus.indices import Base, contract, fresh_index, index, indices_of, instantiate, put_in

i, j, k, m = map(index, "ijkm")
n = Symbol("n", integer=True, positive=True)
v, w = Base("v", layered=False), Base("w", layered=False)
FREE = {n: 4, j: 2, k: 3}


def over(body: sp.Expr, *names: Symbol) -> Sum:
    return Sum(body, *((name, 1, n) for name in names))


def delta(p: sp.Expr, q: sp.Expr) -> sp.Expr:
    return KroneckerDelta(p, q)


SUMS = {
    "one delta": over(delta(i, j) * w[i], i),
    "delta at a number": over(delta(i, 2) * w[i], i),
    "two deltas": over(delta(i, j) * delta(i, k) * w[i], i),
    "delta outside": delta(j, k) * over(w[i], i),
    "double sum": over(delta(i, j) * w[i] * v[k, i], i, j),
    "sum in a sum": over(w[i] * over(delta(i, j) * v[i, j], j), i),
    "delta and a bracket": over((delta(i, j) - w[i]) * v[i], i),
    "delta over a sum": over(delta(i, j) / over(w[m], m), i),
    "delta times a power of a sum": over(delta(i, k) * over(w[m], m) ** 2, i),
    "delta times two sums over one letter": over(delta(i, k) * over(w[j], j) * over(v[j], j), i),
    "inner index is free outside": over(delta(i, j) * w[i] * over(w[j], j), i),
    "inner index is the delta's": over(delta(j, k) * over(w[k] * v[j], k), j),
    "in an exponent": sp.exp(over(delta(i, j) * w[i], i)),
    "nothing depends on the index": over(w[k], i),
    "trace": over(delta(i, j), i, j),
    "softmax, chain rule": over(v[i] * (delta(i, j) - w[j]) * w[i], i),
}


def written_out(expr: sp.Expr, numbers: dict[sp.Expr, int]) -> sp.Expr:
    """An independent oracle: bottom-up, every bound index runs through its numbers before the free ones are put in."""
    if isinstance(expr, Sum):
        body = expr.function
        bound = [limit[0] for limit in expr.limits]
        outer = {name: number for name, number in numbers.items() if name not in bound}
        if not bound:
            return written_out(body, outer)
        first, *rest = bound
        inner = over(body, *rest) if rest else body
        return sp.Add(*(written_out(inner, outer | {first: value}) for value in range(1, numbers[n] + 1)))
    if expr in numbers:
        return sp.Integer(numbers[expr])
    return expr.func(*(written_out(arg, numbers) for arg in expr.args)) if expr.args else expr


def same(left: sp.Expr, right: sp.Expr) -> bool:
    return sp.expand(written_out(left, FREE) - written_out(right, FREE)) == 0


@pytest.mark.parametrize("expr", SUMS.values(), ids=SUMS)
def test_contraction_keeps_the_value(expr: sp.Expr) -> None:
    assert same(expr, contract(expr))


@pytest.mark.parametrize("expr", SUMS.values(), ids=SUMS)
def test_contraction_leaves_no_delta_that_a_sum_binds(expr: sp.Expr) -> None:
    for total in contract(expr).atoms(Sum):
        bound = {limit[0] for limit in total.limits}
        assert not any(d.free_symbols & bound for d in total.atoms(KroneckerDelta))


@pytest.mark.parametrize("expr", SUMS.values(), ids=SUMS)
def test_instantiation_is_the_finite_sum(expr: sp.Expr) -> None:
    written = instantiate(expr, FREE)
    assert not written.has(Sum)
    assert sp.expand(written - written_out(expr, FREE)) == 0


@pytest.mark.parametrize(
    ("expr", "wrong"),
    [
        (SUMS["one delta"], w[k]),
        (SUMS["inner index is free outside"], over(w[j] ** 2, j)),  # the outer j caught by the inner sum
        (SUMS["inner index is the delta's"], over(v[k] * w[k], k)),
        (SUMS["nothing depends on the index"], w[k]),  # the factor n lost
        (SUMS["delta times two sums over one letter"], over(v[j] * w[j], j)),
        (SUMS["softmax, chain rule"], w[j] * v[j]),
    ],
)
def test_wrong_twins_are_refuted(expr: sp.Expr, wrong: sp.Expr) -> None:
    assert not same(expr, wrong)


def test_contraction_gives_the_textbook_forms() -> None:
    assert contract(SUMS["one delta"]) == w[j]
    assert contract(SUMS["trace"]) == n
    assert contract(SUMS["softmax, chain rule"]) == v[j] * w[j] - w[j] * over(v[i] * w[i], i)


def test_values_do_not_get_caught_by_a_sums_own_index() -> None:
    moved = put_in(over(w[i, j], i), {j: i})
    assert same(put_in(moved, {i: j}), over(w[m, j], m))
    assert not same(put_in(moved, {i: j}), over(w[m, m], m))
    assert put_in(over(w[i], i), {i: sp.Integer(2)}) == over(w[i], i)


def test_a_sum_without_a_numeric_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the sum over i has no numeric range: 1\.\.n"):
        instantiate(over(w[i], i), {})


def test_fresh_indices_are_free_and_always_the_same() -> None:
    taken = {i, j, k}
    assert fresh_index(taken, i) == m == fresh_index(taken, i)
    everything = set(map(index, "ijkmpqrsuv"))
    assert fresh_index(everything, i) == index("i1")
    assert indices_of(over(w[i, j], i)) >= {i, j}


def test_entries_survive_a_pickle_and_print_as_addresses() -> None:
    entry = Base("w")[1, 12, 3]
    again = pickle.loads(pickle.dumps(entry))
    assert again == entry and str(again) == "w12,3[1]"


def test_quantities_of_one_name_with_and_without_layers_are_two():
    assert Base("q") != Base("q", layered=False)
    assert str(Base("q")[1, 2] ** 2) == "q2[1]**2"
    assert str(Base("q", layered=False)[1, 2] ** 2) == "q12**2"


def test_entries_share_what_is_assumed_of_their_base():
    counts = Base("c", integer=True, positive=True)
    assert counts[1].is_positive
    assert counts[2].is_integer
    assert Base("c")[1].is_positive is None
    assert pickle.loads(pickle.dumps(counts[1])) == counts[1]

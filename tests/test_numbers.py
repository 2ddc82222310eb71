"""Worked numbers against published ones: Mazur's step-by-step example, and against a second computation."""

import math

import pytest

from symbackprop.derivation.derive import derive
from symbackprop.derivation.numbers import work
from symbackprop.errors import SpecError
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import DELTA, ERROR, NEXT_WEIGHT, OUT, PRE
from symbackprop.network.read import network

# Matt Mazur, "A Step by Step Backpropagation Example": 2-2-2, logistic, E = Σ ½ (target - out)², rate 0.5.
MAZUR = {
    "x1": 0.05, "x2": 0.10, "t1": 0.01, "t2": 0.99, "eta": 0.5,
    "w11[1]": 0.15, "w21[1]": 0.20, "w12[1]": 0.25, "w22[1]": 0.30, "b1[1]": 0.35, "b2[1]": 0.35,
    "w11[2]": 0.40, "w21[2]": 0.45, "w12[2]": 0.50, "w22[2]": 0.55, "b1[2]": 0.60, "b2[2]": 0.60,
}  # fmt: skip


WEIGHTS = [(layer, from_, to) for layer in (1, 2) for from_ in (1, 2) for to in (1, 2)]


def mazur():
    derivation = derive(forward_graph(network("2-2-2", activation="sigmoid", loss="mse")))
    return work(derivation, MAZUR)


def test_published_numbers():
    worked = mazur()
    values = worked.values
    assert float(values[PRE[2, 1]]) == pytest.approx(0.3775, abs=1e-12)
    assert float(values[OUT[2, 1]]) == pytest.approx(0.593269992, abs=5e-10)
    assert float(values[OUT[3, 1]]) == pytest.approx(0.75136507, abs=5e-9)
    assert float(values[OUT[3, 2]]) == pytest.approx(0.772928465, abs=5e-10)
    assert float(worked.error_before) == pytest.approx(0.298371109, abs=5e-10)
    assert float(values[DELTA[3, 1]]) == pytest.approx(0.138498562, abs=5e-10)
    assert float(values[NEXT_WEIGHT[2, 1, 1]]) == pytest.approx(0.35891648, abs=5e-9)
    assert float(values[NEXT_WEIGHT[2, 2, 2]]) == pytest.approx(0.561370121, abs=5e-10)
    assert float(values[NEXT_WEIGHT[1, 1, 1]]) == pytest.approx(0.149780716, abs=5e-10)
    assert float(values[NEXT_WEIGHT[1, 2, 2]]) == pytest.approx(0.299502287, abs=5e-9)


def test_published_error_after_one_step_of_the_weights():
    """The example leaves the biases as they are. Its own figure, 0.291027924, comes from rounding on the way."""
    derivation = derive(forward_graph(network("2-2-2", activation="sigmoid", loss="mse")))
    moved = {of: float(value) for of, value in mazur().values.items() if getattr(of, "base", None) == NEXT_WEIGHT}
    after = MAZUR | {f"w{from_}{to}[{layer}]": moved[NEXT_WEIGHT[layer, from_, to]] for layer, from_, to in WEIGHTS}
    assert float(work(derivation, after).error_before) == pytest.approx(0.291027774, abs=5e-10)


def test_every_delta_uses_the_weights_from_before_the_update():
    # with the biases updated too, and no updated weight used in a δ
    worked = mazur()
    assert math.isclose(float(worked.error_after), reference_error_after(), rel_tol=1e-12)
    assert worked.error_after < worked.error_before


def reference_error_after() -> float:
    """One step in plain floats, written apart from the derivation."""

    def sigma(z):
        return 1 / (1 + math.exp(-z))

    x, t = (0.05, 0.10), (0.01, 0.99)
    w = [[0.15, 0.25], [0.20, 0.30]]
    v = [[0.40, 0.50], [0.45, 0.55]]
    b, c = [0.35, 0.35], [0.60, 0.60]

    def run():
        h = [sigma(sum(x[i] * w[i][j] for i in range(2)) + b[j]) for j in range(2)]
        o = [sigma(sum(h[j] * v[j][k] for j in range(2)) + c[k]) for k in range(2)]
        return h, o, sum((o[k] - t[k]) ** 2 / 2 for k in range(2))

    h, o, _ = run()
    d = [(o[k] - t[k]) * o[k] * (1 - o[k]) for k in range(2)]
    e = [sum(d[k] * v[j][k] for k in range(2)) * h[j] * (1 - h[j]) for j in range(2)]
    for j in range(2):
        for k in range(2):
            v[j][k] -= 0.5 * d[k] * h[j]
    for i in range(2):
        for j in range(2):
            w[i][j] -= 0.5 * e[j] * x[i]
    for k in range(2):
        c[k] -= 0.5 * d[k]
        b[k] -= 0.5 * e[k]
    return run()[2]


def test_drawn_numbers_are_the_same_for_the_same_seed_and_fit_the_loss():
    derivation = derive(forward_graph(network("3-4-2", activation="tanh", loss="ce")))
    first, again, other = work(derivation, {}, 1), work(derivation, {}, 1), work(derivation, {}, 2)
    assert first.values == again.values != other.values
    targets = [first.given[t] for t in derivation.graph.targets()]
    assert sorted(targets) == [0, 1]
    assert first.values[ERROR] == first.error_before


def test_undefined_functions_and_unknown_addresses_are_refused():
    generic = derive(forward_graph(network("2-3-1", activation="g", loss="mse")))
    with pytest.raises(SpecError, match="worked numbers need formulas, and the activation g is undefined"):
        work(generic, {})
    sigmoid = derive(forward_graph(network("2-3-1", activation="sigmoid", loss="mse")))
    with pytest.raises(SpecError, match=r"the network 2-3-1 has no 'w44\[1\]'"):
        work(sigmoid, {"w44[1]": 1.0})

"""Losses and gradients for logits from -1e4 to 1e4, each loss with the outputs that it is made for.

``python tests/test_extreme_losses.py`` prints the worst relative error of every pair. A new row of the catalogue is
tested by itself: the outputs follow from the open interval that the loss takes, the targets from its facts.
"""

import warnings
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp

from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import BIAS, TARGET, WEIGHT
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

LOGITS = [
    (1e4, -1e4, 3.0),
    (-1e4, 9e3, -1e4),
    (40.0, -1.0, 2.0),
    (-30.0, 2.0, 1.5),
    (0.25, 0.5, -0.625),
    (1e-9, 0.0, -1e-9),
    (1e-300, -1e-300, 0.125),
    (740.0, 0.0, 1.0),  # e^-740 is a number that has lost digits
    (-1.0, 718.0, 4.0),
    (2.0, 2.0, -690.0),
]
# Beyond these the output or the loss itself is no double.
LARGEST = {"exponential": 700.0, "poisson_nll": 700.0, "gaussian_nll": 300.0}
DEEP = {"sigmoid": 4400, "softplus": 4400, "softplus(2.5)": 11000}  # 1 + e^z needs all the digits of e^-1e4
NEAR = 1e-12
LEAST = 5e-324  # the least double; numbers below 1e-308 have digits down to it
# What is a difference of terms that cancel is judged beside the terms: kl, which is 0 where the outputs are the
# targets; the cosine's distance, which is 0 where they have one direction, and its slopes; a gradient σ - t of a target
# between 0 and 1.
TERMS = {"kl": 1.0, "cosine": 1.0, "cosine_similarity": 1.0}


def outputs_of(loss: str) -> list[str]:
    """The output activations that a loss is made for."""
    row = LOSSES[loss]
    if row.domain == (0, 1):
        return ["sigmoid"] if row.binary_targets else ["softmax", "softmin"]
    return {
        (sp.S.Zero, sp.oo): ["softplus", "exponential"],
        (-1, sp.oo): ["softplus"],
        (-sp.oo, 0): ["log_softmax"],
    }.get(row.domain, ["identity"])


def targets_of(loss: str) -> list[list[float]]:
    """Targets that a loss takes."""
    row = LOSSES[loss]
    if row.classes or row.targets_sum_to_one or loss == "ce_any_sum":
        hard = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
        return hard if row.joint else [*hard, [0.25, 0.625, 0.125]]
    if any("-1 or 1" in note for note in row.notes):
        return [[1.0, -1.0, 1.0]]
    if row.binary_targets:
        return [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.25, 0.9375, 0.5]]
    return [[0.5, 2.0, 1.25]] if row.domain[0].is_finite else [[0.5, -2.0, 1.25]]


CASES = [
    *((activation, loss) for loss in LOSSES if loss != "cost" for activation in outputs_of(loss)),
    ("softplus", "mse"),
    *(("softplus(2.5)", loss) for loss in ("mse", "poisson")),
]


@cache
def made(activation: str, loss: str):
    """The emitted module, and what it must compute: the loss and its derivatives by the logits, to any precision."""
    inputs, outputs = range(1, 4), range(1, 3 * LOSSES[loss].parts + 1)
    graph = forward_graph(network(f"3-{len(outputs)}", activation=activation, loss=loss))
    module = load(emit(derive(graph, listing="none"), load_profile("S1")), "gradients")
    plain = graph.concrete(graph.composed_error()).xreplace(graph.spec.parameters)
    plain = plain.xreplace({WEIGHT[1, i, j]: sp.S.Zero for i in inputs for j in outputs})
    z = sp.symbols([f"z{j}" for j in outputs], real=True)
    t = sp.symbols([f"t{j}" for j in inputs], real=True)
    plain = plain.xreplace({BIAS[1, j]: z[j - 1] for j in outputs} | {TARGET[k]: t[k - 1] for k in inputs})
    return module, sp.lambdify([*z, *t], [plain, *(sp.diff(plain, each) for each in z)], "mpmath", cse=True)


def errors(activation: str, loss: str) -> list[tuple[float, float, tuple]]:
    """The relative errors of the loss and of the gradient at all points, with the logits."""
    module, exactly = made(activation, loss)
    found_all = []
    for t in targets_of(loss):
        for logits in LOGITS:
            most = min(LARGEST.get(activation, 1e4), LARGEST.get(loss, 1e4))
            z = [min(max(each, -most), most) for each in logits * LOSSES[loss].parts]
            params = {"W1": np.zeros((3, len(z))), "b1": np.array(z)}
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                error, gradients = module.loss_and_gradients(params, np.zeros(3), np.array(t))
                assert module.loss(params, np.zeros(3), np.array(t)) == pytest.approx(error, rel=1e-12, abs=1e-300)
            with mpmath.workdps(100 if max(map(abs, z)) < 50 else DEEP.get(activation, 800)):
                expected = [+value for value in exactly(*map(mpmath.mpf, z), *map(mpmath.mpf, t))]
            values = [error, *gradients["b1"]]
            assert np.isfinite(values).all(), (logits, t)
            soft = LOSSES[loss].binary_targets and any(0 < each < 1 for each in t)
            least = [TERMS.get(loss, 0.0), *[max(TERMS.get(loss, 0.0), 0.25 if soft else 0.0)] * len(z)]
            off = [relative(*each) for each in zip(values, expected, least, strict=True)]
            found_all.append((off[0], max(off[1:]), (logits, t)))
    return found_all


def relative(found: float, exact: mpmath.mpf, terms: float) -> float:
    """The error beside the value, or beside ``terms`` where that is more; a few of the least doubles are no error."""
    with mpmath.workdps(50):
        error = max(abs(mpmath.mpf(float(found)) - exact) - 4 * mpmath.mpf(LEAST), 0)
        return float(error / max(abs(exact), terms, LEAST))


@pytest.mark.parametrize(("activation", "loss"), CASES)
def test_losses_and_gradients_of_extreme_logits(activation: str, loss: str) -> None:
    for of_loss, of_gradient, where in errors(activation, loss):
        assert max(of_loss, of_gradient) <= NEAR, (where, of_loss, of_gradient)


def test_a_loss_and_a_gradient_that_lose_digits_are_found() -> None:
    """The usual forms of softmax and cross-entropy, of the right class at (40, -1, 2)."""
    _, exactly = made("softmax", "ce")
    z, t = (40.0, -1.0, 2.0), (1.0, 0.0, 0.0)
    with mpmath.workdps(100):
        loss, gradient, *_ = exactly(*z, *t)
    e = np.exp(np.array(z) - 40.0)
    assert relative(np.log(e.sum()), loss, 0.0) > 1e3 * NEAR
    assert relative(e[0] / e.sum() - 1, gradient, 0.0) > 1e3 * NEAR


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "cost"])
def test_every_loss_has_targets_of_its_kind(loss: str) -> None:
    row = LOSSES[loss]
    for t in targets_of(loss):
        assert not row.targets_sum_to_one or sum(t) == 1
        assert not row.binary_targets or all(0 <= each <= 1 for each in t)


if __name__ == "__main__":
    print(f"{'output':12} {'loss':20} {'loss':>8} {'gradient':>9}   (relative errors)")
    for activation, loss in CASES:
        found = errors(activation, loss)
        print(f"{activation:12} {loss:20} {max(e[0] for e in found):8.1e} {max(e[1] for e in found):9.1e}")

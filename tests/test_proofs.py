"""Every step of every kind of network is proved; what cannot be decided never counts as proved."""

import json
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from networks import OUTPUTS

from symbackprop.calculus.inert import Apply
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.entries import Z
from symbackprop.catalogue.losses import LOSSES
from symbackprop.check.instances import Instances
from symbackprop.check.laurent import Formulas
from symbackprop.check.proofs import Prover
from symbackprop.check.report import CheckReport, Row, all_hold
from symbackprop.check.run import check, narrowed, references
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.matrix_terms import Layout
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import DELTA, OUT, PRE, TARGET
from symbackprop.network.read import network

LAYOUTS = [Layout(), Layout(batch=False, examples_in_rows=False, weights_from_to=False)]
EXACT = {"proved symbolically", "by definition", "false without it", "looked up"}


def derived(layers: str = "2-3-2", **options: Any) -> Derivation:
    return derive(forward_graph(network(layers, **{"activation": "sigmoid", "loss": "mse", **options})))


def report_of(derivation: Derivation) -> CheckReport:
    return check(derivation, [derivation.matrix(layout) for layout in LAYOUTS])


def doubtful(report: CheckReport) -> list[Row]:
    return [row for row in report.rows if row.verdict is not True]


# Whole networks, not steps: exact too, in the prime field.
IN_THE_FIELD = ("whole network", "folded form")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_proved_symbolically(name: str) -> None:
    # A learned parameter's gradient sums over units and examples: few enough that every case is proved.
    layers = "3-1-1" if ACTIVATIONS[name].trained else "3-2-1" if ACTIVATIONS[name].over_units else "2-3-2"
    report = report_of(derived(layers, activation=name, output_activation="identity"))
    assert not doubtful(report)
    assert {row.how for row in report.rows if row.group not in IN_THE_FIELD} <= EXACT


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_proved_symbolically(name: str) -> None:
    output = OUTPUTS.get(name, "identity")
    report = report_of(derived("3-2", activation="tanh", output_activation=output, loss=name))
    assert not doubtful(report)
    assert {row.how for row in report.rows if row.group not in IN_THE_FIELD} <= EXACT


@pytest.mark.parametrize("kind", ["l1", "l2"])
@pytest.mark.parametrize("form", ["plain", "half", "half_mean"])
@pytest.mark.parametrize("biases", [True, False])
def test_every_penalty_is_proved(kind: str, form: str, biases: bool) -> None:
    penalty = {"kind": kind, "strength": "mu", "form": form, "biases": biases}
    assert report_of(derived("3-2", activation="tanh", penalty=penalty, bias=[True])).ok


@pytest.mark.parametrize("output_reduction", ["sum", "mean"])
@pytest.mark.parametrize("batch_reduction", ["sum", "mean"])
def test_every_reduction_is_proved(output_reduction: str, batch_reduction: str) -> None:
    options = {"output_reduction": output_reduction, "batch_reduction": batch_reduction}
    assert report_of(derived("3-2", **options)).ok


@pytest.mark.parametrize("layers", ["1-1", "1-2-1", "3-1-2", "4-3-2"])
def test_widths_of_every_kind_are_proved(layers: str) -> None:
    assert report_of(derived(layers, activation="softplus")).ok


def test_large_network_is_proved_by_its_index_steps() -> None:
    derivation = derived("30-20-10", loss="ce", activation="relu")
    report = report_of(derivation)
    assert report.ok
    assert any("widths of 2 and 3" in note for note in report.notes)
    assert narrowed(derivation.graph).spec.sizes == (2, 3, 2)


def test_deep_network_is_proved() -> None:
    layers = "-".join(["4", "5"] * 6)
    assert report_of(derived(layers, activation="tanh")).ok


def test_assumption_is_needed_and_used() -> None:
    derivation = derived(loss="ce")
    step = derivation.by_label["output.delta"]
    prover = Prover(derivation.graph, derivation.steps)
    assert prover.row(step, "output").verdict is True
    assert prover.needs_assumptions(step)
    citing = derivation.by_label["output.delta.1"]
    assert prover.row(citing, "back").verdict is True
    assert prover.row(replace(citing, uses=()), "back").verdict is False


def test_assumption_that_is_not_needed_is_reported() -> None:
    derivation = derived(loss="ce")
    with_assumption = derivation.by_label["output.delta"]
    step = replace(derivation.by_label["output.chain"], assumptions=with_assumption.assumptions)
    assert not Prover(derivation.graph, derivation.steps).needs_assumptions(step)


def test_missing_reference_is_reported() -> None:
    steps = list(derived().steps)
    assert references(steps).verdict is True
    row = references([*steps, replace(steps[0], uses=("nowhere",))])
    assert row.verdict is False
    assert "nowhere" in row.how


def test_what_cannot_be_decided_is_not_proved() -> None:
    derivation = derived()
    step = replace(derivation.by_label["slope.sigmoid.0"], right=sp.besselj(Z, Z))
    row = Prover(derivation.graph, derivation.steps).row(step, "slopes")
    assert (row.verdict, row.how) == (None, "undecided")
    report = CheckReport((Row("slopes", "proved", True, "proved symbolically"), row))
    assert not report.ok
    assert report.undecided == [row]
    assert not report.refuted
    assert json.loads(report.to_json())["ok"] is False


def test_empty_report_is_not_ok() -> None:
    assert not CheckReport(()).ok


@pytest.mark.parametrize(
    ("verdicts", "expected"), [([True, True], True), ([True, None], None), ([None, False], False), ([], True)]
)
def test_all_hold(verdicts: list[bool | None], expected: bool | None) -> None:
    assert all_hold(verdicts) is expected


def test_report_is_the_same_every_time() -> None:
    one, two = (report_of(derived("3-2", activation="elu")).to_json() for _ in range(2))
    assert one == two


def test_generic_functions_stay_unknown() -> None:
    derivation = derived(activation="g")
    step = derivation.by_label["delta.2"]
    wrong = replace(step, right=step.right.replace(Apply, lambda tag, order, u: Apply(tag, order + 1, u)))
    assert Prover(derivation.graph, derivation.steps).row(wrong, "delta").verdict is False


# The normal form behind the symbolic proofs

Q = Formulas()
U, V = Q.name("u"), Q.name("v")


def minus(u: Any, v: Any) -> Any:
    return Q.add(u, Q.mul(Q.rational(-1, 1), v))


def test_fractions_are_zero_only_if_they_are() -> None:
    one = Q.rational(1, 1)
    sigma = Q.inverse(Q.add(one, Q.call("exp", Q.mul(Q.rational(-1, 1), U))))
    turned = Q.mul(Q.call("exp", U), Q.inverse(Q.add(one, Q.call("exp", U))))
    assert Q.is_zero(minus(sigma, turned))
    assert not Q.is_zero(minus(sigma, Q.mul(turned, Q.rational(2, 1))))
    nested = Q.inverse(Q.add(one, sigma))
    assert Q.is_zero(minus(Q.mul(nested, Q.add(one, turned)), one))
    assert not Q.is_zero(minus(nested, one))


def test_exponents_of_different_symbols_do_not_mix() -> None:
    powers = [Q.mul(U, Q.inverse(V)), Q.mul(V, Q.inverse(U)), U, V, Q.inverse(U), Q.mul(U, U), Q.mul(U, V)]
    assert len({next(iter(power)) for power in powers}) == len(powers)
    assert Q.mul(powers[0], powers[1]) == Q.rational(1, 1)


def test_exponential_of_a_logarithm() -> None:
    inside = Q.add(Q.rational(1, 1), Q.call("exp", V))
    softplus = Q.call("log", inside)
    assert Q.call("exp", softplus) == inside
    assert Q.is_zero(minus(Q.mul(Q.call("exp", Q.mul(Q.rational(-1, 1), softplus)), inside), Q.rational(1, 1)))


def test_delta_is_the_derivative_by_the_pre_activation() -> None:
    derivation = derived("2-3-2", loss="ce")
    step = replace(derivation.by_label["output.delta.1"], left=DELTA[3, 1], right=OUT[3, 1] - TARGET[1] + PRE[3, 1])
    assert Prover(derivation.graph, derivation.steps).row(step, "back").verdict is False


LARGE = [
    {"activation": "sigmoid", "loss": "ce"},
    {"activation": "g", "loss": "cost", "bias": [False, True], "penalty": "l2:0.1"},
    {"activation": "leaky_relu", "loss": "mae", "bias": False},
]


@pytest.mark.parametrize("options", LARGE)
def test_individual_lines_of_a_large_network_are_checked_at_its_own_size(options: dict[str, Any]) -> None:
    derivation = derive(forward_graph(network("14-9-3", **options)), "all")
    rows = {row.name: row for row in check(derivation, []).rows}
    assert doubtful(CheckReport(tuple(rows.values()))) == []
    assert rows["w12[2].folded"].how == "identical at 4 random points of GF(2^61-1)"
    checked = Instances(derivation, 0)
    for label, left_out in [("w12[2].folded", OUT[2, 1]), ("delta.2.7", DELTA[3, 2]), ("forward.z.2.1", OUT[1, 14])]:
        step = derivation.by_label[label]
        assert checked.row(replace(step, right=step.right.xreplace({left_out: sp.S.Zero})), "twin").verdict is False
        assert checked.row(replace(step, right=-step.right), "twin").verdict is False
        assert checked.row(replace(step, right=OUT[2, 10]), "twin").verdict is False

"""Each deliberately wrong twin of a true equation is refuted, at the level where the mistake would be made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from sympy import Rational

from symbackprop import api
from symbackprop.calculus.indices import Entry, InBlock
from symbackprop.calculus.inert import Apply, Chain, Partial, Total
from symbackprop.catalogue.entries import Z
from symbackprop.check.composed import check_composed
from symbackprop.check.field import check_field
from symbackprop.check.numeric import check_numeric
from symbackprop.check.proofs import Prover
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import Hadamard, Layout, Map, Plus, Product, Scaled, SumOver, Transpose
from symbackprop.derivation.matrix_terms import InBlock as BlockOf
from symbackprop.handover import emitted
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import DELTA, NEXT_WEIGHT, OUT, RATE, SIZE, TARGET, WEIGHT
from symbackprop.network.read import network


def derived(layers: str = "2-3-2", **options: Any) -> Derivation:
    return derive(forward_graph(network(layers, **{"activation": "sigmoid", "loss": "mse", **options})))


SIGMOID = derived()
GENERIC = derived(activation="g", bias=False)
SILU = derived(activation="silu")
SOFTMAX = derived(loss="ce")
DEEP = derived("2-3-3-2", activation="tanh")
PENALISED = derived(penalty={"kind": "l2", "strength": "mu"})
GLU = derived("2-2-1", activation="glu")
MAXOUT = derived("2-2-1", activation="maxout", output_activation="identity")
TIED = derived(activation="softmax", output_activation="identity")


def swapped(entry: Entry) -> Entry:
    layer, i, j = entry.indices
    return WEIGHT[layer, j, i]


def with_entries(change: Callable[[Entry], sp.Expr]) -> Callable[[sp.Expr], sp.Expr]:
    return lambda right: right.xreplace({e: change(e) for e in right.atoms(Entry)})


def transposed(entry: Entry) -> Entry:
    return swapped(entry) if entry.base == WEIGHT else entry


def updated(entry: Entry) -> Entry:
    return NEXT_WEIGHT[entry.indices] if entry.base == WEIGHT else entry


def without_last_factor(right: Chain) -> sp.Expr:
    return Chain(*right.args[:-1])


def without_one_slope(right: Total) -> sp.Expr:
    first, (*factors, _, last) = right.args[0], right.args[1].args
    return Total(first, Chain(*factors, last))


def without_penalty(right: sp.Expr) -> sp.Expr:
    return next(term for term in right.args if term.has(DELTA.label))


def another_weight(entry: Entry) -> Entry:
    return WEIGHT[1, 2, 1] if entry == WEIGHT[1, 1, 1] else entry


def another_delta(entry: Entry) -> Entry:
    return DELTA[3, 1] if entry.base == DELTA else entry


def slope_at_output(right: sp.Expr) -> sp.Expr:
    return right.replace(lambda e: isinstance(e, Apply), lambda e: Apply(e.tag, e.order, OUT[e.arguments[0].indices]))


def other_block(entry: Entry) -> Entry:
    place = entry.indices[-1]
    if not isinstance(place, InBlock):
        return entry
    return entry.base[entry.indices[0], InBlock(place.unit, 1 - place.block, place.args[2])]


def half_as_many(right: sp.Expr) -> sp.Expr:
    return right.xreplace({2 * SIZE[3]: SIZE[3]})


def own_slope_alone(right: sp.Expr) -> sp.Expr:
    return right.xreplace(dict.fromkeys(right.atoms(sp.Sum), sp.S.Zero))


def sigma(u: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-u))


TWINS: list[tuple[str, Derivation, str, Callable[[Any], Any]]] = [
    ("a dropped g'", GENERIC, "delta.2", without_last_factor),
    ("a dropped factor in a(1-a)", SIGMOID, "delta.2.output", without_last_factor),
    ("a dropped g' in one weight's product", GENERIC, "w11[1].product", without_one_slope),
    ("a transposed W", SIGMOID, "back.2.out", with_entries(transposed)),
    ("a transposed W between layers of one width", DEEP, "back.3.out", with_entries(transposed)),
    ("a wrong sign", SIGMOID, "output.delta", lambda r: -r),
    ("the target's sign", SOFTMAX, "output.delta", with_entries(lambda e: -e if e.base == TARGET else e)),
    ("a factor 1/2", SIGMOID, "error.slope", lambda r: r / 2),
    ("a factor 2", SIGMOID, "gradient.w.1", lambda r: 2 * r),
    ("a missing path", GENERIC, "w11[1].chain", lambda r: Total(*r.args[:-1])),
    ("a path taken twice", GENERIC, "w11[1].chain", lambda r: Total(*r.args, r.args[0])),
    ("g'(a) for g'(z)", GENERIC, "delta.2", slope_at_output),
    ("sigma'(a) for sigma'(z)", SILU, "delta.2", slope_at_output),
    ("an updated weight in a delta", SIGMOID, "delta.2", with_entries(updated)),
    ("an updated weight in one unit's delta", SIGMOID, "delta.2.1", with_entries(updated)),
    ("a node counted twice", SILU, "slope.silu.0", lambda r: sp.diff(Z * sigma(Z), Z) + sigma(Z)),
    ("the other factor of a product forgotten", SILU, "slope.silu.0", lambda r: sigma(Z)),
    ("the output of another unit", SIGMOID, "w21[2].folded", lambda r: r.xreplace({OUT[2, 2]: OUT[2, 1]})),
    ("the delta of another layer", SIGMOID, "gradient.w.1", with_entries(another_delta)),
    ("ascent", SIGMOID, "update.w.1", lambda r: r.subs(RATE, -RATE)),
    ("the penalty's part forgotten", PENALISED, "gradient.w.1.total", without_penalty),
    ("an edge that does not exist", SIGMOID, "w11[1].factor.3", lambda r: WEIGHT[2, 4, 1]),
    ("a bias's derivative of zero", SIGMOID, "gradient.b.1.local", lambda r: sp.S.Zero),
    ("blocks that changed places", GLU, "delta.2.piece.0", with_entries(other_block)),
    ("a forward equation with its blocks in each other's place", GLU, "slope.piece.2.1.0", with_entries(other_block)),
    ("a block that passes nothing back", GLU, "back.2.out", half_as_many),
    ("the slope of the other piece", MAXOUT, "slope.piece.2.0", lambda r: 1 - r),
    ("what the other outputs pass back forgotten", TIED, "delta.2", own_slope_alone),
    ("a wrong forward equation", SIGMOID, "forward.z.2.1", with_entries(another_weight)),
]  # fmt: skip


@pytest.mark.parametrize(("derivation", "label", "twin"), [t[1:] for t in TWINS], ids=[t[0] for t in TWINS])
def test_step_is_proved_and_its_twin_refuted(derivation: Derivation, label: str, twin: Callable[[Any], Any]) -> None:
    step = derivation.by_label[label]
    prover = Prover(derivation.graph, derivation.steps)
    assert prover.row(step, "true").verdict is True
    wrong = replace(step, right=twin(step.right))
    assert wrong.right != step.right
    assert prover.row(wrong, "twin").verdict is False


def test_silu_slope_at_one() -> None:
    formula = next(iter(SILU.slopes.values())).formula
    assert round(float(formula.subs(Z, 1)), 4) == 0.9277


# Matrix terms


def swap(term: Any, old: Any, new: Any) -> Any:
    """The term with ``old`` replaced, wherever it stands."""
    if term == old:
        return new
    match term:
        case Product(left, right):
            return Product(swap(left, old, new), swap(right, old, new))
        case Scaled(factor, of):
            return Scaled(factor, swap(of, old, new))
        case Transpose(of):
            return Transpose(swap(of, old, new))
        case SumOver(of, over):
            return SumOver(swap(of, old, new), over)
        case Hadamard(parts):
            return Hadamard(tuple(swap(part, old, new) for part in parts))
    return term


def untransposed(term: Any) -> Any:
    (product,) = [part for part in term.factors if isinstance(part, Product)]
    return swap(term, product.right, product.right.of)


def map_of_outputs(term: Any) -> Any:
    *factors, slope = term.factors
    (argument,) = slope.arguments
    return Hadamard((*factors, Map(slope.function, slope.symbols, (replace(argument, base=OUT),))))


def of_first(term: Any) -> Any:
    """The term with the first block in place of every other."""
    if isinstance(term, BlockOf):
        return replace(term, block=0)
    if isinstance(term, Hadamard):
        return Hadamard(tuple(map(of_first, term.factors)))
    return replace(term, arguments=tuple(map(of_first, term.arguments))) if isinstance(term, Map) else term


def without_sum(term: Any) -> Any:
    """The term without what is summed over the units of its layer."""
    kept = [f.terms[0] if isinstance(f, Plus) else f for f in term.factors]
    return Hadamard(tuple(kept))


def other_sum(term: Any) -> Any:
    return replace(term, of=replace(term.of, over="columns"))


MATRIX_TWINS: list[tuple[str, Derivation, str, Callable[[Any], Any]]] = [
    ("a transposed W", SIGMOID, "delta.2", untransposed),
    ("a transposed W between layers of one width", DEEP, "delta.3", untransposed),
    ("a dropped slope", GENERIC, "delta.2", lambda t: Hadamard(t.factors[:-1])),
    ("g'(a) for g'(z)", GENERIC, "delta.2", map_of_outputs),
    ("a missing 1/N", SIGMOID, "dw.1", lambda t: t.of),
    ("a sign", SIGMOID, "dw.2", lambda t: Scaled(-t.factor, t.of)),
    ("a factor 1/2", SIGMOID, "dw.2", lambda t: Scaled(t.factor * Rational(1, 2), t.of)),
    ("a sum over units, not examples", SIGMOID, "db.1", other_sum),
    ("blocks side by side in the wrong order", GLU, "delta.2", lambda t: replace(t, blocks=t.blocks[::-1])),
    ("one block twice", GLU, "delta.2", lambda t: replace(t, blocks=t.blocks[:1] * 2)),
    ("a block for the other", MAXOUT, "delta.2", lambda t: replace(t, blocks=tuple(map(of_first, t.blocks)))),
    ("what the other outputs pass back forgotten", TIED, "delta.2", without_sum),
]  # fmt: skip


def with_right(view: MatrixView, label: str, right: Any) -> MatrixView:
    def changed(steps: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(step, right=right) if step.label == label else step for step in steps)

    return replace(view, deltas=changed(view.deltas), gradients=changed(view.gradients))


def matrix_step(derivation: Derivation, layout: Layout, label: str) -> tuple[MatrixView, Any]:
    view = derivation.matrix(layout)
    return view, next(step for step in view.steps if step.label == f"matrix.{label}")


@pytest.mark.parametrize(
    ("derivation", "label", "twin"), [t[1:] for t in MATRIX_TWINS], ids=[t[0] for t in MATRIX_TWINS]
)
def test_matrix_step_is_proved_and_its_twin_refuted(
    derivation: Derivation, label: str, twin: Callable[[Any], Any]
) -> None:
    layout = Layout()
    _, step = matrix_step(derivation, layout, label)
    prover = Prover(derivation.graph, [*derivation.steps, step])
    assert prover.row(step, "true", layout).verdict is True
    wrong = replace(step, right=twin(step.right))
    assert wrong.right != step.right
    assert prover.row(wrong, "twin", layout).verdict is False


@pytest.mark.parametrize(
    ("derivation", "label", "twin"),
    [t[1:] for t in MATRIX_TWINS],
    ids=[t[0] for t in MATRIX_TWINS],
)
def test_whole_network_in_the_field_refutes_the_twin(
    derivation: Derivation, label: str, twin: Callable[[Any], Any]
) -> None:
    view, step = matrix_step(derivation, Layout(), label)
    assert all(row.verdict is True for row in check_field(derivation, view))
    rows = check_field(derivation, with_right(view, step.label, twin(step.right)))
    assert rows[-1].verdict is False


# The folded form, and emitted code

FOLDED_TWINS: list[tuple[str, Derivation, str, Callable[[Any], Any]]] = [
    ("a dropped g'", GENERIC, "delta.2", without_last_factor),
    ("a dropped factor of a(1-a)", SIGMOID, "delta.2.output", without_last_factor),
    ("a sign", SOFTMAX, "output.delta", lambda r: -r),
    ("a factor 1/2", SILU, "gradient.w.1", lambda r: r / 2),
    ("a transposed W between layers of one width", DEEP, "delta.3.output", with_entries(transposed)),
    ("a transposed W", SIGMOID, "delta.2.output", with_entries(transposed)),
    ("blocks that changed places", GLU, "delta.2.piece.1", with_entries(other_block)),
    ("what the other outputs pass back forgotten", TIED, "delta.2", own_slope_alone),
]


@pytest.mark.parametrize(
    ("derivation", "label", "twin"), [t[1:] for t in FOLDED_TWINS], ids=[t[0] for t in FOLDED_TWINS]
)
def test_composed_error_refutes_the_twin(derivation: Derivation, label: str, twin: Callable[[Any], Any]) -> None:
    assert all(row.verdict is True for row in check_composed(derivation))
    step = derivation.general[label]
    wrong = replace(derivation, general={**derivation.general, label: replace(step, right=twin(step.right))})
    assert any(row.verdict is False for row in check_composed(wrong))


CODE_TWINS: dict[str, Callable[[Any], Any]] = {
    "a sign": lambda g: {**g, "W1": -g["W1"]},
    "a factor 1/2": lambda g: {name: value / 2 for name, value in g.items()},
    "one entry": lambda g: {
        **g,
        "W2": g["W2"] * np.where(np.arange(g["W2"].size).reshape(g["W2"].shape) == 3, 1.001, 1),
    },
    "a bias forgotten": lambda g: {**g, "b1": np.zeros_like(g["b1"])},
    "a gradient missing": lambda g: {name: value for name, value in g.items() if name != "b2"},
}


@pytest.mark.parametrize("twin", CODE_TWINS.values(), ids=CODE_TWINS)
def test_central_differences_refute_the_twin(twin: Callable[[Any], Any]) -> None:
    d = api.derive(network("2-3-2", activation="tanh", loss="mse"))
    true = emitted(d.compile(), d.graph.spec)

    def wrong(params: Any, x: Any, t: Any) -> Any:
        loss, gradients = true.loss_and_gradients(params, x, t)
        return loss, twin(gradients)

    assert all(row.verdict is True for row in check_numeric(d.graph, true)[0])
    assert any(row.verdict is False for row in check_numeric(d.graph, replace(true, loss_and_gradients=wrong))[0])


def test_a_loss_that_is_not_the_networks_own_is_refuted_though_its_gradients_fit() -> None:
    d = api.derive(network("2-3-2", activation="tanh", loss="mse"))
    true = emitted(d.compile(), d.graph.spec)

    def doubled(params: Any, x: Any, t: Any) -> Any:
        loss, gradients = true.loss_and_gradients(params, x, t)
        return 2 * loss, {name: 2 * value for name, value in gradients.items()}

    rows, _ = check_numeric(d.graph, replace(true, loss_and_gradients=doubled))
    assert {row.name for row in rows if row.verdict is False} == {"loss for a batch of 3", "loss for one example"}


def test_partial_derivative_by_the_wrong_quantity_is_refuted() -> None:
    step = SIGMOID.by_label["w11[1].chain"]
    wrong = replace(step, left=Partial(step.left.of, WEIGHT[1, 2, 1]))
    assert Prover(SIGMOID.graph, SIGMOID.steps).row(wrong, "twin").verdict is False

"""The symbolic proofs alone, without the random numbers that refute what is wrong before: nothing false is proved."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp

from symbackprop.calculus.inert import Apply
from symbackprop.check.laurent import Formulas
from symbackprop.check.proofs import Prover
from symbackprop.derivation.arrays import chain_section
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.matrix_terms import Layout, Leaf, Map, Transpose
from symbackprop.derivation.steps import Step
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import OUT, TARGET, WEIGHT
from symbackprop.network.read import network

ONE_EXAMPLE = Layout(batch=False)
Change = Callable[[Any], Any]


def derived(layers: str = "2-3-2", **options: Any) -> Derivation:
    return derive(forward_graph(network(layers, **{"activation": "sigmoid", "loss": "mse", **options})))


def proved(derivation: Derivation, step: Step, layout: Layout | None) -> bool:
    """Whether symbols alone prove the step."""
    prover = Prover(derivation.graph, derivation.steps)
    pairs = prover.pairs(step, layout, prover.examples(layout))
    assert pairs is not None
    return prover.symbolically(pairs, prover.examples(layout), step.assumptions)


# What is composed through all layers


def rewritten(term: Any, change: Change) -> Any:
    """``term`` with ``change`` applied to every array and to every function in it."""
    if isinstance(term, tuple):
        return tuple(rewritten(part, change) for part in term)
    if isinstance(term, Leaf):
        return change(term)
    if isinstance(term, Map):
        return replace(term, function=change(term.function), arguments=rewritten(term.arguments, change))
    if hasattr(term, "__dataclass_fields__"):
        return replace(term, **{name: rewritten(getattr(term, name), change) for name in ("of", "left", "right",
                                "factors", "terms") if hasattr(term, name)})  # fmt: skip
    return term


def other_input(leaf: Any) -> Any:
    """The targets where the inputs belong: arrays of the same shape in a network 2-3-2."""
    return replace(leaf, base=TARGET, layer=None) if isinstance(leaf, Leaf) and leaf.base == OUT else leaf


def transposed(leaf: Any) -> Any:
    return Transpose(leaf) if isinstance(leaf, Leaf) and leaf.base == WEIGHT else leaf


def other_function(function: Any) -> Any:
    return function.replace(Apply, lambda *at: sp.tanh(at[-1])) if isinstance(function, sp.Expr) else function


def slope_for_function(function: Any) -> Any:
    changed = lambda tag, order, u: Apply(tag, order + 1, u)  # noqa: E731
    return function.replace(Apply, changed) if isinstance(function, sp.Expr) else function


def without_exp(function: Any) -> Any:
    return function.replace(sp.exp, lambda u: u) if isinstance(function, sp.Expr) else function


COMPOSED: list[tuple[str, dict[str, Any], str, Change]] = [
    ("targets for inputs", {}, "chains.composed", other_input),
    ("another activation", {}, "chains.composed", other_function),
    ("a slope for its function", {"activation": "g"}, "chains.composed", slope_for_function),
    ("no exponential", {"loss": "ce"}, "chains.composed", without_exp),
    ("another activation inside the error", {"loss": "ce"}, "chains.composed.error", other_function),
    ("no exponential inside the error", {"loss": "ce"}, "chains.composed.error", without_exp),
    ("transposed weights", {"layers": "3-3-3"}, "chains.composed", transposed),
]


@pytest.mark.parametrize(("options", "label", "twin"), [c[1:] for c in COMPOSED], ids=[c[0] for c in COMPOSED])
def test_composed_formula_is_proved_and_its_twin_is_not(options: dict[str, Any], label: str, twin: Change) -> None:
    derivation = derived(**options)
    section = chain_section(derivation, ONE_EXAMPLE)
    assert section is not None
    (step,) = (step for step in section.steps if step.label == label)
    assert proved(derivation, step, ONE_EXAMPLE)
    wrong = replace(step, right=rewritten(step.right, twin))
    assert wrong.right != step.right
    assert not proved(derivation, wrong, ONE_EXAMPLE)


# Square roots

ROOTED: list[tuple[str, str, Change]] = [
    ("squareplus", "slope.squareplus.7", lambda r: r - 1),
    ("squareplus", "slope.squareplus.7", lambda r: 1 - r),
    ("squareplus", "forward.a.2.1", lambda r: r.replace(sp.sqrt, lambda u: u) if r.has(sp.sqrt) else 2 * r),
    ("gelu_tanh", "delta.2", lambda r: r * sp.sqrt(sp.pi / 2)),
]


@pytest.mark.parametrize(("activation", "label", "twin"), ROOTED)
def test_step_with_a_root_is_proved_and_its_twin_is_not(activation: str, label: str, twin: Change) -> None:
    derivation = derived(activation=activation, output_activation="identity")
    step = derivation.by_label[label]
    assert proved(derivation, step, None)
    wrong = replace(step, right=twin(step.right))
    assert wrong.right != step.right
    assert not proved(derivation, wrong, None)


Q = Formulas()
U, V = Q.name("u"), Q.name("v")
ROOT = Q.root(Q.add(U, V))


def product(*factors: Any) -> Any:
    total = Q.rational(1, 1)
    for factor in factors:
        total = Q.mul(total, factor)
    return total


def minus(u: Any, v: Any) -> Any:
    return Q.add(u, product(Q.rational(-1, 1), v))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (product(ROOT, ROOT), Q.add(U, V), True),
        (product(ROOT, ROOT), Q.add(U, U), False),
        (product(ROOT, ROOT, ROOT), product(ROOT, Q.add(U, V)), True),
        (product(ROOT, ROOT, ROOT), Q.add(U, V), False),
        (Q.inverse(ROOT), product(ROOT, Q.inverse(Q.add(U, V))), True),
        (Q.inverse(ROOT), ROOT, False),
        (ROOT, product(Q.rational(-1, 1), ROOT), False),
        (Q.inverse(Q.add(U, ROOT)), product(minus(ROOT, U), Q.inverse(minus(Q.add(U, V), product(U, U)))), True),
        (Q.inverse(Q.add(U, ROOT)), product(Q.add(U, ROOT), Q.inverse(minus(Q.add(U, V), product(U, U)))), False),
        (Q.root(product(ROOT, ROOT)), ROOT, False),  # not known to be equal, so not proved
    ],
)
def test_roots_are_known_by_their_squares(one: Any, other: Any, equal: bool) -> None:
    assert Q.is_zero(minus(one, other)) is equal


def test_root_of_nothing_is_nothing() -> None:
    assert Q.is_zero(Q.root(minus(U, U)))

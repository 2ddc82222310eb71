"""The rows: names that find them, facts that agree with the derived slopes and with PyTorch."""

import random

import mpmath
import pytest
import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.indices import Base
from symbackprop.catalogue.activations import ACTIVATIONS, GENERIC
from symbackprop.catalogue.entries import A, Activation, K, Loss, M, N, Penalty, T, V, W, Z
from symbackprop.catalogue.lookup import find_activation, find_loss, find_penalty, read_number
from symbackprop.catalogue.losses import LOSSES
from symbackprop.catalogue.penalties import PENALTIES
from symbackprop.errors import SpecError
from symbackprop.network import quantities

UNITWISE = {n: e for n, e in ACTIVATIONS.items() if e.value is not None and not e.over_units}
FORMULAS: dict[str, tuple[Activation | Loss | Penalty, Symbol]] = {
    **{n: (e, Z) for n, e in UNITWISE.items()},
    **{n: (e, A) for n, e in LOSSES.items() if e.value is not None and not e.joint and e.parts == 1},
    **{n: (e, W) for n, e in PENALTIES.items()},
}


def slope_of(entry: Activation | Loss | Penalty, by: Symbol) -> Expr:
    return differentiate(entry.value, by)[-1].right


@pytest.mark.parametrize("rows", [ACTIVATIONS, LOSSES, PENALTIES], ids=["activations", "losses", "penalties"])
def test_names_and_aliases_are_each_used_once(rows: dict[str, Activation | Loss | Penalty]) -> None:
    names = [name for entry in rows.values() for name in (entry.name, *entry.aliases)]
    assert len(names) == len({name.replace("_", "") for name in names})
    assert list(rows) == [entry.name for entry in rows.values()]
    assert all(entry.source for entry in rows.values())


def test_formulas_use_their_own_symbols_alone() -> None:
    for entry, by in FORMULAS.values():
        parameters = set(getattr(entry, "parameters", {}))
        expected = {by} | parameters | ({T} if isinstance(entry, Loss) else set())
        assert entry.value.free_symbols - {N} == expected


def kinks_seen(entry: Activation | Loss | Penalty, by: Symbol) -> list[Expr]:
    """Where the derivative jumps: its value next to the point differs on the two sides, or from the value there."""
    slope = slope_of(entry, by).subs(getattr(entry, "parameters", {})).subs({T: sp.Rational(1, 3), N: 3})
    tiny = sp.Rational(1, 10**12)
    low, high = getattr(entry, "domain", (-sp.oo, sp.oo))
    spots = [s for s in (sp.Rational(n, 6) for n in range(-42, 43)) if low < s < high]
    return [s for s in spots if abs(sp.N(slope.subs(by, s + tiny) - slope.subs(by, s - tiny))) > 1e-6]


@pytest.mark.parametrize(("entry", "by"), FORMULAS.values(), ids=FORMULAS)
def test_kinks_are_where_the_slope_jumps_and_have_the_slope_it_takes(
    entry: Activation | Loss | Penalty, by: Symbol
) -> None:
    seen = kinks_seen(entry, by)
    numbers = {**getattr(entry, "parameters", {}), T: sp.Rational(1, 3)}
    declared = [kink.at.subs(numbers) for kink in entry.kinks]
    if entry.name == "elu":  # a kink only where alpha is not 1
        assert seen == [] and declared == [0]
    else:
        assert seen == declared
    for kink in entry.kinks:
        assert slope_of(entry, by).subs(numbers).subs(by, kink.at.subs(numbers)) == kink.slope.subs(numbers)


@pytest.mark.parametrize("entry", [e for e in UNITWISE.values() if e.range], ids=lambda entry: entry.name)
def test_outputs_stay_in_the_range_and_come_near_its_ends(entry: Activation) -> None:
    value = entry.value.subs(entry.parameters)
    low, high = (sp.N(end.subs(entry.parameters), 40) for end in entry.range)
    outputs = [sp.N(value.subs(Z, z), 40) for z in (-400, *(sp.Rational(n, 8) for n in range(-64, 65)), 400)]
    tiny = sp.Float("1e-35", 40)
    assert all(low - tiny <= y <= high + tiny for y in outputs)
    assert min(outputs) < (low + 0.01 if low.is_finite else -0.7)
    assert max(outputs) > (high - 0.01 if high.is_finite else 70)


def test_softmax_outputs_are_a_distribution() -> None:
    values = [sp.Rational(n, 3) for n in (1, -2, 4)]
    entry = ACTIVATIONS["softmax"]
    rows = [entry.value.subs({N: 3, K: k}).doit().subs({V[n]: values[n - 1] for n in (1, 2, 3)}) for k in (1, 2, 3)]
    assert sp.simplify(sum(rows)) == 1
    assert abs(float(rows[2]) - 0.66524) < 1e-5 and entry.value.has(M)


@pytest.mark.parametrize(("entry", "by"), FORMULAS.values(), ids=FORMULAS)
def test_the_slope_is_the_limit_of_difference_quotients(entry: Activation | Loss | Penalty, by: Symbol) -> None:
    """An oracle without SymPy's rules: central differences of mpmath at 60 digits."""
    numbers = {**getattr(entry, "parameters", {}), T: sp.Rational(2, 7)}
    value = sp.lambdify(by, entry.value.subs(numbers), "mpmath")
    slope = sp.lambdify(by, slope_of(entry, by).subs(numbers), "mpmath")
    chance = random.Random(1)
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20
        for _ in range(5):
            x = mpmath.mpf(chance.uniform(0.02, 0.98)) - (0 if by == A else mpmath.mpf(chance.choice([0, 1])))
            assert abs((value(x + h) - value(x - h)) / (2 * h) - slope(x)) < 1e-30


@pytest.mark.parametrize("name", UNITWISE)
def test_activations_are_those_of_pytorch_at_the_kink_too(name: str) -> None:
    oracle = pytest.importorskip("torch_catalogue", exc_type=ImportError)
    entry = ACTIVATIONS[name]
    xs = [-3.5, -3.0, -1.0, -0.5, -0.25, 0.0, 0.5, 1.0, 3.0, 4.0, 6.0, 7.5]
    z = oracle.torch.tensor(xs, dtype=oracle.torch.float64, requires_grad=True)
    y = oracle.ACTIVATIONS[name](z)
    y.sum().backward()
    slope = slope_of(entry, Z)
    near = 1e-8 if name == "hard_sigmoid" else 1e-12  # PyTorch's slope 1/6 has the digits of a float32
    for n, x in enumerate(xs):
        numbers = {Z: sp.Rational(x), **entry.parameters}
        assert abs(float(entry.value.subs(numbers)) - float(y[n].detach())) < 1e-12 * max(1, abs(float(y[n].detach())))
        assert abs(float(slope.subs(numbers)) - float(z.grad[n])) < near * max(1, abs(float(z.grad[n])))


AT_KINKS = ["mse", "squared_error", "bce", "mae", "huber", "smooth_l1", "poisson_nll", "bce_with_logits", "kl"]


@pytest.mark.parametrize("name", AT_KINKS)
def test_losses_are_those_of_pytorch_at_the_kink_too(name: str) -> None:
    oracle = pytest.importorskip("torch_catalogue", exc_type=ImportError)
    entry = LOSSES[name]
    pairs = [(0.25, 0.0), (0.75, 1.0), (0.5, 0.5), (0.125, 0.75)]
    pairs += [] if entry.domain[0] == 0 else [(3.0, 0.5), (-2.5, 0.5), (1.5, 0.5)]
    a = oracle.torch.tensor([p for p, _ in pairs], dtype=oracle.torch.float64, requires_grad=True)
    y = oracle.LOSSES[name](a, oracle.torch.tensor([q for _, q in pairs], dtype=oracle.torch.float64))
    y.sum().backward()
    slope = slope_of(entry, A)
    for n, (p, q) in enumerate(pairs):
        numbers = {A: sp.Rational(p), T: sp.Rational(q), **entry.parameters}
        assert abs(float(entry.value.subs(numbers)) - float(y[n].detach())) < 1e-12
        assert abs(float(slope.subs(numbers)) - float(a.grad[n])) < 1e-12


@pytest.mark.parametrize(
    ("text", "tag", "numbers"),
    [
        ("Logistic", "sigmoid", {}),
        ("linear", "identity", {}),
        ("none", "identity", {}),
        ("swish", "silu", {}),
        ("LeakyReLU", "leaky_relu", {"alpha": "1/100"}),
        ("leaky-relu(0.2)", "leaky_relu", {"alpha": "1/5"}),
        (" leaky_relu ( alpha = .2 ) ", "leaky_relu", {"alpha": "1/5"}),
        ("elu(1.5)", "elu", {"alpha": "3/2"}),
        ("elu(2e-1)", "elu", {"alpha": "1/5"}),
        ("elu(1/3)", "elu", {"alpha": "1/3"}),
        ("elu()", "elu", {"alpha": "1"}),
        ("elu(-0.5)", "elu", {"alpha": "-1/2"}),
        ("g", "g", {}),
        ("F1", "f1", {}),
        ("phi", "phi", {}),
    ],
)
def test_activations_are_found(text: str, tag: str, numbers: dict[str, str]) -> None:
    found, entry, given = find_activation(text)
    assert found == tag
    assert entry is ACTIVATIONS.get(tag, GENERIC)
    assert {symbol.name: str(number) for symbol, number in given.items()} == numbers


@pytest.mark.parametrize("rows", [ACTIVATIONS, LOSSES, PENALTIES], ids=["activations", "losses", "penalties"])
def test_every_name_and_alias_finds_its_row(rows: dict[str, Activation | Loss | Penalty]) -> None:
    for entry in rows.values():
        for name in (entry.name, *entry.aliases, entry.name.upper().replace("_", "-")):
            found = {
                id(ACTIVATIONS): lambda n: find_activation(n)[1],
                id(LOSSES): lambda n: find_loss(n)[0],
                id(PENALTIES): find_penalty,
            }[id(rows)](name)
            assert found is entry


@pytest.mark.parametrize(
    ("find", "text", "message"),
    [
        (find_activation, "tahn", "unknown activation 'tahn'; did you mean 'tanh'?"),
        (find_activation, "elu(1, 2)", "elu takes alpha alone; got '1, 2'"),
        (find_activation, "elu(x)", "'x' is not a number for elu; expected, for example, elu(0.5)"),
        (find_activation, "elu(beta=2)", "unknown parameter of elu 'beta'; expected one of alpha"),
        (find_activation, "tanh(2)", "tanh takes no parameters; got '2'"),
        (find_activation, "g(2)", "g takes no parameters; got '2'"),
        (find_activation, "elu(1e999999999)", "'1e999999999' is not a number for elu; expected, for example, elu(0.5)"),
        (
            find_activation,
            "relu; import os",
            "cannot read the activation 'relu; import os'; expected a name, or a name with numbers: name(0.1)",
        ),
        (find_activation, "", "cannot read the activation ''; expected a name, or a name with numbers: name(0.1)"),
        (find_loss, "msee", "unknown loss 'msee'; did you mean 'mse'?"),
        (find_loss, "huber(0)", "delta of huber is 0; expected a positive number"),
        (find_penalty, "laso", "unknown penalty 'laso'; did you mean 'lasso'?"),
    ],
)
def test_bad_names_get_one_clear_line(find, text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        find(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["nan", "inf", "1/0", "0x10", "1_000", "٣", "1e100", "--1", "1 2", "pi", "1/2/3", ""])
def test_what_is_not_a_plain_number_is_none(text: str) -> None:
    assert read_number(text) is None


def test_no_activation_has_the_letter_of_a_weight():
    """Learned parameters are quantities themselves, each with a layer as weights and biases have it."""
    bases = {str(base.label) for base in vars(quantities).values() if isinstance(base, Base) and base.layered}
    assert {"w", "b", "z", "a"} <= bases
    assert bases.isdisjoint(letter.name for row in ACTIVATIONS.values() for letter in row.parameters)

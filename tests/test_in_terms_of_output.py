"""f′ in terms of the output: put back, it is f′, case by case; wrong forms are refuted; None where none is simpler."""

import time

import pytest
import sympy as sp
from exactly import equal, equal_at_points
from sympy import Expr, Piecewise

from symbackprop.calculus.differentiate import differentiate
from symbackprop.calculus.in_terms_of_output import in_terms_of_output
from symbackprop.catalogue.activations import ACTIVATIONS, ALPHA
from symbackprop.catalogue.entries import A, Z

SOFTSIGN = Z / (1 + sp.Abs(Z))
FORMS: dict[str, tuple[Expr, str]] = {
    "identity": (ACTIVATIONS["identity"].value, "1"),
    "sigmoid": (ACTIVATIONS["sigmoid"].value, "a*(1 - a)"),
    "tanh": (ACTIVATIONS["tanh"].value, "1 - a**2"),
    "relu": (ACTIVATIONS["relu"].value, "Piecewise((1, z > 0), (0, True))"),
    "leaky_relu": (ACTIVATIONS["leaky_relu"].value, "Piecewise((1, z > 0), (alpha, True))"),
    "prelu": (ACTIVATIONS["prelu"].value, "Piecewise((1, z > 0), (alpha, True))"),
    "elu": (ACTIVATIONS["elu"].value, "Piecewise((1, z > 0), (a + alpha, True))"),
    "softplus": (ACTIVATIONS["softplus"].value, "1 - exp(-a*beta)"),
    "silu": (ACTIVATIONS["silu"].value, "a*(-a + z + 1)/z"),
    "exponential": (sp.exp(Z), "a"),
    "softsign": (SOFTSIGN, "Piecewise(((1 - a)**2, z > 0), ((a + 1)**2, True))"),
    "log_sigmoid": (-sp.log(1 + sp.exp(-Z)), "1 - exp(a)"),
    "relu6": (ACTIVATIONS["relu6"].value, "Piecewise((0, z <= 0), (1, z < 6), (0, True))"),
    "rrelu": (ACTIVATIONS["rrelu"].value, "Piecewise((1, z > 0), (lower/2 + upper/2, True))"),
    "selu": (ACTIVATIONS["selu"].value, "Piecewise((scale, z > 0), (a + alpha*scale, True))"),
    "hard_sigmoid": (ACTIVATIONS["hard_sigmoid"].value, "Piecewise((0, z <= -3), (1/6, z < 3), (0, True))"),
    "hard_tanh": (ACTIVATIONS["hard_tanh"].value, "Piecewise((0, low >= z), (1, high > z), (0, True))"),
    "soft_shrink": (
        ACTIVATIONS["soft_shrink"].value,
        "Piecewise((1, kappa < -z), (0, kappa >= z), (1, True))",
    ),
    "hard_shrink": (
        ACTIVATIONS["hard_shrink"].value,
        "Piecewise((1, kappa < -z), (0, kappa >= z), (1, True))",
    ),
    "threshold": (ACTIVATIONS["threshold"].value, "Piecewise((1, theta < z), (0, True))"),
    "scaled_tanh": (ACTIVATIONS["scaled_tanh"].value, "s*(-a + c)*(a + c)/c"),
    "tanh by exp": ((sp.exp(Z) - sp.exp(-Z)) / (sp.exp(Z) + sp.exp(-Z)), "1 - a**2"),
    "swish with a parameter": (Z / (1 + sp.exp(-ALPHA * Z)), "a*(-a*alpha + alpha*z + 1)/z"),
    "softplus of another sharpness": (sp.log(1 + sp.exp(3 * Z)) / 3, "1 - exp(-3*a)"),
    "gaussian": (sp.exp(-(Z**2)), "-2*a*z"),
    "larger of two": (sp.Max(0, Z), "Piecewise((1, z > 0), (0, True))"),
}
NONE_FOUND = {
    "gelu": ACTIVATIONS["gelu"].value,
    "hard_swish": ACTIVATIONS["hard_swish"].value,
    "celu": ACTIVATIONS["celu"].value,  # a/alpha + 1 is no simpler than e^(z/alpha)
    "gelu_tanh": ACTIVATIONS["gelu_tanh"].value,
    "tanh_shrink": ACTIVATIONS["tanh_shrink"].value,
    "squareplus": ACTIVATIONS["squareplus"].value,
    "mish": Z * sp.tanh(sp.log(1 + sp.exp(Z))),
    "sine": sp.sin(Z),
    "square": Z**2,  # the slope 2z has the sign of z, which a = z² does not tell
    "absolute value": sp.Abs(Z),  # its slope 0 at the corner belongs to neither case
}


def is_the_slope(slope: Expr, value: Expr) -> bool:
    """Whether the form, f(z) put in for a, equals the derivative."""
    slope, value = (e.replace(sp.Abs, lambda u: Piecewise((u, u > 0), (-u, True))) for e in (slope, value))
    derivative = differentiate(value, Z)[-1].right
    return equal(sp.piecewise_fold(slope.subs(A, value)), sp.piecewise_fold(derivative))


@pytest.mark.parametrize(("value", "text"), FORMS.values(), ids=FORMS)
def test_the_form_is_the_slope_in_its_textbook_form(value: Expr, text: str) -> None:
    form = in_terms_of_output(value, Z, A)
    assert form is not None
    assert str(form.slope) == text
    assert is_the_slope(form.slope, value)


@pytest.mark.parametrize("name", [n for n, e in ACTIVATIONS.items() if e.value is not None and not e.over_units])
def test_every_activation_of_the_catalogue_has_its_answer(name: str) -> None:
    form = in_terms_of_output(ACTIVATIONS[name].value, Z, A)
    assert (form is None) == (name in NONE_FOUND)
    assert name in {**FORMS, **NONE_FOUND}


@pytest.mark.parametrize("value", NONE_FOUND.values(), ids=NONE_FOUND)
def test_none_where_elimination_finds_nothing_simpler(value: Expr) -> None:
    assert in_terms_of_output(value, Z, A) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("sigmoid", A),
        ("sigmoid", A * (A - 1)),
        ("sigmoid", Z * (1 - Z)),
        ("tanh", 1 - A),
        ("softplus", 1 - sp.exp(A)),
        ("silu", A * (1 + Z + A) / Z),
        ("silu", A / Z),
        ("elu", Piecewise((A + ALPHA, Z > 0), (1, True))),
        ("elu", Piecewise((1, Z > 0), (A, True))),
        ("relu", Piecewise((0, Z > 0), (1, True))),
        ("leaky_relu", Piecewise((1, Z > 0), (1 / ALPHA, True))),
        ("softsign", (1 - A) ** 2),
    ],
)
def test_wrong_forms_are_refuted(name: str, wrong: Expr) -> None:
    assert not is_the_slope(wrong, FORMS[name][0])


@pytest.mark.parametrize("name", [name for name, (value, _) in FORMS.items() if not value.has(sp.Max)])
def test_the_slope_at_the_corner_is_the_formulas(name: str) -> None:
    value = FORMS[name][0]
    form = in_terms_of_output(value, Z, A)
    assert form is not None
    if 0 in form.excluded:
        return
    at_zero = form.slope.subs(A, value).subs(Z, 0)
    assert sp.simplify(at_zero - sp.diff(value, Z).subs(Z, 0)) == 0


def test_z_and_the_point_where_the_form_says_nothing_are_reported() -> None:
    silu, sigmoid, relu = (in_terms_of_output(FORMS[n][0], Z, A) for n in ("silu", "sigmoid", "relu"))
    assert silu is not None and sigmoid is not None and relu is not None
    assert (silu.uses_z, sigmoid.uses_z, relu.uses_z) == (True, False, False)
    assert (silu.excluded, sigmoid.excluded) == ((0,), ())


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu", "elu", "swish with a parameter"])
def test_the_elimination_can_be_followed(name: str) -> None:
    """The relations hold for u, a and d as they are, and the resultant is zero at the slope that was found."""
    value, _ = FORMS[name]
    form = in_terms_of_output(value, Z, A)
    assert form is not None
    *_, case = form.cases
    branch = value.args[-1][0] if isinstance(value, Piecewise) else value
    meaning = case.output_meaning.subs(A, branch)
    put = {form.u: case.generator, form.b: meaning, form.d: sp.diff(branch, Z)}
    for relation in (case.output_relation, case.slope_relation, case.resultant):
        assert equal_at_points(relation.subs(put, simultaneous=True), sp.Integer(0))
    assert not equal_at_points(case.slope_relation.subs(put | {form.d: A}, simultaneous=True), sp.Integer(0))


def test_other_symbols_for_input_and_output() -> None:
    x, y = sp.symbols("x y", real=True)
    form = in_terms_of_output(1 / (1 + sp.exp(-x)), x, y)
    assert form is not None and form.slope == y * (1 - y)


def test_the_catalogue_is_done_fast() -> None:
    values = [e.value for e in ACTIVATIONS.values() if e.value is not None and not e.over_units]
    began = time.perf_counter()
    for value in values:
        in_terms_of_output(value, Z, A)
    assert time.perf_counter() - began < 0.15 * len(values)

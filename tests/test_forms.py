"""The textbook form: always the same value, and the form a person would write."""

import pytest
import sympy as sp
from exactly import equal, equal_at_points
from sympy import Expr

from symbackprop.calculus.forms import reading_cost, starts_with_minus, textbook_form

a, t, z = sp.symbols("a t z", real=True)
e = sp.exp(-z)
FORMS: dict[str, tuple[Expr, str]] = {
    "sigmoid": (-a * (a - 1), "a*(1 - a)"),
    "sigmoid, multiplied out": (a - a**2, "a*(1 - a)"),
    "tanh": (-(a - 1) * (a + 1), "1 - a**2"),
    "cross-entropy": ((1 - t) / (1 - a) - t / a, "(a - t)/(a*(1 - a))"),
    "cross-entropy, turned": (-(a - t) / (a * (a - 1)), "(a - t)/(a*(1 - a))"),
    "twice turned": ((t - a) / (a * (a - 1)), "(a - t)/(a*(1 - a))"),
    "odd power of a turned sum": (a * (a - 1) ** 3, "-a*(1 - a)**3"),
    "even power of a turned sum": (t * (a - 1) ** 2, "t*(1 - a)**2"),
    "negative odd power": (t / (a - 1) ** 3, "-t/(1 - a)**3"),
    "silu": (-a * (a - z - 1) / z, "a*(-a + z + 1)/z"),
    "softplus": ((sp.exp(a) - 1) / sp.exp(a), "1 - exp(-a)"),
    "a fraction of exponentials stays": (e / (1 + e) ** 2, "exp(-z)/(1 + exp(-z))**2"),
    "a number in front of a bracket": (2 * (a - t), "2*(a - t)"),
    "cases": (sp.Piecewise((a - a**2, z > 0), (a + a, True)), "Piecewise((a*(1 - a), z > 0), (2*a, True))"),
}


@pytest.mark.parametrize(("expr", "text"), FORMS.values(), ids=FORMS)
def test_the_form_is_the_textbooks_and_has_the_same_value(expr: Expr, text: str) -> None:
    form = textbook_form(expr)
    assert str(form) == text
    assert equal(form, expr)
    assert textbook_form(form) == form


@pytest.mark.parametrize(
    "wrong", [(a - t) / (a * (a - 1)), (t - a) / (a * (1 - a)), (a - t) / (1 - a), (1 - t) / (1 - a) + t / a]
)
def test_a_turned_sign_is_refuted(wrong: Expr) -> None:
    assert not equal_at_points(textbook_form(FORMS["cross-entropy"][0]), wrong)


def test_what_the_eye_has_to_read() -> None:
    assert reading_cost(a * (1 - a)) < reading_cost(a - a**2)
    assert reading_cost(1 - a**2) < reading_cost((1 - a) * (1 + a))
    assert [starts_with_minus(s) for s in (a - 1, 1 - a, a - t, t - a)] == [True, False, False, True]

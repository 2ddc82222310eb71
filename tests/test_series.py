"""The coefficients in the templates are those that ``series.py`` works out, and the polynomials are near enough."""

import re

import mpmath
import numpy as np
import pytest
import series

from symbackprop.resources import templates

TEMPLATES = templates()


def numbers(text: str) -> list[float]:
    rows = re.findall(r"^ +(-?\d.*),$", text, re.MULTILINE)
    return [float(number) for row in rows for number in row.split(", ")]


@pytest.mark.parametrize(
    ("file", "expected"),
    [("series_normal_tail", series.of_normal_tail), ("series_erf", series.of_erf)],
    ids=["normal_tail", "erf"],
)
def test_templates_hold_the_coefficients(file, expected):
    found = numbers((TEMPLATES / f"{file}.py.jinja").read_text("utf-8"))
    np.testing.assert_allclose(found, expected(), rtol=0, atol=1e-17)


def test_pages_hold_the_same_coefficients():
    page = numbers((TEMPLATES / "gradients.js.jinja").read_text("utf-8"))
    modules = [numbers((TEMPLATES / f"series_{name}.py.jinja").read_text("utf-8")) for name in ("normal_tail", "erf")]
    assert page == [*modules[0], *modules[1]]


@pytest.mark.parametrize(("degree", "near"), [(series.DEGREE, True), (series.DEGREE - 3, False)])
def test_the_polynomial_is_as_near_as_doubles_are(degree, near, monkeypatch):
    monkeypatch.setattr(series, "DEGREE", degree)
    coefficients = series.of_normal_tail()
    off = 0.0
    for x in np.geomspace(1e-3, 40, 60):
        with mpmath.workdps(40):
            ratio = (mpmath.mpf(x) - series.TURN) / (mpmath.mpf(x) + series.TURN)
            exact = series.normal_tail(mpmath.mpf(x))
            off = max(off, abs(float(mpmath.polyval(coefficients, ratio) / exact - 1)))
    assert (off < 1.2e-16) == near

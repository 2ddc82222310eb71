"""The coefficients of the polynomials that emitted modules compute erf and the normal distribution's tail with.

``python tests/series.py`` prints them as the templates hold them. They are worked out to 60 digits and rounded once.
"""

import textwrap

import mpmath
from mpmath import mpf

DEGREE, TURN = 23, mpf("5.5")  # the Chebyshev coefficients beyond add up to less than 3e-17
NODES = 80


def normal_tail(x: mpf) -> mpf:
    """(1 + x) e^(x²/2) (1 - Φ(x)); far out by its asymptotic series."""
    if x > 1000:
        terms = [(-1) ** n * mpmath.fac2(2 * n - 1) / x ** (2 * n) for n in range(8)]
        return (1 + x) * mpmath.fsum(terms) / (x * mpmath.sqrt(2 * mpmath.pi))
    return (1 + x) * mpmath.exp(x * x / 2) * mpmath.erfc(x / mpmath.sqrt(2)) / 2


def of_normal_tail() -> list[float]:
    """(1 + x) e^(x²/2) (1 - Φ(x)) for x ≥ 0 as a polynomial in r = (x - 5.5)/(x + 5.5), the highest power first.

    It is the Chebyshev series in r, cut at ``DEGREE`` and multiplied out.
    """
    with mpmath.workdps(60):
        angles = [mpmath.pi * (2 * n + 1) / (2 * NODES) for n in range(NODES)]
        values = [normal_tail(TURN * (1 + mpmath.cos(angle)) / (1 - mpmath.cos(angle))) for angle in angles]
        powers = [mpf(0)] * (DEGREE + 1)
        for n in range(DEGREE + 1):
            terms = [value * mpmath.cos(n * angle) for value, angle in zip(values, angles, strict=True)]
            weight = (2 if n else 1) * mpmath.fsum(terms) / NODES
            for power, c in enumerate(chebyshev(n)):
                powers[power] += weight * c
        return [float(c) for c in reversed(powers)]


def chebyshev(n: int) -> list[int]:
    """The coefficients of the n-th Chebyshev polynomial, the lowest power first."""
    last, this = [0], [1]
    for k in range(n):
        doubled = [0, *(c if k == 0 else 2 * c for c in this)]
        last, this = this, [c - (last[m] if k and m < len(last) else 0) for m, c in enumerate(doubled)]
    return this


def of_erf() -> list[float]:
    """The Taylor series of erf(z)/z in z², the highest power first, as far as doubles see it at |z| = 1/2."""
    with mpmath.workdps(60):
        terms = [2 * (-1) ** n / mpmath.sqrt(mpmath.pi) / (mpmath.factorial(n) * (2 * n + 1)) for n in range(13)]
        return [float(c) for c in reversed(terms)]


if __name__ == "__main__":
    for coefficients in (of_normal_tail(), of_erf()):
        print("\n".join(textwrap.wrap(", ".join(map(repr, coefficients)) + ",", 116)), end="\n\n")

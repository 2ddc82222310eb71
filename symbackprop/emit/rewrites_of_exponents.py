"""Rewrites of exponentials whose exponent is rounded: an error of one unit there is hundreds in e^-700.

An exponent is cut in two, at a number v with few binary places near the argument u: what stands in v is computed
without rounding, the rest is small. The identities hold for any v.
"""

from __future__ import annotations

import sympy as sp
from sympy import Abs, Add, Expr, Integer, Max, Min, Mul, Poly, Rational, Symbol

from symbackprop.emit.functions import Erfc, Exp, Round, ScaledErfc, Sigmoid

# By the exponent's degree: the binary places of v and of the coefficients, and how far from 0 v goes. Powers of v times
# coefficients then fit into doubles, up to the second degree into single precision. Farther out e^-u² is 0 anyway.
PLACES = {1: (4, 12, 2048), 2: (8, 12, 64), 3: (8, 16, 64)}
POWER = Symbol("_x", positive=True)  # e^z while a fraction is rearranged
LEAST = Integer(-708)  # e^u has all its digits above


def split_exponent(expr: Expr) -> Expr:
    """The power e^f(u) = e^h(v) e^(f(u) - h(v)) for any v, where h is f with rounded coefficients.

    What h(v) has below ``LEAST`` goes to the second factor: only the product is a number that has lost digits.
    """
    if not isinstance(expr, sp.exp) or (found := _polynomial(expr.args[0])) is None:
        return expr
    return _cut(*found)


def _cut(u: Expr, coefficients: dict[int, Expr]) -> Expr:
    """The exponential of the polynomial in ``u`` with the ``coefficients`` by powers, cut in two."""
    places, digits, bound = PLACES[max(coefficients)]
    v = _with_places(_within(u, Integer(bound)), places)
    heads = {power: _rounded(c, digits) for power, c in coefficients.items()}
    head = Add(*(h * v**power for power, h in heads.items()))
    off = Add(*((c - heads[power]) * v**power for power, c in coefficients.items()))
    rest = off + Add(*(_step(c, power, u, v) for power, c in coefficients.items()))
    below = Min(head - LEAST, Integer(0), evaluate=False)
    return Exp(Max(head, LEAST, evaluate=False)) * Exp(rest + below)


def _step(c: Expr, power: int, u: Expr, v: Expr) -> Expr:
    """The product c (u^n - v^n), the difference taken first."""
    return c * (u - v) * Add(*(u**k * v ** (power - 1 - k) for k in range(power)))


def _polynomial(exponent: Expr) -> tuple[Expr, dict[int, Expr]] | None:
    """The u and the coefficients by powers of u, where ``exponent`` is a polynomial in u that gets rounded."""
    arrays = {symbol for symbol in exponent.free_symbols if not symbol.is_positive}
    if len(arrays) != 1:
        return None
    (z,) = arrays
    u = next((f for f in exponent.atoms(Abs, Min, Max) if z in f.free_symbols), z)
    hidden = Symbol("_h", real=True)
    plain = exponent.xreplace({u: hidden})
    if z in plain.free_symbols or not plain.is_polynomial(hidden) or u.has(Round):
        return None
    powers = {power: c for (power,), c in Poly(plain, hidden).terms()}
    exact = powers.keys() == {1} and _is_dyadic(powers[1])
    if 0 in powers or max(powers) not in PLACES or exact or any(sp.denom(c).free_symbols for c in powers.values()):
        return None
    return u, powers


def _is_dyadic(c: Expr) -> bool:
    """Whether a product with ``c`` is exact: a power of 2."""
    return bool(c.is_Rational and abs(c.p * c.q).bit_count() == 1)


def _within(u: Expr, bound: Expr) -> Expr:
    """``u`` cut off at ±``bound``, where it goes so far."""
    below = u if u.is_nonpositive or isinstance(u, Min) else Min(u, bound, evaluate=False)
    return below if u.is_nonnegative or isinstance(u, Abs | Max) else Max(below, -bound, evaluate=False)


def _with_places(u: Expr, places: int) -> Expr:
    """The nearest number with so many binary places."""
    return Round(2**places * u) / 2**places


def _rounded(c: Expr, places: int) -> Expr:
    """A coefficient with so many binary places; the numbers in it rounded now, what has a name when it is known."""
    number, named = c.as_independent(*c.free_symbols, as_Add=False)
    if named == 1:
        return Rational(round(number * 2**places), 2**places)
    return number * _with_places(named, places) if _is_dyadic(abs(number)) else c


def sigmoid_product(expr: Expr) -> Expr:
    """The product σ(u) σ(-u) = e^-|u| / (1 + e^-|u|)²: one exponential."""
    if not isinstance(expr, Mul):
        return expr
    powers = {base.args[0]: exponent for base, exponent in expr.as_powers_dict().items() if isinstance(base, Sigmoid)}
    for u, m in powers.items():
        n = powers.get(-u)
        if n is not None and m.is_Integer and n.is_Integer and min(m, n) > 0 and not u.could_extract_minus_sign():
            small = exp_of_size(u)
            return expr / (Sigmoid(u) * Sigmoid(-u)) ** min(m, n) * (small / (1 + small) ** 2) ** min(m, n)
    return expr


def sigmoid_without_overflow(expr: Expr) -> Expr:
    """σ(u) = e^min(u, 0) / (1 + e^-|u|): no exponent is positive."""
    if isinstance(expr, Sigmoid):
        u = expr.args[0]
        return split_exponent(sp.exp(_negative_part(u))) / (1 + sp.exp(-Abs(u)))
    return expr


def _odd(u: Expr) -> tuple[Symbol, dict[int, Expr], bool] | None:
    """The z in which ``u`` is an odd polynomial and rises, or falls, everywhere; the coefficients, whether it rises."""
    if (found := _polynomial(u)) is None or not isinstance(found[0], Symbol):
        return None
    z, powers = found
    signs = {c.is_positive for c in powers.values()}
    odd = all(power % 2 and c.is_nonzero for power, c in powers.items())
    return (z, powers, signs == {True}) if odd and len(signs) == 1 else None


def _negative_part(u: Expr) -> Expr:
    """The lesser of u and 0: of an odd polynomial, as the polynomial of the lesser (or greater) of z and 0."""
    if (found := _odd(u)) is None:
        return Min(u, Integer(0), evaluate=False)
    z, _, rises = found
    return u.xreplace({z: (Min if rises else Max)(z, Integer(0), evaluate=False)})


def exp_of_size(u: Expr) -> Expr:
    """e^-|u|: of an odd polynomial, as that of the polynomial of |z|."""
    if (found := _odd(u)) is None:
        return sp.exp(-Abs(u))
    z, powers, rises = found
    return _cut(Abs(z), {power: -c if rises else c for power, c in powers.items()})


def scaled_erfc(expr: Expr) -> Expr:
    """The complement of erf: erfc(u) = 1 - sign u + sign u · E(|u|) e^(-u²), where E(x) = e^(x²) erfc(x) is moderate.

    In a product with v, for u = k v: v (1 - sign v) is 2 min(v, 0), and v sign v is |v|.
    """
    if not isinstance(expr, Mul | Erfc):
        return expr
    for function in Mul.make_args(expr):
        if not isinstance(function, Erfc):
            continue
        k, v = function.args[0].as_independent(*function.args[0].free_symbols, as_Add=False)
        if not (k.is_number and isinstance(v, Symbol)):
            k, v = Integer(1), function.args[0]
        rest = expr / function
        size = ScaledErfc(abs(k) * Abs(v)) * split_exponent(sp.exp(-(k**2) * v**2))
        sign = sp.sign(k)
        if v in Mul.make_args(rest):
            part = (Max if k < 0 else Min)(v, Integer(0), evaluate=False)
            return rest / v * (2 * part + sign * Abs(v) * size)
        return rest * Abs(1 - sign * sp.sign(v)) + rest * sign * sp.sign(v) * size
    return expr


def common_exponential(expr: Expr) -> Expr:
    """The sum e^u f + e^u g = e^u (f + g): terms that cancel do so before they are rounded as products."""
    if not isinstance(expr, Add):
        return expr
    groups: dict[Expr, list[Expr]] = {}
    for term in expr.args:
        powers = Mul(*(factor for factor in Mul.make_args(term) if isinstance(factor, Exp)))
        groups.setdefault(powers, []).append(term / powers)
    return Add(*(Mul(powers, Add(*terms)) if powers != 1 else Add(*terms) for powers, terms in groups.items()))


def exponential_fraction(expr: Expr) -> Expr:
    """A fraction N(e^z)/D(e^z) is N(m, M)/D(m, M), both homogeneous, with m = e^min(z, 0) and M = e^-max(z, 0).

    So where z stands beside e^z in a factor of N: such a factor may cancel, and does so among numbers hardly rounded.
    No exponent is positive. The fraction tanh(log(1 + e^z)) = ((1 + e^z)² - 1)/((1 + e^z)² + 1) is one, too.
    """
    exponents = {power.args[0] for power in expr.atoms(sp.exp)}
    symbols = expr.free_symbols
    if not isinstance(expr, Add | Mul) or len(symbols) != 1 or not exponents:
        return expr
    (z,) = symbols
    if not all((exponent / z).is_Integer for exponent in exponents):
        return expr
    one = 1 + sp.exp(z)
    plain = expr.xreplace({sp.tanh(sp.log(one)): (one**2 - 1) / (one**2 + 1)})
    plain = plain.replace(lambda e: isinstance(e, sp.exp), lambda e: POWER ** (e.args[0] / z))
    if not plain.is_rational_function(POWER, z):
        return expr
    above, below = (sp.factor_list(part, POWER) for part in sp.fraction(sp.cancel(sp.together(plain))))
    mixed = any({POWER, z} <= factor.free_symbols for factor, _ in above[1])
    lack = sum(sp.degree(f, POWER) * n for f, n in below[1]) - sum(sp.degree(f, POWER) * n for f, n in above[1])
    if not mixed or lack < 0 or z in Mul(*(factor for factor, _ in below[1])).free_symbols:
        return expr
    top, bottom = (Mul(*(_homogeneous(f, z) ** n for f, n in part[1])) for part in (above, below))
    return above[0] / below[0] * Exp(-Max(z, Integer(0), evaluate=False)) ** lack * top / bottom


def _homogeneous(factor: Expr, z: Symbol) -> Expr:
    """A polynomial in e^z times M^n, n its degree, by Horner's scheme in m."""
    small, other = Exp(Min(z, Integer(0), evaluate=False)), Exp(-Max(z, Integer(0), evaluate=False))
    value: Expr = Integer(0)
    for power, c in enumerate(Poly(factor, POWER).all_coeffs()):
        value = value * small + sp.factor(c) * other**power
    return value

"""Named rewrites: the same value in a form that neither overflows nor cancels in floating point.

Formulas are SymPy expressions in real symbols. ``stable_form`` applies the rewrites in order; each states an identity
that holds wherever both sides are defined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from sympy import Abs, Add, Expr, Integer, Max, Min, Mul, Piecewise, Pow, Symbol
from sympy.codegen.cfunctions import expm1, log1p

S, C = Symbol("_s", positive=True), Symbol("_c", positive=True)  # σ(u) and 1 - σ(u) while a fraction is rearranged


class RowFunction(sp.Function):
    """A function of a whole row of entries, the units of one example."""

    nargs = 1

    def _eval_is_extended_real(self) -> bool:
        return True


class RowSum(RowFunction):
    """The sum of the row's entries."""

    def _eval_is_positive(self) -> bool | None:
        return self.args[0].is_positive


class EntrySum(sp.Function):
    """The sum of all entries of an array."""

    nargs = 1


class Shifted(RowFunction):
    """The entry minus the greatest entry of its row."""

    nargs = 1


class Near(sp.Function):
    """The number with half of the digits that is nearest: its square is exact."""

    nargs = 1

    def _eval_is_extended_real(self) -> bool:
        return True


class Sigmoid(sp.Function):
    """1/(1 + e^-u), by name until it gets the form that does not overflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True


class Erfc(sp.Function):
    """1 - erf(u); SymPy's own erfc turns erfc(-u) into 2 - erfc(u), which loses digits."""

    nargs = 1


class Softplus(sp.Function):
    """log(1 + e^u), by name until it gets the form that does not overflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True


@dataclass(frozen=True)
class Rewrite:
    """A named identity: ``apply`` returns the node rewritten, or the node itself where the pattern is absent.

    ``whole_first`` rewrites start with the largest expression, the others with the smallest.
    """

    name: str
    statement: str
    apply: Callable[[Expr], Expr]
    whole_first: bool = False

    def __call__(self, expr: Expr) -> Expr:
        """``expr`` with the rewrite applied everywhere."""
        if self.whole_first and (new := self.apply(expr)) != expr:
            return new
        if not expr.args or isinstance(expr, sp.Indexed):
            return expr
        args = tuple(map(self, expr.args))
        new = expr if args == expr.args else expr.func(*args)
        return new if self.whole_first else self.apply(new)


def sigmoid_fraction(expr: Expr) -> Expr:
    """A fraction over powers of 1 + e^±u is a polynomial in s = σ(u) and 1 - s = σ(-u), for e^-u = (1 - s)/s."""
    if not isinstance(expr, Mul | Add | Pow):
        return expr
    for u in _one_plus_exps(expr):
        swapped, other = _in_sigmoid(expr, u)
        if not swapped.has(S):
            continue
        form = sp.factor(sp.cancel(sp.together(swapped)))
        if not (sp.denom(form).has(S) or (expr.is_Add and form.is_Add)):
            sign, factors = 1, []
            for factor in map(_with_complement, Mul.make_args(form)):
                turned = factor.could_extract_minus_sign() and (factor.is_Add or factor == -C)
                sign, factor = (-sign, -factor) if turned else (sign, factor)
                factors.append(factor)
            return Mul(sign, *factors).xreplace({C: Sigmoid(-u), S: Sigmoid(u)}) * other
    return expr


def _in_sigmoid(expr: Expr, u: Expr) -> tuple[Expr, Expr]:
    """The factors of ``expr`` that are rational in s = σ(u), written in s, and those that are not, as they are."""

    def swapped(factor: Expr) -> Expr:
        return factor.replace(lambda e: _is_exp_of(e, u), lambda e: ((1 - S) / S) ** (-e.args[0] / u))

    factors = {factor: swapped(factor) for factor in (Mul.make_args(expr) if expr.is_Mul else (expr,))}
    inside = [form for form in factors.values() if form.is_rational_function(S)]
    return Mul(*inside), Mul(*(factor for factor, form in factors.items() if form not in inside))


def _with_complement(factor: Expr) -> Expr:
    """A factor that is linear in s, if that is shorter, in c = 1 - s: f₀ + f₁ s = (f₀ + f₁) - f₁ c."""
    base, exponent = factor.as_base_exp()
    line = sp.Poly(base, S) if base.has(S) else None
    if line is None or line.degree() != 1:
        return factor
    first, zeroth = line.all_coeffs()
    other = sp.expand(zeroth + first) - first * C
    return other**exponent if _length(other) < _length(base) else factor


def _length(expr: Expr) -> int:
    return int(sp.count_ops(-expr if expr.could_extract_minus_sign() else expr))


def _is_exp_of(expr: Expr, u: Expr) -> bool:
    return isinstance(expr, sp.exp) and bool((expr.args[0] / u).is_Integer)


def _one_plus_exps(expr: Expr) -> list[Expr]:
    """The u, with a plus in front, of every (1 + e^±u)^-n in ``expr``, where nothing else in ``expr`` is cut in two."""
    found = set()
    for power in expr.atoms(Pow):
        one, rest = power.base.as_coeff_Add()
        if power.exp.is_Integer and power.exp < 0 and one == 1 and isinstance(rest, sp.exp):
            u = rest.args[0]
            found.add(-u if u.could_extract_minus_sign() else u)
    return sorted(found, key=sp.default_sort_key)


def sigmoid_complement(expr: Expr) -> Expr:
    """1 - σ(u) = σ(-u)."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        one, rest = expr.as_coeff_Add()
        if one == 1 and isinstance(-rest, Sigmoid):
            return Sigmoid(-(-rest).args[0])
    return expr


def log_of_parts(expr: Expr) -> Expr:
    """log(u v) = log u + log v, log u^n = n log u and log e^u = u, for positive u and v; log σ(u) = -softplus(-u)."""
    if not isinstance(expr, sp.log):
        return expr
    inside = expr.args[0]
    if isinstance(inside, Sigmoid):
        return -Softplus(-inside.args[0])
    if isinstance(inside, sp.exp) and inside.args[0].is_extended_real:
        return inside.args[0]
    if isinstance(inside, Mul) and all(factor.is_positive for factor in inside.args):
        return Add(*(log_of_parts(sp.log(factor)) for factor in inside.args))
    if isinstance(inside, Pow) and inside.base.is_positive and inside.exp.is_extended_real:
        return inside.exp * log_of_parts(sp.log(inside.base))
    return expr


def softplus(expr: Expr) -> Expr:
    """The logarithm of 1 + e^u has a name, softplus."""
    if isinstance(expr, sp.log | log1p):
        inside = expr.args[0] if isinstance(expr, sp.log) else 1 + expr.args[0]
        one, rest = inside.as_coeff_Add()
        if one == 1 and isinstance(rest, sp.exp):
            return Softplus(rest.args[0])
    return expr


def softmax_shift(expr: Expr) -> Expr:
    """e^u / Σ e^u is the same with every u of the row less by the row's maximum."""
    if isinstance(expr, Mul):
        for factor in expr.args:
            u = _exponent_of_row_sum(factor.base) if isinstance(factor, Pow) and factor.exp == -1 else None
            if u is not None and sp.exp(u) in expr.args:
                shifted = sp.exp(Shifted(u))
                return expr / sp.exp(u) / factor * shifted / RowSum(shifted)
    return expr


def log_softmax(expr: Expr) -> Expr:
    """The difference u - log Σ e^u is s - log Σ e^s, with s = u less the row's maximum."""
    if isinstance(expr, Add):
        for term in expr.args:
            sign, log = (-1, -term) if term.could_extract_minus_sign() else (1, term)
            u = _exponent_of_row_sum(log.args[0]) if isinstance(log, sp.log) else None
            if u is not None and -sign * u in expr.args:
                shifted = Shifted(u)
                return expr + sign * u - term - sign * (shifted - sp.log(RowSum(sp.exp(shifted))))
    return expr


def _exponent_of_row_sum(expr: Expr) -> Expr | None:
    """The u of which ``expr`` is Σ e^u over the row."""
    if isinstance(expr, RowSum) and isinstance(expr.args[0], sp.exp) and not expr.has(Shifted):
        return expr.args[0].args[0]
    return None


def exp_minus_one(expr: Expr) -> Expr:
    """e^u - 1 = expm1(u), without the loss of digits near u = 0; 1 - e^u is its negative."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        one, rest = expr.as_coeff_Add()
        if one == -1 and isinstance(rest, sp.exp):
            return expm1(rest.args[0])
        if one == 1 and isinstance(-rest, sp.exp):
            return -expm1((-rest).args[0])
    return expr


def log_one_plus(expr: Expr) -> Expr:
    """log(1 + u) = log1p(u), without the loss of digits near u = 0."""
    if isinstance(expr, sp.log) and isinstance(expr.args[0], Add):
        one, rest = expr.args[0].as_coeff_Add()
        if one == 1:
            return log1p(rest)
    return expr


def split_square(expr: Expr) -> Expr:
    """The power e^(c u²) is e^(c v²) e^(c (u - v)(u + v)) for any v; with half the digits its square is exact."""
    if isinstance(expr, sp.exp):
        c, square = expr.args[0].as_coeff_Mul()
        if c.is_negative and isinstance(square, Pow) and square.exp == 2 and isinstance(square.base, Symbol):
            u, v = square.base, Near(square.base)
            return Mul(sp.exp(c * v**2), sp.exp(c * (u - v) * (u + v)), evaluate=False)
    return expr


def erf_complement(expr: Expr) -> Expr:
    """1 + erf(u) = erfc(-u), without the loss of digits where erf(u) is near -1."""
    if isinstance(expr, Add):
        one, rest = expr.as_coeff_Add()
        for term in Add.make_args(rest):
            coefficient, function = term.as_coeff_Mul()
            if isinstance(function, sp.erf) and abs(coefficient) == one:
                return rest - term + one * Erfc(-sp.sign(coefficient) * function.args[0])
    return expr


def tanh_complement(expr: Expr) -> Expr:
    """1 + tanh u = 2 σ(2u) and 1 - tanh² u = 4 σ(2u) σ(-2u), without the loss of digits where tanh u is near ±1."""
    if isinstance(expr, Add):
        one, rest = expr.as_coeff_Add()
        for term in Add.make_args(rest):
            coefficient, function = term.as_coeff_Mul()
            if one > 0 and isinstance(function, sp.tanh) and abs(coefficient) == one:
                return rest - term + 2 * one * Sigmoid(2 * sp.sign(coefficient) * function.args[0])
            base, exponent = function.as_base_exp()
            if one > 0 and coefficient == -one and isinstance(base, sp.tanh) and exponent == 2:
                u = base.args[0]
                return rest - term + 4 * one * Sigmoid(2 * u) * Sigmoid(-2 * u)
    return expr


def tanh_of_fraction(expr: Expr) -> Expr:
    """The fraction sinh u / cosh u is tanh u, which does not overflow."""
    if isinstance(expr, Mul):
        for factor in expr.args:
            if isinstance(factor, sp.sinh) and 1 / sp.cosh(factor.args[0]) in expr.args:
                u = factor.args[0]
                return expr / factor * sp.cosh(u) * sp.tanh(u)
    return expr


def log_cosh(expr: Expr) -> Expr:
    """The logarithm of cosh u is log1p(2 sinh²(u/2)) where |u| < 1, otherwise |u| + log1p(e^(-2|u|)) - log 2."""
    if isinstance(expr, sp.log) and isinstance(expr.args[0], sp.cosh):
        u = expr.args[0].args[0]
        near = sp.sinh(Min(Abs(u), Integer(1), evaluate=False) / 2)
        return Piecewise((log1p(2 * near**2), Abs(u) < 1), (Abs(u) + log1p(sp.exp(-2 * Abs(u))) - sp.log(2), True))
    return expr


def root_sum(expr: Expr) -> Expr:
    """The sum u + √(u² + c) = c/(√(u² + c) - u) where u < 0, without the loss of digits there; c is positive."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        for root, u in (expr.args, expr.args[::-1]):
            coefficient, power = root.as_coeff_Mul()
            if isinstance(power, Pow) and power.exp == sp.Rational(1, 2) and coefficient > 0:
                u = u / coefficient
                c = sp.expand(power.base - u**2)
                if c.is_positive and c.is_Atom:
                    below = c / (power - Min(u, Integer(0), evaluate=False))
                    return coefficient * Piecewise((u + power, u > 0), (below, True))
    return expr


def root_fraction(expr: Expr) -> Expr:
    """1 + u/√(u² + c) = (u + √(u² + c))/√(u² + c), without the loss of digits where u is far below 0."""
    if isinstance(expr, Add) and len(expr.args) == 2:
        one, rest = expr.as_coeff_Add()
        for power in Mul.make_args(rest):
            if one > 0 and isinstance(power, Pow) and power.exp == -sp.Rational(1, 2):
                u, root = rest / power / one, 1 / power
                whole = root_sum(u + root)
                if whole != u + root:
                    return one * whole / root
    return expr


def greater_of_two(expr: Expr) -> Expr:
    """The case u where u > c, otherwise c, is max(u, c)."""
    if isinstance(expr, Piecewise) and len(expr.args) == 2:
        (value, where), (other, _) = expr.args
        if isinstance(where, sp.StrictGreaterThan | sp.GreaterThan) and where.args == (value, other):
            return Max(value, other, evaluate=False)
    return expr


def branch_clip(expr: Expr) -> Expr:
    """Where a case holds only for u ≤ c, f(u) = f(min(u, c)) there: the branch not taken cannot overflow."""
    if not isinstance(expr, Piecewise):
        return expr
    earlier: list[sp.Basic] = []
    cases = []
    for value, where in expr.args:
        bounds = [where, *map(sp.Not, earlier)]
        cases.append((_clipped(value, bounds) if value.has(sp.exp, expm1, sp.cosh, sp.sinh) else value, where))
        earlier.append(where)
    return Piecewise(*cases)


def branch_logarithm(expr: Expr) -> Expr:
    """Where a case holds only for u > 0, log u = log max(u, 2^-149) there, down to single precision's least number."""
    if not isinstance(expr, Piecewise):
        return expr
    value, where = expr.args[0]
    if isinstance(where, sp.StrictGreaterThan) and where.rhs == 0 and value.has(sp.log(where.lhs)):
        least = sp.log(Max(where.lhs, sp.Rational(1, 2**149), evaluate=False))
        return Piecewise((value.xreplace({sp.log(where.lhs): least}), where), *expr.args[1:])
    return expr


def _clipped(value: Expr, bounds: list[sp.Basic]) -> Expr:
    for test in bounds:
        if isinstance(test, sp.StrictLessThan | sp.LessThan | sp.StrictGreaterThan | sp.GreaterThan):
            u, c = test.args
            if isinstance(u, Symbol) and not c.free_symbols & {u}:
                clip = Min if isinstance(test, sp.StrictLessThan | sp.LessThan) else Max
                return value.xreplace({u: clip(u, c, evaluate=False)})
    return value


def sigmoid_without_overflow(expr: Expr) -> Expr:
    """σ(u) = e^min(u, 0) / (1 + e^-|u|): no exponent is positive."""
    if isinstance(expr, Sigmoid):
        u = expr.args[0]
        return sp.exp(Min(u, Integer(0), evaluate=False)) / (1 + sp.exp(-Abs(u)))
    return expr


def softplus_without_overflow(expr: Expr) -> Expr:
    """log(1 + e^u) = max(u, 0) + log(1 + e^-|u|): no exponent is positive."""
    if isinstance(expr, Softplus):
        u = expr.args[0]
        return Max(u, Integer(0), evaluate=False) + log1p(sp.exp(-Abs(u)))
    return expr


REWRITES: tuple[Rewrite, ...] = (
    Rewrite("sigmoid_fraction", "e^-u = (1 - s)/s with s = 1/(1 + e^-u)", sigmoid_fraction, whole_first=True),
    Rewrite("sigmoid_complement", "1 - σ(u) = σ(-u)", sigmoid_complement),
    Rewrite("softplus", "log(1 + e^u) = softplus(u)", softplus),
    Rewrite("log_of_parts", "log(u v) = log u + log v, log e^u = u, log σ(u) = -softplus(-u)", log_of_parts),
    Rewrite("log_softmax", "u - log Σ e^u = s - log Σ e^s, s = u - max u", log_softmax),
    Rewrite("softmax_shift", "e^u / Σ e^u = e^s / Σ e^s, s = u - max u", softmax_shift),
    Rewrite("erf_complement", "1 + erf(u) = erfc(-u)", erf_complement),
    Rewrite("tanh_of_fraction", "sinh u / cosh u = tanh u", tanh_of_fraction),
    Rewrite("tanh_complement", "1 + tanh u = 2 σ(2u), 1 - tanh² u = 4 σ(2u) σ(-2u)", tanh_complement),
    Rewrite("log_cosh", "log cosh u = log1p(2 sinh²(u/2)) = |u| + log1p(e^(-2|u|)) - log 2", log_cosh),
    Rewrite("root_sum", "u + √(u² + c) = c/(√(u² + c) - u)", root_sum),
    Rewrite("root_fraction", "1 + u/√(u² + c) = (u + √(u² + c))/√(u² + c)", root_fraction),
    Rewrite("exp_minus_one", "e^u - 1 = expm1(u)", exp_minus_one),
    Rewrite("log_one_plus", "log(1 + u) = log1p(u)", log_one_plus),
    Rewrite("greater_of_two", "u where u > c, otherwise c, is max(u, c)", greater_of_two),
    Rewrite("split_square", "e^(c u²) = e^(c v²) e^(c (u - v)(u + v))", split_square),
    Rewrite("branch_logarithm", "log u = log max(u, 2^-149) where u > 0", branch_logarithm),
    Rewrite("branch_clip", "f(u) = f(min(u, c)) where u ≤ c", branch_clip),
)
# These come last and one function at a time, so that a function that occurs twice is recognised as the same.
WITHOUT_OVERFLOW: tuple[Rewrite, ...] = (
    Rewrite("sigmoid_without_overflow", "σ(u) = e^min(u,0) / (1 + e^-|u|)", sigmoid_without_overflow),
    Rewrite("softplus_without_overflow", "softplus(u) = max(u, 0) + log1p(e^-|u|)", softplus_without_overflow),
)


@lru_cache(maxsize=1024)
def stable_form(expr: Expr) -> Expr:
    """``expr`` after every rewrite, in the order of ``REWRITES``; ``Sigmoid`` and ``Softplus`` are left by name.

    >>> z = Symbol("z", real=True)
    >>> stable_form(sp.log(1 / (1 + sp.exp(-z))))
    -Softplus(-z)
    """
    for rewrite in REWRITES:
        expr = rewrite(expr)
    return expr


def without_overflow(expr: Expr) -> Expr:
    """A ``Sigmoid`` or ``Softplus`` as the form that is computed; anything else as it is.

    >>> without_overflow(Softplus(Symbol("z", real=True)))
    log1p(exp(-Abs(z))) + Max(0, z)
    """
    for rewrite in WITHOUT_OVERFLOW:
        expr = rewrite.apply(expr)
    return expr

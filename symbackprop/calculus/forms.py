"""Of several ways to write one value, the one a textbook would print: ``a(1 - a)``, never ``-a(a - 1)``.

SymPy rearranges the fractions, leaving functions such as ``e^-z`` alone; a measure of what the eye reads picks one.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from sympy import Add, Expr, Mul, Piecewise, Pow, Symbol


def textbook_form(expr: Expr) -> Expr:
    """The same value in the form that is easiest to read, case by case where there are cases.

    >>> a, t = sp.symbols("a t", real=True)
    >>> textbook_form((1 - t) / (1 - a) - t / a)
    (a - t)/(a*(1 - a))
    >>> textbook_form(-a * (a - 1))
    a*(1 - a)
    """
    if isinstance(expr, Piecewise):
        return Piecewise(*((textbook_form(value), where) for value, where in expr.args))
    return min(_forms(expr), key=lambda form: (reading_cost(form), sp.default_sort_key(form)))


def reading_cost(expr: Expr) -> float:
    """What the eye has to read: symbols, numbers and signs of operation; powers count double.

    A sum that starts with a minus (``a - 1`` counts as ``-1 + a``, for the constant is read first; otherwise the first
    symbol by name leads) and a product with a minus in front cost one more, a sum of minuses alone half of one more.
    """
    if isinstance(expr, Add):
        terms = [_without_sign(term) for term in expr.args]
        minus = (1 if starts_with_minus(expr) else 0) + all(term.could_extract_minus_sign() for term in expr.args) / 2
        return sum(map(reading_cost, terms)) + len(terms) - 1 + minus
    if isinstance(expr, Mul):
        positive = _without_sign(expr)
        sign = 0 if positive == expr else 1
        factors = Mul.make_args(positive)
        return sum(map(reading_cost, factors)) + len(factors) - 1 + sign
    if isinstance(expr, Pow):
        return reading_cost(expr.base) + (1 if expr.exp == -1 else 2 + reading_cost(expr.exp))
    if isinstance(expr, sp.Rational):
        return 1 if expr.is_Integer else 2
    if not expr.args or isinstance(expr, sp.Indexed):
        return 1
    return 1 + sum(reading_cost(arg) for arg in expr.args if isinstance(arg, Expr))


def starts_with_minus(total: Add) -> bool:
    """Whether the term that is read first, the constant or else the one whose symbols come first, is negative.

    >>> a = Symbol("a")
    >>> starts_with_minus(a - 1), starts_with_minus(1 - a)
    (True, False)
    """
    constant, _ = total.as_coeff_Add()
    first = constant or min(total.args, key=lambda term: (sorted(map(str, term.free_symbols)), str(term)))
    return bool(first.could_extract_minus_sign())


def _without_sign(term: Expr) -> Expr:
    coefficient, rest = term.as_coeff_Mul()
    return -coefficient * rest if coefficient.is_negative else term


def _forms(expr: Expr) -> Iterator[Expr]:
    yield expr
    if expr.has(sp.sign):
        yield from _without_signs(expr)
    plain, functions = _as_rational(expr)
    if not plain.is_rational_function():
        return
    whole = sp.together(plain)
    for form in (whole, sp.factor(plain), sp.cancel(plain), sp.expand(plain), sp.expand(sp.cancel(plain))):
        for oriented in _orientations(form):
            yield oriented.xreplace(functions)


def _without_signs(expr: Expr) -> Iterator[Expr]:
    """The product u sign(u) = |u|: with |u|/u for each sign(u), where every such u then cancels."""
    sizes = {sp.Abs(sign.args[0]): sp.Dummy(positive=True) for sign in sorted(expr.atoms(sp.sign), key=str)}
    fractions = {sp.sign(size.args[0]): symbol / size.args[0] for size, symbol in sizes.items()}
    plain = expr.xreplace(sizes).xreplace(fractions)
    if plain.is_rational_function():
        form = sp.factor(sp.cancel(sp.together(plain)))
        if not any(sp.denom(form).has(*size.args[0].free_symbols) for size in sizes):
            yield form.xreplace({symbol: size for size, symbol in sizes.items()})


def _as_rational(expr: Expr) -> tuple[Expr, dict[Expr, Expr]]:
    """``expr`` with each function, root and entry in it replaced by a symbol, and the way back."""
    atoms = sorted(expr.atoms(sp.Function, sp.Indexed, Piecewise, sp.Sum) | _roots(expr), key=sp.default_sort_key)
    outermost = [atom for atom in atoms if not any(atom != other and other.has(atom) for other in atoms)]
    names = {atom: Symbol(f"_{n:03}") for n, atom in enumerate(outermost)}
    return expr.xreplace(names), {symbol: atom for atom, symbol in names.items()}


def _roots(expr: Expr) -> set[Expr]:
    return {power for power in expr.atoms(Pow) if not power.exp.is_Integer}


def _orientations(form: Expr) -> Iterator[Expr]:
    """Products whose sums start with no minus; a minus left over may go into one sum above the line."""
    numerator: list[Expr] = []
    rest: list[Expr] = []
    sign = 1
    for factor in Mul.make_args(form):
        base, exponent = factor.as_base_exp()
        if isinstance(base, Add) and exponent.is_Integer and starts_with_minus(base):
            sign, base = sign * (-1) ** int(exponent % 2), -base
        (numerator if exponent == 1 and isinstance(base, Add) else rest).append(base**exponent)
    yield form
    yield Mul(sign, *rest, *numerator)
    if Mul(sign, *rest).could_extract_minus_sign():
        for n, factor in enumerate(numerator):
            yield Mul(-sign, *rest, *numerator[:n], -factor, *numerator[n + 1 :])

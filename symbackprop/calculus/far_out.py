"""Where a formula tends to at ±∞: node by node, and by SymPy only where that is indeterminate and simple."""

from __future__ import annotations

import mpmath
import sympy as sp
from sympy import Add, Expr, Mul, Piecewise, Pow, Symbol

from symbackprop.calculus.bounds import near

FAR = sp.Integer(10**6)
CORNERS = (sp.Abs, sp.Max, sp.Min, Piecewise)
CONTINUOUS = (sp.exp, sp.log, sp.tanh, sp.sinh, sp.erf, sp.atan)  # at ±∞ too, and SymPy knows their values there
SAME = 1e-3  # how near to its limit a function must be far out
MAX_DEGREE = 4


def limit(expr: Expr, by: Symbol, end: Expr) -> Expr | None:
    """The limit of ``expr`` in ``by`` at ``end`` (±∞), exact; None where it is not found.

    >>> z = Symbol("z", real=True)
    >>> limit(sp.tanh(1 / (1 + sp.exp(-z))), z, sp.oo), limit(z / (1 + sp.Abs(z)), z, -sp.oo)
    (tanh(1), -1)
    """
    plain = _far_side(expr, by, end)
    found = None if plain is None else _limit(plain, by, end)
    if found is None or found.free_symbols or not found.is_extended_real:
        return None
    seen = near(expr, by, sp.sign(end) * FAR**2)
    aim = near(found, by, sp.S.Zero)
    if mpmath.isinf(aim):
        return found if seen * mpmath.sign(aim) > 1 else None
    return found if abs(seen - aim) < SAME * (1 + abs(aim)) else None


def _far_side(expr: Expr, by: Symbol, end: Expr) -> Expr | None:
    """``expr`` with each corner replaced by the side that holds far out."""
    far = sp.sign(end) * FAR

    def side(node: Expr) -> Expr:
        match node:
            case sp.Abs(args=(u,)):
                return u if near(u, by, far) > 0 else -u
            case Piecewise(args=cases):
                marked = Piecewise(*((sp.Integer(n), where) for n, (_, where) in enumerate(cases)))
                return cases[int(near(marked, by, far))][0]
        ordered = sorted(node.args, key=lambda u: near(u, by, far))
        return ordered[-1] if isinstance(node, sp.Max) else ordered[0]

    if any(mpmath.isnan(near(node, by, far)) for node in expr.atoms(*CORNERS)):
        return None
    return expr.replace(lambda e: isinstance(e, CORNERS), side)


def _limit(expr: Expr, by: Symbol, end: Expr) -> Expr | None:
    if not expr.has(by):
        return expr
    if expr == by:
        return end
    if isinstance(expr, (Add, Mul, Pow, *CONTINUOUS)):
        limits = [_limit(arg, by, end) for arg in expr.args]
        value = None if None in limits else expr.func(*limits)
        if value is not None and not value.has(sp.nan, sp.zoo, sp.AccumBounds):
            return value
    return _by_sympy(expr, by, end) if _is_simple(expr, by) else None


def _is_simple(expr: Expr, by: Symbol) -> bool:
    """Whether exponentials of polynomials and a rational function are all there is: SymPy's limits then end soon."""
    functions = expr.atoms(sp.Function)
    put = {f: sp.Dummy() for f in functions}
    inside = all(
        isinstance(f, sp.exp | sp.tanh) and f.args[0].is_polynomial(by) and sp.degree(f.args[0], by) <= MAX_DEGREE
        for f in functions
    )
    return inside and bool(expr.xreplace(put).is_rational_function())


def _by_sympy(expr: Expr, by: Symbol, end: Expr) -> Expr | None:
    try:
        return sp.limit(expr.rewrite(sp.exp), by, end)
    except (NotImplementedError, ValueError):
        return None

"""Derivatives by one entry where sums run over all entries of its quantity."""

from __future__ import annotations

from sympy import Expr, KroneckerDelta, Mul, Piecewise, Sum, Symbol

from symbackprop.calculus.cases import without_extremes
from symbackprop.calculus.indices import Entry, contract, contracted, term_by_term


def depends(expr: Expr, on: Symbol | Entry) -> bool:
    """Whether ``expr`` holds ``on``, or sums over entries of which ``on`` is one.

    >>> from symbackprop.calculus.indices import Base, index
    >>> a, m, k = Base("a", layered=False), index("m"), index("k")
    >>> depends(Sum(a[m] ** 2, (m, 1, 3)), a[k]), depends(a[1], a[2])
    (True, False)
    """
    if expr.has(on):
        return True
    return isinstance(on, Entry) and any(total.has(on.base) for total in expr.atoms(Sum))


def spread(total: Sum, by: Entry) -> Expr:
    """∂/∂(by) of a sum, term by term: [i = j] stands for ∂v_i/∂v_j, and cases count as a factor of 1 or 0.

    >>> from symbackprop.calculus.indices import Base, index
    >>> a, m, k = Base("a", layered=False), index("m"), index("k")
    >>> spread(Sum(a[m] ** 2, (m, 1, 3)), a[k])
    Sum(2*KroneckerDelta(k, m)*am, (m, 1, 3))
    """
    return term_by_term(without_extremes(total), by)


def picked(expr: Expr) -> Expr:
    """Σ_i [i = j] f(i) = f(j) in every sum of ``expr``, also where the Kronecker delta stands inside cases."""
    if not expr.has(KroneckerDelta):
        return expr
    if isinstance(expr, Sum):
        return contracted(in_factors(expr.function), expr.limits)
    return contract(expr) if not expr.args else expr.func(*map(picked, expr.args))


def in_factors(expr: Expr) -> Expr:
    """What is u where a condition holds, and otherwise 0, as u times a factor of 1 or 0.

    >>> import sympy as sp
    >>> u, c = sp.symbols("u c", real=True)
    >>> in_factors(2 * Piecewise((u, c > 0), (0, True)))
    2*u*Piecewise((1, c > 0), (0, True))
    """
    if isinstance(expr, Mul):
        return Mul(*map(in_factors, expr.args))
    if isinstance(expr, Piecewise) and len(expr.args) == 2 and expr.args[1].expr == 0:
        value, where = expr.args[0].args
        return value * Piecewise((1, where), (0, True))
    return expr

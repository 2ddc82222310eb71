"""Named rewrites: the same value in a form that neither overflows nor cancels in floating point.

Formulas are SymPy expressions in real symbols. ``stable_form`` applies the rewrites in order; each states an identity
that holds wherever both sides are defined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from sympy import Expr

from symbackprop.emit.rewrites_of_exp import (
    log_of_parts,
    log_softmax,
    sigmoid_complement,
    sigmoid_fraction,
    softmax_shift,
    softplus,
)
from symbackprop.emit.rewrites_of_functions import (
    branch_clip,
    branch_logarithm,
    erf_complement,
    exp_minus_one,
    greater_of_two,
    log_cosh,
    log_one_plus,
    root_fraction,
    root_sum,
    sigmoid_without_overflow,
    softplus_without_overflow,
    split_square,
    tanh_complement,
    tanh_of_fraction,
)


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

    >>> z = sp.Symbol("z", real=True)
    >>> stable_form(sp.log(1 / (1 + sp.exp(-z))))
    -Softplus(-z)
    """
    for rewrite in REWRITES:
        expr = rewrite(expr)
    return expr


def without_overflow(expr: Expr) -> Expr:
    """A ``Sigmoid`` or ``Softplus`` as the form that is computed; anything else as it is.

    >>> from symbackprop.emit.functions import Softplus
    >>> without_overflow(Softplus(sp.Symbol("z", real=True)))
    log1p(exp(-Abs(z))) + Max(0, z)
    """
    for rewrite in WITHOUT_OVERFLOW:
        expr = rewrite.apply(expr)
    return expr

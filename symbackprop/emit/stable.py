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
from symbackprop.emit.rewrites_of_exponents import (
    common_exponential,
    exponential_fraction,
    scaled_erfc,
    sigmoid_and_slope,
    sigmoid_multiple,
    sigmoid_product,
    sigmoid_without_overflow,
    split_exponent,
)
from symbackprop.emit.rewrites_of_functions import (
    branch_clip,
    branch_logarithm,
    common_denominator,
    erf_complement,
    exp_minus_one,
    greater_of_two,
    log_cosh,
    log_one_plus,
    number_put_in,
    root_fraction,
    root_sum,
    softplus_without_overflow,
    tanh_complement,
    tanh_of_fraction,
    tanh_rest,
    tanh_rest_near_zero,
)
from symbackprop.emit.rewrites_of_losses import (
    cancelled_quotient,
    exp_quotient,
    exp_quotient_at_zero,
    log_of_others,
    log_softplus,
    log_softplus_far_down,
    shifted_sigmoid,
    shifted_softmax,
    softplus_pair,
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
    Rewrite(
        "exponential_fraction",
        "N(e^z)/D(e^z) = N(m, M)/D(m, M), homogeneous, m = e^min(z,0), M = e^-max(z,0)",
        exponential_fraction,
        whole_first=True,
    ),
    Rewrite("sigmoid_fraction", "e^-u = (1 - s)/s with s = 1/(1 + e^-u)", sigmoid_fraction, whole_first=True),
    Rewrite("sigmoid_complement", "1 - σ(u) = σ(-u)", sigmoid_complement),
    Rewrite("cancelled_quotient", "(f + g/s) s = f s + g, s = σ(u)", cancelled_quotient),
    Rewrite("softplus", "log(1 + e^u) = softplus(u)", softplus),
    Rewrite("log_of_parts", "log(u v) = log u + log v, log e^u = u, log σ(u) = -softplus(-u)", log_of_parts),
    Rewrite("log_softplus", "log softplus(u) has a name", log_softplus),
    Rewrite("softplus_pair", "t softplus(-u) + (1 - t) softplus(u) = log(1 + e^-|u|) + u ([u > 0] - t)", softplus_pair),
    Rewrite("log_softmax", "u - log Σ e^u = s - log Σ e^s, s = u - max u", log_softmax),
    Rewrite("softmax_shift", "e^u / Σ e^u = e^s / Σ e^s, s = u - max u", softmax_shift),
    Rewrite("log_of_others", "log Σ e^s = log1p(Σ e^s - 1)", log_of_others),
    Rewrite("shifted_softmax", "e/Σe - t = (e - t - t (Σe - 1))/Σe", shifted_softmax),
    Rewrite("erf_complement", "1 + erf(u) = erfc(-u)", erf_complement),
    Rewrite("tanh_of_fraction", "sinh u / cosh u = tanh u", tanh_of_fraction),
    Rewrite("tanh_complement", "1 + tanh u = 2 σ(2u), 1 - tanh² u = 4 σ(2u) σ(-2u)", tanh_complement),
    Rewrite("log_cosh", "log cosh u = log1p(2 sinh²(u/2)) = |u| + log1p(e^(-2|u|)) - log 2", log_cosh),
    Rewrite("root_sum", "u + √(u² + c) = c/(√(u² + c) - u)", root_sum),
    Rewrite("root_fraction", "1 + u/√w = (u + √w)/√w = c/(w - u √w), w = u² + c", root_fraction),
    Rewrite("exp_minus_one", "e^u - 1 = expm1(u)", exp_minus_one),
    Rewrite("exp_quotient", "(e^u - 1)/u has a name", exp_quotient),
    Rewrite("log_one_plus", "log(1 + u) = log1p(u)", log_one_plus),
    Rewrite("greater_of_two", "u where u > c, otherwise c, is max(u, c)", greater_of_two),
    Rewrite("number_put_in", "c (1 + d u) = c + c d u, for numbers c, d", number_put_in),
    Rewrite("common_denominator", "u/p + v/q = (q u + p v)/(p q)", common_denominator),
    Rewrite("tanh_rest", "u - tanh u has a name", tanh_rest),
    Rewrite("shifted_sigmoid", "σ(u) - t = (e^min(u,0) - t - t e^-|u|)/(1 + e^-|u|)", shifted_sigmoid),
    Rewrite("scaled_erfc", "erfc u = 1 - sign u + sign u e^(u²) erfc|u| e^(-u²)", scaled_erfc, whole_first=True),
    Rewrite(
        "sigmoid_and_slope", "σ(u) + w σ(u) σ(-u) = m (m + (1 + w) M)/(m + M)²", sigmoid_and_slope, whole_first=True
    ),
    Rewrite("sigmoid_product", "σ(u) σ(-u) = e^-|u| / (1 + e^-|u| (2 + e^-|u|))", sigmoid_product),
    Rewrite("sigmoid_multiple", "z σ(u) = z m/(m + M), m = e^min(u,0), M = e^-max(u,0)", sigmoid_multiple),
    Rewrite("split_exponent", "e^f(u) = e^h(v) e^(f(u) - h(v))", split_exponent),
    Rewrite("common_exponential", "e^u f + e^u g = e^u (f + g)", common_exponential),
    Rewrite("branch_logarithm", "log u = log max(u, 2^-149) where u > 0", branch_logarithm),
    Rewrite("branch_clip", "f(u) = f(min(u, c)) where u ≤ c", branch_clip),
)
# These come last and one function at a time, so that a function that occurs twice is recognised as the same.
WITHOUT_OVERFLOW: tuple[Rewrite, ...] = (
    Rewrite("sigmoid_without_overflow", "σ(u) = e^min(u,0) / (1 + e^-|u|)", sigmoid_without_overflow),
    Rewrite("softplus_without_overflow", "softplus(u) = max(u, 0) + log1p(e^-|u|)", softplus_without_overflow),
    Rewrite("log_softplus_far_down", "log softplus(u) = u + log(log(1 + e^u)/e^u)", log_softplus_far_down),
    Rewrite("exp_quotient_at_zero", "(e^u - 1)/u is 1 near 0", exp_quotient_at_zero),
    Rewrite("tanh_rest_near_zero", "u - tanh u = u w/(1 + w), w = u²/(3 + u²/(5 + ...))", tanh_rest_near_zero),
)


@lru_cache(maxsize=1024)
def stable_form(expr: Expr) -> Expr:
    """``expr`` after every rewrite, in the order of ``REWRITES``; what ``without_overflow`` knows stays by name.

    >>> z = sp.Symbol("z", real=True)
    >>> stable_form(sp.log(1 / (1 + sp.exp(-z))))
    -Softplus(-z)
    """
    for rewrite in REWRITES:
        expr = rewrite(expr)
    return expr


def without_overflow(expr: Expr) -> Expr:
    """A ``Sigmoid``, ``Softplus`` or the like as the form that is computed; anything else as it is.

    >>> from symbackprop.emit.functions import Softplus
    >>> without_overflow(Softplus(sp.Symbol("z", real=True)))
    log1p(exp(-Abs(z))) + Max(0, z)
    """
    for rewrite in WITHOUT_OVERFLOW:
        expr = rewrite.apply(expr)
    return expr

"""The named rules that a step can cite, each with the identity it states.

A rule is a fact with a name; the code that applies it lives where it is used. ``statement`` is the identity in plain
symbols, ``reason`` the short text printed beside a line.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A named rule: ``reason`` is printed beside a step, ``statement`` is what the rule says.

    ``citing`` is the reason where the numbers of equations follow it.
    """

    name: str
    reason: str
    statement: str
    citing: str


RULES: dict[str, Rule] = {}


def _rule(name: str, reason: str, statement: str, citing: str | None = None) -> Rule:
    rule = Rule(name, reason, statement, reason if citing is None else citing)
    RULES[name] = rule
    return rule


DEFINITION = _rule("definition", "by definition", "a new name for the right-hand side")
WRITTEN_OUT = _rule("written_out", "written out", "Σ_i u_i = u_1 + u_2 + …")
TERM_BY_TERM = _rule("term_by_term", "differentiate term by term", "∂v_i/∂v_j = [i = j]")
INDUCTION = _rule("induction", "by the induction hypothesis", "what holds for layer l + 1 may be used for layer l")
LOCAL = _rule("local", "differentiate", "differentiate one forward equation by one of its parts")
FOUND = _rule("found", "as found above", "what holds for any unit holds for this one", "by")
CHAIN = _rule("chain", "chain rule", "d f(g(x))/dx = f'(g(x)) · dg/dx, and a sum over every path that leads on")
SHARED = _rule("shared", "the shared factors", "∂E/∂w = ∂E/∂z · ∂z/∂w", "the first factors of")
PATHS = _rule("paths", "sum over the paths", "∂E/∂w is the sum over all paths of the products along them")
SUM = _rule("sum", "sum rule", "(u + v)' = u' + v'")
PRODUCT = _rule("product", "product rule", "(u v)' = u' v + u v'")
QUOTIENT = _rule("quotient", "quotient rule", "(u/v)' = (u' v - u v')/v²")
POWER = _rule("power", "power rule", "(u^n)' = n u^(n-1) u'")
EXPONENTIAL = _rule("exponential", "derivative of exp", "(e^u)' = e^u u'")
LOGARITHM = _rule("logarithm", "derivative of log", "(log u)' = u'/u")
GENERAL_POWER = _rule("general_power", "write the power as e^(v log u)", "(u^v)' = u^v (v log u)'")
FUNCTION = _rule("function", "derivative of the function", "f(u)' = f'(u) u'")
POWER_CHAIN = _rule("power_chain", "power rule and chain rule", "(u^n)' = n u^(n-1) u'")
EXPONENTIAL_CHAIN = _rule("exponential_chain", "derivative of exp and chain rule", "(e^u)' = e^u u'")
LOGARITHM_CHAIN = _rule("logarithm_chain", "derivative of log and chain rule", "(log u)' = u'/u")
FUNCTION_CHAIN = _rule("function_chain", "derivative of the function and chain rule", "f(u)' = f'(u) u'")
CASES = _rule("cases", "case by case", "differentiate each case where it holds")
CONSTANT = _rule("constant", "derivative of a constant", "c' = 0")
CONSTANT_FACTOR = _rule("constant_factor", "constant factor", "(c u)' = c u'")
IDENTITY = _rule("identity", "derivative of the variable", "x' = 1")
LINEAR = _rule("linear", "derivative of a linear function", "(k x + c)' = k")
SIMPLIFY = _rule("simplify", "collect", "the same value, written more simply")
COMMON_DENOMINATOR = _rule("common_denominator", "common denominator", "u/v + w/y = (u y + w v)/(v y)")
SPLIT_FACTORS = _rule("split_factors", "split into two factors", "u/(v w) = (1/v)(u/w)")
ADD_AND_SUBTRACT = _rule("add_and_subtract", "add and subtract", "u = (u + c) - c")
SPLIT_FRACTION = _rule("split_fraction", "split the fraction", "(u + v)/w = u/w + v/w")
RECOGNISE = _rule("recognise", "recognise the output", "f(z) is a")
MULTIPLY_OUT = _rule("multiply_out", "multiply out", "u (v + w) = u v + u w")
SAME_PRODUCT = _rule("same_product", "the same product", "a product does not depend on how its factors are gathered")
CANCEL = _rule("cancel", "cancel the common factor", "(u v)/(u w) = v/w")
SUBSTITUTE = _rule("substitute", "insert the factors", "equals may replace equals", "insert")
COMPOSE = _rule("compose", "put the layers into one another", "equals may replace equals")
ADD_CHANGE = _rule("add_change", "add the change", "w + Δw is the new w")
IN_OUTPUT = _rule("in_output", "in terms of the output", "eliminate z between a = f(z) and d = f'(z)")
SPLIT_SUM = _rule("split_sum", "split the sum", "Σ_i (c u_i + d) = c Σ_i u_i + n d, for i from 1 to n")
KRONECKER = _rule("kronecker", "one term of the sum is left", "Σ_i [i = j] f(i) = f(j)")
ASSUMPTION = _rule("assumption", "by the assumption", "the stated assumption holds")
LOCAL_GRADIENT = _rule("local_gradient", "write δ", "δ = ∂E/∂z")
SAME_WAY = _rule("same_way", "in the same way", "the same rules at other indices", "in the same way as")
MATRIX = _rule("matrix", "in matrix form", "(A B)_ij = Σ_k A_ik B_kj, entry by entry")
TRANSPOSE = _rule("transpose", "transpose", "(A B)^T = B^T A^T")
DESCENT = _rule("descent", "gradient descent", "w ← w - η ∂E/∂w")
LINEARITY = _rule("linearity", "sum over the examples", "(Σ_m u_m)' = Σ_m u_m'")

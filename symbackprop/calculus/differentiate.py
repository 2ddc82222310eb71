"""A formula differentiated the way it is done by hand: line by line, each line by one named rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy as sp
from sympy import Add, Expr, KroneckerDelta, Mul, Piecewise, Pow, Sum, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.cases import first_against_rest
from symbackprop.calculus.forms import textbook_form
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Apply, Chain, Partial, Total, spelled_out
from symbackprop.calculus.rules import Rule
from symbackprop.calculus.under_sums import depends, picked, spread


@dataclass(frozen=True)
class Line:
    """``left = right``, by ``rule``; each line's left side is the right side of the line before."""

    left: Expr
    right: Expr
    rule: Rule


def differentiate(formula: Expr, by: Symbol | Entry) -> tuple[Line, ...]:
    """The derivative of ``formula`` in ``by``, everything else held constant, as running equalities.

    The first left side is ``Partial(formula, by)``. A line applies one rule wherever it applies among the partial
    derivatives that are still open; the last lines tidy up, and the last right side holds neither an open derivative
    nor an ordered product. A sum is differentiated term by term, then the Kronecker deltas remove sums. Raises
    ``ValueError`` for a function of several arguments that depend on ``by``.

    >>> z = Symbol("z", real=True)
    >>> lines = differentiate(1 / (1 + sp.exp(-z)), z)
    >>> [line.rule.name for line in lines]
    ['power_chain', 'sum', 'exponential_chain', 'linear', 'simplify']
    >>> lines[-1].right
    exp(-z)/(1 + exp(-z))**2
    """
    lines: list[Line] = []
    current: Expr = Partial(formula, by)
    while found := _next_step(current):
        rule, put = found
        lines.append(Line(current, _flat(current.xreplace(put)), rule))
        current = lines[-1].right
    if current.has(KroneckerDelta):
        lines.append(Line(current, _flat(picked(current)), rules.KRONECKER))
    return (*lines[:-1], *_tidied(lines[-1]))


def _next_step(current: Expr) -> tuple[Rule, dict[Expr, Expr]] | None:
    """The next rule, and what it makes of each open derivative it applies to; linear functions are left to the end."""
    open_ones = list(_open_derivatives(current))
    steps = {partial: _rule_for(partial.of, partial.by) for partial in open_ones}
    waiting = [step for step in steps.values() if step[0] is not rules.LINEAR]
    if waiting:
        together = [rule for rule, _ in waiting if _family(rule) == _family(waiting[0][0])]
        rule = next((rule for rule in together if rule.name.endswith("_chain")), waiting[0][0])
        return rule, {partial: step[1] for partial, step in steps.items() if step[0] in together}
    if not steps:
        return None
    return _name_of_linear(open_ones), {partial: step[1] for partial, step in steps.items()}


def _family(rule: Rule) -> str:
    """The derivative of log is one rule, whether its argument is the variable or a formula."""
    return rule.name.removesuffix("_chain")


def _open_derivatives(expr: Expr) -> Iterator[Partial]:
    """The open partial derivatives in the order in which they are read."""
    if isinstance(expr, Partial):
        yield expr
        return
    args = expr.as_ordered_terms() if isinstance(expr, Add) else expr.args
    for arg in args:
        yield from _open_derivatives(arg)


def _name_of_linear(partials: list[Partial]) -> Rule:
    if not any(depends(partial.of, partial.by) for partial in partials):
        return rules.CONSTANT
    return rules.IDENTITY if all(partial.of == partial.by for partial in partials) else rules.LINEAR


def _rule_for(u: Expr, x: Expr) -> tuple[Rule, Expr]:
    """The rule for du/dx and what it gives, open derivatives of simpler formulas included."""
    if not depends(u, x):
        return rules.LINEAR, sp.S.Zero
    if isinstance(u, Sum):
        return rules.TERM_BY_TERM, spread(u, x)
    if _is_linear(u, x):
        return rules.LINEAR, sp.diff(u, x)
    if isinstance(u, Add):
        terms = [Partial(term, x) for term in u.as_ordered_terms() if depends(term, x)]
        return rules.SUM, terms[0] if len(terms) == 1 else Total(*terms)
    if isinstance(u, Mul):
        return _rule_for_product(u, x)
    if isinstance(u, Pow):
        return _rule_for_power(u, x)
    if isinstance(u, sp.Max | sp.Min | Piecewise):
        cases = u if isinstance(u, Piecewise) else first_against_rest(u)
        return rules.CASES, Piecewise(*((Partial(value, x), where) for value, where in cases.args))
    return _rule_for_function(u, x)


def _is_linear(u: Expr, x: Expr) -> bool:
    terms = [term for term in Add.make_args(u) if depends(term, x)]
    return all(term.as_independent(x, as_Add=False)[1] == x for term in terms)


def _rule_for_product(u: Mul, x: Expr) -> tuple[Rule, Expr]:
    constant = [factor for factor in u.args if not depends(factor, x)]
    factors = [factor for factor in u.as_ordered_factors() if depends(factor, x)]
    if constant:
        return rules.CONSTANT_FACTOR, Chain(*_kept_apart(constant), Partial(Mul(*factors), x))
    below = [factor for factor in factors if isinstance(factor, Pow) and factor.exp.could_extract_minus_sign()]
    if below and len(below) < len(factors):
        n, d = Mul(*(factor for factor in factors if factor not in below)), Mul(*(1 / factor for factor in below))
        top = Total(Chain(Partial(n, x), d), Chain(-1, n, Partial(d, x)))
        return rules.QUOTIENT, Mul(top, 1 / d**2)
    terms = [Chain(*factors[:i], Partial(factor, x), *factors[i + 1 :]) for i, factor in enumerate(factors)]
    return rules.PRODUCT, Total(*terms)


def _rule_for_power(u: Pow, x: Expr) -> tuple[Rule, Expr]:
    base, exponent = u.base, u.exp
    if depends(exponent, x):
        return rules.GENERAL_POWER, Chain(u, Partial(exponent * sp.log(base), x))
    outer = Chain(*_kept_apart([exponent, base ** (exponent - 1)]))
    return _with_inner(rules.POWER, rules.POWER_CHAIN, outer, base, x)


def _rule_for_function(u: Expr, x: Expr) -> tuple[Rule, Expr]:
    if isinstance(u, Apply):
        inner, more = u.arguments[0], u.arguments[1:]
    else:
        inner, more = u.args[0], u.args[1:]
    if any(depends(argument, x) for argument in more):
        raise ValueError(f"{u} depends on {x} in more than its first argument")
    outer = u.fdiff() if isinstance(u, Apply) else u.fdiff(1)
    if isinstance(u, sp.exp):
        return _with_inner(rules.EXPONENTIAL, rules.EXPONENTIAL_CHAIN, outer, inner, x)
    if isinstance(u, sp.log):
        return _with_inner(rules.LOGARITHM, rules.LOGARITHM_CHAIN, outer, inner, x)
    return _with_inner(rules.FUNCTION, rules.FUNCTION_CHAIN, outer, inner, x)


def _with_inner(plain: Rule, chained: Rule, outer: Expr, inner: Expr, x: Expr) -> tuple[Rule, Expr]:
    """f′(u) alone where u is the variable itself, else f′(u) times the inner derivative."""
    return (plain, outer) if inner == x else (chained, Chain(outer, Partial(inner, x)))


def _kept_apart(factors: list[Expr]) -> list[Expr]:
    """The product as one factor, or factor by factor where SymPy would multiply a number into a sum."""
    product = Mul(*factors)
    return [product] if len(factors) == 1 or not isinstance(product, Add) else factors


def _flat(expr: Expr) -> Expr:
    """Ordered products inside ordered products become one; factors 1 go, and a product with a 0 is 0."""
    if not expr.has(Chain, Total) or isinstance(expr, Partial):
        return expr
    args = [_flat(arg) for arg in expr.args]
    if isinstance(expr, Chain):
        factors = [f for arg in args for f in (arg.args if isinstance(arg, Chain) else (arg,)) if f != 1]
        if 0 in factors:
            return sp.S.Zero
        return Chain(*factors) if len(factors) > 1 else Mul(*factors)
    if isinstance(expr, Total):
        terms = [t for arg in args for t in (arg.args if isinstance(arg, Total) else (arg,)) if t != 0]
        return Total(*terms) if len(terms) > 1 else Add(*terms)
    return expr.func(*args)


def _tidied(last: Line) -> Iterator[Line]:
    """The last lines: the products multiplied out, then the form that is easiest to read; none that reads the same."""
    plain = _case_by_case(spelled_out, last.right)
    form = _case_by_case(textbook_form, plain)
    for side in (plain, form):
        if str(side) == str(last.right):
            last = replace(last, right=side)
    yield last
    if last.right == form:
        return
    if str(plain) not in (str(last.right), str(form)):
        yield (last := Line(last.right, plain, rules.SIMPLIFY))
    brought_together = isinstance(last.right, Add) and isinstance(form, Mul | Pow) and sp.fraction(form)[1] != 1
    yield Line(last.right, form, rules.COMMON_DENOMINATOR if brought_together else rules.SIMPLIFY)


def _case_by_case(rearrange: Callable[[Expr], Expr], expr: Expr) -> Expr:
    if not isinstance(expr, Piecewise):
        return rearrange(expr)
    return Piecewise(*((_case_by_case(rearrange, value), where) for value, where in expr.args))

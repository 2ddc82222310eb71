"""f′ written in terms of the output a = f(z), found by elimination.

With ``u = e^z`` the equations ``a = f(z)`` and ``d = f′(z)`` become polynomials in u. Their resultant in u is a
polynomial relation between d, a and (where it cannot be avoided) z. Of its factors those of degree one in d are solved
for d, and a form counts only if f(z), put in for a, gives f′(z) exactly; so no root is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import sympy as sp
from sympy import Add, Expr, Piecewise, Symbol

from symbackprop.calculus.cases import absolute_value_by_cases, larger_or_smaller_by_cases
from symbackprop.calculus.forms import reading_cost, textbook_form

# Beyond these bounds an elimination could take for ever, and what it finds would be longer than f′ itself.
MAX_SIZE = 80  # nodes of a case of f
MAX_CASES = 12
MAX_DEGREE = 16  # of the two relations in u, together

_U, _D = Symbol("u", positive=True), Symbol("d", real=True)
_B = Symbol("b", real=True)  # a itself, or e^(a/c) where f is c times a logarithm


@dataclass(frozen=True)
class Elimination:
    """How one case was found: ``condition`` on z, ``generator`` (what u stands for), two relations, their resultant.

    Where f′ is a number in this case, nothing is eliminated: ``generator`` is None and the relations are left out.
    ``output_symbol`` stands for ``output_meaning`` (a, or e^a where f is a logarithm).
    """

    condition: sp.Basic
    slope: Expr
    generator: Expr | None = None
    output_meaning: Expr | None = None
    output_relation: Expr | None = None
    slope_relation: Expr | None = None
    resultant: Expr | None = None


@dataclass(frozen=True)
class OutputForm:
    """f′ in terms of the output: ``slope`` in a, and in z outside case conditions only where ``uses_z``.

    ``excluded`` lists the values of z where the form has a zero denominator and so does not say what f′ is.
    ``u``, ``d`` and ``b`` are the symbols that the relations of ``cases`` are written in.
    """

    slope: Expr
    uses_z: bool
    excluded: tuple[Expr, ...]
    cases: tuple[Elimination, ...]
    u: Symbol = _U
    d: Symbol = _D
    b: Symbol = _B


def in_terms_of_output(value: Expr, z: Symbol, a: Symbol, by: Symbol | None = None) -> OutputForm | None:
    """f′(z) in terms of a = f(z), or None where elimination finds no form that is simpler than f′ itself.

    With ``by``, a parameter of the formula, the same for the derivative by that parameter.

    >>> z, a = Symbol("z", real=True), Symbol("a", real=True)
    >>> in_terms_of_output(1 / (1 + sp.exp(-z)), z, a).slope
    a*(1 - a)
    >>> in_terms_of_output(sp.tanh(z), z, a).slope
    1 - a**2
    >>> in_terms_of_output(z / (1 + sp.exp(-z)), z, a).slope
    a*(-a + z + 1)/z
    >>> beta = Symbol("beta", real=True)
    >>> in_terms_of_output(1 / (1 + sp.exp(-beta * z)), z, a, beta).slope
    a*z*(1 - a)
    """
    by = z if by is None else by
    value = value.replace(lambda u: isinstance(u, sp.Max | sp.Min), larger_or_smaller_by_cases)
    corners = sum(len(e.args) for e in value.atoms(Piecewise)) + len(value.atoms(sp.Abs))
    branches = list(_branches(value)) if corners < MAX_CASES else []
    if not 0 < len(branches) <= MAX_CASES or any(where.has(sp.And, sp.Or) for _, where in branches):
        return None
    found = [_eliminate(sp.diff(branch, by), branch, condition, z, a) for branch, condition in branches]
    cases = tuple(case for case in found if case is not None)
    if len(cases) < len(found) or not _agrees_where_cases_meet(value, branches, z, by):
        return None
    slopes = [(case.slope, case.condition) for case in cases]
    slope = cases[0].slope if len(cases) == 1 else Piecewise(*slopes)
    uses_z = any(case.slope.has(z) for case in cases)
    return OutputForm(slope, uses_z, _excluded([case.slope for case in cases], z, a), cases)


def _branches(value: Expr) -> Iterator[tuple[Expr, sp.Basic]]:
    """The formula case by case."""
    cases = sp.piecewise_fold(value.replace(sp.Abs, lambda u: absolute_value_by_cases(sp.Abs(u))))
    yield from cases.args if isinstance(cases, Piecewise) else [(cases, sp.true)]


def _eliminate(derivative: Expr, branch: Expr, condition: sp.Basic, z: Symbol, a: Symbol) -> Elimination | None:
    if not derivative.has(z):
        return Elimination(condition, derivative)
    if _size(branch) > MAX_SIZE:
        return None
    inverse, meaning = _without_logarithm(branch, a)  # b = inverse(z), b standing for meaning
    rational = _in_generator((inverse, derivative), z)
    if rational is None:
        return None
    generator, (output, slope) = rational
    output_relation, slope_relation = (
        sp.fraction(sp.cancel(sp.together(side) - letter))[0] for side, letter in ((output, _B), (slope, _D))
    )
    if sum(sp.degree(relation, _U) for relation in (output_relation, slope_relation)) > MAX_DEGREE:
        return None
    resultant = sp.factor(sp.resultant(output_relation, slope_relation, _U))
    for root in _roots_for_slope(resultant):
        form = textbook_form(root.xreplace({_B: meaning}))
        back = sp.cancel(sp.together(root.xreplace({_B: output}) - slope))
        if back == 0 and reading_cost(form) <= reading_cost(textbook_form(derivative)):
            return Elimination(condition, form, generator, meaning, output_relation, slope_relation, resultant)
    return None


def _size(expr: Expr) -> int:
    return sum(1 for _ in sp.preorder_traversal(expr))


def _without_logarithm(branch: Expr, a: Symbol) -> tuple[Expr, Expr]:
    """For f = c log g: (g, e^(a/c)), so that what is left is rational in u; otherwise (f, a)."""
    if not branch.has(sp.log):
        return branch, a
    coefficients = {term.as_independent(sp.log, as_Add=False)[0] for term in Add.make_args(branch) if term.has(sp.log)}
    factor = coefficients.pop() if len(coefficients) == 1 else sp.S.One
    return sp.powsimp(sp.exp(sp.expand(branch / factor))), sp.exp(a / factor)


def _in_generator(expressions: tuple[Expr, ...], z: Symbol) -> tuple[Expr, list[Expr]] | None:
    """The expressions as rational functions of one u, u = e^(g) or z itself; None if there is no such u."""
    written = [sp.expand(e.rewrite(sp.exp), power_exp=True, mul=False, multinomial=False) for e in expressions]
    exponents = sorted({e.exp for w in written for e in w.atoms(sp.exp) if e.has(z)}, key=sp.default_sort_key)
    if not exponents:
        generator, put = z, {z: _U}
    else:
        ratios = [sp.cancel(exponent / exponents[0]) for exponent in exponents]
        if not all(ratio.is_Rational for ratio in ratios):
            return None
        unit = reduce(sp.gcd, ratios) * exponents[0]
        unit = -unit if unit.could_extract_minus_sign() else unit
        generator, put = sp.exp(unit), {sp.exp(e): _U ** sp.cancel(e / unit) for e in exponents}
    rational = [w.xreplace(put) for w in written]
    if not all(r.is_rational_function(_U, z) for r in rational):
        return None
    return generator, rational


def _roots_for_slope(resultant: Expr) -> Iterator[Expr]:
    """Every d that the resultant's factors of degree one in d give."""
    for factor in sp.Mul.make_args(resultant):
        relation = factor.as_base_exp()[0]
        if sp.degree(relation, _D) == 1:
            linear, constant = sp.Poly(relation, _D).all_coeffs()
            yield -constant / linear


def _agrees_where_cases_meet(value: Expr, branches: list[tuple[Expr, sp.Basic]], z: Symbol, by: Symbol) -> bool:
    """At the corner of an absolute value, the slope of the case that holds there is the slope of the formula."""
    if not value.has(sp.Abs):
        return True  # the given cases are differentiated one by one, here as everywhere
    whole = sp.diff(value, by)
    by_cases = Piecewise(*((sp.diff(branch, by), condition) for branch, condition in branches))
    if not all((r.lhs - r.rhs).is_polynomial(z) for _, c in branches for r in c.atoms(sp.core.relational.Relational)):
        return False
    edges = [edge for _, condition in branches for edge in _edges(condition, z)]
    return all(sp.expand(whole.subs(z, edge) - by_cases.subs(z, edge)) == 0 for edge in edges)


def _edges(condition: sp.Basic, z: Symbol) -> list[Expr]:
    relations = condition.atoms(sp.core.relational.Relational)
    sides = [r.lhs - r.rhs for r in relations if r.has(z)]
    return [root for side in sides if side.is_polynomial(z) for root in sp.roots(side, z)]


def _excluded(slopes: list[Expr], z: Symbol, a: Symbol) -> tuple[Expr, ...]:
    """The values of z, whatever a is, where a form divides by zero."""
    found: Mapping[Expr, None] = {
        root: None
        for slope in slopes
        for factor in sp.Mul.make_args(sp.fraction(sp.together(slope))[1])
        if factor.has(z) and not factor.has(a) and factor.is_polynomial(z)
        for root in sp.roots(factor, z)
        if root.is_real is not False
    }
    return tuple(found)

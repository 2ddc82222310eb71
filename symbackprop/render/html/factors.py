"""Where each factor of the chain rule comes from: an edge, a unit or a δ, marked in the printed formulas of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Expr

from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.derivation.derive import Derivation
from symbackprop.network.quantities import DELTA, ERROR, OUT, PRE, WEIGHT, is_entry
from symbackprop.notation.profile import Profile
from symbackprop.render.html.mathml import marked
from symbackprop.render.html.signs import local_derivative
from symbackprop.render.printed import Printed

WIDEST = 40  # letters; a longer factor may have to be broken, and no mark goes over the end of a line

Sources = tuple[str, ...]


def factors(derivation: Derivation) -> frozenset[Expr]:
    """Every factor of the chain rules that a derivation writes for single weights and biases."""
    rules = (step.right for label, step in derivation.by_label.items() if label.endswith(".chain"))
    chains = [chain for rule in rules for chain in terms(rule)]
    return frozenset(factor for chain in chains if isinstance(chain, Chain) for factor in chain.args)


@dataclass(frozen=True)
class FactorMarks:
    """Marks the factors of ordered products in which every factor is a local derivative, or the value of one.

    ``values`` has the sources of the factors of each product of values, by the factors without their signs.
    """

    profile: Profile
    values: Mapping[tuple[Expr, ...], Sources]

    @classmethod
    def of(cls, derivation: Derivation, profile: Profile) -> FactorMarks:
        """The marks of a derivation that is written in the quantities of ``profile``."""
        steps = derivation.by_label
        found: dict[tuple[Expr, ...], Sources] = {}
        pairs = [(step, steps.get(f"{label.removesuffix('.chain')}.product")) for label, step in steps.items()]
        for chain, product in ((chain, product) for chain, product in pairs if product is not None):
            found.update(_sources(derivation, profile, chain.right, product.right))
        paths = (step for label, step in steps.items() if label.startswith("weight.path."))
        for step in paths:
            found.update(_sources(derivation, profile, step.left, step.right))
        return cls(profile, found)

    def __call__(self, product: Chain, pieces: list[Printed]) -> list[Printed]:
        """The printed factors of a product, those that have a source marked."""
        sources = dict(zip(signless(product), self.values.get(signless(product), ()), strict=False))
        return [self.mark(factor, sources, piece) for factor, piece in zip(product.args, pieces, strict=True)]

    def mark(self, factor: Expr, sources: Mapping[Expr, str], piece: Printed) -> Printed:
        """A printed factor with its source, if it has one."""
        local = local_derivative(self.profile, factor)
        source = came_from(local) if local is not None else sources.get(without_sign(factor), "")
        if not source or piece.width > WIDEST or piece.text[:1].isdigit():
            return piece
        return replace(piece, text=marked(piece.text, source), parts=())


def came_from(factor: Partial) -> str:
    """What of the picture a local derivative belongs to: an edge for ∂z/∂a and ∂z/∂w, a unit for ∂a/∂z and ∂E/∂a.

    >>> came_from(Partial(PRE[3, 1], OUT[2, 2])), came_from(Partial(OUT[2, 2], PRE[2, 2]))
    ('w21[2]', 'a2[2]')
    """
    of, by = factor.of, factor.by
    if is_entry(of, PRE) and is_entry(by, OUT):
        return str(WEIGHT[by.indices[0], by.indices[1], of.indices[1]])
    if is_entry(by, PRE):
        return str(DELTA[by.indices]) if of == ERROR else str(of)
    return str(by)


def signless(product: Chain) -> tuple[Expr, ...]:
    """The factors of a product without their signs, and without ones."""
    return tuple(factor for factor in map(without_sign, product.args) if factor != 1)


def without_sign(factor: Expr) -> Expr:
    """A factor without the minus sign that may be printed in front of its product."""
    return -factor if factor.as_coeff_Mul()[0].is_negative else factor


def terms(expr: Expr) -> tuple[Expr, ...]:
    """The terms of an ordered sum."""
    return tuple(expr.args) if isinstance(expr, Total) else (expr,)


def _sources(
    derivation: Derivation, profile: Profile, chains: Expr, products: Expr
) -> Iterator[tuple[tuple[Expr, ...], Sources]]:
    """The products of values that stand in the place of chains of derivatives, factor by factor."""
    if len(terms(chains)) != len(terms(products)):
        return
    for chain, product in zip(terms(chains), terms(products), strict=True):
        if not (isinstance(chain, Chain) and isinstance(product, Chain)):
            continue
        locals_ = [local_derivative(profile, factor) for factor in chain.args]
        kept = [local for local in locals_ if local and derivation.scalar.factor(local.of, local.by)[0] != 1]
        if len(kept) == len(signless(product)):
            yield signless(product), tuple(map(came_from, kept))

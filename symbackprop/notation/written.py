"""A derivation as a notation writes it: its steps in the profile's quantities, with the signs a textbook would write.

Every step stays a step: ``restated`` gives the ones that changed with the substitution undone, so that they can be
proved like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbackprop.calculus import rules
from symbackprop.calculus.inert import Partial, Total
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import (
    NUMERATOR,
    Diagonal,
    Gradient,
    Hadamard,
    Layout,
    Leaf,
    Plus,
    Product,
    Scaled,
)
from symbackprop.derivation.steps import Block, Formula, Section, Step
from symbackprop.network.quantities import DELTA, RATE, TARGET
from symbackprop.notation.augment import augmented
from symbackprop.notation.keys import SECTIONS
from symbackprop.notation.named import named, unnamed
from symbackprop.notation.profile import Profile
from symbackprop.notation.signs import expr_sign, term_sign, with_sign
from symbackprop.notation.substitution import MINUS_DELTA, Substitution

# What leaves a derivation as it is.
PLAIN = {
    "update": ("gradient",),
    "hadamard": ("⊙", "∘"),
    "chain_order": (NUMERATOR,),
    "sections": (SECTIONS,),
}
Restated = tuple[Step, Layout | None]


@dataclass(frozen=True)
class Writer:
    """Rewrites steps for one profile; ``general`` are the steps that updates cite, and the updates themselves."""

    profile: Profile
    general: Mapping[str, Step] = field(default_factory=dict)

    @property
    def substitution(self) -> Substitution:
        return Substitution.of(self.profile)

    def steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Steps that are read together. A step that continues the line before it keeps that line's sign."""
        done: list[Step] = []
        before, sign = None, 1
        for step in steps:
            left = self.substitution.into(step.left)
            if before is None or before.right != step.left:
                sign = sign_of(left)
            done += self.naming(self.step(step, sign))
            before = step
        return tuple(done)

    def step(self, step: Step, sign: int) -> Step:
        """``step``, both sides times ``sign``, in the profile's quantities."""
        descends = step.rule == rules.DESCENT and self.profile.update == "delta"
        right = self.descent(step) if descends else step.right
        return replace(step, left=self.side(step.left, sign), right=self.side(right, sign))

    @cached_property
    def with_names(self) -> frozenset[str]:
        """The labels of the steps whose left side has a letter of its own: the gradients that updates go against."""
        if "gradient" not in self.profile.letters:
            return frozenset()
        return frozenset(step.uses[0] for step in self.general.values() if step.rule == rules.DESCENT)

    def naming(self, step: Step) -> tuple[Step, ...]:
        """A step in the profile's quantities, with gradients by their letter; what a letter stands for comes first."""
        if self.with_names and step.rule == rules.DESCENT:
            return (replace(step, right=named(step.right)),)
        if step.label not in self.with_names:
            return (step,)
        meaning = Step(f"{step.label}.named", named(step.left), step.left, rules.DEFINITION)
        return meaning, replace(step, left=meaning.left, uses=(*step.uses, meaning.label))

    def equation(self, left: Formula, right: Formula) -> tuple[Formula, Formula]:
        """An equation on its own, in the profile's quantities, without a sign on the left."""
        sign = sign_of(self.substitution.into(left))
        return self.side(left, sign), self.side(right, sign)

    def side(self, formula: Formula, sign: int) -> Formula:
        """One side of a step; what the substitution does not touch stays as it was."""
        new = self.substitution.into(formula)
        return formula if new == formula and sign == 1 else with_sign(sign, new)

    def descent(self, step: Step) -> Formula:
        """The right side of an update with the gradient's own formula in place of its sign."""
        if isinstance(step.right, Plus):
            leaf, _ = step.right.terms
            gradient = self.general[step.uses[0]]
            sign, term = term_sign(gradient.right)
            return Plus((leaf, with_sign(-sign, Scaled(RATE, term))))
        found = self.general[step.uses[0]]
        formula = self.general.get(f"{found.label}.total", found).right
        old, moved = step.right.as_independent(Partial, as_Add=True)
        change = moved.xreplace(dict.fromkeys(moved.atoms(Partial), formula))
        return Total(old, change) if old != 0 else change

    def block(self, block: Block) -> Block:
        """A block in the profile's quantities; what its sentence mentions carries no sign."""
        about = tuple(expr_sign(self.substitution.into(part))[1] if is_expr(part) else part for part in block.about)
        return replace(block, steps=self.steps(block.steps), about=about)

    def view(self, view: MatrixView) -> MatrixView:
        """A matrix view in the profile's arrays."""
        writer = replace(self, general={step.label: step for step in (*view.gradients, *view.updates)})

        def each(steps: tuple[Step, ...]) -> tuple[Step, ...]:
            return tuple(writer.step(step, sign_of(self.substitution.into(step.left))) for step in steps)

        deltas = each(view.deltas)
        if self.profile.hadamard == "diag" and not view.layout.batch:
            deltas = tuple(map(with_diagonal, deltas))
        new = MatrixView(
            view.layout,
            each(view.forward),
            writer.step(view.error, 1),
            deltas,
            each(view.gradients),
            each(view.updates),
        )
        new = augmented(new) if self.profile.bias == "weight" else new
        gradients, updates = (
            tuple(each for step in steps for each in writer.naming(step)) for steps in (new.gradients, new.updates)
        )
        return replace(new, gradients=gradients, updates=updates)


@dataclass(frozen=True)
class Written(Derivation):
    """A derivation whose sections and matrix views are written in a profile's quantities."""

    original: Derivation = field(kw_only=True)
    writer: Writer = field(kw_only=True)

    def matrix(self, layout: Layout) -> MatrixView:
        """The equations between arrays in ``layout``, in the profile's quantities."""
        return self.writer.view(self.original.matrix(layout))


def written(derivation: Derivation, profile: Profile) -> Derivation:
    """``derivation`` as ``profile`` writes it; itself where the profile changes no quantity and no form."""
    writer = Writer(profile, derivation.general)
    as_it_is = all(getattr(profile, key) in plain for key, plain in PLAIN.items()) and not writer.with_names
    if as_it_is and not writer.substitution:
        return derivation
    return Written(
        derivation.graph,
        derivation.slopes,
        derivation.general,
        tuple(Section(section.key, tuple(map(writer.block, section.blocks))) for section in derivation.sections),
        derivation.scalar,
        original=derivation,
        writer=writer,
    )


def restated(derivation: Derivation, layouts: tuple[Layout, ...], profile: Profile) -> Iterator[Restated]:
    """Every step that ``profile`` writes in another way, in the derivation's own quantities, with its layout."""
    new = written(derivation, profile)
    if new is derivation:
        return
    undone = Substitution.of(profile).undone
    groups: list[tuple[Iterable[Step], Iterable[Step], Layout | None]] = [(derivation.steps, new.steps, None)]
    groups += [(derivation.matrix(layout).steps, new.matrix(layout).steps, layout) for layout in layouts]
    for before, after, shape in groups:
        olds = {step.label: step for step in before}
        for step in after:
            old = olds.get(step.label)
            if old is None or (old.left, old.right) != (step.left, step.right):
                yield replace(step, left=undone(unnamed(step.left)), right=undone(unnamed(step.right))), shape


def is_expr(formula: Formula) -> bool:
    """Whether ``formula`` is an expression, not a term."""
    return isinstance(formula, sp.Expr)


def sign_of(formula: Formula) -> int:
    """The sign in front of the left side of a step."""
    return expr_sign(formula)[0] if is_expr(formula) else term_sign(formula)[0]


def with_diagonal(step: Step) -> Step:
    """δ = x ⊙ f′ as the product of x with the diagonal matrix of f′."""
    sign, right = term_sign(step.right)
    if not isinstance(right, Hadamard):
        return step
    passed = next((f for f in right.factors if leads_back(f)), None)
    if passed is None:
        return step
    rest = tuple(f for f in right.factors if f is not passed)
    diagonal = Diagonal(rest[0] if len(rest) == 1 else Hadamard(rest))
    column = isinstance(step.left, Leaf) and step.left.rows is not None
    return replace(step, right=with_sign(sign, Product(diagonal, passed) if column else Product(passed, diagonal)))


def leads_back(term: Any) -> bool:
    """Whether ``term`` comes from the error's side: it holds targets, a δ or a derivative of the error."""
    if isinstance(term, Leaf):
        return term.base in (DELTA, MINUS_DELTA, TARGET)
    if isinstance(term, tuple):
        return any(map(leads_back, term))
    return isinstance(term, Gradient) or (
        is_dataclass(term) and any(leads_back(getattr(term, each.name)) for each in fields(term))
    )


def as_written(section: Section, derivation: Derivation) -> Section:
    """A section that is not part of ``derivation`` itself, in the quantities in which that is written."""
    if not isinstance(derivation, Written):
        return section
    return Section(section.key, tuple(map(derivation.writer.block, section.blocks)))


def chain_order(derivation: Derivation) -> str:
    """The order of factors in which the chain rule between arrays is written."""
    return derivation.writer.profile.chain_order if isinstance(derivation, Written) else NUMERATOR


def section_order(derivation: Derivation) -> tuple[str, ...]:
    """The parts of a document in their order."""
    return derivation.writer.profile.sections if isinstance(derivation, Written) else SECTIONS


def unwritten(derivation: Derivation) -> Derivation:
    """The derivation in its own quantities."""
    return derivation.original if isinstance(derivation, Written) else derivation

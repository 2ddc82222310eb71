"""The numbered part of a document: its sections of equations, the matrix section among them, and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.arrays import array_section, chain_section
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import Axis, InBlock, Layout, Leaf
from symbackprop.derivation.numbers import Worked
from symbackprop.derivation.one_weight import ALONE
from symbackprop.derivation.steps import Block, Formula, Section, Step, numbering
from symbackprop.network.quantities import OUT, PRE, RATE, TARGET, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.notation.written import as_written, chain_order, section_order, unwritten
from symbackprop.render.condense import condense
from symbackprop.render.detail import MOST_TERMS, shown
from symbackprop.render.facts import Facts
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.lines import Line, Setter, is_update
from symbackprop.render.matrix_formula import MatrixPrinter
from symbackprop.render.picture.draw import Pictures
from symbackprop.render.printed import Printed
from symbackprop.render.procedure import MOST_LAYERS, procedure
from symbackprop.render.style import Style
from symbackprop.render.sums import as_they_are
from symbackprop.render.view import WHOLE, View
from symbackprop.render.wording import block_words, variant, words
from symbackprop.render.worked import WorkedWriter


@dataclass(frozen=True)
class PrintedBlock:
    """A sentence, the lines under it, and perhaps a note on the equations that were left out."""

    sentence: str
    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True)
class PrintedSection:
    """A heading and its blocks; ``notes`` are sentences before the first block."""

    heading: str
    blocks: tuple[PrintedBlock, ...]
    notes: tuple[str, ...] = ()


def matrix_section(view: MatrixView) -> Section:
    """The matrix view as a section; its labels are the same in every layout."""
    parts: dict[str, tuple[Step, ...]] = {
        "matrix": view.forward,
        "matrix_error": (view.error,),
        "matrix_deltas": view.deltas,
        "matrix_gradients": view.gradients,
        "matrix_updates": view.updates,
    }
    return Section("matrix", tuple(Block(key, steps) for key, steps in parts.items()))


def all_sections(derivation: Derivation, layout: Layout) -> tuple[Section, ...]:
    """The sections in the order that the notation gives a document; ``layout`` is that of one example.

    What is said of one parameter alone follows the update.
    """
    plain, order = unwritten(derivation), section_order(derivation)
    about_arrays = (array_section(plain, layout), chain_section(plain, layout, chain_order(derivation)))
    found = {section.key: section for section in derivation.sections}
    found |= {section.key: as_written(section, derivation) for section in about_arrays if section is not None}
    found["matrix"] = matrix_section(derivation.matrix(layout))
    keys = [key for part in order for key in ((part, *ALONE) if part == "update" else (part,))]
    return tuple(found[key] for key in keys if key in found)


def equation_numbers(derivation: Derivation) -> dict[str, int]:
    """The number of every equation by its step's label, as documents print them and generated code cites them.

    Labels are the same in every layout.
    """
    return numbering(all_sections(derivation, Layout(batch=False)))


@dataclass(frozen=True)
class EquationWriter:
    """Writes sections of steps in one notation and one style."""

    derivation: Derivation
    notation: Notation
    style: Style
    numbers: dict[str, int]
    view: View = WHOLE
    factors: Callable[[Chain, list[Printed]], list[Printed]] = as_they_are
    shared: Pictures | None = None  # pictures that other documents show too

    selectable: ClassVar[bool] = True  # whether its equations are about units and weights that can be selected

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures of the network."""
        return self.shared or Pictures(self.derivation, self.notation.profile)

    @cached_property
    def formula(self) -> FormulaPrinter:
        """The printer; it prints a formula once, however often that occurs."""
        most = MOST_TERMS[self.view.detail]
        return FormulaPrinter(self.notation, self.style.markup, most_terms=most, factors=self.factors)

    def printed(self, formula: Formula) -> Printed:
        """An expression, or a term about one example, as a formula."""
        return self.formula(formula) if isinstance(formula, Expr) else MatrixPrinter(self.formula, batch=False)(formula)

    @property
    def facts(self) -> Facts:
        """What says what steps need of the data."""
        return Facts(self.derivation.graph.spec, self.formula, self.style)

    @property
    def variants(self) -> tuple[str, ...]:
        """What changes the sentences: the network's size, its biases, the order of the parts, the notation."""
        spec, order = self.derivation.graph.spec, section_order(self.derivation)
        given = {
            "one_output": spec.sizes[-1] == 1,
            "no_bias": not any(spec.bias),
            "before_start": order.index("delta") < order.index("start"),
        }
        return (*(key for key, holds in given.items() if holds), *self.notation.profile.variants)

    def inline(self, formula: Formula) -> str:
        """A formula within words."""
        return self.style.inline(self.printed(formula).text)

    def sections(self) -> list[PrintedSection]:
        """All sections of equations."""
        printed = {s.key: self.matrix() if s.key == "matrix" else self.section(s) for s in self.shown}
        if self.view.worked is not None:
            printed["numbers"] = self.with_numbers(self.view.worked)
        if not self.view.brief and self.notation.depth <= MOST_LAYERS:
            printed["procedure"] = self.procedure()
        order = section_order(self.derivation)
        places = {key: n for n, key in enumerate(("exam", *order))}
        last = places["update"]
        keys = sorted(printed, key=lambda key: places.get(key, last))
        return [printed[key] for key in keys if key != "procedure" or key in places]

    @cached_property
    def shown(self) -> tuple[Section, ...]:
        """The sections as far as the level of detail prints them."""
        return shown(all_sections(self.derivation, self.notation.profile.layout(batch=False)), self.view.detail)

    @cached_property
    def citable(self) -> dict[str, int]:
        """The numbers of the equations that are printed: no other is cited."""
        return {step.label: self.numbers[step.label] for section in self.shown for step in section.steps}

    def section(self, section: Section) -> PrintedSection:
        """One section in index notation or of individual weights."""
        blocks = self.blocks(section.blocks, self.printed)
        if section.key == "delta":
            blocks = (*blocks[:-1], replace(blocks[-1], note=" ".join([blocks[-1].note, *self.about_delta()]).strip()))
        return PrintedSection(words("headings", section.key), blocks)

    def about_delta(self) -> Iterator[str]:
        """Why the input layer has no δ, and why δ stands alone."""
        yield words("words", "input_has_no_delta")
        if any(self.derivation.graph.spec.bias):
            yield words("words", variant("words", "delta_kept", self.variants))

    def matrix(self) -> PrintedSection:
        """The matrix form: one example, then a batch; both carry the same numbers, told apart by a letter."""
        one, batch = (self.notation.profile.layout(each) for each in (False, True))
        markup, profile = self.style.markup, self.notation.profile
        signs = [self.style.inline(markup.operator(sign)) for sign in (profile.entrywise_sign, "∘")]
        notes = (
            words("words", "hadamard", *signs),
            words("words", "ones", self.style.inline(markup.ones().text)),
            *self.of_blocks(),
            *self.tilde(),
            words("words", f"one_example_{profile.vectors}"),
        )
        parts = [self.matrix_blocks(layout, mark) for layout, mark in ((one, "a"), (batch, "b"))]
        first_of_batch = parts[1][0]
        batch_sentence = words("words", variant("words", f"batch_{profile.examples}", self.variants))
        weighted = (
            [words("words", f"class_weights_{profile.examples}")] if self.derivation.graph.class_weights() else []
        )
        opened = " ".join([batch_sentence, *weighted, first_of_batch.sentence])
        parts[1][0] = PrintedBlock(opened, first_of_batch.lines, first_of_batch.note)
        return PrintedSection(words("headings", "matrix"), (*parts[0], *parts[1]), notes)

    def with_numbers(self, worked: Worked) -> PrintedSection:
        """The equations of individual units and weights with numbers put in."""
        setter = Setter(self.printed, self.style, self.notation.profile, self.citable)
        writer = WorkedWriter(worked, self.derivation, self.formula, setter)
        blocks = [PrintedBlock(sentence, lines) for sentence, lines in writer.blocks()]
        blocks[-1] = replace(blocks[-1], note=writer.fall())
        notes = (words("numbers", "policy"), words("numbers", "given", writer.given()))
        return PrintedSection(words("headings", "numbers"), tuple(blocks), notes)

    def procedure(self) -> PrintedSection:
        """Gradient descent as a numbered procedure, for one example at a time."""
        view = self.derivation.matrix(self.notation.profile.layout(batch=False))
        arrays = {"input": Leaf(OUT, 1, None, None), "target": Leaf(TARGET, None, None, None)}
        names = {key: self.inline(leaf) for key, leaf in arrays.items()}
        inline = {"rate": self.inline(RATE), **names}
        sentences = procedure(view, self.equation, self.citable, inline, self.variants)
        return PrintedSection(words("headings", "procedure"), (), tuple(sentences))

    def equation(self, step: Step) -> str:
        """A step as an equation within words."""
        sign = self.style.markup.operator(self.notation.profile.assign if is_update(step.left) else "=")
        return self.style.inline(f"{self.printed(step.left).text} {sign} {self.printed(step.right).text}")

    def of_blocks(self) -> Iterator[str]:
        """How a block of an array is written: where a unit reads several pre-activations, a target several outputs."""
        spec = self.derivation.graph.spec
        pieces = {l: use.entry.pieces for l, use in enumerate(spec.activations, start=2) if use.entry.pieces > 1}
        divided = [("blocks", PRE, layer, count) for layer, count in list(pieces.items())[:1]]
        if spec.loss.entry.parts > 1:
            divided.append(("blocks_of_outputs", OUT, spec.depth, spec.loss.entry.parts))
        for key, base, layer, count in divided:
            whole = Leaf(base, layer, None, None)
            first = InBlock(whole, 0, "columns", count)
            yield words("words", key, self.inline(first), self.inline(whole))

    def tilde(self) -> Iterator[str]:
        """What a tilde means, in a notation in which biases are the weights of a unit 0."""
        spec, profile = self.derivation.graph.spec, self.notation.profile
        if profile.bias == "weight" and any(spec.bias):
            layer = next(layer for layer in range(1, spec.depth) if spec.has_bias(layer))
            names = (
                self.notation.array(Leaf(base, layer, Axis(layer, constant=True), None), batch=False)
                for base in (OUT, WEIGHT)
            )
            yield words("words", "tilde", *(self.style.inline(self.formula.name(name).text) for name in names))

    def matrix_blocks(self, layout: Layout, mark: str) -> list[PrintedBlock]:
        """The matrix equations in one layout."""
        terms = MatrixPrinter(self.formula, layout.batch)

        def either(formula: Formula) -> Printed:
            return self.formula(formula) if isinstance(formula, Expr) else terms(formula)

        kept = {block.key for section in self.shown for block in section.blocks}
        blocks = matrix_section(self.derivation.matrix(layout)).blocks
        return list(self.blocks((block for block in blocks if block.key in kept), either, mark))

    def blocks(
        self, blocks: Iterable[Block], printer: Callable[[Formula], Printed], mark: str = ""
    ) -> tuple[PrintedBlock, ...]:
        """Blocks with their sentences; of many that differ only in the layer, one is printed."""
        setter = Setter(printer, self.style, self.notation.profile, self.citable, mark)
        condensed = condense(blocks, self.notation.lettered)
        seen: set[str] = set()
        printed = []
        for block in condensed.blocks:
            sentence = self.sentence(block, block.key not in seen)
            seen.add(block.key)
            steps = [(step, self.numbers[step.label]) for step in block.steps]
            facts = [
                said for of in (self.facts.assumed, self.facts.conditioned) for step in steps for said in of(*step)
            ]
            printed.append(PrintedBlock(sentence, tuple(setter.lines(block.steps)), " ".join(facts)))
        if condensed.alike:
            numbers = sorted(self.numbers[label] for label in condensed.alike)
            ends = {"low": f"({numbers[0]}{mark})", "high": f"({numbers[-1]}{mark})"}
            note = f"{printed[-1].note} {words('words', 'same_layers', **ends)}".strip()
            printed[-1] = replace(printed[-1], note=note)
        return tuple(printed)

    def sentence(self, block: Block, first: bool) -> str:
        """The sentence over a block."""
        formulas = [self.inline(part) for part in block.about]
        layers = [self.notation.entry(part).layer for part in block.about if isinstance(part, Entry)]
        layer = self.formula.label(layers[0]) if layers and layers[0] is not None else ""
        variants = (*self.about_layer(block), *self.variants)
        return block_words(block.key, first, *formulas, variants=variants, layer=layer, rate=self.inline(RATE))

    def about_layer(self, block: Block) -> Iterator[str]:
        """What tells the layer of a forward block from the others: its outputs are its pre-activations, no biases."""
        if block.key != "forward_layer":
            return
        spec, layer = self.derivation.graph.spec, int(block.about[-1].indices[0])
        bare = any(spec.bias) and not spec.has_bias(layer - 1)
        linear = spec.activation_of(layer).entry.value == Z
        yield from (key for key, holds in {"linear_without_bias": linear and bare, "linear": linear}.items() if holds)
        if bare:
            yield "without_bias"

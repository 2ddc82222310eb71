"""The numbers of a page: what is put in, what follows, and what stands in for functions without a formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup
from sympy import Expr, Integer, Symbol

from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import Z
from symbackprop.derivation.numbers import drawn, parameters
from symbackprop.network.addresses import entry_at
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import DELTA, ERROR, OUT, TARGET, is_entry
from symbackprop.network.stand_in import is_generic, with_formulas
from symbackprop.render.equations import EquationWriter
from symbackprop.render.html.about import minimised
from symbackprop.render.html.mathml import mathml
from symbackprop.render.html.signs import as_written
from symbackprop.render.wording import words

WIDE, SHARE = ("-2", "2"), ("0", "1")  # the ends of a slider
STRENGTH = "0.1"
SEED = 0


@dataclass(frozen=True)
class Given:
    """A number that the reader can change; ``sign`` times it is what the program is given."""

    address: str
    symbol: Markup
    value: str
    low: str
    high: str
    sign: int


@dataclass(frozen=True)
class Follows:
    """A number that follows; ``sign`` times the program's is what is shown."""

    address: str
    symbol: Markup
    sign: int


@dataclass(frozen=True)
class Group:
    """Numbers that belong together."""

    heading: str
    given: tuple[Given, ...] = ()
    follows: tuple[Follows, ...] = ()


@dataclass(frozen=True)
class LiveWriter:
    """Writes the numbers of a page."""

    writer: EquationWriter

    def groups(self) -> list[Group]:
        """Inputs and targets, parameters, the forward pass, the error, δ and gradients."""
        graph = self.writer.derivation.graph
        layers = range(2, graph.depth + 1)
        forward = [entry for layer in layers for entry in graph.forward_entries(layer)]
        deltas = [DELTA[layer, pre] for layer in reversed(layers) for pre in graph.fed(layer)]
        what = minimised(graph.spec)
        gradients = [Follows(f"dE/d{of}", *self._signed(Partial(what, of))) for of in parameters(graph)]
        data = [*(OUT[1, i] for i in graph.units(1)), *graph.targets()]
        return [
            Group(words("page", "data"), given=tuple(self._given(data))),
            Group(words("page", "parameters"), given=tuple(self._given([*parameters(graph)]))),
            Group(words("page", "error"), follows=(Follows(str(ERROR), *self._signed(what)),)),
            Group(words("page", "gradients"), follows=tuple(gradients)),
            Group(words("page", "deltas"), follows=tuple(map(self._follows, deltas))),
            Group(words("page", "forward"), follows=tuple(map(self._follows, forward))),
        ]

    def _given(self, entries: list[Expr]) -> Iterator[Given]:
        spec = with_formulas(self.writer.derivation.graph.spec)
        numbers = drawn(forward_graph(spec), SEED)
        numbers |= {entry_at(address, spec): value for address, value in spec.values.items() if address[0] in "wbxt"}
        if self.writer.view.worked is not None:
            numbers |= self.writer.view.worked.given  # the page starts from the numbers that its equations show
        loss = spec.loss.entry
        shares = loss.targets_sum_to_one or loss.binary_targets or loss.classes
        for entry in entries:
            low, high = SHARE if shares and is_entry(entry, TARGET) else WIDE
            symbol, sign = self._signed(entry)
            yield Given(str(entry), symbol, f"{sign * float(numbers[entry]):g}", low, high, sign)
        if spec.penalty is not None and isinstance(spec.penalty.strength, Symbol) and is_entry(entries[-1], TARGET):
            strength = spec.penalty.strength
            yield Given(strength.name, Markup(self.writer.inline(strength)), STRENGTH, *SHARE, 1)

    def _follows(self, expr: Expr) -> Follows:
        return Follows(str(expr), *self._signed(expr))

    def _signed(self, expr: Expr) -> tuple[Markup, int]:
        sign, quantity = as_written(self.writer.notation.profile, expr)
        return Markup(mathml(self.writer.formula(quantity).text, display=True)), sign

    def stand_ins(self) -> list[Markup]:
        """What is put in for functions that are known by name only, in sentences."""
        spec = self.writer.derivation.graph.spec
        said = []
        for tag in dict.fromkeys(use.tag for use in spec.activations if is_generic(use)):
            stand_in = next(each for each in with_formulas(spec).activations if each.tag == tag)
            letter, formula = self.writer.inline(Apply(Symbol(tag), Integer(0), Z)), stand_in.entry.value
            said.append(words("about", "stand_in", letter, self.writer.inline(formula)))
        if spec.loss.entry.value is None:
            name = words("losses", with_formulas(spec).loss.entry.name)
            said.append(words("about", "stand_in_loss", name=name))
        return list(map(Markup, said))

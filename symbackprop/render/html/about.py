"""What a page says about one weight, unit or δ when it is selected: its paths, its factors and its equations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Partial
from symbackprop.derivation.derive import Derivation
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OBJECTIVE, OUT, WEIGHT
from symbackprop.network.spec import NetworkSpec
from symbackprop.render.equations import EquationWriter
from symbackprop.render.html.factors import terms
from symbackprop.render.html.mathml import continued, mathml, sources
from symbackprop.render.html.signs import as_written
from symbackprop.render.picture.highlight import highlight
from symbackprop.render.printed import Printed
from symbackprop.render.sums import signed
from symbackprop.render.wording import words

Line = tuple[str, ...]


@dataclass(frozen=True)
class About:
    """What is shown for ``entry``; ``lit`` is what lights up.

    ``lines`` are formulas in pieces, their factors marked with the parts of the picture that they come from; ``order``
    has those parts, each once. ``live`` is the address of the value that follows the numbers put in, ``symbol`` how it
    is printed, ``sign`` what the value is multiplied by to be what is printed. ``equations`` are the labels of the
    steps about it. ``passed`` lights up too; many have it in common.
    """

    entry: str
    spoken: str
    title: str
    lines: tuple[Line, ...]
    lit: tuple[str, ...]
    order: tuple[str, ...]
    live: str
    symbol: str
    sign: int
    equations: tuple[str, ...]
    passed: tuple[str, ...] = ()


def written_singly(derivation: Derivation) -> bool:
    """Whether a derivation holds lines of its own for each weight."""
    return all(f"{of}.chain" in derivation.by_label for of in derivation.graph.weights())


@dataclass(frozen=True)
class AboutWriter:
    """Writes what is to be said, from the steps of the derivation."""

    writer: EquationWriter

    def __call__(self) -> Iterator[About]:
        """Every weight, bias, unit and δ of a derivation that holds lines of its own for each."""
        graph = self.writer.derivation.graph
        yield from map(self.parameter, self.shown())
        for layer in range(1, graph.depth + 1):
            for unit in graph.units(layer):
                yield self.unit(layer, unit)
        for layer in range(2, graph.depth + 1):
            for pre in graph.fed(layer):
                yield self.delta(layer, pre)

    def shown(self) -> list[Entry]:
        """The weights and biases that can be selected."""
        graph = self.writer.derivation.graph
        return [*graph.weights(), *graph.biases()]

    def parameter(self, of: Entry) -> About:
        """A weight or a bias: the product along each path, the factors put in, and the same with δ."""
        steps, graph = self.writer.derivation.by_label, self.writer.derivation.graph
        chain, product, folded = (steps[f"{of}.{line}"] for line in ("chain", "product", "folded"))
        lines = [*self._lines(chain.right, chain.left), *self._lines(product.right)]
        if folded.right not in terms(product.right):
            lines += self._lines(folded.right)
        kind = "weight" if of.base == WEIGHT else "bias"
        names = {"address": str(of), "from": of.indices[1], "to": of.indices[-1], "layer": of.indices[0]}
        return About(
            str(of),
            words("about", kind, **names, next=of.indices[0] + 1),
            self._signed(of)[0],
            tuple(lines),
            tuple(sorted(map(str, highlight(graph, of).lit))),
            self._order(chain.right),
            f"dE/d{of}",
            *self._signed(Partial(minimised(graph.spec), of)),
            tuple(label for label in steps if label.startswith(f"{of}.")),
        )

    def unit(self, layer: int, unit: int) -> About:
        """An input, or a unit: its pre-activation and its output."""
        derivation, out = self.writer.derivation, OUT[layer, unit]
        read = [] if layer == 1 else derivation.graph.read_by(out)
        labels = tuple(f"forward.z.{layer}.{pre.indices[1]}" for pre in read)
        labels += () if layer == 1 else (f"forward.a.{layer}.{unit}",)
        steps = [derivation.by_label[label] for label in labels if label in derivation.by_label]
        lines = tuple(line for step in steps for line in self._lines(step.right, step.left))
        edges = [of for of in derivation.graph.weights() if layer in (of.indices[0], of.indices[0] + 1)]
        fed = [pre.indices[1] for pre in read]
        beside = [of for of in edges if (of.indices[1] == unit if of.indices[0] == layer else of.indices[2] in fed)]
        spoken = words("about", "input" if layer == 1 else "unit", address=str(out), unit=unit, layer=layer)
        return About(
            str(out),
            spoken,
            self._title(out),
            lines,
            (str(out), *map(str, beside)),
            (),
            "" if layer == 1 else str(out),
            *self._signed(out),
            labels,
        )

    def delta(self, layer: int, pre: int) -> About:
        """δ of a pre-activation: where it comes from."""
        derivation, entry = self.writer.derivation, DELTA[layer, pre]
        unit, _ = derivation.graph.reader(layer, pre)
        labels = [s.label for s in derivation.scalar.delta(layer, pre) if s.label in derivation.by_label]
        steps = [derivation.by_label[label] for label in labels]
        name = as_written(self.writer.notation.profile, entry)[1]
        lefts = (name, *[None] * len(steps))
        lines = [line for step, left in zip(steps, lefts, strict=False) for line in self._lines(step.right, left)]
        # What a bias of this unit would pass on its way to the error is what δ passes.
        passed = highlight(derivation.graph, BIAS[layer - 1, pre])
        lit = {str(e) for e in passed.lit if e != passed.of} | {str(entry)}
        return About(
            str(entry),
            words("about", "delta", address=str(entry), unit=unit, layer=layer),
            self._title(name),
            tuple(lines),
            tuple(sorted(lit)),
            self._order(*(step.right for step in steps)),
            str(entry),
            *self._signed(entry),
            tuple(labels),
        )

    def _order(self, *formulas: Expr) -> tuple[str, ...]:
        """Where the marked factors of the formulas come from, in the order in which they stand."""
        return tuple(dict.fromkeys(source for expr in formulas for source in sources(self.writer.formula(expr).text)))

    def _signed(self, expr: Expr) -> tuple[str, int]:
        sign, quantity = as_written(self.writer.notation.profile, expr)
        return self._title(quantity), sign

    def _line(self, sign: str, right: Printed, left: Expr | None = None) -> Line:
        """A sign and a formula, in pieces between which a line may be broken."""
        front = [self._title(left)] if left is not None else []
        parts = (continued(part.text) for part in right.parts or (right,))
        return (*front, self._sign(sign), *(mathml(part, display=True) for part in parts))

    def _lines(self, right: Expr, left: Expr | None = None) -> Iterator[Line]:
        """A line for each term of an ordered sum."""
        first, *others = terms(right)
        yield self._line("=", self.writer.formula(first), left)
        for minus, piece in (signed(self.writer.formula, term) for term in others):
            yield self._line("-" if minus else "+", piece)

    def _sign(self, sign: str) -> str:
        return mathml(self.writer.style.markup.operator(sign))

    def _title(self, expr: Expr) -> str:
        return mathml(self.writer.formula(expr).text, display=True)


def minimised(spec: NetworkSpec) -> Symbol:
    """What the numbers of a page are derivatives of: the error of the example, with a penalty the objective."""
    return ERROR if spec.penalty is None else OBJECTIVE

"""What a page says about one weight, unit or δ when it is selected: its paths, its factors and its equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.network.quantities import BIAS, DELTA, ERROR, OBJECTIVE, OUT, PRE, WEIGHT, is_entry
from symbackprop.network.spec import NetworkSpec
from symbackprop.render.equations import EquationWriter
from symbackprop.render.html.mathml import mathml
from symbackprop.render.html.signs import as_written, local_derivative
from symbackprop.render.picture.highlight import highlight
from symbackprop.render.printed import Level
from symbackprop.render.wording import words

COLOURS = 10


@dataclass(frozen=True)
class Piece:
    """A factor or a sign; ``source`` is the address of the edge or unit that it comes from."""

    mathml: str
    source: str = ""


@dataclass(frozen=True)
class About:
    """What is shown for ``entry``; ``lit`` is what lights up, ``colours`` the colour of each thing that has one.

    ``live`` is the address of the value that follows the numbers put in, ``symbol`` how it is printed, ``sign`` what
    the value is multiplied by to be what is printed. ``equations`` are the labels of the steps about it.
    """

    entry: str
    spoken: str
    title: str
    lines: tuple[tuple[Piece, ...], ...]
    lit: tuple[str, ...]
    colours: Mapping[str, int]
    live: str
    symbol: str
    sign: int
    equations: tuple[str, ...]


@dataclass(frozen=True)
class AboutWriter:
    """Writes what is to be said, from the steps of the derivation."""

    writer: EquationWriter

    def __call__(self) -> Iterator[About]:
        """Every weight, bias, unit and δ, where the derivation holds the lines of each; else nothing."""
        graph, steps = self.writer.derivation.graph, self.writer.derivation.by_label
        if not all(f"{of}.chain" in steps for of in graph.weights()):
            return
        for of in (*graph.weights(), *graph.biases()):
            yield self.parameter(of)
        for layer in range(1, graph.depth + 1):
            for unit in graph.units(layer):
                yield self.unit(layer, unit)
        for layer in range(2, graph.depth + 1):
            for unit in graph.units(layer):
                yield self.delta(layer, unit)

    def parameter(self, of: Entry) -> About:
        """A weight or a bias: the product along each path, the factors put in, and the same with δ."""
        steps, graph = self.writer.derivation.by_label, self.writer.derivation.graph
        chains = _sum(steps[f"{of}.chain"].right)
        products = _sum(steps[f"{of}.product"].right)
        folded = steps[f"{of}.folded"]
        colours = self._colours([self._source(factor) for chain in chains for factor in _product(chain)])
        lines = [*self._paths(folded.left, chains), *self._products(chains, products)]
        if folded.right not in products:
            lines.append((self._sign("="), self._piece(folded.right)))
        kind = "weight" if of.base == WEIGHT else "bias"
        names = {"address": str(of), "from": of.indices[1], "to": of.indices[-1], "layer": of.indices[0]}
        return About(
            str(of),
            words("about", kind, **names, next=of.indices[0] + 1),
            self._title(folded.left),
            tuple(lines),
            tuple(sorted(map(str, highlight(graph, of).lit))),
            colours,
            f"dE/d{of}",
            *self._signed(Partial(minimised(graph.spec), of)),
            tuple(label for label in steps if label.startswith(f"{of}.")),
        )

    def unit(self, layer: int, unit: int) -> About:
        """An input, or a unit: its pre-activation and its output."""
        derivation, out = self.writer.derivation, OUT[layer, unit]
        labels = () if layer == 1 else (f"forward.z.{layer}.{unit}", f"forward.a.{layer}.{unit}")
        steps = [derivation.by_label[label] for label in labels]
        lines = tuple((self._piece(step.left), self._sign("="), self._piece(step.right)) for step in steps)
        edges = [of for of in derivation.graph.weights() if layer in (of.indices[0], of.indices[0] + 1)]
        beside = [of for of in edges if of.indices[1 if of.indices[0] == layer else 2] == unit]
        spoken = words("about", "input" if layer == 1 else "unit", address=str(out), unit=unit, layer=layer)
        return About(
            str(out),
            spoken,
            self._title(out),
            lines,
            (str(out), *map(str, beside)),
            {},
            "" if layer == 1 else str(out),
            *self._signed(out),
            labels,
        )

    def delta(self, layer: int, unit: int) -> About:
        """δ of a unit: where it comes from."""
        derivation, entry = self.writer.derivation, DELTA[layer, unit]
        labels = [step.label for step in derivation.scalar.delta(layer, unit)]
        steps = [derivation.by_label[label] for label in labels]
        lines = []
        for n, step in enumerate(steps):
            left = [self._piece(step.left)] if n == 0 else []
            lines.append((*left, self._sign("="), self._piece(step.right)))
        # What a bias of this unit would pass on its way to the error is what δ passes.
        passed = highlight(derivation.graph, BIAS[layer - 1, unit])
        lit = {str(e) for e in passed.lit if e != passed.of} | {str(entry)}
        return About(
            str(entry),
            words("about", "delta", address=str(entry), unit=unit, layer=layer),
            self._title(steps[0].left),
            tuple(lines),
            tuple(sorted(lit)),
            {},
            str(entry),
            *self._signed(entry),
            tuple(labels),
        )

    def _paths(self, left: Expr, chains: Sequence[Expr]) -> Iterator[tuple[Piece, ...]]:
        for n, chain in enumerate(chains):
            front = [self._piece(left), self._sign("=")] if n == 0 else [self._sign("+")]
            factors = [self._factor(factor, factor) for factor in _product(chain)]
            yield (*front, *[piece for factor in factors for piece in (self._dot(), factor)][1:])

    def _products(self, chains: Sequence[Expr], products: Sequence[Expr]) -> Iterator[tuple[Piece, ...]]:
        if len(chains) != len(products):
            yield self._sign("="), *(self._piece(product) for product in products)
            return
        for n, (chain, product) in enumerate(zip(chains, products, strict=True)):
            put = _product(product)
            local = [factor for factor in _product(chain) if not self._is_one(factor)] or _product(chain)[:1]
            sources = local if len(local) == len(put) else [None] * len(put)
            pieces = (self._factor(value, factor) for value, factor in zip(put, sources, strict=True))
            yield (self._sign("=" if n == 0 else "+"), *pieces)

    def _is_one(self, factor: Expr) -> bool:
        """Whether the factor is left out once its value is put in."""
        local = local_derivative(self.writer, factor)
        return local is not None and self.writer.derivation.scalar.factor(local.of, local.by)[0] == 1

    def _source(self, factor: Expr) -> str:
        local = local_derivative(self.writer, factor)
        return "" if local is None else came_from(local)

    def _factor(self, expr: Expr, factor: Expr | None) -> Piece:
        source = "" if factor is None else self._source(factor)
        piece = self.writer.formula.tight(expr, Level.PRODUCT)
        return Piece(mathml(piece.text, display=True), source)

    def _colours(self, sources: Sequence[str]) -> dict[str, int]:
        return {source: n % COLOURS + 1 for n, source in enumerate(dict.fromkeys(filter(None, sources)))}

    def _signed(self, expr: Expr) -> tuple[str, int]:
        sign, quantity = as_written(self.writer, expr)
        return self._title(quantity), sign

    def _piece(self, expr: Expr) -> Piece:
        return Piece(mathml(self.writer.formula(expr).text, display=True))

    def _sign(self, sign: str) -> Piece:
        return Piece(mathml(self.writer.style.markup.operator(sign)))

    def _dot(self) -> Piece:
        return Piece(mathml(self.writer.style.markup.dot.strip()))

    def _title(self, expr: Expr) -> str:
        return mathml(self.writer.formula(expr).text, display=True)


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


def minimised(spec: NetworkSpec) -> Symbol:
    """What the numbers of a page are derivatives of: the error of the example, with a penalty the objective."""
    return ERROR if spec.penalty is None else OBJECTIVE


def _sum(expr: Expr) -> tuple[Expr, ...]:
    return tuple(expr.args) if isinstance(expr, Total) else (expr,)


def _product(expr: Expr) -> list[Expr]:
    return list(expr.args) if isinstance(expr, Chain) else [expr]

"""The front matter of a document: what the network is, and the notation in a filled-in table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sympy import Expr, Integer, KroneckerDelta, Symbol

from symbackprop.calculus.inert import Apply, Partial
from symbackprop.catalogue.entries import A, Kink, T, Z
from symbackprop.derivation.output import OTHER
from symbackprop.network.layers import GENERIC_LOSS, at_outputs, in_layer
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    CLASS_WEIGHT,
    DELTA,
    ERROR,
    FROM,
    LAYER,
    OBJECTIVE,
    OUT,
    OUTPUT_UNIT,
    PRE,
    RATE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
)
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.named import GradientBase, named
from symbackprop.notation.signs import expr_sign
from symbackprop.render.detail import FULL
from symbackprop.render.equations import EquationWriter
from symbackprop.render.wording import keys, variant, words

LAYERS_IN_TITLE = 8


def title_of(spec: NetworkSpec) -> str:
    """The title of a network; of one that has none, its sizes, or the number of its layers, and a loss of its own."""
    shape = "-".join(map(str, spec.sizes)) if spec.depth <= LAYERS_IN_TITLE else f"{spec.depth}-layer"
    loss = spec.loss.entry.name
    return spec.title or words("words", "title" if loss in keys("losses") else "title_own_loss", shape=shape, loss=loss)


@dataclass(frozen=True)
class LayerRow:
    """One layer, or several equal ones, in the table of layers."""

    layer: str
    units: str
    activation: str
    bias: str


@dataclass(frozen=True)
class SymbolRow:
    """One line of the notation table."""

    symbol: str
    meaning: str


@dataclass(frozen=True)
class FrontWriter:
    """Writes the front matter with the printers of ``writer``."""

    writer: EquationWriter

    @property
    def _spec(self) -> NetworkSpec:
        return self.writer.derivation.graph.spec

    def sentences(self) -> list[str]:
        """What the network is, in sentences."""
        spec, inline = self._spec, self.writer.inline
        said = [self.network()]
        several = spec.targets_count > 1 and not spec.loss.entry.joint
        over = spec.output_reduction if spec.loss.entry.parts == 1 else f"{spec.output_reduction}_targets"
        reduction = words("words", over) if several else ""
        said.append(words("words", "loss", name=self._loss(), reduction=reduction))
        if spec.class_weights:
            said.append(words("words", "class_weights", values=self._class_weights()))
        said.append(words("words", f"batch_{spec.batch_reduction}"))
        if spec.class_weights and spec.batch_reduction == "mean":
            said.append(words("words", "class_weights_mean"))
        if spec.penalty is not None:
            said.append(words("words", "penalty", name=words("penalties", spec.penalty.entry.name)))
        for key, learned in (("parameters", False), ("trained", True)):
            chosen = {p: value for p, value in spec.parameters.items() if (p in spec.trained) == learned}
            values = ", ".join(f"{inline(symbol)} = {inline(value)}" for symbol, value in chosen.items())
            said += [words("words", key, values=values)] if chosen else []
        said += self.pieces()
        said += [self.writer.style.words(choice) for choice in spec.choices]
        return [*said, words("words", "numbers_kept")] if self.writer.view.detail != FULL else said

    def network(self) -> str:
        """How large the network is."""
        spec = self._spec
        parameters = spec.weight_count + sum(n for n, bias in zip(spec.fed[1:], spec.bias, strict=True) if bias)
        parameters += len(spec.trained)
        first = self.writer.notation.profile.first_layer
        return words("words", "layers", count=spec.depth, parameters=parameters, first=first)

    def _class_weights(self) -> str:
        """The weights of the classes with their numbers; of many, the first and the last."""
        given = [f"{self.writer.inline(of)} = {self.writer.inline(n)}" for of, n in self._spec.class_weights.items()]
        if len(given) > LAYERS_IN_TITLE:
            given[LAYERS_IN_TITLE - 1 : -1] = ["…"]
        return ", ".join(given)

    def _loss(self) -> str:
        """What the loss is called: by its phrase, or a loss of the user's own by its name or its formula."""
        loss = self._spec.loss.entry
        if loss.name in keys("losses"):
            return words("losses", loss.name)
        name = self.writer.style.words(loss.name) if loss.name.isidentifier() else self.writer.inline(loss.value)
        return words("words", "own_loss", name=name)

    def kinks(self) -> list[str]:
        """Where activations and the loss have no derivative, and what is taken there."""
        spec, inline = self._spec, self.writer.inline
        layer_of: dict[str, int] = {}
        for layer, use in enumerate(spec.activations, start=2):
            layer_of.setdefault(use.tag, layer)
        said = []
        for tag, layer in layer_of.items():
            for kink in spec.activation_of(layer).entry.kinks:
                if kink.of is None:
                    said.append(self._kink(Z, kink.at, kink.slope, inline(Apply(Symbol(tag), Integer(0), Z))))
                else:
                    said.append(self._kink_of_piece(kink, layer))
        loss = spec.loss.entry
        # All outputs are in the formula of a joint loss: the point is said of the k-th of them.
        put = {LAYER: Integer(spec.depth)}
        for kink in loss.kinks:
            at, point = (at_outputs(side).xreplace(put) if loss.joint else side for side in (A, kink.at))
            said.append(self._kink(at, point, kink.slope, self._loss()))
        return said

    def _kink(self, at: Expr, point: Expr, slope: Expr, name: str) -> str:
        inline = self.writer.inline
        return words("words", "kink", inline(at), inline(point), inline(slope), name=name)

    def _kink_of_piece(self, kink: Kink, layer: int) -> str:
        node = self.writer.derivation.graph.out[layer]
        of, at = (self.writer.inline(node.at_layer(in_layer(side, node.equation))) for side in (kink.of, kink.at))
        name = self._activation(layer)
        return words("words", "kink_piece", of, at, self.writer.inline(kink.slope), name=name)

    def pieces(self) -> Iterator[str]:
        """Which pre-activations a unit reads, where it reads several."""
        spec, graph, inline = self._spec, self.writer.derivation.graph, self.writer.inline
        said = set()
        for layer, use in enumerate(spec.activations, start=2):
            if use.entry.pieces > 1 and use.tag not in said:
                said.add(use.tag)
                read = ", ".join(map(inline, graph.out[layer].parents))
                name = self._activation(layer)
                yield words("words", "pieces", inline(graph.out[layer].left), read, name=name, count=use.entry.pieces)

    def layers(self) -> list[LayerRow]:
        """The table of layers; neighbours that are equal share a row."""
        spec, first = self._spec, self.writer.notation.profile.first_layer
        rows: list[tuple[int, tuple[str, str, str]]] = []
        for layer, size in enumerate(spec.sizes, start=1):
            activation = words("words", "input_row") if layer == 1 else self._activation(layer)
            bias = "" if layer == 1 else words("words", "yes" if spec.has_bias(layer - 1) else "no")
            rows.append((layer - 1 + first, (str(size), activation, bias)))
        return [self._layer_row(list(group)) for _, group in groupby(rows, key=lambda row: row[1])]

    def _layer_row(self, rows: list[tuple[int, tuple[str, str, str]]]) -> LayerRow:
        (start, what), (end, _) = rows[0], rows[-1]
        return LayerRow(str(start) if start == end else f"{start}–{end}", *what)

    def _activation(self, layer: int) -> str:
        use = self._spec.activation_of(layer)
        if use.entry.over_units:
            return use.entry.name
        letter = self.writer.inline(Apply(Symbol(use.tag), Integer(0), Z))
        return letter if use.entry.value is None else f"{use.entry.name.replace('_', ' ')}, {letter}"

    def notation(self) -> list[SymbolRow]:
        """The notation table; a letter that stands for two quantities has one row that says both."""
        meanings: dict[str, list[str]] = {}
        for expr, meaning in self._symbols():
            meanings.setdefault(self.writer.inline(expr), []).append(meaning)
        return [SymbolRow(symbol, words("words", "or").join(said)) for symbol, said in meanings.items()]

    def _symbols(self) -> Iterator[tuple[Expr, str]]:
        spec, profile, inline = self._spec, self.writer.notation.profile, self.writer.inline
        label = self.writer.formula.label
        first = profile.first_layer - 1
        places = {
            "from": inline(FROM),
            "to": inline(TO),
            "output": inline(OUTPUT_UNIT),
            "layer": self.writer.style.inline(label(LAYER)),
            "next": self.writer.style.inline(label(LAYER + 1)),
            "order": words("meanings", profile.weight_indices),
            "carries": words("meanings", profile.weight_layer),
            "objective": self._objective(),
        }
        # The table names layers by their printed letter, so the count's offset is taken out again.
        layer = LAYER - first
        entries: dict[str, Expr] = {"input": OUT[1, FROM], "weight": WEIGHT[layer, FROM, TO]}
        if any(spec.bias):
            entries["bias"] = BIAS[layer, TO]
        entries |= {"pre": PRE[layer, TO], "out": OUT[layer, TO]}
        if "output" in profile.letters:
            entries["net_out"] = OUT[spec.depth, OUTPUT_UNIT]
        entries |= {"target": TARGET[OUTPUT_UNIT], "error": ERROR, "objective": OBJECTIVE, "delta": DELTA[layer, TO]}
        if "gradient" in profile.letters:
            entries["gradient"] = GradientBase(WEIGHT)[layer, FROM, TO]
        if "gradient" in profile.letters and any(spec.bias):
            entries["gradient_bias"] = named(self.writer.notation.substitution.into(Partial(ERROR, BIAS[layer, TO])))
        if spec.class_weights:
            entries["class_weight"] = CLASS_WEIGHT[OUTPUT_UNIT]
        entries |= {"size": SIZE[layer], "batch": BATCH, "rate": RATE}
        for key, expr in entries.items():
            quantity = expr_sign(self.writer.notation.substitution.into(expr))[1]
            key = "target_of_parts" if key == "target" and spec.loss.entry.parts > 1 else key
            yield quantity, words("meanings", variant("meanings", key, self.writer.variants), **places)
        yield from self._functions()
        for entry in spec.trained.values():
            yield entry, words("meanings", "trained", layer=inline(entry.indices[0] + profile.first_layer - 1))
        if spec.penalty is not None and isinstance(spec.penalty.strength, Symbol):
            yield spec.penalty.strength, words("meanings", "strength")

    def _objective(self) -> str:
        """What is minimised, in words."""
        errors = words("words", f"objective_{self._spec.batch_reduction}")
        return errors if self._spec.penalty is None else words("words", "with_penalty", objective=errors)

    def _functions(self) -> Iterator[tuple[Expr, str]]:
        inline = self.writer.inline
        for tag, entry in {use.tag: use.entry for use in self._spec.activations}.items():
            if entry.over_units:
                continue
            function, slope = (Apply(Symbol(tag), Integer(order), Z) for order in (0, 1))
            if entry.value is None:
                yield function, words("meanings", "generic", slope=inline(slope))
            else:
                yield function, words("meanings", "named", name=entry.name.replace("_", " "))
        if self._spec.activation_of(self._spec.depth).entry.group:
            yield KroneckerDelta(OUTPUT_UNIT, OTHER), words("meanings", "kronecker")
        if self._spec.loss.entry.value is None:
            share, slope = (Apply(GENERIC_LOSS, Integer(order), A, T) for order in (0, 1))
            yield share, words("meanings", "cost", slope=inline(slope))

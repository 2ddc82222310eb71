"""What goes into an emitted module that computes with arrays: program lines, names and numbers, all of them derived."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from sympy import Symbol, diff

from symbackprop.catalogue import entries as row
from symbackprop.catalogue.activations import SIGMOID, TANH
from symbackprop.catalogue.losses import MSE
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.slopes import slope_of
from symbackprop.emit import source
from symbackprop.emit.arrays import ArrayPrinter, Library
from symbackprop.emit.formulas import FormulaReader
from symbackprop.emit.lower import lower
from symbackprop.emit.names import Names
from symbackprop.emit.printer import PythonPrinter
from symbackprop.emit.program import Assign, Program, Var, needed
from symbackprop.emit.stored import Stored
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.profile import Profile
from symbackprop.templating import environment

OWN = ("_erf", "_normal_tail", "_row_max", "_one_hot")  # functions of ours, each in a template of its own
Printing = Callable[[Mapping[Symbol, str]], ArrayPrinter]


@dataclass(frozen=True)
class Slicer:
    """Cuts a program into functions, each line written by the ``printer`` made for the names of numbers."""

    program: Program
    spec: NetworkSpec
    names: Names
    numbers: Mapping[str, int]
    printer: Printing

    def __call__(self, outputs: Sequence[str]) -> source.Slice:
        """The lines that ``outputs`` need, with what must stand before them."""
        lines = needed(self.program.lines, outputs)
        printer = self.printer(source.named_numbers(self.spec))
        return self.written(lines, [(printer.line(line), line.label) for line in lines], printer)

    def written(
        self, lines: Sequence[Assign], statements: Iterable[tuple[list[str], str | None]], printer: ArrayPrinter
    ) -> source.Slice:
        """``lines`` as the ``statements`` that ``printer`` wrote for them, with the labels of the Steps."""
        text = [part for each, label in statements for part in self._fitted(each, label)]
        opening: list[str] = []
        opened = {**printer.library.opening, self.names.class_weights: printer.library.class_weights}
        for word, line in reversed(opened.items()):
            if any(word in _words(part) for part in [*opening, *text]):
                opening.insert(0, line.format(self.names.input, word))
        return source.Slice([*opening, *text], source.keywords(lines, self.spec), frozenset(printer.used))

    def _fitted(self, statements: list[str], label: str | None) -> list[str]:
        first, *rest = statements
        comment = source.citation(self.numbers, label)
        return [*source.fitted(first, comment=comment), *(part for line in rest for part in source.fitted(line))]


@dataclass(frozen=True)
class ArrayModule:
    """What the template of a module that computes with arrays places.

    Names are the letters of ``profile``; ``numbers`` are those of a document's equations. ``printer`` writes the lines.
    """

    derivation: Derivation
    profile: Profile
    numbers: Mapping[str, int]
    printer: Printing

    @property
    def spec(self) -> NetworkSpec:
        """The network."""
        return self.derivation.graph.spec

    @cached_property
    def starts(self) -> dict[str, float]:
        """What the trained parameters of activations start at."""
        trained = self.spec.trained.items()
        return {f"{e.base.parameter}{e.indices[0]}": float(self.spec.parameters[symbol]) for symbol, e in trained}

    @cached_property
    def names(self) -> Names:
        """The names of the arrays."""
        return Names(self.profile, self.spec.depth, source.functions_handed_in(self.spec) | self.starts.keys())

    @cached_property
    def program(self) -> Program:
        """The network's program."""
        return lower(self.derivation, self.names)

    @cached_property
    def stored(self) -> Stored:
        """How the module stores the parameters."""
        return Stored(self.program, self.profile, self.printer({}).library, self.starts)

    @cached_property
    def cut(self) -> Slicer:
        """What cuts the program into functions."""
        return Slicer(self.program, self.spec, self.names, self.numbers, self.printer)

    @property
    def outputs(self) -> list[str]:
        """The names of the loss and of the gradients."""
        return [self.program.loss, *self.program.gradients.values()]

    def parts(
        self, backward: source.Slice | None = None, extra: Sequence[str] = (), plain: source.Slice | None = None
    ) -> dict[str, Any]:
        """The whole module; ``backward`` computes loss and gradients, with ``extra`` arguments.

        ``plain`` computes the gradients alone, a line for each equation; without it, they are those of ``backward``.
        """
        program, spec = self.program, self.spec
        forward, loss = self.cut(program.intermediates), self.cut([program.loss])
        backward = backward or self.cut(self.outputs)
        functions = [forward, loss, backward, *([plain] if plain else [])]
        return {
            **self.arguments(forward, loss, backward, extra),
            **self.alone(backward, plain),
            **self.layout(),
            **self.heading(),
            "layers": self.layers(),
            "intermediates": program.intermediates,
            "forward_lines": forward.lines,
            "loss_lines": loss.lines,
            "gradient_lines": backward.lines,
            "result": self.stored.library.as_number.format(program.loss),
            "uses_real": any("real = partial" in line for part in functions for line in part.lines),
            "updates": updates(self.stored, self.printer, spec),
            "helpers": helpers(
                self.of_targets.union(*(part.helpers for part in functions)), self.stored.library.helpers
            ),
            "stand_ins": stand_ins(backward.keywords, spec, self.printer),
            "uses_any": bool(source.functions_handed_in(spec)),
            "uses_callable": bool(source.functions_handed_in(spec)),
            "few_examples": None,
            "pass_functions": (),
        }

    @property
    def of_targets(self) -> frozenset[str]:
        """The helper functions that read the targets."""
        return frozenset({"_one_hot"} if self.spec.loss.entry.classes else ())

    def heading(self) -> dict[str, Any]:
        """What the module says of itself."""
        spec, names = self.spec, self.names
        shapes = (f"{name} ({self.program.arrays[name][1]},)" for name in self.program.intermediates)
        return {
            "x": names.input,
            "t": names.target,
            "summary": f"Loss and gradients of the network {source.summary(spec)}.",
            "description": description(spec, names, self.numbers),
            "title": source.title_lines(spec),
            "inputs": spec.sizes[0],
            "outputs": spec.targets_count,
            "reduction": f"the {spec.batch_reduction} over the batch" + (", plus the penalty" if spec.penalty else ""),
            "array": self.stored.library.array,
            "constants": self.constants(),
            "intermediates_in_words": textwrap.wrap(f"{', '.join(shapes)}.", 110),
            "targets_sum_to_one": bool(spec.loss.entry.targets_sum_to_one),
            "classes": spec.loss.entry.classes,
            "classes_in_words": class_numbers(spec, names.target, self.stored.library),
        }

    def constants(self) -> list[tuple[str, str]]:
        """The named numbers of the formulas, the weights of the classes as one of them."""
        weights = self.spec.loss.class_weights
        return [
            *source.constants(self.spec),
            *([(source.CLASS_WEIGHTS, source.of_weights(weights))] if weights else []),
        ]

    def arguments(
        self, forward: source.Slice, loss: source.Slice, backward: source.Slice, extra: Sequence[str]
    ) -> dict[str, Any]:
        """The first lines of the functions and the calls between them."""
        library, names, both = self.stored.library, self.names, backward.passed
        params, x, t = "params: Arrays", f"{names.input}: {library.given}", f"{names.target}: {library.given}"
        call = ", ".join
        return {
            "handed_in": bool(source.functions_handed_in(self.spec)),
            "forward_def": source.signature("forward", [params, x], forward.named, "Arrays"),
            "loss_def": source.signature("loss", [params, x, t], loss.named, library.number),
            "both_def": source.signature(
                "loss_and_gradients",
                [params, x, t],
                [*backward.named, *extra],
                f"tuple[{library.number}, Arrays]",
            ),
            "found_call": source.fitted(f"_, slopes = loss_and_gradients({call(['params', 'x', 't', *both])})"),
            "above_call": source.fitted(f"change = loss({call(['unpack(above)', 'x', 't', *loss.passed])})", 8),
            "below_call": source.fitted(f"change -= loss({call(['unpack(below)', 'x', 't', *loss.passed])})", 8),
        }

    def alone(self, backward: source.Slice, plain: source.Slice | None) -> dict[str, Any]:
        """The function that returns the gradients without the loss."""
        library, names, own = self.stored.library, self.names, plain or backward
        given = ["params: Arrays", f"{names.input}: {library.given}", f"{names.target}: {library.given}"]
        call = ", ".join(["params", names.input, names.target, *backward.passed])
        return {
            "gradients_def": source.signature("gradients", given, own.named, "Arrays"),
            "gradients_call": [] if plain else source.fitted(f"return loss_and_gradients({call})[1]"),
            "plain_lines": plain.lines if plain else [],
        }

    def layout(self) -> dict[str, Any]:
        """Shapes, and where each parameter lies in one vector."""
        stored, program, spec = self.stored, self.program, self.spec
        ends, unpacked = 0, []
        for name, shape in stored.shapes.items():
            start, ends = ends, ends + prod(shape)
            piece = f"vector[{start}:{ends}]"
            unpacked.append((name, piece if len(shape) == 1 else stored.library.shaped.format(piece, shape)))
        return {
            "shapes": stored.shapes.items(),
            "weight_layout": "from_to" if stored.from_to else "to_from",
            "weight_layout_in_words": f"W1[{'i, j' if stored.from_to else 'j, i'}] leads from unit i to unit j",
            "biases": stored.biases,
            "biases_in_words": stored.in_words,
            "parameters": self.taken_apart("params"),
            "gradient_names": stored.of(program.gradients).items(),
            "trained": ", ".join(self.starts),
            "initial": [(name, stored.start(name, spec.sizes[layer_of(name) - 1])) for name in stored.shapes],
            "size": ends,
            "unpacked": unpacked,
        }

    def layers(self) -> dict[str, Any]:
        """The way from the weights and biases of each layer to the stored parameters, and back."""
        library, shapes = self.stored.library, self.program.shapes
        of_bias = {name: self.stored.is_bias(name) for name in shapes if name not in self.starts}
        weights, biases = ([name for name, bias in of_bias.items() if bias == wanted] for wanted in (False, True))
        arrays = {name: name if name in weights else library.as_array.format(name) for name in shapes}
        listed = f"list[{library.array}]"
        parameters = [f"weights: {listed}", f"biases: {listed}", "layout: str"]
        trained = [f"{name}: {library.given}" for name in self.starts]
        return {
            "from_def": source.signature("from_layers", parameters, trained, "Arrays"),
            "to_def": source.signature(
                "to_layers", ["arrays: Arrays", "layout: str"], [], f"tuple[{listed}, {listed}]"
            ),
            "weights": len(weights),
            "biases": len(biases),
            "opening": [
                *unpacking(", ".join(weights), f"_turned({library.as_arrays.format('weights')}, layout)"),
                *(unpacking(", ".join(biases), "biases") if biases else []),
            ],
            "stored": self.stored.of(arrays).items(),
            "closing": [
                *source.listed("weights", weights),
                *source.listed(f"biases: {listed}", biases),
            ],
            "taken_apart": self.taken_apart("arrays", unused=self.starts),
        }

    def taken_apart(self, arrays: str, unused: Collection[str] = ()) -> list[str]:
        """The lines that give the program's parameters (or their gradients) their names."""
        names = [f"_{name}" if name in unused else name for name in self.stored.shapes]
        return [*unpacking(", ".join(names), f"_parameters({arrays})"), *self.stored.opening]


def array_parts(library: Library) -> Callable[[Derivation, Profile, Mapping[str, int]], dict[str, Any]]:
    """What the template of a module in the words of ``library`` places."""

    def parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
        return ArrayModule(derivation, profile, numbers, printer).parts()

    def printer(numbers: Mapping[Symbol, str]) -> ArrayPrinter:
        return ArrayPrinter(numbers, library=library)

    return parts


def unpacking(names: str, value: str) -> list[str]:
    """``names = value`` for one name or many, on lines that fit."""
    line = f"{names} = {value}" if "," in names else f"({names},) = {value}"
    if len(line) + 4 <= source.WIDTH:
        return [line]
    return ["(", *(f"    {name}," for name in names.split(", ")), f") = {value}"]


def description(spec: NetworkSpec, names: Names, numbers: Mapping[str, int]) -> list[str]:
    """The heading's sentences."""
    text = f"Examples lie in rows: {names.input} has shape ({spec.sizes[0]},) or (batch, {spec.sizes[0]}). "
    if numbers:
        text += "Numbers in comments are those of the equations in the derivation. "
    text += "Run the file to check it against central differences."
    return textwrap.wrap(text, source.WIDTH - 4)


def class_numbers(spec: NetworkSpec, target: str, library: Library) -> list[str]:
    """What docstrings say about classes by their numbers, for a loss that takes them."""
    if not spec.loss.entry.classes:
        return []
    what = f"integers from 0 to {spec.sizes[-1] - 1}, of shape () or (batch,)"
    text = f"{target} may also be the classes of the examples: {what}{library.beyond_the_classes}."
    return textwrap.wrap(text, source.WIDTH - 4)


def layer_of(name: str) -> int:
    """The layer that the parameter ``name`` leaves.

    >>> layer_of("theta12")
    12
    """
    return int(re.findall(r"\d+", name)[-1])


def updates(stored: Stored, printing: Printing, spec: NetworkSpec) -> list[tuple[str, str]]:
    """Each stored parameter's next value, from the dictionaries of parameters and gradients.

    A step of gradient descent is the same for a bias, a threshold and an array of weights with the biases in it.
    """
    program = stored.program
    names = {name: f'params["{stored.held_in(name)}"]' for name in program.shapes}
    names |= {gradient: f'grads["{stored.held_in(name)}"]' for name, gradient in program.gradients.items()}
    printer = printing(source.named_numbers(spec))
    printer.names = names
    return list({stored.held_in(line.name): printer(line.node) for line in program.updates}.items())


def stand_ins(
    keywords: Mapping[str, str], spec: NetworkSpec, printing: Callable[[Mapping[Symbol, str]], PythonPrinter]
) -> dict[str, list[tuple[str, str]]]:
    """What the self-check hands in: the names and values of numbers, the first lines and values of functions.

    These are tanh and half the squared error, their slopes derived; a loss that takes outputs between 0 and 1 only gets
    the sigmoid in place of tanh.
    """
    activation = TANH if spec.loss.entry.domain[0].is_infinite else SIGMOID
    functions = [name for name, kind in keywords.items() if kind == "Function"]
    return {
        "numbers": [(name, "0.1") for name in keywords if name not in functions],
        "functions": [_stand_in(name, activation, printing) for name in functions],
    }


def _stand_in(
    name: str, activation: row.Activation, printing: Callable[[Mapping[Symbol, str]], PythonPrinter]
) -> tuple[str, str]:
    if name in ("cost", "cost_slope"):
        formula, symbols = MSE.value if name == "cost" else diff(MSE.value, row.A), [row.A, row.T]
    else:
        slope = slope_of(Symbol(activation.name), activation.value)
        formula, symbols = slope.formula if name.endswith("_prime") else slope.value, [row.Z]
    read = FormulaReader({symbol: Var(symbol.name) for symbol in symbols})
    value = printing({})(read(formula))
    return source.signature(name, [f"{symbol}: Any" for symbol in symbols], [], "Any"), value


def helpers(used: frozenset[str], template: str) -> list[str]:
    """The sources of the helper functions ``used``, and of those that they use, from the files called ``template``."""
    found: dict[str, str] = {}
    wanted = set(used)
    while wanted:
        name = wanted.pop()
        found[name] = environment().get_template(template.format(name)).render().rstrip()
        wanted |= {word for word in _words(found[name]) if word in OWN} - found.keys()
    return [found[name] for name in sorted(found, reverse=True)]


def _words(text: str) -> set[str]:
    code = text.partition("  # ")[0]
    return set(re.findall(r"\w+", code))

"""The form for few examples of small networks: the program of the arrays, written out in plain numbers.

Which form a module takes is decided here, by ``MOST_PRODUCTS`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from symbackprop.emit import source
from symbackprop.emit.array_module import ArrayModule, helpers
from symbackprop.emit.names import ERROR_NAME, RESERVED
from symbackprop.emit.one_exponential import with_one_exponential
from symbackprop.emit.program import Assign, Node, Op, Var
from symbackprop.emit.quick import QuickPrinter
from symbackprop.emit.scalar import HELPERS, MATH
from symbackprop.emit.several import Several, in_one, over_several
from symbackprop.emit.shapes import Shape
from symbackprop.emit.stored import StoredEntry
from symbackprop.emit.unrolled import Unroller, places
from symbackprop.errors import UnsupportedExpression

MOST_PRODUCTS = 150  # weights × examples up to which plain numbers are faster than arrays, with a work space or not
TOGETHER = 8  # sums that are set to zero in one line
INDENT = 8  # of the functions' lines, which stand in a ``try``


def few_examples(
    module: ArrayModule, program: Sequence[Assign], known: Mapping[str, Shape], resident: Mapping[str, str]
) -> dict[str, Any] | None:
    """What the template places of the form in plain numbers; None where the arrays of ``program`` are the only form.

    ``known`` are the shapes of what the caller hands in; ``resident`` are the arrays of the work space by name, with
    the sources of their shapes, a first one that has the examples in its rows.
    """
    if module.spec.weight_count > MOST_PRODUCTS or source.functions_handed_in(module.spec):
        return None
    try:
        return FewExamples(module, program, known, resident).parts()
    except UnsupportedExpression:
        return None


@dataclass(frozen=True)
class FewExamples:
    """Writes the function; names are those of the arrays, with the numbers of the units behind them."""

    module: ArrayModule
    program: Sequence[Assign]
    known: Mapping[str, Shape]
    resident: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """The number of examples up to which numbers are faster."""
        return max(1, MOST_PRODUCTS // self.module.spec.weight_count)

    @cached_property
    def entries(self) -> dict[str, list[StoredEntry]]:
        """The entries of each stored parameter."""
        return {name: list(self.module.stored.entries(name)) for name in self.module.stored.shapes}

    @cached_property
    def unroll(self) -> Unroller:
        """What names the entries."""
        names, spec = self.module.names, self.module.spec
        arrays = {*self.known, *self.module.stored.shapes}
        taken = {
            *RESERVED - {ERROR_NAME},
            *source.named_numbers(spec).values(),
            *arrays,
            *(f"d{name}" for name in arrays),
        }
        return Unroller(dict(self.known), taken, {names.class_weights: spec.loss.class_weights})

    @cached_property
    def printer(self) -> QuickPrinter:
        """What writes numbers."""
        arrays = self.module.stored.library.functions.values()  # a helper function of theirs has its name already
        functions = {name: text for name, text in MATH.items() if text not in arrays}
        return QuickPrinter(functions, source.named_numbers(self.module.spec), used=self.used)

    def parts(self) -> dict[str, Any]:
        """What the template places."""
        module, names = self.module, self.module.names
        keywords = source.keywords(self.program, module.spec)
        passed = ", ".join(["params", names.input, names.target, "workspace", *(f"{name}={name}" for name in keywords)])
        lines = list(with_one_exponential(self.unroll(self.program), self.unroll.taken))
        one = [*self.opening("one"), *self.of_one(lines), *self.closing("1")]
        several = []
        if self.most > 1:
            given = [number for name in self.pair for number in self.row(name)]
            cut = over_several(lines, given, self.unroll.taken)
            several = [*self.opening("several"), *self.of_several(cut), *self.closing("n")]
        return {
            "most": self.most,
            "sizes": sorted({self.size, *map(len, self.entries.values())}, reverse=True),
            "call": source.fitted(f"found = _of_one({passed}) if FEW_EXAMPLES else None"),
            "call_for_several": source.fitted(f"return _of_several({passed})", 16) if several else ["return None"],
            "one_def": self.signature("_of_one", keywords),
            "several_def": self.signature("_of_several", keywords),
            "one": one,
            "several": several,
            "uses_math": any("math." in line for line in [*one, *several]),
            "filled": any(line.endswith("(") for line in [*one, *several]),
            "helpers": helpers(frozenset(self.used), HELPERS),
            "checked": tuple(sorted({1, self.most, self.most + 1})),
            "held_in": {name: self.held_in(name) for name in module.stored.shapes},
        }

    def signature(self, name: str, keywords: Mapping[str, str]) -> str:
        """The first line of a form's function."""
        names = self.module.names
        return source.signature(
            name,
            ["params: Arrays", f"{names.input}: Any", f"{names.target}: Any", "workspace: Arrays | None"],
            [f"{name}: {kind}" for name, kind in keywords.items()],
            "tuple[float, Arrays] | None",
        )

    @property
    def size(self) -> int:
        """How many numbers all gradients are."""
        return sum(map(len, self.entries.values()))

    def opening(self, form: str) -> Iterator[str]:
        """The lines that take the parameters apart."""
        shapes, x = self.module.stored.shapes, self.module.names.input
        if form == "several":
            yield f"n = len({x})"
        yield from (f'{name} = params["{name}"]' for name in shapes)
        types = [f"{name}.dtype is " for name in [*shapes, x]]
        head = "if n > FEW_EXAMPLES or not (" if form == "several" else "if not ("
        yield from source.wrapped(head, [*types, "DOUBLE"], "):", INDENT)
        yield "    return None"
        for name, shape in shapes.items():
            numbers = [self.given(name, entry, at) for entry, at in zip(self.entries[name], places(shape), strict=True)]
            yield from source.unpacking(numbers, shape, f"{name}.tolist()", INDENT)
        for name, shape in shapes.items():
            for entry, at in zip(self.entries[name], places(shape), strict=True):
                if entry.negative:
                    yield f"{self.unroll.name(entry.name, entry.at)} = -{self.given(name, entry, at)}"

    def given(self, stored: str, entry: StoredEntry, at: tuple[int, ...]) -> str:
        """The name of an entry of a stored parameter: that of the program's, unless this is its negative."""
        if not entry.negative:
            return self.unroll.name(entry.name, entry.at)
        self.unroll.shapes.setdefault(stored, self.module.stored.shapes[stored])
        return self.unroll.name(stored, at)

    def of_one(self, lines: Sequence[Assign]) -> Iterator[str]:
        """One example from beginning to end."""
        gradients = self.module.program.gradients
        results = {self.unroll.name(gradients[e.name], e.at) for entries in self.entries.values() for e in entries}
        for name in self.pair:
            numbers = self.row(name)
            yield from source.unpacking(numbers, (1, len(numbers)), f"{name}.tolist()", INDENT)
        for line in lines:
            node = in_one(line.node)
            if isinstance(node, Var) and line.name in results:
                self.values[line.name] = node.name
            else:
                yield from self.statement(line.name, "=", node, line.label, INDENT)

    def of_several(self, several: Several) -> Iterator[str]:
        """A loop over examples, with what is added up, and what is computed from the sums."""
        self.values.clear()
        names = [line.name for line in several.sums]
        for first in range(0, len(names), TOGETHER):
            yield " = ".join([*names[first : first + TOGETHER], "0.0"])
        each = [piece for name in self.pair for piece in source.row(self.row(name))]
        rows = ", ".join(f"{name}.tolist()" for name in self.pair)
        yield from source.wrapped("for ", each, f" in zip({rows}, strict=True):", INDENT, brackets=True)
        for sign, lines in (("=", several.lines), ("+=", several.sums)):
            for line in lines:
                text = self.statement(line.name, sign, line.node, line.label, INDENT + 4)
                yield from (f"    {part}" for part in text)
        for line in several.after:
            yield from self.statement(line.name, "=", line.node, None, INDENT)

    @property
    def pair(self) -> dict[str, Shape]:
        """The input and the targets, with their shapes."""
        names = self.module.names
        return {name: self.known[name] for name in (names.input, names.target)}

    def row(self, name: str) -> list[str]:
        """The names of one example's inputs or targets."""
        return [self.unroll.name(name, at) for at in places(self.known[name])]

    def closing(self, n: str) -> Iterator[str]:
        """The lines that put the gradients into arrays of their own, or into the work space."""
        error, shapes, everything = self.module.program.loss, self.module.stored.shapes, []
        yield f"if type({error}) is not float or {error} - {error} != 0.0:  # inf or nan"
        yield "    return None"
        put = []
        for name, shape in shapes.items():
            numbers = [f"{self.result(entry)}, " for entry in self.entries[name]]
            everything += numbers
            put.append(f"d{name} = _empty({shape})")
            put += source.wrapped(f"_put_{len(numbers)}(", [f"d{name}, ", "0, ", *numbers], ")", INDENT + 4)
        yield "if workspace is None:"
        yield from (f"    {line}" for line in put)
        made = [f'"{name}": d{name}, ' for name in shapes]
        yield from (f"    {line}" for line in source.wrapped(f"return {error}, {{", made, "}", INDENT + 4))
        yield f'if len(workspace["{next(iter(self.resident))}"]) != {n} or workspace["all"].dtype is not DOUBLE:'
        yield "    return None"
        yield from source.wrapped(f"_put_{self.size}(", ['workspace["all"], ', "0, ", *everything], ")", INDENT)
        held = [f'"{name}": workspace["{self.held_in(name)}"], ' for name in shapes]
        yield from source.wrapped(f"return {error}, {{", held, "}", INDENT)

    def held_in(self, name: str) -> str:
        """The array of the work space for the gradient by a stored parameter: that of the program's, if it is the same.

        For weights with biases among them, thresholds and what is a number it has the parameter's own name.
        """
        same = all(entry.name == name and not entry.negative for entry in self.entries[name])
        return f"d{name}" if same and f"d{name}" in self.resident else name

    def result(self, entry: StoredEntry) -> str:
        """The source of one entry of a gradient."""
        name = self.unroll.name(self.module.program.gradients[entry.name], entry.at)
        return ("-" if entry.negative else "") + self.values.get(name, name)

    def statement(self, name: str, sign: str, node: Node, label: str | None, indent: int) -> list[str]:
        """One line, with the number of the equation that it carries out."""
        if sign == "+=" and isinstance(node, Op) and node.function == "negative":
            sign, node = "-=", node.args[0]
        comment = source.citation(self.module.numbers, label)
        return source.fitted(f"{name} {sign} {self.printer(node)}", indent, comment)

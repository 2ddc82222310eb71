"""The functions of an emitted module that compute several lines in one pass, and the calls of them."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.emit import source
from symbackprop.emit.elementary import elementary
from symbackprop.emit.names import RESERVED
from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.numpy_statements import Statements
from symbackprop.emit.one_pass import Pass
from symbackprop.emit.printer import ATOM
from symbackprop.emit.program import Assign, Node, Number, Reduce, Together, Var, free_name, layer_number, replaced
from symbackprop.emit.shapes import Shape, shape
from symbackprop.emit.storage import Placed, Store, placed
from symbackprop.network.quantities import BATCH


@dataclass(frozen=True)
class PassFunction:
    """A function of the module, which writes into arrays: its name, its first line, what it says, and its lines.

    ``total`` says whether it returns a sum over all rows.
    """

    name: str
    signature: str
    says: str
    lines: Sequence[str]
    total: bool


@dataclass
class PassFunctions:
    """Writes functions; ``printer`` prints their lines, ``shapes`` are those of all values of the program.

    Layers that compute the same share a function; ``written`` are all.
    """

    printer: NumPyPrinter
    shapes: Mapping[str, Shape]
    written: list[PassFunction] = field(default_factory=list)

    def __call__(self, lines: Iterable[Assign], passes: Iterable[Pass]) -> Iterator[Assign]:
        """The lines, those of each pass replaced by a call of its function."""
        ends = {each.lines[-1].name: each for each in passes}
        inside = {line.name for each in ends.values() for line in each.lines}
        for line in lines:
            if line.name in ends:
                yield from self.calls(ends[line.name])
            elif line.name not in inside:
                yield line

    def calls(self, of: Pass) -> Iterator[Assign]:
        """A line for each result of a pass, its total before all others."""
        rows = [name for name in of.reads if self.shapes[name][:1] == (None,)]
        whole = [name for name in of.reads if name not in rows]
        function, ones = self.function(of, rows, whole)
        labels = {line.name: line.label for line in of.lines}
        args = tuple(map(Var, rows))
        rest: tuple[Node, ...] = (*map(Var, whole), *([Number(BATCH)] if of.needs_batch else []))
        results = [*([of.total] if of.total else []), *of.results]
        for at, result in enumerate(results):
            node = Together(function, args, rest, ones, at, len(results), self.shapes[result])
            yield Assign(result, node, labels[result])

    def function(self, of: Pass, rows: Sequence[str], whole: Sequence[str]) -> tuple[str, tuple[int, ...]]:
        """The name of the function that computes a pass, a new one if there is none, and the ones that it reads."""
        short = short_names([*rows, *whole, *(line.name for line in of.lines)], layer_number(Var(of.results[-1])))
        variables: dict[Node, Node] = {Var(name): Var(short[name]) for name in short}
        lines = [Assign(short[line.name], replaced(line.node, variables)) for line in of.lines]
        statements = self.statements(lines, of, short)
        text = [part for group, _ in statements() for line in group for part in source.fitted(line)]
        if any("real(" in line for line in text):
            text.insert(0, f"real = {short[rows[0]]}.dtype.type")
        if of.total:
            text.append(f"return float({short[of.total]})")
        ones = tuple(shape[0] or 1 for shape in statements.ones)
        same = [each.name for each in self.written if each.lines == text]
        if same:
            return same[0], ones
        name = free_name("_" + re.sub(r"\W", "_", of.name, flags=re.ASCII), [each.name for each in self.written])
        arrays = [*(short[each] for each in [*rows, *of.results, *whole]), *statements.ones.values()]
        arguments = [f"{array}: np.ndarray" for array in arrays]
        if of.needs_batch:
            arguments.insert(len(arguments) - len(ones), "n: int")
        found = " and ".join(short[each] for each in [*([of.total] if of.total else []), *of.results])
        says = f"Compute {found} from {', '.join(short[each] for each in of.reads)}."
        signature = source.signature(name, arguments, [], "float" if of.total else "None")
        self.written.append(PassFunction(name, signature, says, text, of.total is not None))
        return name, ones

    def statements(self, lines: Sequence[Assign], of: Pass, short: Mapping[str, str]) -> LocalStatements:
        """The statements for one block of rows."""
        known = {short[name]: self.shapes[name] for name in of.reads}
        given = {short[name]: Store(self.shapes[name], truth=False, kept=True) for name in of.results}
        results = [*given, *([short[of.total]] if of.total else [])]
        places, shapes = placed(elementary(lines, known, results), known, results, given)
        printer = replace(self.printer, names={})
        return LocalStatements(printer, places, shapes, [line.name for line in lines], list(given))


class LocalStatements(Statements):
    """Statements over arrays that a function has to itself: the first value of each is a new array."""

    def array(self, placed: Placed) -> str | None:
        assert placed.store is not None
        name = placed.line.name
        if name in self.results:
            return name
        earlier = placed.store.names[: placed.store.names.index(name)]
        return self.name(earlier[-1]) if earlier else None

    def statements(self, placed: Placed) -> list[str]:
        match placed.line.node:
            case Var() if placed.line.name in self.results:
                return [f"{placed.line.name}[:] = {self.printer(placed.line.node)}"]
            case Reduce(function, of, "columns"):
                found = self.sum(of, self.out(placed)) if function == "sum" else self.greatest(of)
                return [f"{self.name(placed.line.name)} = {found}"]
        return super().statements(placed)

    def sum(self, of: Node, out: str | None) -> str:
        """The sums of all rows, as a product with ones that the function is handed."""
        columns = shape(of, self.shapes)[-1]
        ones = self.ones.setdefault((columns, 1), f"ones{columns}")
        return f"{self.printer.inside(of, ATOM)}.dot({', '.join(filter(None, [ones, out]))})"

    def greatest(self, of: Node) -> str:
        """The greatest of each row, by its place."""
        array, columns = self.printer.inside(of, ATOM), shape(of, self.shapes)[-1]
        starts = f"np.arange(0, {array}.size, {columns})[:, np.newaxis]"
        return f"{array}.take({array}.argmax(1, None, keepdims=True) + {starts})"


def short_names(names: Iterable[str], layer: str) -> dict[str, str]:
    """Names without the number of their ``layer``.

    >>> short_names(["z2", "exp2", "exp2_2"], "2")
    {'z2': 'z', 'exp2': 'exp', 'exp2_2': 'exp_2'}
    """
    short: dict[str, str] = {}
    for name in names:
        stem = re.sub(rf"{layer}(?=_\d+$|$)", "", name, count=1) if layer else name
        short[name] = free_name(stem, {*RESERVED, *dir(builtins), *short.values()})
    return short

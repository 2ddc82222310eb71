"""Operations as NumPy statements that write into arrays that exist: a work space, or a value no longer needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.printer import ATOM, COMPARISONS
from symbackprop.emit.program import Joined, MatMul, Node, Number, Op, Reduce, Together, free_name
from symbackprop.emit.shapes import Shape, shape
from symbackprop.emit.storage import FRESH, Placed, Store, is_last
from symbackprop.errors import UnsupportedExpression

SIGNS = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}
BY_KEYWORD = frozenset({"maximum", "minimum"})  # where NumPy wants its word said before the array to write into
TWO_SIDED = frozenset({"add", "multiply"})  # the sides may change places
UFUNCS = {name: f"np.{name}" for name in (*SIGNS, *COMPARISONS, "negative", "square", "power")} | {
    "and": "np.logical_and",
    "or": "np.logical_or",
}


@dataclass
class Statements:
    """Writes operations as statements over the work space ``ws``.

    ``shapes`` are those of all values, ``own`` the names that the program itself gives, ``results`` the values that
    live on in the work space. ``ones`` collects the arrays of ones that give sums as products, by shape, ``starts``
    those of the places where rows begin, by the number of columns.
    """

    printer: NumPyPrinter
    lines: Sequence[Placed]
    shapes: Mapping[str, Shape]
    own: Collection[str]
    results: Collection[str]
    ones: dict[Shape, str] = field(default_factory=dict)
    starts: dict[int | None, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A part that is written over is called what it becomes; parts are numbered in the order they come in."""
        becomes: dict[str, str] = {}
        for line in reversed(self.lines):
            if line.over is not None and line.over not in self.own:
                becomes[line.over] = becomes.get(line.line.name, line.line.name)
        parts = [line.line.name for line in self.lines if line.line.name not in self.own]
        names: dict[str, str] = {}
        numbered: dict[str, str] = {}
        for part in parts:
            last = becomes.get(part, part)
            if last not in {*self.own, *numbered}:
                numbered[last] = free_name(part.partition("_")[0], {*self.shapes.keys() - parts, *numbered.values()})
            names[part] = numbered.get(last, last)
        self.printer.names = names

    def __call__(self) -> Iterator[tuple[list[str], str | None]]:
        """The statements, each with the label of the Step that begins there."""
        together: list[Placed] = []
        for line in self.lines:
            if isinstance(line.line.node, Together):
                together.append(line)
                if is_last(line.line.node):
                    labels = (each.line.label for each in together)
                    yield [self.call(line.line.node, together)], next(filter(None, labels), None)
                    together = []
            else:
                yield self.statements(line), line.line.label

    def name(self, value: str) -> str:
        """What ``value`` is called in the source."""
        return self.printer.names.get(value, value)

    def key(self, store: Store) -> str:
        """What an array of the work space is called."""
        names = [*filter(self.results.__contains__, store.names), *filter(self.own.__contains__, store.names)]
        return names[0] if names else self.name(store.names[0])

    def array(self, placed: Placed) -> str | None:
        """The array that an operation writes into, unless over a value; None: a new one."""
        assert placed.store is not None
        return f'ws["{self.key(placed.store)}"]'

    def out(self, placed: Placed) -> str | None:
        """The array that an operation writes into; None: one that it makes."""
        if placed.over is not None:
            return self.name(placed.over)
        return self.array(placed) if placed.store is not None and placed.store.kept else None

    def call(self, node: Together, results: Sequence[Placed]) -> str:
        """The call of a function of the module's own, which writes all its ``results``, sums over all rows apart."""
        outs = {self.name(each.line.name): self.out(each) for each in results}
        totals = [f"{name}, " for name, out in outs.items() if out is None]
        names = [f", {name}" for name, out in outs.items() if out is not None]
        rows = ", ".join([*map(self.printer, node.args), *filter(None, outs.values())])
        whole = [*map(self.printer, node.whole), *(self.of_ones((n, 1)) for n in node.ones)]
        helper = "_total_in_blocks" if totals else "_in_blocks"
        called = ", ".join([node.function, f"({rows})", *whole])
        return f"{''.join(totals)}*_{''.join(names)} = {helper}({called})"

    def statements(self, placed: Placed) -> list[str]:
        """One operation as a statement, or as several."""
        name, node, out = self.name(placed.line.name), placed.line.node, self.out(placed)
        if out is None:
            return [f"{name} = {self.printer(node)}"]
        match node:
            case Op("where", args):
                return self.choice(name, args, out, over=placed.over is not None)
            case Op(function, _) if function in FRESH:
                return [f"{out}[:] = {self.printer(node)}"]
        return [self.statement(name, node, out)]

    def choice(self, name: str, args: Sequence[Node], out: str, *, over: bool) -> list[str]:
        """One value where a test holds, put among the entries of the other; or the other way round."""
        test, value, other = map(self.printer, args)
        if over and out == value:
            return [f"np.logical_not({test}, {test})", *self.put(name, value, test, other)]
        opening = f"np.positive({other}, {out})"
        return [
            *([] if over else [opening if name == out else f"{name} = {opening}"]),
            *self.put(name, out if over else name, test, value),
        ]

    def put(self, name: str, array: str, test: str, value: str) -> list[str]:
        """``value`` put into ``array`` where ``test`` holds, and called ``name``."""
        return [f"np.putmask({array}, {test}, {value})", *([f"{name} = {array}"] if name != array else [])]

    def statement(self, name: str, node: Node, out: str) -> str:
        """One operation as a statement that writes into ``out``."""
        if not isinstance(node, Op):
            return self.product(node, out) if name == out else f"{name} = {self.product(node, out)}"
        function, args = operation(node)
        texts = [self.argument(arg) for arg in args]
        if name == out and function in SIGNS and out in (texts if function in TWO_SIDED else texts[:1]):
            other = texts[1] if texts[0] == out else texts[0]
            return f"{name} {SIGNS[function]} {other}"
        called = UFUNCS.get(function) or self.printer.functions[function]
        call = f"{called}({', '.join(texts)}, {'out=' if function in BY_KEYWORD else ''}{out})"
        return call if name == out else f"{name} = {call}"

    def argument(self, node: Node) -> str:
        """What a function is handed; whole numbers as floating-point ones, which NumPy takes up faster."""
        text = self.printer(node)
        return f"{text}.0" if isinstance(node, Number) and node.value.is_Integer else text

    def product(self, node: Node, out: str) -> str:
        """A matrix product, or a sum as the product with ones, or a greatest entry, or arrays side by side."""
        match node:
            case MatMul(left, right):
                return f"{self.printer.inside(left, ATOM)}.dot({self.printer(right)}, {out})"
            case Reduce("sum", of, "rows"):
                return f"{self.of_ones((None,))}.dot({self.printer(of)}, {out})"
            case Reduce("sum", of, "columns"):
                return f"{self.printer.inside(of, ATOM)}.dot({self.of_ones((shape(of, self.shapes)[-1], 1))}, {out})"
            case Reduce("max", of, "columns"):
                # The place of the greatest is found three times as fast as the greatest.
                array, starts = self.printer.inside(of, ATOM), self.starts_of(shape(of, self.shapes)[-1])
                return f'{array}.take({array}.argmax(1, None, keepdims=True) + {starts}, None, {out}, "clip")'
            case Joined(blocks):
                return f"np.concatenate(({', '.join(map(self.printer, blocks))}), axis=1, out={out})"
        raise UnsupportedExpression(f"no statement is known for {type(node).__name__}")

    def of_ones(self, of: Shape) -> str:
        """The array of ones of shape ``of``, in the work space."""
        name = self.ones.setdefault(of, "ones" if of[0] is None else f"ones{of[0]}")
        return f'ws["{name}"]'

    def starts_of(self, columns: int | None) -> str:
        """The places in an array with so many columns where its rows begin, in the work space."""
        return f'ws["{self.starts.setdefault(columns, f"starts{columns}")}"]'

    @property
    def stores(self) -> list[Store]:
        """The arrays of the work space, but for those of ones."""
        return list(dict.fromkeys(line.store for line in self.lines if line.store is not None and line.store.kept))

    @property
    def columns(self) -> float:
        """How many numbers the work space holds for each example, besides ones."""
        return sum(store.columns for store in self.stores if store.host is None)


def operation(node: Op) -> tuple[str, tuple[Node, ...]]:
    """The function that NumPy knows for an operation, and what it is applied to.

    >>> from symbackprop.emit.program import Var
    >>> operation(Op("add", (Var("a3"), Op("negative", (Var("t"),)))))
    ('subtract', (Var(name='a3'), Var(name='t')))
    """
    match node:
        case Op("add", (left, Op("negative", (right,)))):
            return "subtract", (left, right)
        case Op("power", (base, Number(two))) if two == 2:
            return "square", (base,)
    return node.function, node.args

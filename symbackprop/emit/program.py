"""Straight-line programs: lines ``name = node`` in order, each name assigned once, no loop and no branch.

Nodes are a small closed set. ``Op`` works entry by entry, with the functions in ``FUNCTIONS``; a bias is an array
with one axis, an array with one column keeps its two axes, so entries repeat as NumPy repeats them.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from types import MappingProxyType

from sympy import Expr

from symbackprop.errors import UnsupportedExpression

ARITHMETIC = frozenset({"add", "multiply", "divide", "negative", "power"})
TESTS = frozenset({"greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "and", "or"})
COSTLY = frozenset(
    {
        "exp",
        "expm1",
        "log",
        "log1p",
        "tanh",
        "sinh",
        "cosh",
        "sin",
        "cos",
        "atan",
        "sqrt",
        "erf",
        "normal_tail",
        "round",
    }
)
FUNCTIONS = ARITHMETIC | TESTS | COSTLY | {"where", "maximum", "minimum", "abs", "sign", "floor"}


@dataclass(frozen=True)
class Var:
    """A value that has a name: a parameter, the input, the targets, or the left side of an earlier line."""

    name: str


@dataclass(frozen=True)
class Number:
    """A number without a unit index: exact, or in named constants (``alpha``, the batch size)."""

    value: Expr


@dataclass(frozen=True)
class Op:
    """``function`` applied entry by entry; sums and products take any number of arguments."""

    function: str
    args: tuple[Node, ...]

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise UnsupportedExpression(f"no program function is called {self.function!r}")


@dataclass(frozen=True)
class Call:
    """A function that the caller hands in, applied entry by entry."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class MatMul:
    """The matrix product."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Transposed:
    """``of`` transposed."""

    of: Node


@dataclass(frozen=True)
class Reduce:
    """``function`` ("sum" or "max") over the "rows", over the "columns" (one column is left) or over "all" entries."""

    function: str
    of: Node
    over: str


@dataclass(frozen=True)
class Columns:
    """The columns of ``of`` from ``start`` to before ``stop``, counted from 0."""

    of: Node
    start: int
    stop: int


@dataclass(frozen=True)
class Joined:
    """Arrays of as many rows side by side."""

    blocks: tuple[Node, ...]


@dataclass(frozen=True)
class Together:
    """Result number ``at`` of the ``count`` that a ``function`` of the module's own computes together, row by row.

    It reads ``args`` by rows and ``whole`` as they are, and columns of so many ``ones``.
    """

    function: str
    args: tuple[Node, ...]
    whole: tuple[Node, ...]
    ones: tuple[int, ...]
    at: int
    count: int
    shape: tuple[int | None, ...]


Node = Var | Number | Op | Call | MatMul | Transposed | Reduce | Columns | Joined | Together


@dataclass(frozen=True)
class Assign:
    """One line, ``name = node``; ``label`` is the label of the Step that it carries out, if it is a whole one."""

    name: str
    node: Node
    label: str | None = None


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes that ``node`` is made of."""
    match node:
        case Op(_, args) | Call(_, args):
            return args
        case Together(_, args, whole):
            return args + whole
        case MatMul(left, right):
            return left, right
        case Transposed(of) | Reduce(_, of, _) | Columns(of, _, _):
            return (of,)
        case Joined(blocks):
            return blocks
    return ()


def with_parts(node: Node, new: tuple[Node, ...]) -> Node:
    """``node`` made of other parts.

    >>> with_parts(Op("exp", (Var("z"),)), (Var("u"),))
    Op(function='exp', args=(Var(name='u'),))
    """
    match node:
        case Op() | Call():
            return replace(node, args=new)
        case Together():
            return replace(node, args=new[: len(node.args)], whole=new[len(node.args) :])
        case MatMul():
            return MatMul(*new)
        case Transposed() | Reduce() | Columns():
            return replace(node, of=new[0])
        case Joined():
            return Joined(new)
    return node


def replaced(node: Node, known: Mapping[Node, Node]) -> Node:
    """``node`` with what is ``known`` by other nodes replaced."""
    return known[node] if node in known else with_parts(node, tuple(replaced(part, known) for part in parts(node)))


def walk(node: Node) -> Iterator[Node]:
    """``node`` and everything inside it."""
    yield node
    for part in parts(node):
        yield from walk(part)


def is_costly(node: Node) -> bool:
    """Whether ``node``, met twice, is worth a line of its own: it holds a function, a product or a sum over entries."""
    return any(
        isinstance(n, Call | MatMul | Reduce | Joined) or (isinstance(n, Op) and n.function in COSTLY)
        for n in walk(node)
    )


def share(
    lines: Iterable[Assign], taken: Iterable[str], stems: Mapping[Node, str] = MappingProxyType({})
) -> tuple[Assign, ...]:
    """The same lines with every costly node computed once: a repeated one gets a line and a name of its own.

    Names not to use are ``taken`` and those of Python's functions; ``stems`` say how the names of some nodes begin.

    >>> z, a = Var("z2"), Op("exp", (Var("z2"),))
    >>> share([Assign("a2", a), Assign("b", Op("add", (a, z)))], [])[1].node == Op("add", (Var("a2"), z))
    True
    """
    lines = tuple(lines)
    uses = _uses(lines)
    known: dict[Node, Node] = {}
    names = {*taken, *dir(builtins), *(line.name for line in lines)}
    done: list[Assign] = []

    def built(node: Node, root: bool = False) -> Node:
        if node in known:
            return known[node]
        new = with_parts(node, tuple(built(part) for part in parts(node)))
        if root or uses[node] < 2 or not is_costly(node):
            return new
        stem = stems.get(node) or stem_of(node)
        name = free_name(stem + layer_number(node), names)
        names.add(name)
        done.append(Assign(name, new))
        known[node] = Var(name)
        return known[node]

    for line in lines:
        done.append(replace(line, node=built(line.node, root=True)))
        if is_costly(line.node):
            known.setdefault(line.node, Var(line.name))
    return tuple(done)


def _uses(lines: Iterable[Assign]) -> Counter[Node]:
    """How many places use each node, where equal nodes count as one place for what is inside them."""
    uses: Counter[Node] = Counter()

    def visit(node: Node) -> None:
        uses[node] += 1
        if uses[node] == 1:
            for part in parts(node):
                visit(part)

    for line in lines:
        visit(line.node)
    return uses


def stem_of(node: Node) -> str:
    """A word for what is computed: ``exp``, ``sum``, ``one_plus_exp``."""
    match node:
        case Op("add", (Number(value), rest)) if value == 1:
            return f"one_plus_{stem_of(rest)}"
        case Op(function, args):
            return function if function in COSTLY else next((stem_of(arg) for arg in args if is_costly(arg)), function)
        case Reduce(function, _, _) | Call(function, _):
            return function
    return "product"


def layer_number(node: Node) -> str:
    """The number at the end of the first name in ``node`` that has one."""
    ends = (re.search(r"[0-9]+$", n.name) for n in walk(node) if isinstance(n, Var))
    return next((end[0] for end in ends if end), "")


def free_name(stem: str, names: Collection[str]) -> str:
    """``stem``, with a number where it is among the ``names`` taken."""
    return next(name for name in chain([stem], (f"{stem}_{n}" for n in count(2))) if name not in names)


def needed(lines: Iterable[Assign], outputs: Iterable[str]) -> tuple[Assign, ...]:
    """The lines that the ``outputs`` depend on, in order."""
    wanted = set(outputs)
    kept = []
    for line in reversed(tuple(lines)):
        if line.name in wanted:
            kept.append(line)
            wanted |= {n.name for n in walk(line.node) if isinstance(n, Var)}
    return tuple(reversed(kept))


def early(lines: Iterable[Assign], names: Collection[str]) -> tuple[Assign, ...]:
    """The same lines with those that compute ``names`` as soon as what they read is there.

    >>> a, b, c = Assign("a", Var("x")), Assign("b", Var("a")), Assign("c", Var("a"))
    >>> [line.name for line in early([a, b, c], ["c"])]
    ['a', 'c', 'b']
    """
    lines = tuple(lines)
    missing = {line.name for line in lines}
    waiting = [line for line in lines if line.name in names]
    done: list[Assign] = []

    def take(line: Assign) -> None:
        done.append(line)
        missing.remove(line.name)
        for each in [each for each in waiting if not missing & {n.name for n in walk(each.node) if isinstance(n, Var)}]:
            if each in waiting:
                waiting.remove(each)
                take(each)

    for line in lines:
        if line.name not in names:
            take(line)
    return tuple(done)


@dataclass(frozen=True)
class Program:
    """A network's program.

    ``lines`` compute, from the parameters, the input and the targets: the ``intermediates`` of the forward pass, the
    ``loss``, the ``deltas`` from the output back and, by parameter, the ``gradients``. ``updates`` give the parameters'
    next values from both. ``arrays`` are the shapes of the lines that carry out a Step (None stands for the number of
    examples).
    """

    lines: tuple[Assign, ...]
    intermediates: tuple[str, ...]
    loss: str
    deltas: tuple[str, ...]
    gradients: Mapping[str, str]
    updates: tuple[Assign, ...]
    shapes: Mapping[str, tuple[int, ...]]
    arrays: Mapping[str, tuple[int | None, ...]]

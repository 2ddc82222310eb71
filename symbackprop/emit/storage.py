"""Where each array of a straight-line program lives: in the array of a value that is no longer needed, if there is one.

An operation entry by entry may write over an array that it reads for the last time; a matrix product or a sum may not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeGuard

from symbackprop.emit.program import (
    Assign,
    Call,
    Joined,
    MatMul,
    Node,
    Op,
    Reduce,
    Together,
    Transposed,
    Var,
    parts,
    walk,
)
from symbackprop.emit.shapes import Shape, is_truth, shape

FRESH = frozenset({"erf", "normal_tail"})  # functions that make an array of their own


@dataclass(eq=False)
class Store:
    """One array of memory: its shape, whether it holds truth values, and the names of the values it comes to hold.

    One that is not ``kept`` is made by the operation itself, anew in each run. Its ``host`` is a wider array, in which
    it begins where the ``first`` so many columns would end.
    """

    shape: Shape
    truth: bool
    kept: bool
    names: list[str] = field(default_factory=list)
    host: Store | None = None
    first: int = 0

    @property
    def columns(self) -> float:
        """How many numbers it holds for each example; eight truth values are one."""
        if self.shape[0] is not None:
            return 0
        width = self.shape[1] if len(self.shape) > 1 else 1
        return (width or 1) / 8 if self.truth else width or 1


@dataclass(frozen=True)
class Placed:
    """An operation, the array that it writes into (None: a number, or an array of its own), and which value was there.

    ``over`` is the name of the value that the operation reads and writes over.
    """

    line: Assign
    store: Store | None
    over: str | None


def placed(
    lines: Sequence[Assign],
    known: Mapping[str, Shape],
    results: Collection[str],
    given: Mapping[str, Store] = MappingProxyType({}),
) -> tuple[list[Placed], dict[str, Shape]]:
    """Each of the elementary ``lines`` with its place in memory, and the shapes of all values.

    ``known`` are the shapes of what the caller hands in. That is never written over; no more are ``results``, once they
    are computed. What is in ``given`` is written into an array that waits for it.
    """
    plan = _Plan(dict(known), last_uses(lines, results), given, counted(lines, results))
    return [plan.place(n, line) for n, line in enumerate(lines)], plan.shapes


def last_uses(lines: Sequence[Assign], results: Collection[str]) -> dict[str, int]:
    """The number of the line that reads each value for the last time; ``results`` are read after all of them.

    Another name for a value, or the value transposed, is the same array: reading it is reading the value.
    """
    last = {n.name: at for at, line in enumerate(lines) for n in walk(line.node) if isinstance(n, Var)}
    last |= dict.fromkeys(results, len(lines))
    for line in reversed(lines):
        match line.node:
            case Var(name) | Transposed(Var(name)):
                last[name] = max(last[name], last.get(line.name, 0))
    return last


def counted(lines: Sequence[Assign], results: Collection[str]) -> frozenset[str]:
    """The names of tests that count as 1 and 0, in products only: those are as well numbers, over an array of these."""
    factors, others = set(results), set[str]()
    for line in lines:
        factor = isinstance(line.node, Op) and line.node.function == "multiply"
        (factors if factor else others).update(n.name for n in walk(line.node) if isinstance(n, Var))
    return frozenset(line.name for line in lines if is_truth(line.node) and line.name in factors - others)


def find_hosts(lines: Sequence[Placed], results: Collection[str], most: float) -> None:
    """Puts narrow arrays into wider ones that are free as long as these are needed, until ``most`` columns are enough.

    Those inside one array at a time lie side by side.
    """
    spans = lives(lines, results)
    total = sum(store.columns for store in {line.store for line in lines if line.store and line.store.kept})
    for store in sorted(spans, key=lambda store: -store.columns):
        for host in spans:
            if total <= most:
                return
            if host is store or host.host or not apart(spans[store], spans[host]):
                continue
            others = [guest for guest in spans if guest.host is host and not apart(spans[store], spans[guest])]
            first = max((guest.first + guest.columns for guest in others), default=0)
            if first + store.columns <= host.columns and not any(guest.host is store for guest in spans):
                store.host, store.first, total = host, int(first), total - store.columns
                break


def lives(lines: Sequence[Placed], results: Collection[str]) -> dict[Store, range]:
    """From which line to which each array of numbers that grows with the examples is needed."""
    last = last_uses([line.line for line in lines], results)
    spans: dict[Store, range] = {}
    for at, line in enumerate(lines):
        if line.store is not None and line.store.kept and line.store.columns and not line.store.truth:
            start = spans[line.store].start if line.store in spans else at
            spans[line.store] = range(start, last.get(line.line.name, at) + 1)
    return spans


def apart(one: range, other: range) -> bool:
    """Whether two ranges have nothing in common.

    >>> apart(range(2), range(2, 4)), apart(range(3), range(2, 4))
    (True, False)
    """
    return one.stop <= other.start or other.stop <= one.start


@dataclass
class _Plan:
    """What is known while places are given: shapes, last uses, the array of each value, arrays that are free."""

    shapes: dict[str, Shape]
    last: Mapping[str, int]
    given: Mapping[str, Store]
    counted: Collection[str]
    stores: dict[str, Store] = field(default_factory=dict)
    free: list[Store] = field(default_factory=list)

    def place(self, at: int, line: Assign) -> Placed:
        """The place of one line's value."""
        own = self.shapes[line.name] = shape(line.node, self.shapes)
        ending = [name for name in self.ending(at, line.node) if name in self.stores]
        store, over = (self.given[line.name], None) if line.name in self.given else self.chosen(line, own, ending)
        self.free += [self.stores[name] for name in ending if self.stores[name] not in (store, *self.free)]
        if store is not None:
            store.names.append(line.name)
            self.stores[line.name] = store
        return Placed(line, store, over)

    def ending(self, at: int, node: Node) -> list[str]:
        """The values that are read for the last time, in the order in which ``node`` reads them."""
        return list(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Var) and self.last[n.name] == at))

    def chosen(self, line: Assign, own: Shape, ending: list[str]) -> tuple[Store | None, str | None]:
        """The array that an operation of shape ``own`` writes into, and the value that it writes over."""
        node = line.node
        if not own or isinstance(node, Var | Transposed):
            return None, None
        if isinstance(node, Call):
            # What a function of the caller's returns may be one of its arguments: none of them is written over.
            for name in {n.name for n in walk(node) if isinstance(n, Var)}:
                self.stores.pop(name, None)
            return None, None
        if isinstance(node, Op) and (node.function in FRESH or not self.is_chosen_in_place(node, own)):
            return Store(own, truth=False, kept=False), None
        truth = is_truth(node) and line.name not in self.counted
        if isinstance(node, Op) or is_last(node):
            writable = self.writable(node, ending)
            for name in ending:
                store = self.stores[name]
                if name in writable and (store.shape, store.truth) == (own, truth):
                    return store, name
        for store in self.free:
            if store.kept and (store.shape, store.truth) == (own, truth):
                self.free.remove(store)
                return store, None
        return Store(own, truth, kept=isinstance(node, Op | MatMul | Reduce | Joined | Together)), None

    def is_chosen_in_place(self, node: Op, own: Shape) -> bool:
        """Whether NumPy can put into an array what a test chooses: it neither repeats the test nor what is chosen."""
        return node.function != "where" or {shape(arg, self.shapes) for arg in node.args} <= {own, ()}

    def writable(self, node: Op | Together, ending: Collection[str]) -> set[str]:
        """The values that ``node`` reads and may write over.

        Where a test chooses, that is what is taken elsewhere; or what is taken where it holds, if the test, which is
        turned round for this, is not read again.
        """
        read = [part for part in parts(node) for part in (part, *parts(part))]
        if isinstance(node, Op) and node.function == "where":
            test, value, other = node.args
            read = [other, *([value] if isinstance(test, Var) and test.name in ending else [])]
        return {n.name for n in read if isinstance(n, Var)}


def is_last(node: Node) -> TypeGuard[Together]:
    """Whether ``node`` is the last result of its function, which is there when all that it reads has been read."""
    return isinstance(node, Together) and node.at == node.count - 1

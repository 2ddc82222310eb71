"""Where each array of a straight-line program lives: in the array of a value that is no longer needed, if there is one.

An operation entry by entry may write over an array that it reads for the last time; a matrix product or a sum may not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.emit.program import Assign, Call, Joined, MatMul, Node, Op, Reduce, Transposed, Var, parts, walk
from symbackprop.emit.shapes import Shape, is_truth, shape

FRESH = frozenset({"where", "erf", "normal_tail"})  # functions that make an array of their own


@dataclass(eq=False)
class Store:
    """One array of memory: its shape, whether it holds truth values, and the names of the values it comes to hold.

    One that is not ``kept`` is made by the operation itself, anew in each run.
    """

    shape: Shape
    truth: bool
    kept: bool
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Placed:
    """An operation, the array that it writes into (None: a number, or an array of its own), and which value was there.

    ``over`` is the name of the value that the operation reads and writes over.
    """

    line: Assign
    store: Store | None
    over: str | None


def placed(
    lines: Sequence[Assign], known: Mapping[str, Shape], results: Collection[str]
) -> tuple[list[Placed], dict[str, Shape]]:
    """Each of the elementary ``lines`` with its place in memory, and the shapes of all values.

    ``known`` are the shapes of what the caller hands in. That is never written over; no more are ``results``, once they
    are computed.
    """
    plan = _Plan(dict(known), last_uses(lines, results))
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


@dataclass
class _Plan:
    """What is known while places are given: shapes, last uses, the array of each value, arrays that are free."""

    shapes: dict[str, Shape]
    last: Mapping[str, int]
    stores: dict[str, Store] = field(default_factory=dict)
    free: list[Store] = field(default_factory=list)

    def place(self, at: int, line: Assign) -> Placed:
        """The place of one line's value."""
        own = self.shapes[line.name] = shape(line.node, self.shapes)
        ending = [name for name in self.ending(at, line.node) if name in self.stores]
        store, over = self.chosen(line.node, own, ending)
        self.free += [self.stores[name] for name in ending if self.stores[name] not in (store, *self.free)]
        if store is not None:
            store.names.append(line.name)
            self.stores[line.name] = store
        return Placed(line, store, over)

    def ending(self, at: int, node: Node) -> list[str]:
        """The values that are read for the last time, in the order in which ``node`` reads them."""
        return list(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Var) and self.last[n.name] == at))

    def chosen(self, node: Node, own: Shape, ending: list[str]) -> tuple[Store | None, str | None]:
        """The array that an operation of shape ``own`` writes into, and the value that it writes over."""
        if not own or isinstance(node, Var | Transposed):
            return None, None
        if isinstance(node, Call):
            # What a function of the caller's returns may be one of its arguments: none of them is written over.
            for name in {n.name for n in walk(node) if isinstance(n, Var)}:
                self.stores.pop(name, None)
            return None, None
        if isinstance(node, Op) and node.function in FRESH:
            return Store(own, truth=False, kept=False), None
        truth = is_truth(node)
        if isinstance(node, Op):
            read = {n.name for part in parts(node) for n in (part, *parts(part)) if isinstance(n, Var)}
            for name in ending:
                store = self.stores[name]
                if name in read and (store.shape, store.truth) == (own, truth):
                    return store, name
        for store in self.free:
            if store.kept and (store.shape, store.truth) == (own, truth):
                self.free.remove(store)
                return store, None
        return Store(own, truth, kept=isinstance(node, Op | MatMul | Reduce | Joined)), None

"""The lines of a program with who reads what, so that those of one layer are found without a look at all others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from symbackprop.emit.program import Assign, Call, MatMul, Node, Reduce, Together, Transposed, Var, walk
from symbackprop.emit.shapes import Shape, shape


class Lines:
    """The lines of a program by name, in order, and the shapes of all values; ``known`` are those it starts from."""

    def __init__(self, lines: Iterable[Assign], known: Mapping[str, Shape]) -> None:
        self.of: dict[str, Assign] = {}
        self.shapes = dict(known)
        self.readers: dict[str, list[str]] = {}
        for line in lines:
            self.shapes[line.name] = shape(line.node, self.shapes)
            self.put(line)
        self.place = {name: at for at, name in enumerate(self.of)}
        self.instead: dict[str, tuple[Assign, ...]] = {}

    def put(self, line: Assign) -> None:
        """Puts in a line, or another one in the place of that of its name."""
        self.of[line.name] = line
        for name in set(names_in(line.node)):
            self.readers.setdefault(name, []).append(line.name)

    def reading(self, names: Iterable[str]) -> list[Assign]:
        """The lines that read any of these, in order."""
        found = {
            reader for name in names for reader in self.readers.get(name, ()) if name in names_in(self.of[reader].node)
        }
        return [self.of[name] for name in sorted(found, key=self.place.__getitem__)]

    def own(self, start: Collection[str], whole: Collection[str], *, rows: bool = False) -> dict[str, Assign]:
        """Those that compute from arrays at the ``start`` and ``whole`` ones, entry by entry or row by row, by name."""
        own: dict[str, Assign] = {}
        local, waiting = set(start), self.reading(start)
        while waiting:
            line, *waiting = waiting
            if line.name not in own and is_local(line.node, local, whole, rows=rows):
                own[line.name] = line
                local.add(line.name)
                later = {each.name: each for each in [*waiting, *self.reading([line.name])]}
                waiting = sorted(later.values(), key=lambda each: self.place[each.name])
        return own

    def __iter__(self) -> Iterator[Assign]:
        for name, line in self.of.items():
            yield from self.instead.get(name, (line,))


def is_local(node: Node, own: Collection[str], whole: Collection[str], *, rows: bool = False) -> bool:
    """Whether ``node`` is computed entry by entry, or row by row, from ``own`` values, of which each row has its own.

    ``whole`` are values that every row may need.
    """
    names = set(names_in(node))
    apart = MatMul | Call | Transposed | Together
    return (
        not names.isdisjoint(own)
        and names <= {*own, *whole}
        and not any(isinstance(n, apart) for n in walk(node))
        and all(rows and n.over == "columns" for n in walk(node) if isinstance(n, Reduce))
    )


def names_in(node: Node) -> Iterator[str]:
    """The names that ``node`` reads."""
    return (n.name for n in walk(node) if isinstance(n, Var))

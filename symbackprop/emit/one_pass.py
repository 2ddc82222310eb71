"""Lines that one function of the module computes in one pass, a few rows at a time: what is needed on the way is small.

An activation and its slope often share exponentials. Computed together they need not be kept until the backward sweep:
the slope takes the place of the pre-activation, whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Integer

from symbackprop.emit.elementary import counted, elementary
from symbackprop.emit.program import (
    Assign,
    Call,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Op,
    Reduce,
    Together,
    Transposed,
    Var,
    free_name,
    layer_number,
    needed,
    parts,
    replaced,
    walk,
    with_parts,
)
from symbackprop.emit.shapes import Shape, shape
from symbackprop.emit.storage import placed
from symbackprop.network.quantities import BATCH


@dataclass(frozen=True)
class Pass:
    """Lines that compute ``results``, row by row, and the sum ``total`` over all rows; ``name`` says what."""

    name: str
    lines: tuple[Assign, ...]
    results: tuple[str, ...]
    total: str | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """What the lines start from, in the order in which they read it."""
        made = {line.name for line in self.lines}
        return tuple(dict.fromkeys(name for line in self.lines for name in names_in(line.node) if name not in made))

    @property
    def needs_batch(self) -> bool:
        """Whether the lines need the number of examples."""
        return any(Number(BATCH) in walk(line.node) for line in self.lines)


@dataclass(frozen=True)
class Layer:
    """The names of one layer: of its activation, pre-activations, outputs, δ, and of what its activation learns."""

    activation: str
    before: str
    out: str
    delta: str
    trained: frozenset[str]


def in_one_pass(
    lines: Iterable[Assign], layers: Iterable[Layer], known: Mapping[str, Shape]
) -> tuple[tuple[Assign, ...], list[Pass]]:
    """The lines, slopes of activations early where that saves arrays, and what is best computed in one pass."""
    lines, passes = tuple(lines), list[Pass]()
    for layer in layers:
        shapes = shapes_of(lines, known)
        lines, found = with_early_slope(lines, layer, shapes)
        passes += [found] if found else values_by_blocks(lines, layer, shapes)
        passes += delta_by_blocks(lines, layer, shapes_of(lines, known))
    return lines, passes


def shapes_of(lines: Iterable[Assign], known: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shapes of all values."""
    shapes = dict(known)
    for line in lines:
        shapes[line.name] = shape(line.node, shapes)
    return shapes


def with_early_slope(
    lines: tuple[Assign, ...], layer: Layer, shapes: Mapping[str, Shape]
) -> tuple[tuple[Assign, ...], Pass | None]:
    """The lines with the slope of ``layer`` computed behind its outputs, if fewer arrays are kept then, or less room.

    ``lines`` as they are, and None, if not.
    """
    own = dict(own_lines(lines, [layer.before], layer.trained))
    local = {layer.before, *own}
    cutter = _Cutter(local, layer)
    cut = [line if line.name in own else replace(line, node=cutter(line.node)) for line in lines]
    without = dict.fromkeys(cutter.found, Number(Integer(0)))
    direct = {name for line in cut if line.name not in own for name in names_in(replaced(line.node, without))} & local
    freed = {name for node in cutter.found for name in names_in(node)} & local - direct
    if not cutter.found or direct - {layer.before} != {layer.out} or len(freed) < len(cutter.found):
        return lines, None
    named = slope_of(cutter.found, layer, shapes)
    if named is None:
        return lines, None
    slope, instead = named
    results = (layer.out, slope.name)
    found = Pass(f"{layer.activation}_and_slope", needed([*own.values(), slope], results), results)
    if len(freed) == len(cutter.found) and not takes_more_room(found, freed, layer, shapes):
        return lines, None
    done: list[Assign] = []
    for line in cut:
        if line.name == layer.out:
            done += found.lines
        elif line.name not in own:
            done.append(replace(line, node=replaced(line.node, instead)))
    return tuple(done), found


def own_lines(
    lines: Iterable[Assign], start: Iterable[str], whole: Collection[str], *, rows: bool = False
) -> Iterator[tuple[str, Assign]]:
    """The lines that compute from arrays at the ``start`` and ``whole`` ones, entry by entry or row by row, by name."""
    own = set(start)
    for line in lines:
        if is_local(line.node, own, whole, rows=rows):
            own.add(line.name)
            yield line.name, line


def is_local(node: Node, own: Collection[str], trained: Collection[str], *, rows: bool = False) -> bool:
    """Whether ``node`` is computed entry by entry from ``own`` and ``trained`` values, or row by row."""
    names = set(names_in(node))
    apart = MatMul | Call | Transposed | Together
    return (
        not names.isdisjoint(own)
        and names <= {*own, *trained}
        and not any(isinstance(n, apart) for n in walk(node))
        and all(rows and n.over == "columns" for n in walk(node) if isinstance(n, Reduce))
    )


def names_in(node: Node) -> Iterator[str]:
    """The names that ``node`` reads."""
    return (n.name for n in walk(node) if isinstance(n, Var))


class _Cutter:
    """Puts together the factors of a product that are ``own`` values; ``found`` are all such parts of what it reads.

    The pre-activations and the outputs of the ``layer`` are none of them, or some columns of these.
    """

    def __init__(self, own: Collection[str], layer: Layer) -> None:
        self.own, self.layer = own, layer
        self.found: list[Node] = []

    def __call__(self, node: Node) -> Node:
        if is_local(node, self.own, self.layer.trained):
            inside = node.of if isinstance(node, Columns) else node
            if inside not in (Var(self.layer.before), Var(self.layer.out)) and node not in self.found:
                self.found.append(node)
            return node
        if isinstance(node, Op) and node.function == "multiply":
            own = [arg for arg in node.args if is_local(arg, self.own, self.layer.trained)]
            if len(own) > 1:
                rest = [arg for arg in node.args if arg not in own]
                node = Op("multiply", (*rest, Op("multiply", tuple(own))))
        return with_parts(node, tuple(map(self, parts(node))))


def slope_of(
    nodes: Sequence[Node], layer: Layer, shapes: Mapping[str, Shape]
) -> tuple[Assign, Mapping[Node, Node]] | None:
    """A line for the only one of the ``nodes``, or for all, side by side, and what stands for each of them then.

    They find room in the place of the pre-activations. None, if they are not as wide as these.
    """
    sizes = [shape(node, shapes) for node in nodes]
    name, width = free_name(f"slope{layer_number(Var(layer.out))}", shapes), sizes[0][-1]
    if len(nodes) == 1:
        return Assign(name, counted(nodes[0])), {nodes[0]: Var(name)}
    if width is None or len(set(sizes)) > 1 or shapes[layer.before][-1] != width * len(nodes):
        return None
    columns = [Columns(Var(name), n * width, (n + 1) * width) for n in range(len(nodes))]
    return Assign(name, Joined(tuple(nodes))), dict(zip(nodes, columns, strict=True))


def delta_by_blocks(lines: Sequence[Assign], layer: Layer, shapes: Mapping[str, Shape]) -> Iterator[Pass]:
    """The line of the δ of ``layer``, if it is computed row by row and needs more arrays than it reads.

    It may write over these, unless others read them too, but for the layer's own lines and matrix products.
    """
    forward = dict(own_lines(lines, [layer.before], layer.trained, rows=True))
    for line in lines:
        reads = set(names_in(line.node)) - layer.trained
        others = [each for each in lines if each is not line and each.name not in forward]
        if (
            line.name == layer.delta
            and is_local(line.node, reads, layer.trained, rows=True)
            and not any(isinstance(n, Number) and n.value.free_symbols for n in walk(line.node))
            and reads.isdisjoint(name for each in others for name in names_outside_products(each.node))
            and arrays([line], reads, [line.name], shapes) > len(reads)
        ):
            yield Pass(f"{layer.activation}_delta", (line,), (line.name,))


def values_by_blocks(lines: Sequence[Assign], layer: Layer, shapes: Mapping[str, Shape]) -> Iterator[Pass]:
    """The lines of the outputs of ``layer``, if they need arrays besides these and the pre-activations."""
    own = dict(own_lines(lines, [layer.before], layer.trained, rows=True))
    if layer.out in own:
        inside = needed(own.values(), [layer.out])
        hidden = {line.name for line in inside} - {layer.out}
        read = {name for line in lines if line not in inside for name in names_in(line.node)}
        if hidden.isdisjoint(read) and arrays(inside, [layer.before], [layer.out], shapes) > 2:
            yield Pass(f"{layer.activation}_values", inside, (layer.out,))


def names_outside_products(node: Node) -> Iterator[str]:
    """The names that ``node`` reads, those in matrix products left out."""
    if isinstance(node, Var):
        yield node.name
    elif not isinstance(node, MatMul):
        for part in parts(node):
            yield from names_outside_products(part)


def takes_more_room(found: Pass, freed: Collection[str], layer: Layer, shapes: Mapping[str, Shape]) -> bool:
    """Whether the outputs, or the slopes by themselves, need arrays besides their own and those ``freed``."""
    out, slope = found.results
    values = needed(found.lines, [out, *freed])
    late = [line for line in found.lines if line.name == slope]
    kept = {out, *freed}
    return arrays(values, [layer.before], kept, shapes) > len(kept) or arrays(late, freed, [slope], shapes) > len(freed)


def arrays(
    lines: Iterable[Assign], start: Collection[str], results: Collection[str], shapes: Mapping[str, Shape]
) -> int:
    """How many arrays the lines take, columns apart, from those at the ``start``, which they may write over."""
    lines = [*(Assign(name, Op("negative", (Var(f"given_{name}"),))) for name in start), *lines]
    made = {line.name for line in lines}
    known = {name: size for name, size in shapes.items() if name not in made}
    known |= {f"given_{name}": shapes[name] for name in start}
    stores = {line.store for line in placed(elementary(lines, known, results), known, results)[0]}
    return sum(store is not None and store.shape[-1:] != (1,) for store in stores)

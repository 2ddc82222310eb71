"""Lines that one function of the module computes in one pass, a few rows at a time: what is needed on the way is small.

An activation and its slope often share exponentials. Computed together they need not be kept until the backward sweep:
the slope takes the place of the pre-activation, whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Integer

from symbackprop.emit.elementary import counted, elementary
from symbackprop.emit.lines import Lines, is_local, names_in
from symbackprop.emit.program import (
    Assign,
    Columns,
    Joined,
    MatMul,
    Node,
    Number,
    Op,
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


def in_one_pass(lines: Lines, layers: Iterable[Layer]) -> list[Pass]:
    """What is best computed in one pass; slopes of activations come early in ``lines`` where that saves arrays."""
    passes: list[Pass] = []
    for layer in layers:
        found = with_early_slope(lines, layer)
        passes += [found] if found else values_by_blocks(lines, layer)
        passes += delta_by_blocks(lines, layer)
    return passes


def with_early_slope(lines: Lines, layer: Layer) -> Pass | None:
    """Moves the slope of ``layer`` behind its outputs, if fewer arrays are kept then, or less room is needed."""
    own = lines.own([layer.before], layer.trained)
    local = {layer.before, *own}
    cutter = _Cutter(local, layer)
    cut = [replace(line, node=cutter(line.node)) for line in lines.reading(local) if line.name not in own]
    without = dict.fromkeys(cutter.found, Number(Integer(0)))
    direct = {name for line in cut for name in names_in(replaced(line.node, without))} & local
    freed = {name for node in cutter.found for name in names_in(node)} & local - direct
    if not cutter.found or direct - {layer.before} != {layer.out} or len(freed) < len(cutter.found):
        return None
    named = slope_of(cutter.found, layer, lines.shapes)
    if named is None:
        return None
    slope, instead = named
    results = (layer.out, slope.name)
    found = Pass(f"{layer.activation}_and_slope", needed([*own.values(), slope], results), results)
    if len(freed) == len(cutter.found) and not takes_more_room(found, freed, layer, lines.shapes):
        return None
    lines.shapes[slope.name] = shape(slope.node, lines.shapes)
    lines.instead |= {**dict.fromkeys(own, ()), layer.out: found.lines}
    for line in cut:
        lines.put(replace(line, node=replaced(line.node, instead)))
    return found


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


def delta_by_blocks(lines: Lines, layer: Layer) -> Iterator[Pass]:
    """The line of the δ of ``layer``, if it is computed row by row and needs more arrays than it reads.

    It may write over these, unless others read them too, but for the layer's own lines and matrix products.
    """
    line = lines.of.get(layer.delta)
    if line is None:
        return
    reads, own = set(names_in(line.node)) - layer.trained, lines.own([layer.before], layer.trained, rows=True)
    others = [each for each in lines.reading(reads) if each is not line and each.name not in own]
    if (
        is_local(line.node, reads, layer.trained, rows=True)
        and not any(isinstance(n, Number) and n.value.free_symbols for n in walk(line.node))
        and reads.isdisjoint(name for each in others for name in names_outside_products(each.node))
        and arrays([line], reads, [line.name], lines.shapes) > len(reads)
    ):
        yield Pass(f"{layer.activation}_delta", (line,), (line.name,))


def values_by_blocks(lines: Lines, layer: Layer) -> Iterator[Pass]:
    """The lines of the outputs of ``layer``, if they need arrays besides these and the pre-activations."""
    own = lines.own([layer.before], layer.trained, rows=True)
    if layer.out not in own:
        return
    inside = needed(own.values(), [layer.out])
    hidden = {line.name for line in inside} - {layer.out}
    read_alone = all(line in inside for line in lines.reading(hidden))
    if read_alone and arrays(inside, [layer.before], [layer.out], lines.shapes) > 2:
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
    read = {name for line in lines for name in names_in(line.node)} - {line.name for line in lines}
    known = {name: shapes[name.removeprefix("given_")] for name in read}
    stores = {line.store for line in placed(elementary(lines, known, results), known, results)[0]}
    return sum(store is not None and store.shape[-1:] != (1,) for store in stores)

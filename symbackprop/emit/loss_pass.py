"""The loss and the δ of the output layer in one pass: for losses that need many arrays of the outputs' shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbackprop.emit.lines import Lines, is_local, names_in
from symbackprop.emit.one_pass import Layer, Pass
from symbackprop.emit.program import Assign, Node, Reduce, Var, free_name, needed, replaced, walk


@dataclass(frozen=True)
class Given:
    """The names of the loss, of its value, of the targets, and of arrays that the loss reads ``whole``."""

    loss: str
    error: str
    targets: str
    whole: tuple[str, ...]


def loss_by_blocks(lines: Lines, layer: Layer, given: Given) -> tuple[Lines, Pass] | None:
    """The lines with the sum in the loss in a line of its own, and the pass that computes it and δ of ``layer``.

    None where the loss is not one sum over the rows, or others read what the pass writes over.
    """
    whole = {*given.whole, *layer.trained}
    own = lines.own([layer.before, given.targets], whole, rows=True)
    local = {layer.before, given.targets, *own}
    every = dict.fromkeys(n for n in walk(lines.of[given.error].node) if isinstance(n, Reduce) and n.over == "all")
    sums = [n for n in every if not local.isdisjoint(names_in(n))]
    if layer.delta not in own or len(sums) != 1 or not all(is_local(n.of, local, whole, rows=True) for n in sums):
        return None
    total = Assign(free_name("total", lines.shapes), sums[0])
    instead: dict[Node, Node] = {total.node: Var(total.name)}
    rest = [replace(line, node=replaced(line.node, instead)) for line in lines if line.name not in own]
    read = {name for line in rest for name in names_in(line.node)}
    if layer.before in read:
        return None
    results = (*(name for name in own if name in read and name != layer.delta), layer.delta)
    found = needed([*own.values(), total], [total.name, *results])
    # δ comes last, for it may be written over what all others are computed from.
    ordered = (*(line for line in found if line.name != layer.delta), own[layer.delta])
    at = next(n for n, line in enumerate(rest, start=1) if line.name == layer.before)
    done = [*rest[:at], *ordered, *rest[at:]]
    return Lines(done, lines.shapes), Pass(f"{given.loss}_and_delta", ordered, results, total.name)

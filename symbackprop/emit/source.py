"""Pieces of Python source that every emitted module has: its heading, named numbers, lines that fit on the page."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby

from sympy import Rational, Symbol

from symbackprop.catalogue.activations import GENERIC
from symbackprop.emit.program import Assign, Call, Number, walk
from symbackprop.network.quantities import BATCH, RATE
from symbackprop.network.spec import NetworkSpec

WIDTH = 120
MARKS = ((" if ", " else "), (" + ", " - "), (" * ", " / "))  # where a long line is broken, loosest first
ASSIGNMENT = re.compile(r"\w+(\[[^]]*\])? [-+*/]?= ")
CLASS_WEIGHTS = "CLASS_WEIGHTS"  # the constant with the weights of all classes


@dataclass(frozen=True)
class Slice:
    """The part of a program that one function carries out, printed."""

    lines: list[str]
    keywords: dict[str, str]
    helpers: frozenset[str]

    @property
    def named(self) -> list[str]:
        """The keyword arguments with their types."""
        return [f"{name}: {kind}" for name, kind in self.keywords.items()]

    @property
    def passed(self) -> list[str]:
        """The keyword arguments handed on."""
        return [f"{name}={name}" for name in self.keywords]


def constants(spec: NetworkSpec) -> list[tuple[str, str]]:
    """The parameters of the activations and of the loss as module constants, with their numbers."""
    return [(symbol.name.upper(), repr(float(value))) for symbol, value in fixed(spec).items()]


def single_constants(spec: NetworkSpec) -> list[tuple[str, str]]:
    """``constants``, and the weight of each class as one more."""
    weights = weights_of_classes(spec).items()
    return [*constants(spec), *((symbol.name.upper(), repr(float(value))) for symbol, value in weights)]


def fixed(spec: NetworkSpec) -> dict[Symbol, Rational]:
    """The parameters that keep their numbers; those that are trained are arguments, those that are 1 are left out."""
    return {symbol: value for symbol, value in spec.parameters.items() if symbol not in spec.trained and value != 1}


def left_out(spec: NetworkSpec) -> dict[Symbol, Rational]:
    """The parameters that are 1 and stay so: code is made of the formulas with the number put in, a factor less."""
    return {symbol: value for symbol, value in spec.parameters.items() if symbol not in spec.trained and value == 1}


def weights_of_classes(spec: NetworkSpec) -> dict[Symbol, Rational]:
    """The weight of each class by itself, as the symbol that stands for it where entries are written out."""
    return {Symbol(str(entry), real=True): number for entry, number in spec.class_weights.items()}


def strength(spec: NetworkSpec) -> Symbol | None:
    """The penalty's strength, where it stays symbolic."""
    return spec.penalty.strength if spec.penalty and isinstance(spec.penalty.strength, Symbol) else None


def named_numbers(spec: NetworkSpec) -> dict[Symbol, str]:
    """What each named number of the formulas is called in the source."""
    names = {symbol: symbol.name.upper() for symbol in fixed(spec)}
    names |= {symbol: symbol.name.upper() for symbol in weights_of_classes(spec)}
    if (symbol := strength(spec)) is not None:
        names[symbol] = f"{symbol.name}_" if keyword.iskeyword(symbol.name) else symbol.name
    return {**names, BATCH: "n", RATE: "learning_rate"}


def functions_handed_in(spec: NetworkSpec) -> frozenset[str]:
    """The names of the functions that the caller hands in: undefined activations, an undefined loss, their slopes."""
    tags = [use.tag for use in spec.activations if use.entry is GENERIC]
    slopes = [f"{tag}_prime" for tag in tags]
    return frozenset([*tags, *slopes, *(("cost", "cost_slope") if spec.loss.entry.value is None else ())])


def keywords(lines: Iterable[Assign], spec: NetworkSpec) -> dict[str, str]:
    """What the caller must hand in for ``lines``: name -> type, functions first."""
    nodes = [node for line in lines for node in walk(line.node)]
    found = {node.function: "Function" for node in nodes if isinstance(node, Call)}
    symbol = strength(spec)
    if symbol is not None and Number(symbol) in nodes:
        found[named_numbers(spec)[symbol]] = "float"
    return found


def of_weights(weights: Iterable[Rational]) -> str:
    """The weights of all classes as one constant, on lines that fit.

    >>> of_weights([Rational(1), Rational(1, 2)])
    '(1.0, 0.5)'
    """
    numbers = [repr(float(weight)) for weight in weights]
    line = f"({', '.join(numbers)})"
    return (
        line if len(line) + len(CLASS_WEIGHTS) + 3 <= WIDTH else "\n".join(["(", *(f"    {n}," for n in numbers), ")"])
    )


def summary(spec: NetworkSpec) -> str:
    """The network in one line.

    >>> from symbackprop.network.read import network
    >>> summary(network("2-3-3-1", activation="tanh", loss="mse"))
    '2-3-3-1, 3 x tanh, loss mse'
    """
    sizes = "-".join(map(str, spec.sizes))
    if len(sizes) > 40:
        sizes = f"{spec.sizes[0]}-{spec.sizes[1]}-...-{spec.sizes[-1]} ({spec.depth} layers)"
    runs = [(tag, len(list(run))) for tag, run in groupby(use.tag for use in spec.activations)]
    tags = [tag if count == 1 else f"{count} x {tag}" for tag, count in runs]
    if len(", ".join(tags)) > 50:
        tags = [tags[0], "...", tags[-1]]
    return f"{sizes}, {', '.join(tags)}, loss {spec.loss.entry.name}"


def title_lines(spec: NetworkSpec) -> list[str]:
    """The user's title as lines that are safe in comments: printable, not too long."""
    if spec.title is None:
        return []
    return textwrap.wrap("".join(c if c.isprintable() else "?" for c in f"Title: {spec.title}"), WIDTH - 4)


def signature(name: str, positional: Sequence[str], named: Sequence[str], result: str) -> str:
    """The first line of a function, broken where it does not fit."""
    arguments = [*positional, *(["*", *named] if named else [])]
    line = f"def {name}({', '.join(arguments)}) -> {result}:"
    if len(line) <= WIDTH:
        return line
    if len(inner := f"    {', '.join(arguments)}") <= WIDTH:
        return f"def {name}(\n{inner}\n) -> {result}:"
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"def {name}(\n{lines}) -> {result}:"


def citation(numbers: Mapping[str, int], label: str | None) -> str:
    """The number of the equation that a line carries out, as a comment cites it.

    >>> citation({"matrix.z.2": 7}, "matrix.z.2")
    '(7)'
    """
    return f"({numbers[label]})" if label is not None and label in numbers else ""


def fitted(statement: str, indent: int = 4, comment: str = "") -> list[str]:
    """A statement as lines that fit, broken at the signs of its outermost sum or product or at its outermost commas."""
    note = f"  # {comment}" if comment else ""
    if len(statement) + len(note) + indent <= WIDTH:
        return [statement + note]
    match = ASSIGNMENT.match(statement)
    target, value = (statement[: match.end()], statement[match.end() :]) if match else (statement, "")
    pieces = [value]
    for marks in MARKS:
        if value and len(pieces) == 1 and len(value) + indent + 4 > WIDTH:
            pieces = _split(value, marks)
    one_call = value.endswith(")") and len(_split(value, (*chain(*MARKS), " @ "))) == 1
    if value and not one_call:
        if (opened := _opened_at_an_end(target, value, indent)) is not None:
            return [opened[0] + note, *opened[1:]]
        lines = [line for piece in pieces for line in _broken(piece.strip(), indent + 4)]
        return [f"{target}({note}", *(f"    {line}" for line in lines), ")"]
    head, _, rest = statement.partition("(")
    body, _, tail = rest.rpartition(")")
    if len(body) + indent + 4 <= WIDTH:
        return [f"{head}({note}", f"    {body}", f"){tail}"]
    pieces = _split(body, (", ",))
    lines = [f"{piece.strip(', ')}," for piece in pieces] if len(pieces) > 1 else _broken(body, indent + 4)
    return [f"{head}({note}", *(f"    {line}" for line in lines), f"){tail}"]


def listed(name: str, items: Sequence[str]) -> list[str]:
    """A list as lines that fit, one item a line where it is long.

    >>> listed("biases", ["b1", "b2"])
    ['biases = [b1, b2]']
    """
    line = f"{name} = [{', '.join(items)}]"
    return [line] if len(line) + 4 <= WIDTH else [f"{name} = [", *(f"    {item}," for item in items), "]"]


def _broken(text: str, indent: int) -> list[str]:
    """An expression as lines that fit: broken at its signs, else inside its first brackets."""
    if len(text) + indent <= WIDTH:
        return [text]
    for marks in MARKS:
        if len(pieces := _split(text, marks)) > 1:
            return [line for piece in pieces for line in _broken(piece.strip(), indent)]
    return _opened(text, indent)


def _opened(text: str, indent: int) -> list[str]:
    """An expression with what stands inside its first brackets on lines of its own."""
    head, _, rest = text.partition("(")
    depths = accumulate((c in "([") - (c in ")]") for c in rest)
    end = next((at for at, depth in enumerate(depths) if depth < 0), None)
    if end is None:
        return [text]
    parts = _split(rest[:end], (", ",))
    inside = [[*lines[:-1], f"{lines[-1]},"] for lines in (_broken(part.strip(", "), indent + 5) for part in parts)]
    if len(parts) == 1:
        inside = [_broken(rest[:end], indent + 4)]
    return [f"{head}(", *(f"    {line}" for lines in inside for line in lines), f"){rest[end + 1 :]}"]


def _opened_at_an_end(target: str, value: str, indent: int) -> list[str] | None:
    """A ``value`` of two operands, broken inside the brackets of one of them, the last that leave the rest its line.

    Formatters put no brackets around a value that they can break inside its own.
    """
    pieces = next((pieces for marks in MARKS if len(pieces := _split(value, marks)) > 1), [])
    if len(pieces) != 2:
        return None
    first, second = pieces
    if second.endswith(")"):
        depths = list(accumulate((c in ")]") - (c in "([") for c in reversed(second)))
        at = len(second) - 1 - depths.index(0)
        before = f"{target}{first}{second[:at]}"
        if len(before) + 1 + indent <= WIDTH:
            head, *rest = _opened(second[at:], indent)
            return [before + head, *rest]
    if first.startswith("("):
        *rest, last = _opened(first, indent)
        if len(last + second) + indent <= WIDTH:
            return [target + rest[0], *rest[1:], last + second]
    return None


def filled(pieces: list[str], indent: int = 0) -> list[str]:
    """Pieces joined on lines that fit, four spaces in."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece) + indent + 4 > WIDTH:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [f"    {line.rstrip()}" for line in lines]


def wrapped(head: str, pieces: Sequence[str], tail: str, indent: int = 4, *, brackets: bool = False) -> list[str]:
    """``head``, pieces with what separates them, and ``tail``: on one line, or as many pieces on a line as fit.

    Several lines may want ``brackets`` of their own.

    >>> wrapped("f(", ["a, ", "b, "], ")")
    ['f(a, b)']
    """
    line = head + "".join(pieces).removesuffix(", ") + tail
    if len(line) + indent <= WIDTH:
        return [line]
    before, behind = ("(", ")") if brackets else ("", "")
    return [f"{head}{before}".rstrip(), *filled(list(pieces), indent), f"{behind}{tail}"]


def unpacking(names: Sequence[str], shape: tuple[int, ...], value: str, indent: int = 4) -> list[str]:
    """The numbers of an array in nested lists by their names.

    >>> unpacking(["w11", "w21"], (2, 1), "W.tolist()")
    ['(w11,), (w21,) = W.tolist()']
    >>> unpacking(["x1", "x2"], (1, 2), "x.tolist()")
    ['((x1, x2),) = x.tolist()']
    """
    if not shape:
        return [f"{names[0]} = {value}"]
    if len(shape) == 1:
        pieces = [f"{name}, " for name in names]
    else:
        pieces = [each for first in range(0, len(names), shape[1]) for each in row(names[first : first + shape[1]])]
    line = "".join(pieces).rstrip()
    line = f"{f'({line})' if shape[0] == 1 else line.removesuffix(',')} = {value}"
    return [line] if len(line) + indent <= WIDTH else ["(", *filled(pieces, indent), f") = {value}"]


def row(names: Sequence[str]) -> list[str]:
    """The pieces of a tuple of names inside another one.

    >>> row(["x1", "x2"]), row(["t1"])
    (['(x1, ', 'x2), '], ['(t1,), '])
    """
    if len(names) == 1:
        return [f"({names[0]},), "]
    first, *most, last = names
    return [f"({first}, ", *(f"{name}, " for name in most), f"{last}), "]


def _split(text: str, marks: tuple[str, ...]) -> list[str]:
    """``text`` cut at the marks that stand outside all brackets: before a sign, behind a comma."""
    pieces, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        for mark in marks:
            if depth == 0 and at > start and text.startswith(mark, at):
                cut = at + len(mark) if mark == ", " else at
                pieces.append(text[start:cut])
                start = cut
    return [*pieces, text[start:]]

"""Matrix terms: the small closed set of nodes that matrix equations are built from.

A term has rows and columns. Each is an ``Axis`` (the units of a layer, or the examples of a batch) or None: just one
row, or one column. So a bias is one row (or one column), a number has neither. In ``Plus``, ``Hadamard`` and ``Map`` a
part with just one row or column is repeated along the other parts' axis.
Operations on terms live in modules of their own; a term only holds its parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Base
from symbackprop.network.quantities import ERROR

Along = Literal["rows", "columns"]


@dataclass(frozen=True)
class Axis:
    """The units of ``layer``, or, where ``layer`` is None, the examples of a batch.

    With ``constant``, a unit 0 stands in front, whose output is always 1: the weights that leave it are the biases.
    With several ``blocks``, it is the layer's pre-activations, one for each unit in each block; with a fraction, it is
    a block of its units.
    """

    layer: int | None
    constant: bool = False
    blocks: int | Fraction = 1


EXAMPLES = Axis(None)


@dataclass(frozen=True)
class Leaf:
    """A named array: all entries of ``base`` at ``layer`` (None for the targets, which carry no layer)."""

    base: Base
    layer: int | None
    rows: Axis | None
    columns: Axis | None


@dataclass(frozen=True)
class Gradient:
    """``∂error/∂of``, an array of the shape of ``of``; the error of each example, or the objective."""

    of: Leaf
    error: Symbol = ERROR


@dataclass(frozen=True)
class Ones:
    """The array of ones, of the given shape."""

    rows: Axis | None
    columns: Axis | None


@dataclass(frozen=True)
class Transpose:
    """``of`` transposed."""

    of: Term


@dataclass(frozen=True)
class Diagonal:
    """The diagonal matrix with the entries of ``of``, one row or one column."""

    of: Term


@dataclass(frozen=True)
class Product:
    """The matrix product ``left right``: a row times a column is a number, a column times a row an outer product."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Hadamard:
    """The product entry by entry, ⊙."""

    factors: tuple[Term, ...]


@dataclass(frozen=True)
class Plus:
    """The sum entry by entry."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Scaled:
    """A number (an expression without entries) times a term."""

    factor: Expr
    of: Term


@dataclass(frozen=True)
class Map:
    """``function``, an expression in ``symbols``, applied entry by entry to ``arguments``."""

    function: Expr
    symbols: tuple[Symbol, ...]
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class SumOver:
    """The sum of all rows (one row is left) or of all columns (one column is left)."""

    of: Term
    over: Along


@dataclass(frozen=True)
class InBlock:
    """The rows or columns of ``of`` that belong to one ``block`` of its axis, counted from 0, of so many."""

    of: Term
    block: int
    along: Along
    count: int


@dataclass(frozen=True)
class Joined:
    """The blocks of an array one below another, along its rows, or side by side, along its columns."""

    blocks: tuple[Term, ...]
    along: Along


@dataclass(frozen=True)
class Entries:
    """An array by its entries, row by row."""

    table: tuple[tuple[Expr, ...], ...]
    rows: Axis | None
    columns: Axis | None


NUMERATOR, DENOMINATOR, BOTH = ORDERS = ("numerator", "denominator", "both")  # of the factors of a chain rule


@dataclass(frozen=True)
class ChainRule:
    """∂error/∂u · ∂u/∂v · … · ∂y/∂w for ``leaves`` u, v, …, y, w: an array of the shape of w.

    Between two factors the sum over all entries of the array that they share is meant. In ``denominator`` layout the
    factors stand in the opposite order.
    """

    leaves: tuple[Leaf, ...]
    error: Symbol = ERROR
    denominator: bool = False


Term = (
    Leaf
    | Gradient
    | Ones
    | Transpose
    | Diagonal
    | Product
    | Hadamard
    | Plus
    | Scaled
    | Map
    | SumOver
    | InBlock
    | Joined
    | Entries
    | ChainRule
)
TERMS = (
    Leaf,
    Gradient,
    Ones,
    Transpose,
    Diagonal,
    Product,
    Hadamard,
    Plus,
    Scaled,
    Map,
    SumOver,
    InBlock,
    Joined,
    Entries,
    ChainRule,
)


@dataclass(frozen=True)
class Layout:
    """How arrays are laid out: a batch or one example; examples as rows or as columns; a weight's rows FROM or TO."""

    batch: bool = True
    examples_in_rows: bool = True
    weights_from_to: bool = True


def shape(term: Term) -> tuple[Axis | None, Axis | None]:
    """The rows and columns of ``term``.

    >>> w = Leaf(Base("w"), 1, Axis(1), Axis(2))
    >>> shape(Product(Transpose(w), w))
    (Axis(layer=2, constant=False, blocks=1), Axis(layer=2, constant=False, blocks=1))
    """
    match term:
        case Leaf() | Ones() | Entries():
            return term.rows, term.columns
        case ChainRule(leaves):
            return shape(leaves[-1])
        case Gradient(of) | Scaled(_, of):
            return shape(of)
        case Transpose(of):
            return shape(of)[1], shape(of)[0]
        case Diagonal(of):
            along = shape(of)[0] or shape(of)[1]
            return along, along
        case Product(left, right):
            return shape(left)[0], shape(right)[1]
        case Hadamard(parts) | Plus(parts) | Map(_, _, parts):
            shapes = [shape(part) for part in parts]
            return next((r for r, _ in shapes if r), None), next((c for _, c in shapes if c), None)
        case SumOver(of, over):
            return (None, shape(of)[1]) if over == "rows" else (shape(of)[0], None)
        case InBlock(of, _, along, count):
            return times_blocks(shape(of), along, Fraction(1, count))
        case Joined(blocks, along):
            return times_blocks(shape(blocks[0]), along, Fraction(len(blocks)))


def times_blocks(
    axes: tuple[Axis | None, Axis | None], along: str, number: Fraction
) -> tuple[Axis | None, Axis | None]:
    """The rows and columns, the one of them that lies ``along`` made so many times as long."""
    rows, columns = axes
    if along == "rows":
        return replace(rows, blocks=rows.blocks * number) if rows else None, columns
    return rows, replace(columns, blocks=columns.blocks * number) if columns else None

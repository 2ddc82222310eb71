"""Matrix terms as formulas: the same printer, with one rule for each kind of term."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp
from sympy import Symbol

from symbackprop.derivation.matrix_terms import (
    ChainRule,
    Diagonal,
    Entries,
    Gradient,
    Hadamard,
    InBlock,
    Joined,
    Leaf,
    Map,
    Ones,
    Plus,
    Product,
    Scaled,
    SumOver,
    Term,
    Transpose,
)
from symbackprop.errors import UnsupportedExpression, shown
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.printed import Level, Printed, before, join

RECIPROCAL = -1


@dataclass(frozen=True)
class MatrixPrinter:
    """Prints terms; ``batch`` says whether arrays hold a batch, which are then written as capitals."""

    formula: FormulaPrinter
    batch: bool

    def __call__(self, term: Term) -> Printed:
        """``term`` in the markup of the formula printer. Raises ``UnsupportedExpression`` for anything else."""
        if isinstance(term, Leaf | Gradient):
            term = self.formula.notation.substitution.into(term)
        number, rest = number_in_front(term)
        if number != 1:
            return self.scaled(number, rest)
        match term:
            case Leaf():
                return self.formula.name(self.formula.notation.array(term, self.batch))
            case Gradient(of, error):
                sign = self.formula.notation.profile.derivative
                return self.formula.markup.derivative(sign, self.formula(error), self(of))
            case Entries(table):
                return self.formula.markup.array([[self.formula(entry) for entry in row] for row in table])
            case ChainRule():
                return self.chain_rule(term)
            case Ones(None, None):
                return self.formula(sp.S.One)
            case Ones():
                return self.formula.markup.ones()
            case Transpose(of):
                return self.transposed(self(of))
            case Diagonal(of):
                return self.diagonal(self(of))
            case Product(left, right):
                return self.side_by_side([self(left), self(right)])
            case Hadamard(factors):
                return self.hadamard(factors)
            case Plus(terms):
                return self.plus(terms)
            case InBlock(of, block, _, _):
                inside = self.formula.markup.brackets(self(of))
                return self.formula.markup.scripts(inside, str(block + 1), "", "", bold=False)
            case Joined(blocks, along):
                pieces = [self(part) for part in blocks]
                return self.formula.markup.array([pieces] if along == "columns" else [[piece] for piece in pieces])
            case Map():
                return self.map(term)
            case SumOver():
                return self.summed(term)
        raise UnsupportedExpression(f"no rule prints {type(term).__name__}: {shown(str(term))}")

    def chain_rule(self, term: ChainRule) -> Printed:
        """The factors from the error on, or in the opposite order."""
        sign, markup = self.formula.notation.profile.derivative, self.formula.markup
        printed = [self.formula(term.error), *map(self, term.leaves)]
        factors = [markup.derivative(sign, of, by) for of, by in pairwise(printed)]
        factors = factors[::-1] if term.denominator else factors
        return join([factors[0], *(before(markup.dot, factor, 2) for factor in factors[1:])], Level.PRODUCT)

    def transposed(self, piece: Printed) -> Printed:
        """``piece`` with the profile's transposition sign; a piece with a superscript gets brackets."""
        held = self.formula.held(piece, Level.ATOM)
        return self.formula.markup.transposed(held, self.formula.notation.profile.transpose)

    def diagonal(self, piece: Printed) -> Printed:
        """The diagonal matrix of a row or column: ``diag(f′(z))``."""
        head, brackets = self.formula.markup.letter("diag"), self.formula.markup.brackets(piece)
        return Printed(head.text + brackets.text, Level.ATOM, head.width + brackets.width, brackets.tall)

    def side_by_side(self, pieces: list[Printed]) -> Printed:
        """A matrix product: anything but a product or a single array in brackets."""
        loose = [piece.level < Level.PRODUCT or _has_mark(piece, self.hadamard_sign) for piece in pieces]
        held = [self.formula.markup.brackets(p) if open_ else p for p, open_ in zip(pieces, loose, strict=True)]
        space = self.formula.markup.space
        return join([held[0], *(before(space, piece, 0.4) for piece in held[1:])], Level.PRODUCT)

    @property
    def hadamard_sign(self) -> str:
        return f" {self.formula.markup.operator(self.formula.notation.profile.entrywise_sign)} "

    def hadamard(self, factors: tuple[Term, ...]) -> Printed:
        """Factors joined by ⊙, matrix products in brackets; reciprocals go under one fraction bar."""
        below = [reciprocal_of(f) for f in factors]
        under = [term for term in below if term is not None]
        over = [f for f, term in zip(factors, below, strict=True) if term is None]
        if under:
            above = self.hadamard(tuple(over)) if over else self.formula(sp.S.One)
            return self.formula.markup.fraction(above, self.hadamard(tuple(under)))
        if len(over) == 1:
            return self(over[0])
        pieces = [self.factor(factor) for factor in over]
        return join([pieces[0], *(before(self.hadamard_sign, p, 3) for p in pieces[1:])], Level.PRODUCT)

    def factor(self, term: Term) -> Printed:
        """A factor of ⊙: anything but a single array or function in brackets."""
        piece = self(term)
        several = isinstance(term, (Product, SumOver, Scaled)) or (isinstance(term, Map) and len(piece.parts) > 1)
        return self.formula.markup.brackets(piece) if several else self.formula.held(piece, Level.PRODUCT)

    def plus(self, terms: tuple[Term, ...]) -> Printed:
        """Terms joined by their signs, the positive ones in the order they come."""
        pieces: list[Printed] = []
        for n, term in enumerate(terms):
            number, rest = number_in_front(term)
            minus = is_negative(number)
            piece = self.scaled(-number, rest) if minus else self(term)
            piece = self.formula.held(piece, Level.PRODUCT) if minus else piece
            sign = self.formula.markup.operator("-" if minus else "+")
            if n:
                pieces.append(before(f" {sign} ", piece, 3))
            else:
                pieces.append(before(sign, piece, 1) if minus else piece)
        return join(pieces, Level.SUM)

    def summed(self, term: SumOver) -> Printed:
        """The sum over rows or columns: a product with the vector of ones."""
        ones, piece = self.formula.markup.ones(), self(term.of)
        return self.side_by_side([self.transposed(ones), piece] if term.over == "rows" else [piece, ones])

    def scaled(self, factor: sp.Expr, of: Term) -> Printed:
        """A number times a term that has none in front."""
        if is_negative(factor):
            return self.formula.negative(self.scaled(-factor, of))
        if factor == 1:
            return self(of)
        if isinstance(of, Ones) and of.rows is None and of.columns is None:
            return self.formula(factor)
        number, piece = self.formula.tight(factor, Level.PRODUCT), self.formula.held(self(of), Level.PRODUCT)
        return join([number, before(self.formula.markup.space, piece, 0.4)], Level.PRODUCT)

    def map(self, term: Map) -> Printed:
        """A function entry by entry: its formula, with the arrays in place of its variables."""
        bound: dict[Symbol, Printed] = dict(zip(term.symbols, map(self, term.arguments), strict=True))
        return replace(self.formula, bound=bound, entrywise=True)(term.function)


def reciprocal_of(term: Term) -> Term | None:
    """The array whose reciprocals ``term`` holds, if it is 1/u of one."""
    if isinstance(term, Map) and len(term.symbols) == 1 and term.function == term.symbols[0] ** RECIPROCAL:
        return term.arguments[0]
    return None


def number_in_front(term: Term) -> tuple[sp.Expr, Term]:
    """The number that can stand in front of ``term``, and ``term`` without it: c A, Σ(c A), −A − B = −(A + B)."""
    match term:
        case Scaled(factor, of):
            number, rest = number_in_front(of)
            return factor * number, rest
        case SumOver(of, over):
            number, rest = number_in_front(of)
            return number, SumOver(rest, over)
        case Map(function, symbols, arguments):
            number, bare = function.as_coeff_Mul()
            return number, Map(bare, symbols, arguments)
        case Plus(terms):
            parts = [number_in_front(part) for part in terms]
            if all(is_negative(number) for number, _ in parts):
                turned = (Scaled(-number, rest) if number != -1 else rest for number, rest in parts)
                return sp.S.NegativeOne, Plus(tuple(sorted(turned, key=lambda part: len(repr(part)))))
    return sp.S.One, term


def is_negative(number: sp.Expr) -> bool:
    """Whether the number, or the product of numbers and parameters, has a minus sign in front."""
    return bool(number.as_coeff_Mul()[0].is_negative)


def _has_mark(piece: Printed, mark: str) -> bool:
    return any(part.text.startswith(mark) for part in piece.parts[1:])

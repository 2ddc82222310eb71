"""The text of a formula as a tree: a tokenizer and a Pratt parser. Nothing is computed here, not even a number.

Precedence is Python's: ``**`` (also written ``^``) groups to the right and binds tighter than a sign, a sign tighter
than ``*`` and ``/``, those tighter than ``+`` and ``-``, and comparisons bind least.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.errors import FormulaError, shown

MAX_LENGTH = 500  # characters
MAX_DEPTH = 40  # brackets, signs and powers inside each other
MAX_NODES = 200  # numbers, names, operators and calls
MAX_DIGITS = 30  # in a number; its exponent has at most two

TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z]\w*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/^(),<>|])|(?P<blank>[ \t]+)",
    re.ASCII,
)
COMPARISONS = frozenset({"<", "<=", ">", ">="})
BINDING = {**dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 1), "+": 2, "-": 2, "*": 3, "/": 3, "**": 5}
SIGN = 4  # a sign in front binds tighter than a product, looser than a power
END = "the end"
LOOK_ALIKES = {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "∕": "/", "π": "pi", "≤": "<=", "≥": ">="}


@dataclass(frozen=True)
class Token:
    """A piece of the text: ``kind`` is number, name, sign or end; ``at`` is the offset of its first character."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Tree:
    """A number, a name, a call or an operation; ``text`` is the number, the name, or the operator's sign.

    ``at`` is the offset of the character that an error about this tree points to.
    """

    kind: str
    text: str
    at: int
    parts: tuple[Tree, ...] = ()


def parse(text: str) -> Tree:
    """The tree of ``text``. Raises ``FormulaError``, with the position, for what is no formula.

    >>> tree = parse("-z**2")
    >>> tree.kind, tree.text, tree.parts[0].text
    ('sign', '-', '**')
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters; expected at most {MAX_LENGTH}", text, MAX_LENGTH)
    return _Parser(text).whole()


def refused(message: str, text: str, at: int) -> FormulaError:
    """The error that says where in ``text`` the formula cannot be used.

    >>> str(refused("unknown name 'y'; expected z", "z + y", 4))
    "unknown name 'y'; expected z (character 5 of 'z + y')"
    """
    where = f"character {at + 1}" if at < len(text) else END
    return FormulaError(f"{message} ({where} of {shown(text)})", text, at)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of ``text``, without the blanks, and an end.

    >>> [token.text for token in tokens("2*z^.5")]
    ['2', '*', 'z', '**', '.5', 'the end']
    """
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise refused(_unreadable(text[at]), text, at)
        kind, piece = str(match.lastgroup), match[0]
        if kind == "number":
            _refuse_long_number(piece, text, at)
        if kind == "name" and len(piece) > MAX_DIGITS:
            raise refused(f"the name {shown(piece, 20)} is too long; expected at most {MAX_DIGITS} letters", text, at)
        if kind != "blank":
            yield Token(kind, "**" if piece == "^" else piece, at)
        at = match.end()
    yield Token("end", END, len(text))


def _refuse_long_number(piece: str, text: str, at: int) -> None:
    digits, _, exponent = piece.lower().partition("e")
    if len(digits) > MAX_DIGITS or len(exponent.lstrip("+-")) > 2:
        raise refused(
            f"a number is too long; expected at most {MAX_DIGITS} digits, and two in the exponent of ten", text, at
        )


def _unreadable(character: str) -> str:
    meant = LOOK_ALIKES.get(character) or unicodedata.normalize("NFKC", character)
    hint = f"did you mean {meant!r}?" if meant != character and TOKEN.fullmatch(meant) else ""
    return f"cannot read {shown(character)}; {hint or 'expected numbers, names, + - * / ** ( ) and commas'}"


class _Parser:
    """Reads the tokens of one text from left to right, one at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.place, self.depth, self.nodes = 0, 0, 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.next
        self.place += 1
        return token

    def error(self, message: str, at: int) -> FormulaError:
        return refused(message, self.text, at)

    def whole(self) -> Tree:
        """The tree of the whole text."""
        tree = self.expression(0)
        if self.next.kind != "end":
            raise self.out_of_place(self.next)
        return tree

    def out_of_place(self, token: Token) -> FormulaError:
        """What follows an operand and neither goes on nor ends as it should."""
        if token.text == ")":
            return self.error("unexpected ')'; nothing is open", token.at)
        if token.text == ",":
            return self.error("unexpected ','; commas separate the arguments of a function", token.at)
        return self.error(f"expected an operator, such as *, before {shown(token.text)}", token.at)

    def made(self, kind: str, token: Token, *parts: Tree) -> Tree:
        """A tree, counted."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.error(f"the formula has more than {MAX_NODES} parts", token.at)
        return Tree(kind, token.text, token.at, parts)

    def expression(self, binding: int) -> Tree:
        """An operand and the operators after it that bind tighter than ``binding``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"the formula is nested more than {MAX_DEPTH} deep", self.next.at)
        tree = self.operand()
        while (own := BINDING.get(self.next.text, 0)) > binding:
            sign = self.take()
            if own == 1 and tree.kind == "comparison":
                raise self.error("a comparison has two sides; expected one of them alone", sign.at)
            right = self.expression(SIGN - 1 if sign.text == "**" else own)
            tree = self.made("comparison" if own == 1 else "operator", sign, tree, right)
        self.depth -= 1
        return tree

    def operand(self) -> Tree:
        """A number, a name, a call, something in brackets, or an operand with a sign in front."""
        token = self.take()
        if token.kind == "number":
            return self.made("number", token)
        if token.kind == "name":
            return self.call(token) if self.next.text == "(" else self.made("name", token)
        if token.text in ("-", "+"):
            inside = self.expression(SIGN)
            return self.made("sign", token, inside) if token.text == "-" else inside
        if token.text == "(":
            inside = self.expression(0)
            self.close(")", token)
            return inside
        if token.text == "|":
            inside = self.expression(0)
            self.close("|", token)
            return self.made("call", Token("name", "abs", token.at), inside)
        before = token.text if token.kind == "end" else repr(token.text)
        raise self.error(f"expected a number, a name or '(' before {before}", token.at)

    def close(self, bracket: str, opened: Token) -> None:
        """The bracket that ends what ``opened`` began."""
        if self.next.kind == "end":
            raise self.error(f"{opened.text!r} is not closed; expected {bracket!r}", opened.at)
        if self.next.text != bracket:
            raise self.out_of_place(self.next)
        self.take()

    def call(self, name: Token) -> Tree:
        """``name(argument, …)``."""
        opened = self.take()
        arguments = []
        if self.next.text != ")":
            arguments.append(self.expression(0))
            while self.next.text == ",":
                self.take()
                arguments.append(self.expression(0))
        self.close(")", opened)
        return self.made("call", name, *arguments)

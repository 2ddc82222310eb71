"""The formula printer: precedence, signs and textbook order, the same for every markup.

It knows a closed set of nodes. Any other raises ``UnsupportedExpression``: a formula is printed right or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy as sp
from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry, InBlock
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.errors import UnsupportedExpression, shown
from symbackprop.network.quantities import BIAS, BIAS_CHANGE, SIZE, WEIGHT, WEIGHT_CHANGE, is_trained
from symbackprop.notation.apply import Name, Notation
from symbackprop.notation.substitution import THRESHOLD, THRESHOLD_CHANGE
from symbackprop.render import functions, sums
from symbackprop.render.markup import Markup, name_text
from symbackprop.render.printed import Level, Printed, before

CHANGE_OF = {WEIGHT_CHANGE: WEIGHT, BIAS_CHANGE: BIAS, THRESHOLD_CHANGE: THRESHOLD}


@dataclass(frozen=True)
class FormulaPrinter:
    """Prints expressions in a notation and a markup; ``bound`` are symbols that stand for pieces already printed.

    Where symbols are bound to whole arrays, products and powers are meant entry by entry, and ``entrywise`` is true.
    A sum of more than ``most_terms`` terms is printed by its ends. ``factors`` may mark the printed factors of an
    ordered product.
    """

    notation: Notation
    markup: Markup
    bound: Mapping[Symbol, Printed] = field(default_factory=dict)
    entrywise: bool = False
    most_terms: int | None = None
    factors: Callable[[Chain, list[Printed]], list[Printed]] = sums.as_they_are
    _printed: dict[Expr, Printed] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __call__(self, expr: Expr) -> Printed:
        """``expr`` in the markup. Raises ``UnsupportedExpression`` for a node without a rule."""
        if expr not in self._printed:
            self._printed[expr] = self._print(expr)
        return self._printed[expr]

    def _print(self, expr: Expr) -> Printed:
        if isinstance(expr, (Entry, Partial)):
            # Steps come in the notation's quantities already; this is for all that comes straight from a derivation.
            expr = self.notation.substitution.into(expr)
        for kind, rule in RULES.items():
            if isinstance(expr, kind):
                return rule(self, expr)
        raise UnsupportedExpression(f"no rule prints {type(expr).__name__}: {shown(str(expr))}")

    def tight(self, expr: Expr, level: Level) -> Printed:
        """``expr``, in parentheses if it holds together less tightly than ``level``."""
        return self.held(self(expr), level)

    def held(self, piece: Printed, level: Level) -> Printed:
        """``piece``, in parentheses if it holds together less tightly than ``level``."""
        return self.markup.brackets(piece) if piece.level < level else piece

    def name(self, name: Name) -> Printed:
        """A name with its subscripts and its layer label."""
        units = [self.label(unit) for unit in name.units]
        layer = None if name.layer is None else self.label(name.layer)
        sub, label = name_text(name, units, layer)
        if name.of:
            sub = ",".join(filter(None, (self.markup.letter(name.of).text, sub)))
        return self.markup.scripts(self.markup.letter(name.letter), sub, label, name.place, name.bold)

    def label(self, layer: Expr | int) -> str:
        """A layer or unit in a label: set without spaces, the letter first (``l+1``)."""
        offset, letter = sp.sympify(layer).as_coeff_Add()
        if letter == 0:
            return str(offset)
        sign = "+" if offset > 0 else "-"
        return self(letter).text + (f"{sign}{abs(offset)}" if offset else "")

    def entry(self, entry: Entry) -> Printed:
        """One entry of an indexed quantity."""
        base = entry.base.as_role("") if is_trained(entry, "change") else CHANGE_OF.get(entry.base)
        if base is not None:
            changed = self.entry(base[entry.indices])
            return before(self.markup.operator("Δ"), changed, 1)
        return self.name(self.notation.size(entry) if entry.base == SIZE else self.notation.entry(entry))

    def symbol(self, symbol: Symbol) -> Printed:
        """A symbol by its letter, or the piece that it is bound to."""
        if symbol in self.notation.trained:
            return self(self.notation.trained[symbol])
        return self.bound[symbol] if symbol in self.bound else self.markup.letter(self.notation.symbol(symbol))

    def place(self, index: InBlock) -> Printed:
        """A place in one block: how many there are in the blocks before, then the place within it."""
        if index.before == 0:
            return self(index.unit).at(Level.SUM)
        number, size = index.before.as_coeff_Mul()
        # Set as all labels are: letter by letter, without spaces, fractions on one line.
        times, over = (str(number.p) if number.p != 1 else ""), (f"/{number.q}" if number.q != 1 else "")
        return Printed(f"{times}{self(size).text.strip()}{over}+{self(index.unit).text}", Level.SUM)

    def negative(self, piece: Printed) -> Printed:
        """``piece`` with a minus sign in front."""
        return before(self.markup.operator("-"), self.held(piece, Level.PRODUCT), 1).at(Level.SUM)


RULES: dict[type, Callable[[FormulaPrinter, Expr], Printed]] = {
    Entry: FormulaPrinter.entry,
    Symbol: FormulaPrinter.symbol,
    InBlock: FormulaPrinter.place,
    **sums.RULES,
    **functions.RULES,
}

"""The symbolic proof of a step: the difference of its two sides must vanish, entries being independent."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from sympy import Expr, Symbol

from symbackprop.calculus.indices import Entry
from symbackprop.check.laurent import Ask, Formulas
from symbackprop.check.meaning import Meaning, position
from symbackprop.check.numbers import Undecided
from symbackprop.check.polynomials import Formula
from symbackprop.check.values import Units
from symbackprop.check.worlds import NetworkValues
from symbackprop.network.quantities import OUT, PRE

MAX_CASES = 6  # comparisons that a proof distinguishes


class Proof(NetworkValues[Formula]):
    """Evaluates to formulas in which every entry is a symbol, except those whose equation is ``inserted``."""

    def __init__(self, meaning: Meaning, numbers: Formulas, inserted: Callable[[Entry], bool], opaque: bool) -> None:
        super().__init__(numbers, {}, {}, meaning.graph.sizes)
        self.meaning, self.names, self.inserted = meaning, numbers, inserted
        self.formulas = {} if opaque else meaning.graph.formulas
        self.made: dict[Entry, Formula] = {}

    def entry(self, entry: Entry, at: Units) -> Formula:
        if entry not in self.made:
            replaced = self.inserted(entry)
            self.made[entry] = self(self.meaning.equation(entry)) if replaced else self.names.name(entry)
        return self.made[entry]

    def symbol(self, symbol: Symbol, at: Units) -> Formula:
        return self.symbols[symbol] if symbol in self.symbols else self.names.name(symbol)


def vanishes(difference: Expr, meaning: Meaning) -> bool:
    """Whether the difference is proved to be zero, entries being independent.

    First with activations unknown, then with their formulas inserted, then with the last forward equations inserted,
    and last with all of them, down to the input.
    """
    entries = {e for e in difference.atoms(Entry) if has_equation(e)}
    last = max(map(position, entries), default=0)

    def is_output(entry: Entry) -> bool:
        return has_equation(entry) and bool(entry.base == OUT)

    def is_last(entry: Entry) -> bool:
        return entry in entries and position(entry) == last

    ways: list[tuple[Callable[[Entry], bool], bool]] = [
        (lambda _: False, True),
        (is_output, False),
        (is_last, False),
        (has_equation, True),
    ]
    zero: bool = difference == 0
    return zero or any(_zero(difference, meaning, inserted, opaque, {}) for inserted, opaque in ways)


def has_equation(entry: Entry) -> bool:
    """Whether the entry is a pre-activation or an output, not an input."""
    return bool(entry.base in (PRE, OUT) and entry.indices[0] != 1)


def _zero(
    expr: Expr, meaning: Meaning, inserted: Callable[[Entry], bool], opaque: bool, taken: dict[Hashable, bool]
) -> bool:
    """Whether ``expr`` is zero in every case; each comparison that occurs is taken to hold, and not to hold."""
    numbers = Formulas(taken)
    try:
        if numbers.is_zero(Proof(meaning, numbers, inserted, opaque)(expr)):
            return True
        if not numbers.signs:
            return False
        raise Ask(numbers.signs[0])
    except Undecided:
        return False
    except Ask as ask:
        cases = ({**taken, ask.condition: holds} for holds in (True, False))
        return len(taken) < MAX_CASES and all(_zero(expr, meaning, inserted, opaque, case) for case in cases)

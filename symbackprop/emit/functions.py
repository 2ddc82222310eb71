"""Functions that programs compute as one: sums over a row, the sigmoid, softplus, erfc, shifted values."""

from __future__ import annotations

import sympy as sp


class RowFunction(sp.Function):
    """A function of a whole row of entries, the units of one example."""

    nargs = 1

    def _eval_is_extended_real(self) -> bool:
        return True


class RowSum(RowFunction):
    """The sum of the row's entries."""

    def _eval_is_positive(self) -> bool | None:
        return self.args[0].is_positive


class Others(RowFunction):
    """The sum of the row's entries less 1: where the greatest is 1, the sum of the others."""


class EntrySum(sp.Function):
    """The sum of all entries of an array."""

    nargs = 1


class Shifted(RowFunction):
    """The entry minus the greatest entry of its row."""

    nargs = 1


class Round(sp.Function):
    """The nearest whole number."""

    nargs = 1

    def _eval_is_extended_real(self) -> bool:
        return True


class Exp(sp.Function):
    """e^u, by name: factors of it stay apart, and last in a product, so that only the product meets the underflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True


class Sigmoid(sp.Function):
    """1/(1 + e^-u), by name until it gets the form that does not overflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True


class Erfc(sp.Function):
    """1 - erf(u); SymPy's own erfc turns erfc(-u) into 2 - erfc(u), which loses digits."""

    nargs = 1


class NormalTail(sp.Function):
    """e^(u²/2) (1 - Φ(u)), for u ≥ 0, where Φ is the normal distribution; 1 - erf(u) is 2 - 2 Φ(√2 u)."""

    nargs = 1


class ExpQuotient(sp.Function):
    """(e^u - 1)/u, and 1 at 0."""

    nargs = 1


class TanhRest(sp.Function):
    """u - tanh(u), by name until it gets the form that does not cancel near 0."""

    nargs = 1


class LogSoftplus(sp.Function):
    """log log(1 + e^u), by name until it gets the form that reaches down to all u."""

    nargs = 1


class Softplus(sp.Function):
    """log(1 + e^u), by name until it gets the form that does not overflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True

"""Functions that programs compute as one: sums over a row, the sigmoid, softplus, erfc, shifted and near values."""

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


class EntrySum(sp.Function):
    """The sum of all entries of an array."""

    nargs = 1


class Shifted(RowFunction):
    """The entry minus the greatest entry of its row."""

    nargs = 1


class Near(sp.Function):
    """The number with half of the digits that is nearest: its square is exact."""

    nargs = 1

    def _eval_is_extended_real(self) -> bool:
        return True


class Sigmoid(sp.Function):
    """1/(1 + e^-u), by name until it gets the form that does not overflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True


class Erfc(sp.Function):
    """1 - erf(u); SymPy's own erfc turns erfc(-u) into 2 - erfc(u), which loses digits."""

    nargs = 1


class Softplus(sp.Function):
    """log(1 + e^u), by name until it gets the form that does not overflow."""

    nargs = 1

    def _eval_is_positive(self) -> bool:
        return True

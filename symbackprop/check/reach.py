"""How far into the network an expression reaches: what lies beyond can be any function of what it reaches."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr

from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Partial
from symbackprop.network.quantities import BIASES, ERROR, OBJECTIVE, OUT, WEIGHTS, is_trained


class Reach:
    """The first layer that nothing in an expression goes beyond, remembered for every part of it."""

    def __init__(self, depth: int) -> None:
        self.depth, self.beyond = depth, depth + 1
        self._known: dict[Expr, int] = {}

    def __call__(self, exprs: Iterable[Expr]) -> int | None:
        """That layer for all of ``exprs``; None where they reach the error itself.

        >>> from symbackprop.network.quantities import PRE, WEIGHT
        >>> reach = Reach(3)
        >>> reach([PRE[2, 1]]), reach([WEIGHT[1, 1, 1], Partial(ERROR, OUT[2, 1])]), reach([ERROR - 1])
        (2, 3, None)
        """
        last = max(map(self._layer, exprs), default=1)
        return last if last <= self.depth else None

    def _layer(self, expr: Expr) -> int:
        if expr not in self._known:
            self._known[expr] = self._found(expr)
        return self._known[expr]

    def _found(self, expr: Expr) -> int:
        if isinstance(expr, Entry):
            if not expr.base.layered or not expr.indices[0].is_Integer:  # any layer, in a sum over all of them
                return self.beyond
            return int(expr.indices[0]) + bool(expr.base in (*WEIGHTS, *BIASES) or is_trained(expr))
        if expr in (ERROR, OBJECTIVE):
            return self.beyond
        if isinstance(expr, Partial) and expr.of in (ERROR, OBJECTIVE):
            is_output = isinstance(expr.by, Entry) and expr.by.base == OUT
            return self._layer(expr.by) + is_output  # an output acts on the next layer
        return max(map(self._layer, expr.args), default=1)

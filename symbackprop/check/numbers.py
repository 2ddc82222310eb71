"""The kinds of number that equations are checked with: what each of them offers, and what can go wrong.

A kind is an object that offers the operations of ``Numbers``; ``values.Evaluator`` evaluates an expression in any of
them.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar


class Undecided(Exception):  # noqa: N818 - not an error: the answer "cannot say"
    """The expression has no value here: an unknown function, a root that does not exist, a division by zero."""


class Missing(Exception):  # noqa: N818 - not an error: what is said of a quantity that is not there is false
    """The expression names a weight or a unit that the network does not have."""


N = TypeVar("N")


class Numbers(Protocol[N]):
    """What a kind of number offers."""

    def rational(self, p: int, q: int) -> N:
        """The number p/q."""

    def add(self, u: N, v: N) -> N:
        """The sum."""

    def mul(self, u: N, v: N) -> N:
        """The product."""

    def inverse(self, u: N) -> N:
        """1/u."""

    def root(self, u: N) -> N:
        """√u."""

    def call(self, name: str, u: N) -> N:
        """The value of a function of SymPy, by its name; ``pi`` is one without an argument that matters."""

    def named(self, tag: str, order: int, at: tuple[N, ...]) -> N:
        """The order-th derivative of the undefined function ``tag``."""

    def sign(self, u: N) -> N:
        """-1, 0 or 1."""

    def positive(self, u: N) -> Any:
        """Whether u > 0."""

    def where(self, condition: Any, yes: N, no: N) -> N:
        """``yes`` where the condition holds, else ``no``."""

    def random(self, positive: bool = False) -> N:
        """A random number."""

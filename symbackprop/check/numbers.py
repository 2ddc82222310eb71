"""The kinds of number that equations are checked with: integers modulo a prime, 50-digit reals.

A kind is an object that offers the operations of ``Numbers``; ``values.Evaluator`` evaluates an expression in any of
them. In the prime field an identity between rational expressions that holds at a random point is false with a
probability of about 2^-55; functions get random values that obey the function's own laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any, Protocol, TypeVar
from zlib import crc32

import mpmath

PRIME = 2**61 - 1  # 3 modulo 4, so that every square has the root v^((p+1)/4)
ROOTS = 12  # exp(u) is stored as the ROOTS-th power of a random number, so exp(u/2), exp(u/3), exp(u/4) exist too
MULTIPLES = 36  # exp(k u / ROOTS) is recognised for |k| up to this
DIGITS = 50
ODD = frozenset({"erf", "atan", "asinh", "sin"})


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


@dataclass
class PrimeField:
    """The integers modulo ``PRIME``; the same argument always gets the same value of a function."""

    seed: int
    memo: dict[tuple[Any, ...], int] = field(default_factory=dict)
    generators: dict[int, int] = field(default_factory=dict)
    exponentials: dict[int, int] = field(default_factory=dict)
    logarithms: dict[int, int] = field(default_factory=dict)
    random_logarithms: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = Random(self.seed)
        self.direction = self.source.randrange(1, PRIME)

    def rational(self, p: int, q: int) -> int:
        return p % PRIME if q == 1 else p * pow(q, -1, PRIME) % PRIME

    def add(self, u: int, v: int) -> int:
        return (u + v) % PRIME

    def mul(self, u: int, v: int) -> int:
        return u * v % PRIME

    def inverse(self, u: int) -> int:
        if u == 0:
            raise Undecided("a division by zero")
        return pow(u, -1, PRIME)

    def root(self, u: int) -> int:
        root = pow(u, (PRIME + 1) // 4, PRIME)
        if root * root % PRIME != u:
            raise Undecided("a number without a root")
        return root

    def random(self, positive: bool = False) -> int:
        """A random non-zero number."""
        value = self.source.randrange(1, PRIME)
        return value if not positive or self.positive(value) else PRIME - value

    def positive(self, u: int) -> bool:
        """Half of the numbers count as positive, of u and -u just one: a random choice that |u| and cases share."""
        return 0 < u * self.direction % PRIME < PRIME // 2

    def sign(self, u: int) -> int:
        return 0 if u == 0 else 1 if self.positive(u) else PRIME - 1

    def where(self, condition: bool, yes: int, no: int) -> int:
        return yes if condition else no

    def named(self, tag: str, order: int, at: tuple[int, ...]) -> int:
        return self._remembered((tag, order, *at))

    def call(self, name: str, u: int) -> int:
        if name == "exp":
            return self._exp(u)
        if name == "log":
            return self._log(u)
        if name in ("tanh", "sinh", "cosh"):
            up, down = self._exp(u), self.inverse(self._exp(u))
            sinh, cosh = (up - down) * self.rational(1, 2) % PRIME, (up + down) * self.rational(1, 2) % PRIME
            return {"sinh": sinh, "cosh": cosh, "tanh": sinh * self.inverse(cosh) % PRIME}[name]
        if name == "pi":
            return self._remembered((name,)) ** 2 % PRIME
        if name in ODD and (name, PRIME - u) in self.memo:
            return PRIME - self.memo[name, PRIME - u]
        return self._remembered((name, u))

    def _remembered(self, key: tuple[Any, ...]) -> int:
        if key not in self.memo:
            self.memo[key] = self.random()
        return self.memo[key]

    def _exp(self, u: int) -> int:
        """Exp(k u) = exp(u)^k, exp(log v) = v and exp(u - log v) = exp(u)/v, otherwise random."""
        if u == 0:
            return 1
        if u not in self.exponentials:
            self.exponentials[u] = self._from_known(u)
            self.logarithms.setdefault(self.exponentials[u], u)
        return self.exponentials[u]

    def _from_known(self, u: int) -> int:
        for k, scale in _multiples():
            if (base := u * scale % PRIME) in self.generators:
                return pow(self.generators[base], k, PRIME)
        for k in (-1, 2, -2, 3, -3):
            if (base := u * self.rational(1, k) % PRIME) in self.exponentials:
                return pow(self.exponentials[base], k, PRIME)
        for logarithm in self.random_logarithms:
            if (base := (u + logarithm) % PRIME) in self.exponentials:
                return self.exponentials[base] * self.inverse(self.exponentials[logarithm]) % PRIME
        self.generators[u] = self.random()
        return pow(self.generators[u], ROOTS, PRIME)

    def _log(self, v: int) -> int:
        """Log(exp u) = u and log(1/v) = -log v, otherwise random."""
        if v == 1:
            return 0
        if v not in self.logarithms:
            other = self.inverse(v)
            u = PRIME - self.logarithms[other] if other in self.logarithms else self._random_logarithm()
            self.logarithms[v] = u
            self.exponentials[u] = v
        return self.logarithms[v]

    def _random_logarithm(self) -> int:
        self.random_logarithms.append(self.random())
        return self.random_logarithms[-1]


@lru_cache
def _multiples() -> list[tuple[int, int]]:
    """(k, ROOTS/k in the field) for every k that exp recognises, the whole multiples first."""
    ks = sorted((k for k in range(-MULTIPLES, MULTIPLES + 1) if k), key=lambda k: (k % ROOTS != 0, abs(k), -k))
    return [(k, ROOTS * pow(k, -1, PRIME) % PRIME) for k in ks]


class Reals:
    """Real numbers with ``DIGITS`` digits; use inside ``mpmath.workdps(DIGITS)``. Random numbers are rational."""

    def __init__(self, seed: int) -> None:
        self.source = Random(seed)

    def rational(self, p: int, q: int) -> Any:
        return mpmath.mpf(p) / q

    def add(self, u: Any, v: Any) -> Any:
        return u + v

    def mul(self, u: Any, v: Any) -> Any:
        return u * v

    def inverse(self, u: Any) -> Any:
        if u == 0:
            raise Undecided("a division by zero")
        return 1 / u

    def root(self, u: Any) -> Any:
        if u < 0:
            raise Undecided("the root of a negative number")
        return mpmath.sqrt(u)

    def random(self, positive: bool = False) -> Any:
        """A rational number between 0 and 1, or between -1 and 1."""
        size = mpmath.mpf(self.source.randrange(1, 997)) / 997
        return size if positive or self.source.random() < 0.5 else -size

    def positive(self, u: Any) -> bool:
        return bool(u > 0)

    def sign(self, u: Any) -> Any:
        return mpmath.sign(u)

    def where(self, condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no

    def named(self, tag: str, order: int, at: tuple[Any, ...]) -> Any:
        """sin(c + u + 2t) stands in for an undefined function; its derivatives in u are sin(c + u + 2t + order π/2)."""
        return mpmath.sin(crc32(tag.encode()) % 100 + at[0] + 2 * sum(at[1:]) + order * mpmath.pi / 2)

    def call(self, name: str, u: Any) -> Any:
        if name == "pi":
            return +mpmath.pi
        if name == "log" and u <= 0:
            raise Undecided("the logarithm of a number that is not positive")
        known = getattr(mpmath, name, None)
        if known is None:
            raise Undecided(f"the function {name}")
        return known(u)

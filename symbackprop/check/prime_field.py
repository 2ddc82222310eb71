"""The integers modulo a prime.

An identity between rational expressions that holds at a random point is false with a probability of about 2^-55;
functions get random values that obey the function's own laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

from symbackprop.check.numbers import Undecided

PRIME = 2**61 - 1  # 3 modulo 4, so that every square has the root v^((p+1)/4)
ROOTS = 12  # exp(u) is stored as the ROOTS-th power of a random number, so exp(u/2), exp(u/3), exp(u/4) exist too
MULTIPLES = 36  # exp(k u / ROOTS) is recognised for |k| up to this
ODD = frozenset({"erf", "atan", "asinh", "sin"})


@dataclass
class PrimeField:
    """The integers modulo ``PRIME``; the same argument always gets the same value of a function.

    Half of the numbers have no square root. With ``unknown_roots`` each of these gets a random one, kept in ``roots``.
    ``leaning`` answers, in turn, whether a number is positive that was not met before: with "+" every unit of a network
    is on the upper side of its corner, with "-" on the lower one. Without it, chance decides.
    """

    seed: int
    unknown_roots: bool = False
    leaning: str = ""
    signs: dict[int, bool] = field(default_factory=dict)
    roots: dict[int, int] = field(default_factory=dict)
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
        if root * root % PRIME == u:
            return root
        if not self.unknown_roots:
            raise Undecided("a number without a root")
        # An unknown of its own: what holds for it holds for a root, but what does not may be the root's own doing.
        return self.roots.setdefault(u, self.random())

    def random(self, positive: bool = False) -> int:
        """A random non-zero number."""
        value = self.source.randrange(1, PRIME)
        return value if not positive or self.positive(value) else PRIME - value

    def positive(self, u: int) -> bool:
        """Half of the numbers count as positive, of u and -u just one: a choice that |u| and cases share."""
        if not (self.leaning and u):
            return 0 < u * self.direction % PRIME < PRIME // 2
        if u not in self.signs:
            self.signs[u] = self.leaning[len(self.signs) // 2 % len(self.leaning)] == "+"
            self.signs[PRIME - u] = not self.signs[u]
        return self.signs[u]

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

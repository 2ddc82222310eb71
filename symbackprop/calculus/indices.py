"""Entries of indexed quantities, and the sums over their indices.

A quantity is a ``Base``; one of its entries is ``base[indices]``. Indices are SymPy integer symbols (index notation) or
integers (one individual entry), so the same object serves the general formula and its instances. Every index runs over
its full range ``1..size``; ``contract`` relies on that when a Kronecker delta removes a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy import Add, Expr, Integer, KroneckerDelta, Mul, Sum, Symbol
from sympy.core.assumptions import StdFactKB


class Entry(sp.Indexed):
    """One entry of an indexed quantity, written the way commands address it (``w11[1]``).

    All that SymPy assumes of an entry it assumes of the whole quantity, so the entries of a base share its facts; SymPy
    itself would deduce them for each entry anew, and that takes longer than everything else done to it.
    """

    def __new__(cls, base: Base, *indices: Expr | int) -> Entry:
        self = sp.Expr.__new__(cls, base, *map(sp.sympify, indices))
        self._assumptions = base.facts
        return self

    def _hashable_content(self) -> tuple[Expr, ...]:
        return self.args

    def __str__(self) -> str:
        # SymPy makes a printer for every call of this; entries are looked up and sorted by their addresses everywhere.
        return self.base.text(self.args[1:])

    def _sympystr(self, printer: object) -> str:
        return str(self)

    def _eval_derivative(self, wrt: Expr) -> Expr:
        # ∂v_i/∂v_j = [i = j], as SymPy has it; for single entries, without making the Kronecker deltas first.
        if isinstance(wrt, Entry) and all(i.is_Integer for i in (*self.indices, *wrt.indices)):
            return sp.S.One if self == wrt else sp.S.Zero
        return super()._eval_derivative(wrt)


class InBlock(sp.Function):
    """``InBlock(i, p, n)``: the i-th place of block p, counted from 0, of n places each: the index i + p n.

    It stays as it is until it is a number, so that no Kronecker delta ties one block to another.

    >>> i, n = Symbol("i"), Symbol("n")
    >>> place = InBlock(i, 2, n)
    >>> place, place.xreplace({i: Integer(1), n: Integer(5)})
    (i+2*n, 11)
    """

    nargs = 3

    @classmethod
    def eval(cls, i: Expr, block: Expr, size: Expr) -> Expr | None:
        return i + block * size if i.is_Integer and size.is_Integer else None

    @property
    def unit(self) -> Expr:
        """The place within the block."""
        return self.args[0]

    @property
    def block(self) -> int:
        return int(self.args[1])

    @property
    def before(self) -> Expr:
        """The number of places in the blocks before."""
        return self.args[1] * self.args[2]

    def _eval_is_integer(self) -> bool:
        return True

    def _eval_is_positive(self) -> bool:
        return True

    def _sympystr(self, printer: Any) -> str:
        parts = [self.unit] if self.before == 0 else [self.unit, self.before]
        return "+".join(printer.doprint(part) for part in parts)


class Base(sp.IndexedBase):
    """A named indexed quantity; ``layered`` ones carry their layer as the first index.

    >>> Base("w")[1, 2, 3], Base("t", layered=False)[1]
    (w23[1], t1)
    """

    layered: bool
    facts: StdFactKB
    _content: tuple[Any, ...] = ()

    def __new__(cls, name: str, *, layered: bool = True, **assumptions: bool) -> Base:
        self = super().__new__(cls, name, **(assumptions or {"real": True}))
        self.layered = layered
        self.facts = StdFactKB(self.assumptions0)
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        # SymPy asks for this whenever two quantities are compared.
        if not self._content:
            self._content = (*super()._hashable_content(), *self.told_apart_by())
        return self._content

    def told_apart_by(self) -> tuple[Any, ...]:
        """What tells two quantities of one name apart; without it they would be one to SymPy's caches."""
        return (self.layered,)

    @property
    def func(self) -> Callable[..., Base]:
        """What SymPy rebuilds a node with: a quantity has no parts to replace, so it stays itself."""
        return lambda *args: self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, bool]]:
        return (str(self.label),), {"layered": self.layered, **self.label.assumptions0}

    def __getitem__(self, at: Any) -> Entry:
        return Entry(self, *(at if isinstance(at, tuple) else (at,)))

    def text(self, at: tuple[Expr, ...]) -> str:
        """The entry's address: name, unit indices (with commas once one has two digits), layer in brackets."""
        layer, units = (f"[{_text(at[0])}]", at[1:]) if self.layered else ("", at)
        texts = [_text(unit) for unit in units]
        return f"{self.label.name}{('' if all(len(text) == 1 for text in texts) else ',').join(texts)}{layer}"


@lru_cache(1024)
def _text(index: Expr) -> str:
    return str(index)


def place(entry: Entry) -> tuple[int, tuple[Any, ...]]:
    """What sorts entries of one quantity: by blocks, then by their indices, numbers as numbers.

    >>> z, i, n = Base("z", layered=False), index("i"), Symbol("n")
    >>> sorted([z[10], z[2]], key=place), sorted([z[InBlock(i, 1, n)], z[InBlock(i, 0, n)]], key=place)
    ([z2, z10], [zi, zi+n])
    """
    blocks = sum(i.block for i in entry.indices if isinstance(i, InBlock))
    return 0, (blocks, *((int(i), "") if i.is_Integer else (0, str(i)) for i in entry.indices))


def index(name: str) -> Symbol:
    """An index symbol."""
    return Symbol(name, integer=True, positive=True)


def fresh_index(taken: set[Symbol], like: Symbol) -> Symbol:
    """An index not in ``taken``: the next free letter after ``like``, so that the same input gives the same name.

    >>> fresh_index({index("i"), index("j")}, index("i"))
    k
    """
    letters = "ijkmpqrsuv"
    start = letters.find(like.name) + 1
    for letter in (*letters[start:], *letters[:start], *(f"{letter}{n}" for n in range(1, 100) for letter in letters)):
        if (candidate := index(letter)) not in taken:
            return candidate
    raise AssertionError("no index letter is left")


def indices_of(expr: Expr) -> set[Symbol]:
    """Every index symbol that occurs in ``expr``, bound or free."""
    return {s for s in expr.atoms(Symbol) if s.is_integer}


def derivative(expr: Expr, of: Entry) -> Expr:
    """∂expr/∂of for an entry at any indices, contracted.

    >>> i, n = index("i"), Symbol("n", integer=True, positive=True)
    >>> w, x = Base("w", layered=False), Base("x", layered=False)
    >>> derivative(Sum(w[i] * x[i], (i, 1, n)), w[i])
    xi
    """
    return contract(term_by_term(expr, of))


def term_by_term(expr: Expr, of: Entry) -> Expr:
    """∂expr/∂of with its Kronecker deltas: [i = j] for ∂v_i/∂v_j; bound indices that ``of`` uses are renamed first.

    >>> i, n = index("i"), Symbol("n", integer=True, positive=True)
    >>> w, x = Base("w", layered=False), Base("x", layered=False)
    >>> term_by_term(Sum(w[i] * x[i], (i, 1, n)), w[i])
    Sum(KroneckerDelta(i, j)*xj, (j, 1, n))
    """
    slope = sp.diff(apart(expr, of), of)
    return slope.replace(lambda e: isinstance(e, Sum) and e.function == 0, lambda nothing: sp.S.Zero)


def apart(expr: Expr, of: Entry) -> Expr:
    """``expr`` with other names for the indices of its sums that ``of`` uses.

    >>> i, n = index("i"), Symbol("n", integer=True, positive=True)
    >>> w = Base("w", layered=False)
    >>> apart(Sum(w[i], (i, 1, n)), w[i])
    Sum(wj, (j, 1, n))
    """
    clashing = {s for total in expr.atoms(Sum) for s in total.bound_symbols} & of.free_symbols
    taken = indices_of(expr) | indices_of(of)
    renaming: dict[Expr, Expr] = {}
    for bound in sorted(clashing, key=str):
        renaming[bound] = fresh_index(taken, bound)
        taken.add(renaming[bound])
    return expr.replace(lambda e: isinstance(e, Sum), lambda total: total.xreplace(renaming)) if renaming else expr


def _terms(expr: Expr) -> Iterator[Expr]:
    """The terms of ``expr``, multiplied out only where a factor holds a Kronecker delta: the other brackets stay."""
    for term in Add.make_args(expr):
        factors = Mul.make_args(term)
        tied = [f for f in factors if f.has(KroneckerDelta)]
        rest = Mul(*(f for f in factors if f not in tied))
        yield from (Mul(rest, part) for part in Add.make_args(sp.expand_mul(Mul(*tied), deep=False)))


def contract(expr: Expr) -> Expr:
    """Σ_i [i = j] f(i) = f(j), everywhere in ``expr``; constant factors are pulled out of the sums that stay.

    >>> i, j, n = index("i"), index("j"), Symbol("n", integer=True, positive=True)
    >>> w = Base("w", layered=False)
    >>> contract(Sum(KroneckerDelta(i, j) * w[i], (i, 1, n)))
    wj
    """
    if not expr.has(Sum):
        return expr
    if not isinstance(expr, Sum):
        return expr.func(*map(contract, expr.args))
    return contracted(expr.function, expr.limits)


def contracted(body: Expr, limits: Iterable[tuple[Symbol, Expr, Expr]]) -> Expr:
    """``contract`` of the sum of ``body``, without making a ``Sum`` first: SymPy multiplies cases out inside a sum."""
    ranges = {i: (sp.sympify(low), sp.sympify(high)) for i, low, high in limits}
    taken = indices_of(body) | set(ranges) | {s for pair in ranges.values() for end in pair for s in indices_of(end)}
    body, ranges = _merge_inner_sums(contract(body), ranges, taken)
    if not body.has(KroneckerDelta):
        return _sum_of_term(body, ranges)
    return Add(*(_sum_of_term(term, dict(ranges)) for term in _terms(body)))


def _merge_inner_sums(
    body: Expr, limits: dict[Symbol, tuple[Expr, Expr]], taken: set[Symbol]
) -> tuple[Expr, dict[Symbol, tuple[Expr, Expr]]]:
    """A product that holds sums is one sum over more indices: Σ_i f Σ_j g = Σ_i Σ_j f g; a taken j is renamed."""
    factors, limits, taken, free = [], dict(limits), set(taken), body.free_symbols
    for factor in Mul.make_args(body):
        if isinstance(factor, Sum) and body.has(KroneckerDelta):
            renaming: dict[Symbol, Symbol] = {}
            for i, low, high in factor.limits:
                renaming[i] = fresh_index(taken, i) if i in limits or i in free else i
                taken.add(renaming[i])
                limits[renaming[i]] = (low, high)
            factor = put_in(factor.function, renaming)
        factors.append(factor)
    return Mul(*factors), limits


def _sum_of_term(term: Expr, limits: dict[Symbol, tuple[Expr, Expr]]) -> Expr:
    for delta in Mul.make_args(term):
        if isinstance(delta, KroneckerDelta):
            for i, j in (delta.args, delta.args[::-1]):
                if i in limits:
                    del limits[i]
                    return _sum_of_term(put_in(term / delta, {i: j}), limits)
    inside = [f for f in Mul.make_args(term) if f.free_symbols & set(limits)]
    outside = [f for f in Mul.make_args(term) if f not in inside]
    used = {i for f in inside for i in f.free_symbols & set(limits)}
    counts = [high - low + 1 for i, (low, high) in limits.items() if i not in used]
    kept = [(i, *limits[i]) for i in limits if i in used]
    return Mul(*counts, *outside, Sum(Mul(*inside), *kept) if kept else Integer(1))


def put_in(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """``expr`` with values in place of what is free in it; a sum's own index stays, renamed where a value would clash.

    >>> i, j, n = index("i"), index("j"), Symbol("n", integer=True, positive=True)
    >>> w = Base("w", layered=False)
    >>> put_in(Sum(w[i, j], (j, 1, n)), {i: j})
    Sum(wjk, (k, 1, n))
    """
    if expr in values:
        return values[expr]
    if not expr.has(Sum):
        return expr.xreplace(values)
    if not isinstance(expr, Sum):
        return expr.func(*(put_in(arg, values) for arg in expr.args))
    bound = [limit[0] for limit in expr.limits]
    values = {old: new for old, new in values.items() if old not in bound and expr.function.has(old)} | {
        old: new for old, new in values.items() if any(side.has(old) for limit in expr.limits for side in limit[1:])
    }
    arriving = {s for new in values.values() for s in new.free_symbols}
    body, taken, limits = expr.function, arriving | indices_of(expr), []
    for i, low, high in expr.limits:
        name = fresh_index(taken, i) if i in arriving else i
        taken.add(name)
        body = put_in(body, {i: name}) if name != i else body
        limits.append((name, put_in(low, values), put_in(high, values)))
    return Sum(put_in(body, {old: new for old, new in values.items() if old not in bound}), *limits)


def instantiate(expr: Expr, values: Mapping[Expr, Expr | int]) -> Expr:
    """Put integers in for indices and sizes and write every finite sum out, term by term.

    >>> i, n = index("i"), Symbol("n", integer=True, positive=True)
    >>> instantiate(Sum(Base("w", layered=False)[i] ** 2, (i, 1, n)), {n: 2})
    w1**2 + w2**2
    """
    put: dict[Expr, Expr] = {k: sp.sympify(v) for k, v in values.items()}
    return _write_out(put_in(expr, put) if put else expr)


def _write_out(expr: Expr) -> Expr:
    if not expr.has(Sum):
        return expr
    if not isinstance(expr, Sum):
        return expr.func(*map(_write_out, expr.args))
    (i, low, high), *rest = expr.limits
    inner = Sum(expr.function, *rest) if rest else expr.function
    if not (low.is_Integer and high.is_Integer):
        raise ValueError(f"the sum over {i} has no numeric range: {low}..{high}")
    return Add(*(_write_out(put_in(inner, {i: Integer(v)})) for v in range(int(low), int(high) + 1)))

"""One parameter alone: through what it acts on, along every path, and the proof that both are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from sympy import Expr, Integer

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Partial
from symbackprop.derivation import paths as along
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.opened import by_delta, proof
from symbackprop.derivation.scalar import PATHS_SHOWN, together, without_ones
from symbackprop.derivation.steps import Block, Section, Step
from symbackprop.network.quantities import BIAS, ERROR, OUT, PRE, is_trained

FIRST_SHOWN = 3  # paths that are written out where there are too many for all
WEIGHT_ALONE, BIAS_ALONE, TRAINED_ALONE = ALONE = ("weight", "bias", "trained")  # the section, by what it is about


def weight_section(derivation: Derivation, of: Entry) -> Section:
    """∂E/∂w for the weight, bias or trained parameter ``of``, in every way: by what it acts on, by its paths, by δ.

    The section's steps cite those of ``derivation``. Where the paths are many, their number, the first few and the
    factored form are given.
    """
    kind = TRAINED_ALONE if is_trained(of) else WEIGHT_ALONE
    count = along.count_paths(derivation.graph, of)
    many = count > PATHS_SHOWN
    shown = list(islice(along.paths(derivation.graph, of), FIRST_SHOWN if many else PATHS_SHOWN))
    products = [Step(f"weight.path.{n}", *along_path(derivation, path)) for n, path in enumerate(shown, start=1)]
    one = "_one" if count == 1 else ""
    blocks = [
        Block(f"{kind}_unit", tuple(first_link(derivation, of)), (of, along.acted_on(derivation.graph, of)[0])),
        Block("weight_paths_many" if many else f"weight_paths{one}", tuple(products), (of, Integer(count))),
    ]
    if many:
        blocks.append(Block(f"{kind}_factored", tuple(by_delta(derivation, of)), (of,)))
    else:
        blocks.append(Block(f"weight_sum{one}", tuple(summed(of, products)), (of,)))
        proved = tuple(proof(derivation, of, products))
        how = "same" if len(proved) == 1 else f"proof{one}" if kind == WEIGHT_ALONE else "proof"
        blocks.append(Block(f"{kind}_{how}", proved, (of,)))
    return Section(BIAS_ALONE if of.base == BIAS else kind, tuple(blocks))


def first_link(derivation: Derivation, of: Entry) -> Iterator[Step]:
    """∂E/∂w = ∂E/∂z · ∂z/∂w = ∂E/∂a · f′(z) · a, or ∂E/∂α = Σ_j ∂E/∂a_j · ∂a_j/∂α."""
    passed, links = along.acted_on(derivation.graph, of), along.first_links(derivation.graph, of)
    local, cited = derivation.scalar.factor(passed[0], of)
    values = [without_ones([Partial(ERROR, v), derivation.scalar.factor(v, of)[0]]) for v in passed]
    by_links, inserted = together(links), together(values)
    yield Step("weight.unit", Partial(ERROR, of), by_links, rules.CHAIN)
    yield Step("weight.local", Partial(passed[0], of), local, rules.FOUND, cited)
    yield Step("weight.inserted", by_links, inserted, rules.SUBSTITUTE, ("weight.local",))
    if is_trained(of) or derivation.graph.spec.activation_of(along.first_layer(of)).entry.over_units:
        return
    pre, out = PRE[along.first_unit(of)], OUT[along.first_unit(of)]
    slope, cited = derivation.scalar.factor(out, pre)
    through = without_ones([Partial(ERROR, out), slope, local])
    yield Step("weight.through", inserted, through, rules.CHAIN, cited)


def along_path(derivation: Derivation, path: along.Path) -> tuple[Expr, Expr, rules.Rule, tuple[str, ...]]:
    """The chain rule along one path, and the product of the factors' values."""
    chain = along.chain(path)
    values, cited = zip(*(derivation.scalar.factor(factor.of, factor.by) for factor in chain.args), strict=True)
    labels = dict.fromkeys(label for each in cited for label in each)
    return chain, without_ones(list(values)), rules.SUBSTITUTE, tuple(labels)


def summed(of: Entry, products: Sequence[Step]) -> Iterator[Step]:
    """∂E/∂w as the sum of the products along all paths."""
    labels = tuple(step.label for step in products)
    yield Step("weight.sum", Partial(ERROR, of), together([step.right for step in products]), rules.PATHS, labels)

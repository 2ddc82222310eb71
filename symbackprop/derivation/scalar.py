"""The scalar view: every equation of the network written for its individual units and weights.

Each line is an instance of an index equation, or the chain rule along the paths from one weight to the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, instantiate
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.derivation import paths as along
from symbackprop.derivation.final import final_delta
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Block, Step
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import DELTA, ERROR, OUT, PRE, WEIGHT, is_trained

PATHS_SHOWN = 6  # a weight with more paths than this is derived through the unit that it feeds
CHAINS_SHOWN = 100  # networks with more weights than this state each weight's δ form alone


@dataclass(frozen=True)
class ScalarView:
    """Instances of the index steps ``general`` (label -> Step) at the units and weights of ``graph``."""

    graph: ForwardGraph
    slopes: Mapping[Symbol, Slope]
    general: Mapping[str, Step]

    def instance(self, expr: Expr, **units: int) -> Expr:
        """An index expression at the given units, its sums written out."""
        at: dict[Expr, int] = {s: units[s.name] for s in expr.free_symbols if s.name in units}
        return instantiate(expr, {**self.graph.sizes, **at})

    def forward(self) -> Iterator[Block]:
        """Pre-activation and output of every unit, layer by layer; a group's outputs need all its pre-activations."""
        for layer in range(2, self.graph.depth + 1):
            pres = [("z", PRE[layer, j]) for j in self.graph.fed(layer)]
            outs = [("a", OUT[layer, j]) for j in self.graph.units(layer)]
            together = self.graph.spec.activation_of(layer).entry.over_units
            entries = [*pres, *outs] if together else [pair for both in zip(pres, outs, strict=True) for pair in both]
            steps = [self._definition(name, entry) for name, entry in entries]
            yield Block("forward_units", tuple(steps), (PRE[layer, 1], OUT[layer, 1]))

    def _definition(self, name: str, entry: Entry) -> Step:
        layer, unit = entry.indices
        general = f"forward.{name}.{layer}"
        return Step(f"{general}.{unit}", entry, self.graph.entry_equation(entry), rules.WRITTEN_OUT, (general,))

    def error(self) -> Block:
        """E in the individual outputs and targets."""
        written_out = instantiate(self.graph.error.right, self.graph.sizes)
        return Block("error_units", (Step("error.units", ERROR, written_out, rules.WRITTEN_OUT, ("error",)),))

    def back(self) -> Iterator[Block]:
        """Weight by weight from the output to the input: chain rule, product, and the same with δ."""
        explained: dict[Expr, str] = {}
        in_full = self.graph.spec.weight_count <= CHAINS_SHOWN
        for layer in range(self.graph.depth - 1, 0, -1):
            feeding = [*self.graph.weights(layer), *self.graph.biases(layer)]
            if in_full:
                for n, of in enumerate(feeding):
                    yield self._weight(of, explained, first=n == 0)
            yield Block("deltas", tuple(self.deltas(layer + 1, explained)), (DELTA[layer + 1, 1],))
            folded = (self.folded(of, in_full) for of in feeding)
            yield Block("folded", tuple(folded), (DELTA[layer + 1, 1],))
            if learned := tuple(self.folded(of) for of in self.graph.trained(layer + 1)):
                yield Block("folded_trained", learned, (DELTA[layer + 1, 1],))

    def deltas(self, layer: int, explained: Mapping[Expr, str]) -> Iterator[Step]:
        """δ of every unit of ``layer``: the first from the factors that the weights into it share, the others alike."""
        shared = list(self.shared(layer))
        yield from (*shared, *self.passed(layer))
        first, *rest = self.delta(layer, 1)
        if shared:
            factors = dict.fromkeys(factor for chain in separate(shared[0].right) for factor in chain.args[-2:])
            uses = tuple(explained[factor] for factor in factors if factor in explained)
            at_output = layer == self.graph.depth
            rule = rules.FOUND if at_output else rules.LOCAL_GRADIENT
            behind = first.uses if at_output else (f"delta.{layer + 1}.shared",)
            first = replace(first, rule=rule, uses=(shared[0].label, *behind, *uses))
        yield from (first, *rest)
        final = [first, *rest][-1]
        for place in self.graph.fed(layer)[1:]:
            *_, last = steps = self.delta(layer, place)
            if last.label.rpartition(".")[0] == final.label.rpartition(".")[0]:
                steps = (replace(last, left=DELTA[layer, place], rule=rules.SAME_WAY, uses=(final.label,)),)
            yield from steps

    def shared(self, layer: int) -> Iterator[Step]:
        """The first factors that the weights into the first unit of ``layer`` share: ∂E/∂z by the chain rule."""
        weight = WEIGHT[layer - 1, 1, 1]
        if along.count_paths(self.graph, weight) <= PATHS_SHOWN and self.graph.spec.weight_count <= CHAINS_SHOWN:
            chains = [along.chain(path[:-1]) for path in along.paths(self.graph, weight)]
            yield Step(f"delta.{layer}.shared", DELTA[layer, 1], together(chains), rules.SHARED, (f"{weight}.chain",))

    def passed(self, layer: int) -> Iterator[Step]:
        """∂E/∂a of every unit of a hidden layer whose δ are stated by them."""
        if layer < self.graph.depth and self.graph.spec.activation_of(layer).entry.over_units:
            yield from (self.slope_at(OUT[layer, unit]) for unit in self.graph.units(layer))

    def slope_at(self, out: Entry) -> Step:
        """∂E/∂a of one unit of a hidden layer, from the next layer's δ."""
        layer, unit = map(int, out.indices)
        general = self.general[f"back.{layer}.out"]
        right = self.instance(general.right, j=unit)
        return Step(f"{general.label}.{unit}", Partial(ERROR, out), right, rules.LOCAL_GRADIENT, (general.label,))

    def chain_rule(self, of: Entry) -> Expr:
        """∂E/∂w by the chain rule: the product along its path, or the sum of the products along its paths."""
        return together(self._chains(of))

    def _chains(self, of: Entry) -> list[Chain]:
        if along.count_paths(self.graph, of) <= PATHS_SHOWN:
            return [along.chain(path) for path in along.paths(self.graph, of)]
        return along.first_links(self.graph, of)

    def _weight(self, of: Entry, explained: dict[Expr, str], first: bool) -> Block:
        """∂E/∂w by the chain rule, each factor that is new derived, and the factors put in.

        ``explained`` finds the label of the step that derives a factor; the new ones are added.
        """
        chains, put = self._chains(of), {}
        steps: list[Step] = []
        factors = dict.fromkeys(factor for chain in chains for factor in chain.args)
        for n, factor in enumerate(factors, start=1):
            put[factor], cited = self.factor(factor.of, factor.by)
            if factor not in explained and put[factor] != factor:
                steps.append(Step(f"{of}.factor.{n}", factor, put[factor], *why(factor.of, cited)))
                explained[factor] = steps[-1].label
        left = Partial(ERROR, of)
        product = together([without_ones([put[factor] for factor in chain.args]) for chain in chains])
        known = explained.items() if first else ()  # what the weights before it needed too goes without saying
        cites = [label for factor, label in known if factor in factors] or [step.label for step in steps]
        steps = [
            Step(f"{of}.chain", left, together(chains), rules.CHAIN),
            *steps,
            Step(f"{of}.product", left, product, rules.SUBSTITUTE, (f"{of}.chain", *cites)),
        ]
        return Block("weight_first" if first else "weight_next", tuple(steps), (of,))

    def factor(self, of: Expr, by: Entry) -> tuple[Expr, tuple[str, ...]]:
        """The local derivative ∂of/∂by, an instance of an index equation, and the labels it cites; δ for ∂E/∂z."""
        if of == ERROR and by.base == PRE:
            return DELTA[by.indices], ()
        if of == ERROR:
            unit, block = self.graph.within_block(self.graph.depth, int(by.indices[1]))
            step = self.general.get("error.slope", self.general.get(f"error.slope.part.{block}"))
            return (self.instance(step.right, k=unit), (step.label,)) if step else (Partial(of, by), ())
        layer, unit = int(of.indices[0]), int(of.indices[1])
        if is_trained(by):
            step = self.general[f"gradient.{by.base.label}.{layer}.local"]
            return self.instance(step.right, j=unit, k=unit), (step.label,)
        if of.base == OUT:
            use = self.graph.spec.activation_of(layer)
            if use.entry.over_units:
                pre = int(by.indices[1])
                piece = f"piece.{layer}.{self.graph.reader(layer, pre)[1]}"
                step = self.general[f"slope.group.{layer}.1" if use.entry.group else f"slope.{piece}"]
                return self.instance(step.right, k=unit, j=unit, q=pre), (step.label,)
            slope = self.slopes[Symbol(use.tag)]
            return slope.at(PRE[layer, unit], OUT[layer, unit]), slope.cites
        if by.base == OUT:
            step = self.general[f"back.{layer - 1}.out.local"]
            return self.instance(step.right, j=int(by.indices[1]), k=unit), (step.label,)
        step = self.general[f"gradient.{by.base.label}.{layer - 1}.local"]
        return self.at_parameter(step.right, by), (step.label,)

    def at_parameter(self, expr: Expr, of: Entry) -> Expr:
        """An index expression of a gradient at one weight (units i, j) or bias (unit j)."""
        units = [int(unit) for unit in of.indices[1:]]
        if not units:  # a trained parameter is one for the whole layer
            return self.instance(expr)
        return self.instance(expr, i=units[0], j=units[-1])

    def delta(self, layer: int, place: int) -> tuple[Step, ...]:
        """δ of one pre-activation, from the error or from the next layer's δ; the last line is its final form."""
        final, units = final_delta(self.graph, self.general, DELTA[layer, place])
        at = {index.name: unit for index, unit in units.items()}
        first = self.general[final.label.removesuffix(".output")]
        steps: list[Step] = []
        for general in dict.fromkeys((first, final)):
            left = steps[-1].right if steps else DELTA[layer, place]
            rule, cited = (general.rule, general.uses) if steps else (rules.LOCAL_GRADIENT, ())
            right = self.instance(general.right, **at)
            label = f"{general.label}.{next(iter(at.values()))}"
            steps.append(Step(label, left, right, rule, (general.label, *cited)))
        return tuple(steps)

    def folded(self, of: Entry, derived: bool = False) -> Step:
        """∂E/∂w = δ · a for one weight; ``derived`` says that its chain rule has been written out."""
        general = self.general[f"gradient.{of.base.label}.{of.indices[0]}"]
        right = self.at_parameter(general.right, of)
        if is_trained(of):
            return Step(f"{of}.folded", Partial(ERROR, of), right, rules.WRITTEN_OUT, (general.label,))
        uses: tuple[str, ...] = (general.label,)
        if derived:
            uses = (f"{of}.product", self.delta(int(of.indices[0]) + 1, int(of.indices[-1]))[-1].label)
        return Step(f"{of}.folded", Partial(ERROR, of), right, rules.LOCAL_GRADIENT, uses)


def forward_label(of: Expr) -> str:
    """The label of the forward equation of one unit, or of the error."""
    if of == ERROR:
        return "error.units"
    return f"forward.{'z' if of.base == PRE else 'a'}.{of.indices[0]}.{of.indices[1]}"


def why(of: Expr, cited: tuple[str, ...]) -> tuple[rules.Rule, tuple[str, ...]]:
    """The rule of a local derivative: a slope that is derived already, or the derivative of a forward equation."""
    found = tuple(label for label in cited if not label.endswith(".local"))
    return (rules.FOUND, found) if found else (rules.LOCAL, (forward_label(of),))


def separate(chains: Expr) -> tuple[Expr, ...]:
    """What ``together`` has put together.

    >>> separate(together([Symbol("u"), Symbol("v")]))
    (u, v)
    """
    return chains.args if isinstance(chains, Total) else (chains,)


def together(chains: list[Expr]) -> Expr:
    """One chain as it is, several as their sum, in order."""
    return chains[0] if len(chains) == 1 else Total(*chains)


def without_ones(factors: list[Expr]) -> Expr:
    """The ordered product without factors of one."""
    kept = [f for f in factors if f != 1] or factors[:1]
    return kept[0] if len(kept) == 1 else Chain(*kept)

"""The scalar view: every equation of the network written for its individual units and weights.

Each line is an instance of an index equation, or the chain rule along the paths from one weight to the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Symbol

from symbackprop.calculus import rules
from symbackprop.calculus.indices import Entry, instantiate
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.derivation import paths as along
from symbackprop.derivation.slopes import Slope
from symbackprop.derivation.steps import Block, Step
from symbackprop.network.forward import ForwardGraph
from symbackprop.network.quantities import DELTA, ERROR, OUT, PRE

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
        """Pre-activation and output of every unit, layer by layer."""
        for layer in range(2, self.graph.depth + 1):
            entries = [
                (name, base[layer, j]) for j in self.graph.units(layer) for name, base in (("z", PRE), ("a", OUT))
            ]
            yield Block(
                "forward_units",
                tuple(
                    Step(
                        f"forward.{name}.{layer}.{entry.indices[1]}",
                        entry,
                        self.graph.entry_equation(entry),
                        rules.DEFINITION,
                        (f"forward.{name}.{layer}",),
                    )
                    for name, entry in entries
                ),
                (PRE[layer, 1], OUT[layer, 1]),
            )

    def error(self) -> Block:
        """E in the individual outputs and targets."""
        written_out = instantiate(self.graph.error.right, self.graph.sizes)
        return Block("error_units", (Step("error.units", ERROR, written_out, rules.DEFINITION, ("error",)),))

    def back(self) -> Iterator[Block]:
        """Weight by weight from the output to the input: chain rule, product, and the same with δ."""
        explained: set[Expr] = set()
        in_full = self.graph.spec.weight_count <= CHAINS_SHOWN
        for layer in range(self.graph.depth - 1, 0, -1):
            feeding = [*self.graph.weights(layer), *self.graph.biases(layer)]
            if in_full:
                for n, of in enumerate(feeding):
                    yield self._chains(of, explained, first=n == 0)
            yield self._deltas(layer + 1)
            yield Block("folded", tuple(self._folded(of) for of in feeding), (DELTA[layer + 1, 1],))

    def _chains(self, of: Entry, explained: set[Expr], first: bool) -> Block:
        """∂E/∂w as the sum over its paths, each factor that is new derived, and the factors put in."""
        if along.count_paths(self.graph, of) <= PATHS_SHOWN:
            chains = [along.chain(path) for path in along.paths(self.graph, of)]
        else:
            fed = PRE[along.first_unit(of)]
            chains = [Chain(Partial(ERROR, fed), Partial(fed, of))]
        left, right = Partial(ERROR, of), together(chains)
        factors = list(dict.fromkeys(f for c in chains for f in c.args if f.of != ERROR or f.by.base == OUT))
        put: dict[Expr, Expr] = {}
        steps: list[Step] = []
        uses: list[str] = []
        for n, factor in enumerate(factors, start=1):
            put[factor], cited = self.factor(factor.of, factor.by)
            uses += cited
            if factor not in explained and put[factor] != factor:
                steps.append(Step(f"{of}.factor.{n}", factor, put[factor], rules.SUBSTITUTE, cited))
            explained.add(factor)
        put |= {
            Partial(ERROR, DELTA_OF.by): DELTA[DELTA_OF.by.indices]
            for DELTA_OF in right.atoms(Partial)
            if DELTA_OF.of == ERROR and DELTA_OF.by.base == PRE
        }
        product = together([without_ones([put[f] for f in c.args]) for c in chains])
        cites = tuple(dict.fromkeys(uses))
        return Block(
            "weight_first" if first else "weight_next",
            (
                Step(f"{of}.chain", left, right, rules.CHAIN),
                *steps,
                Step(f"{of}.product", left, product, rules.SUBSTITUTE, (f"{of}.chain", *cites)),
            ),
            (of,),
        )

    def factor(self, of: Expr, by: Entry) -> tuple[Expr, tuple[str, ...]]:
        """The local derivative ∂of/∂by, an instance of an index equation, and the labels it cites."""
        if of == ERROR:
            step = self.general.get("error.slope")
            return (self.instance(step.right, k=int(by.indices[1])), (step.label,)) if step else (Partial(of, by), ())
        layer, unit = int(of.indices[0]), int(of.indices[1])
        if of.base == OUT:
            use = self.graph.spec.activation_of(layer)
            if use.entry.group:
                step = self.general["slope.group.1"]
                return self.instance(step.right, k=unit, q=int(by.indices[1])), (step.label,)
            slope = self.slopes[Symbol(use.tag)]
            return slope.at(of_pre := PRE[layer, unit], OUT[of_pre.indices]), slope.cites
        if by.base == OUT:
            step = self.general[f"back.{layer - 1}.out.local"]
            return self.instance(step.right, j=int(by.indices[1]), k=unit), (step.label,)
        step = self.general[f"gradient.{by.base.label}.{layer - 1}.local"]
        return self.at_parameter(step.right, by), (step.label,)

    def at_parameter(self, expr: Expr, of: Entry) -> Expr:
        """An index expression of a gradient at one weight (units i, j) or bias (unit j)."""
        units = [int(unit) for unit in of.indices[1:]]
        return self.instance(expr, i=units[0], j=units[-1])

    def _deltas(self, layer: int) -> Block:
        """δ of every unit of ``layer``, from the error or from the next layer's δ."""
        if layer == self.graph.depth:
            labels = ["output.delta"]
        else:
            labels = [label for label in (f"delta.{layer}", f"delta.{layer}.output") if label in self.general]
        steps = []
        for j in self.graph.units(layer):
            left: Expr = DELTA[layer, j]
            for label in labels:
                right = self.instance(
                    self.general[label].right, j=j, **({"k": j, "q": j} if layer == self.graph.depth else {})
                )
                steps.append(
                    Step(
                        f"{label}.{j}",
                        left,
                        right,
                        rules.LOCAL_GRADIENT if left == DELTA[layer, j] else self.general[label].rule,
                        (label,),
                    )
                )
                left = right
        return Block("deltas", tuple(steps), (DELTA[layer, 1],))

    def _folded(self, of: Entry) -> Step:
        """∂E/∂w = δ · a for one weight."""
        general = self.general[f"gradient.{of.base.label}.{of.indices[0]}"]
        return Step(
            f"{of}.folded",
            Partial(ERROR, of),
            self.at_parameter(general.right, of),
            rules.LOCAL_GRADIENT,
            (general.label,),
        )


def together(chains: list[Expr]) -> Expr:
    """One chain as it is, several as their sum, in order."""
    return chains[0] if len(chains) == 1 else Total(*chains)


def without_ones(factors: list[Expr]) -> Expr:
    """The ordered product without factors of one."""
    kept = [f for f in factors if f != 1] or factors[:1]
    return kept[0] if len(kept) == 1 else Chain(*kept)

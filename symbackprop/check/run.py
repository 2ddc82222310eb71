"""All checks of one derivation, in one report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil, isfinite, log10

from symbackprop.check.composed import check_composed
from symbackprop.check.field import check_field
from symbackprop.check.floats import Emitted
from symbackprop.check.instances import Instances
from symbackprop.check.numeric import check_numeric
from symbackprop.check.proofs import Prover
from symbackprop.check.report import CheckReport, Row
from symbackprop.check.step_errors import StepErrors, step_errors
from symbackprop.derivation.arrays import array_section, chain_section
from symbackprop.derivation.derive import Derivation, derive
from symbackprop.derivation.general import general_parts, instances
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.matrix_terms import NUMERATOR, Layout
from symbackprop.derivation.steps import Section, Step
from symbackprop.network.forward import ForwardGraph, forward_graph

SMALLEST = 1e-16  # the error that stands for none
SMALL = 24  # weights; equations for all units of larger networks are proved for a narrower one
INDIVIDUAL = 100  # weights; lines about single units of larger networks are checked by exact values
RESTATED = "as the notation writes them"
NARROW = (2, 3)  # its widths, so that no two neighbouring layers are alike

Restate = Callable[[Derivation, tuple[Layout, ...]], Iterable[tuple[Step, Layout | None]]]


def check(
    derivation: Derivation,
    views: Sequence[MatrixView],
    emitted: Emitted | None = None,
    seed: int = 0,
    restate: Restate | None = None,
    *,
    chain_order: str = NUMERATOR,
    any_sizes: bool = False,
) -> CheckReport:
    """Prove every step of the derivation and of its matrix ``views``, and compare the emitted code numerically.

    ``restate`` gives the steps that a notation writes in other quantities, back in the derivation's own;
    ``chain_order`` is that of the chain rule between arrays; with ``any_sizes`` the derivation for any sizes is proved
    too. The same seed gives the same report.

    >>> from symbackprop.network.read import network
    >>> from symbackprop.derivation.matrix_terms import NUMERATOR, Layout
    >>> d = derive(forward_graph(network("2-3-1", activation="tanh", loss="mse")), "none")
    >>> check(d, [d.matrix(Layout())]).ok
    True
    """
    rows = list(proofs(derivation, views, seed, restate, chain_order=chain_order))
    rows += list(general_proofs(derivation, seed)) if any_sizes else []
    rows += check_composed(derivation, seed)
    rows += [row for view in views for row in check_field(derivation, view, seed)]
    notes: list[str] = []
    errors: StepErrors = ()
    graph = derivation.graph
    if graph.spec.weight_count > SMALL:
        notes.append("Equations for all units of a layer hold for any width; they were proved for widths of 2 and 3.")
    if emitted is not None:
        numeric, about = check_numeric(graph, emitted, seed)
        rows += [with_bound(row) for row in numeric]
        notes += about
        errors = step_errors(graph, emitted, seed)
    return CheckReport(tuple(rows), tuple(notes), errors)


def with_bound(row: Row) -> Row:
    """The row with the power of ten above its error: the digits after it are the machine's, not the network's.

    >>> with_bound(Row("emitted code", "dW1", True, "central differences", 6.9e-10)).error
    1e-09
    """
    if row.error is None or not isfinite(row.error):
        return row
    return replace(row, error=float(f"1e{ceil(log10(max(row.error, SMALLEST)))}"))


def proofs(
    derivation: Derivation,
    views: Sequence[MatrixView],
    seed: int,
    restate: Restate | None = None,
    *,
    chain_order: str = NUMERATOR,
) -> Iterator[Row]:
    """A row for every step, for every assumption, and one for the references between steps."""
    graph = derivation.graph
    arrays = list(about_arrays(derivation, views, chain_order))
    every = [*derivation.steps, *(step for view in views for step in view.steps)]
    every += [step for _, section in arrays for step in section.steps]
    small = graph if graph.spec.weight_count <= SMALL else narrowed(graph)
    prover = Prover(small, every, seed)
    single = individual_lines(derivation, every, seed) if small is not graph else prover
    for section in derivation.sections:
        for step in section.steps:
            yield (prover if step.label in derivation.general else single).row(step, section.key)
    shown = views if small is graph else [derive(small, "none").matrix(view.layout) for view in views]
    for view in shown:
        group = "matrix form, batch" if view.layout.batch else "matrix form, one example"
        yield from (prover.row(step, group, view.layout) for step in view.steps)
    for layout, section in arrays if small is graph else about_arrays(derive(small, "none"), views, chain_order):
        yield from (prover.row(step, section.key, layout) for step in section.steps if step.label in prover.steps)
    if restate is not None:
        layouts = tuple(view.layout for view in views)
        for step, _ in restate(derivation, ()):
            yield (prover if step.label in derivation.general else single).row(step, RESTATED)
        for step, shape in restate(derivation if small is graph else derive(small, "none"), layouts):
            if shape is not None:
                yield prover.row(step, RESTATED, shape)
    for step in derivation.steps:
        for assumption in step.assumptions:
            needed = prover.needs_assumptions(step)
            how = "false without it" if needed else "it holds without it"
            yield Row("assumptions", step.label, needed, f"{how}: {assumption.key.replace('_', ' ')}")
    yield references(every)


def general_proofs(derivation: Derivation, seed: int) -> Iterator[Row]:
    """A row for every step of the derivation for any sizes, proved in each layer that it is claimed for."""
    graph = derivation.graph
    small = derivation if graph.spec.weight_count <= SMALL else derive(narrowed(graph), "none")
    prover = Prover(small.graph, small.steps, seed)
    for part in general_parts(small):
        by_layer = [[prover.row(step, part.section.key) for step in part.at(layer)] for layer in part.layers]
        for step, rows in zip(part.section.steps, zip(*by_layer, strict=True), strict=True):
            verdicts = [row.verdict for row in rows]
            verdict = next((found for found in (False, None) if found in verdicts), True)
            yield Row(part.section.key, step.label, verdict, rows[0].how)
    own = instances(derivation)
    single = individual_lines(derivation, [*derivation.steps, *own.steps], seed)
    yield from (single.row(step, own.key) for step in own.steps)


def about_arrays(
    derivation: Derivation, views: Sequence[MatrixView], chain_order: str
) -> Iterator[tuple[Layout, Section]]:
    """The sections on whole arrays, in each layout of one example that a view has."""
    for layout in (view.layout for view in views if not view.layout.batch):
        sections = (array_section(derivation, layout), chain_section(derivation, layout, chain_order))
        yield from ((layout, section) for section in sections if section is not None)


def individual_lines(derivation: Derivation, steps: Iterable[Step], seed: int) -> Prover | Instances:
    """What checks the lines about single units and weights, at the network's own size."""
    if derivation.graph.spec.weight_count <= INDIVIDUAL:
        return Prover(derivation.graph, steps, seed)
    return Instances(derivation, seed)


def references(steps: Iterable[Step]) -> Row:
    """Whether every step that is cited exists."""
    steps = list(steps)
    labels = {step.label for step in steps}
    missing = sorted({label for step in steps for label in step.uses} - labels)
    return Row(
        "references",
        "every cited step exists",
        not missing,
        f"missing: {', '.join(missing)}" if missing else "looked up",
    )


def narrowed(graph: ForwardGraph) -> ForwardGraph:
    """The same network with narrow layers: every equation in index notation is the same."""
    *sizes, outputs = (min(size, NARROW[n % 2]) for n, size in enumerate(graph.spec.sizes))
    parts = graph.spec.loss.entry.parts
    sizes.append(outputs if parts == 1 else min(graph.spec.sizes[-1], 2 * parts))
    return forward_graph(replace(graph.spec, sizes=tuple(sizes)))

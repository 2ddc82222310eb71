"""The whole pipeline on one screen, a stage a line, and the conveniences of what comes out of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import sympy as sp
from sympy import Expr

from symbackprop import resources
from symbackprop.calculus.indices import Entry
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.derivation import paths as along
from symbackprop.derivation.derive import Derivation, Listing
from symbackprop.derivation.derive import derive as derive_graph
from symbackprop.derivation.final import final_deltas
from symbackprop.derivation.found import Delta, Gradient
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.numbers import Worked, work
from symbackprop.derivation.one_weight import weight_section
from symbackprop.derivation.steps import Step
from symbackprop.emit.targets import known_targets
from symbackprop.errors import SpecError, unknown
from symbackprop.network.addresses import parameter_at
from symbackprop.network.forward import ForwardGraph, forward_graph
from symbackprop.network.quantities import DELTA, ERROR, PRE
from symbackprop.network.read import load, network, spec_from_toml
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.apply import Notation
from symbackprop.notation.keys import known_order
from symbackprop.notation.named import named
from symbackprop.notation.profile import Profile, load_profile, profile_names
from symbackprop.notation.written import Writer, as_written, restated, written
from symbackprop.render.detail import known_level
from symbackprop.render.formats import FORMATS as DOCUMENTS
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.notebook import displayed, equations, shown_view
from symbackprop.render.show import to_text
from symbackprop.render.view import WHOLE, View

if TYPE_CHECKING:
    from symbackprop.check.report import CheckReport
    from symbackprop.programs import Programs
    from symbackprop.render.translation import Translation

CODE, REPORT = "py", "json"
SIZES = NUMERIC, SYMBOLIC = ("numeric", "symbolic")
FORMATS: Mapping[str, str] = {
    **{name: form.description for name, form in DOCUMENTS.items()},
    CODE: "Python: gradients.py (NumPy) and scalar_gradients.py (plain numbers)",
    REPORT: "the checks, as check.json",
}


def examples() -> dict[str, str]:
    """The example networks that come with the program: name -> title.

    >>> examples()["S1"]
    'Backpropagation'
    """
    return {name: tomllib.loads(path.read_text("utf-8"))["title"] for name, path in resources.examples().items()}


def notations() -> dict[str, str]:
    """The notation profiles that come with the program: name -> description."""
    return {name: load_profile(name).description for name in profile_names()}


def example(name: str) -> NetworkSpec:
    """The example network ``name``.

    >>> example("S4").sizes
    (4, 2, 2, 1)
    """
    known = resources.examples()
    if name not in known:
        raise SpecError(unknown("example", name, known))
    return load(known[name])


def derive(
    net: NetworkSpec | str,
    *,
    notation: str | None = None,
    listing: Listing = "auto",
    detail: str = "full",
    weight: str | None = None,
    numbers: bool = False,
    sizes: str = "numeric",
    layouts: str | None = None,
    seed: int = 0,
) -> BackpropDerivation:
    """Derive every gradient of ``net`` (a ``NetworkSpec``, or an example's name).

    ``notation`` is a profile's name or TOML file (default: the network's own); ``listing`` says whether every single
    weight gets its own lines ("auto": in networks of up to 100 weights, "all", "none"). ``detail`` is how much of it
    documents show: "exam" (the results on a page), "lecture" (one weight in full, the others stated) or "full".
    ``weight`` is the address of one that gets a section of its own, with its paths (default: the network's own).
    With ``numbers``, documents put numbers into every equation: those of the network's ``values``, the others drawn
    with ``seed``. With ``sizes`` "symbolic", the derivation for any sizes is written beside them, as ``general.md``,
    ``general.pdf`` and so on. ``layouts`` orders the factors where the chain rule is written with whole arrays:
    "numerator", "denominator" or "both" (default: as the notation does).

    >>> d = derive(network("2-3-1", activation="sigmoid", loss="mse", bias=False))
    >>> d.delta(1, layer=2).recursion
    delta1[3]*w11[2]*a1[2]*(1 - a1[2])
    >>> d.gradient("w11[1]").delta_form
    delta1[2]*x1
    """
    spec = example(net) if isinstance(net, str) else net  # str         -> NetworkSpec
    graph = forward_graph(spec)  #                          NetworkSpec  -> ForwardGraph
    derivation = derive_graph(graph, listing)  #            ForwardGraph -> Derivation
    profile = load_profile(notation or spec.notation)  #    name         -> Profile
    known_targets(spec.targets)
    if layouts is not None:
        profile = profile.with_chains(known_order(layouts))
    if (address := weight or spec.weight) is not None:
        section = weight_section(derivation, parameter_at(address, spec))
        derivation = replace(derivation, sections=(*derivation.sections, section))
    if sizes not in SIZES:
        raise SpecError(unknown("kind of sizes", sizes, SIZES))
    worked = work(derivation, spec.values, seed) if numbers else None
    return BackpropDerivation(derivation, profile, View(known_level(detail), worked, sizes == SYMBOLIC))


@dataclass(frozen=True)
class BackpropDerivation:
    """A network's derivation in a notation, with everything that can be made from it."""

    derivation: Derivation
    profile: Profile
    view: View = WHOLE
    _reports: dict[int, CheckReport] = field(default_factory=dict, compare=False, repr=False)

    @property
    def graph(self) -> ForwardGraph:
        """The forward equations."""
        return self.derivation.graph

    @cached_property
    def written(self) -> Derivation:
        """The derivation in the notation's own quantities: its sign of δ, its kind of bias, its form of the update."""
        return written(self.derivation, self.profile)

    @cached_property
    def error(self) -> Expr:
        """E in the individual parameters, inputs and targets, with the penalty where there is one."""
        graph = self.graph
        return graph.concrete(graph.composed_error()).xreplace(graph.spec.trained) + graph.penalty()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step of the derivation, in reading order."""
        return equations(self.derivation.steps, self._notation)

    @property
    def matrix(self) -> MatrixView:
        """The equations between arrays for a batch, in the notation's layout."""
        return shown_view(self.derivation.matrix(self.profile.layout(batch=True)), self._notation)

    @property
    def matrix_of_one(self) -> MatrixView:
        """The equations between arrays for one example, in the notation's layout."""
        return shown_view(self.derivation.matrix(self.profile.layout(batch=False)), self._notation)

    def gradient(self, address: str) -> Gradient:
        """The gradient of the parameter at ``address`` (``w11[1]``, ``b1[1]``, ``alpha[2]``)."""
        of = self._parameter(address)
        folded = self.derivation.scalar.folded(of)
        penalty = sp.diff(self.graph.penalty(), of)
        return Gradient(
            of,
            expanded=sp.diff(self.error, of),
            chain=self.derivation.scalar.chain_rule(of),
            delta_form=folded.right + penalty,
            steps=tuple(step for step in self.steps if step.label.startswith(f"{of}."))
            or equations([folded], self._notation),
        )

    def delta(self, unit: int, *, layer: int) -> Delta:
        """δ of one unit; layers are counted from 1, the input. Units of several pieces have a δ for each of these."""
        graph = self.graph
        if not (1 < layer <= graph.depth and unit in graph.fed(layer)):
            sizes = "-".join(map(str, graph.spec.sizes))
            raise SpecError(
                f"the network {sizes} has no unit {unit} in layer {layer} with a δ; layers 2-{graph.depth} have"
            )
        steps = self.derivation.scalar.delta(layer, unit)
        definition = Partial(ERROR, PRE[layer, unit])
        return Delta(DELTA[layer, unit], definition, steps[-1].right, equations(steps, self._notation))

    def way(self, address: str) -> list[tuple[str, str]]:
        """One parameter's derivative along all its paths, line by line: left and right side as readable text."""
        section = weight_section(self.derivation, self._parameter(address))
        notation = Notation.of(self.profile, self.graph)
        steps = as_written(section, self.written).steps
        return [(to_text(step.left, notation), to_text(step.right, notation)) for step in steps]

    def paths(self, address: str) -> list[Chain]:
        """The product of local derivatives along every path from a parameter to the error."""
        return [along.chain(path) for path in along.paths(self.graph, self._parameter(address))]

    def numbers(self, values: Mapping[str, float] | None = None, seed: int = 0) -> Worked:
        """Every equation with numbers: ``values`` by address (``{"w11[1]": 0.15, "x1": 1, "eta": 0.1}``).

        What has no value there, nor in the network's own values, is drawn with ``seed``.
        """
        return work(self.derivation, {**self.graph.spec.values, **(values or {})}, seed)

    def check(self, seed: int = 0) -> CheckReport:
        """Prove every step and compare the emitted code with central differences; done once for each seed."""
        from symbackprop.check.run import check
        from symbackprop.handover import emitted

        if seed not in self._reports:
            layouts = [*(self.profile.layout(batch=batch) for batch in (False, True)), self.profile.code_layout]
            views = [self.derivation.matrix(layout) for layout in layouts]
            handed = emitted(self.compile(), self.graph.spec)
            written_steps = partial(restated, profile=self.profile)
            self._reports[seed] = check(
                self.derivation,
                list(dict.fromkeys(views)),
                handed,
                seed,
                written_steps,
                chain_order=self.profile.chain_order,
                any_sizes=self.view.any_sizes,
            )
        return self._reports[seed]

    def files(
        self,
        formats: Iterable[str],
        seed: int = 0,
        pdf_engine: str = "auto",
        markdown: str = "github",
        *,
        targets: Iterable[str] = (),
    ) -> dict[str, str | bytes]:
        """The documents, programs and reports in ``formats``, by file name; PDF is bytes.

        ``pdf_engine`` is ``auto`` or ``typst``, or an installed LaTeX: ``latexmk``, ``pdflatex``, ``lualatex``.
        ``markdown`` is the flavour of Markdown, ``github`` or ``jupyter``. ``targets`` are those of the programs;
        none are the network's own, or else the usual ones.
        """
        from symbackprop.render.document import render
        from symbackprop.render.engines import known_engine

        known_engine(pdf_engine)

        wanted = list(formats)
        for name in wanted:
            if name not in FORMATS:
                raise SpecError(unknown("format", name, FORMATS))
        report = self.check(seed)
        documents = [name for name in wanted if name in DOCUMENTS]
        programs = self.programs(targets)
        code = {**programs, **(self.programs.of_page if "html" in documents else {})}
        files = render(
            self.written,
            report,
            self.profile,
            documents,
            code,
            pdf_engine=pdf_engine,
            view=self.view,
            markdown=markdown,
        )
        if CODE in wanted:
            files |= programs
        if REPORT in wanted:
            files["check.json"] = report.to_json()
        return files

    def compare(self, notation: str) -> Translation:
        """The equations in this notation and in another one (a profile's name or TOML file), side by side."""
        from symbackprop.render.translation import Translation

        return Translation(self.derivation, self.profile, load_profile(notation))

    def write(
        self,
        folder: str | Path,
        formats: Iterable[str] = tuple(FORMATS),
        seed: int = 0,
        pdf_engine: str = "auto",
        markdown: str = "github",
        *,
        targets: Iterable[str] = (),
    ) -> list[Path]:
        """Write ``files`` into ``folder``, all of them or none; returns their paths."""
        from symbackprop.files import write_files

        return write_files(Path(folder), self.files(formats, seed, pdf_engine, markdown, targets=targets))

    @cached_property
    def programs(self) -> Programs:
        """What emits the programs."""
        from symbackprop.programs import Programs
        from symbackprop.render.equations import equation_numbers

        return Programs(self.derivation, self.profile, equation_numbers(self.written))

    @property
    def code(self) -> dict[str, str]:
        """The emitted modules that need no asking: file name -> source."""
        return self.programs.usual

    @property
    def page_code(self) -> dict[str, str]:
        """What a page computes with."""
        return self.programs.of_page

    def compile(self, target: str = "numpy") -> ModuleType:
        """The emitted module of ``target``, imported: ``gradients.py``, or that of another one."""
        from symbackprop.emit.targets import load as load_source

        ((file, text),) = self.programs([target]).items()
        return load_source(text, file.removesuffix(".py"))

    def summary(self) -> list[tuple[str, str]]:
        """δ and the gradients of every layer, as rows of readable text: name, formula."""
        from symbackprop.render.text import TextMarkup

        printed = FormulaPrinter(self._notation, TextMarkup())
        return [(printed(left).text, printed(right).text) for left, right in self._results()]

    def _results(self) -> list[tuple[Expr, Expr]]:
        """The final equations: δ of the output, then each layer's gradients and δ, from the output back."""
        general, depth = self.derivation.general, self.graph.depth
        rows = [*self._final(depth), *self._learned(depth)]
        for layer in range(depth - 1, 0, -1):
            for name in (f"gradient.{kind}.{layer}" for kind in "wb" if f"gradient.{kind}.{layer}" in general):
                step = general.get(f"{name}.total", general[name])
                rows.append((step.left, step.right))
            if layer > 1:
                rows += self._final(layer)
            rows += self._learned(layer)
        equations = (Writer(self.profile).equation(left, right) for left, right in rows)
        called = named if "gradient" in self.profile.letters else (lambda formula: formula)
        return [(called(left), right) for left, right in equations]

    def _final(self, layer: int) -> list[tuple[Expr, Expr]]:
        """δ of ``layer``, after ∂E/∂a where it is stated by these."""
        general = self.derivation.general
        rows = [(each.of, each.step.right) for each in final_deltas(self.graph, general, layer)]
        if layer < self.graph.depth and self.graph.spec.activation_of(layer).entry.over_units:
            passed = general[f"back.{layer}.out"]
            return [(passed.left, passed.right), *rows]
        return rows

    def _learned(self, layer: int) -> list[tuple[Expr, Expr]]:
        """The gradients of what the activation of ``layer`` learns."""
        names = (f"gradient.{of.base.label}.{layer}" for of in self.graph.trained(layer))
        return [(step.left, step.right) for step in map(self.derivation.general.__getitem__, names)]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return displayed([(left, right, "=") for left, right in self._results()], self._notation)

    @property
    def _notation(self) -> Notation:
        return Notation.of(self.profile, self.graph)

    def _parameter(self, address: str) -> Entry:
        return parameter_at(address, self.graph.spec)


__all__ = [
    "BackpropDerivation",
    "Delta",
    "Gradient",
    "derive",
    "example",
    "examples",
    "load",
    "network",
    "notations",
    "spec_from_toml",
]

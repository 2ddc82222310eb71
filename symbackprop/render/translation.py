"""The translation page: the same equations in two notations, side by side, and in words what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sympy import Expr

from symbackprop.calculus import rules
from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.final import final_deltas
from symbackprop.derivation.steps import Step
from symbackprop.notation.apply import Notation
from symbackprop.notation.differences import INDEX, LETTER, REDUCTION, Difference, differences
from symbackprop.notation.profile import Profile
from symbackprop.notation.written import Writer, sign_of, written
from symbackprop.render.formats import FORMATS
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.front import title_of
from symbackprop.render.latex_page import metadata
from symbackprop.render.lines import is_update
from symbackprop.render.matrix_formula import MatrixPrinter
from symbackprop.render.printed import Printed
from symbackprop.render.style import Style
from symbackprop.render.text import TextMarkup
from symbackprop.render.wording import keys, words
from symbackprop.templating import environment

PLAIN = Style(TextMarkup(), str, str, " ".join, line=1000, reason_letter=1)
SIDE_BY_SIDE = 88.0  # letters; wider pairs stand one below the other


def markdown_cell(formula: str) -> str:
    """A formula in a cell of a table, where a bar would end the cell."""
    return FORMATS["md"].style.inline(formula.replace("|", r"\vert "))


def latex_cell(formula: str) -> str:
    """A formula in a cell of a table, in its full size; a fraction keeps away from the lines around it."""
    room = r"\rule[-2.8ex]{0pt}{7ex}" if r"\frac" in formula else ""
    return rf"$\displaystyle {formula}${room}"


@dataclass(frozen=True)
class Page:
    """The page in one format: its file, and how a formula is set in a table."""

    file: str
    cell: Callable[[str], str]


PAGES = {"md": Page("translation.md", markdown_cell), "tex": Page("translation.tex", latex_cell)}


@dataclass(frozen=True)
class Pair:
    """One equation in both notations, or the word for one that a notation states within another equation."""

    first: str
    second: str


@dataclass(frozen=True)
class Part:
    """The pairs under one heading; ``wide`` says that they do not fit side by side."""

    heading: str
    pairs: tuple[Pair, ...]
    wide: bool


@dataclass(frozen=True)
class Change:
    """One dimension in which the notations differ."""

    what: str
    first: str
    second: str


@dataclass(frozen=True)
class Translation:
    """The derivation in the notations ``first`` and ``second``."""

    derivation: Derivation
    first: Profile
    second: Profile

    def page(self, form: str) -> str:
        """The page in Markdown ("md") or LaTeX ("tex")."""
        document = FORMATS[form]
        style = document.style
        text = (
            environment()
            .get_template(f"{PAGES[form].file}.jinja")
            .render(
                title=style.words(title_of(self.derivation.graph.spec)),
                metadata=metadata(self.derivation.graph.spec),
                heading=words("translation", "heading"),
                names=[style.words(profile.name) for profile in (self.first, self.second)],
                about=[style.words(profile.description) for profile in (self.first, self.second)],
                what=words("translation", "what"),
                changes_heading=words("translation", "changes"),
                no_changes=words("translation", "no_changes"),
                changes=self.changes(style),
                parts=self.parts(replace(style, inline=PAGES[form].cell)),
            )
        )
        return document.finish(text)

    def parts(self, style: Style = PLAIN) -> list[Part]:
        """The equations, section by section."""
        found: dict[str, list[tuple[Printed | None, Printed | None]]] = {}
        pairs: list[tuple[str, Printed | None, Printed | None]] = [
            (key, self._general(step, self.first, style), self._general(step, self.second, style))
            for key, step in statements(self.derivation)
        ]
        for batch in (False, True):
            before, after = (self._arrays(profile, batch, style) for profile in (self.first, self.second))
            key = "matrix_batch" if batch else "matrix_one"
            pairs += [(key, before.get(label), after.get(label)) for label in {**before, **after}]
        for key, one, two in pairs:
            found.setdefault(key, []).append((one, two))
        return [self._part(key, rows, style) for key, rows in found.items()]

    def _part(self, key: str, rows: list[tuple[Printed | None, Printed | None]], style: Style) -> Part:
        columns = zip(*rows, strict=True)
        widths = [max((each.width for each in column if each is not None), default=0) for column in columns]
        missing = words("translation", "within")
        pairs = tuple(Pair(*(style.inline(each.text) if each else missing for each in row)) for row in rows)
        return Part(words("translation", key), pairs, sum(widths) > SIDE_BY_SIDE)

    def _general(self, step: Step, profile: Profile, style: Style) -> Printed:
        writer = Writer(profile, self.derivation.general)
        *_, step = writer.naming(writer.step(step, sign_of(writer.substitution.into(step.left))))
        return self._equation(step, FormulaPrinter(Notation.of(profile, self.derivation.graph), style.markup), profile)

    def _arrays(self, profile: Profile, batch: bool, style: Style) -> dict[str, Printed]:
        formula = FormulaPrinter(Notation.of(profile, self.derivation.graph), style.markup)
        terms = MatrixPrinter(formula, batch)
        view = written(self.derivation, profile).matrix(profile.layout(batch))
        return {s.label: self._equation(s, terms, profile) for s in view.steps if s.rule != rules.DEFINITION}

    def _equation(self, step: Step, printer: FormulaPrinter | MatrixPrinter, profile: Profile) -> Printed:
        formula = printer if isinstance(printer, FormulaPrinter) else printer.formula
        left = (formula if isinstance(step.left, Expr) else printer)(step.left)
        right = printer(step.right)
        sign = formula.markup.operator(profile.assign if is_update(step.left) else "=")
        return replace(right, text=f"{left.text} {sign} {right.text}", width=left.width + right.width + 3, parts=())

    def changes(self, style: Style = PLAIN) -> list[Change]:
        """What differs between the notations, in words and letters."""
        return [
            Change(what_differs(each), *(choice(each, value, style) for value in (each.first, each.second)))
            for each in differences(self.first, self.second)
        ]


def statements(derivation: Derivation) -> Iterator[tuple[str, Step]]:
    """The equations that a reader compares, in index notation: the final ones, of the first and of the last layers."""
    general, depth = derivation.general, derivation.graph.depth
    for layer in dict.fromkeys((2, depth)):
        for name in ("z", "a"):
            yield "forward", general[f"forward.{name}.{layer}"]
    for label in ("error", "objective"):
        if label in general:
            yield "forward", general[label]
    for each in final_deltas(derivation.graph, general, depth):
        definition = general[each.step.label.removesuffix("delta") + "definition"]
        yield "delta", replace(definition, left=each.of)
        yield "delta", replace(each.step, left=each.of)
    for layer in dict.fromkeys((depth - 1, 2)):
        if 1 < layer < depth:
            for each in final_deltas(derivation.graph, general, layer):
                yield "delta", replace(each.step, left=each.of)
    for layer in dict.fromkeys((depth - 1, 1)):
        for name in (f"gradient.{kind}.{layer}" for kind in "wb"):
            if name in general:
                yield "gradient", general.get(f"{name}.total", general[name])
    for name in ("update.w.1", "update.b.1"):
        if name in general:
            yield "update", general[name]


def what_differs(difference: Difference) -> str:
    """The dimension in words."""
    table = difference.table or "dimensions"
    return words("translation_of", f"{table}.{difference.key}")


def choice(difference: Difference, value: object, style: Style) -> str:
    """What a notation does there: in words, or its letter."""
    if value is None:
        return words("translation", "none")
    if difference.table in (LETTER, INDEX):
        return style.inline(style.markup.letter(str(value)).text)
    key = f"{difference.table or difference.key}.{str(value).lower()}"
    said = words("choices", key) if key in keys("choices") else str(value)
    return style.words(said) if difference.table != REDUCTION else said

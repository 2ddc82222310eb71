"""What notebooks show: equations display themselves, as MathML, LaTeX and text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from sympy import Expr

from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.steps import Formula, Step
from symbackprop.notation.apply import Notation
from symbackprop.notation.written import Writer
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.html.mathml import for_html, mathml
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.lines import is_update
from symbackprop.render.matrix_formula import MatrixPrinter
from symbackprop.render.show import to_text

PLAIN, LATEX, HTML = "text/plain", "text/latex", "text/html"


@dataclass(frozen=True, eq=False, repr=False)
class Equation(Step):
    """A step that knows how its notation writes it; it equals the step that it is."""

    notation: Notation = field(kw_only=True)
    batch: bool = field(kw_only=True, default=False)

    @classmethod
    def of(cls, step: Step, notation: Notation, *, batch: bool = False) -> Equation:
        """``step`` in ``notation``; ``batch`` says what its arrays hold."""
        given = {each.name: getattr(step, each.name) for each in fields(Step)}
        return cls(**given, notation=notation, batch=batch)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Step):
            return NotImplemented
        return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(Step))

    def __hash__(self) -> int:
        return hash((self.label, self.left, self.right))

    @property
    def written(self) -> tuple[Formula, Formula, str]:
        """The two sides in the notation's own quantities, and the sign between them."""
        sign = self.notation.profile.assign if is_update(self.left) else "="
        return *Writer(self.notation.profile).equation(self.left, self.right), sign

    def __repr__(self) -> str:
        return displayed([self.written], self.notation, batch=self.batch)[PLAIN]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return displayed([self.written], self.notation, batch=self.batch, reasons=[self.rule.reason])


def equations(steps: Iterable[Step], notation: Notation, *, batch: bool = False) -> tuple[Equation, ...]:
    """Steps that display themselves."""
    return tuple(Equation.of(step, notation, batch=batch) for step in steps)


def shown_view(view: MatrixView, notation: Notation) -> MatrixView:
    """A matrix view whose steps display themselves."""

    def shown(steps: Iterable[Step]) -> tuple[Equation, ...]:
        return equations(steps, notation, batch=view.layout.batch)

    return replace(
        view,
        forward=shown(view.forward),
        error=Equation.of(view.error, notation, batch=view.layout.batch),
        deltas=shown(view.deltas),
        gradients=shown(view.gradients),
        updates=shown(view.updates),
    )


def displayed(
    rows: Sequence[tuple[Formula, Formula, str]],
    notation: Notation,
    *,
    batch: bool = False,
    reasons: Sequence[str] = (),
) -> dict[str, str]:
    """Equations ``left sign right`` under one another, by MIME type; ``reasons`` stand at the right."""
    markup = LatexMarkup()
    printer = FormulaPrinter(notation, markup)

    def latex(formula: Formula) -> str:
        return (printer(formula) if isinstance(formula, Expr) else MatrixPrinter(printer, batch)(formula)).text

    printed = [(latex(left), markup.operator(sign), latex(right)) for left, right, sign in rows]
    plain = [
        f"{to_text(left, notation, batch=batch)} {sign} {to_text(right, notation, batch=batch)}"
        for left, right, sign in rows
    ]
    said = [*reasons, *([""] * len(printed))]
    lines = " \\\\\n".join(f"{left} &{sign} {right}" for left, sign, right in printed)
    cells = (
        "<tr>"
        + "".join(
            f'<td style="text-align:{side};border:none">{content}</td>'
            for side, content in (
                ("right", mathml(left, display=True)),
                ("center", mathml(sign)),
                ("left", mathml(right, display=True)),
                ("left", for_html(reason)),
            )
        )
        + "</tr>"
        for (left, sign, right), reason in zip(printed, said, strict=False)
    )
    return {
        PLAIN: "\n".join(plain),
        LATEX: f"$$\\begin{{aligned}}\n{lines}\n\\end{{aligned}}$$",
        HTML: f"<table>{''.join(cells)}</table>",
    }

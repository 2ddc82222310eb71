"""Gradient descent as a numbered procedure: each step in words, with the matrix equations of one example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from symbackprop.calculus import rules
from symbackprop.derivation.matrix import MatrixView
from symbackprop.derivation.steps import Step
from symbackprop.render.lines import ranges
from symbackprop.render.wording import variant, words

MOST_LAYERS = 6  # a deeper network has no procedure of its own: its equations would be those of the matrix form again
MARK = "a"  # the letter behind the numbers of equations about one example


def procedure(
    view: MatrixView,
    equation: Callable[[Step], str],
    numbers: Mapping[str, int],
    inline: Mapping[str, str],
    variants: Iterable[str] = (),
) -> Iterator[str]:
    """The steps as sentences; ``equation`` prints one within words, ``numbers`` those of what can be cited.

    ``inline`` are the learning rate, the input and the target as formulas within words; ``variants`` change what is
    said.
    """
    computed: dict[str, Sequence[Step]] = {
        "start": (),
        "forward": view.forward,
        "error": (view.error,),
        "deltas": view.deltas,
        "gradients": [step for step in view.gradients if step.rule != rules.DEFINITION],
        "updates": view.updates,
        "repeat": (),
    }
    for key, steps in computed.items():
        known = [numbers[step.label] for step in steps if step.label in numbers]
        reference = words("procedure", "cited_one" if len(known) == 1 else "cited", numbers=ranges(known, MARK))
        formulas, cited = ", ".join(map(equation, steps)), reference if known else ""
        yield words("procedure", variant("procedure", key, variants), cited=cited, formulas=formulas, **inline)

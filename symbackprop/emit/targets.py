"""The registry of targets. A target is a row: a file name, a template and the function that says what goes into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit.javascript import javascript_parts
from symbackprop.emit.numpy_module import numpy_parts
from symbackprop.emit.scalar import PER_WEIGHT, scalar_parts
from symbackprop.errors import SpecError, unknown
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.profile import Profile
from symbackprop.templating import environment

Parts = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A kind of program: its file, its template, and ``parts``, which fills the template's names.

    ``most_weights`` is the size of the largest network that it is made for without being asked for by name. One that
    is ``for_pages`` can be handed no functions: those known by name only must have got formulas.
    """

    name: str
    file: str
    template: str
    parts: Callable[[Derivation, Profile, Mapping[str, int]], Parts]
    most_weights: int | None = None
    for_pages: bool = False

    def fits(self, spec: NetworkSpec) -> bool:
        """Whether the network is small enough for this target."""
        return self.most_weights is None or spec.weight_count <= self.most_weights


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("numpy", "gradients.py", "gradients.py.jinja", numpy_parts),
        Target("scalar", "scalar_gradients.py", "scalar_gradients.py.jinja", scalar_parts, PER_WEIGHT),
        Target("javascript", "gradients.js", "gradients.js.jinja", javascript_parts, PER_WEIGHT, for_pages=True),
    )
}


def emit(
    derivation: Derivation, profile: Profile, numbers: Mapping[str, int] | None = None, target: str = "numpy"
) -> str:
    """The source of the module that computes the network's gradients.

    Names are the letters of ``profile``; comments cite the equation ``numbers`` (label -> number) of a document. Raises
    ``UnsupportedExpression`` for a function that the target cannot compute.
    """
    if target not in TARGETS:
        raise SpecError(unknown("target", target, TARGETS))
    row = TARGETS[target]
    return environment().get_template(row.template).render(row.parts(derivation, profile, numbers or {}))


def load(source: str, name: str) -> ModuleType:
    """The emitted ``source`` as an imported module called ``name``.

    This executes text that ``emit`` has written, from validated names and numbers alone; user text occurs in comments
    only. It saves checks and ``compile`` the way over a file.

    >>> load("SHAPES = {}", "gradients").SHAPES
    {}
    """
    module = ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    return module

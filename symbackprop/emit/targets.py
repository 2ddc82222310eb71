"""The registry of targets. A target is a row: a file name, a template and the function that says what goes into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from symbackprop.derivation.derive import Derivation
from symbackprop.emit.array_api import ARRAY_API
from symbackprop.emit.array_module import array_parts
from symbackprop.emit.javascript import javascript_parts
from symbackprop.emit.jax import JAX
from symbackprop.emit.numba import numba_parts
from symbackprop.emit.numpy_module import numpy_parts
from symbackprop.emit.scalar import PER_WEIGHT, scalar_parts
from symbackprop.emit.torch import TORCH
from symbackprop.errors import SpecError, unknown
from symbackprop.network.spec import NetworkSpec
from symbackprop.notation.profile import Profile
from symbackprop.templating import environment

Parts = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A kind of program: its file, its template, and ``parts``, which fills the template's names.

    One that is ``usual`` is made without being asked for by name, of networks of up to ``most_weights`` weights. One
    that is ``for_pages`` can be handed no functions: those known by name only must have got formulas.
    """

    name: str
    description: str
    file: str
    template: str
    parts: Callable[[Derivation, Profile, Mapping[str, int]], Parts]
    usual: bool = False
    most_weights: int | None = None
    for_pages: bool = False

    def fits(self, spec: NetworkSpec) -> bool:
        """Whether it is made of the network without being asked for."""
        return self.usual and (self.most_weights is None or spec.weight_count <= self.most_weights)


def _row(name: str, description: str, file: str, parts: Callable[..., Parts], **more: Any) -> Target:
    return Target(name, description, file, f"{file}.jinja", parts, **more)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        _row("numpy", "NumPy alone", "gradients.py", numpy_parts, usual=True),
        _row(
            "scalar",
            "plain numbers, a function for each weight",
            "scalar_gradients.py",
            scalar_parts,
            usual=True,
            most_weights=PER_WEIGHT,
        ),
        _row(
            "array-api",
            "arrays of any library that follows the array API: NumPy, PyTorch, JAX, Dask",
            "gradients_array_api.py",
            array_parts(ARRAY_API),
        ),
        _row(
            "torch",
            "PyTorch tensors on any device, without automatic differentiation",
            "gradients_torch.py",
            array_parts(TORCH),
        ),
        _row("jax", "JAX, for jit, vmap and several devices", "gradients_jax.py", array_parts(JAX)),
        _row("numba", "NumPy arrays, loops that Numba compiles", "gradients_numba.py", numba_parts),
        _row(
            "javascript",
            "what a page computes with",
            "gradients.js",
            javascript_parts,
            usual=True,
            most_weights=PER_WEIGHT,
            for_pages=True,
        ),
    )
}


PROGRAMS = {name: row for name, row in TARGETS.items() if not row.for_pages}


def known_targets(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each one of ``PROGRAMS``, each once.

    >>> known_targets(["troch"])
    Traceback (most recent call last):
    symbackprop.errors.SpecError: unknown target 'troch'; did you mean 'torch'?
    """
    for name in (names := tuple(dict.fromkeys(names))):
        if name not in PROGRAMS:
            raise SpecError(unknown("target", name, PROGRAMS))
    return names


def usual_targets(spec: NetworkSpec, *, for_pages: bool = False) -> tuple[str, ...]:
    """The targets that are made of a network without being asked for."""
    return tuple(name for name, row in TARGETS.items() if row.fits(spec) and row.for_pages == for_pages)


def emit(
    derivation: Derivation, profile: Profile, numbers: Mapping[str, int] | None = None, target: str = "numpy"
) -> str:
    """The source of the module that computes the network's gradients.

    Names are the letters of ``profile``; comments cite the equation ``numbers`` (label -> number) of a document. Raises
    ``UnsupportedExpression`` for a function that the target cannot compute.
    """
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

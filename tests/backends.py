"""Every library that emitted modules compute with: how it makes arrays of NumPy's, and NumPy's of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from symbackprop.derivation.derive import derive
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile


@dataclass(frozen=True)
class Backend:
    """A ``target`` on arrays that ``make`` makes of NumPy's; ``back`` leads back; ``needs`` are modules to import."""

    target: str
    needs: tuple[str, ...]
    make: Callable[[np.ndarray], Any]
    back: Callable[[Any], np.ndarray] = np.asarray
    around: Callable[[], AbstractContextManager[Any]] = nullcontext

    @contextmanager
    def ready(self) -> Iterator[Backend]:
        """The backend, where it is installed; else the test is skipped."""
        for name in self.needs:
            pytest.importorskip(name)
        with self.around():
            yield self


def _of(module: str, function: str, **options: Any) -> Callable[[np.ndarray], Any]:
    return lambda array: getattr(importlib.import_module(module), function)(array, **options)


@contextmanager
def double() -> Iterator[None]:
    """JAX in double precision."""
    import jax

    with jax.enable_x64(True):
        yield


@contextmanager
def compiled_quickly() -> Iterator[None]:
    """Numba without its optimisation, which takes half of the time and is not what is tested."""
    from numba import config

    usual, config.OPT = config.OPT, type(config.OPT)(0)
    try:
        yield
    finally:
        config.OPT = usual


BACKENDS = {
    "numpy": Backend("numpy", (), np.asarray),
    "array-api-numpy": Backend("array-api", (), np.asarray),
    "array-api-strict": Backend("array-api", ("array_api_strict",), _of("array_api_strict", "asarray"), np.from_dlpack),
    "array-api-torch": Backend("array-api", ("torch", "array_api_compat"), _of("torch", "from_numpy")),
    "array-api-jax": Backend("array-api", ("jax",), _of("jax.numpy", "asarray"), around=double),
    "array-api-dask": Backend(
        "array-api", ("dask.array", "array_api_compat"), _of("dask.array", "from_array", chunks=2)
    ),
    "torch": Backend("torch", ("torch",), _of("torch", "from_numpy")),
    "numba": Backend("numba", ("numba", "scipy"), np.asarray, around=compiled_quickly),
    "jax": Backend("jax", ("jax",), _of("jax.numpy", "asarray"), around=double),
}


@cache
def derivation(**words: Any) -> Any:
    """The derivation of the network that ``words`` describe."""
    return derive(forward_graph(network(words.pop("layers"), **words)), "none")


@cache
def module(target: str, profile: str = "S1", **words: Any) -> Any:
    """The module that a target emits for the network that ``words`` describe."""
    return load(emit(derivation(**words), load_profile(profile), {}, target), "module")


def largest_difference(found: dict[str, Any], expected: dict[str, np.ndarray]) -> float:
    """Between two dictionaries of arrays, relative to the largest entry."""
    assert list(found) == list(expected)
    scale = max(np.abs(value).max() for value in expected.values())
    assert 0 < scale < np.inf
    return max(np.abs(found[name] - value).max() for name, value in expected.items()) / scale

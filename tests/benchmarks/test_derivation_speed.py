"""Time to derive, by network: distinct layer equations are derived once, so depth and width hardly matter.

Run with ``pytest tests/benchmarks --benchmark-only``; compare the medians.
"""

import pytest
from sympy.core.cache import clear_cache

from symbackprop.derivation import output, reverse, slopes
from symbackprop.derivation.derive import derive
from symbackprop.derivation.matrix_terms import Layout
from symbackprop.emit.targets import emit
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

NETWORKS = {"2-3-1": "2-3-1", "784-128-10": "784-128-10", "50 layers": [20] * 50}


def forget() -> None:
    """Every cache empty, as in a new process."""
    for module in (output, reverse, slopes):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()
    clear_cache()


def derived(layers, listing="none"):
    derivation = derive(forward_graph(network(layers, activation="tanh", loss="ce")), listing=listing)
    derivation.matrix(Layout())
    return derivation


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.benchmark(group="derive")
def test_derive(benchmark, name):
    listing = "auto" if name == "2-3-1" else "none"
    benchmark.pedantic(derived, (NETWORKS[name], listing), setup=forget, rounds=7)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.benchmark(group="emit")
def test_emit(benchmark, name):
    derivation = derived(NETWORKS[name])
    benchmark.pedantic(emit, (derivation, load_profile("S1")), rounds=5)


@pytest.mark.parametrize("width", [10, 20, 40])
@pytest.mark.benchmark(group="listing of every weight")
def test_listing(benchmark, width):
    benchmark.extra_info["weights"] = width * 20 + 20 * 5
    benchmark.pedantic(derived, ([width, 20, 5], "all"), setup=forget, rounds=3)

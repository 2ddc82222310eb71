"""Loss and all gradients: the emitted module beside plain and tuned NumPy, the products alone, autograd, PyTorch, JAX.

Run with one thread: ``OPENBLAS_NUM_THREADS=1 pytest tests/benchmarks/test_gradient_speed.py --benchmark-only``.
Results are compared with plain NumPy before anything is timed; a peer that is not installed is left out. Of the ratios,
``python tests/benchmarks/table.py`` makes the README's table.
"""

import peers
import pytest
from contenders import CONTENDERS, NEEDS, checked, is_installed


@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("name", peers.NETWORKS)
def test_loss_and_gradients(benchmark, name, contender):
    if not is_installed(contender):
        pytest.skip(f"{NEEDS[contender]} is not installed")
    benchmark.group = name
    run, arguments = checked(contender, name)
    benchmark(run, *arguments)

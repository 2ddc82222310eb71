"""A batch in chunks over two processes: the gradient of one machine, and no process ever has the whole batch."""

import os
from collections import defaultdict

import numpy as np
import pytest
from backends import largest_difference, module
from recipes import follow
from reference import parameters

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
pytest.importorskip("array_api_compat")

WORDS = {"layers": "30-4-3", "activation": "gelu", "output_activation": "softmax", "loss": "ce", "penalty": "l2:0.1"}
ROWS, CHUNKS = 50, 6
BATCH = ROWS * CHUNKS


def rows(width, *, positive, block_info=None):
    """The rows of one chunk, made in the process that is to hold them."""
    rng = np.random.default_rng([width, *block_info[None]["chunk-location"]])
    return rng.dirichlet(np.ones(width), ROWS) if positive else rng.standard_normal((ROWS, width))


class Witness(distributed.WorkerPlugin):
    """Notes, in each worker, how many bytes of input every task had, and which shapes its results."""

    def setup(self, worker):
        self.worker, worker.seen = worker, defaultdict(list)  # on the worker: it is asked for from outside

    def transition(self, key, start, finish, **_):
        if finish == "executing":
            inputs = self.worker.state.tasks[key].dependencies
            self.worker.seen["inputs"].append(sum(task.nbytes or 0 for task in inputs))
        if finish == "memory" and start == "executing":
            self.worker.seen["results"].append(np.shape(self.worker.data[key]))


def seen(dask_worker):
    """The process and its notes, which start anew."""
    notes, dask_worker.seen = dict(dask_worker.seen), defaultdict(list)
    return os.getpid(), notes


@pytest.fixture
def client():
    quiet = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}, "silence_logs": "ERROR"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", **quiet) as both,
        distributed.Client(both) as found,
    ):
        found.register_plugin(Witness())
        yield found


def in_chunks(width, *, positive=False):
    chunks = ((ROWS,) * CHUNKS, (width,))
    return dask.array.map_blocks(rows, width, positive=positive, chunks=chunks, dtype=float, meta=np.empty((0, 0)))


def test_two_processes_compute_the_gradient_of_one(client):
    import dask.array

    ours, plain = module("array-api", **WORDS), module("numpy", **WORDS)
    params, x, t = parameters(plain.SHAPES), in_chunks(30), in_chunks(3, positive=True)
    found = follow(ours, "Dask batch", params=params, x=x, t=t, dask=dask)
    witnesses = client.run(seen)
    expected = plain.loss_and_gradients(params, *dask.compute(x, t, scheduler="synchronous"))
    assert abs(found["error"] - expected[0]) < 1e-13 * abs(expected[0])
    assert largest_difference(found["slopes"], expected[1]) < 1e-13

    assert len({pid for pid, _ in witnesses.values()} - {os.getpid()}) == 2
    whole = BATCH * 30 * 8
    for _, notes in witnesses.values():
        assert len([shape for shape in notes["results"] if shape[:1] == (ROWS,)]) >= 2, "a process without chunks"
        assert max(notes["inputs"]) < whole / 2, "a task with half of the batch"
        assert not any(BATCH in shape for shape in notes["results"])

    (x.rechunk(-1) * 2).sum().compute()
    gathered = [max(notes.get("inputs", [0])) for _, notes in client.run(seen).values()]
    assert max(gathered) >= whole, "a task with the whole batch goes unseen"

"""The table of ratios that README.md shows: ``python tests/benchmarks/table.py [ROUNDS]`` prints it.

All contenders run in one process with one thread, their results compared with plain NumPy's before anything is timed.
They take turns, for about as long each, so that a machine that is busy for a while is busy for all of them; ratios are
those of each one's quick turns, a tenth of all, for what else the machine does only ever takes time.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from time import perf_counter

if __name__ == "__main__":
    # The libraries read these when they are imported.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # nor can a library that does not ask take more threads
    sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

import peers
from contenders import CONTENDERS, NEEDS, OURS, WITH_WORKSPACE, checked, is_installed

ROUNDS = 300
SECONDS = 0.001  # that a turn takes, though it is one call at least
Times = dict[str, list[float]]  # for each contender, the seconds that a call took in each turn


def measured(name: str, rounds: int) -> Times:
    """The times of all contenders that are installed, for the network called ``name``."""
    runs = {each: checked(each, name) for each in CONTENDERS if is_installed(each)}
    calls = {
        each: max(1, round(SECONDS / min(timed(run, args, 1) for _ in range(5)))) for each, (run, args) in runs.items()
    }
    times: Times = {each: [] for each in runs}
    for _ in range(rounds):
        for each, (run, args) in runs.items():
            times[each].append(timed(run, args, calls[each]))
    return times


def timed(run: Callable[..., object], args: Sequence[object], calls: int) -> float:
    """Seconds for each of so many calls, after one that brings code and data back into the caches."""
    run(*args)
    start = perf_counter()
    for _ in range(calls):
        run(*args)
    return (perf_counter() - start) / calls


def quick(turns: Sequence[float]) -> float:
    """The time that nine turns in ten take longer than."""
    return quantiles(turns, n=10)[0]


def table(all_times: Mapping[str, Times]) -> Iterator[str]:
    """The lines of the table: our time as a multiple of each peer's, as called by default and with a work space."""
    yield f"| our time / theirs | {' | '.join(map(heading, all_times))} |"
    yield f"|---|{'---|' * len(all_times)}"
    for peer in CONTENDERS:
        if peer not in (OURS, WITH_WORKSPACE):
            yield f"| {peer} | {' | '.join(cell(times, peer) for times in all_times.values())} |"
    yield f"| our time | {' | '.join(map(own, all_times.values()))} |"


def heading(name: str) -> str:
    """The network and its number of examples.

    >>> heading("2-3-1")
    '2-3-1, 1'
    """
    return f"{name}, {peers.NETWORKS[name][1]}"


def cell(times: Times, peer: str) -> str:
    """The two ratios to a peer's time; nothing for a peer that is not installed."""
    return (
        " · ".join(shortly(quick(times[ours]) / quick(times[peer])) for ours in (OURS, WITH_WORKSPACE))
        if peer in times
        else "–"
    )


def own(times: Times) -> str:
    """Our two times in microseconds."""
    return " · ".join(shortly(1e6 * quick(times[ours])) for ours in (OURS, WITH_WORKSPACE)) + " µs"


def shortly(number: float) -> str:
    """Two digits behind the point of small numbers, none of large ones.

    >>> shortly(0.0449), shortly(1.05), shortly(12.34), shortly(9876.5)
    ('0.045', '1.05', '12.3', '9876')
    """
    digits = 3 if number < 0.1 else 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{digits}f}"


def machine() -> str:
    """What it ran on."""
    libraries = ["numpy", *(NEEDS[each] for each in CONTENDERS if each in NEEDS and is_installed(each))]
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    used = f"{os.cpu_count()} cores, one core and one thread used"
    return f"{platform.machine()}, {used}; Python {platform.python_version()}, {versions}."


def main(rounds: int = ROUNDS) -> None:
    """Prints the table and what it ran on."""
    print("\n".join(table({name: measured(name, rounds) for name in peers.NETWORKS})), machine(), sep="\n\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))

"""Time and memory of one piece of work: medians side by side, each kind of work in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Final, ParamSpec, TypeVar

from analytics.errors import IopError

RUNS: Final = 7
# Work this long is steady, and seven runs of it would take the afternoon.
LONG_SECONDS: Final = 10.0
RUNS_OF_LONG_WORK: Final = 3
# Minutes even out what disturbs seconds.
VERY_LONG_SECONDS: Final = 100.0

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def seconds_of(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one run."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def runs_after(warm_up: float) -> int:
    """Return how often to run work whose warm-up took so many seconds; 0 = no more, the warm-up is the figure."""
    if warm_up >= VERY_LONG_SECONDS:
        return 0
    return RUNS if warm_up < LONG_SECONDS else RUNS_OF_LONG_WORK


def medians(*works: Callable[[], object]) -> tuple[list[float], int]:
    """Run all works once to warm up, then in turns; return the median seconds of each, and the number of runs.

    They take turns so that whatever else the machine does meets all of them alike.
    """
    first = [seconds_of(work) for work in works]
    runs = runs_after(max(first))
    if not runs:
        return first, 1
    rounds = [[seconds_of(work) for work in works] for _ in range(runs)]
    return [median(own) for own in zip(*rounds, strict=True)], runs


def in_child(work: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
    """Run `work` in a fresh process and return its answer: nothing imported or kept before weighs on it.

    Raises
    ------
    IopError
        The process was ended from outside, as a computer short of memory does.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_not_interactive) as pool:
        try:
            return pool.submit(work, *args, **kwargs).result()
        except BrokenProcessPool:
            raise IopError(
                "The computer ended a step of the benchmark, most likely for want of memory. Try fewer --episodes."
            ) from None


def _not_interactive() -> None:
    """Give the child's main module a file: without one DuckDB takes the process for a person's prompt.

    It then draws a progress bar onto standard output, amid the table.
    """
    sys.modules["__main__"].__file__ = __file__


def peak_memory() -> int | None:
    """Return the most memory, in bytes, that this process has held at once; None where it cannot be told.

    On Linux not from `getrusage`: its figure starts with what the *parent* held when it started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

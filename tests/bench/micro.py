"""Times single functions, each beside a yardstick that is measured in the same rounds."""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable, Mapping, Sequence

import msgspec

ROUNDS = 5
ROUND_S = 0.02

Subject = Callable[[], object]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A function under measurement.

    Attributes:
        name: what the table calls it.
        make: returns the callable; its own time does not count.
        beside: name of the measure that it is compared with; None for a yardstick.
    """

    name: str
    make: Callable[[], Subject]
    beside: str | None = None


def measured(
    measures: Sequence[Measure], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median of each in microseconds by a clock, over interleaved rounds."""
    timers = {measure.name: timeit.Timer(measure.make(), timer=clock) for measure in measures}
    counts = {name: _count(timer) for name, timer in timers.items()}
    rounds = [
        {name: timer.timeit(counts[name]) / counts[name] for name, timer in timers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(each[name] for each in rounds) * 1e6 for name in timers}


def table(measures: Sequence[Measure], took: Mapping[str, float] | None = None) -> str:
    """Lay out the medians, and how many times its yardstick each takes."""
    took = measured(measures) if took is None else took
    lines = [f"{'one call':<40}{'us':>9}   beside"]
    for measure in measures:
        line = f"{measure.name:<40}{took[measure.name]:9.2f}"
        if measure.beside is not None:
            times = took[measure.name] / took[measure.beside]
            line += f"{times:8.2g} x {measure.beside}"
        lines.append(line)
    return "\n".join(lines)


def _count(timer: timeit.Timer) -> int:
    """Return how many calls fill a round."""
    count, spent_s = timer.autorange()
    return max(1, int(count * ROUND_S / spent_s))

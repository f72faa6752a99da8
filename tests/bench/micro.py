"""Times single functions, each beside a yardstick that is measured in the same rounds."""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable, Mapping, Sequence

import msgspec

ROUNDS = 11
ROUND_S = 0.02

Subject = Callable[[], object]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A function under measurement.

    Attributes:
        name: what the table calls it.
        make: returns the callable; its own time does not count.
        beside: name of the measure that it is compared with; None for a yardstick.
        bar_us: what it has to stay below; None where nobody said.
        waits: whether it waits, so that its time is the wall's and not the processor's.
    """

    name: str
    make: Callable[[], Subject]
    beside: str | None = None
    bar_us: float | None = None
    waits: bool = False


def main(measures: Sequence[Measure]) -> int:
    """Measure and print; 1 where one takes longer than its bar."""
    took = measured(measures)
    print(table(measures, took))
    missed = 0
    for each in measures:
        if each.bar_us is not None:
            print(f"{each.name}: {took[each.name]:.1f} us (bar: {each.bar_us:g})")
            missed |= took[each.name] > each.bar_us
    return int(missed)


def measured(measures: Sequence[Measure]) -> dict[str, float]:
    """Return the median of each in microseconds, over interleaved rounds."""
    timers = {
        measure.name: timeit.Timer(
            measure.make(), timer=time.perf_counter if measure.waits else time.process_time
        )
        for measure in measures
    }
    counts = {name: _count(timer) for name, timer in timers.items()}
    rounds = [
        {name: timer.timeit(counts[name]) / counts[name] for name, timer in timers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(each[name] for each in rounds) * 1e6 for name in timers}


def table(measures: Sequence[Measure], took: Mapping[str, float]) -> str:
    """Lay out the medians, and how many times its yardstick each takes."""
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

"""The table that the bench prints: a row for each target under each load."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.load import Run
from tests.bench.process import Target

_FIGURES = ("req/s", "(best)", "CPU us/req", "p50 ms", "p99 ms")
_RATIOS = ("req/s : {}", "CPU : {}")


class Row(msgspec.Struct, kw_only=True):
    """A target under one load, and what was measured."""

    name: str
    target: Target
    variants: Path
    runs: list[Run] = []

    @property
    def rate(self) -> float:
        """Replies a second, the median."""
        return statistics.median(run.rate for run in self.runs)

    @property
    def cpu_us(self) -> float:
        """Processor time for a reply, the least: what other programs add to it is noise."""
        return min(run.cpu_us_a_reply for run in self.runs)

    def figures(self) -> str:
        best = max(run.rate for run in self.runs)
        p50_ms = statistics.median(run.p50_us for run in self.runs) / 1000
        p99_ms = statistics.median(run.p99_us for run in self.runs) / 1000
        cells = (f"{self.rate:,.0f}", f"{best:,.0f}", f"{self.cpu_us:.1f}")
        return "".join(f"{cell:>12}" for cell in (*cells, f"{p50_ms:.2f}", f"{p99_ms:.2f}"))

    def ratios(self, yardstick: Row) -> str:
        return f"{self.rate / yardstick.rate:15.2f}{self.cpu_us / yardstick.cpu_us:15.2f}"


def table(rows: Sequence[Row], yardsticks: Sequence[str]) -> str:
    """Lay out the figures, with ratios to each yardstick that is among the rows."""
    beside = [row for row in rows if row.name in yardsticks]
    headings = [heading.format(row.target.name) for row in beside for heading in _RATIOS]
    lines = [
        f"{'':<26}"
        + "".join(f"{name:>12}" for name in _FIGURES)
        + "".join(f"{heading:>15}" for heading in headings)
    ]
    lines += [
        f"{row.name:<26}{row.figures()}" + "".join(row.ratios(yardstick) for yardstick in beside)
        for row in rows
    ]
    return "\n".join(lines)

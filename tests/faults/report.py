"""The report on faults: by operator who caught how many, and each that nobody caught."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.faults.catch import Catcher
from tests.faults.model import Fault

COLUMNS: tuple[Catcher, ...] = ("check", "test", "nobody")


def table(caught: Sequence[tuple[Fault, Catcher]]) -> str:
    """Return the report as text."""
    rows = defaultdict[str, Counter[Catcher]](Counter)
    for fault, catcher in caught:
        rows[fault.operator][catcher] += 1
    width = max(len(operator) for operator in rows)
    head = f"{'operator':<{width}}" + "".join(f"{name:>8}" for name in COLUMNS)
    lines = [head, "-" * len(head)]
    for operator, counts in sorted(rows.items()):
        lines.append(f"{operator:<{width}}" + "".join(f"{counts[name]:>8}" for name in COLUMNS))
    lines.append("")
    lines += [f"uncaught: {fault.name}" for fault, catcher in caught if catcher == "nobody"]
    return "\n".join(lines) + "\n"

"""The report on faults: by operator who caught how many, and each that nobody caught."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.catch import CATCHERS, Catcher
from tests.faults.exceptions import UNCAUGHT
from tests.faults.model import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault and who caught it first; `proved` where `prove` catches it as well as `test`."""

    fault: Fault
    catcher: Catcher
    proved: bool = False


def table(found: Sequence[Finding]) -> str:
    """Return the report as text."""
    rows = defaultdict[str, list[Finding]](list)
    for one in found:
        rows[one.fault.operator].append(one)
    names = (*CATCHERS, "prove too")
    width = max(len(operator) for operator in (*rows, "all"))
    lines = ["".ljust(width) + "".join(f"{name:>11}" for name in names)]
    for operator, ones in (*sorted(rows.items()), ("all", found)):
        counts = [sum(one.catcher == name for one in ones) for name in CATCHERS]
        counts.append(sum(one.proved for one in ones))
        lines.append(operator.ljust(width) + "".join(f"{count:>11}" for count in counts))
    lines.append("")
    for one in found:
        if one.catcher == "nobody":
            reason = UNCAUGHT.get(one.fault.name, "no reason is known")
            lines.append(f"uncaught: {one.fault.name}\n    {reason}")
    return "\n".join(lines) + "\n"

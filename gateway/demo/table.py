"""Shows the verdicts: a plain text table for people, JSON for scripts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.core.strict_json import JsonValue
from gateway.demo.samples.model import Outcome
from gateway.demo.verdict import Verdict

_HEADINGS = (
    "",
    "sample",
    "caller",
    "from",
    "operation",
    "class",
    "outcome",
    "reason",
    "status",
    "provider",
    "rule",
)
# Left out first where the terminal is narrow; the JSON form has everything.
_DISPENSABLE = ("class", "status", "rule", "operation", "caller")
_GAP = "  "
# What stands for one of many in an Azure path says little here.
_PLACEHOLDER = re.compile(r"/[a-z]+/\{[A-Za-z]+\}")
_OUTCOMES: Mapping[Outcome, str] = {
    "permit": "permitted",
    "refuse": "refused",
    "reject": "rejected",
}
_COLOURS: Mapping[Outcome, str] = {"permit": "32", "refuse": "33", "reject": "35"}
_WRONG = "31;1"


def render(verdicts: Sequence[Verdict], *, colour: bool = False, columns: int | None = None) -> str:
    """Return the table, the differences where there are any, and a summary line.

    Args:
        verdicts: in the order of the traffic.
        colour: whether ANSI colours may be used; the words say everything without them too.
        columns: width of the terminal; None where there is none, and nothing is left out.
    """
    rows = [_HEADINGS, *(_cells(verdict) for verdict in verdicts)]
    widths = _widths(rows, columns)
    heading, *lines = [_line(row, widths) for row in rows]
    if colour:
        lines = [
            _painted(line, _COLOURS[verdict.outcome] if verdict.as_said else _WRONG)
            for line, verdict in zip(lines, verdicts, strict=True)
        ]
    rule = _GAP.join("-" * width for width in widths if width)
    return "\n".join([heading, rule, *lines, "", *_differences(verdicts), summary(verdicts)])


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return one line: how many came out in which way, and whether all came out as said."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    parts = ", ".join(f"{counts[outcome]} {word}" for outcome, word in _OUTCOMES.items())
    reached = sum(verdict.observation.arrived for verdict in verdicts)
    as_said = sum(verdict.as_said for verdict in verdicts)
    return (
        f"{len(verdicts)} requests: {parts}; {reached} reached the provider; "
        f"{as_said} of {len(verdicts)} as said"
    )


def as_json(verdicts: Sequence[Verdict]) -> JsonValue:
    """Return the same as JSON values."""
    return {
        "samples": [_document(verdict) for verdict in verdicts],
        "as_said": all(verdict.as_said for verdict in verdicts),
    }


def _cells(verdict: Verdict) -> tuple[str, ...]:
    observation = verdict.observation
    sample = observation.sample
    place = f"{sample.claimed_place}, {sample.place}" if sample.claimed_place else sample.place
    return (
        "✓" if verdict.as_said else "✗",
        sample.title,
        sample.tenant,
        place,
        _PLACEHOLDER.sub("/…", sample.operation),
        verdict.operation_class or "-",
        _OUTCOMES[verdict.outcome],
        verdict.reason,
        str(observation.status),
        "reached" if observation.arrived else "-",
        _rule(verdict.rules),
    )


def _rule(rules: tuple[str, ...]) -> str:
    """Name the first deciding rule without its pack, and count the others."""
    if not rules:
        return "-"
    others = f" +{len(rules) - 1}" if len(rules) > 1 else ""
    return rules[0].partition("/")[2] + others


def _widths(rows: Sequence[Sequence[str]], columns: int | None) -> list[int]:
    """Return the width of each column; 0 of one that is left out."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for name in _DISPENSABLE if columns is not None else ():
        if sum(width + len(_GAP) for width in widths if width) <= (columns or 0):
            break
        widths[_HEADINGS.index(name)] = 0
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return _GAP.join(cell.ljust(width) for cell, width in pairs if width).rstrip()


def _painted(line: str, colour: str) -> str:
    return f"\x1b[{colour}m{line}\x1b[0m"


def _differences(verdicts: Sequence[Verdict]) -> list[str]:
    wrong = [
        f"✗ {verdict.observation.sample.id}: {difference}"
        for verdict in verdicts
        for difference in verdict.differences
    ]
    return [*wrong, ""] if wrong else []


def _document(verdict: Verdict) -> JsonValue:
    observation = verdict.observation
    sample = observation.sample
    return {
        "id": sample.id,
        "title": sample.title,
        "tenant": sample.tenant,
        "provider": sample.provider,
        "operation": sample.operation,
        "class": verdict.operation_class,
        "from": sample.place,
        "credential": sample.credential,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "rules": [*verdict.rules],
        "status": observation.status,
        "error": observation.error,
        "decision": observation.decision,
        "reached_provider": observation.arrived,
        "as_said": verdict.as_said,
        "differences": list(verdict.differences),
    }

"""`facegate diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway.app.once import utc_now
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    FailOn,
    Format,
    print_findings,
    print_json,
)
from gateway.core.policy.choices import Members
from gateway.core.policy.difference import Area, Direction, Step, difference, direction
from gateway.core.policy.model import Wanted
from gateway.core.policy.verdicts import Changed
from gateway.core.policy.witness import Witness
from gateway.errors import PolicyError
from gateway.sources.policies import read_policies

_SHOWN: Final = 6
_AREAS: Final = 8
_DIRECTIONS: Final[dict[Direction, str]] = {
    "nothing": "no kind of request is answered differently",
    "tightens": "this change only tightens",
    "loosens": "this change only loosens",
    "both": "this change tightens and loosens",
}


def run_diff(before: Path, after: Path, form: Format, at: datetime | None, fail_on: FailOn) -> int:
    """Compare two policy directories by what they say to requests."""
    now = utc_now() if at is None else at.replace(tzinfo=UTC)
    try:
        steps = difference(read_policies(before), read_policies(after), now)
    except PolicyError as failure:
        return print_findings(failure.findings, form)
    if form is Format.json:
        print_json(_summary(steps))
    else:
        print("\n".join(_lines(steps)))
    return _code(steps, fail_on)


def _code(steps: Sequence[Step], fail_on: FailOn) -> int:
    way = direction(steps)
    if not all(step.exact for step in steps):
        return EXIT_FINDINGS  # what is not known may permit
    fails = {FailOn.permit: ("loosens", "both"), FailOn.refuse: ("tightens", "both")}
    if fail_on in fails:
        return EXIT_FINDINGS if way in fails[fail_on] else EXIT_OK
    return EXIT_OK if way == "nothing" else EXIT_FINDINGS


def _lines(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.direction == "nothing" and len(steps) == 1:
            continue
        yield f"from {step.at:%Y-%m-%d}:"
        if step.direction == "nothing":
            yield "  the same"
        for change, count in step.counts:
            least = "" if step.complete else "at least "
            yield f"  {_change_words(change)}: {least}{count:,} {_plural(count)}"
            areas = [area for area in step.areas if area.change == change]
            yield from (line for area in areas[:_AREAS] for line in _area_lines(area))
            if len(areas) > _AREAS:
                yield f"    and {len(areas) - _AREAS} more, which --format json lists"
        yield from _other_lines(step)
    yield _DIRECTIONS[direction(steps)]


def _area_lines(area: Area) -> Iterator[str]:
    first, second = area.examples
    yield f"    {_area_words(area)}"
    yield f"      e.g. {first.words}"
    yield f"      {_by(first)}, then {_by(second)}"


def _other_lines(step: Step) -> Iterator[str]:
    """Yield what no area says."""
    for first, second in step.several:
        yield f"  {_outcome(second)} where one has several members: {first.words}"
        yield f"    {_by(first)}, then {_by(second)}"
    for budget in step.budgets:
        yield f"  budget {budget} counts otherwise: other requests are over it"
    if not step.listed:
        yield "  and more that is not listed"
    if not step.exact:
        yield "  too many combinations to look at all of them"


def _plural(count: int) -> str:
    return "kind of request" if count == 1 else "kinds of request"


def _change_words(change: Changed) -> str:
    if change.what != "needs":
        return f"newly {change.what}"
    parts = [
        f"{verb} {' and '.join(map(_wanted_words, wanted))}"
        for verb, wanted in (("no longer needs", change.dropped), ("needs", change.added))
        if wanted
    ]
    return ", ".join(parts)


def _wanted_words(wanted: Wanted) -> str:
    return f"{wanted.kind} naming {wanted.naming}" if wanted.naming else wanted.kind


def _area_words(area: Area) -> str:
    kinds = [name if access == "none" else f"{name} ({access})" for name, access in area.kinds]
    values = [
        f"{name} {_few(list(map(_members, chosen)))}"
        if len(chosen) <= len(rest)
        else f"{name} other than {_few(list(map(_members, rest)))}"
        for (name, chosen), (_, rest) in zip(area.values, area.others, strict=True)
    ]
    return "; ".join([f"class {_few(kinds)}", *values])


def _few(words: Sequence[str]) -> str:
    shown = ", ".join(words[:_SHOWN])
    return f"{shown} and {len(words) - _SHOWN} more" if len(words) > _SHOWN else shown


def _members(members: Members) -> str:
    """Return one value; of a tenant with another party both types."""
    own, *others = [value for _, values in members for value in values]
    behind = [one for one in others if one != own]
    return f"{own} with {behind[0]}" if behind else own


def _by(found: Witness) -> str:
    return f"{_outcome(found)} by {' and '.join(found.decision.rules) or found.decision.reason}"


def _outcome(found: Witness) -> str:
    return "permitted" if found.decision.outcome == "permit" else "refused"


def _summary(steps: Sequence[Step]) -> dict[str, object]:
    return {
        "direction": direction(steps),
        "exact": all(step.exact for step in steps),
        "steps": [
            {
                "at": step.at,
                "direction": step.direction,
                "exact": step.exact,
                "counts": [{"change": change, "kinds": count} for change, count in step.counts],
                "areas": [_area(area) for area in step.areas],
                "all_areas": step.listed,
                "budgets": step.budgets,
                "several": [_pair(*pair) for pair in step.several],
            }
            for step in steps
        ],
    }


def _area(area: Area) -> dict[str, object]:
    return {
        "change": area.change,
        "kinds": [{"class": name, "access": access} for name, access in area.kinds],
        "values": {
            name: [_members(one) if name != "parties" else dict(one) for one in members]
            for name, members in area.values
        },
        "example": _pair(*area.examples),
    }


def _pair(first: Witness, second: Witness) -> dict[str, object]:
    return {
        "request": first.case,
        "at": first.at,
        "before": _decision(first),
        "after": _decision(second),
    }


def _decision(found: Witness) -> dict[str, object]:
    decision = found.decision
    return {"outcome": decision.outcome, "reason": decision.reason, "rules": decision.rules}

"""Guardrails as they are written to guardrails that can be proved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.policy.guardrails import Guardrail
from gateway.core.policy.link_rules import RuleReader
from gateway.core.policy.model import Wanted
from gateway.core.policy.parse import GuardrailEntry
from gateway.core.policy.source import Loc, Place, Source
from gateway.core.policy.values import quoted


def link_guardrails(
    sources: Sequence[Source], reader: RuleReader
) -> tuple[tuple[Guardrail, Place], ...]:
    """Read the guardrails of all files, each with its place; mistakes go to the reader's findings.

    Args:
        sources: the files.
        reader: reads conditions; knows the groups.
    """
    first: dict[str, Place] = {}
    found = list[tuple[Guardrail, Place]]()
    for source, index, entry in _entries(sources):
        loc: Loc = ("guardrails", index)
        place = source.place((*loc, "id"))
        if entry.id in first:
            message = f"guardrail {quoted(entry.id)} is defined twice"
            hint = f"first in {first[entry.id]}"
            reader.findings.append(source.finding((*loc, "id"), message, hint))
        first.setdefault(entry.id, place)
        guardrail = _guardrail(source, loc, entry, reader)
        if guardrail is not None:
            found.append((guardrail, place))
    return tuple(found)


def _entries(sources: Sequence[Source]) -> Iterator[tuple[Source, int, GuardrailEntry]]:
    for source in sources:
        for index, entry in source.parsed.guardrails:
            yield source, index, entry


def _guardrail(
    source: Source, loc: Loc, entry: GuardrailEntry, reader: RuleReader
) -> Guardrail | None:
    """Return the guardrail, or None where something about it is wrong."""
    if entry.never == "refuse" and entry.without:
        message = f"guardrail {quoted(entry.id)}: `without` goes with `never: permit`"
        hint = "`never: refuse` holds with nothing on file already"
        reader.findings.append(source.finding((*loc, "without"), message, hint))
        return None
    conditions = reader.conditions(source, loc, entry)
    if conditions is None:
        return None
    return Guardrail(
        id=entry.id,
        never=entry.never,
        conditions=conditions,
        without=tuple(Wanted(kind=one.kind, naming=one.naming or "") for one in entry.without),
        reason=entry.reason,
    )

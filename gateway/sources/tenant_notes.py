"""What is pressing in a tenant file and no mistake: references that end soon, or owe a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from gateway.core.identity.model import Reference, Tenant
from gateway.core.identity.terms import as_date, in_days, terms
from gateway.errors import Finding
from gateway.sources.tenant_file import TenantEntry
from gateway.sources.yaml_file import Document, Loc
from gateway.sources.yaml_nodes import quoted


def notes(
    entries: list[TenantEntry], tenants: Mapping[str, Tenant], document: Document, now: datetime
) -> Iterator[Finding]:
    """Look the references of a sound file over.

    Args:
        entries: the tenants, as they are written.
        tenants: the same by id, as they are understood.
        document: where they stand.
        now: aware, UTC.

    Yields:
        A note for each end that is near or past, and for each report that is owed.
    """
    for index, entry in enumerate(entries):
        references = {one.id: one for one in tenants[entry.id].references}
        for place, written in enumerate(entry.references):
            loc: Loc = ("tenants", index, "references", place)
            yield from _about(references[written.id], loc, document, now)


def _about(reference: Reference, loc: Loc, document: Document, now: datetime) -> Iterator[Finding]:
    stands, ends = terms(reference, now), reference.valid_to
    name = f"{reference.kind} {quoted(reference.id)}"
    if ends is not None and stands.standing == "expired":
        yield document.finding(
            (*loc, "valid_to"),
            f"{name} ended on {as_date(ends)}",
            "take it out; records keep what was decided under it",
        )
    elif ends is not None and stands.standing == "expiring":
        yield document.finding(
            (*loc, "valid_to"),
            f"{name} ends {in_days(ends - now)}, on {as_date(ends)}",
            "a renewed one has a new `id`",
        )
    if stands.report_due is not None and stands.report_owed:
        yield document.finding(
            (*loc, "report_days"),
            f"{name} owes a report since {as_date(stands.report_due)}",
            "write the day of the report to `reported`",
        )

"""`facegate references`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.app.on_file import OnFile, on_file
from gateway.app.once import utc_now
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    EXIT_USAGE,
    Format,
    print_findings,
    print_json,
)
from gateway.config.environment import environment
from gateway.core.identity.terms import as_date, in_days
from gateway.errors import FindingsError, StateError, words_of
from gateway.ledger.accounts import Key, Stored
from gateway.ledger.store import read_marks
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import load_tenants


class _Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken of quotas, by account; None where nobody knows, with the reason."""

    marks: Mapping[Key, Stored] | None
    reason: str = ""
    broken: bool = False


def run_references(config: Path, form: Format, at: datetime | None, *, due: bool) -> int:
    """List what is on file, now or at a date; it may be asked while a gateway runs."""
    now = utc_now() if at is None else at.replace(tzinfo=UTC)
    try:
        settings = load_settings_file(config, environment())
        # Nobody's key is needed to tell what is on file.
        loaded = load_tenants(settings.tenants, secrets_key=None, check_keys=False)
    except FindingsError as failure:
        print_findings(failure.findings, form)
        return EXIT_USAGE
    counts = _counts(settings.state_dir)
    rows = on_file(loaded.tenants.by_id.values(), counts.marks, now)
    shown = [row for row in rows if row.terms.pressing] if due else rows
    if form is Format.json:
        state = {"path": settings.state_dir, "known": counts.marks is not None}
        said = {"at": now, "state_dir": {**state, "reason": counts.reason}}
        print_json({**said, "references": [_plain(row) for row in shown]})
    else:
        print("\n".join(_lines(shown, rows, counts, now)))
    pressing = due and bool(shown)
    return EXIT_FINDINGS if pressing or counts.broken else EXIT_OK


def _counts(state_dir: Path) -> _Counts:
    try:
        if state_dir.is_dir():
            return _Counts(marks=read_marks(state_dir))
    except StateError as failure:
        return _Counts(marks=None, reason=str(failure), broken=True)
    except OSError as error:
        return _Counts(marks=None, reason=f"`{state_dir}`: {words_of(error)}", broken=True)
    return _Counts(marks=None, reason=f"`{state_dir}` (`state_dir`) is no directory yet")


def _plain(row: OnFile) -> dict[str, object]:
    """Return a reference as JSON has it: as in the tenant file, and how it stands."""
    said: dict[str, object] = msgspec.to_builtins(row.reference)
    quota = row.reference.quota
    if quota is not None:
        taken = {"used": row.used, "left": row.left}
        said["quota"] = {"limit": quota.limit, "counts": quota.counts, **taken}
    stands = row.terms
    return {
        "tenant": row.tenant,
        **said,
        "standing": stands.standing,
        "report_due": stands.report_due,
        "report_owed": stands.report_owed,
    }


def _lines(
    shown: Sequence[OnFile], rows: Sequence[OnFile], counts: _Counts, now: datetime
) -> Iterator[str]:
    for row in shown:
        yield from _about(row, now)
    if counts.marks is None and any(row.reference.quota for row in shown):
        yield f"what was taken of quotas is not known: {counts.reason}"
    standings = [row.terms.standing for row in rows]
    owed = sum(row.terms.report_owed for row in rows)
    yield (
        f"{len(rows)} on file; ending soon: {standings.count('expiring')};"
        f" ended: {standings.count('expired')}; reports owed: {owed}"
    )


def _about(row: OnFile, now: datetime) -> Iterator[str]:
    reference = row.reference
    granted = f" of {reference.authority}" if reference.authority else ""
    words = "; ".join(_standing(row, now))
    yield f"{row.tenant} {reference.id}: {reference.kind}{granted}, {words}"
    classes = ", ".join(reference.classes) or "every class"
    places = ", ".join(reference.destinations) or "every place"
    names = f"; names {', '.join(reference.names)}" if reference.names else ""
    yield f"    for {classes}; {places}{names}"
    quota = reference.quota
    if quota is None:
        return
    if row.used is None:
        yield f"    quota: {quota.limit:,} {quota.counts}"
    else:
        yield f"    quota: {row.used:,} of {quota.limit:,} {quota.counts} used, {row.left:,} left"


def _standing(row: OnFile, now: datetime) -> Iterator[str]:
    begins, ends, stands = row.reference.valid_from, row.reference.valid_to, row.terms
    if stands.standing == "expired" and ends is not None:
        yield f"ended on {as_date(ends)}"
    elif stands.standing == "not_yet" and begins is not None:
        yield f"valid from {as_date(begins)}"
    elif ends is None:
        yield "valid without end"
    elif stands.standing == "expiring":
        yield f"ENDS {in_days(ends - now)}, on {as_date(ends)}"
    else:
        yield f"ends {in_days(ends - now)}, on {as_date(ends)}"
    due = stands.report_due
    if due is not None and stands.report_owed:
        yield f"REPORT OWED since {as_date(due)}"
    elif due is not None:
        yield f"report due on {as_date(due)}"

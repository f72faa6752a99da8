"""`facegate replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.app.replay import Changed, Left, Report, replay
from gateway.audit.reading import logs_under
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    EXIT_USAGE,
    FailOn,
    Format,
    fail,
    print_findings,
    print_json,
    progress,
)
from gateway.errors import FindingsError, words_of
from gateway.sources.policies import read_policies

_ROWS = 10


def run_replay(
    audit: Path, policies: Path, since: datetime | None, fail_on: FailOn | None, form: Format
) -> int:
    """Replay recorded decisions under a policy directory."""
    if not logs_under(audit):
        fail(f"`{audit}`: no audit log stands here", hint="--audit names the directory")
        return EXIT_USAGE
    try:
        candidate = read_policies(policies)
        with progress("replaying") as tell:
            report = replay(
                audit,
                candidate,
                since=since.replace(tzinfo=UTC) if since and not since.tzinfo else since,
                progress=tell,
            )
    except FindingsError as failure:
        print_findings(failure.findings, form)
        return EXIT_USAGE
    except OSError as error:
        fail(f"`{audit}` cannot be read: {words_of(error)}")
        return EXIT_USAGE
    if form is Format.json:
        print_json({"policy": candidate.digest, "report": report})
    else:
        print("\n".join(_lines(report)))
    return EXIT_FINDINGS if _fails(report, fail_on) else EXIT_OK


def _fails(report: Report, fail_on: FailOn | None) -> bool:
    """Tell whether the replay ends with 1.

    Where something was to be excluded, a decision that a rule asks more of than was recorded may
    be an instance of it.
    """
    if report.disagreed.count:
        return True
    if fail_on is None:
        return False
    permits = report.newly_permitted.count if fail_on is not FailOn.refuse else 0
    refuses = report.newly_refused.count if fail_on is not FailOn.permit else 0
    return bool(permits or refuses or "fact not recorded" in report.left)


def _lines(report: Report) -> Iterator[str]:
    yield f"self-check: {report.agreed:,} of {report.checked:,} agree under the policy they name"
    if report.disagreed.count:
        yield f"  these do not, and are not compared: {_ids(report.disagreed)}"
    for because, left in sorted(report.left.items()):
        yield f"not replayable: {because}: {left.count:,} ({left.detail}) {_ids(left)}".rstrip()
    yield f"compared: {report.compared:,} of {report.decisions:,}; the same: {report.same:,}"
    yield from _changed("newly refused", report.newly_refused)
    yield from _changed("newly permitted", report.newly_permitted)


def _changed(title: str, changed: Changed) -> Iterator[str]:
    yield f"{title}: {changed.count:,}"
    if not changed.count:
        return
    tables = {
        "tenant": changed.tenant,
        "country": changed.country,
        "class": changed.operation_class,
        "rule": changed.rule,
    }
    for name, counted in tables.items():
        yield f"  by {name}: {_counted(counted)}"
    more = ", …" if changed.count > len(changed.ids) else ""
    yield f"  records: {', '.join(changed.ids)}{more}"


def _counted(counted: Counter[str]) -> str:
    rows = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    more = f", and {len(rows) - _ROWS} more" if len(rows) > _ROWS else ""
    return ", ".join(f"{name} {count:,}" for name, count in rows[:_ROWS]) + more


def _ids(left: Left) -> str:
    return ", ".join(left.ids) + (", …" if left.count > len(left.ids) else "")

"""`facegate references`: what is on file, what of it is pressing, and what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.ledger.accounts import ALL_TIME, Stored, quota_key
from gateway.ledger.store import Store
from tests.cli.command import ENVIRON, Done, facegate

TENANTS = """\
apiVersion: facegate/v1
kind: Tenants
tenants:
  - id: harbour
    legal_name: Harbour Works Ltd
    type: private
    references:
      - {id: STAYS, kind: consent}
      - {id: ENDED, kind: review, valid_to: 2026-11-01}
      - {id: LONG-ENDED, kind: review, valid_to: 2025-11-01}
      - id: LIC-1
        kind: licence
        authority: Example Trade Office
        classes: [one_to_many, results]
        destinations: [AE, UA-43]
        names: [embargo]
        valid_from: 2026-01-01
        valid_to: 2026-12-20T12:00:00Z
        quota: {limit: 10000, counts: calls}
        report_days: 90
        reported: 2026-09-30
  - id: north
    legal_name: North Ltd
    type: private
    references:
      - {id: LATER, kind: authorisation, valid_from: 2026-12-24, valid_to: 2027-12-24}
      - {id: SILENT, kind: authorisation, valid_from: 2026-01-01, report_days: 30}
      - {id: GOES-ON, kind: consent, valid_to: 2027-02-01,
         quota: {limit: 5, counts: faces}}
"""
AT = ("--at", "2026-12-10")
ALL = ["SILENT", "LIC-1", "ENDED", "LONG-ENDED", "GOES-ON", "LATER", "STAYS"]


@pytest.fixture
def filed(config: Path) -> Path:
    """A configuration whose tenants have much on file."""
    (config.parent / "tenants.yaml").write_text(TENANTS)
    return config


def references(config: Path, *options: str) -> Done:
    return facegate("references", "--config", config, *options)


def heads(out: str) -> list[str]:
    """Return the ids that stand in a listing."""
    lines = out.splitlines()[:-1]
    return [line.split()[1].rstrip(":") for line in lines if line.split()[1].endswith(":")]


def taken(config: Path, used: int) -> Store:
    """Count what a gateway would have counted, and go on holding the ledger like one."""
    store = Store.open(config.parent / "state")
    key = quota_key("harbour", "LIC-1", "calls")
    store.write({key: Stored(marks=((ALL_TIME, used),))})
    return store


def test_what_ends_soon_or_owes_a_report_comes_first(filed: Path) -> None:
    done = references(filed, *AT)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == (
        "north SILENT: authorisation, valid without end; REPORT OWED since 2026-01-31"
    )
    assert lines[2] == (
        "harbour LIC-1: licence of Example Trade Office,"
        " ENDS in 10 days, on 2026-12-20T12:00:00+00:00; report due on 2026-12-29"
    )
    assert lines[3] == "    for one_to_many, results; AE, UA-43; names embargo"
    assert "harbour ENDED: review, ended on 2026-11-01" in lines
    assert "north LATER: authorisation, valid from 2026-12-24" in lines
    assert "north GOES-ON: consent, ends in 53 days, on 2027-02-01" in lines
    assert lines[-1] == "7 on file; ending soon: 1; ended: 2; reports owed: 1"
    assert heads(done.out) == ALL


def test_only_what_is_pressing_is_due_and_ends_with_1(filed: Path) -> None:
    done = references(filed, *AT, "--due")
    assert (done.code, heads(done.out)) == (1, ALL[:4])
    stays = "  - {id: a, legal_name: A, type: private, references: [{id: STAYS, kind: consent}]}"
    head = TENANTS.partition("  - id: harbour")[0]
    (filed.parent / "tenants.yaml").write_text(f"{head}{stays}\n")
    done = references(filed, *AT, "--due")
    assert (done.code, done.out) == (0, "1 on file; ending soon: 0; ended: 0; reports owed: 0\n")


def test_what_is_left_of_a_quota_is_told_also_while_a_gateway_counts(filed: Path) -> None:
    store = taken(filed, 1_240)
    try:
        lines = references(filed, *AT).out.splitlines()
    finally:
        store.close()
    assert "    quota: 1,240 of 10,000 calls used, 8,760 left" in lines
    assert "    quota: 0 of 5 faces used, 5 left" in lines


def test_more_than_all_of_a_quota_that_was_lowered_leaves_nothing(filed: Path) -> None:
    taken(filed, 12_000).close()
    lines = references(filed, *AT).out.splitlines()
    assert "    quota: 12,000 of 10,000 calls used, 0 left" in lines


def test_without_a_state_directory_it_is_said_that_nobody_knows(filed: Path) -> None:
    done = references(filed, *AT)
    lines = done.out.splitlines()
    assert "    quota: 10,000 calls" in lines
    state = filed.parent / "state"
    assert lines[-2] == (
        f"what was taken of quotas is not known: `{state}` (`state_dir`) is no directory yet"
    )
    assert (done.code, state.exists()) == (0, False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_counts_that_cannot_be_read_are_a_finding_and_the_rest_is_listed(
    filed: Path, form: str
) -> None:
    state = filed.parent / "state"
    state.mkdir()
    (state / "ledger.sqlite").write_bytes(b"no database at all, but long enough to be one" * 40)
    done = references(filed, *AT, "--format", form)
    assert done.code == 1
    assert "counts cannot be kept: file is not a database" in done.out
    assert all(name in done.out for name in ALL)


def test_a_state_directory_that_cannot_be_looked_for_is_no_fault(filed: Path) -> None:
    environ = {**ENVIRON, "FACEGATE_STATE_DIR": "x" * 300}
    done = facegate("references", "--config", filed, *AT, environ=environ)
    assert done.code == 1
    assert "file name too long" in done.out


def test_json_is_for_programs(filed: Path) -> None:
    taken(filed, 1_240).close()
    said = json.loads(references(filed, *AT, "--format", "json").out)
    assert said["at"] == "2026-12-10T00:00:00Z"
    state = {"path": str(filed.parent / "state"), "known": True, "reason": ""}
    assert said["state_dir"] == state
    assert [one["id"] for one in said["references"]] == ALL
    assert said["references"][1] == {
        "tenant": "harbour",
        "id": "LIC-1",
        "kind": "licence",
        "authority": "Example Trade Office",
        "names": ["embargo"],
        "classes": ["one_to_many", "results"],
        "destinations": ["AE", "UA-43"],
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2026-12-20T12:00:00Z",
        "quota": {"limit": 10_000, "counts": "calls", "used": 1_240, "left": 8_760},
        "report_days": 90,
        "reported": "2026-09-30T00:00:00Z",
        "warn_days": 30,
        "standing": "expiring",
        "report_due": "2026-12-29T00:00:00Z",
        "report_owed": False,
    }


def test_without_a_date_it_is_about_now(filed: Path) -> None:
    before = datetime.now(UTC)
    said = json.loads(references(filed, "--format", "json").out)
    assert before <= datetime.fromisoformat(said["at"]) <= datetime.now(UTC)


def test_a_tenant_file_with_mistakes_is_told_with_every_place(filed: Path) -> None:
    (filed.parent / "tenants.yaml").write_text(TENANTS.replace("kind: review", "kind: revue"))
    done = references(filed)
    assert done.code == 2
    assert "tenants.yaml:9:27: " in done.out
    assert "tenants.yaml:10:32: " in done.out

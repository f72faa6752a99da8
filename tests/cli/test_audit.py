"""`facegate audit verify`: 0 for a log that holds together, 1 for one that does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest_asyncio

from tests.audit.fakes import ORIGIN, open_log, the_log
from tests.builders import decided, happened
from tests.cli.command import facegate


@pytest_asyncio.fixture
async def audit(tmp_path: Path) -> Path:
    """A log of two decisions, one of them complete, that was closed in order."""
    log = await open_log(tmp_path)
    await log.append(decided("dec_a"))
    log.enqueue(happened("dec_a"))
    await log.append(decided("dec_b"))
    await log.close()
    return tmp_path


def test_a_sound_log_is_told_with_its_counts_and_root(audit: Path) -> None:
    root = json.loads((the_log(audit) / "head.json").read_bytes())["root"]
    done = facegate("audit", "verify", audit)
    counts = "3 lines (2 decided, 1 happened)"
    assert done.out == f"{the_log(audit)}: {counts}; root over 3: {root}; 1 decisions open\n"
    assert (done.code, done.err) == (0, "")


def test_one_log_of_several_can_be_verified_alone(audit: Path) -> None:
    assert facegate("audit", "verify", the_log(audit)).code == 0


def test_a_changed_byte_is_found_where_it_stands(audit: Path) -> None:
    (segment,) = the_log(audit).glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"Harbour", b"harbour", 1))
    done = facegate("audit", "verify", audit)
    assert done.code == 1
    assert f"{the_log(audit)}/head.json: its root is not that of the first 3 lines" in done.out


def test_a_line_that_is_gone_is_found_where_it_stood(audit: Path) -> None:
    (segment,) = the_log(audit).glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(lines[0] + lines[2])
    done = facegate("audit", "verify", audit)
    assert done.code == 1
    assert f"{segment}:2:1: is line 2, but 1 is next" in done.out


def test_a_directory_without_a_log_is_a_finding(tmp_path: Path) -> None:
    done = facegate("audit", "verify", tmp_path)
    assert (done.code, done.out) == (1, f"{tmp_path}: no audit log stands here\n")


def test_the_verdict_is_json_where_a_script_asks(audit: Path) -> None:
    done = facegate("audit", "verify", audit, "--format", "json")
    verdict = json.loads(done.out)
    assert (done.code, verdict["findings"]) == (0, [])
    (log,) = verdict["logs"]
    assert (log["origin"], log["lines"], log["open"]) == (ORIGIN, 3, ["dec_b"])
    (the_log(audit) / "head.json").unlink()
    done = facegate("audit", "verify", audit, "--format", "json")
    assert done.code == 1
    assert [finding["message"] for finding in json.loads(done.out)["findings"]] == [
        "is missing: nothing says how long the log must be"
    ]

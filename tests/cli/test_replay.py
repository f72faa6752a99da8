"""`facegate replay` and `facegate explain --record`, as their users meet them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.audit.lines import Lines
from gateway.audit.record import Aborted
from gateway.audit.segments import parts_directory
from tests.app.logs import ORIGIN, erase, log_of, write_lines, write_log
from tests.builders import a_tenant, verified
from tests.cli.command import facegate
from tests.core.policy.builders import NOON, facts, located, policies, rule, where

SERVED = policies(
    rule("deny", where("destination", "CN"), id="china"),
    rule("permit", where("class", "one_to_many"), id="search"),
)
CANDIDATE = """\
apiVersion: facegate/v1
kind: Pack
pack: house
owner: the test
source: the test
force: binding
review: 2040-01-01
rules:
  - id: russia
    effect: deny
    when: {destination: [RU, unknown, private, anonymised, stale]}
    reason: Not there.
  - id: search
    effect: permit
    when: {class: [one_to_many]}
    reason: The rest.
"""


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def ids(audit: Path) -> list[str]:
    return write_log(
        audit,
        SERVED,
        [
            facts(
                geography=located(place),
                identity=verified(a_tenant("acct-1")),
                at=NOON + timedelta(minutes=number),
            )
            for number, place in enumerate(("GB", "CN", "RU"))
        ],
    )


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    directory = tmp_path / "policies"
    directory.mkdir()
    (directory / "house.yaml").write_text(CANDIDATE)
    return directory


# --- replay ---------------------------------------------------------------------------------------


def test_a_replay_tells_the_self_check_and_what_would_change(
    audit: Path, candidate: Path, ids: list[str]
) -> None:
    done = facegate("replay", "--audit", audit, "--policy", candidate)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "self-check: 3 of 3 agree under the policy they name",
        "compared: 3 of 3; the same: 1",
        "newly refused: 1",
        "  by tenant: acct-1 1",
        "  by country: RU 1",
        "  by class: one_to_many 1",
        "  by rule: house/russia 1",
        f"  records: {ids[2]}",
        "newly permitted: 1",
        "  by tenant: acct-1 1",
        "  by country: CN 1",
        "  by class: one_to_many 1",
        "  by rule: pack/china 1",
        f"  records: {ids[1]}",
    ]


@pytest.mark.parametrize(
    ("since", "fail_on", "code"),
    [
        ("2026-11-21", "permit", 1),
        ("2026-11-21", "refuse", 1),
        ("2026-11-21", "any", 1),
        ("2026-11-21T12:02:00", "permit", 0),
        ("2026-11-21T12:02:00", "refuse", 1),
        ("2026-11-21T13:02:00+01:00", "permit", 0),
        ("2026-11-22", "any", 0),
    ],
)
@pytest.mark.usefixtures("ids")
def test_changes_can_end_it_with_1(
    audit: Path, candidate: Path, since: str, fail_on: str, code: int
) -> None:
    done = facegate(
        *("replay", "--audit", audit, "--policy", candidate),
        *("--since", since, "--fail-on", fail_on),
    )
    assert done.code == code


def test_json_is_for_programs(audit: Path, candidate: Path, ids: list[str]) -> None:
    done = facegate("replay", "--audit", audit, "--policy", candidate, "--format", "json")
    report = json.loads(done.out)["report"]
    assert (report["decisions"], report["checked"], report["agreed"]) == (3, 3, 3)
    assert report["newly_permitted"] == {
        "count": 1,
        "tenant": {"acct-1": 1},
        "country": {"CN": 1},
        "class": {"one_to_many": 1},
        "rule": {"pack/china": 1},
        "ids": [ids[1]],
    }


def test_a_policy_that_is_gone_is_told_and_nothing_is_compared(
    audit: Path, candidate: Path, ids: list[str]
) -> None:
    for path in parts_directory(audit, origin=ORIGIN).iterdir():
        path.unlink()
    done = facegate("replay", "--audit", audit, "--policy", candidate)
    lines = done.out.splitlines()
    assert lines[0] == "self-check: 0 of 0 agree under the policy they name"
    assert lines[1].startswith("not replayable: policy not stored: 3 (")
    assert lines[1].endswith(", ".join(ids))
    assert lines[2] == "compared: 0 of 3; the same: 0"


def test_a_caller_whose_facts_are_erased_is_counted_and_not_guessed(
    audit: Path, candidate: Path, ids: list[str]
) -> None:
    erase(audit, 1, 2)
    done = facegate("replay", "--audit", audit, "--policy", candidate)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:5] == [
        "self-check: 1 of 1 agree under the policy they name",
        f"not replayable: erased: 2 (the caller's facts are gone) {ids[1]}, {ids[2]}",
        "compared: 1 of 3; the same: 1",
        "newly refused: 0",
        "newly permitted: 0",
    ]
    done = facegate("replay", "--audit", audit, "--policy", candidate, "--format", "json")
    left = json.loads(done.out)["report"]["left"]
    assert left == {"erased": {"count": 2, "ids": ids[1:], "detail": "the caller's facts are gone"}}


@pytest.mark.usefixtures("ids")
def test_a_candidate_that_asks_for_what_nobody_looked_at_may_permit_anything(
    audit: Path, candidate: Path
) -> None:
    asks = f"{{probe: [sha256:{'a' * 64}], destination: [RU, unknown, private, anonymised, stale]}}"
    text = CANDIDATE.replace("{destination: [RU, unknown, private, anonymised, stale]}", asks)
    (candidate / "house.yaml").write_text(text)
    done = facegate("replay", "--audit", audit, "--policy", candidate, "--fail-on", "permit")
    assert "not replayable: fact not recorded: 3 (probe)" in done.out
    assert done.code == 1


@pytest.mark.usefixtures("ids")
def test_a_candidate_with_mistakes_is_replayed_under_nothing(audit: Path, candidate: Path) -> None:
    (candidate / "house.yaml").write_text(CANDIDATE.replace("deny", "dney"))
    done = facegate("replay", "--audit", audit, "--policy", candidate)
    assert done.code == 2
    assert "house.yaml:10:13: " in done.out


def test_a_directory_without_a_log_is_told(tmp_path: Path, candidate: Path) -> None:
    done = facegate("replay", "--audit", tmp_path, "--policy", candidate)
    assert (done.code, done.out) == (2, "")
    assert "no audit log stands here" in done.err


# --- explain --record -----------------------------------------------------------------------------


def test_a_record_is_explained_under_the_policy_that_it_names(audit: Path, ids: list[str]) -> None:
    done = facegate("explain", "--record", ids[1], "--audit", audit)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith(f"record {ids[1]} (")
    assert lines[1] == "recorded: refuse, policy.denied"
    assert lines[2] == "judged again under the policy that it names: the same"
    assert f"policy {SERVED.digest} at 2026-11-21T12:01:00+00:00" in lines
    assert "  ✓ deny     pack/china  [decided]" in lines
    assert "combining: a deny wins over everything else: pack/china" in lines


def test_a_record_can_be_explained_under_another_policy(
    audit: Path, candidate: Path, ids: list[str]
) -> None:
    done = facegate("explain", "--record", ids[1], "--audit", audit, "--policy", candidate)
    assert done.code == 0
    assert "judged under another policy than the one that it names" in done.out
    assert "permit: policy.permitted" in done.out


def test_a_record_s_json_has_the_verdict_and_the_explanation(audit: Path, ids: list[str]) -> None:
    done = facegate("explain", "--record", ids[1], "--audit", audit, "--format", "json")
    said = json.loads(done.out)
    assert (said["record"], said["agrees"], said["not_replayable"]) == (ids[1], True, None)
    assert said["explanation"]["decision"] == said["recorded"]


def test_a_record_that_does_not_follow_from_its_policy_is_said_to_be_so(
    audit: Path, ids: list[str]
) -> None:
    segment = log_of(audit) / f"{0:020}.jsonl"
    segment.write_bytes(
        segment.read_bytes().replace(b'"destination":["CN"]', b'"destination":["GB"]')
    )
    done = facegate("explain", "--record", ids[1], "--audit", audit)
    assert done.code == 1
    assert "judged again under the policy that it names: NOT the same" in done.out


def test_a_record_whose_policy_is_gone_is_not_replayable(audit: Path, ids: list[str]) -> None:
    for path in parts_directory(audit, origin=ORIGIN).iterdir():
        path.unlink()
    done = facegate("explain", "--record", ids[0], "--audit", audit)
    assert done.code == 1
    assert "recorded: permit, policy.permitted" in done.out
    assert "not replayable: policy not stored (" in done.out


def test_a_record_whose_caller_is_erased_is_not_replayable_under_any_policy(
    audit: Path, candidate: Path, ids: list[str]
) -> None:
    erase(audit, 1)
    for more in ((), ("--policy", candidate)):
        done = facegate("explain", "--record", ids[1], "--audit", audit, *more)
        assert (done.code, done.err) == (1, "")
        head, answer = done.out.splitlines()
        assert head.startswith(f"record {ids[1]} (")
        assert answer == "not replayable: erased (the caller's facts are gone)"
    done = facegate("explain", "--record", ids[1], "--audit", audit, "--format", "json")
    said = json.loads(done.out)
    assert (said["not_replayable"], said["explanation"]) == ("erased", None)
    assert facegate("explain", "--record", ids[0], "--audit", audit).code == 0


@pytest.mark.usefixtures("ids")
def test_an_id_that_is_not_there_is_told(audit: Path) -> None:
    done = facegate("explain", "--record", "dec_1", "--audit", audit)
    assert (done.code, done.out) == (1, "")
    assert f"no decision `dec_1` stands in `{audit}`" in done.err


@pytest.mark.usefixtures("ids")
def test_a_request_that_ended_without_a_verdict_has_nothing_to_explain(audit: Path) -> None:
    aborted = Aborted(time=NOON, id="dec_aborted", reason="engine.failed")
    write_lines(audit, [Lines(origin=ORIGIN, engine="test").line(aborted, 6)], first=6)
    done = facegate("explain", "--record", "dec_aborted", "--audit", audit)
    assert done.code == 1
    assert "`dec_aborted` ended without a verdict" in done.err


def test_a_candidate_belongs_to_a_record() -> None:
    done = facegate("explain", "--request", "r.yaml", "--candidate", "next")
    assert (done.code, done.out) == (2, "")
    assert "--candidate goes with --record" in done.err


@pytest.mark.parametrize("options", [(), ("--request", "r.yaml", "--record", "dec_1")])
def test_either_a_request_or_a_record_is_explained(options: tuple[str, ...]) -> None:
    done = facegate("explain", *options)
    assert (done.code, done.out) == (2, "")
    assert "one of --request and --record is wanted" in done.err

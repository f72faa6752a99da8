"""`facegate explain` as its users meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import facegate

PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: house
owner: the test
source: the test
force: binding
review: 2040-01-01
rules:
  - id: embargo
    effect: deny
    when: {destination: [CU, unknown, private, anonymised, stale]}
    lifted_by: {kind: licence, naming: embargo}
    reason: Nothing goes there without a licence that says so.
  - id: sanctioned
    effect: deny
    when: {listed: [sdn]}
    reason: Nobody deals with whoever is listed.
  - id: uses
    effect: permit
    when: {end_use: [fraud_prevention, attendance]}
    reason: Named uses are permitted.
"""
REQUEST = "{class: one_to_many, destination: [CU, GB], end_use: attendance, at: 2026-11-21}"


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    directory = tmp_path / "policies"
    directory.mkdir()
    (directory / "house.yaml").write_text(PACK)
    return directory


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "request.yaml"
    path.write_text(text)
    return path


def test_a_refusal_is_told_with_facts_rules_step_and_the_nearest_permit(
    tmp_path: Path, policies: Path
) -> None:
    done = facegate("explain", "--request", written(tmp_path, REQUEST), "--policy", policies)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "refuse: policy.denied"
    assert lines[1].endswith("at 2026-11-21T00:00:00+00:00")
    assert "  destination    CU                       stated" in lines
    assert "  ✓ deny     house/embargo  [decided]" in lines
    assert "    ✓ destination in CU, anonymised, private, stale, unknown: CU, but not GB" in lines
    assert "      is lifted by a licence naming `embargo`; none on file:" in lines
    assert "  1 others did not match; --all shows them" in lines
    assert "combining: a deny wins over everything else: house/embargo" in lines
    assert "  destination: GB instead of CU, GB" in lines
    assert "  a licence naming `embargo` on file that applies" in lines
    assert lines[-1] == "the caller may be told: policy.denied, this use is refused by policy"


def test_all_shows_the_rules_that_did_not_match(tmp_path: Path, policies: Path) -> None:
    request = written(tmp_path, REQUEST)
    done = facegate("explain", "--request", request, "--policy", policies, "--all")
    assert "    ✗ listed in sdn: not none" in done.out
    assert "did not match; --all" not in done.out


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("{kind: licence, id: L1, names: [embargo]}", "    ✓ L1"),
        ("{kind: licence, id: L1}", "    ✗ L1: does not name `embargo`"),
        (
            "{kind: licence, id: L1, names: [embargo], classes: [embed], destinations: [GB]}",
            "    ✗ L1: is not for this class, does not cover every destination",
        ),
        (
            "{kind: licence, id: L1, names: [embargo], valid_to: 2026-11-21}",
            "    ✗ L1: is not valid any more",
        ),
        (
            "{kind: licence, id: L1, names: [embargo], quota: {limit: 3, counts: calls, used: 3}}",
            "    ✗ L1 (3 of 3 used, 1 asked): is used up",
        ),
    ],
)
def test_a_licence_on_file_is_told_with_why_it_does_not_apply(
    tmp_path: Path, policies: Path, reference: str, told: str
) -> None:
    request = written(tmp_path, REQUEST.replace("at:", f"references: [{reference}], at:"))
    done = facegate("explain", "--request", request, "--policy", policies)
    assert told in done.out.splitlines()
    assert done.out.startswith("permit" if "✓" in told else "refuse")


def test_json_says_the_same_for_programs(tmp_path: Path, policies: Path) -> None:
    request = written(tmp_path, REQUEST)
    done = facegate("explain", "--request", request, "--policy", policies, "--format", "json")
    said = json.loads(done.out)
    assert said["decision"]["rules"] == ["house/embargo"]
    assert said["nearest"]["result"] == "found"
    assert said["caller"] == {
        "outcome": "refuse",
        "reason": "policy.denied",
        "words": "this use is refused by policy",
        "class": "one_to_many",
        "needs": [],
    }


@pytest.mark.parametrize(
    "form",
    [
        '{"class": "one_to_many", "destination": ["CU"], "at": "2026-11-21T00:00:00Z"}',
        '{"at": "2026-11-21T00:00:00Z", "request": {"class": "one_to_many", "destination": "CU"}}',
        "{name: n, at: 2026-11-21, request: {class: one_to_many, destination: CU}, expect: {}}",
    ],
    ids=["the facts", "facts and time", "a whole case"],
)
def test_a_request_may_be_facts_alone_or_a_whole_case_in_yaml_or_json(
    policies: Path, form: str
) -> None:
    done = facegate("explain", "--request", "-", "--policy", policies, stdin=form)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "refuse: policy.denied"
    assert "at 2026-11-21T00:00:00+00:00" in done.out


def test_a_deny_that_nothing_answers_is_said_to_be_so(tmp_path: Path, policies: Path) -> None:
    closed = (
        "rules:\n  - {id: closed, effect: deny, when: {identity: [jwt, api_key, sigv4]}, "
        "reason: Closed.}\n"
    )
    (policies / "house.yaml").write_text(PACK.replace("rules:\n", closed))
    done = facegate("explain", "--request", written(tmp_path, REQUEST), "--policy", policies)
    assert "nearest permit: none; no change of facts answers house/closed, " in done.out


@pytest.mark.parametrize(
    ("request_text", "message"),
    [
        ("{clas: one_to_many}", "request.yaml:1:8: unknown attribute `clas`"),
        ("{class: one_to_mny}", "request.yaml:1:9: `one_to_mny` is no value of `class`"),
        ("{destination: GB}", "request.yaml:1:1: the request has no `class`"),
        ("{class: unknown, operation: X}", "an unknown operation has no `operation`"),
        ("{class: embed, at: soon}", "request.yaml:1:20: `at`: "),
        ("{class: embed, references: [{kind: permit}]}", "`references[0].kind`: "),
        ("[1, 2]", "request.yaml:1:1: a mapping is wanted here"),
        ("{request: 7}", "request.yaml:1:11: a mapping is wanted here"),
        ("{class: [}", "request.yaml:1:"),
        ("", "a mapping is wanted here"),
    ],
)
def test_what_is_no_request_is_told_with_its_place(
    tmp_path: Path, policies: Path, request_text: str, message: str
) -> None:
    request = written(tmp_path, request_text)
    done = facegate("explain", "--request", request, "--policy", policies)
    assert done.code == 2
    assert message in done.out


def test_policies_with_mistakes_explain_nothing(tmp_path: Path, policies: Path) -> None:
    (policies / "house.yaml").write_text(PACK.replace("deny", "dney"))
    done = facegate("explain", "--request", written(tmp_path, REQUEST), "--policy", policies)
    assert done.code == 2
    assert "house.yaml:10:13: " in done.out


def test_a_file_that_is_not_there_is_told(tmp_path: Path, policies: Path) -> None:
    done = facegate("explain", "--request", tmp_path / "none", "--policy", policies)
    assert done.code == 2
    assert "none: cannot be read: no such file or directory" in done.out

"""`facegate prove`: 0 where every guardrail holds, 1 with a request that breaks one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import ROOT, facegate
from tests.cli.test_check import PACK

GUARDRAILS = """\
apiVersion: facegate/v1
kind: Guardrails
owner: the test
source: the test
review: 2040-01-01
guardrails:
  - id: never-gb
    never: permit
    when: {class: [one_to_many], destination: [GB]}
    reason: Never there.
  - id: verification
    never: refuse
    when: {class: [one_to_one]}
    reason: Always.
"""
PERMIT = """\
  - id: later
    effect: permit
    effective: {from: 2030-01-01}
    when: {class: [one_to_many], destination: [GB], listed: [none]}
    reason: Then.
"""

WORDS = [f"v{number}" for number in range(5)]
BUDGETS = "apiVersion: facegate/v1\nkind: Budgets\nowner: the test\nbudgets:\n" + "".join(
    f"  {word}: {{counts: calls, classes: [embed], per: day, limit: 1, by: tenant,"
    " source: the test, date: 2026-01-01}\n"
    for word in WORDS
)


def write(directory: Path, pack: str) -> Path:
    (directory / "guardrails.yaml").write_text(GUARDRAILS)
    (directory / "house.yaml").write_text(pack)
    return directory


def test_guardrails_that_hold_are_counted_with_the_dates(tmp_path: Path) -> None:
    path = write(tmp_path, PACK)
    assert facegate("prove", path, "--at", "2026-11-21") == (
        0,
        "2 of 2 guardrails hold over all requests, on 2026-11-21\n",
        "",
    )
    write(tmp_path, PACK + PERMIT.replace("[GB]", "[FR]"))
    assert facegate("prove", path, "--at", "2029-11-21").out == (
        "2 of 2 guardrails hold over all requests, on 2029-11-21 and at 1 later date "
        "until 2030-12-26\n"
    )


def test_a_guardrail_that_will_not_hold_is_a_finding_with_the_date_and_a_request(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, PACK + PERMIT)
    assert facegate("prove", path, "--at", "2026-11-21").code == 0
    code, out, _ = facegate("prove", path, "--at", "2029-11-21")
    assert code == 1
    assert out == (
        f"{path}/guardrails.yaml:7:9: guardrail `never-gb`: does not hold: "
        "from 2030-01-01T00:00:00+00:00 on, house/later permits: "
        "class one_to_many, destination GB\n"
        '    hint: explain this request: {"class":"one_to_many","destination":"GB",'
        '"at":"2030-01-01T00:00:00Z"}\n'
        "1 of 2 guardrails hold over all requests, on 2029-11-21 and at 1 later date "
        "until 2030-12-26\n"
    )


def test_a_script_gets_every_proof_and_the_request_as_a_case_has_it(tmp_path: Path) -> None:
    path = write(tmp_path, PACK + PERMIT)
    code, out, _ = facegate("prove", path, "--at", "2030-11-21", "--format", "json")
    report = json.loads(out)
    assert code == 1
    assert [(one["id"], one["holds"]) for one in report["guardrails"]] == [
        ("never-gb", False),
        ("verification", True),
    ]
    assert report["guardrails"][0]["broken"] == {
        "words": "class one_to_many, destination GB",
        "at": "2030-11-21T00:00:00Z",
        "request": {"class": "one_to_many", "destination": "GB"},
        "outcome": "permit",
        "reason": "policy.permitted",
        "rules": ["house/later"],
    }
    assert len(report["findings"]) == 1


def test_a_request_that_breaks_a_guardrail_is_a_case_that_comes_out_so(tmp_path: Path) -> None:
    path = write(tmp_path, PACK + PERMIT)
    report = json.loads(facegate("prove", path, "--at", "2030-11-21", "--format", "json").out)
    broken = report["guardrails"][0]["broken"]
    case = {
        "name": "a counterexample",
        "at": broken["at"],
        "request": broken["request"],
        "expect": {"outcome": broken["outcome"], "rule": broken["rules"][0]},
    }
    cases = {"apiVersion": "facegate/v1", "kind": "Cases", "cases": [case]}
    (tmp_path / "cases.yaml").write_text(
        json.dumps(cases).replace('"2030-11-21T00:00:00Z"', "2030-11-21")
    )
    assert "1 cases, 0 failed" in facegate("test", path).out


def test_the_request_of_the_hint_is_explained(tmp_path: Path) -> None:
    path = write(tmp_path, PACK + PERMIT)
    _, out, _ = facegate("prove", path, "--at", "2029-11-21")
    request = tmp_path / "request.json"
    request.write_text(out.splitlines()[1].partition("explain this request: ")[2])
    code, explained, _ = facegate("explain", "--request", request, "--policy", path)
    assert (code, explained.splitlines()[0]) == (0, "permit: policy.permitted")


def test_check_proves_as_well(tmp_path: Path) -> None:
    write(tmp_path, PACK + PERMIT.replace("2030", "2020"))
    code, out, _ = facegate("check", tmp_path)
    assert (code, "guardrail `never-gb`: does not hold: house/later permits" in out) == (1, True)


def test_a_rule_that_no_request_can_match_is_a_finding_at_its_place(tmp_path: Path) -> None:
    dead = """\
  - id: dead
    effect: deny
    when: {class: [one_to_one], access: [write]}
    reason: A slip.
"""
    path = write(tmp_path, PACK + dead)
    expected = (
        f"{path}/house.yaml:13:9: rule `house/dead`: no request can match it\n"
        "    hint: its conditions exclude one another\n"
    )
    code, out, _ = facegate("prove", path, "--at", "2026-11-21")
    assert (code, out.startswith(expected)) == (1, True)
    assert facegate("check", path).out == expected


def test_notes_tell_what_never_decides_and_what_no_rule_speaks_of(tmp_path: Path) -> None:
    denied = PERMIT.replace("[GB]", "[unknown]").replace("2030", "2020")
    path = write(tmp_path, PACK + denied)
    quiet = facegate("prove", path, "--at", "2026-11-21")
    code, out, _ = facegate("prove", path, "--at", "2026-11-21", "--notes")
    assert (quiet.code, code) == (0, 0)
    notes = out.removesuffix(quiet.out).splitlines()
    assert notes[0] == (
        f"{path}/house.yaml:13:9: rule `house/later` never decides: "
        "`house/unplaced` denies whatever it matches"
    )
    assert notes[1].startswith(f"{path}: nothing permits any request of class one_to_many, ")


def test_mistakes_in_the_files_come_before_any_proof(tmp_path: Path) -> None:
    write(tmp_path, PACK.replace("effect: deny", "effect: dney"))
    code, out, _ = facegate("prove", tmp_path)
    assert (code, out.splitlines()[0].partition(": ")[0]) == (1, f"{tmp_path}/house.yaml:10:13")


def test_the_shipped_packs_keep_their_guardrails() -> None:
    code, out, _ = facegate("prove", ROOT / "policies", "--format", "json")
    proofs = json.loads(out)["guardrails"]
    assert (code, len(proofs) >= 12, all(one["holds"] for one in proofs)) == (0, True, True)


def test_what_has_too_many_combinations_is_not_taken_for_proved(tmp_path: Path) -> None:
    """Each image is denied by each value of one attribute, which shows when all are chosen."""
    names = ("provider", "operation", "tenant", "tier", "tag", "end_use", "listed", "over")
    images = [f"'sha256:{str(number) * 64}'" for number in range(len(names))]
    denies = [
        f"  - {{id: {name}-{word}, effect: deny, reason: Not so.,"
        f" when: {{probe: [{image}], {name}: [{word}]}}}}\n"
        for name, image in zip(names, images, strict=True)
        for word in WORDS
    ]
    whole = "".join(f", {name}: [{', '.join(WORDS)}]" for name in names)
    whole += f", probe: [{', '.join(images)}]"
    permit = f"  - {{id: all, effect: permit, reason: All., when: {{class: [embed]{whole}}}}}\n"
    path = write(tmp_path, "".join([PACK, *denies, permit]))
    guardrail = GUARDRAILS.partition("  - id: verification")[0]
    (path / "guardrails.yaml").write_text(
        guardrail.replace("[one_to_many], destination: [GB]", "[embed]")
    )
    (path / "budgets.yaml").write_text(BUDGETS)
    done = facegate("prove", path, "--at", "2026-11-21", "--notes")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith(
        f"{path}/guardrails.yaml:7:9: guardrail `never-gb`: cannot be proved:"
        " there are too many combinations\n"
        "    hint: name more attributes in its `when`, or make several guardrails of it\n"
    )
    assert (
        "house.yaml:53:10: too many combinations to tell of rule `house/all`, and those after it,"
        " what they do\n"
    ) in done.out
    assert "too many combinations to tell whether rules speak of every request of embed" in done.out
    assert "nothing permits any request of class one_to_many" in done.out
    assert done.out.endswith("0 of 1 guardrails hold over all requests, on 2026-11-21\n")

"""`facegate check` and `facegate test`: every mistake with its place; 0 sound, 1 findings."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import ENVIRON, facegate

PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: house
owner: the test
source: the test
force: voluntary
review: 2040-01-01
rules:
  - id: unplaced
    effect: deny
    when: {class: [one_to_many], destination: [unknown, private, anonymised, stale]}
    reason: Nobody knows where.
"""
CASES = """\
apiVersion: facegate/v1
kind: Cases
cases:
  - name: nobody knows where
    request: {class: one_to_many, destination: unknown}
    expect: {outcome: refuse, rule: house/unplaced}
"""

ENDED = """\
apiVersion: facegate/v1
kind: Tenants
tenants:
  - id: harbour
    legal_name: Harbour Works Ltd
    type: private
    references:
      - id: LIC-1
        kind: licence
        classes: [one_to_many]
        destinations: [GB]
        valid_to: 2025-01-01
        report_days: 90
        valid_from: 2024-01-01
"""


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def places(out: str) -> list[str]:
    """Return the findings without directory and hints."""
    findings = (line for line in out.splitlines() if not line.startswith(" "))
    return [re.sub(r"^/(?:[^/:]+/)*", "", finding) for finding in findings]


def test_sound_files_have_no_findings(start: Path) -> None:
    for path in (start / "gateway.yaml", start / "tenants.yaml", start / "policies"):
        assert facegate("check", path) == (0, f"{path}: no findings\n", "")


def test_every_mistake_in_a_policy_is_listed_with_its_place_and_a_hint(start: Path) -> None:
    pack = start / "policies/house.yaml"
    pack.write_text(
        PACK.replace("effect: deny", "effect: dney")
        + "  - {id: two, effect: deny, when: {destinat: [NO]}, reason: Misspelt.}\n"
        + "  - {id: two, effect: deny, when: {destination: [group:nowhere]}, reason: Twice.}\n"
    )
    done = facegate("check", start / "policies")
    assert done.code == 1
    assert [place.split(": ")[0] for place in places(done.out)] == [
        "house.yaml:10:13",
        "house.yaml:13:36",
        "house.yaml:14:10",
        "house.yaml:14:50",
    ]
    assert "hint: did you mean `deny`?" in done.out


def test_one_policy_file_is_checked_by_itself(start: Path) -> None:
    pack = start / "house.yaml"
    pack.write_text(PACK)
    assert facegate("check", pack).code == 0
    edit(pack, ("pack: house", "pack: House"))
    done = facegate("check", pack)
    assert (done.code, places(done.out)[0].split(": ")[0]) == (1, "house.yaml:3:7")


def test_every_mistake_in_the_tenants_is_listed_with_its_place(start: Path) -> None:
    tenants = start / "tenants.yaml"
    edit(tenants, ("type: private", "type: privat"), ("[GB]", "[UK, XX]"))
    done = facegate("check", tenants)
    assert done.code == 1
    assert [place.split(": ")[0] for place in places(done.out)] == [
        f"tenants.yaml:{number}:{column}"
        for number, column in sorted(
            (line, text.index(word) + 1)
            for line, text in enumerate(tenants.read_text().splitlines(), start=1)
            for word in ("privat", "UK", "XX")
            if word in text and not text.lstrip().startswith("#")
        )
    ]


def test_every_mistake_in_the_settings_is_listed_with_its_place(config: Path) -> None:
    edit(
        config,
        ("port: 8081", "port: 8080"),
        ("url: https://", "url: http://"),
        ("max_age_days: 14", "max_age_day: 14"),
    )
    done = facegate("check", config, environ={**ENVIRON, "FACEGATE_WORKERS": "4"})
    assert done.code == 1
    found = "\n".join(places(done.out))
    assert "FACEGATE_WORKERS: `workers`: more than one worker is not available yet" in done.out
    assert "`admin.port`: 8080 is `listen.port` too" in found
    assert "`upstreams[0].url`: http is for the loopback interface only; use https" in found
    assert "max_age_day" in found
    assert len(places(done.out)) == 4
    assert all(place.startswith("gateway.yaml:") for place in places(done.out)[1:])


def test_a_configuration_is_checked_with_everything_that_it_names(config: Path) -> None:
    start = config.parent
    edit(start / "tenants.yaml", ("type: private", "type: privat"))
    (start / "policies/house.yaml").write_text(PACK.replace("deny", "dney"))
    (start / "country.mmdb").write_bytes(b"no database")
    edit(config, ("# country:", "country:"), ("aws_rekognition", "aws_recognition"))
    done = facegate("check", config)
    assert done.code == 1
    for words in (
        "`aws_recognition` is in no catalogue",
        "tenants.yaml:8:11: ",
        "house.yaml:10:13: ",
        "country.mmdb: not a sound MaxMind DB file",
    ):
        assert words in done.out


@pytest.mark.parametrize("name", ["FACEGATE_SECRETS_KEY", "UPSTREAM_AWS_SECRET"])
def test_a_secret_that_is_missing_is_named_and_never_shown(config: Path, name: str) -> None:
    environ = {variable: text for variable, text in ENVIRON.items() if variable != name}
    done = facegate("check", config, environ=environ)
    assert done.code == 1
    assert f"the environment variable `{name}` is not set" in done.out
    assert not any(secret in done.out + done.err for secret in ENVIRON.values())


@pytest.fixture
def ended(start: Path) -> Path:
    """A tenant file with a licence that has ended and owes a report."""
    tenants = start / "tenants.yaml"
    tenants.write_text(ENDED)
    return tenants


def test_what_ended_and_a_report_that_is_owed_are_notes_and_no_findings(ended: Path) -> None:
    done = facegate("check", ended)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{ended}:12:19: note: licence `LIC-1` ended on 2025-01-01",
        "    hint: take it out; records keep what was decided under it",
        f"{ended}:13:22: note: licence `LIC-1` owes a report since 2024-03-31",
        "    hint: write the day of the report to `reported`",
        f"{ended}: no findings; notes: 2",
    ]
    through = facegate("check", ended.parent / "gateway.yaml")
    assert (through.code, through.out.count(": note: ")) == (0, 2)


def test_what_ends_soon_is_a_note(ended: Path) -> None:
    edit(ended, ("2025-01-01", "9000-01-01"), ("report_days: 90", "warn_days: 36525"))
    assert ": note: " not in facegate("check", ended).out
    end = (datetime.now(UTC) + timedelta(days=10)).date()
    edit(ended, ("9000-01-01", end.isoformat()))
    assert re.search(
        rf":12:19: note: licence `LIC-1` ends in \d days, on {end}\n    hint: a renewed one has a",
        facegate("check", ended).out,
    )


def test_a_file_with_mistakes_has_no_notes(ended: Path) -> None:
    edit(ended, ("type: private", "type: privat"))
    done = facegate("check", ended)
    assert (done.code, ": note: " in done.out) == (1, False)


def test_notes_are_said_to_be_such_in_every_form(ended: Path) -> None:
    done = facegate("check", ended, "--format", "json")
    said = json.loads(done.out)
    assert (done.code, said["findings"]) == (0, [])
    assert [(note["line"], note["column"]) for note in said["notes"]] == [(12, 19), (13, 22)]
    done = facegate("check", ended, "--format", "sarif")
    (run,) = json.loads(done.out)["runs"]
    assert (done.code, [one["level"] for one in run["results"]]) == (0, ["note", "note"])
    done = facegate("check", ended, "--format", "github")
    assert done.code == 0
    assert [line.partition(" ")[0] for line in done.out.splitlines()] == ["::notice"] * 2


def test_a_path_that_leads_nowhere_is_a_finding(tmp_path: Path) -> None:
    done = facegate("check", tmp_path / "nowhere.yaml")
    assert (done.code, places(done.out)) == (1, ["nowhere.yaml: there is no such file"])


def test_findings_are_json_where_a_script_asks(start: Path) -> None:
    policies = start / "policies"
    none: dict[str, list[object]] = {"findings": [], "notes": []}
    assert json.loads(facegate("check", policies, "--format", "json").out) == none
    (policies / "house.yaml").write_text(PACK.replace("deny", "dney"))
    done = facegate("check", policies, "--format", "json")
    (finding,) = json.loads(done.out)["findings"]
    assert done.code == 1
    assert (finding["path"], finding["line"], finding["column"], finding["hint"]) == (
        str(policies / "house.yaml"),
        10,
        13,
        "did you mean `deny`?",
    )


def test_findings_are_sarif_where_a_code_host_asks(start: Path) -> None:
    policies = start / "policies"
    (policies / "house 1.yaml").write_text(PACK.replace("deny", "dney"))
    done = facegate("check", policies, "--format", "sarif")
    assert done.code == 1
    log = json.loads(done.out)
    (run,) = log["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (log["version"], rule["id"]) == ("2.1.0", "facegate/check")
    assert run["results"] == [
        {
            "ruleId": "facegate/check",
            "ruleIndex": 0,
            "level": "error",
            "message": {
                "text": "`rules[0].effect`: input should be 'deny', 'permit' or 'require'\n"
                "hint: did you mean `deny`?"
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": (policies / "house 1.yaml").as_uri()},
                        "region": {"startLine": 10, "startColumn": 13},
                    }
                }
            ],
        }
    ]


def test_sarif_names_a_relative_path_as_it_was_given_and_a_whole_file_without_a_region() -> None:
    done = facegate("check", Path("no where.yaml"), "--format", "sarif")
    (result,) = json.loads(done.out)["runs"][0]["results"]
    assert result["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "no%20where.yaml"}}}
    ]


def test_sarif_without_findings_is_a_run_without_results(start: Path) -> None:
    for command in ("check", "test"):
        done = facegate(command, start / "policies", "--format", "sarif")
        assert done.code == 0
        assert [run["results"] for run in json.loads(done.out)["runs"]] == [[]]


def test_findings_are_annotations_where_github_asks(tmp_path: Path) -> None:
    (tmp_path / "a,b.yaml").write_text(PACK.replace("deny", "dney"))
    done = facegate("check", tmp_path, "--format", "github")
    path = str(tmp_path / "a%2Cb.yaml")
    assert (done.code, done.out) == (
        1,
        (
            f"::error file={path},line=10,col=13,title=facegate check::`rules[0].effect`: "
            "input should be 'deny', 'permit' or 'require'%0Ahint: did you mean `deny`?\n"
        ),
    )
    assert facegate("check", tmp_path / "%.yaml", "--format", "github").out == (
        f"::error file={tmp_path}/%25.yaml,title=facegate check::there is no such file\n"
    )


def test_a_rule_without_a_case_is_an_annotation_too(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(PACK)
    done = facegate("test", tmp_path, "--format", "github")
    assert done.code == 1
    assert done.out.startswith(
        f"::error file={tmp_path}/house.yaml,line=9,col=9,title=facegate test::"
        "rule `house/unplaced`: no case matches it%0Ahint: "
    )


def test_the_shipped_cases_hold_and_cover_every_rule(start: Path) -> None:
    done = facegate("test", start / "policies")
    assert done.code == 0
    assert done.out.endswith(" rules covered\n")
    report = json.loads(facegate("test", start / "policies", "--format", "json").out)
    assert report["cases"] > 0
    assert (report["findings"], report["failed"]) == ([], [])
    assert report["covered"] == report["rules"]


def test_a_rule_without_a_case_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(PACK)
    done = facegate("test", tmp_path)
    assert done.code == 1
    assert places(done.out)[0] == "house.yaml:9:9: rule `house/unplaced`: no case matches it"
    assert done.out.endswith("0 cases, 0 failed; 0 of 1 rules covered\n")
    (tmp_path / "house.cases.yaml").write_text(CASES)
    assert facegate("test", tmp_path) == (0, "1 cases, 0 failed; 1 of 1 rules covered\n", "")


def test_a_case_that_comes_out_otherwise_is_a_finding_with_what_came_out(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(PACK)
    (tmp_path / "house.cases.yaml").write_text(CASES.replace("refuse", "permit"))
    done = facegate("test", tmp_path)
    assert done.code == 1
    assert places(done.out)[0] == (
        "house.cases.yaml:4: case `nobody knows where`: outcome is refuse, not permit"
    ).replace(":4:", ":4:1:")
    report = json.loads(facegate("test", tmp_path, "--format", "json").out)
    assert report["failed"] == ["nobody knows where"]


def test_cases_are_not_run_on_files_with_mistakes(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(PACK.replace("deny", "dney"))
    done = facegate("test", tmp_path)
    assert done.code == 1
    assert places(done.out)[0].startswith("house.yaml:10:13: ")

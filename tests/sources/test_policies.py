from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.core.policy.model import Policies
from gateway.errors import PolicyError
from gateway.sources import policies
from gateway.sources.policies import check_policies, load_outcome, load_policies
from tests.builders import NOW

PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: NAME
owner: Compliance
source: a test
force: voluntary
review: 2027-01-01
rules:
  - id: unplaced
    effect: deny
    when: {class: [one_to_many], destination: [unknown, private, anonymised, stale]}
    reason: no place
"""
CASES = """\
apiVersion: facegate/v1
kind: Cases
cases:
  - {name: no place, request: {class: one_to_many}, expect: {outcome: OUTCOME}}
"""


def written(directory: Path, name: str = "ours.yaml", text: str = PACK) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("NAME", path.stem))
    return path


def messages(directory: Path) -> list[str]:
    return [
        f"{os.path.relpath(finding.path, directory)}:{finding.line}: {finding.message}"
        for finding in check_policies(directory, now=NOW)
    ]


def test_files_at_any_depth_are_loaded_and_moving_one_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path / "flat", "a.yaml")
    written(tmp_path / "flat", "b.yml")
    written(tmp_path / "deep", "one/a.yaml")
    written(tmp_path / "deep", "z/two/b.YAML")
    flat, deep = (
        load_policies(tmp_path / "flat", now=NOW),
        load_policies(tmp_path / "deep", now=NOW),
    )
    assert [pack.id for pack in flat.packs] == ["a", "b"]
    assert flat.digest == deep.digest


def test_one_file_can_be_loaded_alone(tmp_path: Path) -> None:
    assert load_policies(written(tmp_path, "ours.policy"), now=NOW).counts.packs == 1


def test_other_files_and_hidden_names_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, "README.md", "no policy")
    written(tmp_path, ".hidden.yaml", "no policy")
    written(tmp_path, ".git/config.yaml", "no policy")
    assert messages(tmp_path) == []


def test_a_kubernetes_volume_is_read_once(tmp_path: Path) -> None:
    version = tmp_path / "..2026_11_21_12_00_00.123456789"
    written(version)
    written(version, "more/others.yaml")
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "ours.yaml").symlink_to("..data/ours.yaml")
    (tmp_path / "more").symlink_to("..data/more")
    assert [pack.id for pack in load_policies(tmp_path, now=NOW).packs] == ["others", "ours"]


def test_every_mistake_of_every_file_is_raised_at_once(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", PACK.replace("deny", "denied"))
    written(tmp_path, "b.yaml", "kind: [")
    written(tmp_path, "c.yaml", PACK.replace("[one_to_many]", "[group:nowhere]"))
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path, now=NOW)
    places = [(Path(one.path).name, one.line) for one in caught.value.findings]
    # The unknown group is no finding: the file that cannot be read may define it.
    assert places == [("a.yaml", 10), ("b.yaml", 1)]


def test_a_directory_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    assert messages(tmp_path / "nowhere") == [".:0: cannot be read: no such file or directory"]


def test_an_empty_directory_is_a_finding(tmp_path: Path) -> None:
    assert messages(tmp_path) == [".:0: no pack stands here"]


def test_what_might_have_been_meant_is_never_passed_over(tmp_path: Path) -> None:
    written(tmp_path)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "broken.yaml").symlink_to("nowhere.yaml")
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    (tmp_path / "device.yaml").symlink_to("/dev/zero")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to("..")
    assert messages(tmp_path) == [
        "broken.yaml:0: cannot be read: no such file or directory",
        "device.yaml:0: is not a regular file",
        "pipe.yaml:0: is not a regular file",
        "round.yaml:0: cannot be read: too many levels of symbolic links",
        "sub/up:0: is a link to a directory",
    ]


def test_a_file_that_is_too_long_is_a_finding(tmp_path: Path) -> None:
    written(tmp_path)
    with (tmp_path / "long.yaml").open("wb") as file:
        file.truncate((8 << 20) + 1)
    assert messages(tmp_path) == [f"long.yaml:0: is longer than {8 << 20} bytes"]


def test_a_thousand_files_are_the_most(tmp_path: Path) -> None:
    for number in range(1_001):
        (tmp_path / f"{number:04}.yaml").touch()
    assert messages(tmp_path)[0] == ".:0: more than 1000 policy files"


def test_directories_nested_without_end_are_a_finding(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, "/".join(["d"] * 20) + "/deep.yaml")
    assert messages(tmp_path) == [
        "/".join(["d"] * 16) + ":0: directories are nested deeper than 16 levels"
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("\x00\xff", id="no text"),
        pytest.param("- 1\n- 2\n", id="a list"),
        pytest.param(
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
                for before, after in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            id="a bomb",
        ),
        pytest.param(PACK.replace("{class:", "!!python/object {class:"), id="a tag"),
    ],
)
def test_whatever_stands_in_a_file_the_outcome_is_a_value(tmp_path: Path, text: str) -> None:
    written(tmp_path, text=text)
    outcome = load_outcome(str(tmp_path), NOW)
    assert isinstance(outcome, tuple)
    assert outcome


def test_policies_and_findings_come_back_from_a_spawned_process(tmp_path: Path) -> None:
    written(tmp_path / "sound")
    written(tmp_path / "unsound", text=PACK.replace("deny", "denied"))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        sound = pool.submit(load_outcome, str(tmp_path / "sound"), NOW).result(timeout=60)
        unsound = pool.submit(load_outcome, str(tmp_path / "unsound"), NOW).result(timeout=60)
    assert isinstance(sound, Policies)
    assert sound == load_policies(tmp_path / "sound", now=NOW)
    assert unsound == check_policies(tmp_path / "unsound", now=NOW)


def test_cases_that_hold_and_cover_every_rule_leave_no_finding(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, "ours.cases.yaml", CASES.replace("OUTCOME", "refuse"))
    report = policies.test_policies(tmp_path)
    assert (report.findings, report.rules, report.covered) == ((), 1, 1)
    assert [result.case.name for result in report.results] == ["no place"]


def test_a_case_that_does_not_hold_and_a_rule_without_a_case_are_findings(tmp_path: Path) -> None:
    more = "  - {id: vip, effect: permit, when: {tag: [vip]}, reason: paid}\n"
    written(tmp_path, text=PACK + more)
    written(tmp_path, "ours.cases.yaml", CASES.replace("OUTCOME", "permit"))
    report = policies.test_policies(tmp_path)
    assert [(Path(one.path).name, one.line, one.message) for one in report.findings] == [
        ("ours.cases.yaml", 4, "case `no place`: outcome is refuse, not permit"),
        ("ours.yaml", 13, "rule `ours/vip`: no case matches it"),
    ]
    assert (report.rules, report.covered) == (2, 1)


def test_cases_are_not_run_on_files_with_mistakes(tmp_path: Path) -> None:
    written(tmp_path, text=PACK.replace("deny", "denied"))
    written(tmp_path, "ours.cases.yaml", CASES.replace("OUTCOME", "permit"))
    report = policies.test_policies(tmp_path)
    assert report.results == ()
    assert report.findings == check_policies(tmp_path, now=NOW)


GUARDRAILS = """\
apiVersion: facegate/v1
kind: Guardrails
owner: Compliance
source: a test
review: 2027-01-01
guardrails:
  - id: never-gb
    never: permit
    when: {class: [one_to_many], destination: [GB]}
    reason: Never there.
"""
PERMIT = """\
  - id: permit
    effect: permit
    effective: {from: 2027-03-01}
    when: {class: [one_to_many], destination: [GB, FR]}
    reason: There.
"""


def test_a_broken_guardrail_refuses_the_policy_and_names_the_date_and_a_request(
    tmp_path: Path,
) -> None:
    written(tmp_path, "guardrails.yaml", GUARDRAILS)
    written(tmp_path, "ours.yaml", PACK)
    assert load_policies(tmp_path, now=NOW).counts.packs == 1
    written(tmp_path, "ours.yaml", PACK + PERMIT)
    (finding,) = check_policies(tmp_path, now=NOW)
    assert f"{os.path.relpath(finding.path, tmp_path)}:{finding.line}" == "guardrails.yaml:7"
    assert finding.message == (
        "guardrail `never-gb`: does not hold: from 2027-03-01T00:00:00+00:00 on, "
        "ours/permit permits: class one_to_many, destination GB"
    )
    assert finding.hint == (
        'explain this request: {"class":"one_to_many","destination":"GB",'
        '"at":"2027-03-01T00:00:00Z"}'
    )
    assert load_outcome(str(tmp_path), NOW) == (finding,)
    # Beyond the horizon a change is not looked at yet; once it is near enough, it is.
    assert load_policies(tmp_path, now=datetime(2026, 1, 1, tzinfo=UTC)).counts.rules == 2


def test_guardrails_are_not_proved_of_files_with_mistakes(tmp_path: Path) -> None:
    written(tmp_path, "guardrails.yaml", GUARDRAILS)
    written(tmp_path, "ours.yaml", (PACK + PERMIT).replace("effect: permit", "effect: prmit"))
    assert [message.partition(": ")[0] for message in messages(tmp_path)] == ["ours.yaml:14"]

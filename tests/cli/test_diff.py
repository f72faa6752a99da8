"""`facegate diff`: 0 where no request is answered differently, else 1 with what changes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import facegate
from tests.cli.test_check import PACK

PERMIT = """\
  - id: permit
    effect: permit
    when: {class: [one_to_many], destination: [GB, FR], listed: [none]}
    reason: There.
"""


def write(directory: Path, name: str, pack: str) -> Path:
    path = directory / name
    path.mkdir()
    (path / "house.yaml").write_text(pack)
    return path


def test_wording_is_no_difference(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PACK)
    other = write(tmp_path, "other", PACK.replace("Nobody knows where.", "In other words."))
    assert facegate("diff", one, other) == (
        0,
        "no kind of request is answered differently\n",
        "",
    )


def test_what_changes_is_listed_with_an_example_under_both(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PACK)
    other = write(tmp_path, "other", PACK + PERMIT)
    code, out, _ = facegate("diff", one, other, "--at", "2026-11-21")
    assert code == 1
    assert out == (
        "from 2026-11-21:\n"
        "  newly permitted: 1 kind of request\n"
        "    class one_to_many; destination GB, FR; listed none\n"
        "      e.g. class one_to_many, destination GB\n"
        "      refused by policy.default, then permitted by house/permit\n"
        "this change only loosens\n"
    )
    back = facegate("diff", other, one, "--at", "2026-11-21")
    assert (back.code, back.out.splitlines()[-1]) == (1, "this change only tightens")


def test_a_script_may_let_pass_what_only_tightens(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PACK)
    other = write(tmp_path, "other", PACK + PERMIT)
    assert facegate("diff", other, one, "--fail-on", "permit").code == 0
    assert facegate("diff", one, other, "--fail-on", "permit").code == 1


def test_a_script_gets_areas_counts_and_examples(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PACK)
    other = write(tmp_path, "other", PACK + PERMIT)
    report = json.loads(facegate("diff", one, other, "--at", "2026-11-21", "--format", "json").out)
    assert (report["direction"], report["exact"]) == ("loosens", True)
    (step,) = report["steps"]
    change = {"what": "permitted", "dropped": [], "added": []}
    assert step["counts"] == [{"change": change, "kinds": 1}]
    (area,) = step["areas"]
    assert area["kinds"] == [{"class": "one_to_many", "access": "none"}]
    assert area["values"] == {"destination": ["GB", "FR"], "listed": ["none"]}
    assert area["example"]["request"] == {"class": "one_to_many", "destination": "GB"}
    assert area["example"]["before"]["outcome"] == "refuse"
    assert area["example"]["after"] == {
        "outcome": "permit",
        "reason": "policy.permitted",
        "rules": ["house/permit"],
    }


def test_two_permits_for_one_are_seen_with_several_members(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PACK + PERMIT)
    apart = PERMIT.replace("GB, FR", "GB") + PERMIT.replace("GB, FR", "FR").replace(
        "id: permit", "id: second"
    )
    other = write(tmp_path, "other", PACK + apart)
    code, out, _ = facegate("diff", one, other, "--at", "2026-11-21")
    assert (code, out.splitlines()[1:]) == (
        1,
        [
            "  refused where one has several members: class one_to_many, destination FR, GB",
            "    permitted by house/permit, then refused by policy.default",
            "this change only tightens",
        ],
    )


def test_mistakes_in_the_files_are_listed(tmp_path: Path) -> None:
    one = write(tmp_path, "one", PACK)
    other = write(tmp_path, "other", PACK.replace("effect: deny", "effect: dney"))
    code, out, _ = facegate("diff", one, other)
    assert (code, out.splitlines()[0].partition(": ")[0]) == (1, f"{other}/house.yaml:10:13")

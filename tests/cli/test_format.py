"""`facegate format`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import facegate

ODD = "a:   [x,y]  # why\nb: {c: d}\n"
FORMED = "a: [x, y]  # why\nb: {c: d}\n"


def test_files_are_formatted_in_place_and_named(tmp_path: Path) -> None:
    odd, hidden = tmp_path / "sub" / "odd.yaml", tmp_path / ".git" / "odd.yaml"
    for path in (odd, hidden):
        path.parent.mkdir()
        path.write_text(ODD)
    (tmp_path / "formed.yml").write_text(FORMED)
    odd.chmod(0o640)
    done = facegate("format", tmp_path)
    assert (done.code, done.out) == (0, f"{odd}: formatted\n")
    assert (odd.read_text(), hidden.read_text()) == (FORMED, ODD)
    assert odd.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in odd.parent.iterdir()) == ["odd.yaml"]
    assert facegate("format", tmp_path) == (0, "", "")


def test_check_changes_nothing_and_names_what_would_change(tmp_path: Path) -> None:
    odd = tmp_path / "odd.yaml"
    odd.write_text(ODD)
    done = facegate("format", "--check", odd)
    assert (done.code, done.out) == (
        1,
        f"{odd}: is not in its one form\n    hint: run `facegate format` on it\n",
    )
    assert odd.read_text() == ODD
    done = facegate("format", "--check", odd, "--format", "github")
    assert done.out.startswith(f"::error file={odd},title=facegate format::is not in its one form")


def test_a_file_that_cannot_be_formatted_is_left_alone_and_the_others_are_not(
    tmp_path: Path,
) -> None:
    broken, odd = tmp_path / "broken.yaml", tmp_path / "odd.yaml"
    broken.write_text("a: [x\n")
    odd.write_text(ODD)
    done = facegate("format", tmp_path, "--format", "json")
    (finding,) = json.loads(done.out)["findings"]
    assert (done.code, finding["path"], finding["line"]) == (1, str(broken), 2)
    assert (broken.read_text(), odd.read_text()) == ("a: [x\n", FORMED)


def test_the_file_behind_a_link_is_formatted_and_the_link_stays(tmp_path: Path) -> None:
    odd, link = tmp_path / "odd.txt", tmp_path / "link.yaml"
    odd.write_text(ODD)
    link.symlink_to(odd.name)
    assert facegate("format", tmp_path).code == 0
    assert link.is_symlink()
    assert odd.read_text() == FORMED

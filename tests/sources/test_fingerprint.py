from __future__ import annotations

import os
from pathlib import Path

from gateway.sources.fingerprint import fingerprint


def test_the_same_content_has_the_same_fingerprint_whatever_its_times(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    before = fingerprint([tmp_path])
    os.utime(tmp_path / "a.yaml", (1, 1))
    assert fingerprint([tmp_path]) == before


def test_every_change_changes_it(tmp_path: Path) -> None:
    seen = {fingerprint([tmp_path])}
    (tmp_path / "a.yaml").write_text("a: 1")
    seen.add(fingerprint([tmp_path]))
    (tmp_path / "a.yaml").write_text("a: 2")
    seen.add(fingerprint([tmp_path]))
    (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")
    seen.add(fingerprint([tmp_path]))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.yaml").write_text("c: 1")
    seen.add(fingerprint([tmp_path]))
    assert len(seen) == 5


def test_hidden_entries_do_not_count(tmp_path: Path) -> None:
    before = fingerprint([tmp_path])
    (tmp_path / ".swap").write_text("x")
    assert fingerprint([tmp_path]) == before


def test_what_cannot_be_read_is_a_value_and_a_fifo_does_not_block(tmp_path: Path) -> None:
    missing = fingerprint([tmp_path / "absent.yaml"])
    os.mkfifo(tmp_path / "absent.yaml")
    assert fingerprint([tmp_path / "absent.yaml"]) != missing


def test_a_change_below_a_linked_directory_counts_at_the_top_level(tmp_path: Path) -> None:
    elsewhere, watched = tmp_path / "elsewhere", tmp_path / "watched"
    elsewhere.mkdir()
    watched.mkdir()
    (watched / "link").symlink_to(elsewhere)
    (watched / "loop").symlink_to(watched)
    before = fingerprint([watched])
    (elsewhere / "a.yaml").write_text("a: 1")
    assert fingerprint([watched]) != before

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.audit.files import OsFiles
from gateway.errors import AuditError


@pytest.fixture
def files() -> OsFiles:
    return OsFiles()


def test_what_is_written_at_an_offset_is_read_there(files: OsFiles, tmp_path: Path) -> None:
    path = tmp_path / "segment"
    file = files.open(path)
    assert file.write(b"one two", 0) == 7
    assert file.write(b"TWO", 4) == 3
    file.sync()
    assert (files.read(path, 0, 100), files.read(path, 4, 2)) == (b"one TWO", b"TW")
    file.truncate(3)
    assert (file.length_in_place(), files.length(path), files.read(path, 3, 9)) == (3, 3, b"")
    file.close()


def test_opening_leaves_what_stands_in_a_file(files: OsFiles, tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"kept")
    file = files.open(path)
    assert file.length_in_place() == 4
    file.close()


def test_a_symbolic_link_is_not_written_through(files: OsFiles, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"")
    (tmp_path / "segment").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        files.open(tmp_path / "segment")


def test_a_file_that_was_deleted_or_replaced_is_not_in_place(
    files: OsFiles, tmp_path: Path
) -> None:
    path = tmp_path / "segment"
    file = files.open(path)
    path.rename(tmp_path / "moved")
    assert file.length_in_place() is None
    path.write_bytes(b"")
    assert file.length_in_place() is None
    path.unlink()
    (tmp_path / "moved").rename(path)
    assert file.length_in_place() == 0
    file.close()


def test_a_directory_is_held_by_one_at_a_time(files: OsFiles, tmp_path: Path) -> None:
    lock = files.lock(tmp_path)
    with pytest.raises(AuditError, match="another process"):
        files.lock(tmp_path)
    lock.release()
    files.lock(tmp_path).release()


def test_a_lock_on_a_directory_that_was_replaced_holds_nothing(
    files: OsFiles, tmp_path: Path
) -> None:
    directory = tmp_path / "log"
    files.make_directory(directory)
    lock = files.lock(directory)
    assert lock.in_place()
    directory.rename(tmp_path / "moved")
    assert not lock.in_place()
    directory.mkdir()
    assert not lock.in_place()
    lock.release()


def test_directories_are_made_with_their_parents(files: OsFiles, tmp_path: Path) -> None:
    files.make_directory(tmp_path / "a" / "b")
    files.make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_replacing_leaves_one_whole_file(files: OsFiles, tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        files.replace(tmp_path / "head.json", content)
    assert (tmp_path / "head.json").read_bytes() == b"second"
    assert files.names(tmp_path) == ["head.json"]


def test_a_directory_that_does_not_exist_has_no_names(files: OsFiles, tmp_path: Path) -> None:
    assert list(files.names(tmp_path / "nowhere")) == []

"""Parts kept by digest: durable once put, and never another part than the one asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.audit.segments import parts_directory, worker_directory
from gateway.errors import AuditError, SourceError
from gateway.sources.stored_parts import StoredParts
from tests.core.policy.builders import policies, rule, where

POLICY = policies(rule("deny", where("destination", "CN", "RU"), id="embargo"))
OTHER = policies(rule("permit", id="all"))
SETTINGS = b'{"facegate":"settings/v1"}'


@pytest.fixture
def parts(tmp_path: Path) -> StoredParts:
    return StoredParts(parts_directory(tmp_path / "audit", origin="gw.example/audit"))


def file_of(parts: StoredParts, digest: str, part: str = "policies") -> Path:
    return parts.directory / f"{part}-{digest.removeprefix('sha256:')}.json"


def test_a_policy_comes_back_by_its_digest(parts: StoredParts) -> None:
    parts.put_policies(POLICY)
    parts.put_policies(OTHER)
    assert parts.policies(POLICY.digest) == POLICY
    assert parts.policies(OTHER.digest) == OTHER
    assert parts.digests("policies") == tuple(sorted((POLICY.digest, OTHER.digest)))
    assert parts.digests("settings") == ()


def test_settings_come_back_by_their_digest(parts: StoredParts) -> None:
    parts.put_settings(SETTINGS)
    (digest,) = parts.digests("settings")
    assert parts.settings(digest) == SETTINGS


def test_parts_stand_beside_the_workers_of_their_origin(tmp_path: Path, parts: StoredParts) -> None:
    worker = worker_directory(tmp_path / "audit", origin="gw.example/audit", worker="0")
    assert parts.directory == worker.parent / "parts"


def test_no_worker_can_be_called_as_the_parts_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`parts` cannot name an audit log"):
        worker_directory(tmp_path, origin="gw.example", worker="parts")


def test_putting_again_leaves_the_file_as_it_is(parts: StoredParts) -> None:
    parts.put_policies(POLICY)
    before = file_of(parts, POLICY.digest).stat()
    parts.put_policies(POLICY)
    after = file_of(parts, POLICY.digest).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_else_is_left_behind(parts: StoredParts) -> None:
    parts.put_policies(POLICY)
    assert [path.name for path in parts.directory.iterdir()] == [file_of(parts, POLICY.digest).name]


def test_a_damaged_file_is_refused_and_putting_mends_it(parts: StoredParts) -> None:
    parts.put_policies(POLICY)
    path = file_of(parts, POLICY.digest)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SourceError, match="is no stored policy of a known form"):
        parts.policies(POLICY.digest)
    parts.put_policies(POLICY)
    assert parts.policies(POLICY.digest) == POLICY


def test_a_file_under_another_policy_s_name_is_refused(parts: StoredParts) -> None:
    parts.put_policies(OTHER)
    file_of(parts, OTHER.digest).rename(file_of(parts, POLICY.digest))
    with pytest.raises(SourceError, match="not the one it is named after"):
        parts.policies(POLICY.digest)


def test_changed_settings_are_refused(parts: StoredParts) -> None:
    parts.put_settings(SETTINGS)
    (digest,) = parts.digests("settings")
    file_of(parts, digest, "settings").write_bytes(SETTINGS + b" ")
    with pytest.raises(SourceError, match="is not what its name says"):
        parts.settings(digest)


def test_what_was_never_put_is_not_stored(parts: StoredParts) -> None:
    with pytest.raises(SourceError, match="is not stored"):
        parts.policies(POLICY.digest)
    assert parts.digests("policies") == ()


@pytest.mark.parametrize("digest", ["", "sha256:../../etc/passwd", "sha256:" + "G" * 64, "a" * 64])
def test_what_is_no_digest_names_no_file(parts: StoredParts, digest: str) -> None:
    with pytest.raises(SourceError, match="a digest is `sha256:` and 64 hex digits"):
        parts.policies(digest)


def test_a_place_that_takes_no_file_is_an_error_with_its_path(
    tmp_path: Path, parts: StoredParts
) -> None:
    (tmp_path / "audit").write_text("a file where a directory should be")
    with pytest.raises(AuditError, match=r"policies-\w+.json`: cannot be stored: not a directory"):
        parts.put_policies(POLICY)


def test_a_link_that_waits_where_the_file_is_written_is_not_followed(
    tmp_path: Path, parts: StoredParts
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    parts.directory.mkdir(parents=True)
    path = file_of(parts, POLICY.digest)
    path.with_name(f".{path.name}.{os.getpid()}").symlink_to(victim)
    with pytest.raises(AuditError, match="cannot be stored"):
        parts.put_policies(POLICY)
    assert victim.read_text() == "precious"

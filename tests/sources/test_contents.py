"""What stands in a policy directory, as a bundle."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.core.policy.bundle import SIGNATURE_FILE, digest_of
from gateway.sources.contents import MAX_FILE_BYTES, read_contents


def digest(path: Path) -> str:
    return digest_of(read_contents(path).manifest())


def fill(directory: Path) -> Path:
    (directory / "more").mkdir(parents=True)
    (directory / "a.yaml").write_text("one")
    (directory / "more/b.yaml").write_text("two")
    (directory / "README.md").write_text("words")
    return directory


def test_the_same_files_are_the_same_bundle_wherever_they_stand(tmp_path: Path) -> None:
    here, there = fill(tmp_path / "here"), fill(tmp_path / "there/below")
    os.utime(there / "a.yaml", (1, 1))
    (there / "a.yaml").chmod(0o600)
    assert digest(here) == digest(there)


def test_any_other_byte_name_or_file_is_another_bundle(tmp_path: Path) -> None:
    digests = {digest(fill(tmp_path / "0"))}
    for number, (name, text) in enumerate(
        [("a.yaml", "One"), ("README.md", "word"), ("c.yaml", ""), ("more/b.yml", "two")], start=1
    ):
        directory = fill(tmp_path / str(number))
        (directory / name).write_text(text)
        digests.add(digest(directory))
    moved = fill(tmp_path / "moved")
    (moved / "more/b.yaml").rename(moved / "b.yaml")
    digests.add(digest(moved))
    gone = fill(tmp_path / "gone")
    (gone / "README.md").unlink()
    digests.add(digest(gone))
    assert len(digests) == 7


def test_hidden_names_and_the_signature_are_no_part_of_a_bundle(tmp_path: Path) -> None:
    plain, signed = fill(tmp_path / "plain"), fill(tmp_path / "signed")
    (signed / SIGNATURE_FILE).write_text("{}")
    (signed / ".git").mkdir()
    (signed / ".git/config.yaml").write_text("hidden")
    contents = read_contents(signed)
    assert digest(plain) == digest(signed)
    assert contents.signature == b"{}"
    assert [file.name for file in contents.files] == ["README.md", "a.yaml", "more/b.yaml"]


def test_a_signature_further_down_is_a_file_like_any_other(tmp_path: Path) -> None:
    directory = fill(tmp_path / "0")
    (directory / "more" / SIGNATURE_FILE).write_text("{}")
    assert read_contents(directory).signature is None
    assert digest(directory) != digest(fill(tmp_path / "1"))


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    plain, linked = fill(tmp_path / "plain"), fill(tmp_path / "linked")
    (tmp_path / "elsewhere").write_text("one")
    (linked / "a.yaml").unlink()
    (linked / "a.yaml").symlink_to(tmp_path / "elsewhere")
    assert digest(plain) == digest(linked)
    (tmp_path / "elsewhere").write_text("other")
    assert digest(plain) != digest(linked)


def test_one_file_alone_is_a_bundle_of_a_policy_file(tmp_path: Path) -> None:
    (tmp_path / "ours.policy").write_text("one")
    (file,) = read_contents(tmp_path / "ours.policy").files
    assert (file.name, file.is_policy) == ("ours.policy.yaml", True)


def test_what_cannot_stand_in_a_bundle_is_a_finding_and_the_rest_is_read(tmp_path: Path) -> None:
    directory = fill(tmp_path / "0")
    (directory / "line\nbreak.yaml").write_text("")
    (directory / "large.pdf").write_bytes(b"\0" * (MAX_FILE_BYTES + 1))
    os.mkfifo(directory / "pipe.yaml")
    os.mkfifo(directory / "pipe")
    contents = read_contents(directory)
    assert {finding.message for finding in contents.findings} == {
        "has a name that cannot stand in a bundle",
        f"is longer than {MAX_FILE_BYTES} bytes",
        "is not a regular file",
    }
    assert len(contents.findings) == len(contents.files) == 3

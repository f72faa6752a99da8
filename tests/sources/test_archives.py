"""Archives of a policy directory: the same bundle as the directory, or a refusal; never a file."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.policy.bundle import SIGNATURE_FILE, digest_of
from gateway.sources.archives import MAX_ARCHIVE_BYTES, read_offered, unpack
from gateway.sources.contents import MAX_FILE_BYTES, read_contents

FILES = {"a.yaml": b"one", "more/b.yaml": b"two", "README.md": b"words"}
Pack = Callable[[dict[str, bytes]], bytes]


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_with(kind: bytes, name: str = "link.yaml", target: str = "/etc/passwd") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    return buffer.getvalue()


def zip_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("link.yaml")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def refusal(content: bytes) -> str:
    contents = unpack(content, path="there")
    assert contents.files == ()
    (finding,) = contents.findings
    assert finding.path == "there"
    return finding.message


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_an_archive_is_the_same_bundle_as_its_directory(tmp_path: Path, pack: Pack) -> None:
    for name, content in FILES.items():
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_bytes(content)
    packed = {f"./{name}": content for name, content in FILES.items()}
    (tmp_path / "bundle").write_bytes(
        pack({**packed, "./.git/config": b"hidden", f"./{SIGNATURE_FILE}": b"{}"})
    )
    contents = read_offered(tmp_path / "bundle")
    assert contents.findings == ()
    assert contents.signature == b"{}"
    assert digest_of(contents.manifest()) == digest_of(read_contents(tmp_path / "here").manifest())
    assert read_offered(tmp_path / "here") == read_contents(tmp_path / "here")


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize(
    "name", ["../a.yaml", "/a.yaml", "more/../../a.yaml", "a\\b.yaml", "a\n.yaml", "more//a.yaml"]
)
def test_a_name_that_leads_elsewhere_is_refused(pack: Pack, name: str) -> None:
    assert "cannot be the name of a file" in refusal(pack({name: b"one"}))


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(pack: Pack) -> None:
    assert "stands twice" in refusal(pack({"a.yaml": b"one", "./a.yaml": b"two"}))


@pytest.mark.parametrize(
    "content",
    [
        tar_with(tarfile.SYMTYPE),
        tar_with(tarfile.LNKTYPE),
        tar_with(tarfile.CHRTYPE),
        tar_with(tarfile.FIFOTYPE),
        zip_link(),
    ],
    ids=["symbolic link", "hard link", "device", "pipe", "link in a zip"],
)
def test_links_and_devices_are_refused(content: bytes) -> None:
    assert "is no regular file" in refusal(content)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_bomb_is_refused_before_it_goes_off(pack: Pack) -> None:
    assert "is longer than" in refusal(pack({"a.yaml": bytes(MAX_FILE_BYTES + 1)}))
    many = {f"{number}.yaml": bytes(MAX_FILE_BYTES) for number in range(9)}
    assert len(pack(many)) < 1 << 20
    assert "hold more than 64 MiB" in refusal(pack(many))
    assert "more than 4096 files" in refusal(pack({f"{n}.yaml": b"" for n in range(4097)}))


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    content = zip_of({"a.yaml": bytes(1000)})
    size = (1000).to_bytes(4, "little")
    assert refusal(content.replace(size, (10).to_bytes(4, "little"))) == "is no whole archive"


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_piece_of_an_archive_is_refused(pack: Pack) -> None:
    content = pack({name: text * 100 for name, text in FILES.items()})
    for length in range(4, len(content) - 1, 7):
        assert refusal(content[:length])


def test_a_file_that_is_too_long_for_an_archive_is_a_finding(tmp_path: Path) -> None:
    with (tmp_path / "bundle").open("wb") as file:
        file.write(b"\x1f\x8b")
        file.truncate(MAX_ARCHIVE_BYTES + 1)
    (finding,) = read_offered(tmp_path / "bundle").findings
    assert "is longer than" in finding.message
    (finding,) = read_offered(tmp_path / "nothing").findings
    assert "no such file" in finding.message

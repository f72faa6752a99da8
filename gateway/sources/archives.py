"""A policy directory as one archive, zip or tar.gz: unpacked into memory, within limits.

Names come from whoever made the archive, so each has to be one that can stand in a bundle: nothing
leads out of it. Links, devices and encrypted members are refused; nothing is ever written to disk
under a name of the archive. What is unpacked is bounded before it is unpacked, and again while.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from gateway.core.policy.bundle import SIGNATURE_FILE, is_plain
from gateway.errors import Finding, FindingsError
from gateway.sources.contents import (
    MAX_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Content,
    Contents,
    read_contents,
)
from gateway.sources.yaml_file import read_bytes

MAX_ARCHIVE_BYTES: Final = 32 << 20
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_SPARE_MEMBERS: Final = 4  # directories and dot files beside those that count
_GZIP_WINDOW: Final = 31  # zlib's word for a gzip header and trailer
_MAX_TAR_BYTES: Final = MAX_BYTES + MAX_FILES * _SPARE_MEMBERS * 2 * tarfile.BLOCKSIZE
_ENCRYPTED: Final = 0x1


class _RefusedError(ValueError):
    """An archive that is not taken, in words."""


def is_archive(start: bytes) -> bool:
    """Tell whether a file begins as an archive does that can be read here."""
    return start.startswith((_GZIP, *_ZIP))


def read_offered(root: Path) -> Contents:
    """Read a policy directory, an archive of one, or one policy file."""
    try:
        if not root.is_file():
            return read_contents(root)
        with root.open("rb") as file:
            start = file.read(4)
        if not is_archive(start):
            return read_contents(root)
        return unpack(read_bytes(root, max_bytes=MAX_ARCHIVE_BYTES), path=str(root))
    except FindingsError as error:
        return Contents(files=(), findings=error.findings)
    except OSError:
        return read_contents(root)  # it says why


def unpack(content: bytes, *, path: str) -> Contents:
    """Read every file of an archive; one that has any fault has no files.

    Args:
        content: the archive, whole.
        path: stands in the findings.
    """
    try:
        members = _tar(content) if content.startswith(_GZIP) else _zip(content)
        return _contents(members, path)
    except _RefusedError as error:
        words = str(error)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        words = "is no whole archive"
    except (NotImplementedError, RuntimeError):
        words = "is packed in a way that is not read here"
    return Contents(files=(), findings=(Finding(path=path, line=0, column=0, message=words),))


def _contents(members: Iterator[tuple[str, bytes]], path: str) -> Contents:
    files, signature = dict[str, Content](), None
    size = 0
    for name, content in members:
        size += len(content)
        if size > MAX_BYTES:
            raise _RefusedError(f"its files hold more than {MAX_BYTES >> 20} MiB")
        if name in files or (name == SIGNATURE_FILE and signature is not None):
            raise _RefusedError(f"`{name}` stands twice in it")
        if name == SIGNATURE_FILE:
            signature = content
        else:
            files[name] = Content(name=name, path=f"{path}/{name}", content=content)
        if len(files) > MAX_FILES:
            raise _RefusedError(f"more than {MAX_FILES} files")
    ordered = tuple(files[name] for name in sorted(files))
    return Contents(files=ordered, signature=signature)


def _tar(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(_unzipped(content)), mode="r:") as archive:
        for number, member in enumerate(archive):
            if number > MAX_FILES * _SPARE_MEMBERS:
                raise _RefusedError(f"more than {MAX_FILES} files")
            name = _checked(member.name)
            if member.isdir() or name is None:
                continue
            if not member.isreg():
                raise _RefusedError(f"`{name}` in it is no regular file")
            source = archive.extractfile(member)
            if source is not None:
                yield name, _read(source, name, member.size)


def _unzipped(content: bytes) -> bytes:
    """Return a tar file with its end: reading member by member would take a piece for the whole.

    Raises:
        _RefusedError: it is too large, or not whole.
    """
    unzip = zlib.decompressobj(wbits=_GZIP_WINDOW)
    plain = unzip.decompress(content, _MAX_TAR_BYTES)
    if unzip.unconsumed_tail:
        raise _RefusedError(f"its files hold more than {MAX_BYTES >> 20} MiB")
    if not unzip.eof or unzip.unused_data or not plain.endswith(bytes(2 * tarfile.BLOCKSIZE)):
        raise _RefusedError("is no whole archive")
    return plain


def _zip(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if len(archive.infolist()) > MAX_FILES * _SPARE_MEMBERS:
            raise _RefusedError(f"more than {MAX_FILES} files")
        for member in archive.infolist():
            name = _checked(member.filename)
            if member.is_dir() or name is None:
                continue
            mode = member.external_attr >> 16
            if mode & 0o170000 not in {0, 0o100000}:
                raise _RefusedError(f"`{name}` in it is no regular file")
            if member.flag_bits & _ENCRYPTED:
                raise _RefusedError(f"`{name}` in it is encrypted")
            with archive.open(member) as source:
                yield name, _read(source, name, member.file_size)


def _checked(name: str) -> str | None:
    """Return a name as in a directory; None for what a directory would pass over.

    Raises:
        _RefusedError: it leads elsewhere, or cannot stand in a bundle.
    """
    plain = name.removeprefix("./").removesuffix("/")
    if plain in {"", "."}:
        return None
    if not is_plain(plain):
        raise _RefusedError(f"`{name[:80]!a}` in it cannot be the name of a file in a bundle")
    return None if any(part.startswith(".") for part in plain.split("/")) else plain


def _read(source: IO[bytes], name: str, announced: int) -> bytes:
    if announced > MAX_FILE_BYTES:
        raise _RefusedError(f"`{name}` in it is longer than {MAX_FILE_BYTES} bytes")
    content = source.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise _RefusedError(f"`{name}` in it is longer than {MAX_FILE_BYTES} bytes")
    return content

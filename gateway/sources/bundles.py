"""Policy bundles kept by their digest: every file once, by its content, and a manifest for each.

A bundle that was active can be put back years later, byte for byte. What is read is held to the
digest that it is kept under, so a file that was changed on disk is never judged by.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from gateway.audit.files import OsFiles
from gateway.core.policy.bundle import Manifest, digest_of, read_manifest
from gateway.errors import SourceError, words_of
from gateway.sources.contents import MAX_BYTES, MAX_FILE_BYTES, Content, Contents
from gateway.sources.durable import holds, place

_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_MAX_MANIFEST: Final = 16 << 20


class Bundles:
    """`<directory>/manifests/<digest>.json` and `<directory>/files/<digest>`; everything blocks."""

    def __init__(self, directory: Path) -> None:
        """Name the directory; it is made when something is put there."""
        self._directory = directory

    def put(self, contents: Contents) -> str:
        """Keep a bundle so that it survives a loss of power; return its digest.

        The manifest comes last: where it stands, every file does.

        Raises:
            SourceError: it cannot be kept.
            ValueError: it has a name that cannot stand in a bundle.
        """
        manifest = contents.manifest()
        digest = digest_of(manifest)
        try:
            for file in contents.files:
                self._put(self._file(hashlib.sha256(file.content).hexdigest()), file.content)
            # Also what was there before: whoever put it may have been killed before this.
            OsFiles().sync_directory(self._directory / "files")
            self._put(self._manifest(digest), manifest)
            OsFiles().sync_directory(self._directory / "manifests")
        except OSError as error:
            raise SourceError(
                f"`{self._directory}`: cannot be written: {words_of(error)}\n"
                "    hint: nothing is activated that cannot be kept; see the disk, then reload"
            ) from error
        return digest

    def get(self, digest: str) -> Contents:
        """Return a bundle, every file held to its digest; findings name files by the bundle.

        Raises:
            SourceError: it is not kept, or is not what its digest says.
        """
        manifest = self.manifest(digest)
        if sum(entry.size for entry in manifest.files) > MAX_BYTES:
            raise SourceError(f"`{self._manifest(digest)}`: names more than can be a bundle")
        files = list[Content]()
        for entry in manifest.files:
            path = self._file(entry.sha256)
            content = _read(path, MAX_FILE_BYTES)
            if hashlib.sha256(content).hexdigest() != entry.sha256:
                raise SourceError(f"`{path}`: is not what its name says")
            files.append(Content(name=entry.name, path=f"{digest}/{entry.name}", content=content))
        return Contents(files=tuple(files))

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest of a bundle.

        Raises:
            SourceError: it is not kept, or is not what its digest says.
        """
        path = self._manifest(digest)
        content = _read(path, _MAX_MANIFEST)
        try:
            return read_manifest(content, digest=digest)
        except ValueError as error:
            raise SourceError(f"`{path}`: {error}") from error

    def _manifest(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise SourceError(f"`{digest[:80]}`: is no digest: `sha256:` and 64 hex digits")
        return self._directory / "manifests" / f"{match[1]}.json"

    def _file(self, sha256: str) -> Path:
        return self._directory / "files" / sha256

    def _put(self, path: Path, content: bytes) -> None:
        if not holds(path, content):
            place(path, content)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError as error:
        raise SourceError(f"`{path}`: is not kept here") from error
    except OSError as error:
        raise SourceError(f"`{path}`: cannot be read: {words_of(error)}") from error
    if len(content) > limit:
        raise SourceError(f"`{path}`: is longer than {limit} bytes")
    return content

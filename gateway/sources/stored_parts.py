"""Parts of the snapshot, kept by digest beside the audit log: what decisions were made under.

`<audit.dir>/<origin>/parts/` holds a file for each, `policies-<64 hex digits>.json` and
`settings-<64 hex digits>.json`. A part is stored, and survives a loss of power, before anything is
decided under it, so a record can be judged again under the very policy that it names. Files are
only ever added; one that is there is left alone unless its bytes differ (a policy's digest is over
its meaning: newer words take the place of older ones).

Every method blocks. Which way it fails: closed; what cannot be stored is not activated.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final, Literal

from gateway.audit.files import OsFiles
from gateway.core.policy.model import Policies
from gateway.core.policy.stored import from_stored, stored_form
from gateway.errors import AuditError, SourceError, words_of
from gateway.sources.durable import holds, place

PartName = Literal["policies", "settings"]

_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")
_NAME: Final = re.compile("(?P<part>policies|settings)-(?P<hex>[0-9a-f]{64})[.]json")
_MAX_BYTES: Final = 256 << 20


class StoredParts:
    """The parts of one origin."""

    def __init__(self, directory: Path) -> None:
        """Name the directory (see `gateway.audit.segments.parts_directory`); it need not exist."""
        self.directory = directory

    def put_policies(self, policies: Policies) -> None:
        """Keep a policy; it is durable when this returns.

        Raises:
            AuditError: it is not.
        """
        self._put("policies", policies.digest, stored_form(policies))

    def put_settings(self, meaning: bytes) -> None:
        """Keep the meaning of settings (see `Settings.meaning`); it is durable when this returns.

        Raises:
            AuditError: it is not.
        """
        self._put("settings", _sha256(meaning), meaning)

    def policies(self, digest: str) -> Policies:
        """Return the policy with a digest, compiled anew from what was kept.

        Raises:
            SourceError: it is not stored, cannot be read, or is not what its name says.
        """
        path, content = self._get("policies", digest)
        try:
            return from_stored(content, digest=digest)
        except ValueError as error:
            raise SourceError(f"`{path}`: {error}") from error

    def settings(self, digest: str) -> bytes:
        """Return the meaning of the settings with a digest.

        Raises:
            SourceError: they are not stored, cannot be read, or are not what their name says.
        """
        path, content = self._get("settings", digest)
        if _sha256(content) != digest:
            raise SourceError(f"`{path}`: is not what its name says")
        return content

    def digests(self, part: PartName) -> tuple[str, ...]:
        """Return the digests of all stored parts of a kind, sorted; whether they hold is not seen.

        Raises:
            SourceError: the directory cannot be listed.
        """
        try:
            there = self.directory.exists()
            names = [path.name for path in self.directory.iterdir()] if there else []
        except OSError as error:
            raise SourceError(f"`{self.directory}`: cannot be listed: {words_of(error)}") from error
        found = (match for name in names if (match := _NAME.fullmatch(name)))
        return tuple(sorted(f"sha256:{match['hex']}" for match in found if match["part"] == part))

    def _path(self, part: PartName, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError("a digest is `sha256:` and 64 hex digits")
        return self.directory / f"{part}-{digest.removeprefix('sha256:')}.json"

    def _get(self, part: PartName, digest: str) -> tuple[Path, bytes]:
        try:
            path = self._path(part, digest)
        except ValueError as error:
            raise SourceError(f"`{self.directory}`: {error}") from error
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except FileNotFoundError as error:
            raise SourceError(f"`{path}`: is not stored") from error
        except OSError as error:
            raise SourceError(f"`{path}`: cannot be read: {words_of(error)}") from error
        if len(content) > _MAX_BYTES:
            raise SourceError(f"`{path}`: is larger than {_MAX_BYTES >> 20} MiB")
        return path, content

    def _put(self, part: PartName, digest: str, content: bytes) -> None:
        path, files = self._path(part, digest), OsFiles()
        try:
            files.make_directory(self.directory)
            if not holds(path, content):
                place(path, content)
            # Also where the file was there: who put it may have been killed before this.
            files.sync_directory(self.directory)
        except OSError as error:
            raise AuditError(f"`{path}`: cannot be stored: {words_of(error)}") from error


def _sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()

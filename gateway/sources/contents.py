"""The files of a policy directory, read once into memory: what is hashed is what is judged by.

Every regular file counts, policy or not, so that a digest over them says what stands there. Names
that begin with a dot are passed over: a Kubernetes volume keeps its versions under `..data`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.policy.bundle import SIGNATURE_FILE, entry_of, is_plain, manifest_of
from gateway.errors import Finding, FindingsError, words_of
from gateway.sources.yaml_file import read_bytes

MAX_FILES: Final = 4_096
MAX_FILE_BYTES: Final = 8 << 20
MAX_BYTES: Final = 64 << 20
_MAX_POLICY_FILES: Final = 1_000
_MAX_DEPTH: Final = 16
_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One file: its name in the bundle, its path for people, and what it holds."""

    name: str
    path: str
    content: bytes

    @property
    def is_policy(self) -> bool:
        """Whether policy is read from it."""
        return has_policy_suffix(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that stands in a directory.

    Attributes:
        files: sorted by name; without the signature.
        findings: on what cannot be read, or might have been meant and is not taken.
        signature: what the signature file holds, where there is one.
    """

    files: tuple[Content, ...]
    findings: tuple[Finding, ...] = ()
    signature: bytes | None = None

    def manifest(self) -> bytes:
        """Return the canonical manifest; see `gateway.core.policy.bundle`."""
        return manifest_of(entry_of(file.name, file.content) for file in self.files)


def has_policy_suffix(name: str) -> bool:
    """Tell whether a name is that of a policy file."""
    return name.lower().endswith(tuple(_SUFFIXES))


def read_contents(root: Path) -> Contents:
    """Read every file of a directory; or one policy file, whatever its suffix.

    A file that a directory does not let go into its bundle is a finding, and the rest is read.
    """
    reading = _Reading(root)
    for entry in _below(root, depth=0):
        if isinstance(entry, Finding):
            reading.findings.append(entry)
        elif not reading.take(entry):
            break
    return Contents(
        files=tuple(sorted(reading.files, key=_bundle_name)),
        findings=tuple(reading.findings),
        signature=reading.signature,
    )


class _Reading:
    """What was read so far, within the limits."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files, self.findings = list[Content](), list[Finding]()
        self.signature: bytes | None = None
        self._bytes = self._policies = 0

    def take(self, path: Path) -> bool:
        """Read one file; tell whether there may be another."""
        name = _name(path, self._root)
        self._policies += has_policy_suffix(name)
        try:
            content = read_bytes(path, max_bytes=MAX_FILE_BYTES)
        except FindingsError as error:
            self.findings.extend(error.findings)
            return True
        self._bytes += len(content)
        excess = self._excess()
        if excess:
            self.findings.append(_whole(self._root, excess))
        elif name == SIGNATURE_FILE:
            self.signature = content
        elif is_plain(name):
            self.files.append(Content(name=name, path=str(path), content=content))
        else:
            self.findings.append(_whole(path, "has a name that cannot stand in a bundle"))
        return not excess

    def _excess(self) -> str:
        if self._policies > _MAX_POLICY_FILES:
            return f"more than {_MAX_POLICY_FILES} policy files"
        if len(self.files) == MAX_FILES:
            return f"more than {MAX_FILES} files"
        if self._bytes > MAX_BYTES:
            return f"its files hold more than {MAX_BYTES >> 20} MiB"
        return ""


def _name(path: Path, root: Path) -> str:
    """Return the name in the bundle; one file alone is a policy file also by its name there."""
    if path == root:
        return path.name if has_policy_suffix(path.name) else f"{path.name}.yaml"
    return path.relative_to(root).as_posix()


def _bundle_name(file: Content) -> str:
    return file.name


def _below(path: Path, *, depth: int) -> Iterator[Path | Finding]:
    """Yield regular files sorted by path, and findings on what cannot be taken for one."""
    try:
        mode = path.stat().st_mode
        linked = depth > 1 and path.is_symlink()
        entries = sorted(path.iterdir()) if stat.S_ISDIR(mode) and not linked else []
    except OSError as error:
        yield _whole(path, f"cannot be read: {words_of(error)}")
        return
    kept = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    if kept and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        hint = f"take that right away: chmod o-w {path}"
        yield _whole(path, "can be written by every user of this machine", hint)
    if stat.S_ISREG(mode):
        yield path
    elif stat.S_ISDIR(mode):
        yield from _inside(path, entries, linked=linked, depth=depth)
    elif depth == 0 or has_policy_suffix(path.name):
        yield _whole(path, "is not a regular file")


def _inside(
    path: Path, entries: list[Path], *, linked: bool, depth: int
) -> Iterator[Path | Finding]:
    if linked:
        hint = "links to directories are followed at the top level only"
        yield _whole(path, "is a link to a directory", hint)
    elif entries and depth == _MAX_DEPTH:
        yield _whole(path, f"directories are nested deeper than {_MAX_DEPTH} levels")
        return
    for entry in entries:
        if not entry.name.startswith("."):
            yield from _below(entry, depth=depth + 1)


def _whole(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(path=str(path), line=0, column=0, message=message, hint=hint)

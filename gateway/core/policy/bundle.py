"""A policy bundle: the files that policy is read from, under one digest.

The manifest names every file with its size and SHA-256, sorted by name, and nothing else: the same
files are the same bundle wherever they stand and whenever they were written. What is signed, stored
and activated is the digest of the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Literal

import msgspec

# Beside the files, in the top directory, and no part of what is hashed.
SIGNATURE_FILE: Final = "bundle.sig.json"

_MAX_NAME: Final = 1_024


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: relative name with `/` between the parts, bytes, SHA-256 in 64 hex digits."""

    name: str
    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All files of a bundle, sorted by name."""

    facegate: Literal["bundle/v1"] = "bundle/v1"
    files: tuple[Entry, ...]


_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[Manifest] = msgspec.json.Decoder(Manifest)


def entry_of(name: str, content: bytes) -> Entry:
    """Return the entry of a file."""
    return Entry(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def manifest_of(entries: Iterable[Entry]) -> bytes:
    """Return the canonical manifest of files: JSON with sorted keys and no white space.

    Raises:
        ValueError: a name stands twice, or cannot stand in a bundle.
    """
    files = tuple(sorted(entries, key=_name))
    for before, after in pairwise(files):
        if before.name == after.name:
            raise ValueError(f"`{before.name}` stands twice")
    for entry in files:
        if not is_plain(entry.name):
            raise ValueError(f"`{entry.name!a}` cannot be the name of a file in a bundle")
    return _encoder.encode(Manifest(files=files))


def read_manifest(content: bytes, *, digest: str) -> Manifest:
    """Read a manifest that was stored under its digest.

    Raises:
        ValueError: it is another one, or none.
    """
    if digest_of(content) != digest:
        raise ValueError("the manifest is not what its digest says")
    try:
        manifest = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("is no manifest of a known form") from error
    if manifest_of(manifest.files) != content:
        raise ValueError("the manifest is not in canonical form")
    return manifest


def digest_of(manifest: bytes) -> str:
    """Return the bundle's digest: `sha256:` and 64 hex digits over the manifest."""
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


def is_plain(name: str) -> bool:
    """Tell whether a name is relative, leads nowhere else, and is the same text everywhere."""
    parts = name.split("/")
    return (
        0 < len(name) <= _MAX_NAME
        and name.isprintable()
        and "\\" not in name
        and not any(part in {"", ".", ".."} for part in parts)
    )


def _name(entry: Entry) -> str:
    return entry.name

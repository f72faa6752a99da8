"""A disk of its own, small enough to be full in a moment; where mounting is not allowed, a skip.

What it does to each writer has a test that needs no mount as well: see `tests.no_room`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_PIECE = 4_096


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """Where it is mounted; a file takes what room there is left."""

    path: Path

    def fill(self) -> None:
        """Leave no room at all."""
        ballast = self.path / "ballast"
        with suppress(OSError), ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(_PIECE))
        assert os.statvfs(self.path).f_bavail == 0

    def free(self) -> None:
        """Give the room back."""
        (self.path / "ballast").unlink()


@contextmanager
def small_disk(path: Path, *, megabytes: int = 2) -> Iterator[SmallDisk]:
    """Mount a small file system in memory at a new directory until the end of the block."""
    path.mkdir()
    options = f"size={megabytes}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)

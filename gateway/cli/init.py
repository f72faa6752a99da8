"""`facegate init`."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from gateway.cli.output import EXIT_FINDINGS, EXIT_OK, fail
from gateway.cli.starting_point import GATEWAY_YAML, NEXT_STEPS, TENANTS_YAML
from gateway.errors import words_of
from gateway.sources.packs import packs_directory

_POLICIES = "policies"
_TEXTS = {"gateway.yaml": GATEWAY_YAML, "tenants.yaml": TENANTS_YAML}


def run_init(directory: Path) -> int:
    """Write a commented starting point; all of it, or nothing where anything stands in the way.

    Returns:
        0 if it stands, 1 if something was in the way or the disk refused.
    """
    standing = _standing(directory)
    if standing:
        for path in standing:
            fail(f"`{path}` is in the way")
        fail("nothing was written", hint="name another directory, or move these away")
        return EXIT_FINDINGS
    try:
        _write(directory)
    except OSError as error:
        fail(f"`{error.filename or directory}`: {words_of(error)}")
        return EXIT_FINDINGS
    for name in (*_TEXTS, _POLICIES):
        print(f"wrote {directory / name}")
    print()
    print(NEXT_STEPS.format(directory=shlex.quote(str(directory))), end="")
    return EXIT_OK


def _standing(directory: Path) -> list[Path]:
    """Return what would be overwritten; a link to nothing would be followed, so it counts."""
    if not directory.is_dir():
        return [directory] if _is_there(directory) else []
    return [path for name in (*_TEXTS, _POLICIES) if _is_there(path := directory / name)]


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _write(directory: Path) -> None:
    packs = packs_directory()
    for pack in sorted(packs.rglob("*.yaml")):
        copy = directory / _POLICIES / pack.relative_to(packs)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Contents only: an installed package may be read-only, and these are there to be edited.
        shutil.copyfile(pack, copy)
    for name, text in _TEXTS.items():
        with (directory / name).open("x") as file:
            file.write(text)

"""How commands print: plain text for people, JSON for scripts, findings one a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

import msgspec
import typer

from gateway.cli.reports import github, sarif
from gateway.errors import Finding

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2


class Format(StrEnum):
    """Forms in which a command prints what it found."""

    text = "text"
    json = "json"


class FindingsFormat(StrEnum):
    """Forms in which a command prints mistakes in files."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class FailOn(StrEnum):
    """Changes that end a comparison with 1."""

    permit = "permit"
    refuse = "refuse"
    any = "any"


def print_json(value: object) -> None:
    """Print one JSON value, indented; paths as text."""
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=_text_of), indent=2).decode())


def _text_of(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON form for a `{type(value).__name__}`")


def print_findings(
    findings: Iterable[Finding],
    form: FindingsFormat | Format,
    *,
    command: str = "",
    notes: tuple[Finding, ...] | None = None,
) -> int:
    """Print findings and return the exit code that goes with them.

    Args:
        findings: in the order in which they are shown.
        form: as what.
        command: the command that found them, e.g. `check`; stands in what a code host shows.
        notes: what is no mistake; None where the command has none to tell.
    """
    found, more = tuple(findings), notes or ()
    match FindingsFormat(form.value):
        case FindingsFormat.text:
            words = [replace(note, message=f"note: {note.message}") for note in more]
            _print_each((*found, *words))
        case FindingsFormat.json:
            print_json({"findings": found} | ({} if notes is None else {"notes": notes}))
        case FindingsFormat.sarif:
            print_json(sarif(found, command=command, notes=more))
        case FindingsFormat.github:
            notices = [github(note, command=command, level="notice") for note in more]
            _print_each((*(github(finding, command=command) for finding in found), *notices))
        case _ as unreachable:
            assert_never(unreachable)
    return EXIT_FINDINGS if found else EXIT_OK


def _print_each(lines: Iterable[object]) -> None:
    for line in lines:
        print(line)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how far long work has come; nothing where stderr is no terminal.

    Yields:
        What to call with the steps that are done and the steps that there are.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with typer.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield tell


def fail(message: str, *, code: int = EXIT_USAGE, hint: str = "") -> typer.Exit:
    """Print what is wrong on stderr and return the exit to raise."""
    sys.stderr.write(f"facegate: {message}\n")
    if hint:
        sys.stderr.write(f"facegate: hint: {hint}\n")
    return typer.Exit(code)

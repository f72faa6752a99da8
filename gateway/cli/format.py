"""`facegate format`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gateway.cli.output import FindingsFormat, print_findings
from gateway.errors import Finding, FindingsError, words_of
from gateway.sources.contents import MAX_FILE_BYTES, has_policy_suffix
from gateway.sources.yaml_file import read_text
from gateway.sources.yaml_format import format_yaml

_HINT: Final = "run `facegate format` on it"


def run_format(paths: Sequence[Path], form: FindingsFormat, *, check_only: bool) -> int:
    """Format files in place, or only tell which are in another form.

    A file that cannot be formatted is a finding, and is left as it is; so are all others whose
    formatting failed. Files are replaced whole.
    """
    findings = list[Finding]()
    for path in _files(paths):
        try:
            text = read_text(path, max_bytes=MAX_FILE_BYTES)
            formatted = format_yaml(text, path=str(path))
            if formatted == text:
                continue
            if check_only:
                findings.append(_whole(path, "is not in its one form", _HINT))
                continue
            _replace(path, formatted)
        except FindingsError as error:
            findings += error.findings
        except OSError as error:
            findings.append(_whole(path, f"cannot be written: {words_of(error)}"))
        else:
            if form is FindingsFormat.text:
                print(f"{path}: formatted")
    return print_findings(findings, form, command="format")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that are named, and those below directories, sorted; no hidden ones."""
    for path in paths:
        if path.is_dir():
            below = sorted(found for found in path.rglob("*") if has_policy_suffix(found.name))
            yield from (
                found
                for found in below
                if found.is_file()
                and not any(part.startswith(".") for part in found.relative_to(path).parts)
            )
        else:
            yield path


def _replace(path: Path, text: str) -> None:
    """Replace what stands in a file, also behind a link, and keep its mode.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, "utf-8")
        beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _whole(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(path=str(path), line=0, column=0, message=message, hint=hint)

"""`facegate audit`."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.audit.verify import LogVerdict, verify
from gateway.cli.output import EXIT_FINDINGS, EXIT_OK, Format, print_findings, print_json


def run_verify(directory: Path, form: Format, *, closed: bool) -> int:
    """Verify every log below a directory."""
    verdict = verify(
        directory, closed=closed, progress=_Progress() if sys.stderr.isatty() else None
    )
    if form is Format.json:
        print_json(verdict)
    else:
        for log in verdict.logs:
            print(_line(log))
        print_findings(verdict.findings, form)
    return EXIT_OK if verdict.ok else EXIT_FINDINGS


def _line(log: LogVerdict) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(log.kinds.items()))
    still = f"; {len(log.open)} decisions open" if log.open else ""
    return f"{log.directory}: {log.lines} lines ({kinds}); root over {log.size}: {log.root}{still}"


class _Progress:
    """Counts bytes on stderr, a word for each 64 MiB."""

    def __init__(self) -> None:
        self._read = self._told = 0

    def __call__(self, count: int) -> None:
        self._read += count
        if self._read - self._told >= 64 << 20:
            self._told = self._read
            sys.stderr.write(f"\r{self._read >> 20} MiB read")

"""Reads back what the gateway recorded, so that the table shows the audit log's own words."""

from __future__ import annotations

from pathlib import Path

from gateway.audit.record import Decided, read_line


def decided_records(directory: Path) -> dict[str, Decided]:
    """Return the `decided` records below an audit directory by id; whole lines only.

    Raises:
        AuditError: a line is not a record.
        OSError: a file cannot be read.
    """
    records: dict[str, Decided] = {}
    for path in sorted(directory.rglob("*.jsonl")):
        lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last newline is not whole
        for record in map(read_line, lines):
            if isinstance(record, Decided):
                records[record.id] = record
    return records

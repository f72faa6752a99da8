"""`facegate classify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.app.captures import Answer, answer_file, answer_line
from gateway.cli.output import EXIT_FINDINGS, EXIT_OK, EXIT_USAGE, Format, fail, print_json
from gateway.core.catalog.model import Catalog
from gateway.errors import words_of
from gateway.sources.catalogs import load_catalog

_MOST_LINE_BYTES = 32 << 20  # the largest body in base64, and a head
_UNREADABLE = "refused at the door: malformed.syntax"


def run_classify(request: str, form: Format) -> int:
    """Classify the request in a file, or each line of stdin where the file is `-`."""
    if request == "-":
        return classify_lines(sys.stdin.buffer, sys.stdout.buffer, load_catalog())
    path = Path(request)
    try:
        content = path.read_bytes()
    except OSError as error:
        fail(f"`{path}` cannot be read: {words_of(error)}")
        return EXIT_USAGE
    found = answer_file(content, load_catalog(), name=path.name)
    if form is Format.json:
        print_json(found)
    else:
        print(_text_of(found))
    return EXIT_OK if found.disposition == "classify" else EXIT_FINDINGS


def classify_lines(source: BinaryIO, sink: BinaryIO, catalog: Catalog) -> int:
    """Answer each line with a line, at once.

    Returns:
        0 where every line could be read as a request, whatever the answer to it.
    """
    encoder = msgspec.json.Encoder()
    code = EXIT_OK
    try:
        while line := _next_line(source):
            if line.isspace():
                continue
            found = answer_line(line, catalog)
            if _UNREADABLE in found.reading and found.provider == "unknown":
                code = EXIT_FINDINGS
            sink.write(encoder.encode(found) + b"\n")
            sink.flush()
    except BrokenPipeError:  # who reads has seen enough
        return code
    return code


def _next_line(source: BinaryIO) -> bytes:
    """Read a line; of one that is too long only the beginning, which is no request."""
    line = source.readline(_MOST_LINE_BYTES)
    if len(line) == _MOST_LINE_BYTES and not line.endswith(b"\n"):
        while (more := source.readline(1 << 16)) and not more.endswith(b"\n"):
            pass
    return line


def _text_of(found: Answer) -> str:
    rows = {
        "disposition": found.disposition,
        "provider": found.provider,
        "operation": found.operation,
        "class": f"{found.operation_class} ({found.subclass})"
        if found.subclass
        else found.operation_class,
        "access": "" if found.access == "none" else found.access,
        "gallery": found.gallery,
        "destination": ", ".join(f"{each.kind} {each.value}" for each in found.destinations),
        "reason": found.reason,
        "reading": "\n             ".join(found.reading),
    }
    return "\n".join(f"{name + ':':<13}{value}" for name, value in rows.items() if value)

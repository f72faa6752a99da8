"""Takes out of a captured request what differs from run to run and from machine to machine."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping

from tests.capture.recorder import Arrived

DAY = "20260101"
_STAMP = f"{DAY}T000000Z"
_UUID = "00000000-0000-4000-8000-000000000000"
_HTTP_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"

# Headers (lower case) that say when, in which process or on which machine.
_HEADERS: Mapping[str, str] = {
    "accept-encoding": "gzip",
    "amz-sdk-invocation-id": _UUID,
    "date": _HTTP_DATE,
    "user-agent": "captured",
    "x-acs-date": "2026-01-01T00:00:00Z",
    "x-acs-signature-nonce": _UUID,
    "x-amz-date": _STAMP,
    "x-clarifai-request-id": _UUID,
    "x-date": _HTTP_DATE,
    "x-goog-api-client": "captured",
    "x-ms-client-request-id": _UUID,
    "x-sdk-client": "captured",
    "x-sdk-date": _STAMP,
    "x-sdk-invoke-type": "captured",
    "x-tc-requestclient": "captured",
    "x-tc-timestamp": "1767225600",
    "x-tc-traceid": _UUID,
    "opc-client-info": "captured",
    "opc-client-retries": "true",
    "opc-request-id": "0" * 32,
}
# Parameters of queries and forms that do.
_PARAMETERS: Mapping[str, str] = {
    "Nonce": "1",
    "Signature": "0",
    "SignatureNonce": _UUID,
    "Timestamp": "2026-01-01T00%3A00%3A00Z",
    "timestamp": "1767225600",
}
_SIGNED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=Signature=)[0-9a-f]{64}"), "0" * 64),
    (re.compile(r"(?<=/)20\d{6}(?=/)"), DAY),
    (re.compile(r"(?<=/)20\d\d-\d\d-\d\d(?=/)"), "2026-01-01"),
    (re.compile(r'(?<=signature=")[^"]+'), "0"),
)
# The same inside the parts of a batch.
_PARTS: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"(?<=Content-ID: <)[0-9a-f-]{36}"), _UUID.encode()),
    (re.compile(rb"(?<=x-goog-api-client: )[^\r\n]*"), b"captured"),
)
_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_PARAMETER = re.compile(r"(?<=[?&])([A-Za-z]+)=[^&]*")


def normalised(arrived: Arrived) -> Arrived:
    """Return the request with constants in place of dates, nonces, signatures and machines."""
    body = arrived.body
    lines = []
    boundary = ""
    for name, value in arrived.lines:
        if name.lower() == "content-type" and (found := _BOUNDARY.search(value)):
            boundary = found[1]
        lines.append((name, _header(name.lower(), value)))
    if boundary:
        other = "0" * len(boundary)
        body = body.replace(boundary.encode(), other.encode())
        lines = [(name, value.replace(boundary, other)) for name, value in lines]
        for pattern, constant in _PARTS:
            body = pattern.sub(constant, body)
    if "form-urlencoded" in dict(_lower(lines)).get("content-type", ""):
        body = _parameters(f"?{body.decode('latin-1')}")[1:].encode("latin-1")
    lines = [
        (name, str(len(body)) if name.lower() == "content-length" else value)
        for name, value in lines
    ]
    path, mark, query = arrived.target.partition("?")
    target = path + _parameters(mark + query) if mark else path
    return Arrived(arrived.method, target, tuple(lines), body)


def line_of(arrived: Arrived, said: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON form of a request, with what a person says of it first."""
    host = dict(_lower(arrived.lines))["host"]
    line = {
        **said,
        "method": arrived.method,
        "host": host,
        "target": arrived.target,
        "headers": [list(each) for each in arrived.lines],
    }
    try:
        text = arrived.body.decode()
    except UnicodeDecodeError:
        return {**line, "body_b64": b64encode(arrived.body).decode()}
    return {**line, "body": text} if text else line


def _lower(lines: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in lines]


def _header(name: str, value: str) -> str:
    if name in _HEADERS:
        return _HEADERS[name]
    if name == "authorization":
        for pattern, constant in _SIGNED:
            value = pattern.sub(constant, value)
    return value


def _parameters(query: str) -> str:
    return _PARAMETER.sub(
        lambda found: (
            f"{found[1]}={_PARAMETERS.get(found[1], '')}" if found[1] in _PARAMETERS else found[0]
        ),
        query,
    )

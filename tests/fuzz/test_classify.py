"""Requests that were bent at random: always an answer, and never milder than what would be sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from gateway.app.captures import BODY_BYTES, answer, answer_line
from gateway.core.catalog.classify import classify
from gateway.core.operation import Observed, Operation
from gateway.core.request import Request, Whole
from gateway.proxy.captured import Captured, read, read_json, read_raw
from gateway.proxy.forward import NoCredential, outbound_head
from gateway.sources.catalogs import load_catalog
from tests.capture.measure import measure

HERE = Path(__file__).parent
DISGUISES = (HERE / "corpus/disguises.jsonl").read_bytes().splitlines()
RECORDED = [
    line
    for path in sorted((HERE.parent / "capture/recorded").glob("*.jsonl"))
    for line in path.read_bytes().splitlines()
]
CATALOG = load_catalog()
PIECES = st.sampled_from(
    [*'/%?&=;#:,.\\"{}[]\0\r\n ', "%2F", "%00", "..", "//", "null", "Action=SearchFaces", "\u0130"]
)


@cache
def seed(index: int) -> dict[str, object]:
    value: dict[str, object] = json.loads([*RECORDED, *DISGUISES][index])
    return value


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Draw a line that is a seed with a part of it changed, or taken from another."""
    line = dict(seed(draw(st.integers(0, len(RECORDED) + len(DISGUISES) - 1))))
    other = seed(draw(st.integers(0, len(RECORDED) + len(DISGUISES) - 1)))
    part = draw(st.sampled_from(["target", "body", "headers", "method", "host", "none"]))
    if part in {"headers", "method", "host"} and draw(st.booleans()):
        line[part] = other[part]
    elif part in line and isinstance(line[part], str):
        text = str(line[part])
        at = draw(st.integers(0, len(text)))
        until = draw(st.integers(at, min(len(text), at + 3)))
        line[part] = text[:at] + draw(PIECES) + text[until:]
    headers = [*line["headers"], *draw(st.sampled_from([[], [["X-Amz-Target", "x"]]]))]  # type: ignore[misc]
    line["headers"] = [each for each in headers if each[0].lower() != "content-length"]
    return json.dumps(line).encode()


@pytest.mark.parametrize("line", DISGUISES, ids=lambda line: json.loads(line)["id"])
def test_a_disguise_of_the_corpus_is_seen_through(line: bytes) -> None:
    rates = measure([line], CATALOG)

    assert [str(miss) for miss in rates.misses] == []


@given(line=bent())
def test_every_line_has_an_answer_and_what_is_sent_is_read_as_what_was_judged(line: bytes) -> None:
    found = answer_line(line, CATALOG)
    captured = read_json(line)
    if found.disposition != "classify" or not isinstance(captured, Captured):
        return
    provider = CATALOG.providers.get(found.provider)
    request = read(captured, provider, body_bytes=BODY_BYTES) if provider else None
    if not isinstance(request, Request) or provider is None:
        return
    judged = classify(request, CATALOG, Observed())
    sent = outbound_head(
        request,
        upstream_host=captured.host,
        forward_headers=provider.forward_headers,
        credential=NoCredential(),
        body=captured.content,
        payload_sha256=None,
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    arrived = read_raw(sent + captured.content, name="sent")

    assert isinstance(arrived, Captured)
    again = read(arrived, provider, body_bytes=BODY_BYTES)
    assert isinstance(again, Request)
    if isinstance(judged, Operation):
        reread = classify(again, CATALOG, Observed())
        assert isinstance(reread, Operation)
        assert (reread.name, reread.operation_class) == (judged.name, judged.operation_class)


@given(content=st.binary(max_size=200))
def test_bytes_of_any_kind_have_an_answer(content: bytes) -> None:
    assert answer_line(content, CATALOG).operation_class == "unknown"
    raw = read_raw(content, name="x")
    if isinstance(raw, Captured):
        assert answer(raw, CATALOG).id == "x"
        assert Whole(raw.content).content == raw.content

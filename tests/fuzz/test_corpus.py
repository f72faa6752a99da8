"""Every message that a fuzzer began with, or found, holds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies as st

from gateway.core.catalog.model import Catalog
from tests.core.catalog.build import shipped
from tests.fuzz.target import corpus_of, hold, providers


@pytest.mark.parametrize("name", providers())
def test_everything_in_the_corpus_holds(name: str) -> None:
    found = {hold(name, path.read_bytes()) for path in sorted(corpus_of(name).iterdir())}

    assert len(found) >= 3  # some operations among it, or nothing was tried


@given(st.sampled_from(providers()), st.data())
def test_what_was_cut_out_of_the_corpus_and_put_together_holds(
    name: str, data: st.DataObject
) -> None:
    paths = sorted(corpus_of(name).iterdir())
    first, second = (data.draw(st.sampled_from(paths)).read_bytes() for _ in range(2))
    cut = data.draw(st.integers(0, len(first)))
    resume = data.draw(st.integers(0, len(second)))

    assert hold(name, first[:cut] + data.draw(st.binary(max_size=3)) + second[resume:])


def test_a_head_that_lost_what_names_the_operation_would_be_seen() -> None:
    provider = shipped().providers["aws_rekognition"]
    losing = msgspec.structs.replace(provider, forward_headers=frozenset({"content-type"}))
    catalog = Catalog({**shipped().providers, provider.name: losing}, "0")
    message = b"POST / HTTP/1.1\r\nX-Amz-Target: RekognitionService.DeleteFaces\r\n"
    message += b"Content-Type: application/x-amz-json-1.1\r\n\r\n{}"

    assert hold(provider.name, message) == "DeleteFaces, gallery"
    with pytest.raises(AssertionError, match="what goes upstream is"):
        hold(provider.name, message, catalog)

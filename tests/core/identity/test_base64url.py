from __future__ import annotations

from hypothesis import given, strategies as st

from gateway.core.identity import base64url


@given(st.binary(max_size=40))
def test_every_value_has_one_spelling(content: bytes) -> None:
    text = base64url.encode(content)
    assert base64url.decode(text) == content
    assert base64url.decode(text + "=") is None
    assert base64url.decode(text + "\n") is None


@given(st.text(alphabet="ABab01-_=+/ ", max_size=12))
def test_what_decodes_is_the_spelling_of_its_value(text: str) -> None:
    content = base64url.decode(text)
    assert content is None or base64url.encode(content) == text

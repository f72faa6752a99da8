from __future__ import annotations

import re

import pytest

from gateway.core.identity.api_key import api_key_hash
from gateway.sources.secrets_box import (
    decrypt_secret,
    encrypt_secret,
    issue_access_key,
    issue_api_key,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def test_an_issued_api_key_is_found_by_its_hash() -> None:
    credential, key_id, digest = issue_api_key(KEY)
    assert re.fullmatch(r"fgk_[A-Za-z0-9_-]{43}", credential)
    assert re.fullmatch(r"key-[0-9a-f]{8}", key_id)
    assert digest == api_key_hash(credential, KEY)
    assert digest != api_key_hash(credential, OTHER_KEY)


def test_an_issued_access_key_has_the_form_of_aws() -> None:
    key_id, secret, encrypted = issue_access_key(KEY)
    assert re.fullmatch(r"FGAK[A-Z2-7]{16}", key_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", secret)
    assert decrypt_secret(encrypted, key_id, KEY) == secret


def test_two_issued_credentials_differ() -> None:
    assert issue_api_key(KEY).credential != issue_api_key(KEY).credential
    assert issue_access_key(KEY).secret != issue_access_key(KEY).secret


def test_one_secret_is_encrypted_differently_each_time() -> None:
    assert encrypt_secret("s", "id", KEY) != encrypt_secret("s", "id", KEY)


@pytest.mark.parametrize("encrypted", ["", "AAAA", "no base64!", "é"])
def test_what_was_never_encrypted_does_not_decrypt(encrypted: str) -> None:
    assert decrypt_secret(encrypted, "id", KEY) is None


def test_what_was_encrypted_under_another_key_does_not_decrypt() -> None:
    assert decrypt_secret(encrypt_secret("s", "id", OTHER_KEY), "id", KEY) is None


def test_a_secret_cannot_be_moved_to_another_id() -> None:
    encrypted = encrypt_secret("s", "FGAKONE", KEY)
    assert decrypt_secret(encrypted, "FGAKONE", KEY) == "s"
    assert decrypt_secret(encrypted, "FGAKTWO", KEY) is None


def test_no_repr_shows_what_is_shown_once() -> None:
    api_key, access_key = issue_api_key(KEY), issue_access_key(KEY)
    assert api_key.credential not in repr(api_key)
    assert access_key.secret not in repr(access_key)
    assert api_key.id in repr(api_key)
    assert access_key.id in repr(access_key)

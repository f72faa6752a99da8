"""API keys: 256 random bits behind a prefix, stored as a keyed hash.

A keyed hash without salt or stretching is enough for a value that nobody can guess, and lets the
key be found by one look-up.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from gateway.core.identity.keys import ApiKey, Keys
from gateway.core.identity.model import Unverified

PREFIX: Final = "fgk_"
_FORM: Final = re.compile(r"fgk_[A-Za-z0-9_-]{43}", re.ASCII)
_PURPOSE: Final = b"facegate api key"  # BLAKE2's personalisation, at most 16 bytes


def api_key_hash(text: str, secrets_key: bytes) -> str:
    """Return the stored form of an API key: BLAKE2b-256, 64 hex digits.

    Args:
        text: the key as the caller presents it, ASCII.
        secrets_key: the gateway's secrets key, 32 bytes.
    """
    return hashlib.blake2b(
        text.encode("ascii"), digest_size=32, key=secrets_key, person=_PURPOSE
    ).hexdigest()


def find_api_key(text: str, keys: Keys) -> ApiKey | Unverified:
    """Return the key that a caller presents, or why it is none."""
    if _FORM.fullmatch(text) is None:
        return Unverified(reason="identity.malformed")
    if not keys.secrets_key:
        return Unverified(reason="identity.unknown")
    found = keys.api_keys.get(api_key_hash(text, keys.secrets_key))
    return found or Unverified(reason="identity.unknown")

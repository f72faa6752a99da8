"""Base64url without padding, read strictly (RFC 4648 section 5, RFC 7515 section 2).

Lenient readers take padding, foreign characters and stray trailing bits, so that one value has many
spellings; here it has one.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_TEXT: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def decode(text: str) -> bytes | None:
    """Return the bytes; None where the text is not the one canonical spelling of any."""
    if _TEXT.fullmatch(text) is None:
        return None
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return content if encode(content) == text else None


def encode(content: bytes) -> str:
    """Return the canonical spelling."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")

"""Credentials that the gateway issues, and the one key that keeps them.

From the secrets key (32 bytes, given by the operator) come the key of the API keys' hashes and the
key that encrypts access-key secrets, so neither file nor backup of the tenants lets anybody in.
A secret that does not decrypt is a mistake in the file: nothing is loaded.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.core.identity import base64url
from gateway.core.identity.api_key import PREFIX, api_key_hash

SECRETS_KEY_BYTES: Final = 32
_PURPOSE: Final = b"facegate sigv4"  # BLAKE2's personalisation, at most 16 bytes
_NONCE_BYTES: Final = 12
_ACCESS_KEY_PREFIX: Final = "FGAK"
_ACCESS_KEY_RANDOM_BYTES: Final = 10  # 16 characters of base32; 20 with the prefix, as AWS's ids
_SECRET_RANDOM_BYTES: Final = 30  # 40 characters of base64url, the length of AWS's secrets


class IssuedApiKey(NamedTuple):
    """A new API key: `credential` goes to the caller and is shown once, the rest into the file."""

    credential: str
    id: str
    hash: str

    def __repr__(self) -> str:
        """Show what may be shown."""
        return f"IssuedApiKey(id={self.id!r})"


class IssuedAccessKey(NamedTuple):
    """A new access key: `secret` goes to the caller and is shown once, the rest into the file."""

    id: str
    secret: str
    encrypted: str

    def __repr__(self) -> str:
        """Show what may be shown."""
        return f"IssuedAccessKey(id={self.id!r})"


def issue_api_key(secrets_key: bytes) -> IssuedApiKey:
    """Make a new API key under the secrets key (32 bytes)."""
    credential = PREFIX + base64url.encode(secrets.token_bytes(32))
    return IssuedApiKey(
        credential=credential,
        id=f"key-{secrets.token_hex(4)}",
        hash=api_key_hash(credential, secrets_key),
    )


def issue_access_key(secrets_key: bytes) -> IssuedAccessKey:
    """Make a new access key under the secrets key (32 bytes)."""
    random = base64.b32encode(secrets.token_bytes(_ACCESS_KEY_RANDOM_BYTES)).decode("ascii")
    key_id = _ACCESS_KEY_PREFIX + random
    secret = base64url.encode(secrets.token_bytes(_SECRET_RANDOM_BYTES))
    return IssuedAccessKey(
        id=key_id, secret=secret, encrypted=encrypt_secret(secret, key_id, secrets_key)
    )


def encrypt_secret(secret: str, key_id: str, secrets_key: bytes) -> str:
    """Encrypt the secret of an access key; it decrypts under the same id only.

    Returns:
        Base64 of the nonce and the AES-256-GCM ciphertext.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_box_key(secrets_key)).encrypt(nonce, secret.encode(), key_id.encode())
    return base64.b64encode(nonce + sealed).decode("ascii")


def decrypt_secret(encrypted: str, key_id: str, secrets_key: bytes) -> str | None:
    """Decrypt the secret of an access key; None where the text, the id or the key is another."""
    try:
        content = base64.b64decode(encrypted, validate=True)
        sealed = AESGCM(_box_key(secrets_key)).decrypt(
            content[:_NONCE_BYTES], content[_NONCE_BYTES:], key_id.encode()
        )
        return sealed.decode("ascii")
    except (binascii.Error, InvalidTag, ValueError):
        return None


def _box_key(secrets_key: bytes) -> bytes:
    return hashlib.blake2b(b"", digest_size=32, key=secrets_key, person=_PURPOSE).digest()

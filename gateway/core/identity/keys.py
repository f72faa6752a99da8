"""What credentials are verified against, and whose they are: two parts of the snapshot.

Everything is loaded, decrypted and checked elsewhere (`gateway.sources`); here are the values, and
their digests, which cover their meaning and never a secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.core.identity.model import Tenant

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class VerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """One public key of an issuer, strong enough and meant for signatures.

    `algorithms` are the only ones that it may verify; `thumbprint` is that of RFC 7638 with
    SHA-256, in base64url.
    """

    kid: str
    algorithms: frozenset[str]
    key: PublicKey
    thumbprint: str


class IssuerKeys(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer of tokens with the keys that it last published.

    Attributes:
        issuer: exact value of the `iss` claim.
        audience: value that the `aud` claim must hold.
        algorithms: the algorithms that the operator allows, one family.
        keys: by `kid`; empty before the first success.
        fetched: when the keys were last obtained; None before the first success.
        max_stale: how old they may become before they count as missing.
    """

    issuer: str
    audience: str
    algorithms: frozenset[str]
    keys: Mapping[str, VerificationKey]
    fetched: datetime | None
    max_stale: timedelta

    def usable(self, now: datetime) -> bool:
        """Tell whether the keys are at hand and recent enough."""
        return self.fetched is not None and now - self.fetched <= self.max_stale


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, known by its hash only: its public id and the tenant it belongs to."""

    id: str
    tenant_id: str


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway-issued access key for SigV4, with the secret that verifies it."""

    id: str
    tenant_id: str
    secret: str

    def __repr__(self) -> str:
        """Show whose it is, not the secret."""
        return f"AccessKey(id={self.id!r}, tenant_id={self.tenant_id!r})"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token with a verified signature says; times in seconds since 1970."""

    issuer: str
    subject: str
    expires: float
    not_before: float
    issued: float


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Which headers hold keys in the requests to one provider, and what a signature must cover.

    Attributes:
        key_headers: headers in which a caller's API key may stand; `x-api-key` always is one, and
            `authorization` never: it has its own reading.
        signed_headers: headers that SigV4 must cover where they are present, beside `host`,
            `content-type`, `content-encoding` and every `x-amz-…`, which it always must.
    """

    key_headers: frozenset[str]
    signed_headers: frozenset[str]


def make_places(
    *,
    key_headers: frozenset[str] = frozenset(),
    signed_headers: frozenset[str] = frozenset(),
) -> Places:
    """Put the names together, in lower case."""
    return Places(
        key_headers=_lower(key_headers | {"x-api-key"}) - {"authorization"},
        signed_headers=_lower(signed_headers),
    )


def _lower(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


_USUAL: Final = make_places()
_NO_PLACES: Final[Mapping[str, Places]] = MappingProxyType({})


class Keys(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything that verifies credentials.

    Attributes:
        issuers: by `iss`.
        api_keys: by keyed BLAKE2b hash, 64 lower-case hex digits.
        access_keys: by access key id.
        secrets_key: key of the API keys' hashes, 32 bytes; empty where there are none.
        places: by provider: where its callers put credentials.
        credentials: digest over the API keys and access keys, see `credentials_digest`.
        digest: SHA-256 of the meaning.
        memo: claims by SHA-256 of a token whose signature verified under the keys of these
            issuers; bounded by whoever writes it, gone with the last keys of them.
    """

    issuers: Mapping[str, IssuerKeys]
    api_keys: Mapping[str, ApiKey]
    access_keys: Mapping[str, AccessKey]
    secrets_key: bytes
    places: Mapping[str, Places]
    credentials: str
    digest: str
    memo: dict[bytes, Claims] = msgspec.field(default_factory=dict)

    def places_at(self, provider: str) -> Places:
        """Return where credentials stand at a provider; the usual places where it has none."""
        return self.places.get(provider, _USUAL)

    def __repr__(self) -> str:
        """Show the digest only."""
        return f"Keys({self.digest})"


class Tenants(msgspec.Struct, frozen=True, kw_only=True):
    """Every tenant, by id and by the (issuer, subject) of its tokens."""

    by_id: Mapping[str, Tenant]
    by_subject: Mapping[tuple[str, str], Tenant]
    digest: str


def make_keys(
    *,
    issuers: Iterable[IssuerKeys] = (),
    api_keys: Mapping[str, ApiKey],
    access_keys: Mapping[str, AccessKey],
    secrets_key: bytes | None,
    places: Mapping[str, Places] = _NO_PLACES,
    credentials: str = "",
) -> Keys:
    """Put the keys together and compute their digest.

    `credentials` is the digest of the API keys and access keys, where it is known: over those of
    100,000 tenants it takes too long for the event loop.
    """
    credentials = credentials or credentials_digest(api_keys, access_keys)
    by_issuer = {issuer.issuer: issuer for issuer in issuers}
    parts = _Meaning(
        issuers=_issuers_meaning(by_issuer),
        credentials=credentials,
        places=[_places_meaning(name, places[name]) for name in sorted(places)],
    )
    return Keys(
        issuers=by_issuer,
        api_keys=api_keys,
        access_keys=access_keys,
        secrets_key=secrets_key or b"",
        places=places,
        credentials=credentials,
        digest=meaning_digest("keys", msgspec.json.encode(parts)),
    )


def credentials_digest(api_keys: Mapping[str, ApiKey], access_keys: Mapping[str, AccessKey]) -> str:
    """Hash which API keys and access keys there are and whose they are; no secret."""
    meaning = (
        sorted((key.id, key.tenant_id, text) for text, key in api_keys.items()),
        sorted((key.id, key.tenant_id) for key in access_keys.values()),
    )
    return meaning_digest("credentials", msgspec.json.encode(meaning))


def with_issuer(keys: Keys, issuer: IssuerKeys) -> Keys:
    """Return the keys with one issuer's replaced.

    Verified claims are kept only where nothing but the age is new; after any other change each
    token is verified again.
    """
    changed = make_keys(
        issuers=({**keys.issuers, issuer.issuer: issuer}).values(),
        api_keys=keys.api_keys,
        access_keys=keys.access_keys,
        secrets_key=keys.secrets_key,
        places=keys.places,
        credentials=keys.credentials,
    )
    return msgspec.structs.replace(changed, memo=keys.memo) if _same(keys, changed) else changed


def with_memo_of(keys: Keys, before: Keys) -> Keys:
    """Return the keys with the claims that were verified before, where the issuers are the same.

    A signature does not depend on tenants: when 100,000 of them are read again, no token has to be
    verified again.
    """
    same = _issuers_meaning(keys.issuers) == _issuers_meaning(before.issuers)
    return msgspec.structs.replace(keys, memo=before.memo) if same else keys


def meaning_digest(part: str, meaning: bytes) -> str:
    """Hash a canonical meaning, prefixed by the part and its version."""
    return "sha256:" + hashlib.sha256(f"facegate {part} v1\n".encode() + meaning).hexdigest()


class _IssuerMeaning(msgspec.Struct, frozen=True):
    issuer: str
    audience: str
    algorithms: list[str]
    max_stale_s: int
    keys: list[tuple[str, str, list[str]]]


class _Meaning(msgspec.Struct, frozen=True):
    issuers: list[_IssuerMeaning]
    credentials: str
    places: list[list[list[str]]]


def _issuers_meaning(issuers: Mapping[str, IssuerKeys]) -> list[_IssuerMeaning]:
    return [_issuer_meaning(issuers[name]) for name in sorted(issuers)]


def _issuer_meaning(issuer: IssuerKeys) -> _IssuerMeaning:
    return _IssuerMeaning(
        issuer=issuer.issuer,
        audience=issuer.audience,
        algorithms=sorted(issuer.algorithms),
        max_stale_s=int(issuer.max_stale.total_seconds()),
        keys=sorted(
            (key.kid, key.thumbprint, sorted(key.algorithms)) for key in issuer.keys.values()
        ),
    )


def _places_meaning(provider: str, places: Places) -> list[list[str]]:
    names = (places.key_headers, places.signed_headers)
    return [[provider], *(sorted(each) for each in names)]


def _same(old: Keys, new: Keys) -> bool:
    return old.digest == new.digest

"""Who asks: one credential, verified, and the tenant behind it."""

from __future__ import annotations

from datetime import datetime

from gateway.core.identity.access_key import find_access_key
from gateway.core.identity.api_key import find_api_key
from gateway.core.identity.credentials import Presented, presented
from gateway.core.identity.jwt import missing_key, verified_claims
from gateway.core.identity.keys import AccessKey, ApiKey, Claims, Keys, Tenants
from gateway.core.identity.model import Identity, Method, Tenant, Unverified, Verified
from gateway.core.request import Request


def identify(
    request: Request,
    keys: Keys,
    tenants: Tenants,
    now: datetime,
    *,
    stated: tuple[str, ...] | None = (),
) -> Identity:
    """Verify the caller of a request.

    Args:
        request: the canonical request.
        keys: what credentials are verified against.
        tenants: whom they belong to.
        now: the time of the decision, aware, UTC.
        stated: credentials that stand outside of the headers, where the catalogue names such a
            place; None where that cannot be read in one way.

    Returns:
        The verified caller, or `Unverified` with an `identity.…` reason; never an exception.
    """
    credential = presented(request, keys, stated)
    if not isinstance(credential, Presented):
        return credential
    if credential.kind == "jwt":
        return _by_token(credential, keys, tenants, now)
    key: ApiKey | AccessKey | Unverified
    if credential.kind == "api_key":
        key = find_api_key(credential.value, keys)
    else:
        key = find_access_key(credential.value, request, keys, now)
    if isinstance(key, Unverified):
        return key
    return _verified(credential.kind, key.id, tenants.by_id.get(key.tenant_id))


def wanted_key(request: Request, keys: Keys) -> tuple[str, str] | None:
    """Return issuer and `kid` where a request bears a token of a key that is not at hand.

    For the edge after `identity.unknown`: the issuer may have rotated its keys.
    """
    credential = presented(request, keys, ())
    if isinstance(credential, Unverified) or credential.kind != "jwt":
        return None
    return missing_key(credential.value, keys)


def _by_token(credential: Presented, keys: Keys, tenants: Tenants, now: datetime) -> Identity:
    claims = verified_claims(credential.value, keys, now)
    if not isinstance(claims, Claims):
        return claims
    tenant = tenants.by_subject.get((claims.issuer, claims.subject))
    return _verified(credential.kind, claims.subject, tenant)


def _verified(method: Method, credential: str, tenant: Tenant | None) -> Identity:
    if tenant is None:
        return Unverified(reason="identity.tenant")
    return Verified(method=method, credential=credential, tenant=tenant)

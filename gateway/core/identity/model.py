"""The values that say who asks: tenants, their parties and references, and a verified caller."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

TenantType = Literal[
    "government",
    "law_enforcement",
    "military",
    "contractor_for_government",
    "private",
    "individual",
]
PartyRole = Literal["caller", "end_user", "reseller", "owner"]
Method = Literal["jwt", "api_key", "sigv4"]
ReferenceKind = Literal["licence", "consent", "authorisation", "review"]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One party in the chain behind a request.

    `countries` are ISO 3166-1 alpha-2 or ISO 3166-2 codes, sorted; `unknown` stands for none.
    """

    name: str
    role: PartyRole
    type: TenantType
    countries: tuple[str, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A licence, consent, authorisation or review on file that may meet a `require` rule.

    `valid_from` is inclusive, `valid_to` exclusive, both UTC; None is open.
    """

    id: str
    kind: ReferenceKind
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's account, as the tenant file attests it.

    Attributes:
        id: stable id, e.g. `acct-1`.
        legal_name: registered name.
        type: what kind of body it is.
        tier: the operator's own tier name; `none` where there is none.
        tags: the operator's own labels, sorted.
        countries: countries of registration and billing, sorted; `unknown` where not stated.
        deployments: places of use, sorted; `unknown` where not stated.
        end_uses: declared uses, sorted; `undeclared` where none is.
        parties: every party in the chain, the caller first; never empty.
        references: what is on file, sorted by id.
    """

    id: str
    legal_name: str
    type: TenantType
    tier: str
    tags: tuple[str, ...]
    countries: tuple[str, ...]
    deployments: tuple[str, ...]
    end_uses: tuple[str, ...]
    parties: tuple[Party, ...]
    references: tuple[Reference, ...] = ()


class Verified(msgspec.Struct, frozen=True, kw_only=True, tag="verified", tag_field="state"):
    """A caller whose one credential verified.

    `credential` is its public id (subject of a token, id of a key), never a secret.
    """

    method: Method
    credential: str
    tenant: Tenant


class Unverified(msgspec.Struct, frozen=True, kw_only=True, tag="unverified", tag_field="state"):
    """A caller that could not be verified; `reason` is an `identity.…` code of `REASONS`."""

    reason: str


Identity = Verified | Unverified

"""The values that say who asks: tenants, their parties and references, and a verified caller."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from gateway.core.operation import Counting, OperationClass

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
# How long before a reference ends this is said, where its entry does not say.
WARN_DAYS: Final = 30


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One party in the chain behind a request.

    `countries` are ISO 3166-1 alpha-2 or ISO 3166-2 codes, sorted; `unknown` stands for none.
    """

    name: str
    role: PartyRole
    type: TenantType
    countries: tuple[str, ...]


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be done under a reference, over all its time: `limit` calls, or faces."""

    limit: int
    counts: Counting


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A licence, consent, authorisation or review on file.

    It may meet a `require` rule, or lift a `deny` that says so; to which requests it applies is
    for `gateway.core.policy.references` to say.

    Attributes:
        id: unique among the tenant's; a renewed licence has a new one.
        kind: what it is.
        authority: who granted it; empty where that is not stated.
        names: what it names beyond ordinary requirements, e.g. `embargo`; sorted.
        classes: operation classes that it is for, sorted; empty is not limited.
        destinations: ISO 3166 codes that it is for, sorted; empty is not limited.
        valid_from: inclusive, UTC; None is open.
        valid_to: exclusive, UTC; None is open.
        quota: how much may be done under it; None is not limited.
        report_days: days after which a report on its use is due, counted from `reported` or else
            `valid_from`; None where nobody asks for one.
        reported: the first moment of the day on which its use was reported last, UTC.
        warn_days: days before `valid_to` from which its end is warned of.
    """

    id: str
    kind: ReferenceKind
    authority: str = ""
    names: tuple[str, ...] = ()
    classes: tuple[OperationClass, ...] = ()
    destinations: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    quota: Quota | None = None
    report_days: int | None = None
    reported: datetime | None = None
    warn_days: int = WARN_DAYS


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

"""Facts and policies with unremarkable defaults; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from gateway.core.facts import Facts
from gateway.core.geography.model import Geography, Located
from gateway.core.identity.model import (
    Identity,
    Party,
    Reference,
    ReferenceKind,
    Tenant,
    TenantType,
    Verified,
)
from gateway.core.operation import (
    Access,
    Classified,
    Observed,
    Operation,
    OperationClass,
    Taken,
)
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.model import Condition, Effect, Force, Mode, Pack, Policies, Rule, Wanted
from gateway.core.screening import Clear, Screening

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def operation(
    operation_class: OperationClass = "one_to_many", *, access: Access = "none"
) -> Operation:
    return Operation(
        provider="aws_rekognition",
        name="SearchFacesByImage",
        operation_class=operation_class,
        access=access,
    )


def caller(
    *,
    tenant: str = "acct-1",
    tenant_type: TenantType = "private",
    parties: Sequence[TenantType] = (),
    tags: Sequence[str] = (),
    end_uses: Sequence[str] = ("fraud_prevention",),
    references: Sequence[Reference] = (),
) -> Verified:
    """Return a verified caller; `parties` are those behind it."""
    return Verified(
        method="jwt",
        credential="key-1:svc-bank",
        tenant=Tenant(
            id=tenant,
            legal_name="Harbour Bank plc",
            type=tenant_type,
            tier="standard",
            tags=tuple(tags),
            countries=("GB",),
            deployments=("GB",),
            end_uses=tuple(end_uses),
            parties=tuple(
                Party(name=f"party {number}", role="caller", type=kind, countries=("GB",))
                for number, kind in enumerate((tenant_type, *parties))
            ),
            references=tuple(references),
        ),
    )


def located(*places: str, contradiction: bool = False) -> Located:
    return Located(client="192.0.2.7", destination=places, evidence=(), contradiction=contradiction)


def facts(
    *,
    asked: Classified | None = None,
    identity: Identity | None = None,
    geography: Geography | None = None,
    screening: Screening | None = None,
    at: datetime = NOON,
    quotas: Sequence[Taken] = (),
    over: Sequence[str] = (),
) -> Facts:
    """Return the facts of a 1:many search by a private tenant in Great Britain."""
    return Facts(
        operation=asked or operation(),
        identity=identity or caller(),
        geography=geography or located("GB"),
        screening=screening or Clear(),
        observed=Observed(quotas=tuple(quotas), over=tuple(over)),
        at=at,
    )


def where(attribute: str, *values: str, negated: bool = False) -> Condition:
    return Condition(attribute=attribute, values=frozenset(values), negated=negated)


def rule(
    effect: Effect,
    *conditions: Condition,
    id: str = "rule",  # noqa: A002 - the language's own word
    needs: ReferenceKind | None = None,
    naming: str = "",
    lifted_by: Wanted | None = None,
    mode: Mode = "enforce",
    start: datetime | None = None,
    end: datetime | None = None,
) -> Rule:
    return Rule(
        id=id,
        effect=effect,
        needs=needs,
        naming=naming,
        lifted_by=lifted_by,
        mode=mode,
        conditions=conditions,
        effective_from=start,
        effective_to=end,
        reason="because",
    )


def pack(
    *rules: Rule,
    id: str = "pack",  # noqa: A002 - likewise
    force: Force = "voluntary",
) -> Pack:
    return Pack(
        id=id,
        owner="Compliance",
        source="a test",
        force=force,
        review=date(2027, 1, 1),
        rules=rules,
    )


def policies(*rules: Rule) -> Policies:
    return compile_policies([pack(*rules)])

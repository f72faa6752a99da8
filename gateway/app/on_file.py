"""Every reference on file with what is left of it, the most pressing first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from gateway.core.identity.model import Quota, Reference, Tenant
from gateway.core.identity.terms import Terms, terms
from gateway.ledger.accounts import Key, Stored, quota_key

_NEVER: Final = timedelta.max


class OnFile(msgspec.Struct, frozen=True, kw_only=True):
    """One reference of one tenant.

    Attributes:
        tenant: its id.
        reference: as the tenant file has it.
        terms: how it stands.
        used: what was taken of its quota at most: while a gateway runs, up to one hundredth of the
            limit may not be taken yet. None where it has no quota, or nobody knows.
    """

    tenant: str
    reference: Reference
    terms: Terms
    used: int | None = None

    @property
    def left(self) -> int | None:
        """What is left of its quota at least; None where it has none, or nobody knows."""
        quota = self.reference.quota
        if quota is None or self.used is None:
            return None
        return max(0, quota.limit - self.used)


def on_file(
    tenants: Iterable[Tenant], marks: Mapping[Key, Stored] | None, now: datetime
) -> tuple[OnFile, ...]:
    """Return all references: those that end soon or owe a report, those that have ended, the rest.

    Among the first the one comes first that has been pressing longest, or ends soonest; among the
    second the one that ended last; among the rest the one of which something is wanted soonest.

    Args:
        tenants: whose references.
        marks: what was taken of quotas; None where nobody knows.
        now: aware, UTC.
    """
    found = [
        OnFile(
            tenant=tenant.id,
            reference=reference,
            terms=terms(reference, now),
            used=_used(tenant.id, reference, marks),
        )
        for tenant in tenants
        for reference in tenant.references
    ]
    return tuple(sorted(found, key=lambda one: _urgency(one, now)))


def _used(tenant: str, reference: Reference, marks: Mapping[Key, Stored] | None) -> int | None:
    quota: Quota | None = reference.quota
    if quota is None or marks is None:
        return None
    stored = marks.get(quota_key(tenant, reference.id, quota.counts))
    return 0 if stored is None else sum(mark for _, mark in stored.marks)


def _urgency(one: OnFile, now: datetime) -> tuple[int, timedelta, str, str]:
    reference, standing = one.reference, one.terms
    pressing = list[datetime]()
    if standing.report_owed and standing.report_due is not None:
        pressing.append(standing.report_due)
    if standing.standing == "expiring" and reference.valid_to is not None:
        pressing.append(reference.valid_to)
    if pressing:
        return 0, min(pressing) - now, one.tenant, reference.id
    if standing.standing == "expired" and reference.valid_to is not None:
        return 1, now - reference.valid_to, one.tenant, reference.id
    ahead = [when for when in (reference.valid_to, standing.report_due) if when is not None]
    return 2, min(ahead) - now if ahead else _NEVER, one.tenant, reference.id

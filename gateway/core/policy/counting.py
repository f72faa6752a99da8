"""What a request takes of quotas and budgets, and in which hour, day or month it is counted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.core.identity.model import Identity, Tenant, Verified
from gateway.core.operation import Classified, Counting, Operation, Period, class_of
from gateway.core.policy.model import Budget, Policies

# Counters stand in records, whose integers end here (RFC 8785 section 3.2.2.3).
MOST: Final = 2**53 - 1


def amount(operation: Classified, counts: Counting) -> int:
    """Return what one request takes: one call, or the faces that it says it looks for.

    At least one: a request that does not say how many faces it looks for looks for one.
    """
    if counts == "calls" or not isinstance(operation, Operation) or operation.faces is None:
        return 1
    return min(max(1, operation.faces), MOST)


def budgets_for(operation: Classified, tenant: Tenant, policies: Policies) -> tuple[Budget, ...]:
    """Return the budgets that count such an operation of a tenant, in their order.

    Only those of which some rule speaks that can match this tenant, by its type and the types of
    its parties: for everybody else nothing follows from the count, and nothing is counted.
    """
    if not policies.budgets:
        return ()
    operation_class = class_of(operation)
    return tuple(
        [
            budget
            for budget in policies.budgets
            if operation_class in budget.classes and _concerns(budget, tenant, policies)
        ]
    )


def counted_for(
    operation: Classified, identity: Identity, policies: Policies
) -> tuple[Budget, ...] | None:
    """Return the budgets that a request takes from; None where it takes from no quota either."""
    if not isinstance(identity, Verified):
        return None
    budgets = budgets_for(operation, identity.tenant, policies)
    if budgets:
        return budgets
    for reference in identity.tenant.references:
        if reference.quota is not None:
            return ()
    return None


def _concerns(budget: Budget, tenant: Tenant, policies: Policies) -> bool:
    types = {tenant.type, *[party.type for party in tenant.parties]}
    return any(
        tenant.type in audience.tenants and not types.isdisjoint(audience.parties)
        for audience in policies.audiences
        if budget.id in audience.budgets
    )


def first_moment(period: Period, at: datetime) -> datetime:
    """Return when the hour, day or month of the calendar began; `at` is in UTC."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    if period == "hour":
        return hour
    return hour.replace(hour=0) if period == "day" else hour.replace(day=1, hour=0)

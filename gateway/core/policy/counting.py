"""What a request takes of quotas and budgets, and in which hour, day or month it is counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.core.identity.model import Identity, Tenant, Verified
from gateway.core.operation import Classified, Counting, Operation, Period, class_of
from gateway.core.policy.model import Budget

# Counters stand in records, whose integers end here (RFC 8785 section 3.2.2.3).
MOST: Final = 2**53 - 1


def amount(operation: Classified, counts: Counting) -> int:
    """Return what one request takes: one call, or the faces that it says it looks for.

    At least one: a request that does not say how many faces it looks for looks for one.
    """
    if counts == "calls" or not isinstance(operation, Operation) or operation.faces is None:
        return 1
    return min(max(1, operation.faces), MOST)


def budgets_for(operation: Classified, budgets: Iterable[Budget]) -> tuple[Budget, ...]:
    """Return the budgets that count such an operation, in their order."""
    operation_class = class_of(operation)
    return tuple([budget for budget in budgets if operation_class in budget.classes])


def counted_for(
    operation: Classified, identity: Identity, budgets: tuple[Budget, ...]
) -> Tenant | None:
    """Return the tenant of a request that takes from any quota or budget; None of any other."""
    if not isinstance(identity, Verified):
        return None
    tenant = identity.tenant
    for reference in tenant.references:
        if reference.quota is not None:
            return tenant
    return tenant if budgets and budgets_for(operation, budgets) else None


def first_moment(period: Period, at: datetime) -> datetime:
    """Return when the hour, day or month of the calendar began; `at` is in UTC."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    if period == "hour":
        return hour
    return hour.replace(hour=0) if period == "day" else hour.replace(day=1, hour=0)

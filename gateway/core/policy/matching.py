"""Whether a rule matches, read from the rule itself: for people who ask why, and for proofs.

Judging uses the table that `compile` makes; a property test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.core.policy.model import Condition, Rule


def satisfies(value: str, condition: Condition) -> bool:
    """Tell whether one member satisfies a condition; a country covers its regions."""
    country = value[:2] if condition.attribute == "destination" and value[2:3] == "-" else value
    named = value in condition.values or country in condition.values
    return named != condition.negated


def all_satisfy(members: Iterable[str], condition: Condition) -> bool:
    """Tell whether every member satisfies a condition, as a permit asks."""
    return all(satisfies(one, condition) for one in members)


def in_effect(rule: Rule, at: datetime) -> bool:
    """Tell whether a time lies between the rule's own."""
    return (rule.effective_from is None or rule.effective_from <= at) and (
        rule.effective_to is None or at < rule.effective_to
    )

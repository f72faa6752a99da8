"""What an operation is, given what the request says where its class depends on that.

Whatever was not read may say anything: a condition on it may hold and may not, and the most
restrictive of what is possible is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.catalog.model import Condition, Features, Rule, Variant, Verdict
from gateway.core.catalog.places import Seen, values_at
from gateway.core.catalog.severity import RANK
from gateway.core.strict_json import JsonValue, Refused

_UNKNOWN_FEATURE = Verdict("unknown", "none", "", ("a feature that the catalogue does not know",))


def verdict_of(rule: Rule, seen: Seen) -> Verdict | Refused:
    """Return the most restrictive verdict that the request allows for.

    Variants that hold and features that are named come before the base; ties go to what keeps a
    gallery governed, then to the order of the data file.
    """
    if not rule.variants and rule.features is None:
        return rule.base
    decided: list[Verdict] = []
    possible: list[Verdict] = []
    for variant in rule.variants:
        holds = _holds(variant, seen)
        if isinstance(holds, Refused):
            return holds
        if holds is not False:
            (decided if holds else possible).append(variant.verdict)
    if rule.features is not None:
        named = _named(rule.features, seen)
        if isinstance(named, Refused):
            return named
        if named is None:
            possible.extend(rule.features.verdicts.values())
        else:
            decided.extend(named)
    candidates = [*decided, *possible] if decided else [*possible, rule.base]
    return min(candidates, key=_restriction)


def _restriction(verdict: Verdict) -> tuple[int, bool]:
    return RANK[verdict.operation_class], verdict.access == "delete"


def _holds(variant: Variant, seen: Seen) -> bool | Refused | None:
    """Tell whether all conditions hold; None where that was not read."""
    certain: bool | None = True
    for condition in variant.when:
        values = values_at(condition.place, seen)
        if isinstance(values, Refused):
            return values
        if values is None:
            certain = None
        elif not _passes(condition, values):
            return False
    return certain


def _passes(condition: Condition, values: Sequence[JsonValue]) -> bool:
    match condition.test:
        case "present":
            return bool(values)
        case "absent":
            return not values
        case "single":
            return len(values) == 1
        case "several":
            return len(values) > 1
        case "is":
            return bool(values) and all(_text(value) in condition.values for value in values)
        case "is_not":
            return any(_text(value) not in condition.values for value in values)


def _named(features: Features, seen: Seen) -> list[Verdict] | Refused | None:
    values = values_at(features.place, seen)
    if values is None or isinstance(values, Refused):
        return values
    return [features.verdicts.get(_text(value), _UNKNOWN_FEATURE) for value in values]


def _text(value: JsonValue) -> str:
    """Return a scalar as the text that enumerations are written in: `4` for 4, 4.0 and "4".

    What is no scalar becomes the empty text, which is no member of anything.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else str(value)
        case int():
            return str(value)
        case str():
            return value
        case _:
            return ""

"""What an operation is, given what the request says where its class depends on that.

Whatever was not read may say anything: a condition on it may hold and may not, and the most
restrictive of what is possible is taken. So it is with a value that is no text where a condition
compares texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.core.catalog.model import Condition, Features, Rule, Verdict
from gateway.core.catalog.places import Seen, values_at
from gateway.core.catalog.severity import RANK
from gateway.core.strict_json import JsonValue, Refused

_UNKNOWN_FEATURE = Verdict("unknown", "none", "", ("a feature that the catalogue does not know",))


def pick(rules: tuple[Rule, ...], seen: Seen) -> Rule | Refused:
    """Return which of the operations of one path a request is.

    Among those whose conditions hold it is the most restrictive, then the first; where none do, one
    without conditions, if there is any.
    """
    if len(rules) == 1:
        return rules[0]
    certain: list[Rule] = []
    possible: list[Rule] = []
    for rule in rules:
        held = holds(rule.when, seen) if rule.when else False
        if isinstance(held, Refused):
            return held
        if held is not False:
            (certain if held else possible).append(rule)
    if not certain:
        possible.extend(rule for rule in rules if not rule.when)
    candidates = [*certain, *possible] or rules
    return min(candidates, key=_worst)


def _worst(rule: Rule) -> int:
    return RANK[rule.worst]


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
        held = holds(variant.when, seen)
        if isinstance(held, Refused):
            return held
        if held is not False:
            (decided if held else possible).append(variant.verdict)
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


def holds(conditions: tuple[Condition, ...], seen: Seen) -> bool | Refused | None:
    """Tell whether all conditions hold; None where that was not read."""
    certain: bool | None = True
    for condition in conditions:
        values = values_at(condition.place, seen)
        if isinstance(values, Refused):
            return values
        passes = None if values is None else _passes(condition, values)
        if passes is False:
            return False
        certain = certain and passes
    return certain


def _passes(condition: Condition, values: Sequence[JsonValue]) -> bool | None:
    match condition.test:
        case "present":
            return bool(values)
        case "absent":
            return not values
        case "single":
            return len(values) == 1
        case "several":
            return len(values) > 1
        case "exceeds":
            return len(values) > condition.count
        case _:
            texts = [text_of(value) for value in values]
            read = [text for text in texts if text is not None]
            return _compares(condition, read) if len(read) == len(texts) else None


def _compares(condition: Condition, texts: Sequence[str]) -> bool:
    match condition.test:
        case "is":
            return bool(texts) and condition.values.issuperset(texts)
        case "is_not":
            return not condition.values.issuperset(texts)
        case "has":
            return any(text.casefold() in condition.values for text in texts)
        case _:
            return len(texts) == 1 and re.fullmatch(condition.pattern, texts[0]) is not None


def _named(features: Features, seen: Seen) -> list[Verdict] | Refused | None:
    values = values_at(features.place, seen)
    if values is None or isinstance(values, Refused):
        return values
    texts = [text_of(value) or "" for value in values]
    if features.ignore_case:
        texts = [text.casefold() for text in texts]
    return [features.verdicts.get(text, _UNKNOWN_FEATURE) for text in texts]


def text_of(value: JsonValue) -> str | None:
    """Return a scalar as the text that enumerations are written in: `4` for 4, 4.0 and "4".

    None where it is no scalar, or a text that is long and was not read.
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
            return None

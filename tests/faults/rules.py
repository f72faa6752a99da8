"""Slips in a rule: every operator applied to every rule of a pack wherever it makes sense."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.core.policy.attributes import PLACELESS

Rule = dict[str, Any]
Groups = Mapping[str, Sequence[str]]
# What a slip did, to what, and the rule as it is then; None where it is gone.
Slip = tuple[str, str, Rule | None]

_KINDS: Final = ("licence", "consent", "authorisation", "review")
# Values that widen a condition, the likeliest slip first.
_WIDER: Final = {
    "class": ("one_to_one", "one_to_many", "detect"),
    "access": ("read", "write"),
    "destination": ("GB", "KE"),
    "party_type": ("private", "government", "military"),
    "end_use": ("undeclared",),
    "listed": ("none", "cmic", "sdn"),
    "tag": ("none",),
    "provider": ("any",),
}
_DAY: Final = timedelta(days=1)


def slips(rule: Rule, groups: Groups) -> Iterator[Slip]:
    """Apply every operator to one rule.

    Args:
        rule: as it is written.
        groups: members by name.

    Yields:
        Rules that differ from the given one in one thing.
    """
    yield "drop the rule", "", None
    yield from _effects(rule)
    yield from _references(rule)
    yield from _dates(rule)
    for attribute in rule["when"]:
        yield from _conditions(rule, attribute, groups)
    if rule["effect"] == "permit":
        yield from _permits(rule)


def _with(rule: Rule, **changes: object) -> Rule:
    """Return a copy with other values; None takes a key away."""
    made = {**copy.deepcopy(rule), **changes}
    return {key: value for key, value in made.items() if value is not None}


def _effects(rule: Rule) -> Iterator[Slip]:
    plain = {"needs": None, "naming": None, "lifted_by": None}
    if rule["effect"] != "permit":
        yield "permit instead", "", _with(rule, effect="permit", **plain)
    if rule["effect"] != "deny":
        yield "deny instead", "", _with(rule, effect="deny", **plain)
    if rule["effect"] == "deny":
        softer = {**plain, "effect": "require", "needs": "review"}
        yield "require a review instead", "", _with(rule, **softer)
    shadow = rule.get("mode") == "shadow"
    yield "flip the mode", "", _with(rule, mode="enforce" if shadow else "shadow")


def _references(rule: Rule) -> Iterator[Slip]:
    """Ask for another reference, and let another one lift."""
    if rule["effect"] == "deny":
        yield from _lifts(rule)
    needs, naming = rule.get("needs"), rule.get("naming")
    if needs is None:
        return
    for kind in _KINDS:
        if kind != needs:
            yield "ask for another kind", kind, _with(rule, needs=kind)
    yield "ask for nothing", "", _with(rule, needs=None)
    if naming is not None:
        yield "ask for any word", "", _with(rule, naming=None)
    yield "ask for another word", "", _with(rule, naming="something_else")


def _lifts(rule: Rule) -> Iterator[Slip]:
    lift = rule.get("lifted_by")
    if lift is None:
        for word in ("embargo", "sdn"):
            lifted = {"kind": "licence", "naming": word}
            yield "let a licence lift it", word, _with(rule, lifted_by=lifted)
        return
    yield "let nothing lift it", "", _with(rule, lifted_by=None)
    yield "let a consent lift it", "", _with(rule, lifted_by={**lift, "kind": "consent"})
    yield "let another word lift it", "", _with(rule, lifted_by={**lift, "naming": "something"})


def _dates(rule: Rule) -> Iterator[Slip]:
    span = rule.get("effective") or {}
    for key, found in span.items():
        for days in (-1, 1):
            moved = _shifted(found, days)
            yield (
                "shift a date",
                f"{key} by {days:+} day",
                _with(rule, effective={**span, key: moved}),
            )
        rest = {other: value for other, value in span.items() if other != key}
        yield "drop a date", key, _with(rule, effective=rest or None)
    if "to" not in span:
        ended = {**span, "to": date(2026, 6, 1)}
        yield "end the rule early", "", _with(rule, effective=ended)
    if "from" not in span:
        late = {**span, "from": date(2027, 6, 1)}
        yield "begin the rule late", "", _with(rule, effective=late)


def _shifted(found: date | datetime, days: int) -> date | datetime:
    return found + days * _DAY


def _conditions(rule: Rule, attribute: str, groups: Groups) -> Iterator[Slip]:
    written = rule["when"][attribute]
    negated = isinstance(written, dict)
    values = written["not_in"] if negated else written

    def changed(after: list[object] | None, *, turned: bool = False) -> Rule:
        when = dict(rule["when"])
        if after is None:
            del when[attribute]
        else:
            when[attribute] = {"not_in": after} if negated is not turned else after
        return _with(rule, when=when)

    yield "drop a condition", attribute, changed(None)
    yield "turn a condition around", attribute, changed(values, turned=True)
    yield "empty a condition", attribute, changed([])
    for value in values if len(values) > 1 else ():
        rest = [one for one in values if one != value]
        yield "narrow a condition", f"{attribute} without {value}", changed(rest)
    wider = _wider(attribute, values, groups)
    if wider is not None:
        yield "widen a condition", f"{attribute} by {wider}", changed([*values, wider])
    first = str(values[0])
    yield "misspell a value", f"{attribute} {first}", changed([f"{first}x", *values[1:]])
    when = {(f"{key}x" if key == attribute else key): one for key, one in rule["when"].items()}
    yield "misspell an attribute", attribute, _with(rule, when=when)
    if attribute == "contradiction":
        yield "read yes as true", attribute, changed([True])


def _wider(attribute: str, values: list[str], groups: Groups) -> str | None:
    """Return a value that the condition does not name yet; None where it names them all."""
    named = {
        member
        for value in values
        for member in groups.get(value.removeprefix("group:"), ()) or (value,)
    }
    return next((one for one in _WIDER.get(attribute, ()) if one not in named), None)


def _permits(rule: Rule) -> Iterator[Slip]:
    """Permit where nobody can say where, whom, or what for."""
    when = rule["when"]
    for value in PLACELESS:
        wider = {**when, "destination": [*when["destination"], value]}
        yield "permit the unknown", value, _with(rule, when=wider)
    for attribute, value in (
        ("end_use", "undeclared"),
        ("end_use", "mass_surveillance"),
        ("party_type", "military"),
        ("class", "image_search"),
        ("class", "unknown"),
        ("destination", "CN"),
        ("destination", "UA-43"),
        ("destination", "IR"),
    ):
        wider = {**when, attribute: [*when.get(attribute, []), value]}
        yield "permit more", f"{attribute} {value}", _with(rule, when=wider)

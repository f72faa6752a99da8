"""Rules as they are written to rules with their groups written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.policy.attributes import ATTRIBUTES, CLOSED
from gateway.core.policy.link_operator import Budgets
from gateway.core.policy.model import Condition, Rule, Wanted
from gateway.core.policy.parse import GuardrailEntry, RuleEntry
from gateway.core.policy.source import Loc, Source
from gateway.core.policy.values import (
    Mistake,
    check_budget,
    check_member,
    closest,
    quoted,
    repeated,
)
from gateway.errors import Finding

# Members by name; None of a group that is named and not sound, which is reported elsewhere.
Groups = Mapping[str, tuple[str, ...] | None]
# What has conditions: both name what is wrong with them in the same way.
Entry = RuleEntry | GuardrailEntry
_GROUP = "group:"
_FORMS = "write a list of values, {in: […]} or {not_in: […]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReader:
    """Reads rules against the groups of all files.

    Attributes:
        groups: of all files.
        budgets: likewise; what the attribute `over` may name.
        recognised: whether every file's kind is known: only then is an unknown group a finding.
        findings: where mistakes go; owned by the caller.
    """

    groups: Groups
    budgets: Budgets
    recognised: bool
    findings: list[Finding]
    _checked: dict[tuple[str, str], Mistake | None] = field(default_factory=dict)

    def rule(self, source: Source, index: int, entry: RuleEntry) -> Rule | None:
        """Return the rule, or None where something about it is wrong."""
        before = len(self.findings)
        loc: Loc = ("rules", index)
        self._check_needs(source, loc, entry)
        start = entry.effective.start if entry.effective else None
        end = entry.effective.end if entry.effective else None
        if start is not None and end is not None and start >= end:
            self._add(source, (*loc, "effective"), entry, Mistake("ends before it begins"))
        conditions = self.conditions(source, loc, entry)
        if len(self.findings) > before or conditions is None:
            return None
        return Rule(
            id=entry.id,
            effect=entry.effect,
            needs=entry.needs,
            naming=entry.naming or "",
            lifted_by=_lift(entry),
            mode=entry.mode,
            conditions=conditions,
            effective_from=start,
            effective_to=end,
            reason=entry.reason,
        )

    def conditions(self, source: Source, loc: Loc, entry: Entry) -> tuple[Condition, ...] | None:
        """Return the conditions of the entry at `loc`, or None where one of them is wrong."""
        before = len(self.findings)
        conditions = [
            self._condition(source, (*loc, "when", attribute), entry, written)
            for attribute, written in sorted(entry.when.items())
        ]
        sound = [condition for condition in conditions if condition is not None]
        if len(self.findings) > before or len(sound) < len(conditions):
            return None
        return tuple(sound)

    def _add(self, source: Source, loc: Loc, entry: Entry, mistake: Mistake) -> None:
        message = f"{entry.noun} {quoted(entry.id)}: {mistake.message}"
        self.findings.append(source.finding(loc, message, mistake.hint))

    def _check_needs(self, source: Source, loc: Loc, entry: RuleEntry) -> None:
        if entry.effect == "require" and entry.needs is None:
            hint = "add `needs: licence`, `consent`, `authorisation` or `review`"
            self._add(source, (*loc, "effect"), entry, Mistake("it requires nothing", hint))
        elif entry.effect != "require" and entry.needs is not None:
            hint = "`needs` goes with `effect: require`"
            mistake = Mistake(f"a {entry.effect} needs nothing", hint)
            self._add(source, (*loc, "needs"), entry, mistake)
        if entry.naming is not None and entry.effect != "require":
            mistake = Mistake(f"a {entry.effect} has no `naming`", "it goes beside `needs`")
            self._add(source, (*loc, "naming"), entry, mistake)
        if entry.lifted_by is not None and entry.effect != "deny":
            hint = "`lifted_by` goes with `effect: deny`"
            mistake = Mistake(f"nothing lifts a {entry.effect}", hint)
            self._add(source, (*loc, "lifted_by"), entry, mistake)

    def _condition(
        self, source: Source, loc: Loc, entry: Entry, written: object
    ) -> Condition | None:
        attribute = str(loc[-1])
        if attribute not in ATTRIBUTES:
            message = f"{entry.noun} {quoted(entry.id)}: unknown attribute {quoted(attribute)}"
            hint = closest(attribute, ATTRIBUTES) or f"one of {', '.join(ATTRIBUTES)}"
            self.findings.append(source.finding_at_key(loc, message, hint))
            return None
        form = _form(written)
        if isinstance(form, Mistake):
            self._add(source, loc, entry, form)
            return None
        key, items = form
        values = self._values(source, (*loc, *key), entry, items)
        negated = key == ("not_in",)
        if negated and values >= set(CLOSED.get(attribute, ("",))):
            mistake = Mistake(f"`{attribute}` can have no other value, so it never matches")
            self._add(source, loc, entry, mistake)
        if not values:
            return None
        return Condition(attribute=attribute, values=values, negated=negated)

    def _values(
        self, source: Source, loc: Loc, entry: Entry, items: list[object]
    ) -> frozenset[str]:
        """Return the values with groups written out; mistakes are added on the way."""
        attribute = str(loc[3])
        values = set[str]()
        for index in repeated(items):
            self._add(source, (*loc, index), entry, Mistake(f"{_shown(items[index])} stands twice"))
        for index, item in enumerate(items):
            if isinstance(item, str) and item.startswith(_GROUP):
                found = self._group(attribute, item.removeprefix(_GROUP))
            else:
                found = self._member(attribute, item) or (str(item),)
            if isinstance(found, Mistake):
                self._add(source, (*loc, index), entry, found)
            else:
                values.update(found)
        return frozenset(values)

    def _member(self, attribute: str, item: object) -> Mistake | None:
        known = self.budgets.keys() if self.recognised else None
        return check_member(attribute, item) or check_budget(attribute, item, known)

    def _group(self, attribute: str, name: str) -> tuple[str, ...] | Mistake:
        if name not in self.groups:
            hint = closest(name, tuple(self.groups)) or "define it in a file of kind Groups"
            return Mistake(f"unknown group {quoted(name)}", hint) if self.recognised else ()
        members = self.groups[name] or ()
        if (attribute, name) not in self._checked:
            mistakes = (self._member(attribute, member) for member in members)
            self._checked[attribute, name] = next((one for one in mistakes if one), None)
        mistake = self._checked[attribute, name]
        if mistake is None:
            return members
        return Mistake(f"group {quoted(name)}: {mistake.message}", mistake.hint)


def _lift(entry: RuleEntry) -> Wanted | None:
    lift = entry.lifted_by
    return None if lift is None else Wanted(kind=lift.kind, naming=lift.naming)


def _form(written: object) -> tuple[Loc, list[object]] | Mistake:
    """Return where the values stand below the attribute, and the values; never none."""
    key: Loc = ()
    if isinstance(written, dict):
        keys = list[str](written)
        if keys not in (["in"], ["not_in"]):
            return Mistake("a condition has one key, `in` or `not_in`", _FORMS)
        key, written = (keys[0],), written[keys[0]]
    if not isinstance(written, list):
        return Mistake("values must be a list", _FORMS)
    if not written:
        return Mistake("the list is empty, so it never matches", "name a value, or leave it out")
    return key, list[object](written)


def _shown(item: object) -> str:
    return quoted(item) if isinstance(item, str) else "a value"

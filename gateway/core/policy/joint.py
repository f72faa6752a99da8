"""Two policies at one date, over the values that either can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from gateway.core.policy.attributes import PLACELESS
from gateway.core.policy.choices import Kind, Members, Variable, Vocabulary, chains
from gateway.core.policy.diagram import Alternative, Pair
from gateway.core.policy.model import Condition, Policies, Rule, Wanted
from gateway.core.policy.prove import active_at
from gateway.core.policy.verdicts import Side, side_of

_SIMPLE: Final = (
    "provider",
    "tenant",
    "tier",
    "tag",
    "end_use",
    "listed",
    "identity",
    "contradiction",
    "probe",
    "over",
)
# What a rule asks, whatever it is called and wherever it stands.
_Meaning = tuple[str, Wanted | None, Wanted | None, tuple[Condition, ...]]


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """What a request of some kind can be, in the order in which it is tried; names beside it."""

    names: tuple[str, ...]
    alternatives: tuple[tuple[Alternative, ...], ...]


class Joint:
    """Two policies side by side; of each only the rules that are in effect and enforced."""

    def __init__(self, before: Policies, after: Policies, at: datetime) -> None:
        """Take the policies as they are at a date."""
        self.policies, self.at = (before, after), at
        self.sides: tuple[Side, Side] = (
            side_of(before, active_at(before.table, at)),
            side_of(after, active_at(after.table, at)),
        )
        budgets = {budget.id for both in self.policies for budget in both.budgets}
        self.vocabularies = (
            Vocabulary(before.table, _conditions(after), budgets=budgets),
            Vocabulary(after.table, _conditions(before), budgets=budgets),
        )
        meanings = [
            _meanings(one, side) for one, side in zip(self.policies, self.sides, strict=True)
        ]
        self.own: Pair = (
            _mask(meanings[0], but=meanings[1]),
            _mask(meanings[1], but=meanings[0]),
        )
        self._asked = {
            condition.attribute
            for side, mine in enumerate(meanings)
            for number, meaning in mine.items()
            if self.own[side] >> number & 1
            for condition in meaning[3]
        }
        # Every value of every attribute, however it stands to the others.
        self.everything = self._everything()

    def kinds(self) -> list[tuple[Kind, Pair]]:
        """Return every class with each access, and the rules of either side that stand for it."""
        values = self.vocabularies[0].values
        before, after = (one.kinds(values["class"], values["access"]) for one in self.vocabularies)
        return [
            (one, (one.mask & self.sides[0].active, other.mask & self.sides[1].active))
            for one, other in zip(before, after, strict=True)
        ]

    def _everything(self) -> dict[str, tuple[Members, ...]]:
        found: dict[str, tuple[Members, ...]] = {}
        for known in (True, False):
            for placed in (True, False):
                one = self.variables(known=known, placed=placed)
                for name, alternatives in zip(one.names, one.alternatives, strict=True):
                    values = (members for each in alternatives for members in each.members)
                    present = found.get(name, ())
                    found[name] = (*present, *(one for one in values if one not in present))
        return found

    def variables(self, *, known: bool, placed: bool) -> Variables:
        """Return what can be chosen: first what rules of one policy alone ask for."""
        values = self.vocabularies[0].values
        found = {name: self._of(name, values[name]) for name in _SIMPLE}
        found["operation"] = self._of(
            "operation", [one for one in values["operation"] if (one == "unknown") != known]
        )
        found["destination"] = self._of(
            "destination", [one for one in values["destination"] if (one in PLACELESS) != placed]
        )
        pairs = list(chains(values["tenant_type"], values["party_type"]))
        one, other = self.vocabularies
        found["parties"] = self._grouped(one.parties(pairs), other.parties(pairs))
        asked = {
            *self._asked,
            *(["parties"] if self._asked & {"tenant_type", "party_type"} else []),
        }
        order = sorted((name not in asked, len(one), name) for name, one in found.items())
        names = [name for _, _, name in order]
        return Variables(names=tuple(names), alternatives=tuple(found[name] for name in names))

    def _of(self, attribute: str, values: Sequence[str]) -> tuple[Alternative, ...]:
        one, other = self.vocabularies
        return self._grouped(one.singles(attribute, values), other.singles(attribute, values))

    def _grouped(self, before: Variable, after: Variable) -> tuple[Alternative, ...]:
        """Put together what neither side tells apart."""
        groups: dict[Pair, list[tuple[tuple[str, tuple[str, ...]], ...]]] = {}
        for one, other in zip(before, after, strict=True):
            masks = one.mask & self.sides[0].active, other.mask & self.sides[1].active
            groups.setdefault(masks, []).append(one.members)
        return tuple(Alternative(tuple(members), masks) for masks, members in groups.items())


def _conditions(policies: Policies) -> list[Condition]:
    return [
        condition for pack in policies.packs for rule in pack.rules for condition in rule.conditions
    ]


def _meanings(policies: Policies, side: Side) -> dict[int, _Meaning]:
    rules = [rule for pack in policies.packs for rule in pack.rules]
    return {
        number: _meaning(rule) for number, rule in enumerate(rules) if side.active >> number & 1
    }


def _meaning(rule: Rule) -> _Meaning:
    conditions = sorted(rule.conditions, key=_attribute)
    return rule.effect, rule.wanted, rule.lifted_by, tuple(conditions)


def _attribute(condition: Condition) -> str:
    return condition.attribute


def _mask(meanings: dict[int, _Meaning], *, but: dict[int, _Meaning]) -> int:
    """Return the rules that mean something that no rule of the other side means."""
    others = set(but.values())
    mask = 0
    for number, meaning in meanings.items():
        if meaning not in others:
            mask |= 1 << number
    return mask

"""Policies by seed, and requests whose values are drawn from the policy that judges them.

Drawn evenly, most requests would meet no rule. So most are aimed at a rule of some effect, by its
own values, and others past every rule. The same seed makes the same ones on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypeVar, cast

from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Geography, Located, Unlocated
from gateway.core.identity.model import (
    Identity,
    Method,
    Party,
    Quota,
    Reference,
    ReferenceKind,
    Tenant,
    TenantType,
    Unverified,
    Verified,
)
from gateway.core.operation import (
    Access,
    Ambiguous,
    Classified,
    Observed,
    Operation,
    OperationClass,
    Taken,
    Unknown,
)
from gateway.core.policy.model import (
    UNSWITCHED,
    Condition,
    Effect,
    Force,
    Mode,
    Operator,
    Pack,
    Rule,
    Switch,
    Wanted,
)
from gateway.core.screening import Clear, Hit, NotScreened, Screening
from tests.core.policy.builders import NOON, pack
from tests.core.policy.strategies import KINDS, NAMES, WORDS

T = TypeVar("T")
Members = dict[str, list[str]]

# What no rule here names: an attribute whose values are all known keeps one back.
STRANGE: Final = {
    "provider": "strange",
    "operation": "Strange",
    "class": "image_search",
    "access": "train",
    "tenant": "strange",
    "tenant_type": "individual",
    "party_type": "individual",
    "tier": "strange",
    "tag": "strange",
    "end_use": "strange",
    "destination": "NZ",
    "listed": "strange_list",
    "identity": "api_key",
    "contradiction": "no",
    "probe": "sha256:" + "f" * 64,
    "over": "none",
}
SINGLE: Final = frozenset(NAMES) - {
    "party_type",
    "tag",
    "end_use",
    "destination",
    "listed",
    "probe",
    "over",
}
AIMS: Final = (*["deny"] * 4, *["permit"] * 5, *["require"] * 7, *["past"], *["any"] * 2)
EFFECTS: Final[tuple[Effect, ...]] = ("deny", "permit", "permit", "require")
FORCES: Final[tuple[Force, ...]] = ("binding", "binding", "voluntary", "pending")
MODES: Final[tuple[Mode, ...]] = ("enforce", "enforce", "enforce", "enforce", "shadow")
MOMENT: Final = timedelta(microseconds=1)


def draw_packs(random: Random) -> list[Pack]:
    """Draw a policy: mostly a few rules, seldom none, seldom more than fit a machine word."""
    names = random.choice((["a"], ["b", "a"], ["c", "a", "b"]))
    most = 40 if random.random() < 0.05 else 5
    return [
        pack(
            *[
                _rule(random, f"r{number}")
                for number in range(random.randint(0 if random.random() < 0.1 else 2, most))
            ],
            id=name,
            force=random.choice(FORCES),
        )
        for name in (names if random.random() < 0.99 else [])
    ]


def draw_operator(random: Random, packs: Sequence[Pack]) -> Operator:
    """Draw switches for a policy; mostly none."""
    rules = [f"{pack.id}/{rule.id}" for pack in packs for rule in pack.rules]
    if random.random() < 0.7:
        return UNSWITCHED
    return Operator(
        activated=_switches(random, [*rules, *[pack.id for pack in packs]]),
        switched_off=_switches(random, rules),
    )


def _switches(random: Random, what: Sequence[str]) -> tuple[Switch, ...]:
    chosen = random.sample(what, min(len(what), random.randint(0, 3)))
    return tuple(
        Switch(what=one, who="A. Person", date=NOON.date(), reason="as decided")
        for one in sorted(chosen)
    )


def _rule(random: Random, name: str) -> Rule:
    effect = random.choice(EFFECTS)
    asked = random.sample(sorted(NAMES), random.choice((0, 1, 2, 2, 3, 3)))
    dated = random.random() < 0.2
    lifted = effect == "deny" and random.random() < 0.6
    return Rule(
        id=name,
        effect=effect,
        needs=random.choice(KINDS) if effect == "require" else None,
        naming=random.choice(("", "", *WORDS)) if effect == "require" else "",
        lifted_by=Wanted(kind=random.choice(KINDS), naming=random.choice(WORDS))
        if lifted
        else None,
        mode=random.choice(MODES),
        conditions=tuple(_condition(random, attribute) for attribute in asked),
        effective_from=_day(random) if dated and random.random() < 0.7 else None,
        effective_to=_day(random) if dated and random.random() < 0.7 else None,
    )


def _condition(random: Random, attribute: str) -> Condition:
    values = NAMES[attribute]
    return Condition(
        attribute=attribute,
        values=frozenset(random.sample(values, random.randint(1, min(3, len(values))))),
        negated=random.random() < 0.15,
    )


def _day(random: Random) -> datetime:
    return NOON + timedelta(days=random.randint(-2, 2))


class Requests:
    """Draws requests for one policy."""

    def __init__(self, random: Random, packs: Sequence[Pack]) -> None:
        self.random = random
        self.rules = [rule for pack in packs for rule in pack.rules]
        self.named: Members = {attribute: [STRANGE[attribute]] for attribute in STRANGE}
        for rule in self.rules:
            for one in rule.conditions:
                self.named[one.attribute].extend(sorted(one.values))

    def draw(self) -> Facts:
        """Draw one, aimed at a rule or past all of them."""
        random = self.random
        aim = random.choice(AIMS)
        rules = [rule for rule in self.rules if rule.effect == aim]
        rule = random.choice(rules) if rules else None
        near = 0.3 if aim != "any" else 0.9
        found = {attribute: self._some(attribute, near) for attribute in NAMES}
        for asked in rule.conditions if rule is not None else ():
            found[asked.attribute] = self._meeting(asked, every=aim == "permit")
        return Facts(
            operation=self._operation(found),
            identity=self._identity(found, rule),
            geography=self._geography(found),
            screening=self._screening(found["listed"]),
            observed=self._observed(found["probe"], found["over"]),
            at=self._time(rule),
        )

    def _some(self, attribute: str, near: float) -> list[str]:
        if self.random.random() >= near:
            return [STRANGE[attribute]]
        most = 1 if attribute in SINGLE or self.random.random() < 0.6 else 3
        return sorted({self.random.choice(self.named[attribute]) for _ in range(most)})

    def _meeting(self, asked: Condition, *, every: bool) -> list[str]:
        """Draw members of which some, or all, meet a condition; a place may be one inside it."""
        values = sorted(asked.values)
        if asked.negated:
            values = [one for one in NAMES[asked.attribute] if one not in asked.values] or values
        most = 1 if asked.attribute in SINGLE or self.random.random() < 0.5 else 2
        chosen = [self.random.choice(values) for _ in range(most)]
        if asked.attribute == "destination" and self.random.random() < 0.3:
            chosen = [f"{one}-XX" if len(one) == len("GB") else one for one in chosen]
        if asked.attribute not in SINGLE and not every and self.random.random() < 0.5:
            chosen.append(STRANGE[asked.attribute])
        return sorted(set(chosen))

    def _operation(self, found: Members) -> Classified:
        provider, kind = found["provider"][0], found["class"][0]
        if self.random.random() < 0.01:
            return Ambiguous(
                provider=provider, operation_class=cast("OperationClass", kind), reason="two"
            )
        if kind == "unknown":
            return Unknown(provider=provider, reason="not in the catalogue")
        return Operation(
            provider=provider,
            name=found["operation"][0],
            operation_class=cast("OperationClass", kind),
            access=cast("Access", found["access"][0]),
        )

    def _identity(self, found: Members, rule: Rule | None) -> Identity:
        if self.random.random() < 0.01:
            return Unverified(reason="identity.expired")
        return Verified(
            method=cast("Method", found["identity"][0]),
            credential="key-1",
            tenant=Tenant(
                id=found["tenant"][0],
                legal_name="Harbour Bank plc",
                type=cast("TenantType", found["tenant_type"][0]),
                tier=found["tier"][0],
                tags=tuple(one for one in found["tag"] if one != "none"),
                countries=("GB",),
                deployments=("GB",),
                end_uses=tuple(found["end_use"]),
                parties=tuple(_party(kind) for kind in found["party_type"]),
                references=tuple(self._references(found, rule)),
            ),
        )

    def _references(self, found: Members, rule: Rule | None) -> Iterator[Reference]:
        wanted = (rule.wanted or rule.lifted_by) if rule is not None else None
        least = 1 if rule is not None and rule.lifted_by else 0
        for number in range(self.random.choice((least, least, least, 1, 2, 3))):
            fitting = wanted is not None and self.random.random() < 0.8
            yield self._reference(found, f"REF-{number}", wanted if fitting else None)

    def _reference(self, found: Members, name: str, wanted: Wanted | None) -> Reference:
        random = self.random

        def some(values: Sequence[str], likely: float) -> tuple[str, ...]:
            if random.random() >= likely:
                return ()
            return tuple(sorted({random.choice(values) for _ in range(random.randint(1, 3))}))

        kind: ReferenceKind = random.choice(KINDS) if wanted is None else wanted.kind
        named = (wanted.naming,) if wanted is not None and wanted.naming else some(WORDS, 0.5)
        places = [
            one[:2] if "-" in one and random.random() < 0.5 else one for one in found["destination"]
        ]
        classes = some((*found["class"], "gallery"), 0.3)
        return Reference(
            id=name,
            kind=kind,
            names=named,
            classes=cast("tuple[OperationClass, ...]", classes),
            destinations=some((*places, *places, "CN"), 0.3),
            valid_from=_day(random) if random.random() < 0.3 else None,
            valid_to=_day(random) if random.random() < 0.3 else None,
            quota=Quota(limit=random.randint(0, 4), counts="calls")
            if random.random() < 0.3
            else None,
        )

    def _geography(self, found: Members) -> Geography:
        places = found["destination"]
        if self.random.random() < 0.05:
            evidence = [Evidence(kind="account", code=one, source="tenant") for one in places]
            return Unlocated(client="", reason="no network database", evidence=tuple(evidence))
        return Located(
            client="192.0.2.7",
            destination=tuple(places),
            evidence=(),
            contradiction=found["contradiction"] == ["yes"],
        )

    def _screening(self, listed: list[str]) -> Screening:
        lists = tuple(one for one in listed if one not in {"none", "not_screened"})
        if lists:
            return Hit(lists=lists, parties=("party",))
        return Clear() if "none" in listed else NotScreened(reason="no verdict")

    def _observed(self, probe: list[str], over: list[str]) -> Observed:
        probes = tuple(one for one in probe if one != "none")
        quotas = [
            Taken(
                reference=f"REF-{number}",
                used=self.random.randint(0, 3),
                limit=self.random.randint(1, 4),
                amount=self.random.randint(1, 2),
            )
            for number in range(self.random.choice((0, 3, 3, 3)))
        ]
        return Observed(
            probes=None if probes == ("unknown",) else probes,
            quotas=tuple(quotas),
            over=tuple(sorted({one for one in over if one != "none"})),
        )

    def _time(self, rule: Rule | None) -> datetime:
        """Draw a time; where a rule is dated, often at the very edge of it."""
        edges = (
            [edge for edge in (rule.effective_from, rule.effective_to) if edge is not None]
            if rule is not None
            else []
        )
        if edges and self.random.random() < 0.6:
            return self.random.choice(edges) + self.random.choice((-MOMENT, MOMENT, 0 * MOMENT))
        return _day(self.random)


def _party(kind: str) -> Party:
    return Party(name=kind, role="end_user", type=cast("TenantType", kind), countries=("GB",))

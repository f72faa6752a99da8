"""What policy means, a second time: straight from the README, knowing nothing of the engine.

No table, no mask, no import of the compiler, the judge, the attributes or the references. Chapters:
"Write a rule", "What is on file", "What a rule may name". Plain and slow on purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from gateway.core.decision import Decision, Outcome
from gateway.core.facts import Facts
from gateway.core.geography.model import Located
from gateway.core.identity.model import Reference, Unverified, Verified
from gateway.core.operation import Ambiguous, Operation, Unknown
from gateway.core.policy.model import UNSWITCHED, Operator, Pack, Rule
from gateway.core.screening import Clear, Hit

UNGOVERNED = {"one_to_one", "detect", "liveness", "admin", "unrelated"}
NOWHERE = {"unknown", "private", "anonymised", "stale"}
FOREVER = datetime.max.replace(tzinfo=UTC)
Members = Mapping[str, set[str]]


def members(facts: Facts) -> Members:
    asked, who, where, screened = facts.operation, facts.identity, facts.geography, facts.screening
    tenant = who.tenant if isinstance(who, Verified) else None
    probes = facts.observed.probes
    places, told = {"unknown"}, {"yes", "no"}
    if isinstance(where, Located):
        places, told = set(where.destination), {"yes" if where.contradiction else "no"}
    else:
        places |= {one.code for one in where.evidence}
    unlisted = {"none"} if isinstance(screened, Clear) else {"not_screened"}
    return {
        "provider": {asked.provider},
        "operation": {asked.name if isinstance(asked, Operation) else "unknown"},
        "class": {"unknown" if isinstance(asked, Unknown) else asked.operation_class},
        "access": {asked.access if isinstance(asked, Operation) else "none"},
        "tenant": {tenant.id if tenant else "none"},
        "tenant_type": {tenant.type if tenant else "none"},
        "party_type": {one.type for one in tenant.parties} if tenant else {"none"},
        "tier": {tenant.tier if tenant else "none"},
        "tag": set(tenant.tags if tenant else ()) or {"none"},
        "end_use": set(tenant.end_uses if tenant else ()) or {"none"},
        "destination": places,
        "listed": set(screened.lists) if isinstance(screened, Hit) else unlisted,
        "identity": {who.method if isinstance(who, Verified) else "none"},
        "contradiction": told,
        "over": set(facts.observed.over) or {"none"},
        "probe": {"unknown"} if probes is None else set(probes) or {"none"},
    }


def judge(packs: Iterable[Pack], facts: Facts, operator: Operator = UNSWITCHED) -> Decision:
    if isinstance(facts.operation, Ambiguous):
        return Decision(outcome="refuse", reason="operation.ambiguous", shadow_outcome="refuse")
    if isinstance(facts.identity, Unverified):
        return Decision(outcome="refuse", reason=facts.identity.reason, shadow_outcome="refuse")
    ordered = sorted(packs, key=lambda pack: pack.id)
    if not ordered:
        return Decision(outcome="refuse", reason="policy.missing", shadow_outcome="refuse")
    found = members(facts)
    hits, real = dict[str, Rule](), dict[str, Rule]()
    on = {switch.what for switch in operator.activated}
    off = {switch.what for switch in operator.switched_off}
    for pack in ordered:
        for rule in pack.rules:
            name = f"{pack.id}/{rule.id}"
            if name not in off and matches(rule, found, facts.at):
                hits[name] = rule
                in_force = pack.force != "pending" or pack.id in on
                if name in on or (in_force and rule.mode == "enforce"):
                    real[name] = rule
    outcome, reason, rules, obligations, discharged, lifted = combine(real, facts, found)
    return Decision(
        outcome=outcome,
        reason=reason,
        rules=tuple(rules),
        matched=tuple(real),
        shadow=tuple(name for name in hits if name not in real),
        shadow_outcome=combine(hits, facts, found)[0],
        obligations=tuple(sorted(obligations)),
        discharged=tuple(sorted(discharged)),
        lifted=tuple(lifted),
    )


def matches(rule: Rule, found: Members, at: datetime) -> bool:
    start, end = rule.effective_from, rule.effective_to
    if (start is not None and at < start) or (end is not None and at >= end):
        return False
    enough = all if rule.effect == "permit" else any
    return all(
        enough(
            names(one, asked.values, asked.attribute) is not asked.negated
            for one in found[asked.attribute]
        )
        for asked in rule.conditions
    )


def names(member: str, values: Collection[str], attribute: str = "destination") -> bool:
    country = member[:2] if attribute == "destination" and "-" in member else member
    return member in values or country in values


Combined = tuple[Outcome, str, list[str], set[str], set[str], list[str]]


def combine(rules: Mapping[str, Rule], facts: Facts, found: Members) -> Combined:
    used = set[str]()
    denies = {name: rule.lifted_by for name, rule in rules.items() if rule.effect == "deny"}
    liftable = {name: (one.kind, one.naming) for name, one in denies.items() if one}
    held = missing(liftable, facts, found, used)
    lifted = [name for name in liftable if name not in held]
    denying = [name for name in denies if name not in lifted]
    if denying:
        return "refuse", "policy.denied", denying, set(), used, lifted
    asked = {
        name: (str(rule.needs), rule.naming)
        for name, rule in rules.items()
        if rule.effect == "require"
    }
    unmet = missing(asked, facts, found, used)
    if unmet:
        kinds = {asked[name][0] for name in unmet}
        return "refuse", "policy.unmet", unmet, kinds, used, lifted
    permits = [name for name, rule in rules.items() if rule.effect == "permit"]
    if permits:
        return "permit", "policy.permitted", permits, set(), used, lifted
    if found["class"] <= UNGOVERNED or found["access"] == {"delete"}:
        return "permit", "policy.ungoverned", [], set(), used, lifted
    return "refuse", "policy.default", [], set(), used, lifted


def missing(
    asked: Mapping[str, tuple[str, str]], facts: Facts, found: Members, used: set[str]
) -> list[str]:
    """Return who asks for a reference that is not there; what names a word is served first."""
    there = set[tuple[str, str]]()
    on_file = facts.identity.tenant.references if isinstance(facts.identity, Verified) else ()
    for kind, word in sorted(set(asked.values()), key=lambda one: (one[0], one[1] == "", one[1])):
        fit = [
            one
            for one in on_file
            if one.kind == kind and word in {*one.names, ""} and applies(one, facts, found)
        ]
        again = [one for one in fit if one.id in used] or fit
        again.sort(key=lambda one: (one.quota is not None, one.valid_to or FOREVER, one.id))
        if again:
            used.add(again[0].id)
            there.add((kind, word))
    return [name for name, wanted in asked.items() if wanted not in there]


def applies(one: Reference, facts: Facts, found: Members) -> bool:
    if (one.valid_from or facts.at) > facts.at or (one.valid_to or FOREVER) <= facts.at:
        return False
    if one.classes and not found["class"] <= set(one.classes):
        return False
    places = found["destination"]
    inside = all(names(place, one.destinations) for place in places - NOWHERE)
    if one.destinations and (places & NOWHERE or not inside):
        return False
    taken = [taken for taken in facts.observed.quotas if taken.reference == one.id]
    limit = one.quota.limit if one.quota else 0
    return one.quota is None or (
        bool(taken) and all(it.used + it.amount <= min(it.limit, limit) for it in taken)
    )

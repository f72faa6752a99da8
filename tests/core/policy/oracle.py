"""The meaning of policy in the plainest code: no table, no masks, nothing of the engine's own.

Set facts: a deny or require condition holds if any member satisfies it, a permit condition only if
all do. Deny over unmet require over permit; requires add up; nothing matching: governed classes are
refused, the rest permitted.
"""

from __future__ import annotations

from gateway.core.facts import Facts
from gateway.core.geography.model import Located
from gateway.core.identity.model import Reference, Unverified, Verified
from gateway.core.operation import Ambiguous, Operation, Unknown
from gateway.core.policy.model import Condition, Pack, Rule
from gateway.core.screening import Clear, Hit

UNGOVERNED = {"one_to_one", "liveness", "detect", "admin", "unrelated"}
Answer = tuple[str, str, list[str], list[str]]  # outcome, reason, deciding rules, obligations


def attributes_of(facts: Facts) -> dict[str, set[str]]:
    asked, who, place = facts.operation, facts.identity, facts.geography
    tenant = who.tenant if isinstance(who, Verified) else None
    screening = facts.screening
    places = set(place.destination) if isinstance(place, Located) else {"unknown"}
    if not isinstance(place, Located):
        places |= {evidence.code for evidence in place.evidence}
    contradiction = {"yes", "no"}
    if isinstance(place, Located):
        contradiction = {"yes"} if place.contradiction else {"no"}
    listed = set(screening.lists) if isinstance(screening, Hit) else {"not_screened"}
    probes = facts.observed.probes
    return {
        "provider": {asked.provider},
        "operation": {asked.name if isinstance(asked, Operation) else "unknown"},
        "class": {"unknown" if isinstance(asked, Unknown) else asked.operation_class},
        "access": {asked.access if isinstance(asked, Operation) else "none"},
        "tenant": {tenant.id} if tenant else {"none"},
        "tenant_type": {tenant.type} if tenant else {"none"},
        "party_type": {party.type for party in tenant.parties} if tenant else {"none"},
        "tier": {tenant.tier} if tenant else {"none"},
        "tag": set(tenant.tags if tenant else ()) or {"none"},
        "end_use": set(tenant.end_uses if tenant else ()) or {"none"},
        "destination": places,
        "listed": {"none"} if isinstance(screening, Clear) else listed,
        "identity": {who.method} if isinstance(who, Verified) else {"none"},
        "contradiction": contradiction,
        "probe": {"unknown"} if probes is None else set(probes) or {"none"},
    }


def satisfies(member: str, condition: Condition) -> bool:
    names = {member}
    if condition.attribute == "destination" and "-" in member:
        names.add(member[:2])  # a region lies in its country
    return bool(names & condition.values) != condition.negated


def matches(rule: Rule, facts: Facts) -> bool:
    if rule.effective_from is not None and facts.at < rule.effective_from:
        return False
    if rule.effective_to is not None and facts.at >= rule.effective_to:
        return False
    found = attributes_of(facts)
    enough = all if rule.effect == "permit" else any
    return all(
        enough(satisfies(member, condition) for member in found[condition.attribute])
        for condition in rule.conditions
    )


def built_in(packs: list[Pack], facts: Facts) -> str | None:
    if isinstance(facts.operation, Ambiguous):
        return "operation.ambiguous"
    if isinstance(facts.identity, Unverified):
        return facts.identity.reason
    return None if packs else "policy.missing"


def judge(packs: list[Pack], facts: Facts, *, shadow: bool = False) -> Answer:
    """Return the answer; with `shadow` as if the rules in shadow were enforced."""
    reason = built_in(packs, facts)
    if reason is not None:
        return "refuse", reason, [], []
    matching = [
        (f"{pack.id}/{rule.id}", rule)
        for pack in sorted(packs, key=lambda pack: pack.id)
        for rule in pack.rules
        if (shadow or (pack.force != "pending" and rule.mode == "enforce")) and matches(rule, facts)
    ]
    denying = [
        name
        for name, rule in matching
        if rule.effect == "deny"
        and not (rule.lifted_by and on_file(rule.lifted_by.kind, rule.lifted_by.naming, facts))
    ]
    unmet = [
        (name, rule.needs)
        for name, rule in matching
        if rule.effect == "require" and not on_file(rule.needs, rule.naming, facts)
    ]
    permitting = [name for name, rule in matching if rule.effect == "permit"]
    if denying:
        return "refuse", "policy.denied", denying, []
    if unmet:
        kinds = sorted({str(kind) for _, kind in unmet})
        return "refuse", "policy.unmet", [name for name, _ in unmet], kinds
    if permitting:
        return "permit", "policy.permitted", permitting, []
    found = attributes_of(facts)
    if found["class"] <= UNGOVERNED or found["access"] == {"delete"}:
        return "permit", "policy.ungoverned", [], []
    return "refuse", "policy.default", [], []


def on_file(kind: str | None, naming: str, facts: Facts) -> bool:
    references = facts.identity.tenant.references if isinstance(facts.identity, Verified) else ()
    return any(
        one.kind == kind and (naming in {*one.names, ""}) and applies(one, facts)
        for one in references
    )


def applies(one: Reference, facts: Facts) -> bool:
    found = attributes_of(facts)
    in_time = (one.valid_from is None or one.valid_from <= facts.at) and (
        one.valid_to is None or one.valid_to > facts.at
    )
    for_class = not one.classes or found["class"] <= set(one.classes)
    named = set(one.destinations)
    for_places = not named or all(
        place in named or ("-" in place and place[:2] in named) for place in found["destination"]
    )
    left = one.quota is None or any(
        taken.reference == one.id
        and taken.used + taken.amount <= taken.limit
        and taken.used + taken.amount <= one.quota.limit
        for taken in facts.observed.quotas
    )
    return in_time and for_class and for_places and left

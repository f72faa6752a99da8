"""The same policy in Cedar and in Rego, for the part of the language that all three have.

Common to them: deny, permit and require, conditions on sets, dates, regions in countries, what
governs. Not common, and left to the oracle: shadow, what a reference is limited to, and which of
several is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import cedarpy
import regorus

from gateway.core.facts import Facts
from gateway.core.identity.model import Verified
from gateway.core.policy.model import Condition, Pack, Rule
from tests.core.policy.oracle import UNGOVERNED, members

# The outcome and the rules that decided, in no order.
Answer = tuple[str, frozenset[str]]
Said = dict[str, object]
Judge = Callable[[Said], Answer]


def cedar(packs: Sequence[Pack], places: Iterable[str]) -> Judge:
    """Return what judges by Cedar.

    Args:
        packs: the policy.
        places: every destination that requests name, because Cedar knows no regions.
    """
    texts = ["permit(principal, action, resource) when { context.ungoverned };"]
    for _, rule in _rules(packs):
        effect = "permit" if rule.effect == "permit" else "forbid"
        holds = " && ".join(["true", *_cedar_terms(rule, places)])
        unless = f" unless {{ {_cedar_reference(rule)} }}" if _cedar_reference(rule) else ""
        texts.append(f"{effect}(principal, action, resource) when {{ {holds} }}{unless};")
    policies = cedarpy.PolicySet.from_str("\n".join(texts))
    # Cedar names policies by their place in the text; the first is the default.
    named = {f"policy{place}": found for place, found in enumerate(_rules(packs), 1)}

    def judge(said: Said) -> Answer:
        request = {
            "principal": 'Caller::"caller"',
            "action": 'Action::"ask"',
            "resource": 'Provider::"provider"',
            "context": said,
        }
        result = cedarpy.is_authorized(request, policies, [])
        if result.diagnostics.errors:
            raise ValueError(result.diagnostics.errors)
        decided = [named[place] for place in result.diagnostics.reasons if place in named]
        denies = frozenset(name for name, rule in decided if rule.effect == "deny")
        every = frozenset(name for name, _ in decided)
        return ("permit", every) if result.allowed else ("refuse", denies or every)

    return judge


def rego(packs: Sequence[Pack], places: Iterable[str]) -> Judge:
    """Return what judges by Rego; the arguments are those of `cedar`."""
    heads = {"deny": "denies", "require": "unmet", "permit": "permits"}
    texts = [f"{head} contains name if {{ some name in set() }}" for head in heads.values()]
    for name, rule in _rules(packs):
        body = ["true", *_rego_terms(rule, places)]
        if _reference(rule):
            body.append(f"not {json.dumps(_reference(rule))} in input.on_file")
        texts.append(f"{heads[rule.effect]} contains {json.dumps(name)} if {{ {'; '.join(body)} }}")
    texts.append("answer := [denies, unmet, permits]")
    engine = regorus.Engine()
    for start in range(0, len(texts), 500):  # a file may not be longer than 1 MiB
        text = "\n".join(["package facegate", "import rego.v1", *texts[start : start + 500]])
        engine.add_policy(f"{start}.rego", text)

    def judge(said: Said) -> Answer:
        engine.set_input(said)
        denies, unmet, permits = (
            frozenset(found) for found in engine.eval_rule("data.facegate.answer")
        )
        if denies or unmet:
            return "refuse", denies or unmet
        return ("permit" if permits or said["ungoverned"] else "refuse"), permits

    return judge


def context(facts: Facts) -> Said:
    """Return what both are told of a request: members by attribute, what is on file, the time."""
    found = members(facts)
    tenant = facts.identity.tenant if isinstance(facts.identity, Verified) else None
    on_file = {
        f"{one.kind}:{word}"
        for one in (tenant.references if tenant else ())
        for word in (*one.names, "")
    }
    return {
        **{f"a_{attribute}": sorted(values) for attribute, values in found.items()},
        "on_file": sorted(on_file),
        "at": int(facts.at.timestamp()),
        "ungoverned": found["class"] <= UNGOVERNED or found["access"] == {"delete"},
    }


def _rules(packs: Sequence[Pack]) -> list[tuple[str, Rule]]:
    ordered = sorted(packs, key=lambda pack: pack.id)
    return [(f"{pack.id}/{rule.id}", rule) for pack in ordered for rule in pack.rules]


def _reference(rule: Rule) -> str:
    wanted = rule.wanted or rule.lifted_by
    return f"{wanted.kind}:{wanted.naming}" if wanted else ""


def _values(asked: Condition, places: Iterable[str]) -> list[str]:
    """Return the values, and of a country its regions among the places."""
    inside = (
        [place for place in places if "-" in place and place[:2] in asked.values]
        if asked.attribute == "destination"
        else []
    )
    return sorted({*asked.values, *inside})


def _cedar_reference(rule: Rule) -> str:
    return f"context.on_file.contains({json.dumps(_reference(rule))})" if _reference(rule) else ""


def _cedar_terms(rule: Rule, places: Iterable[str]) -> Iterable[str]:
    if rule.effective_from is not None:
        yield f"context.at >= {int(rule.effective_from.timestamp())}"
    if rule.effective_to is not None:
        yield f"context.at < {int(rule.effective_to.timestamp())}"
    for asked in rule.conditions:
        values = json.dumps(_values(asked, places))
        found = f"context.a_{asked.attribute}"
        every = rule.effect == "permit"
        # Any member among values, or every; any outside is not every inside.
        if every is asked.negated:
            yield f"{'!' if asked.negated else ''}{found}.containsAny({values})"
        else:
            yield f"{'!' if asked.negated else ''}{values}.containsAll({found})"


def _rego_terms(rule: Rule, places: Iterable[str]) -> Iterable[str]:
    if rule.effective_from is not None:
        yield f"input.at >= {int(rule.effective_from.timestamp())}"
    if rule.effective_to is not None:
        yield f"input.at < {int(rule.effective_to.timestamp())}"
    for asked in rule.conditions:
        values = "{" + json.dumps(_values(asked, places))[1:-1] + "}"
        member = f"m_{asked.attribute}"
        holds = f"{'not ' if asked.negated else ''}{member} in {values}"
        found = f"input.a_{asked.attribute}"
        if rule.effect == "permit":
            yield f"every {member} in {found} {{ {holds} }}"
        else:
            yield f"some {member} in {found}; {holds}"

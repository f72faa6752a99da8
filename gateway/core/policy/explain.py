"""Why: facts with their sources, each rule with its conditions, the step that combined them.

Explaining judges nothing: the decision is that of `evaluate`, and what is shown of each rule is
read from the rule itself, not from the compiled table. That the two agree is a property test.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gateway.core.decision import REASONS, Decision
from gateway.core.facts import Facts
from gateway.core.identity.model import Reference, ReferenceKind
from gateway.core.operation import OperationClass, class_of
from gateway.core.policy.attributes import attributes
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.evidence import Fact, evidence_of
from gateway.core.policy.matching import in_effect, satisfies
from gateway.core.policy.model import Condition, Effect, Pack, Policies, Rule, Wanted
from gateway.core.policy.nearest import Nearest, nearest_permit
from gateway.core.policy.references import Shortcoming, meets, on_file, shortcomings

# What a rule came to. `outranked`: it matched, and a stronger effect decided; `met`: what it
# requires is on file; `lifted`: a reference lifts it; `off`: the operator switched it off;
# `silent`: it did not match.
Role = Literal["decided", "outranked", "met", "lifted", "shadow", "off", "silent"]

SHORTCOMINGS: dict[Shortcoming, str] = {
    "not_yet": "is not valid yet",
    "expired": "is not valid any more",
    "class": "is not for this class",
    "destination": "does not cover every destination",
    "quota": "is used up",
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a rule beside the facts.

    Attributes:
        attribute: what is asked about.
        negated: `not_in`.
        named: the values that the rule names, groups written out, sorted.
        satisfying: members that satisfy the condition, sorted.
        failing: members that do not.
        holds: whether enough do: any for a deny or require, all for a permit.
    """

    attribute: str
    negated: bool
    named: tuple[str, ...]
    satisfying: tuple[str, ...]
    failing: tuple[str, ...]
    holds: bool


class OnFile(msgspec.Struct, frozen=True, kw_only=True):
    """A reference on file, for a request or for a rule that asks for one.

    Attributes:
        id: as the tenant file has it.
        kind: what it is.
        names: the words that it names.
        why_not: why it does not serve; empty where it does.
        quota: how much of it is used, in words; empty where it has none.
    """

    id: str
    kind: ReferenceKind
    names: tuple[str, ...]
    why_not: tuple[str, ...]
    quota: str = ""


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """One rule beside the facts.

    Attributes:
        id: `pack/rule`.
        effect: what a match does.
        role: what it came to.
        reason: the rule's sentence for people.
        effective_from: inclusive, UTC; None is open.
        effective_to: exclusive, UTC; None is open.
        in_effect: whether the time lies between.
        asked: its conditions.
        wanted: the reference that it requires, or that lifts it; None where there is none.
        on_file: the references of that kind that are on file.
    """

    id: str
    effect: Effect
    role: Role
    reason: str
    effective_from: datetime | None
    effective_to: datetime | None
    in_effect: bool
    asked: tuple[Asked, ...]
    wanted: Wanted | None
    on_file: tuple[OnFile, ...]

    @property
    def matches(self) -> bool:
        """Whether it is in effect and all its conditions hold."""
        return self.in_effect and all(asked.holds for asked in self.asked)


class ForCaller(msgspec.Struct, frozen=True, kw_only=True, rename={"operation_class": "class"}):
    """What a caller may be told: nothing about rules, lists, parties or other tenants.

    Nothing either that would tell what to declare instead. `needs` are the kinds of reference that
    are required and not on file.
    """

    outcome: Literal["permit", "refuse"]
    reason: str
    words: str
    operation_class: OperationClass
    needs: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with everything that led to it.

    Attributes:
        policies: digest of what was judged by.
        at: the time of the request.
        decision: what `evaluate` answers.
        facts: every attribute with its members and their sources.
        on_file: every reference of the tenant, with why it does not apply to this request.
        rules: every rule, in pack order.
        step: how the rules were combined, in words.
        nearest: what would have to be otherwise; None where the request is permitted.
        caller: what the caller may be told.
    """

    policies: str
    at: datetime
    decision: Decision
    facts: tuple[Fact, ...]
    on_file: tuple[OnFile, ...]
    rules: tuple[RuleView, ...]
    step: str
    nearest: Nearest | None
    caller: ForCaller


def explain(policies: Policies, facts: Facts, *, stated: str = "") -> Explanation:
    """Explain what `evaluate` answers for facts under a policy.

    Args:
        policies: what is judged by.
        facts: of one request.
        stated: who stated the facts, where nothing was observed; empty for facts of a request.
    """
    decision = evaluate(policies, facts)
    return Explanation(
        policies=policies.digest,
        at=facts.at,
        decision=decision,
        facts=evidence_of(facts, stated=stated),
        on_file=tuple(_reference(one, facts) for one in on_file(facts)),
        rules=rules_beside(policies, facts, decision),
        step=step_of(decision, facts),
        nearest=None if decision.outcome == "permit" else nearest_permit(policies, facts),
        caller=for_caller(decision, facts),
    )


def for_caller(decision: Decision, facts: Facts) -> ForCaller:
    """Return what the caller may be told of a decision."""
    return ForCaller(
        outcome=decision.outcome,
        reason=decision.reason,
        words=REASONS[decision.reason].public if decision.reason in REASONS else "",
        operation_class=class_of(facts.operation),
        needs=decision.obligations,
    )


def rules_beside(policies: Policies, facts: Facts, decision: Decision) -> tuple[RuleView, ...]:
    """Return every rule beside the facts, in pack order."""
    found = attributes(facts)
    return tuple(
        _view(f"{pack.id}/{rule.id}", rule, facts, found, _role(policies, pack, rule, decision))
        for pack in policies.packs
        for rule in pack.rules
    )


def _view(
    rule_id: str, rule: Rule, facts: Facts, found: dict[str, frozenset[str]], role: Role
) -> RuleView:
    wanted = rule.wanted or rule.lifted_by
    return RuleView(
        id=rule_id,
        effect=rule.effect,
        role=role,
        reason=rule.reason,
        effective_from=rule.effective_from,
        effective_to=rule.effective_to,
        in_effect=in_effect(rule, facts.at),
        asked=tuple(_asked(one, rule, found[one.attribute]) for one in rule.conditions),
        wanted=wanted,
        on_file=() if wanted is None else _on_file(facts, wanted),
    )


def _role(policies: Policies, pack: Pack, rule: Rule, decision: Decision) -> Role:
    rule_id = f"{pack.id}/{rule.id}"
    if policies.operator.effectiveness(pack, rule) == "off":
        return "off"
    if rule_id in decision.rules:
        return "decided"
    if rule_id in decision.lifted:
        return "lifted"
    if rule_id in decision.shadow:
        return "shadow"
    if rule_id not in decision.matched:
        return "silent"
    met = rule.effect == "require" and decision.reason != "policy.denied"
    return "met" if met else "outranked"


def _asked(condition: Condition, rule: Rule, members: frozenset[str]) -> Asked:
    satisfying = tuple(sorted(one for one in members if satisfies(one, condition)))
    failing = tuple(sorted(members.difference(satisfying)))
    return Asked(
        attribute=condition.attribute,
        negated=condition.negated,
        named=tuple(sorted(condition.values)),
        satisfying=satisfying,
        failing=failing,
        holds=not failing if rule.effect == "permit" else bool(satisfying),
    )


def _on_file(facts: Facts, wanted: Wanted) -> tuple[OnFile, ...]:
    return tuple(
        _reference(one, facts, wanted) for one in on_file(facts) if one.kind == wanted.kind
    )


def _reference(reference: Reference, facts: Facts, wanted: Wanted | None = None) -> OnFile:
    why_not = tuple(SHORTCOMINGS[one] for one in shortcomings(reference, facts))
    if wanted is not None and not meets(reference, wanted):
        why_not = (f"does not name `{wanted.naming}`", *why_not)
    counted = (one for one in facts.observed.quotas if one.reference == reference.id)
    return OnFile(
        id=reference.id,
        kind=reference.kind,
        names=reference.names,
        why_not=why_not,
        quota=", ".join(f"{one.used} of {one.limit} used, {one.amount} asked" for one in counted),
    )


def step_of(decision: Decision, facts: Facts) -> str:
    """Say in one sentence how the rules that matched were combined."""
    deciding = ", ".join(decision.rules)
    lifted = f" (lifted: {', '.join(decision.lifted)})" if decision.lifted else ""
    asked = class_of(facts.operation)
    match decision.reason:
        case "policy.denied":
            return f"a deny wins over everything else{lifted}: {deciding}"
        case "policy.unmet":
            missing = ", ".join(decision.obligations)
            return f"nothing denies{lifted}, but what is required is missing: {missing}; {deciding}"
        case "policy.permitted":
            return (
                f"nothing denies{lifted} and nothing required is missing; permitted by {deciding}"
            )
        case "policy.default":
            return f"no rule permits, and `{asked}` is governed: what is governed needs a permit"
        case "policy.ungoverned":
            return f"nothing denies{lifted}, and `{asked}` is not governed: it needs no permit"
        case reason:
            words = REASONS[reason].public if reason in REASONS else reason
            return f"built in before every rule: {words}"

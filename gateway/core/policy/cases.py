"""Cases: facts in a few words, and the decision that is expected of them.

A case tests the policy, not the reading of requests, so its facts are given by attribute and not by
a request. What it does not name is unremarkable (`facts_of` has the defaults), except for the
destination: a case without one has `unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import msgspec

from gateway.core.decision import Decision, Outcome
from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Geography, Located, Unlocated
from gateway.core.identity.model import (
    Method,
    Party,
    Reference,
    ReferenceKind,
    Tenant,
    TenantType,
    Verified,
)
from gateway.core.operation import (
    Access,
    Classified,
    Observed,
    Operation,
    OperationClass,
    Taken,
    Unknown,
)
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import UNSWITCHED, Operator, Pack, Policies
from gateway.core.screening import Clear, Hit, NotScreened, Screening

Given = Mapping[str, tuple[str, ...]]
# Attributes with exactly one member in facts.
SINGLE: Final = frozenset(
    {
        "provider",
        "operation",
        "class",
        "access",
        "tenant",
        "tenant_type",
        "tier",
        "identity",
    }
)


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What a case expects; None is not compared.

    Attributes:
        outcome: of the decision.
        rule: id `pack/rule`; among the deciding rules, or among those that matched in shadow.
        reason: the decision's reason.
        needs: the decision's obligations, sorted.
        lifted: id `pack/rule` of a deny that matched, and that a reference lifted.
    """

    outcome: Outcome
    rule: str | None = None
    reason: str | None = None
    needs: tuple[ReferenceKind, ...] | None = None
    lifted: str | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case, with its place in a file.

    `pack` names the pack that judges it alone, as if it were in force; None is all packs together.
    Where the case is `enforced`, the rules of that pack in shadow are enforced for it.
    """

    name: str
    path: str
    line: int
    pack: str | None
    facts: Facts
    expect: Expectation
    enforced: bool = False


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """A case that was run; `mismatches` is empty where the decision was the expected one."""

    case: Case
    decision: Decision
    mismatches: tuple[str, ...]


class CaseRun(msgspec.Struct, frozen=True, kw_only=True):
    """All cases that were run.

    `uncovered` are the ids `pack/rule`, in pack order, of the rules that matched in none.
    """

    results: tuple[CaseResult, ...]
    uncovered: tuple[str, ...]


def run_cases(
    packs: Sequence[Pack], cases: Sequence[Case], *, operator: Operator = UNSWITCHED
) -> CaseRun:
    """Judge every case; a rule is covered where it matched in one, enforced or in shadow.

    The operator's switches hold for the packs together, and not for a pack that is judged alone; a
    rule that is switched off needs no case.

    Args:
        packs: all that are loaded; every `Case.pack` is among them.
        cases: in the order in which results are wanted.
        operator: the switches over the packs.
    """
    together = compile_policies(packs, operator=operator)
    by_id = {pack.id: pack for pack in packs}
    alone = {
        (pack, enforced): compile_policies([_in_force(by_id[pack], enforced=enforced)])
        for pack, enforced in {(case.pack, case.enforced) for case in cases}
        if pack is not None
    }
    results = tuple(
        _run(together if case.pack is None else alone[case.pack, case.enforced], case)
        for case in cases
    )
    matched = {
        rule for result in results for rule in (*result.decision.matched, *result.decision.shadow)
    }
    matched |= {switch.what for switch in operator.switched_off}
    uncovered = tuple(rule for rule in together.table.ids if rule not in matched)
    return CaseRun(results=results, uncovered=uncovered)


def _in_force(pack: Pack, *, enforced: bool) -> Pack:
    """Return a pack as if it were in force; `enforced`: its rules in shadow too."""
    rules = tuple(
        msgspec.structs.replace(rule, mode="enforce") if enforced else rule for rule in pack.rules
    )
    return msgspec.structs.replace(pack, force="binding", rules=rules)


def facts_of(
    given: Given, references: Sequence[Reference], at: datetime, *, quotas: tuple[Taken, ...] = ()
) -> Facts:
    """Make facts from attributes.

    Args:
        given: members by attribute, each checked by `values.check_member`; `class` is among them.
        references: what the tenant has on file.
        at: the time of the request, UTC.
        quotas: of each reference that has one, sorted by reference.
    """
    return Facts(
        operation=_operation(given),
        identity=Verified(
            method=cast("Method", _one(given, "identity", "jwt")),
            credential="case",
            tenant=_tenant(given, references),
        ),
        geography=_geography(given),
        screening=_screening(given.get("listed", ("none",))),
        observed=Observed(
            probes=_probes(given.get("probe", ("none",))),
            quotas=quotas,
            over=_over(given.get("over", ("none",))),
        ),
        at=at,
    )


def _geography(given: Given) -> Geography:
    places = tuple(sorted(given.get("destination", ("unknown",))))
    contradiction = given.get("contradiction", ("no",))
    if len(contradiction) == 1:
        return Located(
            client="",
            destination=places,
            evidence=(),
            contradiction=contradiction == ("yes",),
        )
    # Both: that cannot be told, because the network says nothing.
    evidence = [
        Evidence(kind="account", code=code, source="case") for code in places if code != "unknown"
    ]
    return Unlocated(client="", reason="case", evidence=tuple(evidence))


def _one(given: Given, attribute: str, default: str) -> str:
    return given[attribute][0] if attribute in given else default


def _operation(given: Given) -> Classified:
    provider = _one(given, "provider", "any")
    operation_class = cast("OperationClass", _one(given, "class", "unknown"))
    if operation_class == "unknown":
        return Unknown(provider=provider, reason="case")
    return Operation(
        provider=provider,
        name=_one(given, "operation", "any"),
        operation_class=operation_class,
        access=cast("Access", _one(given, "access", "none")),
    )


def _tenant(given: Given, references: Sequence[Reference]) -> Tenant:
    own = _one(given, "tenant_type", "private")
    others = sorted(set(given.get("party_type", ())) - {own})
    return Tenant(
        id=_one(given, "tenant", "case"),
        legal_name="case",
        type=cast("TenantType", own),
        tier=_one(given, "tier", "none"),
        tags=tuple(sorted(given.get("tag", ()))),
        countries=("unknown",),
        deployments=("unknown",),
        end_uses=tuple(sorted(given.get("end_use", ("undeclared",)))),
        parties=tuple(
            Party(
                name=kind,
                role="caller" if kind == own else "end_user",
                type=cast("TenantType", kind),
                countries=("unknown",),
            )
            for kind in (own, *others)
        ),
        references=tuple(references),
    )


def _screening(listed: tuple[str, ...]) -> Screening:
    if listed == ("none",):
        return Clear()
    if listed == ("not_screened",):
        return NotScreened(reason="case")
    return Hit(lists=tuple(sorted(listed)), parties=("case",))


def _probes(given: tuple[str, ...]) -> tuple[str, ...]:
    return () if given == ("none",) else given


def _over(budgets: tuple[str, ...]) -> tuple[str, ...]:
    return () if budgets == ("none",) else tuple(sorted(budgets))


def _run(policies: Policies, case: Case) -> CaseResult:
    decision = evaluate(policies, case.facts)
    return CaseResult(case=case, decision=decision, mismatches=_mismatches(case.expect, decision))


def _mismatches(expect: Expectation, decision: Decision) -> tuple[str, ...]:
    found = list[str]()
    if decision.outcome != expect.outcome:
        found.append(f"outcome is {decision.outcome}, not {expect.outcome}")
    if expect.reason is not None and decision.reason != expect.reason:
        found.append(f"reason is {decision.reason}, not {expect.reason}")
    if expect.rule is not None and expect.rule not in (*decision.rules, *decision.shadow):
        found.append(f"{' '.join(decision.rules) or 'no rule'} decided, not {expect.rule}")
    if expect.needs is not None and decision.obligations != expect.needs:
        needed = " ".join(decision.obligations) or "nothing"
        found.append(f"{needed} is missing, not {' '.join(expect.needs) or 'nothing'}")
    if expect.lifted is not None and expect.lifted not in decision.lifted:
        found.append(f"{' '.join(decision.lifted) or 'no rule'} was lifted, not {expect.lifted}")
    return tuple(found)

"""Judging: facts under a policy to a decision. Total, pure, and the only place that refuses.

Deny-biased combining (after XACML 3.0 section 7.2.2): a deny over an unmet requirement over a
permit; requirements add up; where nothing permits, a governed class is refused.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from gateway.core.decision import Decision, Outcome
from gateway.core.facts import Facts
from gateway.core.identity.model import Reference, ReferenceKind, Unverified, Verified
from gateway.core.operation import Ambiguous, access_of, class_of, governed
from gateway.core.policy.attributes import members
from gateway.core.policy.model import Policies, Table

# Unmet rules (a mask), the kinds that are not on file, the references that are.
_Requirements = tuple[int, tuple[str, ...], tuple[str, ...]]
_NOTHING: _Requirements = (0, (), ())


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of matching rules comes to; `deciding` is a mask."""

    outcome: Outcome
    reason: str
    deciding: int = 0
    obligations: tuple[str, ...] = ()
    discharged: tuple[str, ...] = ()


def evaluate(policies: Policies, facts: Facts) -> Decision:
    """Judge facts; never raises.

    What is built in comes before every rule and cannot be removed: two readings, an unverified
    caller and a policy without packs are refused, whatever was asked.

    Args:
        policies: what to judge by; a policy without packs refuses everything.
        facts: of one request.

    Returns:
        The decision. Obligations and discharged references are those of the deciding step: empty
        where a rule denied, because no reference lifts a deny.
    """
    reason = _built_in(policies, facts)
    if reason:
        return Decision(outcome="refuse", reason=reason, shadow_outcome="refuse")
    table = policies.table
    hits = _matching(table, facts)
    enforced = hits & table.enforced
    verdict = _combine(table, enforced, facts)
    foreseen = verdict if hits == enforced else _combine(table, hits, facts)
    matched = _ids(table, enforced)
    return Decision(
        outcome=verdict.outcome,
        reason=verdict.reason,
        rules=matched if verdict.deciding == enforced else _ids(table, verdict.deciding),
        matched=matched,
        shadow=_ids(table, hits ^ enforced),
        shadow_outcome=foreseen.outcome,
        obligations=verdict.obligations,
        discharged=verdict.discharged,
    )


def _built_in(policies: Policies, facts: Facts) -> str:
    """Return the reason to refuse before any rule is asked; empty where there is none."""
    if isinstance(facts.operation, Ambiguous):
        return "operation.ambiguous"
    if isinstance(facts.identity, Unverified):
        return facts.identity.reason
    return "" if policies.packs else "policy.missing"


def _matching(table: Table, facts: Facts) -> int:
    """Return the rules in effect whose conditions all hold."""
    hits = table.active[bisect_right(table.boundaries, facts.at)]
    found = members(facts)
    for column in table.columns:
        values = found[column.position]
        if len(values) == 1:
            hits &= column.mask(values[0])
            continue
        some, every = 0, -1
        for value in values:
            mask = column.mask(value)
            some |= mask
            every &= mask
        # Deny and require: any member. Permit: every member.
        hits &= every | (some & ~table.permits)
    return hits


def _combine(table: Table, hits: int, facts: Facts) -> _Verdict:
    """Combine the rules that matched."""
    denied = hits & table.denies
    if denied:
        return _Verdict(outcome="refuse", reason="policy.denied", deciding=denied)
    required = hits & table.requires
    unmet, obligations, discharged = _requirements(table, required, facts) if required else _NOTHING
    if unmet:
        return _Verdict(
            outcome="refuse",
            reason="policy.unmet",
            deciding=unmet,
            obligations=obligations,
            discharged=discharged,
        )
    permitted = hits & table.permits
    if permitted:
        return _Verdict(
            outcome="permit", reason="policy.permitted", deciding=permitted, discharged=discharged
        )
    if governed(class_of(facts.operation), access_of(facts.operation)):
        return _Verdict(outcome="refuse", reason="policy.default", discharged=discharged)
    return _Verdict(outcome="permit", reason="policy.ungoverned", discharged=discharged)


def _requirements(table: Table, required: int, facts: Facts) -> _Requirements:
    """Compare what the matching `require` rules ask for with what is on file."""
    unmet, obligations, discharged = 0, list[str](), set[str]()
    for kind, mask in table.needs:
        if not required & mask:
            continue
        valid = [reference.id for reference in _on_file(facts) if _meets(reference, kind, facts)]
        discharged.update(valid)
        if not valid:
            unmet |= required & mask
            obligations.append(kind)
    return unmet, tuple(obligations), tuple(sorted(discharged))


def _on_file(facts: Facts) -> tuple[Reference, ...]:
    return facts.identity.tenant.references if isinstance(facts.identity, Verified) else ()


def _meets(reference: Reference, kind: ReferenceKind, facts: Facts) -> bool:
    return (
        reference.kind == kind
        and (reference.valid_from is None or reference.valid_from <= facts.at)
        and (reference.valid_to is None or facts.at < reference.valid_to)
    )


def _ids(table: Table, mask: int) -> tuple[str, ...]:
    """Return the ids of the rules in a mask, in pack order."""
    if not mask:
        return ()
    found: list[str] = []
    while mask:
        lowest = mask & -mask
        found.append(table.ids[lowest.bit_length() - 1])
        mask ^= lowest
    return tuple(found)

"""Judging: facts under a policy to a decision. Total, pure, and the only place that refuses.

Deny-biased combining (after XACML 3.0 section 7.2.2): a deny over an unmet requirement over a
permit; requirements add up; where nothing permits, a governed class is refused. A deny that says by
what it is lifted does not decide where such a reference applies; nothing lifts any other.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from gateway.core.decision import Decision, Outcome
from gateway.core.facts import Facts
from gateway.core.identity.model import Unverified
from gateway.core.operation import Ambiguous, access_of, class_of, governed
from gateway.core.policy.attributes import READERS
from gateway.core.policy.model import Policies, Table, Wanted
from gateway.core.policy.references import applying, choose

# The rules (a mask) that ask for a reference, by what they ask for.
_Asking = tuple[tuple[Wanted, int], ...]


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of matching rules comes to; `deciding` and `lifted` are masks."""

    outcome: Outcome
    reason: str
    deciding: int = 0
    obligations: tuple[str, ...] = ()
    discharged: tuple[str, ...] = ()
    lifted: int = 0


def evaluate(policies: Policies, facts: Facts) -> Decision:
    """Judge facts; never raises.

    What is built in comes before every rule and cannot be removed: two readings, an unverified
    caller and a policy without packs are refused, whatever was asked.

    Args:
        policies: what to judge by; a policy without packs refuses everything.
        facts: of one request.

    Returns:
        The decision. Obligations are those of the deciding step: empty where a rule denied.
        Discharged references are those that lifted a deny, and, where no other rule denied, those
        that met a requirement.
    """
    reason = _built_in(policies, facts)
    if reason:
        return Decision(outcome="refuse", reason=reason, shadow_outcome="refuse")
    table = policies.table
    hits = _matching(table, facts)
    if not hits & table.special:
        return _plainly(table, hits, facts)
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
        lifted=_ids(table, verdict.lifted),
    )


def _plainly(table: Table, hits: int, facts: Facts) -> Decision:
    """Decide where all that matched are enforced, and none asks what is on file."""
    matched = _ids(table, hits)
    denied = hits & table.denies
    if denied:
        outcome: Outcome = "refuse"
        reason = "policy.denied"
    else:
        outcome, reason = _undenied(hits, facts)
    return Decision(
        outcome=outcome,
        reason=reason,
        rules=_ids(table, denied) if denied and denied != hits else matched,
        matched=matched,
        shadow_outcome=outcome,
    )


def _undenied(permits: int, facts: Facts) -> tuple[Outcome, str]:
    """Return what comes of it where no rule denies and nothing is missing."""
    if permits:
        return "permit", "policy.permitted"
    if governed(class_of(facts.operation), access_of(facts.operation)):
        return "refuse", "policy.default"
    return "permit", "policy.ungoverned"


def _built_in(policies: Policies, facts: Facts) -> str:
    """Return the reason to refuse before any rule is asked; empty where there is none."""
    if isinstance(facts.operation, Ambiguous):
        return "operation.ambiguous"
    if isinstance(facts.identity, Unverified):
        return facts.identity.reason
    return "" if policies.packs else "policy.missing"


def _matching(table: Table, facts: Facts) -> int:
    """Return the rules in effect whose conditions all hold."""
    boundaries = table.boundaries
    hits = table.active[bisect_right(boundaries, facts.at) if boundaries else 0]
    readers = READERS
    for column in table.columns:
        if not hits:
            break
        values, masks = readers[column.position](facts), column.masks
        # The look-up of `Column.mask`, written out twice: this is the hot path.
        if len(values) == 1:
            mask = masks.get(values[0])
            hits &= column.mask(values[0]) if mask is None else mask
            continue
        some, every = 0, -1
        for value in values:
            mask = masks.get(value)
            if mask is None:
                mask = column.mask(value)
            some |= mask
            every &= mask
        # Deny and require: any member. Permit: every member.
        hits &= every | (some & ~table.permits)
    return hits


def _combine(table: Table, hits: int, facts: Facts) -> _Verdict:
    """Combine the rules that matched."""
    used = set[str]()
    denied = hits & table.denies
    liftable = denied & table.liftable
    left, _ = _unmet(table.lifts, liftable, facts, used)
    lifted = liftable & ~left
    if denied ^ lifted:
        return _Verdict(
            outcome="refuse",
            reason="policy.denied",
            deciding=denied ^ lifted,
            discharged=tuple(sorted(used)),
            lifted=lifted,
        )
    unmet, obligations = _unmet(table.needs, hits & table.requires, facts, used)
    discharged = tuple(sorted(used))
    if unmet:
        return _Verdict(
            outcome="refuse",
            reason="policy.unmet",
            deciding=unmet,
            obligations=obligations,
            discharged=discharged,
            lifted=lifted,
        )
    return _permitted(table, hits, facts, discharged=discharged, lifted=lifted)


def _unmet(asking: _Asking, hits: int, facts: Facts, used: set[str]) -> tuple[int, tuple[str, ...]]:
    """Compare what matching rules ask for with what is on file and applies.

    Args:
        asking: rules by what they ask for.
        hits: the rules that matched.
        facts: of the request.
        used: ids of the references that the request uses; those that are chosen here are added.

    Returns:
        The rules whose reference is missing, and the kinds that are, sorted.
    """
    if not hits:
        return 0, ()
    unmet, missing = 0, list[str]()
    references = applying(facts)
    for wanted, mask in asking:
        if not hits & mask:
            continue
        reference = choose(references, wanted, used)
        if reference is not None:
            used.add(reference.id)
            continue
        unmet |= hits & mask
        if wanted.kind not in missing:
            missing.append(wanted.kind)
    return unmet, tuple(missing)


def _permitted(
    table: Table, hits: int, facts: Facts, *, discharged: tuple[str, ...] = (), lifted: int = 0
) -> _Verdict:
    """Answer where no rule denies and nothing is missing."""
    deciding = hits & table.permits
    outcome, reason = _undenied(deciding, facts)
    return _Verdict(
        outcome=outcome, reason=reason, deciding=deciding, discharged=discharged, lifted=lifted
    )


def _ids(table: Table, mask: int) -> tuple[str, ...]:
    """Return the ids of the rules in a mask, in pack order."""
    if not mask:
        return ()
    found: list[str] = []
    while mask:  # from the highest rule down: what is left gets shorter
        number = mask.bit_length() - 1
        found.append(table.ids[number])
        mask ^= 1 << number
    found.reverse()
    return tuple(found)

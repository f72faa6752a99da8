"""Guardrails of policy files: proved, and each that does not hold a finding at its place."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.policy.link import Linked
from gateway.core.policy.model import Policies
from gateway.core.policy.prove import Proof, Tell, prove, silent
from gateway.core.policy.reach import Remark, remarks
from gateway.core.policy.values import quoted
from gateway.core.policy.witness import DisagreementError, Witness
from gateway.errors import Finding


def proofs_of(
    linked: Linked, policies: Policies, now: datetime, *, origin: str, tell: Tell = silent
) -> tuple[tuple[Proof, ...], tuple[Finding, ...]]:
    """Prove the guardrails of files that have no mistakes.

    Args:
        linked: the files.
        policies: what their packs come to.
        now: the first date of the proof, aware, UTC.
        origin: what was read, for a finding on the proof as a whole.
        tell: called as work goes on.

    Returns:
        The proofs in file order, and a finding for each guardrail that does not hold, sorted.
    """
    try:
        proofs = prove(policies, linked.guardrails, now, tell=tell)
    except DisagreementError as fault:
        # Nothing can be said of the policy, so it is not used.
        message = f"the guardrails cannot be proved, by a fault of facegate: {fault}"
        return (), (Finding(path=origin, line=0, column=0, message=message),)
    findings = [_finding(linked, proof, now) for proof in proofs if not proof.holds]
    return proofs, tuple(sorted(findings))


def remarks_of(
    linked: Linked, policies: Policies, now: datetime, *, origin: str
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Look over files that have no mistakes.

    Args:
        linked: the files.
        policies: what their packs come to.
        now: the first date, aware, UTC.
        origin: what was read, for remarks on no rule.

    Returns:
        Findings on rules that no request can match, and notes on everything else.
    """
    dead, notes = list[Finding](), list[Finding]()
    for remark in remarks(policies, now):
        place = linked.places.get(remark.rule)
        finding = Finding(
            path=place.path if place else origin,
            line=place.line if place else 0,
            column=place.column if place else 0,
            message=_remark(remark),
            hint="its conditions exclude one another" if remark.kind == "never_matches" else "",
        )
        (dead if remark.kind == "never_matches" else notes).append(finding)
    return tuple(dead), tuple(notes)


def _remark(remark: Remark) -> str:
    classes = ", ".join(remark.classes)
    match remark.kind:
        case "never_matches":
            return f"rule {quoted(remark.rule)}: no request can match it"
        case "contradicts":
            by = " and ".join(map(quoted, remark.by))
            return f"rule {quoted(remark.rule)} never decides: {by} denies whatever it matches"
        case "never_decides":
            return f"rule {quoted(remark.rule)} never decides: denies overrule it together"
        case "closed":
            return f"nothing permits any request of class {classes}"
        case "undecided" if remark.rule:
            rule = quoted(remark.rule)
            return f"too many combinations to tell of rule {rule}, and those after it, what they do"
        case "undecided":
            return (
                f"too many combinations to tell whether rules speak of every request of {classes}"
            )
        case "silent":
            example = remark.example.words if remark.example else ""
            return f"no rule speaks of some requests of class {classes}: e.g. {example}"


def _finding(linked: Linked, proof: Proof, now: datetime) -> Finding:
    guardrail, found = proof.guardrail, proof.broken
    place = linked.places[guardrail.id]
    if found is None:
        message = "cannot be proved: there are too many combinations"
        hint = "name more attributes in its `when`, or make several guardrails of it"
    else:
        date = f"from {found.at.isoformat()} on, " if found.at > now else ""
        message = f"does not hold: {date}{_outcome(found)}: {found.words}"
        asked = {**found.case, "at": found.at} if found.at > now else found.case
        hint = f"explain this request: {msgspec.json.encode(asked).decode()}"
    return Finding(
        path=place.path,
        line=place.line,
        column=place.column,
        message=f"guardrail {quoted(guardrail.id)}: {message}",
        hint=hint,
    )


def _outcome(found: Witness) -> str:
    decision = found.decision
    by = " and ".join(decision.rules) or decision.reason
    return f"{by} {'permits' if decision.outcome == 'permit' else 'refuses'}"

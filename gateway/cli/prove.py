"""`facegate prove`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gateway.app.once import utc_now
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    FindingsFormat,
    print_findings,
    print_json,
    progress,
)
from gateway.core.policy.prove import HORIZON, Proof
from gateway.core.policy.witness import Witness
from gateway.sources.policies import ProofReport, prove_policies


def run_prove(path: Path, form: FindingsFormat, at: datetime | None, *, notes: bool) -> int:
    """Prove the guardrails of a policy directory over all requests, from now on or from a date."""
    now = utc_now() if at is None else at.replace(tzinfo=UTC)
    with progress("proving") as tell:
        report = prove_policies(path, now=now, tell=tell)
    if form is FindingsFormat.json:
        print_json(_summary(report, now))
        return EXIT_FINDINGS if report.findings else EXIT_OK
    code = print_findings(report.findings, form, command="prove")
    if form is not FindingsFormat.text:
        return code
    for note in report.notes if notes else ():
        print(note)
    if report.proofs or code == EXIT_OK:
        print(_words(report, now))
    return code


def _words(report: ProofReport, now: datetime) -> str:
    held = sum(proof.holds for proof in report.proofs)
    dates = max((proof.dates for proof in report.proofs if proof.holds), default=1) - 1
    plural = "date" if dates == 1 else "dates"
    later = f" and at {dates} later {plural} until {now + HORIZON:%Y-%m-%d}" if dates else ""
    if not report.proofs:
        return "no guardrails"
    return (
        f"{held} of {len(report.proofs)} guardrails hold over all requests, "
        f"on {now:%Y-%m-%d}{later}"
    )


def _summary(report: ProofReport, now: datetime) -> dict[str, object]:
    return {
        "findings": report.findings,
        "at": now,
        "until": now + HORIZON,
        "guardrails": [_proof(proof) for proof in report.proofs],
        "notes": report.notes,
    }


def _proof(proof: Proof) -> dict[str, object]:
    return {
        "id": proof.guardrail.id,
        "never": proof.guardrail.never,
        "reason": proof.guardrail.reason,
        "holds": proof.holds,
        "dates": proof.dates,
        "undecided": proof.undecided,
        "broken": None if proof.broken is None else _witness(proof.broken),
    }


def _witness(found: Witness) -> dict[str, object]:
    decision = found.decision
    return {
        "words": found.words,
        "at": found.at,
        "request": found.case,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "rules": decision.rules,
    }

"""From what is offered to a candidate that could be activated, or why it cannot be.

The order is that of a door: the signatures over the very bytes that were read, then the version,
then the policy itself, then a copy of the bundle that survives a loss of power. The functions here
run in the loading process, where nothing that is offered can stall or hurt the gateway.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.core.policy.activation import Candidate, State, Step, objection
from gateway.core.policy.bundle import SIGNATURE_FILE, digest_of
from gateway.core.policy.model import Policies
from gateway.core.policy.signing import Signed, Signing, approve, read_signed
from gateway.errors import Finding, PolicyError, SourceError, source_finding
from gateway.sources.archives import read_offered
from gateway.sources.bundles import Bundles
from gateway.sources.contents import Contents
from gateway.sources.policies import check_contents, policies_of


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate is held to.

    Attributes:
        state: what is active; None where nothing is yet.
        signing: whose signatures are asked for; None where none are.
        now: aware, UTC.
        wanted: somebody asks for this very candidate: a hold does not count.
        lost: what is active cannot be read: where it is offered, it is taken again.
    """

    state: State | None
    signing: Signing | None
    now: datetime
    wanted: bool = False
    lost: bool = False


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that could be activated: it is kept, and its policy has no mistake."""

    candidate: Candidate
    policies: Policies


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that cannot be activated, and every reason.

    `again`: no reason lies in what is offered (a disk without room), so that the same is tried once
    more at the next look.
    """

    candidate: Candidate
    findings: tuple[Finding, ...]
    again: bool = False


class Unmoved(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered is active already, or is held after a rollback."""

    bundle: str
    held: bool


Outcome = Offered | Refused | Unmoved


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle as it was found; `origin` names it in findings."""

    contents: Contents
    bundle: str
    signature: bytes | None
    origin: str


def offer(path: str, signature: bytes | None, directory: str, terms: Terms) -> Outcome:
    """Take what stands in a policy directory for a candidate.

    Args:
        path: the directory, an archive of it, or one policy file.
        signature: that was given for it; else its own counts.
        directory: where bundles are kept.
        terms: what it is held to.
    """
    contents = read_offered(Path(path))
    if contents.findings:
        return Refused(
            candidate=Candidate(bundle=""), findings=check_contents(contents, path, now=terms.now)
        )
    found = _Found(
        contents=contents,
        bundle=digest_of(contents.manifest()),
        signature=contents.signature if signature is None else signature,
        origin=path,
    )
    return _unmoved(found, terms) or _admit(found, Path(directory), terms)


def recall(bundle: str, signature: bytes | None, directory: str, terms: Terms) -> Outcome:
    """Take a bundle that is kept for a candidate.

    Args:
        bundle: its digest.
        signature: a new signature of it, where one was given.
        directory: where bundles are kept.
        terms: what it is held to.
    """
    try:
        contents = Bundles(Path(directory)).get(bundle)
    except SourceError as failure:
        return Refused(candidate=Candidate(bundle=bundle), findings=(source_finding(failure),))
    found = _Found(contents=contents, bundle=bundle, signature=signature, origin=bundle)
    return _admit(found, Path(directory), terms)


def restore(directory: str, step: Step, signing: Signing | None) -> Offered | Refused:
    """Read a bundle that was activated or staged again, as a start does.

    The signatures are held to the keys that are trusted now, at the time of the activation: their
    expiry bounds when a bundle may be activated, not how long it serves.
    """
    candidate = candidate_of(step)
    try:
        reason = unsigned(step, signing)
        if reason:
            return Refused(candidate=candidate, findings=(_finding(step.bundle, reason),))
        contents = Bundles(Path(directory)).get(step.bundle)
        policies = policies_of(contents, origin=step.bundle, now=None)
    except SourceError as failure:
        return Refused(candidate=candidate, findings=(source_finding(failure),))
    except PolicyError as failure:
        return Refused(candidate=candidate, findings=failure.findings)
    return Offered(candidate=candidate, policies=policies)


def candidate_of(step: Step) -> Candidate:
    """Return what a step activated."""
    return Candidate(
        bundle=step.bundle, policies=step.policies, signed=step.signed, signers=step.signers
    )


def unsigned(step: Step, signing: Signing | None) -> str:
    """Return why what a step activated would not be activated under these keys; else empty."""
    if signing is None:
        return ""
    try:
        approve(step.signed, bundle=step.bundle, signing=signing, now=step.time)
    except ValueError as reason:
        return f"what is active {reason}" if step.signed is None else f"what is active: {reason}"
    return ""


def _unmoved(found: _Found, terms: Terms) -> Unmoved | Refused | None:
    """Tell whether a bundle changes nothing; a reason against what is active is one against it."""
    state = terms.state
    if state is None:
        return None
    held = found.bundle in state.held and not terms.wanted
    active = found.bundle == state.active.bundle and not terms.lost
    waiting = state.staged is not None and found.bundle == state.staged.step.bundle
    if not held and not active and not (waiting and not terms.wanted):
        return None
    candidate = Candidate(bundle=found.bundle)
    with suppress(ValueError):
        candidate = _candidate(found, terms)
    if (candidate.version or 0) > state.mark:
        return None  # signed anew
    reason = unsigned(state.active, terms.signing)
    if reason:
        return Refused(candidate=candidate, findings=(_finding(found.origin, reason),))
    return Unmoved(bundle=found.bundle, held=held)


def _admit(found: _Found, directory: Path, terms: Terms) -> Outcome:
    candidate = Candidate(bundle=found.bundle)
    try:
        candidate = _candidate(found, terms)
        reason = objection(terms.state, candidate)
    except ValueError as error:
        reason = str(error)
    if reason:
        return Refused(candidate=candidate, findings=(_finding(found.origin, reason),))
    try:
        policies = policies_of(found.contents, origin=found.origin, now=terms.now)
    except PolicyError as failure:
        return Refused(candidate=candidate, findings=failure.findings)
    try:
        Bundles(directory).put(found.contents)
    except SourceError as failure:
        return Refused(candidate=candidate, findings=(source_finding(failure),), again=True)
    candidate = msgspec.structs.replace(candidate, policies=policies.digest)
    return Offered(candidate=candidate, policies=policies)


def _candidate(found: _Found, terms: Terms) -> Candidate:
    """Hold a bundle to its signatures; where none are asked for, there might as well be none.

    Raises:
        ValueError: they do not hold.
    """
    if terms.signing is None:
        return Candidate(bundle=found.bundle)
    signed: Signed | None = None
    if found.signature is not None:
        try:
            signed = read_signed(found.signature)
        except ValueError as error:
            raise ValueError(f"`{SIGNATURE_FILE}` {error}") from error
    signers = approve(signed, bundle=found.bundle, signing=terms.signing, now=terms.now)
    return Candidate(bundle=found.bundle, signed=signed, signers=signers)


def _finding(origin: str, message: str) -> Finding:
    return Finding(path=origin, line=0, column=0, message=message)

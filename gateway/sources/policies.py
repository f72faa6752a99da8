"""Policy files of a directory: parsed, linked and compiled, or every mistake in them.

`load_outcome` is the form for a child process: parsing YAML holds the interpreter, so a gateway
that serves does not do it itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.core.policy.cases import CaseResult, run_cases
from gateway.core.policy.link import Linked, link
from gateway.core.policy.model import Policies
from gateway.core.policy.parse import parse
from gateway.core.policy.prove import Proof, Tell, silent
from gateway.core.policy.source import Source
from gateway.errors import Finding, FindingsError, PolicyError
from gateway.sources.contents import Content, Contents, read_contents
from gateway.sources.proofs import proofs_of, remarks_of
from gateway.sources.yaml_file import parse_yaml, text_of, validation_findings

_REMEMBERED: Final = 1_000
_REMEMBERED_CHARACTERS: Final = 256 << 10
# What files said, by path and content: the loading process is warm, and a reload changes few files.
_READ: Final[dict[tuple[str, str], tuple[Source, tuple[Finding, ...]]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What running the cases of a directory showed.

    Attributes:
        findings: mistakes in the files; where there are none: cases that came out otherwise, and
            rules that no case covers.
        results: of every case, in file order; empty where the files have mistakes.
        rules: how many rules there are.
        covered: how many of them matched in some case.
    """

    findings: tuple[Finding, ...]
    results: tuple[CaseResult, ...] = ()
    rules: int = 0
    covered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What proving the guardrails of a directory showed.

    Attributes:
        findings: mistakes in the files; where there are none: guardrails that do not hold, and
            rules that no request can match.
        proofs: of every guardrail, in file order; empty where the files have mistakes.
        notes: what is not wrong in itself: rules that never decide, classes that nothing permits,
            requests of which no rule speaks.
    """

    findings: tuple[Finding, ...]
    proofs: tuple[Proof, ...] = ()
    notes: tuple[Finding, ...] = ()


def load_policies(directory: Path, *, now: datetime) -> Policies:
    """Load every policy file of a directory, and prove its guardrails.

    Args:
        now: the first date at which guardrails have to hold, aware, UTC.
        directory: with `*.yaml` and `*.yml` files at any depth; or one such file. Names that begin
            with a dot are passed over: a Kubernetes volume keeps its versions under `..data`.

    Raises:
        PolicyError: any file has a mistake, the set as a whole has, or a guardrail does not hold.
    """
    return policies_of(read_contents(directory), origin=str(directory), now=now)


def read_policies(directory: Path) -> Policies:
    """Load policy files without proving anything: to explain and to compare, never to decide by.

    Raises:
        PolicyError: any file has a mistake, or the set as a whole has.
    """
    return _compiled(read_contents(directory), str(directory))[1]


def policies_of(contents: Contents, *, origin: str, now: datetime | None) -> Policies:
    """Load policy from files that were read, and prove its guardrails.

    Args:
        contents: the files.
        origin: stands in findings on all of them.
        now: the first date at which guardrails have to hold, aware, UTC; None for what was proved
            before: the passing of time does not stop what is active.

    Raises:
        PolicyError: any file has a mistake, the set as a whole has, or a guardrail does not hold.
    """
    linked, policies = _compiled(contents, origin)
    if now is not None:
        _, broken = proofs_of(linked, policies, now, origin=origin)
        if broken:
            raise PolicyError(broken)
    return policies


def load_outcome(path: str, now: datetime) -> Policies | tuple[Finding, ...]:
    """Load a directory in another process: the policy, or the findings; no exception to carry."""
    try:
        return load_policies(Path(path), now=now)
    except PolicyError as error:
        return error.findings


def check_policies(path: Path, *, now: datetime) -> tuple[Finding, ...]:
    """Return every mistake in the policy files of a directory, sorted by place.

    Where there is none: the guardrails that do not hold.
    """
    return prove_policies(path, now=now).findings


def prove_policies(path: Path, *, now: datetime, tell: Tell = silent) -> ProofReport:
    """Prove the guardrails of a directory.

    Args:
        path: the directory, or a file.
        now: the first date, aware, UTC.
        tell: called as work goes on, with steps that are done and steps that there are.
    """
    linked, findings = _link(read_contents(path), str(path))
    if findings:
        return ProofReport(findings=findings)
    policies = linked.policies()
    proofs, broken = proofs_of(linked, policies, now, origin=str(path), tell=tell)
    dead, notes = remarks_of(linked, policies, now, origin=str(path))
    return ProofReport(findings=tuple(sorted((*broken, *dead))), proofs=proofs, notes=notes)


def check_contents(contents: Contents, origin: str, *, now: datetime) -> tuple[Finding, ...]:
    """Return every mistake in files that were read; where there is none, what `prove` finds."""
    try:
        policies_of(contents, origin=origin, now=now)
    except PolicyError as error:
        return error.findings
    return ()


def test_policies(path: Path) -> CaseReport:
    """Run the cases of a directory; a rule that no case covers is a finding."""
    linked, findings = _link(read_contents(path), str(path))
    if findings:
        return CaseReport(findings=findings)
    run = run_cases(linked.packs, linked.cases, operator=linked.operator)
    rules = sum(len(pack.rules) for pack in linked.packs)
    return CaseReport(
        findings=tuple(sorted((*_failed(run.results), *_uncovered(linked, run.uncovered)))),
        results=run.results,
        rules=rules,
        covered=rules - len(run.uncovered),
    )


def _compiled(contents: Contents, origin: str) -> tuple[Linked, Policies]:
    """Parse, link and compile.

    Raises:
        PolicyError: any file has a mistake, or the set as a whole has.
    """
    linked, findings = _link(contents, origin)
    if findings:
        raise PolicyError(findings)
    return linked, linked.policies()


def _failed(results: tuple[CaseResult, ...]) -> list[Finding]:
    return [
        Finding(
            path=result.case.path,
            line=result.case.line,
            column=1,
            message=f"case `{result.case.name}`: {'; '.join(result.mismatches)}",
        )
        for result in results
        if result.mismatches
    ]


def _uncovered(linked: Linked, rules: tuple[str, ...]) -> list[Finding]:
    return [
        Finding(
            path=linked.places[rule].path,
            line=linked.places[rule].line,
            column=linked.places[rule].column,
            message=f"rule `{rule}`: no case matches it",
            hint="add a case in a file of kind Cases",
        )
        for rule in rules
    ]


def _link(contents: Contents, origin: str) -> tuple[Linked, tuple[Finding, ...]]:
    """Parse and link; the findings are all there are, sorted by place."""
    findings = list(contents.findings)
    sources = list[Source]()
    unread = bool(findings)
    for file in contents.files:
        if not file.is_policy:
            continue
        try:
            source, mistakes = _read(file)
        except FindingsError as error:
            findings.extend(error.findings)
            unread = True
            continue
        findings.extend(mistakes)
        sources.append(source)
    linked = link(sources, origin=origin, complete=not unread)
    return linked, tuple(sorted({*findings, *linked.findings}))


def _read(file: Content) -> tuple[Source, tuple[Finding, ...]]:
    """Parse one file, or recall what it said: most files of a directory stay as they are.

    Raises:
        FindingsError: it cannot be read as one YAML document.
    """
    text = text_of(file.content, path=file.path)
    key = (file.path, hashlib.sha256(file.content).hexdigest())
    known = _READ.get(key)
    if known is not None:
        return known
    document = parse_yaml(text, path=file.path)
    parsed = parse(document.value)
    findings: tuple[Finding, ...] = ()
    if parsed.error is not None:
        findings = validation_findings(parsed.error, document, model=parsed.model)
    known = Source(parsed=parsed, places=document), findings
    if len(_READ) >= _REMEMBERED or len(text) > _REMEMBERED_CHARACTERS:
        _READ.clear()
    if len(text) <= _REMEMBERED_CHARACTERS:
        _READ[key] = known
    return known

"""`facegate explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gateway.cli.output import (
    EXIT_OK,
    EXIT_USAGE,
    Format,
    fail,
    print_findings,
    print_json,
)
from gateway.core.policy.explain import Asked, Explanation, OnFile, RuleView, explain
from gateway.core.policy.nearest import Change, Nearest
from gateway.errors import Finding, FindingsError

_MOST_BYTES = 1 << 20
_SHOWN = 6  # members of a condition, before the rest is only counted


def run_explain_request(
    request: str, policies: Path, form: Format, *, now: datetime, every: bool
) -> int:
    """Explain what a policy answers for a request that is written down by its facts."""
    from gateway.sources.policies import read_policies
    from gateway.sources.policy_requests import read_policy_request

    try:
        facts = read_policy_request(_content(request), path=request, default_at=now)
        explanation = explain(read_policies(policies), facts, stated="stated")
    except FindingsError as failure:
        print_findings(failure.findings, form)
        return EXIT_USAGE
    show(explanation, form, every=every)
    return EXIT_OK


def run_explain_http(
    request: str,
    config: Path,
    policies: Path | None,
    form: Format,
    *,
    tenant: str,
    client: str | None,
    now: datetime,
    every: bool,
) -> int:
    """Explain what a configuration answers for an HTTP request that is written down."""
    from gateway.app.hypothetical import Stated, facts_of_http
    from gateway.config.environment import environment
    from gateway.sources.policies import read_policies

    stated = Stated(tenant=tenant, client=client, at=now)
    try:
        facts, directory = facts_of_http(
            _content(request), path=request, config=config, environ=environment(), stated=stated
        )
        policies = policies or directory
        if policies is None:
            fail(f"`{config}` reads its policies from elsewhere", hint="--policy names them")
            return EXIT_USAGE
        explanation = explain(read_policies(policies), facts)
    except FindingsError as failure:
        print_findings(failure.findings, form)
        return EXIT_USAGE
    show(explanation, form, every=every)
    return EXIT_OK


def show(explanation: Explanation, form: Format, *, every: bool) -> None:
    """Print an explanation; `every`: also the rules that did not match."""
    if form is Format.json:
        print_json(explanation)
    else:
        print("\n".join(lines_of(explanation, every=every)))


def lines_of(explanation: Explanation, *, every: bool) -> Iterator[str]:
    """Yield the explanation as lines for people."""
    decision = explanation.decision
    yield f"{decision.outcome}: {decision.reason}"
    yield f"policy {explanation.policies} at {explanation.at.isoformat()}"
    yield from _facts(explanation)
    if explanation.on_file:
        yield "on file:"
        yield from map(_reference, explanation.on_file)
    yield from _rules(explanation, every=every)
    yield f"combining: {explanation.step}"
    if explanation.nearest is not None:
        yield from _nearest(explanation.nearest, explanation)
    caller = explanation.caller
    needs = f" (missing: {', '.join(caller.needs)})" if caller.needs else ""
    yield f"the caller may be told: {caller.reason}, {caller.words}{needs}"


def _facts(explanation: Explanation) -> Iterator[str]:
    yield "facts:"
    for fact in explanation.facts:
        name = fact.attribute
        for member in fact.members:
            yield f"  {name:<14} {member.value:<24} {'; '.join(member.sources)}".rstrip()
            name = ""


def _rules(explanation: Explanation, *, every: bool) -> Iterator[str]:
    shown = [rule for rule in explanation.rules if every or _speaks(rule)]
    yield "rules:"
    for rule in shown:
        yield f"  {_mark(rule.matches)} {rule.effect:<8} {rule.id}  {_role(rule)}".rstrip()
        yield f"      {rule.reason}"
        if not rule.in_effect:
            yield f"    ✗ {_times(rule)}"
        for asked in rule.asked:
            yield f"    {_mark(asked.holds)} {_asked(asked)}"
        yield from _references(rule)
    hidden = len(explanation.rules) - len(shown)
    if hidden:
        yield f"  {hidden} others did not match; --all shows them"


def _speaks(rule: RuleView) -> bool:
    """Tell whether a rule is shown unasked: it matched, or it would permit but for one thing."""
    crossed = sum(not asked.holds for asked in rule.asked) + (not rule.in_effect)
    return not crossed or (rule.effect == "permit" and crossed == 1)


def _role(rule: RuleView) -> str:
    return "" if rule.role == "silent" else f"[{rule.role}]"


def _mark(holds: bool) -> str:
    return "✓" if holds else "✗"


def _times(rule: RuleView) -> str:
    start = f" from {rule.effective_from.isoformat()}" if rule.effective_from else ""
    end = f" until {rule.effective_to.isoformat()}" if rule.effective_to else ""
    return f"in effect{start}{end}"


def _asked(asked: Asked) -> str:
    """Return a condition with the members that satisfy it and those that do not."""
    named = _few(asked.named)
    satisfying = f" {_few(asked.satisfying)}" if asked.satisfying else ""
    but = ", but" if satisfying else ""
    failing = f"{but} not {_few(asked.failing)}" if asked.failing else ""
    word = "not in" if asked.negated else "in"
    return f"{asked.attribute} {word} {named}:{satisfying}{failing}"


def _references(rule: RuleView) -> Iterator[str]:
    if rule.wanted is None:
        return
    verb = "is lifted by" if rule.effect == "deny" else "asks for"
    naming = f" naming `{rule.wanted.naming}`" if rule.wanted.naming else ""
    yield f"      {verb} a {rule.wanted.kind}{naming}; {'' if rule.on_file else 'none '}on file:"
    yield from (f"  {_reference(reference)}" for reference in rule.on_file)


def _reference(reference: OnFile) -> str:
    quota = f" ({reference.quota})" if reference.quota else ""
    why_not = f": {', '.join(reference.why_not)}" if reference.why_not else ""
    return f"  {_mark(not reference.why_not)} {reference.id}{quota}{why_not}"


def _nearest(nearest: Nearest, explanation: Explanation) -> Iterator[str]:
    if nearest.result == "nothing":
        because = ", ".join(explanation.decision.rules) or explanation.decision.reason
        yield f"nearest permit: none; no change of facts answers {because}"
    elif nearest.result == "unknown":
        yield f"nearest permit: not found among {nearest.tried} sets of changes; there may be one"
    else:
        size = len(nearest.answers[0])
        yield f"nearest permit: {size} {'change' if size == 1 else 'changes'}; each line is one way"
        for answer in nearest.answers:
            yield f"  {'; '.join(_change(change) for change in answer)}"


def _change(change: Change) -> str:
    alike = f" (or {_few(change.alike)})" if change.alike else ""
    if change.what == "reference":
        naming = f" naming `{change.after[1]}`" if change.after[1:] else ""
        return f"a {change.after[0]}{naming} on file that applies"
    return f"{change.what}: {_few(change.after)}{alike} instead of {_few(change.before)}"


def _few(values: tuple[str, ...]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return f"{', '.join(values[:_SHOWN])}{more}"


def _content(request: str) -> bytes:
    """Read a file, or standard input where it is `-`.

    Raises:
        FindingsError: it cannot be read, or is too long.
    """
    from gateway.sources.yaml_file import read_bytes

    if request != "-":
        return read_bytes(Path(request), max_bytes=_MOST_BYTES)
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise FindingsError(
            (Finding(path="-", line=0, column=0, message=f"is longer than {_MOST_BYTES} bytes"),)
        )
    return content

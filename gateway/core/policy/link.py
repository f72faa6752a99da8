"""Policy files to packs and cases: groups written out, names resolved, every mistake found.

What cannot be right is a finding here, and never a rule that silently does not match: a group that
nobody defines, a value that cannot occur, a kind of destination of which no rule speaks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.core.policy.attributes import PLACELESS
from gateway.core.policy.cases import Case
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.guardrails import Guardrail
from gateway.core.policy.link_cases import link_cases
from gateway.core.policy.link_guardrails import link_guardrails
from gateway.core.policy.link_operator import link_budgets, link_operator, unnamed_budgets
from gateway.core.policy.link_rules import Groups, RuleReader
from gateway.core.policy.model import Budget, Operator, Pack, Policies, Rule
from gateway.core.policy.parse import PackFile
from gateway.core.policy.source import Place, Source
from gateway.core.policy.values import quoted, repeated
from gateway.errors import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a set of policy files comes to.

    Attributes:
        packs: complete where there are no findings.
        budgets: likewise.
        operator: the switches over them.
        cases: in file order.
        places: where each rule stands, by `pack/rule`, and each guardrail, by its id.
        guardrails: in file order.
        findings: every mistake beyond the shape of files, sorted.
    """

    packs: tuple[Pack, ...]
    budgets: tuple[Budget, ...]
    operator: Operator
    cases: tuple[Case, ...]
    places: Mapping[str, Place]
    findings: tuple[Finding, ...]
    guardrails: tuple[Guardrail, ...] = ()

    def policies(self) -> Policies:
        """Compile what the files come to."""
        return compile_policies(self.packs, budgets=self.budgets, operator=self.operator)


def link(sources: Sequence[Source], *, origin: str, complete: bool = True) -> Linked:
    """Resolve what files say of one another.

    Args:
        sources: the files, sorted by path.
        origin: the directory that they are from, for findings on the set as a whole.
        complete: whether these are all the files: where one could not be read, what others name
            may stand in it, so a missing name is no finding.
    """
    findings = list[Finding]()
    recognised = complete and all(source.parsed.recognised for source in sources)
    whole = recognised and all(source.parsed.file is not None for source in sources)
    groups = _groups(sources, findings)
    budgets = link_budgets(sources, findings)
    reader = RuleReader(groups=groups, budgets=budgets, recognised=recognised, findings=findings)
    packs, places = _packs(sources, reader, findings)
    operator = link_operator(sources, packs if whole else None, findings)
    if whole and not findings:
        findings.extend(_silences(packs, origin))
        unnamed_budgets(sources, packs, findings)
    known = budgets.keys() if recognised else None
    cases = link_cases(sources, places.keys() if whole else None, findings, budgets=known)
    guardrails = link_guardrails(sources, reader)
    places |= {guardrail.id: place for guardrail, place in guardrails}
    return Linked(
        packs=packs,
        budgets=tuple(budget for budget in budgets.values() if budget is not None),
        operator=operator,
        cases=cases,
        places=places,
        findings=tuple(sorted(findings)),
        guardrails=tuple(guardrail for guardrail, _ in guardrails),
    )


def _groups(sources: Sequence[Source], findings: list[Finding]) -> Groups:
    """Return the members of every group; None of one that is named and not sound."""
    groups: dict[str, tuple[str, ...] | None] = {}
    first: dict[str, Source] = {}
    for source in sources:
        for name in () if source.parsed.holds_budgets else source.parsed.broken:
            groups[name] = None
        for name, entry in source.parsed.groups.items():
            loc = ("groups", name)
            if name in first:
                message = f"group {quoted(name)} is defined twice"
                hint = f"first in {first[name].place(loc)}"
                findings.append(source.finding_at_key(loc, message, hint))
                continue
            first[name] = source
            groups[name] = tuple(entry.members)
            for index in repeated(entry.members):
                message = f"group {quoted(name)}: {quoted(entry.members[index])} stands twice"
                findings.append(source.finding((*loc, "members", index), message))
    return groups


def _packs(
    sources: Sequence[Source], reader: RuleReader, findings: list[Finding]
) -> tuple[tuple[Pack, ...], dict[str, Place]]:
    packs: dict[str, Pack] = {}
    first: dict[str, Source] = {}
    places: dict[str, Place] = {}
    for source in sources:
        rules = _rules(source, reader, findings)
        file = source.parsed.file
        if not isinstance(file, PackFile):
            continue
        if file.pack in first:
            message = f"pack {quoted(file.pack)} is defined twice"
            hint = f"first in {first[file.pack].place(('pack',))}"
            findings.append(source.finding(("pack",), message, hint))
            continue
        first[file.pack] = source
        for index, entry in source.parsed.rules:
            places.setdefault(f"{file.pack}/{entry.id}", source.place(("rules", index, "id")))
        packs[file.pack] = Pack(
            id=file.pack,
            owner=file.owner,
            source=file.source,
            force=file.force,
            review=file.review,
            description=file.description or "",
            rules=rules,
        )
    return tuple(packs.values()), places


def _rules(source: Source, reader: RuleReader, findings: list[Finding]) -> tuple[Rule, ...]:
    """Read the sound rules of a file; an id that stands twice is a finding."""
    first: dict[str, int] = {}
    rules = list[Rule]()
    for index, entry in source.parsed.rules:
        if entry.id in first:
            message = f"rule {quoted(entry.id)} stands twice in this pack"
            hint = f"first in {source.place(('rules', first[entry.id], 'id'))}"
            findings.append(source.finding(("rules", index, "id"), message, hint))
        first.setdefault(entry.id, index)
        rule = reader.rule(source, index, entry)
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


def _silences(packs: Sequence[Pack], origin: str) -> list[Finding]:
    """Report a set without packs, and each kind of destination of which no rule speaks."""
    if not packs:
        hint = "a policy needs at least one file of kind Pack"
        return [Finding(path=origin, line=0, column=0, message="no pack stands here", hint=hint)]
    named = {
        value
        for pack in packs
        for rule in pack.rules
        for condition in rule.conditions
        if condition.attribute == "destination"
        for value in condition.values
    }
    return [
        Finding(
            path=origin,
            line=0,
            column=0,
            message=f"policy says nothing about destination {quoted(value)}",
            hint=f"name it in a rule, e.g. a deny with `destination: [{value}]`",
        )
        for value in PLACELESS
        if value not in named
    ]

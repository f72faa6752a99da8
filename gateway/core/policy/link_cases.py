"""Cases as they are written to cases that can be run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gateway.core.decision import REASONS
from gateway.core.identity.model import Quota, Reference
from gateway.core.operation import Taken
from gateway.core.policy.attributes import ALONE, ATTRIBUTES
from gateway.core.policy.cases import SINGLE, Case, Expectation, facts_of
from gateway.core.policy.parse import CaseEntry, CasesFile, ReferenceEntry
from gateway.core.policy.source import Loc, Source
from gateway.core.policy.values import (
    Mistake,
    check_budget,
    check_member,
    closest,
    quoted,
    repeated,
)
from gateway.errors import Finding

# When a case happens that does not say: cases never read the clock.
UNDATED: Final = datetime(2026, 1, 1, tzinfo=UTC)


def link_cases(
    sources: Sequence[Source],
    rules: Collection[str] | None,
    findings: list[Finding],
    *,
    budgets: Collection[str] | None = None,
) -> tuple[Case, ...]:
    """Read the cases of all files.

    Args:
        sources: the files.
        rules: ids `pack/rule` that a case may name; None where they are not all known.
        findings: where mistakes go.
        budgets: ids that a case may be over; None where they are not all known.
    """
    cases = list[Case]()
    for source in sources:
        file = source.parsed.file if isinstance(source.parsed.file, CasesFile) else None
        reader = _CaseReader(
            source=source, file=file, rules=rules, budgets=budgets, findings=findings
        )
        reader.check_pack()
        read = [reader.case(index, entry) for index, entry in source.parsed.cases]
        cases.extend(case for case in read if case is not None)
    return tuple(cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseReader:
    """Reads the cases of one file; `file` is None where its shape is wrong elsewhere."""

    source: Source
    file: CasesFile | None
    rules: Collection[str] | None
    budgets: Collection[str] | None
    findings: list[Finding]

    def check_pack(self) -> None:
        """Report a pack that is not among the files."""
        pack = self.file.pack if self.file else None
        packs = {rule.partition("/")[0] for rule in self.rules or ()}
        if pack is not None and self.rules is not None and pack not in packs:
            hint = closest(pack, tuple(sorted(packs)))
            self.findings.append(
                self.source.finding(("pack",), f"unknown pack {quoted(pack)}", hint)
            )
        if self.file and self.file.mode and pack is None:
            hint = "name the pack whose rules in shadow are judged as if they were enforced"
            self.findings.append(self.source.finding(("mode",), "`mode` goes with `pack`", hint))

    def case(self, index: int, entry: CaseEntry) -> Case | None:
        """Return the case, or None where something about it is wrong."""
        before = len(self.findings)
        loc: Loc = ("cases", index)
        given = self._given((*loc, "request"), entry)
        self._check_references((*loc, "request", "references"), entry)
        expect = self._expect((*loc, "expect"), entry)
        if len(self.findings) > before:
            return None
        at = entry.at or (self.file.at if self.file else None) or UNDATED
        references = [_reference(one) for one in entry.request.references]
        place = self.source.place((*loc, "name"))
        return Case(
            name=entry.name,
            path=place.path,
            line=place.line,
            pack=self.file.pack if self.file else None,
            enforced=self.file is not None and self.file.mode is not None,
            facts=facts_of(given, references, at, quotas=_quotas(entry.request.references)),
            expect=expect,
        )

    def _add(self, loc: Loc, entry: CaseEntry, mistake: Mistake) -> None:
        message = f"case {quoted(entry.name)}: {mistake.message}"
        self.findings.append(self.source.finding(loc, message, mistake.hint))

    def _given(self, loc: Loc, entry: CaseEntry) -> dict[str, tuple[str, ...]]:
        given: dict[str, tuple[str, ...]] = {}
        written = entry.request.facts()
        if "class" not in written:
            hint = "e.g. `class: one_to_many`"
            self._add(loc, entry, Mistake("the request has no `class`", hint))
        for attribute, value in written.items():
            members = _members(value)
            mistake = _check_given(attribute, members, self.budgets)
            if mistake is not None:
                self._add((*loc, attribute), entry, mistake)
            else:
                given[attribute] = tuple(str(member) for member in members)
        if len(given.get("contradiction", ())) > 1 and "unknown" not in given.get(
            "destination", ("unknown",)
        ):
            mistake = Mistake("evidence that may contradict has `unknown` among its destinations")
            self._add((*loc, "contradiction"), entry, mistake)
        known = "operation" in given or "access" in given
        if given.get("class") == ("unknown",) and known:
            mistake = Mistake("an unknown operation has no `operation` and no `access`")
            self._add(loc, entry, mistake)
        return given

    def _check_references(self, loc: Loc, entry: CaseEntry) -> None:
        """Report a reference of the same id as one before it: quotas are counted by id."""
        for index in repeated([_id(one) for one in entry.request.references]):
            hint = "give each an `id`"
            mistake = Mistake("two references have the same id", hint)
            self._add((*loc, index), entry, mistake)

    def _expect(self, loc: Loc, entry: CaseEntry) -> Expectation:
        expect = entry.expect
        rule = self._rule((*loc, "rule"), entry, expect.rule)
        lifted = self._rule((*loc, "lifted"), entry, expect.lifted)
        if expect.reason is not None and expect.reason not in REASONS:
            hint = closest(expect.reason, tuple(REASONS))
            mistake = Mistake(f"unknown reason {quoted(expect.reason)}", hint)
            self._add((*loc, "reason"), entry, mistake)
        needs = None if expect.needs is None else tuple(sorted(expect.needs))
        return Expectation(
            outcome=expect.outcome, rule=rule, reason=expect.reason, needs=needs, lifted=lifted
        )

    def _rule(self, loc: Loc, entry: CaseEntry, written: str | None) -> str | None:
        """Return the id `pack/rule` of a rule that is named; one that is not there is a finding."""
        rule = written
        if rule is not None and "/" not in rule and self.file and self.file.pack:
            rule = f"{self.file.pack}/{rule}"
        if rule is not None and self.rules is not None and rule not in self.rules:
            hint = closest(rule, tuple(sorted(self.rules)))
            self._add(loc, entry, Mistake(f"unknown rule {quoted(rule)}", hint))
        return rule


def _id(entry: ReferenceEntry) -> str:
    return entry.id or entry.kind


def _reference(entry: ReferenceEntry) -> Reference:
    quota = entry.quota
    return Reference(
        id=_id(entry),
        kind=entry.kind,
        names=tuple(sorted(set(entry.names))),
        classes=tuple(sorted(set(entry.classes))),
        destinations=tuple(sorted(set(entry.destinations))),
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        quota=None if quota is None else Quota(limit=quota.limit, counts=quota.counts),
    )


def _quotas(entries: Sequence[ReferenceEntry]) -> tuple[Taken, ...]:
    """Return what the case takes of each quota: one, of whatever it counts."""
    found = [
        Taken(reference=_id(one), used=one.quota.used, limit=one.quota.limit, amount=1)
        for one in entries
        if one.quota is not None
    ]
    return tuple(sorted(found, key=_reference_id))


def _reference_id(taken: Taken) -> str:
    return taken.reference


def _members(value: object) -> list[object]:
    """Return the members that are written: one value may stand without a list."""
    return list[object](value) if isinstance(value, list) else [value]


def _check_given(
    attribute: str, members: list[object], budgets: Collection[str] | None
) -> Mistake | None:
    """Tell what is wrong with the members that a case gives for an attribute."""
    if attribute not in ATTRIBUTES:
        hint = closest(attribute, (*ATTRIBUTES, "references")) or f"one of {', '.join(ATTRIBUTES)}"
        return Mistake(f"unknown attribute {quoted(attribute)}", hint)
    if not members:
        return Mistake(f"`{attribute}` has no value", "leave it out for the default")
    if attribute in SINGLE and len(members) > 1:
        return Mistake(f"`{attribute}` has one value in a request")
    if len(members) > 1 and set(ALONE.get(attribute, ())) & set(map(str, members)):
        words = " and ".join(f"`{word}`" for word in ALONE[attribute])
        return Mistake(f"{words} cannot stand beside others in `{attribute}`")
    mistakes = (
        check_member(attribute, member) or check_budget(attribute, member, budgets)
        for member in members
    )
    return next((mistake for mistake in mistakes if mistake is not None), None)

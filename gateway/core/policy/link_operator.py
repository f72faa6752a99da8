"""Budgets as they are written to budgets, and the operator's switches over packs and rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gateway.core.policy.model import UNSWITCHED, Budget, Operator, Pack, Switch
from gateway.core.policy.operator_files import (
    ActivatedEntry,
    BudgetEntry,
    OperatorFile,
    SwitchedOffEntry,
)
from gateway.core.policy.source import Loc, Source
from gateway.core.policy.values import closest, quoted, repeated
from gateway.errors import Finding

# By name; None of one that is named and not sound, which is reported elsewhere.
Budgets = Mapping[str, Budget | None]


def link_budgets(sources: Sequence[Source], findings: list[Finding]) -> Budgets:
    """Return the budgets of all files."""
    budgets: dict[str, Budget | None] = {}
    first: dict[str, Source] = {}
    for source in sources:
        if not source.parsed.holds_budgets:
            continue
        for name in source.parsed.broken:
            budgets[name] = None
        for name, entry in source.parsed.budgets.items():
            loc: Loc = ("budgets", name)
            if name in first:
                message = f"budget {quoted(name)} is defined twice"
                hint = f"first in {first[name].place(loc)}"
                findings.append(source.finding_at_key(loc, message, hint))
                continue
            first[name] = source
            if name == "none":
                message = "`none` stands for no budget, so it cannot be the name of one"
                findings.append(source.finding_at_key(loc, message))
            for index in repeated(entry.classes):
                message = f"budget {quoted(name)}: {quoted(entry.classes[index])} stands twice"
                findings.append(source.finding((*loc, "classes", index), message))
            budgets[name] = _budget(name, entry)
    return budgets


def unnamed_budgets(
    sources: Sequence[Source], packs: Sequence[Pack], findings: list[Finding]
) -> None:
    """Report each budget that no rule names: nothing follows beyond it."""
    conditions = [
        condition
        for pack in packs
        for rule in pack.rules
        for condition in rule.conditions
        if condition.attribute == "over"
    ]
    if any(condition.negated for condition in conditions):
        return  # means every budget that it does not name
    named = frozenset[str]().union(*[condition.values for condition in conditions])
    for source in sources:
        for name in source.parsed.budgets:
            if name not in named:
                message = f"budget {quoted(name)} is named by no rule"
                hint = f"say what follows beyond it, e.g. a deny with `over: [{name}]`"
                findings.append(source.finding_at_key(("budgets", name), message, hint))


def link_operator(
    sources: Sequence[Source], packs: Sequence[Pack] | None, findings: list[Finding]
) -> Operator:
    """Return the operator's switches; what names nothing, or changes nothing, is a finding.

    Args:
        sources: the files.
        packs: all of them; None where they are not all known.
        findings: where mistakes go.
    """
    found: tuple[Source, OperatorFile] | None = None
    for source in sources:
        file = source.parsed.file
        if not isinstance(file, OperatorFile):
            continue
        if found is not None:
            hint = f"the first is {found[0].places.path}"
            message = "there is more than one file of kind Operator"
            findings.append(source.finding(("kind",), message, hint))
            continue
        found = source, file
    if found is None:
        return UNSWITCHED
    source, file = found
    _check_twice(source, "activated", [_what(one) for one in file.activated], findings)
    _check_twice(source, "switched_off", [one.rule for one in file.switched_off], findings)
    if packs is not None:
        _check_activated(source, file, packs, findings)
        _check_switched_off(source, file, packs, findings)
    return Operator(activated=_switches(file.activated), switched_off=_switches(file.switched_off))


def _budget(name: str, entry: BudgetEntry) -> Budget:
    return Budget(
        id=name,
        counts=entry.counts,
        classes=tuple(sorted(set(entry.classes))),
        per=entry.per,
        limit=entry.limit,
    )


def _what(entry: ActivatedEntry | SwitchedOffEntry) -> str:
    pack = entry.pack if isinstance(entry, ActivatedEntry) else None
    return pack or entry.rule or ""


def _switches(entries: Sequence[ActivatedEntry | SwitchedOffEntry]) -> tuple[Switch, ...]:
    switches = [
        Switch(what=_what(one), who=one.who, date=one.date, reason=one.reason) for one in entries
    ]
    return tuple(sorted(switches, key=_switched))


def _switched(switch: Switch) -> str:
    return switch.what


def _check_twice(source: Source, key: str, names: list[str], findings: list[Finding]) -> None:
    for index in repeated(names):
        message = f"{quoted(names[index])} stands twice in `{key}`"
        findings.append(source.finding((key, index), message))


def _check_activated(
    source: Source, file: OperatorFile, packs: Sequence[Pack], findings: list[Finding]
) -> None:
    by_id = {pack.id: pack for pack in packs}
    rules = {f"{pack.id}/{rule.id}": pack.in_shadow(rule) for pack in packs for rule in pack.rules}
    for index, entry in enumerate(file.activated):
        loc: Loc = ("activated", index, "pack" if entry.pack is not None else "rule")
        if entry.pack is not None:
            _check_name(source, loc, entry.pack, by_id, findings)
            if entry.pack in by_id and by_id[entry.pack].force != "pending":
                force = by_id[entry.pack].force
                message = f"pack {quoted(entry.pack)} is {force}, so it is enforced already"
                findings.append(source.finding(loc, message, "only a pending pack is activated"))
        elif entry.rule is not None:
            _check_name(source, loc, entry.rule, rules, findings)
            if not rules.get(entry.rule, True):
                message = f"rule {quoted(entry.rule)} is enforced already"
                findings.append(source.finding(loc, message, "only a rule in shadow is activated"))


def _check_switched_off(
    source: Source, file: OperatorFile, packs: Sequence[Pack], findings: list[Finding]
) -> None:
    rules = {f"{pack.id}/{rule.id}" for pack in packs for rule in pack.rules}
    activated = {entry.rule for entry in file.activated}
    for index, entry in enumerate(file.switched_off):
        loc: Loc = ("switched_off", index, "rule")
        _check_name(source, loc, entry.rule, rules, findings)
        if entry.rule in activated:
            message = f"rule {quoted(entry.rule)} is both activated and switched off"
            findings.append(source.finding(loc, message))


def _check_name(
    source: Source, loc: Loc, name: str, known: Collection[str], findings: list[Finding]
) -> None:
    if name not in known:
        message = f"unknown {loc[-1]} {quoted(name)}"
        findings.append(source.finding(loc, message, closest(name, tuple(sorted(known)))))

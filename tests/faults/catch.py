"""Who catches a fault: `check`, `test`, `prove` or nobody, by the project's own code for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, get_args

from gateway.core.operation import class_of, governed
from gateway.core.policy.cases import Case, CaseRun, run_cases
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.difference import difference
from gateway.core.policy.link import Linked, link
from gateway.core.policy.model import Pack, Policies
from gateway.core.policy.parse import parse
from gateway.core.policy.prove import prove
from gateway.core.policy.source import Source
from gateway.sources.yaml_file import read_yaml
from tests.faults.model import Fault

Catcher = Literal["check", "test", "prove", "nobody"]
CATCHERS: Final[tuple[Catcher, ...]] = get_args(Catcher)
_NOW: Final = datetime(2026, 11, 25, tzinfo=UTC)


@dataclass(frozen=True)
class Shipped:
    """The shipped policy, read once.

    Attributes:
        sources: by file name, as `link` reads them.
    """

    sources: Mapping[str, Source]
    values: Mapping[str, dict[str, Any]]

    @classmethod
    def read(cls, directory: Path) -> Shipped:
        """Read a directory of policy files that has no mistake."""
        documents = {path.name: read_yaml(path) for path in sorted(directory.glob("*.yaml"))}
        return cls(
            sources={
                name: Source(parsed=parse(document.value), places=document)
                for name, document in documents.items()
            },
            values={
                name: document.value
                for name, document in documents.items()
                if isinstance(document.value, dict)
            },
        )

    @cached_property
    def linked(self) -> Linked:
        """All files as they are."""
        return link(list(self.sources.values()), origin="policies")

    @cached_property
    def packs(self) -> Mapping[str, Pack]:
        """The packs as they are, by id."""
        return {pack.id: pack for pack in self.linked.packs}

    @cached_property
    def cases(self) -> Mapping[str | None, tuple[Case, ...]]:
        """The cases by the pack that judges them; None is all packs together."""
        found = defaultdict[str | None, list[Case]](list)
        for case in self.linked.cases:
            found[case.pack].append(case)
        return {pack: tuple(cases) for pack, cases in found.items()}

    def catch(self, fault: Fault) -> Catcher:
        """Tell who catches a fault, the first of `check`, `test` and `prove`."""
        changed = self.packs_with(fault)
        if changed is None:
            return "check"
        if self._fails(changed, fault.place):
            return "test"
        return "prove" if self.breaks_a_guardrail(changed) else "nobody"

    def packs_with(self, fault: Fault) -> Sequence[Pack] | None:
        """Return all packs as a fault leaves them; None where `check` has a finding."""
        parsed = parse(fault.value)
        if parsed.error is not None:
            return None
        before = self.sources[fault.file]
        source = Source(parsed=parsed, places=before.places)
        linked = link([*self._beside(fault), source], origin="policies")
        packs = {**self.packs, **{pack.id: pack for pack in linked.packs}}
        findings = [one for one in linked.findings if one.line]
        if linked.places.keys() - self.linked.places.keys():
            return None
        # As `check` of the whole directory would: a case names a rule that is gone.
        gone = self._rules.get(fault.file, frozenset()) - linked.places.keys()
        if any(case.expect.rule in gone for case in self.linked.cases):
            return None
        return None if findings else tuple(packs.values())

    @cached_property
    def _rules(self) -> Mapping[str, frozenset[str]]:
        """The ids of the rules by the file that they stand in."""
        found = defaultdict[str, set[str]](set)
        for rule, place in self.linked.places.items():
            found[Path(place.path).name].add(rule)
        return {file: frozenset(rules) for file, rules in found.items()}

    def _beside(self, fault: Fault) -> list[Source]:
        """Return what the changed file has to be read with.

        A pack is read with what it may name, groups and budgets; a file of groups with everything
        but the cases.
        """
        before = self.sources[fault.file].parsed.rules
        limited = any("over" in rule.when for _, rule in before)
        return [
            source
            for name, source in self.sources.items()
            if name != fault.file and not source.parsed.cases
            if source.parsed.groups or (limited and source.parsed.budgets) or not before
        ]

    def _fails(self, packs: Sequence[Pack], place: str) -> bool:
        """Tell whether a case comes out otherwise, or a rule is without one, in what changed.

        Cases that name the rule at `place` are asked first: most faults end there.
        """
        for pack in packs:
            if pack != self.packs[pack.id]:
                cases = self.cases.get(pack.id, ())
                near = [one for one in cases if place in (one.expect.rule, one.expect.lifted)]
                if near and _otherwise(run_cases([pack], near)):
                    return True
                run = run_cases([pack], cases)
                if run.uncovered or _otherwise(run):
                    return True
        return _otherwise(run_cases(packs, self.cases.get(None, ())))

    def breaks_a_guardrail(self, packs: Sequence[Pack]) -> bool:
        """Tell whether a guardrail does not hold over what a fault leaves of the packs."""
        policies = compile_policies(packs, budgets=self.linked.budgets)
        return not all(proof.holds for proof in prove(policies, self.linked.guardrails, _NOW))

    def opened(self, packs: Sequence[Pack]) -> tuple[str, ...]:
        """Return each kind of governed request that was refused by all packs, and is permitted.

        By the exact difference over every request; a difference that is not exact counts, too.
        """
        after = compile_policies(packs, budgets=self.linked.budgets)
        opened = list[str]()
        for step in difference(self._compiled, after, _NOW):
            if not (step.exact and step.listed):
                opened.append("not known")
            opened += [
                f"{operation_class} ({access})"
                for area in step.areas
                for operation_class, access in area.kinds
                if area.change.loosens and governed(operation_class, access)
            ]
            opened += [
                class_of(after.facts.operation)
                for _, after in step.several
                if after.decision.outcome == "permit"
            ]
        return tuple(opened)

    @cached_property
    def _compiled(self) -> Policies:
        return compile_policies(self.linked.packs, budgets=self.linked.budgets)


def _otherwise(run: CaseRun) -> bool:
    """Tell whether a case came out otherwise than expected."""
    return any(result.mismatches for result in run.results)

"""The shape of policy files: the keys that there are, their types, and the JSON Schema of them.

Only the shape: what the values mean, and whether they can ever match, is the task of `link`. A file
with mistakes still yields the entries in it that are sound, so that one reading reports everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema

from gateway.core.decision import Outcome
from gateway.core.identity.model import ReferenceKind
from gateway.core.operation import Counting, OperationClass
from gateway.core.policy.attributes import ATTRIBUTES, CLOSED
from gateway.core.policy.model import Effect, Force, Mode
from gateway.core.policy.operator_files import BudgetEntry, BudgetsFile, OperatorFile
from gateway.core.policy.shapes import (
    MOST,
    File as _File,
    Identifier,
    Instant,
    Place,
    Shape as _Shape,
    Word,
    Words,
)

_GROUP: Final = {"type": "string", "pattern": "^group:"}


def _members(attribute: str) -> dict[str, Any]:
    """Return the schema of one member as a person writes it."""
    return {"enum": list(CLOSED[attribute])} if attribute in CLOSED else {"type": "string"}


def _when_schema() -> dict[str, Any]:
    def condition(attribute: str) -> dict[str, Any]:
        values = {"type": "array", "minItems": 1, "items": {"anyOf": [_members(attribute), _GROUP]}}
        named = [
            {
                "type": "object",
                "properties": {key: values},
                "required": [key],
                "additionalProperties": False,
            }
            for key in ("in", "not_in")
        ]
        return {"anyOf": [values, *named]}

    return {
        "type": "object",
        "minProperties": 1,
        "properties": {attribute: condition(attribute) for attribute in ATTRIBUTES},
        "additionalProperties": False,
    }


def _request_schema(schema: dict[str, Any]) -> None:
    for attribute in ATTRIBUTES:
        one = _members(attribute)
        many = {"type": "array", "minItems": 1, "items": one}
        schema["properties"][attribute] = {"anyOf": [one, many]}
    schema["additionalProperties"] = False


class Effective(_Shape):
    """When a rule holds: from inclusive, to exclusive."""

    start: Instant | None = Field(default=None, alias="from")
    end: Instant | None = Field(default=None, alias="to")


class LiftEntry(_Shape):
    """The reference that lifts a deny: only one that names this word."""

    kind: ReferenceKind
    naming: Word


class RuleEntry(_Shape):
    """A rule as it is written."""

    noun: ClassVar = "rule"

    id: Identifier
    effect: Effect
    needs: ReferenceKind | None = None
    naming: Word | None = None
    lifted_by: LiftEntry | None = None
    mode: Mode = "enforce"
    when: Annotated[dict[str, object], Field(min_length=1), WithJsonSchema(_when_schema())]
    effective: Effective | None = None
    reason: Words


class GroupEntry(_Shape):
    """A group as it is written: values that rules name together, and where they come from."""

    members: Annotated[list[str], Field(min_length=1)]
    source: Words
    date: date
    note: Words | None = None


class QuotaEntry(_Shape):
    """How much may be done under a reference, and how much was done before the case."""

    limit: Annotated[int, Field(ge=0, le=MOST)]
    counts: Counting = "calls"
    used: Annotated[int, Field(ge=0, le=MOST)] = 0


class ReferenceEntry(_Shape):
    """A reference that a case has on file; what is not written does not limit it."""

    kind: ReferenceKind
    id: Words | None = None
    names: list[Word] = Field(default_factory=list[str])
    classes: list[OperationClass] = Field(default_factory=list[OperationClass])
    destinations: list[Place] = Field(default_factory=list[str])
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    quota: QuotaEntry | None = None


class RequestEntry(_Shape):
    """The facts of a case, by attribute; the attributes themselves are read by `link`."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_request_schema)

    references: list[ReferenceEntry] = Field(default_factory=list[ReferenceEntry])

    def facts(self) -> Mapping[str, object]:
        """Return what is written beside the references, by key."""
        return dict(self.model_extra or {})


class ExpectEntry(_Shape):
    """What a case expects; what is not written is not compared."""

    outcome: Outcome
    rule: str | None = None
    reason: str | None = None
    needs: list[ReferenceKind] | None = None
    lifted: str | None = None


class CaseEntry(_Shape):
    """A case as it is written."""

    name: Words
    at: Instant | None = None
    request: RequestEntry
    expect: ExpectEntry


class PackFile(_File):
    """A file of rules."""

    kind: Literal["Pack"]
    pack: Identifier
    owner: Words
    source: Words
    force: Force
    review: date
    description: Words | None = None
    rules: Annotated[list[RuleEntry], Field(min_length=1)]


class GroupsFile(_File):
    """A file of groups."""

    kind: Literal["Groups"]
    owner: Words
    source: Words
    date: date
    groups: Annotated[dict[Identifier, GroupEntry], Field(min_length=1)]


class CasesFile(_File):
    """A file of cases; with `pack` they are judged by that pack alone, as if it were in force.

    With `mode: enforce` as well, its rules in shadow are judged as if they were enforced.
    """

    kind: Literal["Cases"]
    pack: Identifier | None = None
    mode: Literal["enforce"] | None = None
    at: Instant | None = None
    cases: Annotated[list[CaseEntry], Field(min_length=1)]


class WithoutEntry(_Shape):
    """A reference that a guardrail takes not to be on file; with `naming` one that names a word."""

    kind: ReferenceKind
    naming: Word | None = None


class GuardrailEntry(_Shape):
    """A guardrail as it is written."""

    noun: ClassVar = "guardrail"

    id: Identifier
    never: Outcome
    when: Annotated[dict[str, object], Field(min_length=1), WithJsonSchema(_when_schema())]
    without: list[WithoutEntry] = Field(default_factory=list[WithoutEntry])
    reason: Words


class GuardrailsFile(_File):
    """A file of guardrails; each holds over all packs together."""

    kind: Literal["Guardrails"]
    owner: Words
    source: Words
    review: date
    guardrails: Annotated[list[GuardrailEntry], Field(min_length=1)]


class _AnyFile(_File):
    """What is read first: which kind of file this is."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["Pack", "Groups", "Cases", "Guardrails", "Budgets", "Operator"]


PolicyFile = PackFile | GroupsFile | CasesFile | GuardrailsFile | BudgetsFile | OperatorFile
_KINDS: Final[dict[str, type[PolicyFile]]] = {
    "Pack": PackFile,
    "Groups": GroupsFile,
    "Cases": CasesFile,
    "Guardrails": GuardrailsFile,
    "Budgets": BudgetsFile,
    "Operator": OperatorFile,
}
_Entry = TypeVar("_Entry", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one file holds.

    Attributes:
        model: what the value was read as.
        file: the file as a whole; None where anything in its shape is wrong.
        error: what is wrong with its shape; None where nothing is.
        rules: the sound rules with their places in the list.
        groups: the sound groups by name.
        cases: the sound cases with their places in the list.
        guardrails: the sound guardrails with their places in the list.
        budgets: the sound budgets by name.
        broken: names of the groups and budgets that are not sound.
    """

    model: type[BaseModel]
    file: PolicyFile | None = None
    error: ValidationError | None = None
    rules: tuple[tuple[int, RuleEntry], ...] = ()
    groups: Mapping[str, GroupEntry] = field(default_factory=dict[str, GroupEntry])
    cases: tuple[tuple[int, CaseEntry], ...] = ()
    guardrails: tuple[tuple[int, GuardrailEntry], ...] = ()
    budgets: Mapping[str, BudgetEntry] = field(default_factory=dict[str, BudgetEntry])
    broken: frozenset[str] = frozenset()

    @property
    def holds_budgets(self) -> bool:
        """Whether this is a file of budgets, sound or not."""
        return self.model is BudgetsFile

    @property
    def recognised(self) -> bool:
        """Whether the file says which kind it is."""
        return self.model is not _AnyFile


def parse(value: object) -> Parsed:
    """Read the plain value of a policy file; mistakes come back in the answer."""
    try:
        model = _KINDS[_AnyFile.model_validate(value).kind]
    except ValidationError as error:
        return Parsed(model=_AnyFile, error=error)
    try:
        file = model.model_validate(value)
    except ValidationError as error:
        return _salvaged(model, value, error)
    return Parsed(
        model=model,
        file=file,
        rules=tuple(enumerate(file.rules)) if isinstance(file, PackFile) else (),
        groups=file.groups if isinstance(file, GroupsFile) else {},
        cases=tuple(enumerate(file.cases)) if isinstance(file, CasesFile) else (),
        guardrails=tuple(enumerate(file.guardrails)) if isinstance(file, GuardrailsFile) else (),
        budgets=file.budgets if isinstance(file, BudgetsFile) else {},
    )


def _salvaged(model: type[PolicyFile], value: object, error: ValidationError) -> Parsed:
    """Keep what is sound in a file that is not."""
    written: Mapping[str, object] = value if isinstance(value, dict) else {}
    groups, no_groups = _named(GroupEntry, written.get("groups") if model is GroupsFile else None)
    budgets, no_budgets = _named(
        BudgetEntry, written.get("budgets") if model is BudgetsFile else None
    )
    return Parsed(
        model=model,
        error=error,
        rules=_entries(RuleEntry, written.get("rules") if model is PackFile else None),
        groups=groups,
        cases=_entries(CaseEntry, written.get("cases") if model is CasesFile else None),
        guardrails=_entries(
            GuardrailEntry, written.get("guardrails") if model is GuardrailsFile else None
        ),
        budgets=budgets,
        broken=no_groups | no_budgets,
    )


def _named(model: type[_Entry], items: object) -> tuple[Mapping[str, _Entry], frozenset[str]]:
    """Return the sound entries by name, and the names of those that are not."""
    named: Mapping[str, object] = items if isinstance(items, dict) else {}
    sound = {name: entry for name, item in named.items() if (entry := _sound(model, item))}
    return sound, frozenset(named) - frozenset(sound)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of policy files, for editors."""
    made = TypeAdapter[PolicyFile](PolicyFile).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Facegate policy file",
        **made,
    }


def _entries(model: type[_Entry], items: object) -> tuple[tuple[int, _Entry], ...]:
    listed = items if isinstance(items, list) else []
    return tuple(
        (index, entry)
        for index, item in enumerate(listed)
        if (entry := _sound(model, item)) is not None
    )


def _sound(model: type[_Entry], item: object) -> _Entry | None:
    """Read one entry on its own; None where it is not sound, which the whole file reports."""
    try:
        return model.model_validate(item)
    except ValidationError:
        return None

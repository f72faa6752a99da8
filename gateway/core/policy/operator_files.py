"""The shape of the files that an operator writes beside the packs: budgets, and switches."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.core.operation import Counting, OperationClass, Period
from gateway.core.policy.shapes import MOST, File, Identifier, Shape, Words


class BudgetEntry(Shape):
    """How much of something a tenant may do in a while; a rule says what follows beyond it."""

    counts: Counting
    classes: Annotated[list[OperationClass], Field(min_length=1)]
    per: Period
    limit: Annotated[int, Field(ge=0, le=MOST)]
    by: Literal["tenant"]
    source: Words
    date: date
    note: Words | None = None


class BudgetsFile(File):
    """A file of budgets."""

    kind: Literal["Budgets"]
    owner: Words
    budgets: Annotated[dict[Identifier, BudgetEntry], Field(min_length=1)]


class _SwitchEntry(Shape):
    who: Words
    date: date
    reason: Words


class ActivatedEntry(_SwitchEntry):
    """A pending pack, or a rule in shadow, that is enforced here all the same."""

    pack: Identifier | None = None
    rule: Words | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.pack is None) == (self.rule is None):
            raise ValueError("name either a `pack` or a `rule`, as `pack/rule`")
        return self


class SwitchedOffEntry(_SwitchEntry):
    """A rule that does not hold here."""

    rule: Words


class OperatorFile(File):
    """The operator's own switches over packs and rules; there is at most one such file."""

    kind: Literal["Operator"]
    activated: list[ActivatedEntry] = Field(default_factory=list[ActivatedEntry])
    switched_off: list[SwitchedOffEntry] = Field(default_factory=list[SwitchedOffEntry])

"""Policy as values: packs of rules, and the table that judging reads.

A rule names facts only by the attributes of `gateway.core.policy.attributes`. What the words of the
policy language mean stands here; how they are judged fast, in `compile` and `evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from gateway.core.identity.model import ReferenceKind
from gateway.core.operation import Counting, OperationClass, Period

Effect = Literal["deny", "permit", "require"]
Mode = Literal["enforce", "shadow"]
Force = Literal["binding", "pending", "voluntary"]
# What becomes of a rule once the operator's switches are applied.
Effectiveness = Literal["enforce", "shadow", "off"]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule asks of one attribute; groups are written out.

    A deny or require rule asks it of any member of the attribute, a permit rule of every member. A
    country covers its regions: of destinations `UA` names `UA-43` too, and never the other way.

    Attributes:
        attribute: name from `attributes.ATTRIBUTES`.
        values: what is named; never empty.
        negated: `not_in`: whatever is not named satisfies the condition.
    """

    attribute: str
    values: frozenset[str]
    negated: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A kind of reference; with `naming` one that names this word, e.g. `embargo`."""

    kind: ReferenceKind
    naming: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; it matches where all its conditions hold at a time when it is in effect.

    Attributes:
        id: unique in its pack.
        effect: what a match does.
        needs: the kind of reference that a `require` rule asks for; None with other effects.
        naming: the word that such a reference has to name; empty where any will do.
        lifted_by: the reference that lifts a `deny` rule, always by a word that it names; None
            where nothing lifts it.
        mode: what the file says; the rules of a pending pack run in shadow whatever it says.
        conditions: sorted by attribute, one an attribute; empty matches everything.
        effective_from: inclusive, UTC; None is open.
        effective_to: exclusive, UTC; None is open.
        reason: one sentence for people.
    """

    id: str
    effect: Effect
    needs: ReferenceKind | None = None
    naming: str = ""
    lifted_by: Wanted | None = None
    mode: Mode = "enforce"
    conditions: tuple[Condition, ...] = ()
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    reason: str = ""

    @property
    def wanted(self) -> Wanted | None:
        """What a `require` rule asks for; None with other effects."""
        return None if self.needs is None else Wanted(kind=self.needs, naming=self.naming)


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that one owner answers for, with where they come from and what force they have.

    `review` is the day by which the owner reads the pack again.
    """

    id: str
    owner: str
    source: str
    force: Force
    review: date
    rules: tuple[Rule, ...]
    description: str = ""

    def in_shadow(self, rule: Rule) -> bool:
        """Tell whether a rule of this pack is only reported, unless the operator activates it."""
        return self.force == "pending" or rule.mode == "shadow"


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much a tenant may do in an hour, a day or a month; a rule says what follows beyond it.

    Attributes:
        id: unique; what rules name in the attribute `over`.
        counts: what is counted.
        classes: of which operations, sorted; never empty.
        per: how long it lasts.
        limit: the most that is not over it.
    """

    id: str
    counts: Counting
    classes: tuple[OperationClass, ...]
    per: Period
    limit: int


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decided on a pack or a rule (`pack/rule`): who, when and why."""

    what: str
    who: str
    date: date
    reason: str


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's own switches.

    Attributes:
        activated: pending packs and rules in shadow that are enforced here, sorted by what.
        switched_off: rules that do not hold here, likewise.
    """

    activated: tuple[Switch, ...] = ()
    switched_off: tuple[Switch, ...] = ()

    def effectiveness(self, pack: Pack, rule: Rule) -> Effectiveness:
        """Tell what becomes of a rule."""
        rule_id = f"{pack.id}/{rule.id}"
        if any(switch.what == rule_id for switch in self.switched_off):
            return "off"
        if not pack.in_shadow(rule):
            return "enforce"
        activated = {switch.what for switch in self.activated}
        by_pack = pack.id in activated and rule.mode == "enforce"
        return "enforce" if by_pack or rule_id in activated else "shadow"


UNSWITCHED = Operator()


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules one attribute leaves standing, by value.

    A mask has bit *n* set where rule *n* is satisfied by the value, or does not ask.

    Attributes:
        position: the attribute's place in `attributes.ATTRIBUTES`.
        masks: by every value that some rule names.
        default: of every other value.
        regional: whether a value like `UA-43` that no rule names counts as its country.
    """

    position: int
    masks: Mapping[str, int]
    default: int
    regional: bool

    def mask(self, value: str) -> int:
        """Return the rules that a value leaves standing."""
        found = self.masks.get(value)
        if found is not None:
            return found
        if self.regional and value[2:3] == "-":
            return self.masks.get(value[:2], self.default)
        return self.default


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All rules as bit masks; rule *n* in pack order is bit *n*.

    Attributes:
        ids: `pack/rule` by number.
        columns: of the attributes that any rule names; first what most rules ask for.
        named: those attributes: what no rule names, nobody needs to find out.
        boundaries: the times at which rules begin or end, sorted.
        active: rules in effect before the first boundary, from each boundary on; one longer.
        enforced: all rules but those in shadow.
        denies: rules by effect.
        requires: likewise.
        permits: likewise; only of these must every member satisfy.
        needs: `requires` by the reference that they ask for; of a kind those that name first.
        lifts: the denies that a reference lifts, by that reference, likewise.
        liftable: all rules in `lifts`.
        special: what is in shadow, or asks what is on file: `requires` and `liftable`.
    """

    ids: tuple[str, ...]
    columns: tuple[Column, ...]
    named: frozenset[str]
    boundaries: tuple[datetime, ...]
    active: tuple[int, ...]
    enforced: int
    denies: int
    requires: int
    permits: int
    needs: tuple[tuple[Wanted, int], ...]
    lifts: tuple[tuple[Wanted, int], ...]
    liftable: int
    special: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much a policy holds; rules that are switched off count among `rules` alone."""

    packs: int
    rules: int
    enforced: int
    shadow: int
    budgets: int


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a rule that names budgets can match: types of tenants, and of any of their parties."""

    budgets: frozenset[str]
    tenants: frozenset[str]
    parties: frozenset[str]


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """What requests are judged by: the packs sorted by id, and the table made from them.

    Attributes:
        packs: as they are written.
        budgets: sorted by id.
        audiences: of each rule that names budgets, whom they are counted for.
        operator: the switches that are applied to the packs.
        table: what judging reads.
        digest: `sha256:` and 64 hex digits over the meaning; no path, wording or time of loading.
        counts: how much it holds.
    """

    packs: tuple[Pack, ...]
    budgets: tuple[Budget, ...]
    audiences: tuple[Audience, ...]
    operator: Operator
    table: Table
    digest: str
    counts: Counts

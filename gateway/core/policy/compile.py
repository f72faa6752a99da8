"""Packs to the table of bit masks that judging reads, and to the digest of what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from gateway.core.policy.attributes import ATTRIBUTES, CLOSED
from gateway.core.policy.model import (
    UNSWITCHED,
    Audience,
    Budget,
    Column,
    Condition,
    Counts,
    Effectiveness,
    Operator,
    Pack,
    Policies,
    Rule,
    Table,
    Wanted,
)

_VERSION = b"facegate policies v1\n"


def compile_policies(
    packs: Sequence[Pack],
    *,
    budgets: Sequence[Budget] = (),
    operator: Operator = UNSWITCHED,
) -> Policies:
    """Make a policy from packs.

    Args:
        packs: with unique ids, in any order; pack order is the order of their ids, so that moving
            a file changes nothing.
        budgets: with unique ids, in any order.
        operator: switches over the packs and rules.
    """
    ordered = tuple(sorted(packs, key=_pack_id))
    limits = tuple(sorted(budgets, key=_budget_id))
    every = [operator.effectiveness(pack, rule) for pack in ordered for rule in pack.rules]
    table = _table(ordered, every)
    meaning = canonical(ordered, budgets=limits, operator=operator)
    return Policies(
        packs=ordered,
        budgets=limits,
        audiences=_audiences(ordered, limits),
        operator=operator,
        table=table,
        digest="sha256:" + hashlib.sha256(meaning).hexdigest(),
        counts=Counts(
            packs=len(ordered),
            rules=len(every),
            enforced=every.count("enforce"),
            shadow=every.count("shadow"),
            budgets=len(limits),
        ),
    )


def canonical(
    packs: Sequence[Pack],
    *,
    budgets: Sequence[Budget] = (),
    operator: Operator = UNSWITCHED,
) -> bytes:
    """Return what a policy means as canonical text: equal exactly where every decision is equal.

    Rules with their effect, mode (as the operator switched it), conditions (groups written out,
    sorted), times and references, and budgets; no wording, owner, source or place. The order of
    rules counts: it is the order of ids in decisions.
    """
    meaning = [
        (
            f"{pack.id}/{rule.id}",
            rule.effect,
            rule.needs,
            operator.effectiveness(pack, rule),
            [
                (condition.attribute, condition.negated, sorted(condition.values))
                for condition in sorted(rule.conditions, key=_attribute)
            ],
            _text(rule.effective_from),
            _text(rule.effective_to),
            *([{"naming": rule.naming}] if rule.naming else []),
            *([{"lifted_by": rule.lifted_by}] if rule.lifted_by else []),
        )
        for pack in sorted(packs, key=_pack_id)
        for rule in pack.rules
    ]
    limits = [
        (budget.id, budget.counts, sorted(budget.classes), budget.per, budget.limit)
        for budget in sorted(budgets, key=_budget_id)
    ]
    return (
        _VERSION + msgspec.json.encode(meaning) + (msgspec.json.encode(limits) if limits else b"")
    )


def _pack_id(pack: Pack) -> str:
    return pack.id


def _audiences(packs: Sequence[Pack], budgets: Sequence[Budget]) -> tuple[Audience, ...]:
    every = frozenset(budget.id for budget in budgets)
    return tuple(
        Audience(
            budgets=_weighed(rule, every),
            tenants=_meant(rule, "tenant_type", CLOSED["tenant_type"]),
            parties=_meant(rule, "party_type", CLOSED["party_type"]),
        )
        for pack in packs
        for rule in pack.rules
        if every and _asked(rule, "over") is not None
    )


def _weighed(rule: Rule, every: frozenset[str]) -> frozenset[str]:
    """Return the budgets on which it depends whether a rule matches: rarely only those it names.

    Where one stands for none, is turned round, or has to hold for every member, any budget that is
    exceeded makes a difference.
    """
    asked = _asked(rule, "over")
    if asked is None or asked.negated or rule.effect == "permit" or "none" in asked.values:
        return every
    return asked.values & every


def _meant(rule: Rule, attribute: str, values: Iterable[str]) -> frozenset[str]:
    """Return which of these values satisfy a rule; all of them where it does not ask."""
    condition = _asked(rule, attribute)
    return frozenset(
        value
        for value in values
        if condition is None or (value in condition.values) != condition.negated
    )


def _budget_id(budget: Budget) -> str:
    return budget.id


def _attribute(condition: Condition) -> str:
    return condition.attribute


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _table(packs: Sequence[Pack], every: Sequence[Effectiveness]) -> Table:
    pairs = [(pack, rule) for pack in packs for rule in pack.rules]
    rules = [rule for _, rule in pairs]
    boundaries, active = _times(rules, [one != "off" for one in every])
    lifts = _by_reference([rule.lifted_by for rule in rules])
    enforced = _mask([one == "enforce" for one in every])
    requires = _mask([rule.effect == "require" for rule in rules])
    liftable = sum(mask for _, mask in lifts)
    return Table(
        ids=tuple(f"{pack.id}/{rule.id}" for pack, rule in pairs),
        columns=tuple(sorted(_columns(rules), key=_standing)),
        named=frozenset(one.attribute for rule in rules for one in rule.conditions),
        boundaries=boundaries,
        active=active,
        enforced=enforced,
        denies=_mask([rule.effect == "deny" for rule in rules]),
        requires=requires,
        permits=_mask([rule.effect == "permit" for rule in rules]),
        needs=_by_reference([rule.wanted for rule in rules]),
        lifts=lifts,
        liftable=liftable,
        special=~enforced | requires | liftable,
    )


def _columns(rules: Sequence[Rule]) -> Iterator[Column]:
    for position, attribute in enumerate(ATTRIBUTES):
        if any(_asked(rule, attribute) for rule in rules):
            yield _column(position, attribute, rules)


def _standing(column: Column) -> int:
    """Return how many rules a value that none of them names leaves standing."""
    return column.default.bit_count()


def _by_reference(asked: Sequence[Wanted | None]) -> tuple[tuple[Wanted, int], ...]:
    """Return which rules ask for which reference; of a kind those that name a word first.

    Whoever names a word is chosen first, and then meets what asks for no word as well.
    """
    wanted = sorted({one for one in asked if one is not None}, key=_named_first)
    return tuple((one, _mask([other == one for other in asked])) for one in wanted)


def _named_first(wanted: Wanted) -> tuple[str, bool, str]:
    return wanted.kind, not wanted.naming, wanted.naming


def _mask(chosen: Sequence[bool]) -> int:
    """Return the number whose bit *n* is set where the n-th is chosen."""
    digits = "".join(["1" if one else "0" for one in reversed(chosen)])
    return int(digits, 2) if digits else 0


def _times(
    rules: Sequence[Rule], on: Sequence[bool]
) -> tuple[tuple[datetime, ...], tuple[int, ...]]:
    """Return the times at which anything changes, and the rules in effect between them."""
    changes: dict[datetime, int] = {}
    for number, rule in enumerate(rules):
        if not (on[number] and _ever(rule)):
            continue
        for time in (rule.effective_from, rule.effective_to):
            if time is not None:
                changes[time] = changes.get(time, 0) | 1 << number
    active = [
        _mask([one and rule.effective_from is None for one, rule in zip(on, rules, strict=True)])
    ]
    boundaries = tuple(sorted(changes))
    for time in boundaries:
        active.append(active[-1] ^ changes[time])
    return boundaries, tuple(active)


def _ever(rule: Rule) -> bool:
    """Tell whether there is a time at which the rule is in effect."""
    start, end = rule.effective_from, rule.effective_to
    return start is None or end is None or start < end


def _asked(rule: Rule, attribute: str) -> Condition | None:
    return next((one for one in rule.conditions if one.attribute == attribute), None)


def _column(position: int, attribute: str, rules: Sequence[Rule]) -> Column:
    """Make the column of one attribute, in time linear in the values that the rules name."""
    conditions = [_asked(rule, attribute) for rule in rules]
    default = _mask([condition is None or condition.negated for condition in conditions])
    turned: dict[str, int] = {}  # by value: the rules that naming it turns away from the default
    for number, condition in enumerate(conditions):
        for value in condition.values if condition is not None else ():
            turned[value] = turned.get(value, 0) | 1 << number
    regional = attribute == "destination"
    masks = {
        value: default
        ^ (named | (turned.get(value[:2], 0) if regional and value[2:3] == "-" else 0))
        for value, named in turned.items()
    }
    return Column(position=position, masks=masks, default=default, regional=regional)


EMPTY = compile_policies(())

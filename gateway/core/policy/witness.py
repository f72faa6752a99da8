"""A counterexample: facts that a request can have, judged, in words and in the form of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import msgspec

from gateway.core.decision import Decision, Outcome
from gateway.core.facts import Facts
from gateway.core.identity.model import Reference
from gateway.core.operation import OperationClass
from gateway.core.policy.attributes import ATTRIBUTES, PLACELESS
from gateway.core.policy.cases import facts_of
from gateway.core.policy.choices import UNREMARKABLE, Members
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies, Wanted

# Said of every request, however unremarkable.
_ALWAYS: Final = ("class", "destination")
_FIRST: Final = ("class", "access", "destination")
_ORDER: Final = (*_FIRST, *(attribute for attribute in ATTRIBUTES if attribute not in _FIRST))
_SHOWN: Final = 4


class DisagreementError(Exception):
    """The prover and `evaluate` differ on a request: a fault of the gateway, never of a policy."""


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and the decision on it.

    Attributes:
        given: members by attribute; `cases.facts_of` makes the facts of them.
        references: what is on file.
        facts: of the request.
        decision: what `evaluate` answers.
    """

    given: Mapping[str, tuple[str, ...]]
    references: tuple[Reference, ...]
    facts: Facts
    decision: Decision

    @property
    def at(self) -> datetime:
        """The time of the request."""
        return self.facts.at

    @property
    def words(self) -> str:
        """The request in words, without what is unremarkable."""
        said = [f"{attribute} {_listed(members)}" for attribute, members in _remarkable(self.given)]
        on_file = " and ".join(_reference_words(one) for one in self.references)
        return ", ".join(said) + (f"; on file: {on_file}" if on_file else "")

    @property
    def case(self) -> dict[str, object]:
        """The request as the `request:` of a case has it."""
        said: dict[str, object] = {
            attribute: members[0] if len(members) == 1 else list(members)
            for attribute, members in _remarkable(self.given)
        }
        if self.references:
            said["references"] = [_reference_entry(one) for one in self.references]
        return said


def witness(
    policies: Policies,
    choices: Iterable[Members],
    *,
    wanted: Iterable[Wanted],
    at: datetime,
    outcome: Outcome,
) -> Witness:
    """Make the facts of a request that was found, and have them judged.

    Args:
        policies: what to judge by.
        choices: the members of every attribute that matters.
        wanted: what has to be on file.
        at: the time of the request.
        outcome: what the search found that the decision is.

    Raises:
        DisagreementError: the decision is another.
    """
    given = {attribute: members for one in choices for attribute, members in one}
    if given.get("class") == ("unknown",):
        given = {key: value for key, value in given.items() if key not in ("operation", "access")}
    references = tuple(_granted(one, given) for one in sorted(set(wanted)))
    facts = facts_of(given, references, at)
    decision = evaluate(policies, facts)
    found = Witness(given=given, references=references, facts=facts, decision=decision)
    if decision.outcome != outcome:
        raise DisagreementError(
            f"found as {outcome}, judged {decision.outcome} ({decision.reason}): {found.words}"
        )
    return found


def trimmed(policies: Policies, found: Witness) -> Witness:
    """Leave out every member without which the decision's outcome is the same."""
    for attribute, members in found.given.items():
        for member in members:
            fewer = tuple(one for one in found.given[attribute] if one != member)
            if not fewer or _forced(found.given, attribute, member):
                continue
            given = {**found.given, attribute: fewer}
            facts = facts_of(given, found.references, found.at)
            decision = evaluate(policies, facts)
            if decision.outcome == found.decision.outcome:
                found = msgspec.structs.replace(found, given=given, facts=facts, decision=decision)
    return found


def _forced(given: Mapping[str, tuple[str, ...]], attribute: str, member: str) -> bool:
    """Tell whether other facts force a member: a tenant is a party, no contradiction a place."""
    if attribute == "party_type":
        return member in given["tenant_type"]
    return member == "unknown" and len(given.get("contradiction", ())) > 1


def _granted(wanted: Wanted, given: Mapping[str, tuple[str, ...]]) -> Reference:
    """Return a reference that is wanted; a licence as it has to be written, for what it is for."""
    named = (wanted.naming,) if wanted.naming else ()
    name = "-".join((wanted.kind, *named))
    places = given["destination"]
    if wanted.kind != "licence" or any(place in PLACELESS for place in places):
        return Reference(id=name, kind=wanted.kind, names=named)
    classes = cast("tuple[OperationClass, ...]", given["class"])
    return Reference(
        id=name, kind=wanted.kind, names=named, classes=classes, destinations=tuple(sorted(places))
    )


def _remarkable(given: Mapping[str, tuple[str, ...]]) -> list[tuple[str, tuple[str, ...]]]:
    own = given.get("tenant_type", (UNREMARKABLE["tenant_type"],))
    usual = {**{name: (value,) for name, value in UNREMARKABLE.items()}, "party_type": own}
    return [
        (attribute, given[attribute])
        for attribute in _ORDER
        if attribute in given and (attribute in _ALWAYS or given[attribute] != usual.get(attribute))
    ]


def _listed(members: Sequence[str]) -> str:
    shown = ", ".join(members[:_SHOWN])
    more = len(members) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _reference_words(reference: Reference) -> str:
    names = " and ".join(reference.names)
    return f"{reference.kind} naming {names}" if names else reference.kind


def _reference_entry(reference: Reference) -> dict[str, object]:
    fields = {
        "names": reference.names,
        "classes": reference.classes,
        "destinations": reference.destinations,
    }
    return {
        "kind": reference.kind,
        "id": reference.id,
        **{name: list(value) for name, value in fields.items() if value},
    }

"""Whether a reference on file applies to a request, and which of several is used.

The one answer that judging, explaining and proving share. A reference applies where *everything*
about the request lies in what it was granted for; what cannot be told does not lie in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final, Literal

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.identity.model import Reference, Verified
from gateway.core.operation import Taken, class_of
from gateway.core.policy.attributes import PLACELESS, destination
from gateway.core.policy.model import Wanted

# Why a reference does not apply, in the order in which it is looked at.
Shortcoming = Literal["not_yet", "expired", "class", "destination", "quota"]
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


def on_file(facts: Facts) -> tuple[Reference, ...]:
    """Return the references of the tenant; none of a caller who is not verified."""
    return facts.identity.tenant.references if isinstance(facts.identity, Verified) else ()


def applying(facts: Facts) -> tuple[Reference, ...]:
    """Return the references on file that apply to the request, in their order."""
    return tuple([reference for reference in on_file(facts) if applies(reference, facts)])


def applies(reference: Reference, facts: Facts) -> bool:
    """Tell whether a reference applies to a request.

    It is valid at the time, names the class, covers every destination (a country covers its
    regions; `unknown`, `private`, `anonymised` and `stale` are covered by no list of places), and
    its quota, if it has one, holds what the request takes. A quota of which nothing was observed
    counts as used up.
    """
    return not (
        _not_yet(reference, facts)
        or _expired(reference, facts)
        or _other_class(reference, facts)
        or _elsewhere(reference, facts)
        or _used_up(reference, facts)
    )


def shortcomings(reference: Reference, facts: Facts) -> tuple[Shortcoming, ...]:
    """Return every reason why a reference does not apply; empty where it does."""
    reasons: tuple[tuple[Shortcoming, bool], ...] = (
        ("not_yet", _not_yet(reference, facts)),
        ("expired", _expired(reference, facts)),
        ("class", _other_class(reference, facts)),
        ("destination", _elsewhere(reference, facts)),
        ("quota", _used_up(reference, facts)),
    )
    return tuple(reason for reason, holds in reasons if holds)


def choose(
    references: Iterable[Reference], wanted: Wanted, used: Collection[str]
) -> Reference | None:
    """Choose the reference under which a requirement is met, or a deny lifted.

    One that the request uses already, so that it takes from as few quotas as it can; then one
    without a quota, then the one that ends first, then by id.

    Args:
        references: those that apply.
        wanted: what is asked for.
        used: ids of those that the request uses already.

    Returns:
        The reference; None where none meets it.
    """
    meeting = [reference for reference in references if meets(reference, wanted)]
    if not meeting:
        return None
    again = [reference for reference in meeting if reference.id in used]
    return min(again or meeting, key=_preference)


def meets(reference: Reference, wanted: Wanted) -> bool:
    """Tell whether a reference is of the kind that is asked for and names what it has to name."""
    return reference.kind == wanted.kind and (not wanted.naming or wanted.naming in reference.names)


def taken(facts: Facts, decision: Decision) -> tuple[Taken, ...]:
    """Return what a decision takes from quotas: nothing unless it permits."""
    if decision.outcome != "permit" or not facts.observed.quotas:
        return ()
    return tuple(one for one in facts.observed.quotas if one.reference in decision.discharged)


def _not_yet(reference: Reference, facts: Facts) -> bool:
    return reference.valid_from is not None and facts.at < reference.valid_from


def _expired(reference: Reference, facts: Facts) -> bool:
    return reference.valid_to is not None and facts.at >= reference.valid_to


def _other_class(reference: Reference, facts: Facts) -> bool:
    return bool(reference.classes) and class_of(facts.operation) not in reference.classes


def _elsewhere(reference: Reference, facts: Facts) -> bool:
    places = reference.destinations
    return bool(places) and not all(_covered(code, places) for code in destination(facts.geography))


def _covered(code: str, places: tuple[str, ...]) -> bool:
    if code in PLACELESS:
        return False
    return code in places or (code[2:3] == "-" and code[:2] in places)


def _used_up(reference: Reference, facts: Facts) -> bool:
    if reference.quota is None:
        return False
    observed = [one for one in facts.observed.quotas if one.reference == reference.id]
    return not observed or any(
        one.used + one.amount > min(one.limit, reference.quota.limit) for one in observed
    )


def _preference(reference: Reference) -> tuple[bool, datetime, str]:
    return reference.quota is not None, reference.valid_to or _FOREVER, reference.id

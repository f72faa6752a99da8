"""Random policies, and random facts drawn from the same few values, so that they meet."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Geography, Located, Unlocated
from gateway.core.identity.model import (
    Identity,
    Party,
    Quota,
    Reference,
    ReferenceKind,
    Tenant,
    TenantType,
    Unverified,
    Verified,
)
from gateway.core.operation import (
    Access,
    Ambiguous,
    Classified,
    Observed,
    Operation,
    OperationClass,
    Taken,
    Unknown,
)
from gateway.core.policy.model import (
    UNSWITCHED,
    Budget,
    Condition,
    Effect,
    Force,
    Mode,
    Operator,
    Pack,
    Rule,
    Switch,
    Wanted,
)
from gateway.core.screening import Clear, Hit, NotScreened, Screening
from tests.core.policy.builders import NOON, pack

CLASSES: Final[tuple[OperationClass, ...]] = (
    "one_to_many",
    "gallery",
    "image_db",
    "one_to_one",
    "detect",
    "unknown",
)
ACCESSES: Final[tuple[Access, ...]] = ("none", "write", "delete")
TYPES: Final[tuple[TenantType, ...]] = ("private", "government", "military")
KINDS: Final[tuple[ReferenceKind, ...]] = ("licence", "consent", "authorisation")
WORDS: Final = ("embargo", "sdn")
BUDGETS: Final = ("a-day", "an-hour")
EFFECTS: Final[tuple[Effect, ...]] = ("deny", "permit", "require")
PLACES: Final = ("GB", "CN", "CN-XJ", "UA", "UA-43", "US-OR", "unknown", "private", "stale")
USES: Final = ("fraud_prevention", "missing_persons", "mass_surveillance")
ONE: Final = "sha256:" + "1" * 64
OTHER: Final = "sha256:" + "2" * 64
PROBES: Final = (None, (), (ONE,), (ONE, OTHER), (OTHER, "unknown"))
NAMES: Final = {
    "provider": ("aws_rekognition", "azure_face"),
    "operation": ("SearchFaces", "unknown"),
    "class": CLASSES,
    "access": ACCESSES,
    "tenant": ("acct-1", "acct-2"),
    "tenant_type": TYPES,
    "party_type": TYPES,
    "tier": ("none", "gold"),
    "tag": ("none", "kyc", "vip"),
    "end_use": USES,
    "destination": (*PLACES, "US", "FR"),
    "listed": ("none", "not_screened", "sdn", "entity_list"),
    "identity": ("jwt", "api_key", "sigv4"),
    "contradiction": ("yes", "no"),
    "over": (*BUDGETS, "none"),
    "probe": ("none", "unknown", ONE, OTHER),
}

times = st.integers(-2, 2).map(lambda days: NOON + timedelta(days=days))
lifts = st.builds(Wanted, kind=st.sampled_from(KINDS), naming=st.sampled_from(WORDS))
some_places = st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True).map(
    lambda places: tuple(sorted(places))
)


def conditions() -> st.SearchStrategy[Condition]:
    return st.sampled_from(sorted(NAMES)).flatmap(
        lambda attribute: st.builds(
            Condition,
            attribute=st.just(attribute),
            values=st.frozensets(st.sampled_from(NAMES[attribute]), min_size=1),
            negated=st.booleans(),
        )
    )


@st.composite
def rules(draw: st.DrawFn, *, id: str = "rule", effect: Effect | None = None) -> Rule:  # noqa: A002 - the language's own word
    chosen = draw(st.sampled_from(EFFECTS if effect is None else (effect,)))
    wanted = draw(st.lists(conditions(), max_size=2, unique_by=lambda one: one.attribute))
    mode: Mode = draw(st.sampled_from(("enforce", "enforce", "shadow")))
    return Rule(
        id=id,
        effect=chosen,
        needs=draw(st.sampled_from(KINDS)) if chosen == "require" else None,
        naming=draw(st.sampled_from(("", "", *WORDS))) if chosen == "require" else "",
        lifted_by=draw(st.none() | lifts) if chosen == "deny" else None,
        mode=mode,
        conditions=tuple(wanted),
        effective_from=draw(st.none() | st.none() | times),
        effective_to=draw(st.none() | st.none() | times),
    )


@st.composite
def packs(draw: st.DrawFn) -> list[Pack]:
    forces: tuple[Force, ...] = ("binding", "voluntary", "pending")
    return [
        pack(
            *[draw(rules(id=f"r{number}")) for number in range(draw(st.integers(0, 4)))],
            id=name,
            force=draw(st.sampled_from(forces)),
        )
        for name in draw(st.sampled_from((("a",), ("b", "a"), ("c",), ())))
    ]


SWITCHED = ("a", "b", "c", "a/r0", "a/r1", "b/r0", "b/r1", "c/r0")


def operators() -> st.SearchStrategy[Operator]:
    """Return switches over what `packs` makes, and over what is not there."""
    switches = st.lists(
        st.builds(
            Switch,
            what=st.sampled_from(SWITCHED),
            who=st.just("Ada"),
            date=st.just(NOON.date()),
            reason=st.just("because"),
        ),
        max_size=3,
    ).map(tuple)
    return st.just(UNSWITCHED) | st.builds(Operator, activated=switches, switched_off=switches)


def budgets() -> st.SearchStrategy[list[Budget]]:
    budget = st.builds(
        Budget,
        id=st.sampled_from(BUDGETS),
        counts=st.sampled_from(("calls", "faces")),
        classes=subsets(*CLASSES).filter(bool),
        per=st.sampled_from(("hour", "day", "month")),
        limit=st.integers(0, 5),
    )
    return st.lists(budget, max_size=2, unique_by=lambda one: one.id)


def operations() -> st.SearchStrategy[Classified]:
    providers = st.sampled_from(NAMES["provider"])
    return st.one_of(
        st.builds(
            Operation,
            provider=providers,
            name=st.just("SearchFaces"),
            operation_class=st.sampled_from(CLASSES),
            access=st.sampled_from(ACCESSES),
        ),
        st.builds(Unknown, provider=providers, reason=st.just("not in the catalogue")),
    )


_ambiguous: st.SearchStrategy[Classified] = st.builds(
    Ambiguous,
    provider=st.just("azure_face"),
    operation_class=st.sampled_from(CLASSES),
    reason=st.just("two readings"),
)
_unverified: st.SearchStrategy[Identity] = st.builds(
    Unverified, reason=st.sampled_from(("identity.missing", "identity.expired"))
)


def parties() -> st.SearchStrategy[tuple[Party, ...]]:
    party = st.builds(
        Party,
        name=st.just("party"),
        role=st.just("end_user"),
        type=st.sampled_from(TYPES),
        countries=st.just(("GB",)),
    )
    return st.lists(party, min_size=1, max_size=2).map(tuple)


def subsets(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Return some of the words, sorted; none half of the time."""
    some = st.frozensets(st.sampled_from(words), min_size=1)
    return st.just(()) | some.map(lambda chosen: tuple(sorted(chosen)))


def references() -> st.SearchStrategy[Reference]:
    return st.builds(
        Reference,
        id=st.sampled_from(("REF-1", "REF-2", "REF-3")),
        kind=st.sampled_from(KINDS),
        names=subsets(*WORDS),
        classes=subsets(*CLASSES),
        destinations=subsets("CN", "GB", "UA", "UA-43", "US"),
        valid_from=st.none() | times,
        valid_to=st.none() | times,
        quota=st.none() | st.builds(Quota, limit=st.integers(0, 3), counts=st.just("calls")),
    )


def callers() -> st.SearchStrategy[Identity]:
    tenant = st.builds(
        Tenant,
        id=st.sampled_from(NAMES["tenant"]),
        legal_name=st.just("Harbour Bank plc"),
        type=st.sampled_from(TYPES),
        tier=st.sampled_from(NAMES["tier"]),
        tags=st.sampled_from(((), ("kyc",), ("kyc", "vip"))),
        countries=st.just(("GB",)),
        deployments=st.just(("GB",)),
        end_uses=st.lists(st.sampled_from(USES), min_size=1, max_size=2).map(tuple),
        parties=parties(),
        references=st.lists(references(), max_size=3, unique_by=lambda one: one.id).map(tuple),
    )
    return st.builds(
        Verified,
        method=st.sampled_from(("jwt", "api_key", "sigv4")),
        credential=st.just("key-1"),
        tenant=tenant,
    )


def geographies() -> st.SearchStrategy[Geography]:
    evidence = st.builds(
        Evidence, kind=st.just("account"), code=st.sampled_from(PLACES), source=st.just("tenant")
    )
    return st.one_of(
        st.builds(
            Located,
            client=st.just("192.0.2.7"),
            destination=some_places,
            evidence=st.just(()),
            contradiction=st.booleans(),
        ),
        st.builds(
            Unlocated,
            client=st.just(""),
            reason=st.just("no network database"),
            evidence=st.lists(evidence, max_size=2).map(tuple),
        ),
    )


screenings: st.SearchStrategy[Screening] = st.one_of(
    st.just(Clear()),
    st.just(NotScreened(reason="no verdict")),
    st.sampled_from((("sdn",), ("entity_list", "sdn"))).map(
        lambda lists: Hit(lists=lists, parties=("party",))
    ),
)


def observations() -> st.SearchStrategy[Observed]:
    quota = st.builds(
        Taken,
        reference=st.sampled_from(("REF-1", "REF-2", "REF-3")),
        used=st.integers(0, 3),
        limit=st.integers(0, 3),
        amount=st.integers(1, 2),
    )
    return st.builds(
        Observed,
        probes=st.sampled_from(PROBES),
        quotas=st.lists(quota, max_size=3, unique_by=lambda one: one.reference).map(tuple),
        over=subsets(*BUDGETS),
    )


def any_facts(
    asked: st.SearchStrategy[Classified], identities: st.SearchStrategy[Identity]
) -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        operation=asked,
        identity=identities,
        geography=geographies(),
        screening=screenings,
        observed=observations(),
        at=times,
    )


# What only rules decide, and what is decided before any rule.
judged = any_facts(operations(), callers())
ambiguous = any_facts(_ambiguous, callers())
unverified = any_facts(operations(), _unverified)
# Rarely, what is built in decides; mostly it is the rules.
requests = st.integers(0, 9).flatmap(lambda die: {8: ambiguous, 9: unverified}.get(die, judged))

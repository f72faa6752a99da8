"""To which requests a reference applies, and what it lifts: only what it was granted for."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, strategies as st

from gateway.core.facts import Facts
from gateway.core.geography.model import Geography, Unlocated
from gateway.core.identity.model import Quota, Reference, ReferenceKind, Verified
from gateway.core.operation import OperationClass, Taken
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Pack, Policies, Wanted
from gateway.core.policy.references import applies, shortcomings, taken
from tests.core.policy.builders import (
    NOON,
    caller,
    facts,
    located,
    operation,
    pack,
    policies,
    rule,
    where,
)
from tests.core.policy.strategies import judged, packs

MOMENT = timedelta(microseconds=1)
EMBARGO = Wanted(kind="licence", naming="embargo")


def licence(
    *,
    id: str = "LIC-1",  # noqa: A002 - the language's own word
    kind: ReferenceKind = "licence",
    names: tuple[str, ...] = (),
    classes: tuple[OperationClass, ...] = ("one_to_many",),
    destinations: tuple[str, ...] = ("GB",),
    days: int | None = 1,
    limit: int | None = None,
) -> Reference:
    """Return a licence for 1:many search in Great Britain that ends tomorrow."""
    return Reference(
        id=id,
        kind=kind,
        names=names,
        classes=classes,
        destinations=destinations,
        valid_to=None if days is None else NOON + timedelta(days=days),
        quota=None if limit is None else Quota(limit=limit, counts="calls"),
    )


def asking(
    *references: Reference,
    asked: OperationClass = "one_to_many",
    geography: Geography | None = None,
    quotas: tuple[Taken, ...] = (),
) -> Facts:
    return facts(
        asked=operation(asked),
        identity=caller(references=references),
        geography=geography or located("GB"),
        quotas=quotas,
    )


def used(count: int, *, reference: str = "LIC-1", limit: int = 10, amount: int = 1) -> Taken:
    return Taken(reference=reference, used=count, limit=limit, amount=amount)


def licensed() -> Policies:
    return policies(rule("require", id="q", needs="licence"), rule("permit", id="p"))


def embargoed(*, lifted_by: Wanted | None = EMBARGO) -> Policies:
    return policies(
        rule("deny", where("destination", "IR"), id="embargo", lifted_by=lifted_by),
        rule("permit", id="p"),
    )


@pytest.mark.parametrize("asked", ["results", "stream_search", "unknown", "one_to_one"])
def test_a_licence_for_one_class_is_of_no_use_for_another(asked: OperationClass) -> None:
    request = asking(licence(), asked=asked)
    assert shortcomings(licence(), request) == ("class",)
    assert evaluate(licensed(), request).reason == "policy.unmet"
    assert evaluate(licensed(), asking(licence())).outcome == "permit"


@pytest.mark.parametrize(
    "places",
    [
        ("GB", "RU"),
        ("GB", "unknown"),
        ("GB", "private"),
        ("GB", "anonymised"),
        ("GB", "stale"),
        ("unknown",),
        ("RU",),
    ],
)
def test_one_place_that_a_licence_does_not_name_is_enough_against_it(
    places: tuple[str, ...],
) -> None:
    request = asking(licence(), geography=located(*places))
    assert shortcomings(licence(), request) == ("destination",)
    assert evaluate(licensed(), request).reason == "policy.unmet"


def test_what_is_no_place_is_covered_by_no_list_of_places_whatever_the_list_says() -> None:
    for word in ("unknown", "private", "anonymised", "stale"):
        reference = licence(destinations=("GB", word))
        assert not applies(reference, asking(reference, geography=located(word)))


def test_without_a_network_database_a_licence_for_places_does_not_apply() -> None:
    nowhere = Unlocated(client="", reason="no database")
    assert not applies(licence(), asking(licence(), geography=nowhere))
    anywhere = licence(kind="consent", destinations=())
    assert applies(anywhere, asking(anywhere, geography=nowhere))


@pytest.mark.parametrize(
    ("granted", "place", "covered"),
    [
        ("UA", "UA", True),
        ("UA", "UA-43", True),
        ("UA-43", "UA-43", True),
        ("UA-43", "UA", False),
        ("UA-43", "UA-14", False),
    ],
)
def test_a_licence_for_a_country_covers_its_regions_and_never_the_other_way(
    granted: str, place: str, *, covered: bool
) -> None:
    reference = licence(destinations=(granted,))
    assert applies(reference, asking(reference, geography=located(place))) is covered


def test_a_licence_ends_in_the_microsecond_in_which_it_ends() -> None:
    for end, valid in ((NOON, False), (NOON + MOMENT, True)):
        reference = Reference(id="L", kind="licence", valid_to=end)
        assert applies(reference, asking(reference)) is valid
    for start, valid in ((NOON, True), (NOON + MOMENT, False)):
        reference = Reference(id="L", kind="licence", valid_from=start)
        assert applies(reference, asking(reference)) is valid


def test_every_reason_against_a_reference_is_told() -> None:
    reference = licence(days=-1, limit=3)
    request = asking(reference, asked="embed", geography=located("FR"), quotas=(used(3, limit=3),))
    assert shortcomings(reference, request) == ("expired", "class", "destination", "quota")
    assert shortcomings(licence(), asking(licence())) == ()


@given(request=judged, reference=st.builds(licence, days=st.sampled_from((None, 1, -1))))
def test_a_reference_applies_where_nothing_speaks_against_it(
    request: Facts, reference: Reference
) -> None:
    assert applies(reference, request) is (shortcomings(reference, request) == ())


def test_a_quota_applies_until_it_is_used_up_and_not_once_more() -> None:
    reference = licence(limit=10)
    for count, left in ((0, True), (9, True), (10, False), (11, False)):
        request = asking(reference, quotas=(used(count),))
        assert (evaluate(licensed(), request).outcome == "permit") is left
    assert not applies(reference, asking(reference, quotas=(used(8, amount=3),)))
    assert applies(reference, asking(reference, quotas=(used(7, amount=3),)))


def test_a_quota_of_which_nothing_was_observed_counts_as_used_up() -> None:
    reference = licence(limit=10)
    assert shortcomings(reference, asking(reference)) == ("quota",)
    other = used(0, reference="LIC-2")
    assert shortcomings(reference, asking(reference, quotas=(other,))) == ("quota",)


def test_of_two_counts_of_one_quota_the_higher_one_speaks() -> None:
    reference = licence(limit=10)
    assert not applies(reference, asking(reference, quotas=(used(3), used(10))))
    assert applies(reference, asking(reference, quotas=(used(3), used(4))))


def test_a_quota_holds_even_where_a_larger_limit_was_observed() -> None:
    reference = licence(limit=10)
    assert not applies(reference, asking(reference, quotas=(used(10, limit=1000),)))


def test_a_request_takes_from_one_quota_and_only_where_it_is_permitted() -> None:
    first, second = licence(id="LIC-1", limit=10), licence(id="LIC-2", limit=10)
    quotas = (used(2), used(5, reference="LIC-2"))
    request = asking(first, second, quotas=quotas)
    decision = evaluate(licensed(), request)
    assert decision.discharged == ("LIC-1",)
    assert taken(request, decision) == (quotas[0],)
    refusing = policies(rule("require", id="q", needs="licence"))
    refused = evaluate(refusing, request)
    assert (refused.outcome, refused.discharged) == ("refuse", ("LIC-1",))
    assert taken(request, refused) == ()


def test_a_reference_without_a_quota_is_used_first_and_then_the_one_that_ends_first() -> None:
    free, late, soon = licence(id="C", days=None), licence(id="A", days=9), licence(id="B", days=2)
    assert evaluate(licensed(), asking(late, soon, free)).discharged == ("B",)
    counted = licence(id="0", limit=10)
    quotas = (used(0, reference="0"),)
    decision = evaluate(licensed(), asking(counted, free, quotas=quotas))
    assert decision.discharged == ("C",)


def test_a_licence_lifts_an_embargo_only_where_it_names_it() -> None:
    there = located("IR")
    for names, outcome in ((("embargo",), "permit"), ((), "refuse"), (("sdn",), "refuse")):
        reference = licence(destinations=("IR",), names=names)
        decision = evaluate(embargoed(), asking(reference, geography=there))
        assert decision.outcome == outcome
    decision = evaluate(
        embargoed(), asking(licence(destinations=("IR",), names=("embargo",)), geography=there)
    )
    assert decision.lifted == ("pack/embargo",)
    assert decision.discharged == ("LIC-1",)
    assert decision.rules == ("pack/p",)
    assert decision.matched == ("pack/embargo", "pack/p")


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(licence(names=("embargo",)), id="for another place"),
        pytest.param(licence(names=("embargo",), destinations=("IR",), days=-1), id="expired"),
        pytest.param(
            licence(names=("embargo",), destinations=("IR",), classes=("results",)),
            id="for another class",
        ),
        pytest.param(licence(names=("embargo",), destinations=("IR",), limit=5), id="used up"),
        pytest.param(
            licence(kind="consent", names=("embargo",), destinations=("IR",)), id="of another kind"
        ),
    ],
)
def test_a_reference_that_does_not_apply_lifts_nothing(reference: Reference) -> None:
    request = asking(reference, geography=located("IR"), quotas=(used(5, limit=5),))
    decision = evaluate(embargoed(), request)
    assert (decision.outcome, decision.rules) == ("refuse", ("pack/embargo",))
    assert (decision.lifted, decision.discharged) == ((), ())


def test_a_deny_that_names_no_reference_is_lifted_by_none() -> None:
    reference = licence(destinations=("IR",), names=("embargo", "sdn"))
    decision = evaluate(embargoed(lifted_by=None), asking(reference, geography=located("IR")))
    assert (decision.outcome, decision.lifted) == ("refuse", ())


def test_one_deny_is_lifted_and_another_still_decides() -> None:
    policy = policies(
        rule("deny", where("destination", "IR"), id="embargo", lifted_by=EMBARGO),
        rule("deny", where("end_use", "fraud_prevention"), id="use"),
        rule("permit", id="p"),
    )
    reference = licence(destinations=("IR",), names=("embargo",))
    decision = evaluate(policy, asking(reference, geography=located("IR")))
    assert (decision.outcome, decision.reason) == ("refuse", "policy.denied")
    assert (decision.rules, decision.lifted) == (("pack/use",), ("pack/embargo",))
    assert decision.obligations == ()


def test_lifting_a_deny_permits_nothing_by_itself() -> None:
    policy = policies(rule("deny", where("destination", "IR"), id="embargo", lifted_by=EMBARGO))
    reference = licence(destinations=("IR",), names=("embargo",))
    decision = evaluate(policy, asking(reference, geography=located("IR")))
    assert (decision.outcome, decision.reason) == ("refuse", "policy.default")
    assert decision.lifted == ("pack/embargo",)


def test_a_requirement_may_ask_for_a_reference_that_names_a_word() -> None:
    policy = policies(
        rule("require", id="any", needs="licence"),
        rule("require", id="named", needs="licence", naming="dual_use"),
        rule("permit", id="p"),
    )
    plain = evaluate(policy, asking(licence()))
    assert (plain.rules, plain.obligations) == (("pack/named",), ("licence",))
    naming = licence(id="LIC-9", names=("dual_use",), days=99)
    decision = evaluate(policy, asking(licence(), naming))
    # The one that names the word meets both, so no second one is used.
    assert (decision.outcome, decision.discharged) == ("permit", ("LIC-9",))


def test_a_shadow_deny_that_is_lifted_would_not_refuse() -> None:
    policy = policies(
        rule("deny", where("destination", "IR"), id="d", lifted_by=EMBARGO, mode="shadow"),
        rule("permit", id="p"),
    )
    for names, outcome in ((("embargo",), "permit"), ((), "refuse")):
        reference = licence(destinations=("IR",), names=names)
        decision = evaluate(policy, asking(reference, geography=located("IR")))
        assert (decision.outcome, decision.shadow_outcome) == ("permit", outcome)
        assert decision.lifted == ()


def test_what_lifts_a_deny_is_part_of_what_a_policy_means() -> None:
    by_licence, by_nothing = embargoed(), embargoed(lifted_by=None)
    by_review = embargoed(lifted_by=Wanted(kind="review", naming="embargo"))
    by_word = embargoed(lifted_by=Wanted(kind="licence", naming="sdn"))
    digests = {one.digest for one in (by_licence, by_nothing, by_review, by_word)}
    assert len(digests) == 4
    named = policies(rule("require", needs="licence", naming="dual_use"))
    assert named.digest != policies(rule("require", needs="licence")).digest


@given(written=packs(), request=judged)
def test_taking_away_what_lifts_denies_never_permits(written: list[Pack], request: Facts) -> None:
    strict = [
        pack(
            *[msgspec.structs.replace(one, lifted_by=None) for one in each.rules],
            id=each.id,
            force=each.force,
        )
        for each in written
    ]
    before = evaluate(compile_policies(written), request)
    after = evaluate(compile_policies(strict), request)
    assert before.outcome == "permit" or after.outcome == "refuse"


@given(written=packs(), request=judged)
def test_taking_away_every_reference_never_permits(written: list[Pack], request: Facts) -> None:
    policy = compile_policies(written)
    assert isinstance(request.identity, Verified)
    bare = msgspec.structs.replace(request.identity.tenant, references=())
    identity = msgspec.structs.replace(request.identity, tenant=bare)
    with_none = msgspec.structs.replace(request, identity=identity)
    before = evaluate(policy, request)
    after = evaluate(policy, with_none)
    assert before.outcome == "permit" or after.outcome == "refuse"

"""The nearest permit: each answer is one, and nothing smaller is. Held to brute force."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

from hypothesis import given, settings

from gateway.core.facts import Facts
from gateway.core.geography.model import Unlocated
from gateway.core.identity.model import Reference
from gateway.core.policy.attributes import ATTRIBUTES, attributes
from gateway.core.policy.changes import CHANGEABLE, Plan, apply, possible
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Pack, Policies, Wanted
from gateway.core.policy.nearest import Change, Nearest, nearest_permit, nearest_plans
from gateway.core.screening import Hit
from tests.core.policy import strategies as some
from tests.core.policy.builders import NOON, caller, facts, located, pack, policies, rule, where

PERMIT = rule("permit", where("end_use", "fraud_prevention"), id="fraud")


def named_in(nearest: Nearest | None) -> list[list[str]]:
    assert nearest is not None
    return [[change.what for change in answer] for answer in nearest.answers]


def answer(nearest: Nearest, *what: str) -> tuple[Change, ...]:
    (found,) = (one for one in nearest.answers if tuple(change.what for change in one) == what)
    return found


# --- held to brute force --------------------------------------------------------------------------


def steps(policy: Policies, judged: Facts) -> list[Plan]:
    """Return every single change that can be thought of, sets with one member only."""
    values = [
        Plan().with_members(attribute, (value,))
        for attribute in CHANGEABLE
        if possible(judged, attribute)
        for value in some.NAMES[attribute]
        if value != "unknown" or attribute in {"class", "destination"}
    ]
    own = attributes(judged)["tenant_type"]
    values = [
        one for one in values if one.members[0][0] != "party_type" or set(one.members[0][1]) == own
    ]
    wanted = {
        one
        for found in policy.packs
        for each in found.rules
        for one in (each.wanted, each.lifted_by)
        if one is not None
    }
    references = [Plan().with_reference(one) for one in sorted(wanted)]
    times = [Plan(at=one) for one in policy.table.boundaries if one > judged.at]
    return [*values, *references, *times]


def both(one: Plan, other: Plan) -> Plan | None:
    """Return two changes at once; None where they change the same thing."""
    if (one.at and other.at) or any(other.changes(name) for name, _ in one.members):
        return None
    if set(one.references) & set(other.references):
        return None
    plan = Plan(
        members=one.members,
        references=tuple(sorted({*one.references, *other.references})),
        at=one.at or other.at,
    )
    for name, members in other.members:
        plan = plan.with_members(name, members)
    return plan


def smallest(policy: Policies, judged: Facts) -> int | None:
    """Return the size of the smallest set of one or two changes that permits."""

    def permits(plan: Plan) -> bool:
        return evaluate(policy, apply(judged, plan)).outcome == "permit"

    singles = steps(policy, judged)
    if any(map(permits, singles)):
        return 1
    pairs = (both(one, other) for one, other in combinations(singles, 2))
    return 2 if any(permits(plan) for plan in pairs if plan is not None) else None


@settings(max_examples=25)
@given(some.packs(), some.judged)
def test_no_smaller_set_of_changes_permits(packs: list[Pack], judged: Facts) -> None:
    policy = compile_policies(packs)
    if evaluate(policy, judged).outcome == "permit":
        return
    result, plans = nearest_plans(policy, judged)
    expected = smallest(policy, judged)
    if expected is None:
        assert all(plan.size > 2 for plan in plans)
    else:
        assert result == "found"
        assert {plan.size for plan in plans} == {expected}


@given(some.packs(), some.judged)
def test_every_answer_permits(packs: list[Pack], judged: Facts) -> None:
    policy = compile_policies(packs)
    if evaluate(policy, judged).outcome == "permit":
        return
    for plan in nearest_plans(policy, judged)[1]:
        assert evaluate(policy, apply(judged, plan)).outcome == "permit"


@given(some.packs(), some.judged)
def test_an_answer_changes_what_it_says_and_nothing_else(packs: list[Pack], judged: Facts) -> None:
    policy = compile_policies(packs)
    before = attributes(judged)
    for plan in nearest_plans(policy, judged)[1]:
        after = attributes(apply(judged, plan))
        for attribute, members in plan.members:
            if attribute != "party_type":
                assert after[attribute] == set(members)
        moved = {name for name in ATTRIBUTES if after[name] != before[name]}
        changed = {name for name, _ in plan.members}
        implied = {
            "tenant_type": {"party_type"},
            "destination": {"contradiction"},
            "class": {"operation", "access"},
        }
        allowed = changed.union(*(implied.get(name, set()) for name in changed))
        assert moved <= allowed


def test_everything_that_a_rule_may_name_can_be_thought_otherwise() -> None:
    assert set(CHANGEABLE) == set(ATTRIBUTES)


# --- in words -------------------------------------------------------------------------------------


def test_the_place_that_is_denied_is_left_out_and_the_others_stay() -> None:
    deny = rule("deny", where("destination", "CN", "RU"), id="embargo")
    judged = facts(geography=located("CN", "FR", "GB"))
    nearest = nearest_permit(policies(deny, PERMIT), judged)
    (change,) = answer(nearest, "destination")
    assert (change.before, change.after) == (("CN", "FR", "GB"), ("FR", "GB"))


def test_what_is_refused_beyond_a_budget_is_permitted_within_it() -> None:
    deny = rule("deny", where("over", "a-day"), id="enough")
    nearest = nearest_permit(policies(deny, PERMIT), facts(over=["a-day"]))
    (change,) = answer(nearest, "over")
    assert (change.before, change.after) == (("a-day",), ("none",))


def test_what_is_required_is_one_more_reference_on_file() -> None:
    require = rule("require", id="consent", needs="consent")
    nearest = nearest_permit(policies(require, PERMIT), facts())
    (change,) = answer(nearest, "reference")
    assert change.after == ("consent",)


def test_a_deny_that_a_licence_lifts_asks_for_one_that_names_the_word() -> None:
    deny = rule("deny", id="embargo", lifted_by=Wanted(kind="licence", naming="embargo"))
    nearest = nearest_permit(policies(deny, PERMIT), facts())
    assert named_in(nearest) == [["reference"]]
    assert nearest.answers[0][0].after == ("licence", "embargo")


def test_two_obstacles_are_two_changes() -> None:
    listed = rule("deny", where("listed", "sdn"), id="listed")
    place = rule("deny", where("destination", "CN"), id="place")
    judged = facts(geography=located("CN"), screening=Hit(lists=("sdn",), parties=("x",)))
    nearest = nearest_permit(policies(listed, place, PERMIT), judged)
    assert named_in(nearest) == [["destination", "listed"]]
    assert nearest.answers[0][1].after == ("none",)


def test_a_deny_that_nothing_lifts_is_said_to_be_so() -> None:
    nearest = nearest_permit(policies(rule("deny", id="closed"), PERMIT), facts())
    assert (nearest.result, nearest.answers) == ("nothing", ())


def test_a_deny_that_ends_is_a_matter_of_time() -> None:
    end = NOON + timedelta(days=30)
    nearest = nearest_permit(policies(rule("deny", id="pause", end=end), PERMIT), facts())
    (change,) = answer(nearest, "at")
    assert change.after == (end.isoformat(),)


def test_what_no_rule_permits_can_be_declared_or_asked_otherwise() -> None:
    judged = facts(identity=caller(end_uses=("attendance",)))
    nearest = nearest_permit(policies(PERMIT), judged)
    assert named_in(nearest) == [["end_use"], ["class"]]
    assert nearest.answers[0][0].after == ("fraud_prevention",)


def test_other_values_that_do_as_well_are_named() -> None:
    permit = rule("permit", where("end_use", "a", "b", "c"), id="uses")
    nearest = nearest_permit(policies(permit), facts())
    (change,) = answer(nearest, "end_use")
    assert (change.after, change.alike) == (("a",), ("b", "c"))


def test_a_licence_for_another_place_is_used_where_the_request_moves_there() -> None:
    require = rule("require", id="licence", needs="licence")
    licence = Reference(id="LIC-1", kind="licence", destinations=("GB",))
    judged = facts(geography=located("FR", "GB"), identity=caller(references=(licence,)))
    nearest = nearest_permit(policies(require, PERMIT), judged)
    (change,) = answer(nearest, "destination")
    assert change.after == ("GB",)
    answer(nearest, "reference")


def test_a_licence_that_begins_later_is_a_matter_of_time() -> None:
    require = rule("require", id="licence", needs="licence")
    licence = Reference(id="LIC-1", kind="licence", valid_from=NOON + timedelta(days=3))
    judged = facts(identity=caller(references=(licence,)))
    (change,) = answer(nearest_permit(policies(require, PERMIT), judged), "at")
    assert change.after == ((NOON + timedelta(days=3)).isoformat(),)


def test_the_caller_s_own_kind_goes_with_the_kinds_of_its_parties() -> None:
    deny = rule("deny", where("party_type", "military"), id="military")
    judged = facts(identity=caller(tenant_type="private", parties=("military",)))
    (change,) = answer(nearest_permit(policies(deny, PERMIT), judged), "party_type")
    assert change.after == ("private",)
    own = facts(identity=caller(tenant_type="military"))
    answer(nearest_permit(policies(deny, PERMIT), own), "tenant_type")


def test_whoever_is_nowhere_has_to_be_somewhere() -> None:
    deny = rule("deny", where("destination", "unknown"), id="unknown")
    judged = facts(geography=Unlocated(client="", reason="no network database"))
    (change,) = answer(nearest_permit(policies(deny, PERMIT), judged), "destination")
    assert "unknown" not in change.after


def test_a_search_that_is_cut_short_says_so() -> None:
    many = [
        rule("deny", where("destination", "CN"), where("tag", f"t{number}"), id=f"r{number}")
        for number in range(9)
    ]
    judged = facts(
        geography=located("CN"), identity=caller(tags=[f"t{number}" for number in range(9)])
    )
    policy = policies(*many, PERMIT)
    assert nearest_permit(policy, judged).result == "found"
    assert nearest_permit(policy, judged, most_tried=1).result == "unknown"


def test_packs_in_shadow_are_no_obstacle() -> None:
    pending = pack(rule("deny", id="closed"), id="later", force="pending")
    judged = facts(identity=caller(end_uses=("attendance",)))
    nearest = nearest_permit(compile_policies([pending, pack(PERMIT)]), judged)
    assert nearest.result == "found"

from __future__ import annotations

import pickle

from hypothesis import given, strategies as st

from gateway.core.identity.model import Party, Reference, Tenant
from gateway.sources.slices import Joiner, split
from tests.core.policy import builders

SMALL = 80 << 10  # bytes; a slice is meant to have 32 KB, and ends with a whole item


def join(slices: list[bytes]) -> object:
    joiner = Joiner()
    for content in slices:
        joiner.add(content)
    return joiner.value


plain = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
large = plain.map(lambda one: (one,) * 70) | plain.map(lambda one: dict.fromkeys(range(70), one))
values = st.recursive(
    plain | large,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.frozensets(st.text())
    ),
    max_leaves=8,
)


@given(value=values)
def test_a_value_that_was_split_is_joined_again(value: object) -> None:
    assert join(split(value)) == value


def tenant(number: int) -> Tenant:
    return Tenant(
        id=f"acct-{number}",
        legal_name=f"Harbour Works {number}",
        type="private",
        tier="none",
        tags=("kyc",),
        countries=("GB",),
        deployments=("GB", "IE"),
        end_uses=("fraud_prevention",),
        parties=(Party(name=f"party {number}", role="caller", type="private", countries=("GB",)),),
        references=(Reference(id="REF-1", kind="consent"),),
    )


def test_no_slice_is_large_however_much_there_is() -> None:
    value = ({f"acct-{number}": tenant(number) for number in range(5_000)}, "rest")
    slices = split(value)
    assert join(slices) == value
    assert len(pickle.dumps(value)) > 10 * SMALL
    assert max(len(content) for content in slices) < SMALL


def test_what_stands_in_two_places_is_sent_once_and_is_one_object_again() -> None:
    tenants = {f"acct-{number}": tenant(number) for number in range(200)}
    value = (tenants, {("issuer", name): one for name, one in tenants.items()}, tenants)
    joined = join(split(value))
    assert joined == value
    assert isinstance(joined, tuple)
    by_id, by_subject, again = joined
    assert by_subject["issuer", "acct-7"] is by_id["acct-7"]
    assert again is by_id
    assert sum(map(len, split(value))) < 1.5 * sum(map(len, split(tenants)))


def test_a_large_container_in_an_item_of_another_is_taken_apart_too() -> None:
    rules = tuple(builders.rule("deny", id=f"rule-{number}") for number in range(300))
    value = tuple(builders.pack(*rules, id=f"pack-{number}") for number in range(100))
    slices = split(value)
    assert join(slices) == value
    assert max(len(content) for content in slices) < SMALL

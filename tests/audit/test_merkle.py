from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from gateway.audit.merkle import Frontier, leaf_hash

# Leaves and roots of the reference implementation of RFC 6962 (merkle_tree_test.cc).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


def frontier_of(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf_hash(leaf))
    return frontier


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_root_is_that_of_the_reference_implementation(size: int) -> None:
    assert frontier_of(LEAVES[:size]).root().hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    frontier = frontier_of(leaves)
    assert frontier.root() == recursive_root(leaves)
    assert frontier.size == len(leaves)


@given(st.lists(st.binary(max_size=8), max_size=40), st.lists(st.binary(max_size=8), max_size=40))
def test_a_tree_taken_up_again_grows_as_if_it_had_never_stopped(
    before: list[bytes], after: list[bytes]
) -> None:
    frontier = frontier_of(before)
    again = Frontier(frontier.size, frontier.peaks)
    for leaf in after:
        again.append(leaf_hash(leaf))
    assert again.root() == recursive_root(before + after)


@given(st.lists(st.binary(max_size=8), max_size=40), st.lists(st.binary(max_size=8), max_size=40))
def test_lines_added_together_are_those_added_one_by_one(
    before: list[bytes], after: list[bytes]
) -> None:
    frontier = frontier_of(before)
    frontier.extend(after)
    assert (frontier.size, frontier.peaks) == (
        len(before + after),
        frontier_of(before + after).peaks,
    )


def test_a_copy_grows_on_its_own() -> None:
    frontier = frontier_of(LEAVES[:3])
    frontier.copy().append(leaf_hash(b"x"))
    assert (frontier.size, frontier.root().hex()) == (3, ROOTS[3])


@pytest.mark.parametrize(
    ("size", "peaks"),
    [(-1, []), (0, [b"\0" * 32]), (3, [b"\0" * 32]), (1, [b"\0" * 31])],
    ids=["negative", "too many", "too few", "no hash"],
)
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Frontier(size, peaks)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=30), st.data())
def test_changing_any_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves]
    changed[index] += b"!"
    assert frontier_of(changed).root() != frontier_of(leaves).root()

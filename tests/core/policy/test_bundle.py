"""A bundle's digest: the same for the same files, another for any other."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from gateway.core.policy.bundle import (
    Entry,
    digest_of,
    entry_of,
    is_plain,
    manifest_of,
    read_manifest,
)

FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}\.yaml", fullmatch=True),
    st.binary(max_size=8),
    min_size=1,
    max_size=5,
)


def digest(files: dict[str, bytes]) -> str:
    return digest_of(manifest_of(entry_of(name, content) for name, content in files.items()))


@given(FILES)
def test_the_order_of_the_files_changes_nothing(files: dict[str, bytes]) -> None:
    shuffled = dict(sorted(files.items(), key=lambda file: file[1]))
    assert digest(shuffled) == digest(files)


@given(FILES, FILES)
def test_two_bundles_have_one_digest_exactly_where_names_and_contents_agree(
    one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    assert (digest(one) == digest(other)) is (one == other)


@given(FILES)
def test_a_manifest_is_read_back_under_its_digest_and_under_no_other(
    files: dict[str, bytes],
) -> None:
    content = manifest_of(entry_of(name, text) for name, text in files.items())
    manifest = read_manifest(content, digest=digest_of(content))
    assert {entry.name for entry in manifest.files} == set(files)
    with pytest.raises(ValueError, match="is not what its digest says"):
        read_manifest(content + b" ", digest=digest_of(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"facegate":"bundle/v2","files":[]}',
        b'{"facegate":"bundle/v1","files":[],"more":1}',
        b'{"files":[],"facegate":"bundle/v1"}',
        b"\xff",
    ],
    ids=["nothing", "no files", "a later form", "a foreign key", "not canonical", "no text"],
)
def test_what_is_no_canonical_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"manifest"):
        read_manifest(content, digest=digest_of(content))


def test_a_name_stands_once() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        manifest_of([entry_of("a.yaml", b"1"), entry_of("a.yaml", b"2")])


@pytest.mark.parametrize(
    "name",
    ["", "/a", "a/", "a//b", ".", "../a", "a/../b", "a\\b", "a\nb", "a\udc80", "x" * 1025],
)
def test_a_name_that_leads_elsewhere_or_is_no_text_cannot_stand_in_a_bundle(name: str) -> None:
    assert not is_plain(name)
    with pytest.raises(ValueError, match="cannot be the name"):
        manifest_of([Entry(name=name, sha256="0" * 64, size=0)])

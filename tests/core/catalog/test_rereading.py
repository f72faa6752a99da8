"""What is accepted is the same operation when it is read from the bytes that go upstream."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from gateway.core.catalog.classify import classify
from gateway.core.catalog.credentials import stated_credentials
from gateway.core.catalog.model import Provider
from gateway.core.catalog.severity import RANK
from gateway.core.operation import Observed, Operation, class_of
from gateway.proxy.forward import (
    Credential,
    FormCredential,
    HeaderCredential,
    NoCredential,
    QueryCredential,
)
from tests.core.catalog.build import shipped
from tests.core.catalog.rereading import DIALECTS, KEY, drawn, reread, sent, with_key

MANY = 1_000 if settings.get_profile("test").max_examples == settings().max_examples else 100_000
HEADER = HeaderCredential(name="x-api-key", value="own")
KEYED = {
    way: name
    for way, name in DIALECTS.items()
    if shipped().providers[name].credential_parameters | shipped().providers[name].credential_fields
}


@pytest.mark.parametrize("name", DIALECTS.values(), ids=DIALECTS)
def test_what_is_accepted_is_the_same_operation_in_the_bytes_that_go_upstream(name: str) -> None:
    provider = shipped().providers[name]
    # A key that stands in the path gives way to one of a header.
    plain = HEADER if provider.credential_segments else NoCredential()
    accepted: set[str] = set()

    @settings(max_examples=MANY)
    @given(st.integers(0, 2**32))
    def holds(seed: int) -> None:
        made = drawn(provider, seed)
        found = classify(made, shipped(), Observed())
        assert class_of(found) in RANK
        if isinstance(found, Operation):
            accepted.add(found.name)
            assert classify(reread(made, provider, plain), shipped(), Observed()) == found

    holds()
    assert accepted


def own(provider: Provider) -> Credential:
    """Return a credential of the gateway where this provider looks for one."""
    if "form" in provider.signers:
        return FormCredential(fields={"api_key": "own", "api_secret": "own&secret"})
    if "query" in provider.signers:
        name = min(provider.credential_parameters)
        return QueryCredential(parameters={name: "own"})
    return NoCredential()


@pytest.mark.parametrize("name", KEYED.values(), ids=KEYED)
def test_the_caller_s_key_is_in_no_byte_that_goes_upstream_and_the_operation_is_the_same(
    name: str,
) -> None:
    provider = shipped().providers[name]
    credential = own(provider)
    accepted: set[str] = set()

    @settings(max_examples=MANY // 10)
    @given(st.integers(0, 2**32))
    def holds(seed: int) -> None:
        made = with_key(drawn(provider, seed), provider, seed)
        found = classify(made, shipped(), Observed())
        stated = stated_credentials(made, shipped())
        if not isinstance(found, Operation) or stated != (KEY,):
            return
        if isinstance(credential, FormCredential) and made.method != "POST":
            return  # there is no place for the gateway's own, which is an error
        accepted.add(found.name)
        assert KEY.encode() not in sent(made, provider, credential)
        assert classify(reread(made, provider, credential), shipped(), Observed()) == found

    holds()
    assert accepted

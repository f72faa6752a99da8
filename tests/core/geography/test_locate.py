"""Where a request comes from and what it is for: every piece of evidence, none of it weighed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import msgspec
import pytest
from hypothesis import given, strategies as st

from gateway.core.geography.locate import locate
from gateway.core.geography.model import Evidence, Geography, Located, Unlocated
from gateway.core.geography.networks import AnonymityReader, CountryReader, Networks
from gateway.core.identity.model import Identity, Party, Tenant, Unverified, Verified
from gateway.core.operation import Ambiguous, Classified, Destination, Operation, Unknown
from gateway.core.request import Request, Whole

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Table:
    """A country database that counts what it is asked."""

    def __init__(self, records: Mapping[str, str]) -> None:
        self.records, self.asked = records, list[str]()

    def country(self, address: str) -> str | None:
        self.asked.append(address)
        return self.records.get(address)


class Hidden:
    def anonymous(self, address: str) -> bool:
        return address == "192.0.2.66"


RECORDS = {
    "192.0.2.1": "US",
    "192.0.2.2": "GB",
    "192.0.2.3": "",
    "192.0.2.4": "EU",
    "192.0.2.66": "DE",
    "2001:db8::1": "FR",
}


def networks(
    *,
    reader: CountryReader | None,
    build: datetime | None = NOW - timedelta(days=1),
    anonymity: AnonymityReader | None = None,
) -> Networks:
    return Networks(
        reader=reader,
        build=build,
        max_age=timedelta(days=14),
        trusted_proxies=(ip_network("127.0.0.2/32"),),
        digest="0" * 64,
        anonymity=anonymity,
    )


def request(peer: str = "192.0.2.1", **headers: str) -> Request:
    return Request(
        method="POST",
        host="rekognition.gw.example",
        upstream="rekognition",
        provider="aws_rekognition",
        path="/",
        query_string="",
        query=(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=Whole(b"{}"),
        peer=peer,
    )


def operation(*destinations: tuple[str, str]) -> Operation:
    return Operation(
        provider="aws_rekognition",
        name="StartFaceSearch",
        operation_class="one_to_many",
        destinations=tuple(Destination(kind=kind, value=value) for kind, value in destinations),
    )


def caller(
    countries: tuple[str, ...] = ("GB",),
    deployments: tuple[str, ...] = ("GB",),
    parties: Mapping[str, tuple[str, ...]] = {"Harbour Bank": ("GB",)},
) -> Verified:
    return Verified(
        method="jwt",
        credential="k1/svc-bank",
        tenant=Tenant(
            id="acct-1",
            legal_name="Harbour Bank",
            type="private",
            tier="none",
            tags=(),
            countries=countries,
            deployments=deployments,
            end_uses=("undeclared",),
            parties=tuple(
                Party(name=name, role="caller", type="private", countries=places)
                for name, places in parties.items()
            ),
        ),
    )


UNVERIFIED = Unverified(reason="identity.missing")


def find(
    where: Request | None = None,
    what: Classified | None = None,
    who: Identity = UNVERIFIED,
    by: Networks | None = None,
) -> Geography:
    return locate(
        where or request(), what or operation(), who, by or networks(reader=Table(RECORDS)), NOW
    )


def network_codes(geography: Geography) -> list[str]:
    return [piece.code for piece in geography.evidence if piece.kind == "network"]


@pytest.mark.parametrize(
    ("peer", "client", "codes"),
    [
        ("192.0.2.1", "192.0.2.1", ["US"]),
        ("::ffff:192.0.2.1", "192.0.2.1", ["US"]),
        ("2002:c000:201::9", "2002:c000:201::9", ["US"]),  # 6to4 of 192.0.2.1
        ("64:ff9b::c000:202", "64:ff9b::c000:202", ["GB"]),  # NAT64 of 192.0.2.2
        ("2001:DB8::1", "2001:db8::1", ["FR"]),
        ("192.0.2.99", "192.0.2.99", ["unknown"]),  # no record
        ("192.0.2.3", "192.0.2.3", ["unknown"]),  # a record without a country
        ("192.0.2.4", "192.0.2.4", ["unknown"]),  # a record with what is no country
        ("10.0.0.1", "10.0.0.1", ["private"]),
        ("64:ff9b::a00:1", "64:ff9b::a00:1", ["private"]),
        (
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            ["unknown"],
        ),
        ("not an address", "", ["unknown"]),
        ("", "", ["unknown"]),
    ],
)
def test_the_network_gives_a_country_or_a_value_of_its_own(
    peer: str, client: str, codes: list[str]
) -> None:
    geography = find(request(peer))
    assert isinstance(geography, Located)
    assert geography.client == client
    assert network_codes(geography) == codes
    assert geography.destination == tuple(codes)


def test_the_client_is_found_behind_a_trusted_proxy() -> None:
    behind = request("127.0.0.2", x_forwarded_for="203.0.113.1, 192.0.2.2")
    geography = find(behind)
    assert (geography.client, network_codes(geography)) == ("192.0.2.2", ["GB"])
    unreadable = find(request("127.0.0.2", x_forwarded_for="192.0.2.2, unknown"))
    assert (unreadable.client, network_codes(unreadable)) == ("", ["unknown"])
    assert "192.0.2.2" not in unreadable.evidence[0].source


def test_every_kind_of_evidence_stands_in_its_order() -> None:
    geography = find(
        what=operation(
            ("sns_topic", "arn:aws:sns:eu-central-1:123456789012:t"), ("s3_bucket", "results")
        ),
        who=caller(
            countries=("GB", "IE"),
            deployments=("UA-43",),
            parties={"Harbour Bank": ("GB",), "Example Police": ("CN", "unknown")},
        ),
    )
    assert geography == Located(
        client="192.0.2.1",
        destination=("CN", "DE", "GB", "IE", "UA-43", "US", "unknown"),
        evidence=(
            Evidence(kind="network", code="US", source="country database"),
            Evidence(kind="account", code="GB", source="tenant"),
            Evidence(kind="account", code="IE", source="tenant"),
            Evidence(kind="deployment", code="UA-43", source="tenant"),
            Evidence(kind="party", code="GB", source="Harbour Bank"),
            Evidence(kind="party", code="CN", source="Example Police"),
            Evidence(kind="party", code="unknown", source="Example Police"),
            Evidence(kind="output", code="DE", source="sns_topic in eu-central-1"),
            Evidence(kind="output", code="unknown", source="s3_bucket"),
        ),
        contradiction=True,
    )


@pytest.mark.parametrize(
    ("peer", "countries", "deployments", "contradiction"),
    [
        ("192.0.2.1", ("GB",), ("GB",), True),
        ("192.0.2.1", ("GB",), ("US",), False),
        ("192.0.2.1", ("GB", "US"), ("unknown",), False),
        ("192.0.2.1", ("US-CA",), ("GB",), False),  # a sub-region lies in its country
        ("192.0.2.1", ("GB",), ("unknown",), True),
        ("192.0.2.1", ("unknown",), ("unknown",), False),  # nothing is declared
        ("192.0.2.99", ("GB",), ("GB",), False),  # nothing is known
        ("10.0.0.1", ("GB",), ("GB",), False),
    ],
)
def test_a_client_outside_every_declared_country_is_a_contradiction(
    peer: str,
    countries: tuple[str, ...],
    deployments: tuple[str, ...],
    *,
    contradiction: bool,
) -> None:
    geography = find(request(peer), who=caller(countries=countries, deployments=deployments))
    assert isinstance(geography, Located)
    assert geography.contradiction is contradiction


def test_a_party_elsewhere_is_no_contradiction_but_a_destination() -> None:
    geography = find(
        request("192.0.2.2"), who=caller(parties={"Harbour Bank": ("GB",), "Police": ("US",)})
    )
    assert isinstance(geography, Located)
    assert not geography.contradiction
    assert geography.destination == ("GB", "US")


def test_for_an_unverified_caller_no_account_speaks() -> None:
    kinds = {piece.kind for piece in find(who=UNVERIFIED).evidence}
    assert kinds == {"network"}


def test_only_a_known_operation_has_an_output() -> None:
    unknown = Unknown(provider="aws_rekognition", reason="no such operation")
    ambiguous = Ambiguous(provider="aws_rekognition", operation_class="unknown", reason="two")
    for what in (unknown, ambiguous):
        assert {piece.kind for piece in find(what=what).evidence} == {"network"}


@pytest.mark.parametrize(
    ("age", "stale"),
    [
        (timedelta(0), False),
        (timedelta(days=14), False),
        (timedelta(days=14, seconds=1), True),
        (timedelta(hours=-23), False),  # clocks differ
        (timedelta(days=-2), True),  # built in the future: no age can be told
        (None, True),
    ],
)
def test_an_old_database_adds_stale_and_takes_nothing_away(
    age: timedelta | None, *, stale: bool
) -> None:
    build = None if age is None else NOW - age
    geography = find(by=networks(reader=Table(RECORDS), build=build), who=caller())
    assert isinstance(geography, Located)
    assert network_codes(geography) == (["stale", "US"] if stale else ["US"])
    assert set(geography.destination) == {"US", "GB"} | ({"stale"} if stale else set())
    assert geography.contradiction


def test_an_anonymised_client_keeps_its_country_beside() -> None:
    by = networks(reader=Table(RECORDS), anonymity=Hidden())
    assert network_codes(find(request("192.0.2.66"), by=by)) == ["DE", "anonymised"]
    assert network_codes(find(request("192.0.2.1"), by=by)) == ["US"]


def test_without_a_database_nobody_is_located() -> None:
    geography = find(by=networks(reader=None, build=None), who=caller())
    assert isinstance(geography, Unlocated)
    assert geography.reason == "no network database is loaded"
    assert geography.client == "192.0.2.1"
    assert [piece.kind for piece in geography.evidence] == ["account", "deployment", "party"]


def test_an_address_is_looked_up_once() -> None:
    table = Table(RECORDS)
    by = networks(reader=table)
    for _ in range(3):
        find(request("192.0.2.1"), by=by)
        find(request("127.0.0.2", x_forwarded_for="192.0.2.2"), by=by)
    assert table.asked == ["192.0.2.1", "192.0.2.2"]


def test_the_memos_are_bounded() -> None:
    by = networks(reader=Table(RECORDS))
    for number in range(20_000):
        find(request(f"198.18.{number >> 8}.{number & 255}"), by=by)
        if number % 4 == 0:
            hops = f"198.51.{number >> 8}.{number & 255}"
            find(request("127.0.0.2", x_forwarded_for=hops), by=by)
    long = "192.0.2.1, " * 30 + "192.0.2.2"
    assert find(request("127.0.0.2", x_forwarded_for=long), by=by).client == "192.0.2.2"
    assert len(by.direct) == 16_384
    assert len(by.forwarded) == 5_000
    assert not any(long in key for key in by.forwarded)


peers = st.sampled_from([*RECORDS, "127.0.0.2", "10.0.0.1", "192.0.2.99", "::ffff:192.0.2.1", "x"])
headers = st.dictionaries(
    st.sampled_from(["x-forwarded-for", "forwarded"]),
    st.sampled_from(
        ["192.0.2.1", "192.0.2.2, 127.0.0.2", "for=192.0.2.2", "for=192.0.2.1, for=127.0.0.2", "?"]
    ),
)
days = st.integers(min_value=-5, max_value=30)


@given(st.lists(st.tuples(peers, headers, days), max_size=12))
def test_with_the_memos_it_is_as_without(asked: list[tuple[str, dict[str, str], int]]) -> None:
    kept = networks(reader=Table(RECORDS), anonymity=Hidden())
    for peer, sent, day in asked:
        where = msgspec.structs.replace(request(peer), headers=sent)
        fresh = networks(reader=Table(RECORDS), anonymity=Hidden())
        now = NOW + timedelta(days=day)
        args = (where, operation(), caller())
        assert locate(*args, kept, now) == locate(*args, fresh, now)


codes = st.sampled_from(["GB", "US", "CN", "UA-43", "unknown"])


@given(
    st.lists(codes, min_size=1),
    st.lists(codes, min_size=1),
    st.dictionaries(st.sampled_from(["a", "b"]), st.lists(codes, min_size=1).map(tuple)),
    peers,
    days,
)
def test_every_code_of_the_evidence_is_a_destination(
    countries: list[str],
    deployments: list[str],
    parties: dict[str, tuple[str, ...]],
    peer: str,
    day: int,
) -> None:
    who = caller(tuple(countries), tuple(deployments), parties)
    by = networks(reader=Table(RECORDS))
    geography = locate(request(peer), operation(), who, by, NOW + timedelta(days=day))
    assert isinstance(geography, Located)
    codes_found = {piece.code for piece in geography.evidence}
    assert geography.destination == tuple(sorted(codes_found))
    assert codes_found >= {*countries, *deployments, *sum(parties.values(), ())}

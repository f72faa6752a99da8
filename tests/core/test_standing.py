"""With the memory of verdicts and without it every decision is the same, at any time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import msgspec
from hypothesis import given, settings, strategies as st

from gateway.core.catalog.model import Catalog
from gateway.core.geography.networks import Networks
from gateway.core.identity.api_key import api_key_hash
from gateway.core.identity.keys import ApiKey, Tenants, make_keys
from gateway.core.identity.model import Reference, Tenant
from gateway.core.operation import Observed, Taken
from gateway.core.pipeline import Judgement, decide
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.model import Condition, Pack, Policies, Rule
from gateway.core.request import Request
from gateway.core.snapshot import Snapshot, Stage, make_snapshot
from gateway.sources.catalogs import load_catalog
from tests.builders import a_request, a_tenant

CATALOG: Catalog = load_catalog()
SECRETS_KEY = b"k" * 32
KEYS = {name: f"fgk_{name * 43}" for name in "ab"}
BUILD = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
EDGES = [
    BUILD + days * DAY + offset
    for days in (-1, 0, 5, 10, 14, 20, 30)
    for offset in (-datetime.resolution, timedelta(0), datetime.resolution)
]


class Table:
    """A country for each of a few addresses."""

    def country(self, address: str) -> str | None:
        return {"192.0.2.1": "GB", "192.0.2.2": "RU"}.get(address)


def tenants() -> dict[str, Tenant]:
    references = (
        Reference(id="L", kind="licence", valid_from=BUILD + 5 * DAY, valid_to=BUILD + 20 * DAY),
    )
    return {
        "a": a_tenant("a", references=references),
        "b": a_tenant("b", legal_name="Bureau", type="law_enforcement"),
    }


def policies() -> Policies:
    searches = Condition(attribute="class", values=frozenset({"one_to_many"}))
    rules = (
        Rule(
            id="deny",
            effect="deny",
            conditions=(Condition(attribute="destination", values=frozenset({"RU", "stale"})),),
            effective_from=BUILD + 10 * DAY,
        ),
        Rule(id="licence", effect="require", needs="licence", conditions=(searches,)),
        Rule(id="permit", effect="permit", conditions=(searches,), effective_to=BUILD + 30 * DAY),
    )
    pack = Pack(
        id="test",
        owner="test",
        source="test",
        force="binding",
        review=BUILD.date(),
        rules=rules,
    )
    return compile_policies((pack,))


def fresh(
    active: Policies | None = None,
    candidates: Mapping[str, Policies] | None = None,
    *,
    stage: Stage | None = None,
) -> Snapshot:
    by_id = tenants()
    networks = Networks(
        reader=Table(),
        build=BUILD,
        max_age=14 * DAY,
        trusted_proxies=(ip_network("127.0.0.0/8"),),
        digest="networks",
    )
    keys = make_keys(
        api_keys={
            api_key_hash(text, SECRETS_KEY): ApiKey(id=f"key-{name}", tenant_id=name)
            for name, text in KEYS.items()
        },
        access_keys={},
        secrets_key=SECRETS_KEY,
    )
    return make_snapshot(
        catalog=CATALOG,
        keys=keys,
        tenants=Tenants(by_id=by_id, by_subject={}, digest="tenants"),
        verdicts={by_id["b"].parties[0].name: ("entity_list",)},
        networks=networks,
        policies=active or policies(),
        settings_digest="settings",
        candidates=candidates or {},
        stage=stage,
    )


def a_call(key: str, operation: str, place: str) -> Request:
    return a_request(
        headers={
            "host": "rekognition.gw.example",
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"RekognitionService.{operation}",
            "x-api-key": KEYS.get(key, "fgk_unknown"),
            "x-forwarded-for": place,
        },
        peer="127.0.0.1",
        body=b'{"CollectionId":"c"}',
    )


CALLS = st.builds(
    a_call,
    st.sampled_from("abz"),
    st.sampled_from(["SearchFaces", "CompareFaces", "DeleteFaces", "Nothing"]),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3", "10.0.0.1", "nonsense"]),
)
MOMENTS = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-2 * 86_400, 40 * 86_400).map(lambda seconds: BUILD + timedelta(seconds=seconds)),
)


def answer(judgement: Judgement) -> bytes:
    return msgspec.json.encode((judgement.facts, judgement.decision))


@settings(max_examples=150)
@given(st.lists(st.tuples(CALLS, MOMENTS), min_size=2, max_size=12))
def test_with_memory_equals_without(steps: list[tuple[Request, datetime]]) -> None:
    remembering = fresh()
    for request, now in steps * 2:
        with_memory = decide(request, Observed(), remembering, now)
        assert answer(with_memory) == answer(decide(request, Observed(), fresh(), now))


def test_the_second_answer_comes_from_memory_and_the_credential_is_verified_again() -> None:
    snapshot = fresh()
    now = BUILD + 6 * DAY
    first = decide(a_call("a", "SearchFaces", "192.0.2.1"), Observed(), snapshot, now)
    second = decide(a_call("a", "SearchFaces", "192.0.2.1"), Observed(), snapshot, now)
    assert second.decision is first.decision
    assert second.facts.geography is first.facts.geography
    stranger = decide(a_call("z", "SearchFaces", "192.0.2.1"), Observed(), snapshot, now)
    assert stranger.decision.reason == "identity.malformed"


def test_an_image_that_is_shown_is_judged_anew_each_time() -> None:
    snapshot = fresh()
    now = BUILD + 6 * DAY
    for probes in ((), ("unknown",), None, ("sha256:" + "1" * 64,)):
        call = a_call("a", "SearchFaces", "192.0.2.1")
        judgements = [decide(call, Observed(probes=probes), snapshot, now) for _ in range(2)]
        assert judgements[0].facts.observed.probes == probes
        assert (judgements[0].decision is judgements[1].decision) == (not probes)


def test_what_rests_on_a_count_is_neither_remembered_nor_recalled() -> None:
    snapshot = fresh()
    now = BUILD + 6 * DAY
    request = a_call("a", "SearchFaces", "192.0.2.1")
    counted = Observed(quotas=(Taken(reference="L", used=1, limit=2, amount=1),))
    first = decide(request, counted, snapshot, now)
    assert decide(request, counted, snapshot, now).decision is not first.decision
    uncounted = decide(request, Observed(), snapshot, now)
    assert uncounted.decision is not first.decision
    assert decide(request, Observed(), snapshot, now).decision is uncounted.decision
    assert decide(request, counted, snapshot, now).decision is not uncounted.decision


def test_what_a_client_makes_long_is_not_remembered() -> None:
    snapshot = fresh()
    now = BUILD + 6 * DAY
    request = a_call("a", "SearchFaces", ", ".join(["192.0.2.1"] * 100))
    first = decide(request, Observed(), snapshot, now)
    second = decide(request, Observed(), snapshot, now)
    assert second.decision is not first.decision
    assert second.decision == first.decision

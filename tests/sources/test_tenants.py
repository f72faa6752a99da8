"""The tenant file: what it says, and every way in which it does not hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.core.identity.api_key import api_key_hash
from gateway.core.identity.identify import identify
from gateway.core.identity.keys import make_keys
from gateway.core.identity.model import Party, Quota, Reference, Tenant, Verified
from gateway.core.request import Request, Whole
from gateway.core.screening import Hit, NotScreened, screening_of
from gateway.errors import ConfigError
from gateway.sources.secrets_box import issue_access_key, issue_api_key
from gateway.sources.tenants import LoadedTenants, load_tenants

SECRETS_KEY = b"k" * 32
NOW = datetime(2026, 11, 22, tzinfo=UTC)

HEAD = "apiVersion: facegate/v1\nkind: Tenants\ntenants:\n"
FULL = """\
  - id: acct-1
    legal_name: Harbour Bank plc
    type: private
    tier: standard
    tags: [kyc, eu, kyc]
    countries: [NO, GB]
    deployments: [GB]
    end_uses: [customer_verification]
    listed: []
    parties:
      - {name: Example Police, role: end_user, type: law_enforcement, countries: [CN],
         listed: [entity_list, ofac_sdn]}
    references:
      - {id: LIC-2, kind: licence, classes: [results, one_to_many], destinations: [GB, UA-43],
         authority: Trade Office, names: [embargo], valid_from: 2026-01-01, valid_to: 2027-01-01,
         quota: {limit: 100, counts: faces}, report_days: 90, reported: 2026-03-01, warn_days: 14}
      - {id: CON-1, kind: consent, valid_from: 2026-01-01T01:00:00+01:00}
    credentials:
      jwt: [{issuer: https://idp.example, subject: svc-bank}]
"""
LEAST = "  - {id: acct-2, legal_name: Small Shop, type: individual}\n"


def load(path: Path, text: str, *, secrets_key: bytes | None = SECRETS_KEY) -> LoadedTenants:
    path.write_text(text, encoding="utf-8")
    return load_tenants(path, secrets_key=secrets_key)


def findings(path: Path, text: str, *, secrets_key: bytes | None = SECRETS_KEY) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, text, secrets_key=secrets_key)
    return [str(one).removeprefix(f"{path}:") for one in caught.value.findings]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tenants.yaml"


def test_a_tenant_has_all_that_the_file_attests(path: Path) -> None:
    loaded = load(path, HEAD + FULL)
    assert loaded.tenants.by_id == {
        "acct-1": Tenant(
            id="acct-1",
            legal_name="Harbour Bank plc",
            type="private",
            tier="standard",
            tags=("eu", "kyc"),
            countries=("GB", "NO"),
            deployments=("GB",),
            end_uses=("customer_verification",),
            parties=(
                Party(
                    name="Harbour Bank plc", role="caller", type="private", countries=("GB", "NO")
                ),
                Party(
                    name="Example Police",
                    role="end_user",
                    type="law_enforcement",
                    countries=("CN",),
                ),
            ),
            references=(
                Reference(id="CON-1", kind="consent", valid_from=datetime(2026, 1, 1, tzinfo=UTC)),
                Reference(
                    id="LIC-2",
                    kind="licence",
                    authority="Trade Office",
                    names=("embargo",),
                    classes=("one_to_many", "results"),
                    destinations=("GB", "UA-43"),
                    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
                    valid_to=datetime(2027, 1, 1, tzinfo=UTC),
                    quota=Quota(limit=100, counts="faces"),
                    report_days=90,
                    reported=datetime(2026, 3, 1, tzinfo=UTC),
                    warn_days=14,
                ),
            ),
        )
    }
    tenant = loaded.tenants.by_id["acct-1"]
    assert loaded.tenants.by_subject == {("https://idp.example", "svc-bank"): tenant}
    assert loaded.digest == loaded.tenants.digest


def test_what_is_not_stated_says_so(path: Path) -> None:
    tenant = load(path, HEAD + LEAST).tenants.by_id["acct-2"]
    assert tenant.tier == "none"
    assert tenant.tags == ()
    assert tenant.countries == ("unknown",)
    assert tenant.deployments == ("unknown",)
    assert tenant.end_uses == ("undeclared",)
    assert [party.role for party in tenant.parties] == ["caller"]


def test_verdicts_are_what_the_operator_attests_and_absence_is_not_screened(path: Path) -> None:
    loaded = load(path, HEAD + FULL + LEAST)
    assert loaded.verdicts == {
        "Harbour Bank plc": (),
        "Example Police": ("entity_list", "ofac_sdn"),
    }
    bank, shop = (
        screening_of(
            Verified(method="jwt", credential="x", tenant=loaded.tenants.by_id[name]),
            loaded.verdicts,
        )
        for name in ("acct-1", "acct-2")
    )
    assert bank == Hit(lists=("entity_list", "ofac_sdn"), parties=("Example Police",))
    assert isinstance(shop, NotScreened)


def test_issued_credentials_identify_their_tenant(path: Path) -> None:
    api_key, access_key = issue_api_key(SECRETS_KEY), issue_access_key(SECRETS_KEY)
    entry = (
        "  - id: acct-1\n    legal_name: Bank\n    type: private\n    credentials:\n"
        f"      api_keys: [{{id: {api_key.id}, hash: '{api_key.hash}'}}]\n"
        f"      access_keys: [{{id: {access_key.id}, secret: {access_key.encrypted}}}]\n"
    )
    loaded = load(path, HEAD + entry)
    assert loaded.access_keys[access_key.id].secret == access_key.secret
    assert access_key.secret not in repr(loaded)
    keys = make_keys(
        api_keys=loaded.api_keys,
        access_keys=loaded.access_keys,
        secrets_key=SECRETS_KEY,
    )
    request = Request(
        method="POST",
        host="gw.example",
        upstream="rekognition",
        provider="aws_rekognition",
        path="/",
        query_string="",
        query=(),
        headers={"x-api-key": api_key.credential},
        body=Whole(b""),
        peer="192.0.2.1",
    )
    identity = identify(request, keys, loaded.tenants, NOW)
    assert isinstance(identity, Verified)
    assert identity.tenant.id == "acct-1"


def test_every_mistake_is_reported_at_once_with_its_place(path: Path) -> None:
    text = """\
  - id: acct 1
    legal_name: " Bank"
    type: bank
    countris: [GB]
    countries: [UK, gb, NO]
    deployments: GB
    end_uses: [none]
    listed: [Entity-List]
    references: [{id: A, kind: consent, valid_from: 2027-01-01, valid_to: 2026-01-01}]
    parties: [{name: P, role: caller, type: private}]
  - {}
"""
    heads = [line for one in findings(path, HEAD + text) for line in one.splitlines()[:1]]
    assert [line.split(": ")[0] for line in heads] == [
        *("4:9", "5:17", "6:11", "7:5", "8:17", "8:21", "9:18", "10:16", "11:14", "12:18"),
        *("13:31", *["14:5"] * 3),
    ]
    assert "7:5: unknown key `countris`" in heads
    assert "8:17: `tenants[0].countries[0]`: must be an ISO 3166-1 code such as `GB`" in heads[4]
    assert "12:18: `tenants[0].references[0]`: `valid_to` must be after `valid_from`" in heads
    assert "14:5: key `legal_name` is missing" in heads


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("kind: licence", "a licence names its `classes` and its `destinations`"),
        ("kind: licence, classes: [embed]", "a licence names its `classes` and its"),
        ("kind: licence, destinations: [GB], classes: []", "a licence names its `classes` and"),
        ("kind: review, destinations: [unknown]", "must be an ISO 3166-1 code"),
        ("kind: review, classes: [one_to_may]", "input should be 'one_to_one', 'one_to_many'"),
        ("kind: review, quota: {limit: 0}", "input should be greater than or equal to 1"),
        ("kind: review, quota: {limit: 9007199254740992}", "input should be less than or equal"),
        ("kind: review, quota: {limit: 1, counts: bytes}", "input should be 'calls' or 'faces'"),
        ("kind: review, names: [none]", "is a reserved word"),
        ("kind: review, names: [Embargo]", "string should match pattern"),
        ("kind: review, report_days: 30", "`report_days` counts from `reported` or `valid_from`"),
        ("kind: review, warn_days: -1", "input should be greater than or equal to 0"),
    ],
)
def test_a_reference_says_what_it_is_for_or_is_refused(
    path: Path, reference: str, expected: str
) -> None:
    text = (
        f"  - {{id: a, legal_name: B, type: private,\n     references: [{{id: A, {reference}}}]}}\n"
    )
    (finding,) = findings(path, HEAD + text)
    assert finding.startswith("5:")
    assert expected in finding


def test_an_unknown_key_has_a_hint(path: Path) -> None:
    text = "  - {id: a, legal_name: B, type: private, credentials: {apikeys: []}}\n"
    assert findings(path, HEAD + text) == [
        "4:57: unknown key `apikeys`\n    hint: did you mean `api_keys`?"
    ]


def test_a_time_without_a_zone_is_refused(path: Path) -> None:
    text = (
        "  - {id: a, legal_name: B, type: private,\n"
        "     references: [{id: A, kind: review, valid_from: 2026-01-01T00:00:00}]}\n"
    )
    (finding,) = findings(path, HEAD + text)
    assert "a time must name its zone" in finding


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_utc_does_not_have_is_refused(path: Path, time: str) -> None:
    text = (
        "  - {id: a, legal_name: B, type: private,\n"
        f"     references: [{{id: A, kind: review, valid_from: {time}}}]}}\n"
    )
    (finding,) = findings(path, HEAD + text)
    assert finding.startswith("5:53: ")
    assert "is out of range" in finding


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("apiVersion: facegate/v2\nkind: Tenants\ntenants: []\n", "'facegate/v1'"),
        ("apiVersion: facegate/v1\nkind: Pack\ntenants: []\n", "'Tenants'"),
        ("apiVersion: facegate/v1\nkind: Tenants\n", "key `tenants` is missing"),
        ("", "must be a mapping"),
    ],
)
def test_a_file_of_another_kind_is_refused(path: Path, head: str, expected: str) -> None:
    assert any(expected in finding for finding in findings(path, head))


def entry(number: int, credentials: str = "{}", more: str = "") -> str:
    return (
        f"  - id: acct-{number}\n    legal_name: Company {number}\n    type: private\n"
        f"    credentials: {credentials}\n{more}"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (entry(1) + entry(1).replace("Company 1", "B"), "8:9: this tenant id stands twice"),
        (
            entry(1, "{jwt: [{issuer: i, subject: s}]}")
            + entry(2, "{jwt: [{issuer: i, subject: s}]}"),
            "11:46: this subject stands twice",
        ),
        (
            entry(1, f"{{api_keys: [{{id: k, hash: '{'a' * 64}'}}]}}")
            + entry(2, f"{{api_keys: [{{id: k, hash: '{'b' * 64}'}}]}}"),
            "11:35: this key id stands twice",
        ),
        (
            entry(1, f"{{api_keys: [{{id: k, hash: '{'a' * 64}'}}]}}")
            + entry(2, f"{{api_keys: [{{id: l, hash: '{'a' * 64}'}}]}}"),
            "11:44: this key hash stands twice",
        ),
        (
            entry(1, more="    references: [{id: A, kind: review}, {id: A, kind: consent}]\n"),
            "8:46: this reference id of a tenant stands twice",
        ),
    ],
)
def test_what_must_be_unique_is(path: Path, text: str, expected: str) -> None:
    (finding,) = findings(path, HEAD + text)
    assert finding.startswith(expected)
    assert "first in line" in finding


@pytest.mark.parametrize("other", ["    listed: [entity_list]\n", ""])
def test_one_party_has_one_verdict(path: Path, other: str) -> None:
    second = entry(2, more=other).replace("Company 2", "Company 1")
    (finding,) = findings(path, HEAD + entry(1, more="    listed: []\n") + second)
    assert finding.startswith("10:17: party `Company 1` has another `listed` here than in line 5")


def test_one_party_may_stand_twice_with_one_verdict(path: Path) -> None:
    listed = "    listed: [b, a]\n"
    second = entry(2, more="    listed: [a, b]\n").replace("Company 2", "Company 1")
    loaded = load(path, HEAD + entry(1, more=listed) + second)
    assert loaded.verdicts == {"Company 1": ("a", "b")}


def test_keys_without_a_secrets_key_are_refused(path: Path) -> None:
    text = entry(1, f"{{api_keys: [{{id: k, hash: '{'a' * 64}'}}]}}")
    (finding,) = findings(path, HEAD + text, secrets_key=None)
    assert "no secrets key is configured" in finding
    assert load(path, HEAD + FULL, secrets_key=None).tenants.by_id


def test_a_secret_of_another_secrets_key_is_refused_and_not_shown(path: Path) -> None:
    access_key = issue_access_key(b"o" * 32)
    text = entry(1, f"{{access_keys: [{{id: {access_key.id}, secret: {access_key.encrypted}}}]}}")
    (finding,) = findings(path, HEAD + text)
    assert "the secret does not decrypt" in finding
    assert access_key.encrypted not in finding


def test_a_wrong_hash_is_not_repeated_in_the_message(path: Path) -> None:
    secret = issue_api_key(SECRETS_KEY).credential
    (finding,) = findings(path, HEAD + entry(1, f"{{api_keys: [{{id: k, hash: {secret}}}]}}"))
    assert secret not in finding


def test_the_digest_is_of_the_meaning(path: Path) -> None:
    digest = load(path, HEAD + FULL + LEAST).digest
    assert digest == load(path, "# a comment\n" + HEAD + LEAST + FULL).digest
    for old, new in (("[]", "[entity_list]"), ("svc-bank", "svc-shop"), ("[CN]", "[HK]")):
        assert digest != load(path, HEAD + FULL.replace(old, new) + LEAST).digest


def lines(*tenants: object) -> str:
    return "".join(json.dumps(tenant) + "\n" for tenant in tenants)


SMALL: dict[str, object] = {"id": "acct-2", "legal_name": "Small Shop", "type": "individual"}


def test_json_lines_say_the_same_as_yaml(path: Path) -> None:
    references = [{"id": "LIC-2", "kind": "consent", "valid_from": "2026-01-01"}]
    text = (
        "  - {id: acct-2, legal_name: Small Shop, type: individual, references: "
        "[{id: LIC-2, kind: consent, valid_from: 2026-01-01}]}\n"
    )
    written = load(path, HEAD + text)
    streamed = load(path.with_suffix(".jsonl"), lines(SMALL | {"references": references}))
    assert streamed == written


@pytest.mark.parametrize("text", ["2026-13-01", "soon", "2026-01-01T25:00:00Z", 2026])
def test_a_date_that_is_none_is_refused(path: Path, text: object) -> None:
    references = [{"id": "LIC-2", "kind": "consent", "valid_from": text}]
    (finding,) = findings(path.with_suffix(".jsonl"), lines(SMALL | {"references": references}))
    assert "`tenants[0]`: input should be a valid datetime" in finding


def test_mistakes_in_json_lines_have_their_line(path: Path) -> None:
    text = lines(SMALL, SMALL | {"typ": "x"}) + '{"id": "a", "id": "b"}\n\n[]\nnull\n'
    found = findings(path.with_suffix(".jsonl"), text)
    assert [one.partition(" ")[0].split(":")[-3:-1] for one in found] == [["3", "1"]]
    found = findings(path.with_suffix(".jsonl"), lines(SMALL, SMALL | {"typ": "x"}, [], SMALL))
    assert [one.splitlines()[0].split(".jsonl:")[-1] for one in found] == [
        "2:1: unknown key `typ`",
        "3:1: `tenants[2]`: must be a mapping",
    ]


def test_an_api_key_hash_is_keyed() -> None:
    assert api_key_hash("fgk_x", SECRETS_KEY) != api_key_hash("fgk_x", b"o" * 32)

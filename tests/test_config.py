"""The settings: file and variables to one frozen value, or every mistake at once."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.config.environment import VARIABLES, environment
from gateway.config.fields import Secret
from gateway.config.settings import (
    AwsCredential,
    BearerCredential,
    HeaderCredential,
    NoCredential,
    Settings,
    restart_only_differences,
    schema,
)
from gateway.errors import ConfigError
from gateway.sources.catalogs import load_catalog
from gateway.sources.settings import load_settings_file

MINIMAL = """
upstreams:
  - name: rekognition
    provider: aws_rekognition
    hosts: [rekognition.us-east-1.amazonaws.com, "127.0.0.1:8080"]
    url: https://rekognition.us-east-1.amazonaws.com
    credential: {aws: {access_key_id: env:AK, secret_access_key: env:SK, region: us-east-1}}
tenants: tenants.yaml
policies: policies
audit: {dir: audit, origin: gw.example/audit}
"""
ENVIRON = {"AK": "AKIDEXAMPLE", "SK": "wJalrXUtnFEMI"}

Load = Callable[..., Settings]
Mistakes = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str = MINIMAL, environ: Mapping[str, str] = ENVIRON) -> Settings:
        file = tmp_path / "gateway.yaml"
        file.write_text(textwrap.dedent(text))
        return load_settings_file(file, environ)

    return load_text


@pytest.fixture
def mistakes(load: Load, tmp_path: Path) -> Mistakes:
    def mistakes_in(text: str = MINIMAL, environ: Mapping[str, str] = ENVIRON) -> str:
        with pytest.raises(ConfigError) as caught:
            load(text, environ)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return mistakes_in


def test_what_is_not_set_has_the_documented_value(load: Load) -> None:
    settings = load()
    assert (settings.listen.host, settings.listen.port) == ("127.0.0.1", 8080)
    assert (settings.admin.host, settings.admin.port) == ("127.0.0.1", 8081)
    assert settings.admin.token is None
    assert settings.trusted_proxies == ()
    assert settings.networks.max_age == timedelta(days=14)
    assert settings.audit.retention_days == 3650
    assert settings.limits.body_bytes == 12582912
    assert settings.limits.header_bytes == 32768
    assert settings.limits.inspection_memory_bytes == 268435456
    assert (settings.limits.header_timeout_s, settings.limits.body_timeout_s) == (10, 30)
    assert (settings.state, settings.workers) == ("memory", 1)


def test_relative_paths_count_from_the_directory_of_the_file(load: Load, tmp_path: Path) -> None:
    settings = load(MINIMAL + "networks: {country: /var/lib/country.mmdb}\n")
    assert settings.tenants == tmp_path / "tenants.yaml"
    assert settings.policies.dir == tmp_path / "policies"
    assert settings.audit.dir == tmp_path / "audit"
    assert settings.networks.country == Path("/var/lib/country.mmdb")


def test_trusted_proxies_are_networks(load: Load) -> None:
    settings = load(MINIMAL + "trusted_proxies: [127.0.0.2/32, 10.0.0.0/8, 'fd00::/8', 10.0.0.1]\n")
    assert settings.trusted_proxies == tuple(
        ip_network(text) for text in ("127.0.0.2/32", "10.0.0.0/8", "fd00::/8", "10.0.0.1/32")
    )


@pytest.mark.parametrize(
    "given", ["10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33", "proxy.example", "5", "null"]
)
def test_a_trusted_proxy_that_is_no_network_or_every_network_is_refused(
    mistakes: Mistakes, given: str
) -> None:
    found = mistakes(MINIMAL + f"trusted_proxies: ['192.0.2.0/24', {given}]\n")
    assert found.startswith("gateway.yaml:11:35: `trusted_proxies[1]`: ")
    assert "\n" not in found


def test_a_credential_is_one_of_the_kinds_that_have_a_signer(load: Load) -> None:
    def chosen(credential: str) -> object:
        text = MINIMAL.replace(
            "{aws: {access_key_id: env:AK, secret_access_key: env:SK, region: us-east-1}}",
            credential,
        )
        return load(text).upstreams[0].credential.chosen

    aws = load().upstreams[0].credential.chosen
    assert isinstance(aws, AwsCredential)
    assert (aws.access_key_id.reveal(), aws.secret_access_key.reveal()) == (
        "AKIDEXAMPLE",
        ENVIRON["SK"],
    )
    assert (aws.region, aws.service, aws.session_token) == ("us-east-1", "rekognition", None)
    header = chosen("{header: {name: Ocp-Apim-Subscription-Key, value: env:SK}}")
    assert isinstance(header, HeaderCredential)
    assert (header.name, header.value.reveal()) == ("Ocp-Apim-Subscription-Key", ENVIRON["SK"])
    bearer = chosen("{bearer: {token: env:SK}}")
    assert isinstance(bearer, BearerCredential)
    assert bearer.token.reveal() == ENVIRON["SK"]
    assert isinstance(chosen("none"), NoCredential)
    assert isinstance(chosen("{none: {}}"), NoCredential)


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        ("{query: {key: plain}}", "`upstreams[0].credential.query.key`: a secret is given as"),
        ("{form: {}}", "`upstreams[0].credential.form`: "),
        ("{form: {'a b': env:SK}}", "`upstreams[0].credential.form.a b`: input should be the name"),
        ("{tc3: {}}", "`upstreams[0].credential.tc3`: its signer is not written yet"),
        ("{none: {}, bearer: {token: env:SK}}", "`upstreams[0].credential`: exactly one of"),
        ("{}", "`upstreams[0].credential`: exactly one of"),
        ("{header: {name: 'a b', value: env:SK}}", "`upstreams[0].credential.header.name`: input"),
        ("{bearer: {token: plain-text}}", "`upstreams[0].credential.bearer.token`: a secret is"),
        ("{bearer: {token: env:NOT_SET}}", "environment variable `NOT_SET` is not set"),
    ],
)
def test_a_credential_that_cannot_be_used_is_refused(
    mistakes: Mistakes, credential: str, message: str
) -> None:
    found = mistakes(
        MINIMAL.replace(
            "{aws: {access_key_id: env:AK, secret_access_key: env:SK, region: us-east-1}}",
            credential,
        )
    )
    assert message in found
    assert "plain-text" not in found


def test_a_secret_comes_from_a_file_beside_the_settings(load: Load, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-of-a-file\n")
    settings = load(MINIMAL + "admin: {token: 'file:token'}\n")
    assert settings.admin.token == Secret("s3cret-of-a-file")


def test_no_secret_is_ever_shown(load: Load) -> None:
    settings = load()
    for shown in (repr(settings), str(settings), settings.meaning().decode(), settings.digest):
        assert ENVIRON["SK"] not in shown
        assert ENVIRON["AK"] not in shown
    assert "Secret(…)" in repr(settings)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("file:absent", "`absent` cannot be read: no such file or directory"),
        ("file:.", "is not a regular file"),
        ("file:empty", "what `file:empty` refers to is empty"),
        ("file:binary", "does not hold UTF-8 text"),
        ("file:long", "is longer than 65536 bytes"),
        ("env:", "a secret is given as `env:NAME` or `file:PATH`"),
        ("env:EMPTY", "what `env:EMPTY` refers to is empty"),
        ("vault:x", "a secret is given as `env:NAME` or `file:PATH`"),
        ("7", "a secret is given as `env:NAME` or `file:PATH`"),
    ],
)
def test_a_secret_that_cannot_be_fetched_is_a_mistake(
    mistakes: Mistakes, tmp_path: Path, reference: str, message: str
) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_text("x" * 70_000)
    found = mistakes(MINIMAL + f"admin: {{token: {reference}}}\n", {**ENVIRON, "EMPTY": ""})
    assert found.startswith("gateway.yaml:11:16: `admin.token`: ")
    assert message in found


@pytest.mark.parametrize(
    "encode",
    [
        bytes.hex,
        lambda key: base64.b64encode(key).decode(),
        lambda key: base64.urlsafe_b64encode(key).decode().rstrip("="),
    ],
    ids=["hexadecimal", "base64", "base64url"],
)
def test_the_secrets_key_is_32_bytes_in_any_usual_writing(
    load: Load, mistakes: Mistakes, encode: Callable[[bytes], str]
) -> None:
    text = MINIMAL + "identity: {secrets_key: env:FACEGATE_SECRETS_KEY}\n"
    key = bytes(range(200, 232))
    settings = load(text, {**ENVIRON, "FACEGATE_SECRETS_KEY": encode(key)})
    assert settings.identity.secrets_key_bytes == key
    found = mistakes(text, {**ENVIRON, "FACEGATE_SECRETS_KEY": encode(key[1:])})
    assert found.startswith("gateway.yaml:11:25: `identity.secrets_key`: ")
    assert encode(key[1:]) not in found


def test_without_a_secrets_key_there_are_no_bytes_of_one(load: Load) -> None:
    assert load().identity.secrets_key_bytes is None


def test_every_mistake_is_reported_at_once_with_its_place(mistakes: Mistakes) -> None:
    found = mistakes(
        """\
        listen: {host: 127.0.0.1, port: "8080"}
        admin: {port: 8080}
        upstreams:
          - name: one
            provider: aws_rekognition
            hosts: [a.example]
            url: http://a.example
            credential: none
          - name: one
            provider: aws_rekognition
            hosts: [A.example, a.example]
            url: https://a.example/path
            credential: {form: {}}
        identity:
          issuers:
            - {issuer: i, jwks: 'http://idp.example/', audience: a, algorithms: [RS256, HS256]}
          mtls: on
        polices: policies
        policies: policies
        lists: {dir: lists}
        audit: {dir: audit, origin: https://gw.example, durability: best_effort, witness: [w]}
        state: redis://127.0.0.1
        workers: 4
        limits: {body_bytes: 268435456, inspection_memory_bytes: 1048576}
        """
    ).splitlines()
    places = [line.partition(": ")[0] for line in found if not line.startswith(" ")]
    assert places == [
        "gateway.yaml:1:1",  # tenants is missing
        "gateway.yaml:1:33",  # a quoted number
        "gateway.yaml:7:10",  # http
        "gateway.yaml:9:11",  # the name again
        "gateway.yaml:11:13",  # a host in capitals
        "gateway.yaml:11:24",  # the host again
        "gateway.yaml:12:10",  # a path in the URL
        "gateway.yaml:13:24",  # no signer
        "gateway.yaml:16:25",  # http
        "gateway.yaml:16:73",  # two families
        "gateway.yaml:17:9",
        "gateway.yaml:18:1",
        "gateway.yaml:20:8",
        "gateway.yaml:21:29",
        "gateway.yaml:21:61",
        "gateway.yaml:21:83",
        "gateway.yaml:22:8",
        "gateway.yaml:23:10",
        "gateway.yaml:24:58",
    ]
    assert "    hint: did you mean `policies`?" in found


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("listen: {port: 9000}\nadmin: {port: 9000}\n", "`admin.port`: 9000 is `listen.port` too"),
        ("admin: {port: 8080}\n", "`admin.port`: 8080 is `listen.port` too"),
        ("listen: {port: 8081}\n", "8081 is `listen.port` too"),
        ("listen: {proxy_protocol: v2}\n", "the PROXY protocol is not available yet"),
        ("networks: {city: city.mmdb}\n", "sub-regions by network are not available yet"),
        ("networks: {country: 7}\n", "`networks.country`: input should be a path"),
        ("networks: {max_age_days: 0}\n", "input should be greater than or equal to 1"),
        ("admin: {hosts: ['localhost:8081']}\n", "`admin.hosts[0]`: input should be a lower-case"),
        ("workers: true\n", "`workers`: "),
        ("upstreams: []\n", "`upstreams`: at least one entry should stand here"),
    ],
)
def test_a_setting_that_does_not_hold_is_refused(
    mistakes: Mistakes, more: str, message: str
) -> None:
    whole = MINIMAL.replace("upstreams:", "x-upstreams:") if "upstreams" in more else MINIMAL
    assert message in mistakes(whole + more)


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("https://face.example", True),
        ("https://face.example:8443/", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("http://localhost", True),
        ("http://192.0.2.1", False),
        ("http://localhost.example", False),
        ("https://user@face.example", False),
        ("https://face.example/base", False),
        ("https://face.example?a=b", False),
        ("https://face.example#a", False),
        ("https://", False),
        ("https://face.example:0", False),
        ("https://face.example:66000", False),
        ("https://[::1", False),
        ("ftp://face.example", False),
        ("face.example", False),
    ],
)
def test_an_upstream_is_reached_by_https_or_over_loopback(
    load: Load, mistakes: Mistakes, url: str, *, holds: bool
) -> None:
    text = MINIMAL.replace(
        "url: https://rekognition.us-east-1.amazonaws.com", f"url: {json.dumps(url)}"
    )
    if holds:
        assert load(text).upstreams[0].url == url
    else:
        assert mistakes(text).startswith("gateway.yaml:6:10: `upstreams[0].url`: ")


def test_an_issuer_is_read_as_it_stands(load: Load) -> None:
    settings = load(
        MINIMAL
        + """
identity:
  issuers:
    - issuer: https://idp.example
      jwks: https://idp.example/jwks.json
      audience: face-gateway
      algorithms: [RS256, RS512]
  sigv4: off
"""
    )
    (issuer,) = settings.identity.issuers
    assert issuer.issuer == "https://idp.example"
    assert issuer.algorithms == ("RS256", "RS512")
    assert issuer.max_stale_s == 86400
    assert (settings.identity.api_keys, settings.identity.sigv4) == ("tenants", "off")


def test_settings_may_be_made_from_values_of_their_own_kinds(load: Load) -> None:
    settings = load(MINIMAL + "trusted_proxies: [10.0.0.0/8]\nadmin: {token: env:AK}\n")
    again = {name: getattr(settings, name) for name in Settings.model_fields}
    again["admin"] = {"token": Secret("AKIDEXAMPLE")}
    again["trusted_proxies"] = settings.trusted_proxies
    again["tenants"] = Path("tenants.yaml")
    made = Settings.model_validate(again)
    assert made.tenants == Path("tenants.yaml")
    assert made.digest == settings.digest
    assert made.admin == settings.admin


def test_ports_that_the_system_picks_do_not_clash(load: Load) -> None:
    settings = load(MINIMAL + "listen: {port: 0}\nadmin: {port: 0}\n")
    assert (settings.listen.port, settings.admin.port) == (0, 0)


def test_a_file_that_is_no_mapping_or_absent_is_refused(mistakes: Mistakes, tmp_path: Path) -> None:
    assert "input should be a mapping" in mistakes("[1, 2]")
    assert "input should be a mapping" in mistakes("")
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        load_settings_file(tmp_path / "absent.yaml", {})


def test_a_variable_wins_over_the_file(load: Load) -> None:
    settings = load(
        MINIMAL + "listen: {host: 127.0.0.1, port: 8000}\nadmin: {token: env:AK}\n",
        {
            **ENVIRON,
            "FACEGATE_LISTEN__PORT": "9000",
            "FACEGATE_TRUSTED_PROXIES": '["127.0.0.2/32"]',
            "FACEGATE_NETWORKS__COUNTRY": "/data/country.mmdb",
            "FACEGATE_LIMITS": '{"header_timeout_s": 2.5}',
            "FACEGATE_LIMITS__BODY_TIMEOUT_S": "3",
            "FACEGATE_ADMIN__TOKEN": "",
        },
    )
    assert (settings.listen.host, settings.listen.port) == ("127.0.0.1", 9000)
    assert settings.trusted_proxies == (ip_network("127.0.0.2/32"),)
    assert settings.networks.country == Path("/data/country.mmdb")
    assert (settings.limits.header_timeout_s, settings.limits.body_timeout_s) == (2.5, 3)
    assert settings.admin.token is None


def test_the_variables_alone_may_say_everything(load: Load) -> None:
    upstream = {
        "name": "face",
        "provider": "azure_face",
        "hosts": ["face.gw.example"],
        "url": "https://face.example",
        "credential": {"bearer": {"token": "env:FACEGATE_BEARER"}},
    }
    settings = load(
        "# nothing here\n",
        {
            "FACEGATE_UPSTREAMS": json.dumps([upstream]),
            "FACEGATE_TENANTS": "tenants.yaml",
            "FACEGATE_POLICIES": "policies",
            "FACEGATE_AUDIT__DIR": "audit",
            "FACEGATE_AUDIT__ORIGIN": "gw.example/audit",
            "FACEGATE_BEARER": "t",
        },
    )
    assert settings.upstreams[0].provider == "azure_face"


def test_a_mistake_in_a_variable_names_the_variable(mistakes: Mistakes) -> None:
    found = mistakes(
        MINIMAL + "listen: {port: 8000, hots: x}\nnetworks: 5\n",
        {
            **ENVIRON,
            "FACEGATE_LISTEN__PORT": "http",
            "FACEGATE_LIMITS": '{"body_bytes": 5, "x": 1}',
            "FACEGATE_POLICES": "policies",
            "FACEGATE_UPSTREAMS__0__URL": "https://a.example",
            "FACEGATE_NETWORKS__MAX_AGE_DAYS": "3",
            "FACEGATE_ADMIN_TOKEN": "known by name",
            "OTHER": "not ours",
        },
    )
    assert [line for line in found.splitlines() if not line.startswith(" ")] == [
        "FACEGATE_LISTEN__PORT: `listen.port`: input should be a valid integer",
        "FACEGATE_LIMITS: `limits.body_bytes`: input should be greater than or equal to 1024",
        "FACEGATE_LIMITS: unknown key `x`",
        "gateway.yaml:11:22: unknown key `hots`",
        "gateway.yaml:12:11: `networks`: input should be a mapping",
        "FACEGATE_POLICES: is not a setting",
        "FACEGATE_UPSTREAMS__0__URL: is not a setting",
    ]
    assert "    hint: did you mean `FACEGATE_POLICIES`?" in found


def test_every_key_has_a_variable_of_its_own() -> None:
    assert VARIABLES["FACEGATE_LISTEN__PORT"].loc == ("listen", "port")
    assert VARIABLES["FACEGATE_IDENTITY__SECRETS_KEY"].text
    assert not VARIABLES["FACEGATE_UPSTREAMS"].text
    sections = {variable.loc[0] for variable in VARIABLES.values()}
    assert sections == set(Settings.model_fields)


def test_the_environment_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEGATE_STATE", "memory")
    copy = environment()
    monkeypatch.setenv("FACEGATE_STATE", "other")
    assert copy["FACEGATE_STATE"] == "memory"


def test_the_digest_is_over_the_meaning_alone(load: Load) -> None:
    before = load()
    assert load(MINIMAL, {"AK": "another", "SK": "secret"}).digest == before.digest
    assert load(MINIMAL.replace("dir: audit", "dir: elsewhere")).digest == before.digest
    assert load("# a comment\n" + MINIMAL).digest == before.digest
    assert load(MINIMAL + "trusted_proxies: [10.0.0.0/8]\n").digest != before.digest
    assert before.digest.startswith("sha256:")
    assert len(before.digest) == len("sha256:") + 64


def test_what_needs_a_restart_is_named(load: Load) -> None:
    before = load()
    reloadable = load(
        MINIMAL + "trusted_proxies: [10.0.0.0/8]\nlimits: {body_timeout_s: 5}\n",
        {"AK": "another", "SK": "secret"},
    )
    assert restart_only_differences(before, reloadable) == ()
    changed = load(
        MINIMAL.replace("dir: audit", "dir: elsewhere")
        + "admin: {token: env:AK}\nlisten: {port: 1}\n"
    )
    assert restart_only_differences(before, changed) == ("listen", "admin", "audit")
    rotated = load(MINIMAL + "admin: {token: env:SK}\n")
    assert restart_only_differences(load(MINIMAL + "admin: {token: env:AK}\n"), rotated) == (
        "admin",
    )


def test_the_schema_tells_an_editor_every_key() -> None:
    described = schema()
    properties = described["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == set(Settings.model_fields)
    assert described["additionalProperties"] is False
    assert '"pattern": "^(env|file):.+"' in json.dumps(described)


def test_tls_needs_a_certificate_and_a_key_that_fit(
    load: Load, mistakes: Mistakes, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        _write_certificate(tmp_path, name)
    text = MINIMAL + "listen: {tls: {cert: one.pem, key: KEY.key}}\n"
    tls = load(text.replace("KEY", "one")).listen.tls
    assert tls is not None
    assert tls.context().get_ca_certs() == []
    assert "certificate and key cannot be used: key values mismatch" in mistakes(
        text.replace("KEY", "two")
    )
    assert "certificate or key cannot be read: no such file" in mistakes(text)
    (tmp_path / "KEY.key").write_text("no key\n")
    assert "certificate and key cannot be used: " in mistakes(text)
    assert "`listen.tls.client_ca`: client certificates are not available yet" in mistakes(
        text.replace("KEY.key", "one.key, client_ca: ca.pem")
    )


def _write_certificate(directory: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    (directory / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.mark.parametrize(
    ("provider", "credential", "hint"),
    [
        ("aws_rekognition", "{bearer: {token: env:AK}}", "it knows them by `aws`"),
        ("google_batch", "{bearer: {token: env:AK}}", "judged, not forwarded"),
        ("aws_rekognition", "none", ""),
    ],
)
def test_a_credential_that_a_provider_does_not_know_is_a_mistake(
    tmp_path: Path, provider: str, credential: str, hint: str
) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(
        "tenants: tenants.yaml\npolicies: policies\n"
        "audit: {dir: audit, origin: gw.example/audit}\n"
        "upstreams:\n"
        f"  - {{name: one, provider: {provider}, hosts: [one.example],"
        f" url: https://one.example, credential: {credential}}}\n"
    )
    providers = load_catalog().providers
    if not hint:
        assert load_settings_file(config, {"AK": "k"}, providers=providers).upstreams
        return
    with pytest.raises(ConfigError) as refused:
        load_settings_file(config, {"AK": "k"}, providers=providers)
    (finding,) = refused.value.findings
    assert finding.line == 5
    assert "does not know its callers in this way" in finding.message
    assert hint in finding.hint


def test_a_name_under_which_a_provider_looks_for_no_key_is_a_mistake(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(
        "tenants: tenants.yaml\npolicies: policies\n"
        "audit: {dir: audit, origin: gw.example/audit}\n"
        "upstreams:\n"
        "  - name: one\n    provider: facepp\n    hosts: [one.example]\n"
        "    url: https://one.example\n"
        "    credential: {form: {api_key: env:AK, api_secrets: env:AK}}\n"
    )
    with pytest.raises(ConfigError) as refused:
        load_settings_file(config, {"AK": "k"}, providers=load_catalog().providers)
    (finding,) = refused.value.findings
    assert finding.line == 9
    assert "`facepp` looks for no key in `api_secrets`" in finding.message
    assert finding.hint == "it looks in `api_key`, `api_secret`"

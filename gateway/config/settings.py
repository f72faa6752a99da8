"""What the keys of `gateway.yaml` mean, in the order of the contracts' section 2.

What a later version will bring is refused in words: nothing is accepted that is not done.
"""

from __future__ import annotations

import hashlib
import json
import ssl
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gateway.config.fields import (
    AtLeastOne,
    BareHost,
    Days,
    HeaderName,
    Host,
    LogOrigin,
    Many,
    Name,
    NamedSecrets,
    PathPrefix,
    Port,
    ProxyNetwork,
    Seconds,
    Secret,
    SecretText,
    ServerUrl,
    SettingsPath,
    Url,
    Visible,
    decode_key,
    later,
)
from gateway.config.model import Model
from gateway.config.policies import PolicySettings
from gateway.core.identity.jwt import one_family
from gateway.errors import words_of

RESTART_KEYS: Final = ("listen", "admin", "audit", "state", "state_dir", "workers")


class Tls(Model):
    """Certificate chain and key of the data listener, PEM files; read at start."""

    cert: SettingsPath
    key: SettingsPath
    client_ca: Annotated[None, later("client certificates are not available yet")] = None

    def context(self) -> ssl.SSLContext:
        """Make the server's context: TLS 1.2 and newer, HTTP/1.1.

        Raises:
            OSError: a file cannot be read or does not fit the other (`ssl.SSLError`).
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.cert, self.key, password=lambda: "")
        context.set_alpn_protocols(["http/1.1"])
        return context

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            self.context()
        except ssl.SSLError as error:
            words = (error.reason or "not PEM").lower().replace("_", " ")
            raise ValueError(f"certificate and key cannot be used: {words}") from None
        except OSError as error:
            raise ValueError(f"certificate or key cannot be read: {words_of(error)}") from None
        return self


class Listen(Model):
    """Where callers connect."""

    host: str = "127.0.0.1"
    port: Port = 8080
    tls: Tls | None = None
    proxy_protocol: Annotated[
        Literal["off"], later("the PROXY protocol is not available yet", unless="off")
    ] = "off"


class Admin(Model):
    """The second listener: metrics, health, admin API. Without a token it is read-only.

    `hosts` are the names, without port, by which it may be addressed.
    """

    host: str = "127.0.0.1"
    port: Port = 8081
    token: SecretText | None = None
    hosts: Many[BareHost] = ("localhost", "127.0.0.1")


class AwsCredential(Model):
    """Requests are signed anew with SigV4 for this key."""

    access_key_id: SecretText
    secret_access_key: SecretText
    region: Visible
    service: Visible = "rekognition"
    session_token: SecretText | None = None


class HeaderCredential(Model):
    """A key in a header of its own, e.g. `Ocp-Apim-Subscription-Key`."""

    name: HeaderName
    value: SecretText


class BearerCredential(Model):
    """A token in `Authorization: Bearer`."""

    token: SecretText


class NoCredential(Model):
    """The provider asks for none, or a proxy behind the gateway adds it."""


_UNWRITTEN: Final = later("its signer is not written yet")


class Credential(Model):
    """As whom the gateway speaks to a provider: exactly one of its keys is set; or `none` alone.

    `query` and `form` hold parameters and fields by name, e.g. `{api_key: env:KEY}`.
    """

    aws: AwsCredential | None = None
    header: HeaderCredential | None = None
    bearer: BearerCredential | None = None
    none: NoCredential | None = None
    query: NamedSecrets | None = None
    form: NamedSecrets | None = None
    tc3: Annotated[None, _UNWRITTEN] = None
    acs3: Annotated[None, _UNWRITTEN] = None
    huawei: Annotated[None, _UNWRITTEN] = None
    oci: Annotated[None, _UNWRITTEN] = None

    @property
    def chosen(self) -> AwsCredential | HeaderCredential | BearerCredential | NoCredential:
        """The one that is set, where it is neither `query` nor `form`."""
        return self.aws or self.header or self.bearer or NoCredential()

    @model_validator(mode="before")
    @classmethod
    def _none_alone(cls, given: object) -> object:
        return {"none": {}} if given == "none" else given

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "exactly one of `aws`, `header`, `bearer`, `query`, `form` and `none` should be set"
            )
        return self


class Upstream(Model):
    """One provider endpoint, and as whom the gateway speaks to it.

    Attributes:
        name: stands in records and metrics.
        provider: catalogue name, e.g. `aws_rekognition`.
        hosts: values of the Host header that select it, with or without port.
        url: scheme, host and port; http to the loopback interface only.
        path_prefix: selects it together with the host, and is taken off: what SDKs keep of an
            endpoint with a path.
        credential: as whom.
        timeout_s: for the whole exchange, in seconds.
        max_connections: at most as many at once.
        ca: PEM file of the authorities to trust instead of the system's.
    """

    name: Name
    provider: Name
    hosts: AtLeastOne[Host]
    url: ServerUrl
    path_prefix: PathPrefix = ""
    credential: Credential
    timeout_s: Seconds = 30
    max_connections: Annotated[int, Field(ge=1, le=65535)] = 256
    ca: SettingsPath | None = None


class Issuer(Model):
    """A token issuer, and where its keys are.

    Attributes:
        issuer: exact `iss` of its tokens.
        jwks: URL of its key set; http to the loopback interface only.
        audience: `aud` that its tokens must hold.
        algorithms: what it signs with, of one family.
        max_stale_s: how old its keys may become while it cannot be reached.
    """

    issuer: Visible
    jwks: Url
    audience: Annotated[str, Field(min_length=1)]
    algorithms: Many[str]
    max_stale_s: Annotated[float, Field(gt=0)] = 86400

    @field_validator("algorithms")
    @classmethod
    def _one_family(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        if not one_family(frozenset(algorithms)):
            raise ValueError(
                "input should be of one family: RS256/384/512, PS256/384/512, ES256/384/512, EdDSA"
            )
        return algorithms


class IdentitySettings(Model):
    """How callers prove who they are; API keys and access keys stand in the tenant file.

    `secrets_key` is 32 bytes, in 64 hexadecimal digits or base64.
    """

    issuers: Many[Issuer] = ()
    api_keys: Literal["tenants", "off"] = "tenants"
    sigv4: Literal["tenants", "off"] = "tenants"
    mtls: Annotated[
        Literal["off"], later("client certificates are not available yet", unless="off")
    ] = "off"
    secrets_key: SecretText | None = None

    @property
    def secrets_key_bytes(self) -> bytes | None:
        """The 32 bytes, where there is a secrets key."""
        return None if self.secrets_key is None else decode_key(self.secrets_key.reveal())

    @field_validator("secrets_key")
    @classmethod
    def _of_a_key(cls, secret: Secret | None) -> Secret | None:
        if secret is not None:
            decode_key(secret.reveal())
        return secret


class NetworkSettings(Model):
    """The network databases, MaxMind DB files."""

    country: SettingsPath | None = None
    city: Annotated[None, later("sub-regions by network are not available yet")] = None
    anonymous: SettingsPath | None = None
    max_age_days: Days = 14

    @property
    def max_age(self) -> timedelta:
        """Age after which look-ups are marked `stale`."""
        return timedelta(days=self.max_age_days)


class AuditSettings(Model):
    """Where decisions are recorded, under which name, for how long."""

    dir: SettingsPath
    origin: LogOrigin
    durability: Annotated[
        Literal["strict"], later("only `strict` is available yet", unless="strict")
    ] = "strict"
    signing_key: Annotated[None, later("signed checkpoints are not available yet")] = None
    pseudonym_key: Annotated[None, later("pseudonyms are not available yet")] = None
    witness: Annotated[
        tuple[()], Field(strict=False), later("witnesses are not available yet", unless=[])
    ] = ()
    retention_days: Days = 3650


class LimitSettings(Model):
    """How much and how long, in bytes and seconds."""

    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 12582912
    header_bytes: Annotated[int, Field(ge=1024, le=1 << 20)] = 32768
    inspection_memory_bytes: Annotated[int, Field(ge=1 << 20)] = 268435456
    header_timeout_s: Seconds = 10
    body_timeout_s: Seconds = 30
    drain_delay_s: Annotated[float, Field(ge=0, le=3600)] = 5

    @field_validator("inspection_memory_bytes")
    @classmethod
    def _holds_a_body(cls, memory: int, info: ValidationInfo) -> int:
        if memory < info.data.get("body_bytes", 0):
            raise ValueError("input should be at least `body_bytes`")
        return memory


class Settings(Model):
    """Everything that an operator sets, once; relative paths count from the file's directory."""

    listen: Listen = Listen()
    admin: Admin = Admin()
    trusted_proxies: Many[ProxyNetwork] = ()
    upstreams: AtLeastOne[Upstream]
    identity: IdentitySettings = IdentitySettings()
    tenants: SettingsPath
    networks: NetworkSettings = NetworkSettings()
    lists: Annotated[None, later("lists are not read yet; `listed` in the tenant file is")] = None
    policies: PolicySettings
    audit: AuditSettings
    state: Annotated[
        Literal["memory"], later("only `memory` is available yet", unless="memory")
    ] = "memory"
    state_dir: SettingsPath = Field(default="state", validate_default=True)
    workers: Annotated[Literal[1], later("more than one worker is not available yet", unless=1)] = 1
    limits: LimitSettings = LimitSettings()

    def meaning(self) -> bytes:
        """Return the settings as canonical JSON, without secrets and paths."""
        return json.dumps(
            {"facegate": "settings/v1", **self.model_dump(mode="json")},
            sort_keys=True,
            separators=(",", ":"),
        ).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the meaning, `sha256:` and 64 hex digits."""
        return "sha256:" + hashlib.sha256(self.meaning()).hexdigest()


def restart_only_differences(old: Settings, new: Settings) -> tuple[str, ...]:
    """Return the keys that differ and need a restart, in the order of the file."""
    return tuple(key for key in RESTART_KEYS if getattr(old, key) != getattr(new, key))


def schema() -> dict[str, object]:
    """Return the JSON Schema of `gateway.yaml`, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "gateway.yaml",
    }

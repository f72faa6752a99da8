"""Writes everything that the demonstration's gateway is configured by, into one directory.

The configuration is the real one: gateway.yaml, tenants.yaml, the shipped policies, a network
database. Only the parties are invented, and every key is made on the spot and nowhere kept.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.demo.callers import Caller, write_tenants
from gateway.demo.documents import GATEWAY_YAML, TIGHTENING_YAML
from gateway.demo.networks import write_networks
from gateway.demo.provider.credential import Own
from gateway.demo.samples.model import PLACES, ProviderName
from gateway.sources.packs import packs_directory
from gateway.sources.secrets_box import SECRETS_KEY_BYTES, issue_api_key

AUDIENCE = "face-gateway"
TIGHTENING = "demo-tightening.yaml"


class World(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that stands in a directory, with the secrets that belong to it.

    Attributes:
        directory: where everything stands.
        config: path of gateway.yaml.
        environ: what the configuration's `env:` references name; for the loader, never exported.
        callers: by tenant id.
        hosts: Host header that selects each provider at the gateway.
        admin_token: of the admin listener.
        unknown_api_key: well formed, and issued by nobody.
    """

    directory: Path
    config: Path
    environ: Mapping[str, str]
    callers: Mapping[str, Caller]
    hosts: Mapping[ProviderName, str]
    admin_token: str
    unknown_api_key: str

    @property
    def policies(self) -> Path:
        """The directory of policy files, which may be edited while the gateway runs."""
        return self.directory / "policies"

    def __repr__(self) -> str:
        """Name no secret."""
        return f"World({str(self.directory)!r})"


def fresh_own() -> Own:
    """Make the credentials that the gateway has at the simulated providers."""
    return Own(
        access_key_id="AKIDEMO" + secrets.token_hex(8).upper(),
        secret_access_key=secrets.token_urlsafe(30),
        region="us-east-1",
        subscription_key=secrets.token_hex(16),
    )


# They are for `facegate test`, and most of what stands beside the packs.
_CASES = shutil.ignore_patterns("*.cases.yaml")


def build_world(
    directory: Path,
    *,
    gateway_port: int,
    admin_port: int,
    provider_url: str,
    issuer_url: str,
    jwks_url: str,
    own: Own,
) -> World:
    """Write the configuration into an existing, empty directory.

    Args:
        directory: where to.
        gateway_port: of the data listener; SDKs are pointed at `127.0.0.1` for Rekognition and at
            `localhost` for Azure Face, because upstreams are chosen by host.
        admin_port: of the admin listener.
        provider_url: base address of the simulated provider.
        issuer_url: issuer identifier of the demonstration's tokens.
        jwks_url: where the issuer's keys are.
        own: the gateway's own credentials at the provider.
    """
    secrets_key, admin_token = secrets.token_bytes(SECRETS_KEY_BYTES), secrets.token_urlsafe(24)
    hosts: dict[ProviderName, str] = {
        "aws_rekognition": f"127.0.0.1:{gateway_port}",
        "azure_face": f"localhost:{gateway_port}",
    }
    world = World(
        directory=directory,
        config=directory / "gateway.yaml",
        environ={
            "DEMO_ADMIN_TOKEN": admin_token,
            "DEMO_SECRETS_KEY": secrets_key.hex(),
            "DEMO_AWS_ID": own.access_key_id,
            "DEMO_AWS_SECRET": own.secret_access_key,
            "DEMO_AZURE_KEY": own.subscription_key,
        },
        callers=write_tenants(
            directory / "tenants.yaml", secrets_key=secrets_key, issuer_url=issuer_url
        ),
        hosts=hosts,
        admin_token=admin_token,
        unknown_api_key=issue_api_key(secrets_key).credential,
    )
    world.config.write_text(
        GATEWAY_YAML.format(
            gateway_port=gateway_port,
            admin_port=admin_port,
            aws_host=hosts["aws_rekognition"],
            azure_host=hosts["azure_face"],
            provider_url=provider_url,
            region=own.region,
            issuer_url=issuer_url,
            jwks_url=jwks_url,
            audience=AUDIENCE,
        )
    )
    write_networks(directory / "country.mmdb", _networks())
    shutil.copytree(packs_directory(), world.policies, ignore=_CASES)
    return world


def tighten(world: World) -> Path:
    """Add a rule to the running policy, as an operator would: a new file, put in place whole.

    Returns:
        The file; taking it away loosens the policy again.
    """
    target = world.policies / TIGHTENING
    draft = world.policies / f".{TIGHTENING}"
    draft.write_text(TIGHTENING_YAML)
    draft.rename(target)
    return target


def _networks() -> dict[str, str]:
    """Give each documentation address of the samples a network of 16 around it."""
    return {
        f"{address.rpartition('.')[0]}.{int(address.rpartition('.')[2]) // 16 * 16}/28": code
        for code, address in PLACES.items()
        if len(code) == len("GB")
    }

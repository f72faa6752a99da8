"""`facegate keys`: credentials for tenants, shown once."""

from __future__ import annotations

from pathlib import Path

from gateway.cli.output import EXIT_OK, EXIT_USAGE, fail
from gateway.config.environment import environment
from gateway.errors import FindingsError
from gateway.sources.secrets_box import issue_access_key, issue_api_key
from gateway.sources.settings import load_settings_file


def run_issue_api_key(config: Path) -> int:
    """Issue an API key under the configuration's secrets key."""
    secrets_key = _secrets_key(config)
    if secrets_key is None:
        return EXIT_USAGE
    issued = issue_api_key(secrets_key)
    print(f"key, shown this once:    {issued.credential}")
    print(f"credentials.api_keys:    - {{id: {issued.id}, hash: {issued.hash}}}")
    return EXIT_OK


def run_issue_access_key(config: Path) -> int:
    """Issue an AWS-style access key under the configuration's secrets key."""
    secrets_key = _secrets_key(config)
    if secrets_key is None:
        return EXIT_USAGE
    issued = issue_access_key(secrets_key)
    print(f"access key id:           {issued.id}")
    print(f"secret, shown this once: {issued.secret}")
    print(f"credentials.access_keys: - {{id: {issued.id}, secret: {issued.encrypted}}}")
    return EXIT_OK


def _secrets_key(config: Path) -> bytes | None:
    try:
        settings = load_settings_file(config, environment())
    except FindingsError as failure:
        fail(str(failure))
        return None
    if settings.identity.secrets_key_bytes is None:
        fail("`identity.secrets_key` is not set", hint="keys are kept under it; set it first")
    return settings.identity.secrets_key_bytes

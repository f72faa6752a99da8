"""`facegate keys`: a credential is shown once, and only its hash or ciphertext goes into a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.core.identity.api_key import api_key_hash
from gateway.sources.secrets_box import decrypt_secret
from tests.cli.command import ENVIRON, facegate

SECRETS_KEY = bytes.fromhex(ENVIRON["FACEGATE_SECRETS_KEY"])


def test_an_api_key_is_printed_with_the_line_that_knows_its_hash(config: Path) -> None:
    done = facegate("keys", "api", "--config", config)
    key = re.search(r"fgk_[A-Za-z0-9_-]{43}", done.out)
    stored = re.search(r"- \{id: key-[0-9a-f]{8}, hash: ([0-9a-f]{64})\}", done.out)
    assert (done.code, done.err) == (0, "")
    assert key is not None
    assert stored is not None
    assert stored[1] == api_key_hash(key[0], SECRETS_KEY)


def test_an_access_key_is_printed_with_the_line_that_holds_it_encrypted(config: Path) -> None:
    done = facegate("keys", "aws", "--config", config)
    secret = re.search(r"shown this once: (\S+)", done.out)
    stored = re.search(r"- \{id: (FGAK[A-Z0-9]{16}), secret: (\S+)\}", done.out)
    assert (done.code, done.err) == (0, "")
    assert secret is not None
    assert stored is not None
    assert decrypt_secret(stored[2], stored[1], SECRETS_KEY) == secret[1]
    assert decrypt_secret(stored[2], stored[1], bytes(32)) is None


@pytest.mark.parametrize("kind", ["api", "aws"])
def test_no_two_keys_are_alike(config: Path, kind: str) -> None:
    one, other = (facegate("keys", kind, "--config", config).out for _ in range(2))
    assert not set(re.findall(r"[\w-]{20,}", one)) & set(re.findall(r"[\w-]{20,}", other))


@pytest.mark.parametrize("kind", ["api", "aws"])
def test_without_a_secrets_key_there_is_nothing_to_keep_a_credential_under(
    config: Path, kind: str
) -> None:
    text = config.read_text()
    config.write_text(re.sub(r"^  secrets_key: .*$", "  sigv4: tenants", text, flags=re.MULTILINE))
    done = facegate("keys", kind, "--config", config)
    assert (done.code, done.out) == (2, "")
    assert "`identity.secrets_key` is not set" in done.err


@pytest.mark.parametrize("kind", ["api", "aws"])
def test_a_configuration_with_mistakes_issues_nothing(config: Path, kind: str) -> None:
    config.write_text(config.read_text().replace("port: 8080", "port: eighty"))
    done = facegate("keys", kind, "--config", config)
    assert (done.code, done.out) == (2, "")
    assert re.search(r"gateway\.yaml:\d+:\d+: `listen\.port`", done.err)

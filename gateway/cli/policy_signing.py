"""`facegate policy sign|verify`: nothing here needs a gateway, or the machine that it runs on."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.app.once import utc_now
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    Format,
    fail,
    print_findings,
    print_json,
)
from gateway.config.environment import environment
from gateway.core.policy.bundle import SIGNATURE_FILE, digest_of
from gateway.core.policy.signing import (
    Signed,
    Statement,
    approve,
    cosigned,
    read_signed,
    sign,
)
from gateway.errors import Finding, FindingsError
from gateway.sources.archives import read_offered
from gateway.sources.policies import check_contents
from gateway.sources.settings import load_settings_file

_MAX_KEY = 64 << 10
_MAX_SIGNATURE = 1 << 20


def run_sign(
    directory: Path, key: str, *, version: int | None, expires: str | None, out: Path | None
) -> int:
    """Sign a policy directory; policy with a mistake is not signed."""
    private = _private_key(key)
    contents = read_offered(directory)
    findings = check_contents(contents, str(directory), now=utc_now())
    if findings:
        return print_findings(findings, Format.text)
    target = out or _beside(directory)
    before = _signed(target)
    statement = _statement(digest_of(contents.manifest()), before, version, expires)
    kept = before.signatures if before is not None and before.statement == statement else ()
    signed = cosigned(statement, (*kept, sign(private, statement)))
    try:
        target.write_bytes(msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n")
    except OSError as error:
        raise fail(f"{target}: cannot be written: {error.strerror}") from None
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    print(f"bundle:     {signed.bundle}, {len(contents.files)} files")
    print(f"version:    {signed.version}, to be activated before {signed.expires.isoformat()}")
    print(f"signatures: {len(signed.signatures)} in {target}")
    print(f"signed by:  {public}")
    return EXIT_OK


def run_verify(directory: Path, config: Path, *, signature: Path | None, form: Format) -> int:
    """Hold a policy directory to the keys of the configuration."""
    try:
        settings = load_settings_file(config, environment())
    except FindingsError as failure:
        raise fail(str(failure)) from None
    signing = settings.policies.signers
    if signing is None:
        raise fail(f"{config}: has no `policies.signing`", hint="name the keys that are trusted")
    contents = read_offered(directory)
    if contents.findings:
        return print_findings(contents.findings, form)
    bundle = digest_of(contents.manifest())
    signed = _signed(signature or _beside(directory))
    try:
        signers = approve(signed, bundle=bundle, signing=signing, now=utc_now())
    except ValueError as reason:
        finding = Finding(path=str(directory), line=0, column=0, message=str(reason))
        return print_findings((finding,), form)
    version = None if signed is None else signed.version
    if form is Format.json:
        print_json({"bundle": bundle, "version": version, "signers": signers})
    elif signed is None:
        print(f"{directory}: not signed, and need not be: {bundle}")
    else:
        print(f"{directory}: version {version}, signed by {', '.join(signers)}: {bundle}")
    return EXIT_OK


def _private_key(given: str) -> Ed25519PrivateKey:
    kind, _, name = given.partition(":")
    try:
        if kind == "env" and name:
            text = environment().get(name, "").encode()
        else:
            with Path(given).open("rb") as file:
                text = file.read(_MAX_KEY)
        key = load_pem_private_key(text, password=None)
    except OSError as error:
        raise fail(f"{given}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        hint = "make one: openssl genpkey -algorithm ed25519 -out KEY"
        raise fail(f"{given}: holds no Ed25519 private key in PEM without a password", hint=hint)
    return key


def _beside(directory: Path) -> Path:
    if not directory.is_dir():
        raise fail(f"{directory}: is no directory", hint="name the signature file with `--out`")
    return directory / SIGNATURE_FILE


def _signed(path: Path) -> Signed | None:
    """Read a signature file, where there is one."""
    try:
        with path.open("rb") as file:
            return read_signed(file.read(_MAX_SIGNATURE))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise fail(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise fail(
            f"{path}: {error}", hint="remove it, and sign anew", code=EXIT_FINDINGS
        ) from None


def _statement(
    bundle: str, before: Signed | None, version: int | None, expires: str | None
) -> Statement:
    """Return what is to be signed; what is not said is as it was signed before."""
    if (version is None) is not (expires is None):
        raise fail("`--version` and `--expires` go together")
    if version is not None and expires is not None:
        if version < 1:
            raise fail("`--version` should be 1 or more")
        return Statement(bundle=bundle, version=version, expires=_time(expires))
    if before is None:
        raise fail("nothing is signed yet", hint="name `--version` and `--expires`")
    if before.bundle != bundle:
        raise fail(
            f"another bundle was signed, {before.bundle}; this is {bundle}",
            hint="a changed policy is a new version: name `--version` and `--expires`",
            code=EXIT_FINDINGS,
        )
    return before.statement


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise fail(f"`{text}` is no date or time", hint="like 2027-06-30") from None

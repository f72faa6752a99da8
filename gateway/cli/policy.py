"""`facegate policy activate|rollback|history|export`.

A command that moves the policy does it on the state directory while no gateway runs there; where
one does, it asks that gateway through its admin listener, with the token of the configuration.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
from pathlib import Path
from typing import Literal

import aiohttp
import msgspec

from gateway.app.offline import move
from gateway.app.once import utc_now
from gateway.cli.output import EXIT_FINDINGS, EXIT_OK, Format, fail, print_json
from gateway.config.environment import environment
from gateway.config.settings import Settings
from gateway.console.admin import ReloadReport
from gateway.console.policy import PolicyRequest, Wish
from gateway.core.policy.activation import Step
from gateway.core.policy.signing import Signed, read_signed
from gateway.errors import FindingsError, SourceError
from gateway.sources.activations import HeldError, policy_directory, read_history
from gateway.sources.bundles import Bundles
from gateway.sources.settings import load_settings_file

_PATIENCE_S = 120.0
_MAX_SIGNATURE = 1 << 20


def run_move(
    config: Path,
    action: Literal["activate", "rollback"],
    bundle: str | None,
    *,
    who: str | None,
    why: str,
    percent: int | None,
    signature: Path | None,
    form: Format,
) -> int:
    """Activate a bundle or go back to one."""
    settings = _settings(config)
    signed = None if signature is None else _signed(signature)
    content = None if signed is None else msgspec.json.encode(signed)
    wish = Wish(
        action=action,
        bundle=bundle,
        percent=percent,
        signature=content,
        who=who or getpass.getuser(),
        why=why,
    )
    try:
        report = move(settings, wish, utc_now)
    except HeldError as held:
        if held.holder is None or not held.holder.admin:
            raise fail(str(held), code=EXIT_FINDINGS) from None
        report = asyncio.run(_ask(settings, held.holder.admin, wish, signed))
    except SourceError as failure:
        raise fail(str(failure), code=EXIT_FINDINGS) from None
    return _told(report, form)


def run_history(config: Path, form: Format) -> int:
    """List every step, oldest first."""
    path = policy_directory(_settings(config).state_dir) / "history.jsonl"
    try:
        steps = read_history(path)
    except SourceError as failure:
        raise fail(str(failure), code=EXIT_FINDINGS) from None
    if form is Format.json:
        print_json({"steps": steps})
        return EXIT_OK
    for step in steps:
        print(_line(step))
    return EXIT_OK


def run_export(bundle: str, directory: Path, config: Path) -> int:
    """Write the files of a bundle that is kept."""
    bundles = Bundles(policy_directory(_settings(config).state_dir))
    try:
        contents = bundles.get(bundle)
    except SourceError as failure:
        raise fail(str(failure), code=EXIT_FINDINGS) from None
    try:
        directory.mkdir(parents=True)
        for file in contents.files:
            target = directory / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    except OSError as error:
        raise fail(f"{directory}: cannot be written: {error.strerror}") from None
    print(f"{directory}: {len(contents.files)} files of {bundle}")
    return EXIT_OK


def _settings(config: Path) -> Settings:
    try:
        return load_settings_file(config, environment())
    except FindingsError as failure:
        raise fail(str(failure)) from None


def _signed(path: Path) -> Signed:
    try:
        with path.open("rb") as file:
            return read_signed(file.read(_MAX_SIGNATURE))
    except OSError as error:
        raise fail(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise fail(f"{path}: {error}") from None


async def _ask(settings: Settings, admin: str, wish: Wish, signed: Signed | None) -> ReloadReport:
    """Ask the gateway that runs; what it answers is what came of it."""
    token = settings.admin.token
    if token is None:
        hint = "set `admin.token`, or stop the gateway first"
        raise fail("a gateway runs here, and its admin listener is read-only", hint=hint)
    body = PolicyRequest(
        who=wish.who, why=wish.why, bundle=wish.bundle, percent=wish.percent, signature=signed
    )
    headers = {
        "Authorization": f"Bearer {token.reveal()}",
        "Content-Type": "application/json",
        "Host": settings.admin.hosts[0],
    }
    url = f"{admin}/admin/v1/policy/{wish.action}"
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.post(url, data=msgspec.json.encode(body), headers=headers) as answer,
        ):
            content = await answer.read()
            if answer.content_type != "application/json":
                raise fail(f"{url}: {answer.status} {content.decode(errors='replace')}")
            return msgspec.json.decode(content, type=ReloadReport)
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        raise fail(f"{url}: {error}", code=EXIT_FINDINGS) from None


def _told(report: ReloadReport, form: Format) -> int:
    if form is Format.json:
        print_json(report)
    elif report.result == "refused":
        for finding in report.findings:
            sys.stderr.write(f"{finding}\n")
    else:
        print(f"{report.result}: {report.digest}")
    return EXIT_FINDINGS if report.result == "refused" else EXIT_OK


def _line(step: Step) -> str:
    version = "" if step.version is None else f" version {step.version}"
    signers = f" signed by {', '.join(step.signers)}" if step.signers else ""
    words = "; ".join(word for word in (step.why, step.detail) if word)
    return (
        f"{step.time.isoformat(timespec='seconds')} {step.result} {step.bundle or 'unread'}"
        f"{version}{signers}: {step.action} by {step.who}{f': {words}' if words else ''}"
    )

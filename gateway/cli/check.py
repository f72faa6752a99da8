"""`facegate check` and `facegate test`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from gateway.app.once import utc_now
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    FindingsFormat,
    print_findings,
    print_json,
)
from gateway.config.environment import environment
from gateway.config.settings import Settings
from gateway.errors import Finding, FindingsError, SourceError, source_finding
from gateway.sources.catalogs import load_catalog
from gateway.sources.networks import load_networks
from gateway.sources.policies import CaseReport, check_policies, test_policies
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import check_tenants


class _Checked(NamedTuple):
    """Mistakes, and what is pressing and no mistake."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...] = ()


def run_check(path: Path, form: FindingsFormat) -> int:
    """Check a directory of policies, or a file by its name: `gateway…`, `tenants…`, a policy."""
    checked = _checked(path, utc_now())
    code = print_findings(checked.findings, form, command="check", notes=checked.notes)
    if code == EXIT_OK and form is FindingsFormat.text:
        print(f"{path}: no findings{f'; notes: {len(checked.notes)}' if checked.notes else ''}")
    return code


def run_test(path: Path, form: FindingsFormat) -> int:
    """Run the cases of a policy directory."""
    report = test_policies(path)
    if form is FindingsFormat.json:
        print_json(_summary(report))
        return EXIT_FINDINGS if report.findings else EXIT_OK
    code = print_findings(report.findings, form, command="test")
    if form is not FindingsFormat.text:
        return code
    failed = sum(bool(result.mismatches) for result in report.results)
    print(
        f"{len(report.results)} cases, {failed} failed; "
        f"{report.covered} of {report.rules} rules covered"
    )
    return code


def _checked(path: Path, now: datetime) -> _Checked:
    if not path.exists():
        return _Checked(
            (Finding(path=str(path), line=0, column=0, message="there is no such file"),)
        )
    if path.is_dir():
        config = path / "gateway.yaml"
        if config.exists():
            return _settings_checked(config, now)
        return _Checked(check_policies(path, now=now))
    if path.name.startswith("tenants"):
        return _tenants_checked(path, now)
    if path.name.startswith("gateway"):
        return _settings_checked(path, now)
    return _Checked(check_policies(path, now=now))


def _tenants_checked(path: Path, now: datetime, settings: Settings | None = None) -> _Checked:
    """Check a tenant file; the keys in it only where the configuration says what they need."""
    try:
        notes = check_tenants(
            path,
            secrets_key=settings.identity.secrets_key_bytes if settings else None,
            check_keys=settings is not None,
            now=now,
        )
    except FindingsError as failure:
        return _Checked(failure.findings)
    return _Checked((), notes)


def _settings_checked(path: Path, now: datetime) -> _Checked:
    """Check the configuration and everything that it names."""
    found: list[Finding] = []
    try:
        load_settings_file(path, environment(), providers=load_catalog().providers)
    except FindingsError as failure:
        found += failure.findings
    try:
        # Where only the catalogue does not know something, what is named can be checked as well.
        settings = load_settings_file(path, environment())
    except FindingsError:
        return _Checked(tuple(found))
    tenants = _tenants_checked(settings.tenants, now, settings)
    found += [
        *tenants.findings,
        # What is at a URL is checked where it is made.
        *(check_policies(settings.policies.dir, now=now) if settings.policies.dir else ()),
        *(
            finding
            for candidate in settings.policies.candidates
            for finding in check_policies(candidate.dir, now=now)
        ),
    ]
    networks = settings.networks
    try:
        load_networks(
            networks.country,
            anonymous=networks.anonymous,
            max_age=networks.max_age,
            trusted_proxies=settings.trusted_proxies,
        )
    except SourceError as failure:
        found.append(source_finding(failure))
    return _Checked(tuple(found), tenants.notes)


def _summary(report: CaseReport) -> dict[str, object]:
    return {
        "findings": report.findings,
        "cases": len(report.results),
        "failed": [result.case.name for result in report.results if result.mismatches],
        "rules": report.rules,
        "covered": report.covered,
    }

"""Findings in the forms that code hosts and editors read: SARIF, and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import quote

from gateway import __version__
from gateway.errors import Finding

_SARIF_VERSION: Final = "2.1.0"
_SARIF_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif(
    findings: Sequence[Finding], *, command: str, notes: Sequence[Finding] = ()
) -> dict[str, object]:
    """Return findings as a SARIF log with one run.

    Args:
        findings: in the order in which they are shown.
        command: the command that found them, `check` or `test`: the rule of every result.
        notes: what is no mistake; results of level `note`, after the findings.

    Returns:
        The log (OASIS SARIF 2.1.0 section 3.13), for a JSON encoder. Paths are as they were given:
        relative where the command was given a relative one. Columns count characters.
    """
    rule = f"facegate/{command}"
    return {
        "$schema": _SARIF_SCHEMA,
        "version": _SARIF_VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "facegate",
                        "semanticVersion": __version__,
                        "rules": [{"id": rule, "defaultConfiguration": {"level": "error"}}],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    *(_result(finding, rule, "error") for finding in findings),
                    *(_result(note, rule, "note") for note in notes),
                ],
            }
        ],
    }


def github(finding: Finding, *, command: str, level: Literal["error", "notice"] = "error") -> str:
    """Return a finding as the workflow command that annotates its line in a pull request."""
    properties = {"file": finding.path}
    if finding.line:
        properties |= {"line": str(finding.line), "col": str(finding.column)}
    properties["title"] = f"facegate {command}"
    written = ",".join(f"{name}={_escaped_property(value)}" for name, value in properties.items())
    return f"::{level} {written}::{_escaped(_words(finding))}"


def _result(finding: Finding, rule: str, level: str) -> dict[str, object]:
    location: dict[str, object] = {"artifactLocation": {"uri": _uri(finding.path)}}
    if finding.line:
        location["region"] = {"startLine": finding.line, "startColumn": finding.column}
    return {
        "ruleId": rule,
        "ruleIndex": 0,
        "level": level,
        "message": {"text": _words(finding)},
        "locations": [{"physicalLocation": location}],
    }


def _words(finding: Finding) -> str:
    return f"{finding.message}\nhint: {finding.hint}" if finding.hint else finding.message


def _uri(path: str) -> str:
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")

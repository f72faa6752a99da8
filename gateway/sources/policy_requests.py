"""A request that somebody wrote down by its facts, in the form in which cases have it.

YAML or JSON: either what stands under `request:` in a case, with `at` beside or among it, or the
whole case. What it does not name is unremarkable, as in a case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from gateway.core.facts import Facts
from gateway.core.policy.link_cases import link_cases
from gateway.core.policy.parse import parse
from gateway.core.policy.source import Source
from gateway.errors import Finding, FindingsError
from gateway.sources.yaml_file import Document, parse_yaml, text_of, validation_findings
from gateway.sources.yaml_nodes import Node

_NAME: Final = "request"
_INSTANTS: Final = frozenset({"at", "valid_from", "valid_to"})
_BESIDE: Final = ("at", "name")
# How places are called in a file of cases, of which this is one.
_PREFIXES: Final = ("cases[0].request.", "cases[0].request", "cases[0].")


def read_policy_request(content: bytes, *, path: str, default_at: datetime | None = None) -> Facts:
    """Read facts.

    Args:
        content: YAML or JSON; any byte may be hostile.
        path: names it in findings.
        default_at: the time of a request that names none; without one that of undated cases.

    Raises:
        FindingsError: it is no request; every mistake is listed.
    """
    document = _as_cases(parse_yaml(text_of(content, path=path), path=path), default_at)
    parsed = parse(document.value)
    findings: list[Finding] = []
    if parsed.error is not None:
        findings += validation_findings(parsed.error, document, model=parsed.model)
    cases = link_cases([Source(parsed=parsed, places=document)], None, findings)
    if findings or not cases:
        raise FindingsError(tuple(sorted({_reworded(finding) for finding in findings})))
    return cases[0].facts


def _as_cases(document: Document, default_at: datetime | None) -> Document:
    """Put the request where it would stand in a file of cases."""
    written = document.value if isinstance(document.value, dict) else {}
    whole = "request" in written
    request = written.get("request") if whole else document.value
    case: dict[str, object] = {"name": _NAME, "expect": {"outcome": "permit"}}
    if default_at is not None:
        case["at"] = default_at
    if whole:
        case |= {key: value for key, value in written.items() if key != "expect"}
    elif isinstance(request, dict):
        case |= {key: request[key] for key in _BESIDE if key in request}
        request = {key: value for key, value in request.items() if key not in _BESIDE}
    case["request"] = request
    value = {"apiVersion": "facegate/v1", "kind": "Cases", "cases": [case]}
    return replace(document, value=_dated(value), root=_node(document.root, whole=whole))


def _node(root: Node, *, whole: bool) -> Node:
    """Return the places of the request as they would be called in a file of cases."""
    children: dict[str | int, Node] = {
        key: node for key, node in root.children.items() if key in _BESIDE
    }
    case = root if whole else msgspec.structs.replace(root, children={**children, "request": root})
    cases = msgspec.structs.replace(root, children={0: case})
    return msgspec.structs.replace(root, children={"cases": cases})


def _dated(value: object) -> object:
    """Read times that stand as text, which is all that JSON can say."""
    if isinstance(value, Mapping):
        return {
            key: _instant(item) if key in _INSTANTS else _dated(item) for key, item in value.items()
        }
    return [_dated(item) for item in value] if isinstance(value, list) else value


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value  # the model says what should stand there
    return value


def _reworded(finding: Finding) -> Finding:
    message = finding.message.removeprefix(f"case `{_NAME}`: ")
    for prefix in _PREFIXES:
        message = message.replace(f"`{prefix}", "`")
    return replace(finding, message=message.replace("``: ", ""))

"""Policy files as nobody should write them: never an exception, always findings with a place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.core.policy.model import Policies
from gateway.errors import Finding, PolicyError
from gateway.sources.contents import Content, Contents
from gateway.sources.policies import policies_of

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
PATH: Final = "policies/house.yaml"
ORIGIN: Final = "policies"
PACK: Final = """\
apiVersion: facegate/v1
kind: Pack
pack: house
owner: Trust and safety
source: Acceptable use policy
force: binding
review: 2027-05-01
rules:
  - id: deny-schools
    effect: deny
    lifted_by: {kind: licence, naming: embargo}
    when:
      class: [one_to_many, gallery]
      destination: {not_in: [GB, UA-43, group:friends]}
    effective: {from: 2026-01-01, to: 2027-01-01T12:00:00Z}
    reason: Because.
  - id: needs-consent
    effect: require
    needs: consent
    mode: shadow
    when: {destination: [unknown, private, anonymised, stale], over: [searches]}
    reason: Because.
"""
GROUPS: Final = """\
apiVersion: facegate/v1
kind: Groups
owner: Compliance
source: a list
date: 2026-01-01
groups:
  friends: {members: [NO, SE], source: a treaty, date: 2026-01-01}
"""
CASES: Final = """\
apiVersion: facegate/v1
kind: Cases
at: 2026-06-01
cases:
  - name: a search
    request: {class: one_to_many, destination: GB, references: [{kind: licence, quota: {limit: 3}}]}
    expect: {outcome: refuse, rule: house/deny-schools}
"""
BUDGETS: Final = """\
apiVersion: facegate/v1
kind: Budgets
budgets:
  searches: {counts: calls, classes: [one_to_many], per: day, limit: 9, by: tenant,
    source: a contract, date: 2026-01-01}
"""
OPERATOR: Final = """\
apiVersion: facegate/v1
kind: Operator
activated: [{pack: house, who: A. Person, date: 2026-01-01, reason: we are bound}]
switched_off: [{rule: house/needs-consent, who: A. Person, date: 2026-01-01, reason: stayed}]
"""
GUARDRAILS: Final = """\
apiVersion: facegate/v1
kind: Guardrails
guardrails:
  - {id: none, reason: Because., never: permit, when: {destination: [unknown]}}
"""
FILES: Final = (PACK, GROUPS, CASES, BUDGETS, OPERATOR, GUARDRAILS)
ODD: Final = (
    *("NO", "no", "yes", "on", "~", "null", "''", '""', "'no'", "0", "-1", "0o17", "0x1F", "1_000"),
    *(
        "1e400",
        ".inf",
        "-.nan",
        "9" * 5_000,
        "2026-13-45",
        "2026-02-30",
        "0001-01-01T00:00:00+23:59",
    ),
    *("9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00", "12:30:45", "=", "<<", "<<: *x", "*x"),
    *(
        "&x [*x]",
        "&x {a: *x}",
        "!!python/object/apply:os.system [id]",
        "!!binary aGk=",
        "!!set {a}",
    ),
    *(
        "!!timestamp 1",
        "!local x",
        "{}",
        "[]",
        "[[]]",
        "{a: {}}",
        "? [a, b]",
        "? a",
        "- - -",
        "|",
        ">",
    ),
    *(
        "|\n    x",
        "%YAML 1.1\n---",
        "---",
        "...",
        "--- a\n--- b",
        "\t",
        "\ttab: x",
        "#",
        " #c",
        "@",
        "`",
    ),
    *(
        '"\\ud800"',
        '"\\x00"',
        '"\\u2028"',
        "\u2028",
        "\x85",
        "\ufeff",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "é",
    ),
    *(
        "\u0430piVersion: x",
        "\u0435ffect: deny",
        "[" * 400,
        "{a: " * 400,
        "- " * 400,
        "a" * 70_000,
        ":",
        ": :",
    ),
    *(
        "group:friends",
        "group:",
        "group:nobody",
        "destination",
        "true",
        "[true, 1, null]",
        "rules: []",
    ),
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Return a file of policy with up to three oddities in it."""
    lines = draw(st.sampled_from(FILES)).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        odd = draw(st.sampled_from(ODD) | st.text(max_size=20))
        line = lines[place]
        match draw(st.sampled_from(("value", "cut", "insert", "drop", "twice", "indent"))):
            case "value":
                lines[place] = f"{line.partition(':')[0]}: {odd}"
            case "cut":
                at = draw(st.integers(0, len(line)))
                lines[place] = line[:at] + odd + line[at:]
            case "insert":
                lines.insert(place, odd)
            case "drop":
                lines[place] = ""
            case "twice":
                lines.insert(place, line)
            case _:
                lines[place] = " " + line
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def alone(content: bytes) -> Policies | tuple[Finding, ...]:
    files = (Content(name="house.yaml", path=PATH, content=content),)
    try:
        return policies_of(Contents(files=files), origin=ORIGIN, now=NOW)
    except PolicyError as error:
        return error.findings


def assert_findings_have_places(found: Policies | tuple[Finding, ...], content: bytes) -> None:
    if isinstance(found, Policies):
        return
    lines = content.decode("utf-8", "replace").count("\n") + 1
    assert found
    for finding in found:
        assert finding.message.isprintable()
        assert len(str(finding)) < 2_000
        if finding.path == PATH and finding.line:
            assert 1 <= finding.line <= 10 * lines
            assert finding.column >= 1
        else:
            assert finding.path.startswith(ORIGIN)


@settings(max_examples=max(200, settings().max_examples), suppress_health_check=list(HealthCheck))
@given(content=spoiled())
def test_any_oddity_reads_or_has_findings_with_places(content: bytes) -> None:
    assert_findings_have_places(alone(content), content)


@settings(max_examples=max(50, settings().max_examples // 10))
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_findings_with_places(content: bytes) -> None:
    found = alone(content)
    assert not isinstance(found, Policies)
    assert_findings_have_places(found, content)

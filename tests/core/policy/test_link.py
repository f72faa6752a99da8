"""Mistakes in policy files: each is found, with its place, and all of them at once."""

from __future__ import annotations

import textwrap

import pytest

from gateway.core.policy.compile import compile_policies
from gateway.core.policy.link import Linked, link
from gateway.core.policy.model import Wanted
from gateway.core.policy.parse import parse
from gateway.core.policy.source import Source
from gateway.sources.yaml_file import parse_yaml, validation_findings

HEAD = """\
apiVersion: facegate/v1
kind: Pack
pack: ours
owner: Compliance
source: a test
force: voluntary
review: 2027-01-01
rules:
  - id: unplaced
    effect: deny
    when: {class: [one_to_many], destination: [unknown, private, anonymised, stale]}
    reason: no place
"""
GROUPS = """\
apiVersion: facegate/v1
kind: Groups
owner: Compliance
source: a test
date: 2026-11-21
groups:
  europe: {members: [FR, DE], source: a map, date: 2026-11-21}
  uses: {members: [fraud_prevention], source: ours, date: 2026-11-21, note: few}
"""


def linked(*texts: str) -> tuple[Linked, list[str]]:
    """Return what files come to, and every finding as `line:column: message | hint`."""
    documents = [
        parse_yaml(textwrap.dedent(text), path=f"{number}.yaml")
        for number, text in enumerate(texts)
    ]
    parsed = [parse(document.value) for document in documents]
    shapes = [
        finding
        for document, one in zip(documents, parsed, strict=True)
        if one.error is not None
        for finding in validation_findings(one.error, document, model=one.model)
    ]
    result = link(
        [
            Source(parsed=one, places=document)
            for document, one in zip(documents, parsed, strict=True)
        ],
        origin="policies",
    )
    found = sorted({*shapes, *result.findings})
    return result, [
        f"{one.path}:{one.line}:{one.column}: {one.message}"
        + (f" | {one.hint}" if one.hint else "")
        for one in found
    ]


def with_rule(text: str) -> str:
    return HEAD + textwrap.indent(textwrap.dedent(text), "  ")


def test_a_sound_set_has_no_findings_and_groups_written_out() -> None:
    result, findings = linked(
        with_rule("""\
        - id: permit-europe
          effect: permit
          mode: shadow
          when: {destination: [GB, group:europe], tag: {not_in: [trial]}, class: {in: [results]}}
          effective: {from: 2026-01-01, to: 2027-01-01T06:00:00+06:00}
          reason: our customers
        """),
        GROUPS,
    )
    assert findings == []
    rule = result.packs[0].rules[1]
    assert [(one.attribute, one.negated, sorted(one.values)) for one in rule.conditions] == [
        ("class", False, ["results"]),
        ("destination", False, ["DE", "FR", "GB"]),
        ("tag", True, ["trial"]),
    ]
    assert str(rule.effective_from) == "2026-01-01 00:00:00+00:00"
    assert str(rule.effective_to) == "2027-01-01 00:00:00+00:00"
    assert compile_policies(result.packs).counts.shadow == 1


def test_a_rule_says_by_what_it_is_lifted_and_what_a_reference_has_to_name() -> None:
    result, findings = linked(
        with_rule("""\
        - {id: a, effect: deny, lifted_by: {kind: licence, naming: embargo},
           when: {destination: [IR]}, reason: x}
        - {id: b, effect: require, needs: review, naming: dual_use, when: {tag: [x]}, reason: x}
        """)
    )
    assert findings == []
    _, deny, require = result.packs[0].rules
    assert deny.lifted_by == Wanted(kind="licence", naming="embargo")
    assert (require.needs, require.naming) == ("review", "dual_use")


def test_a_group_and_its_members_mean_the_same() -> None:
    grouped, _ = linked(
        with_rule("""\
        - {id: a, effect: deny, when: {destination: [group:europe]}, reason: x}
        """),
        GROUPS,
    )
    written, _ = linked(
        "# a comment\n"
        + with_rule("""\
        - {id: a, effect: deny, when: {destination: {in: [DE, FR]}}, reason: other words}
        """)
    )
    assert compile_policies(grouped.packs).digest == compile_policies(written.packs).digest


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        pytest.param(
            "{id: a, effect: deny, when: {clas: [one_to_many]}, reason: x}",
            "0.yaml:13:34: rule `a`: unknown attribute `clas` | did you mean `class`?",
            id="unknown attribute",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {class: [one_to_may]}, reason: x}",
            "0.yaml:13:42: rule `a`: `one_to_may` is no value of `class`"
            " | did you mean `one_to_many`?",
            id="unknown class",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {contradiction: [true]}, reason: x}",
            "0.yaml:13:50: rule `a`: a value of `contradiction` must be text"
            " | put it in quotes if it is text",
            id="a boolean",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {destination: [UK]}, reason: x}",
            "0.yaml:13:48: rule `a`: `UK` is no destination | did you mean `GB`?",
            id="a code that is no country's",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {destination: [cn-xj]}, reason: x}",
            "0.yaml:13:48: rule `a`: `cn-xj` is no destination | did you mean `CN-XJ`?",
            id="lower case",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {destination: [privat]}, reason: x}",
            "0.yaml:13:48: rule `a`: `privat` is no destination | did you mean `private`?",
            id="a word misspelt",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {destination: [group:eurpe]}, reason: x}",
            "0.yaml:13:48: rule `a`: unknown group `eurpe` | did you mean `europe`?",
            id="unknown group",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {destination: [GB, group:uses]}, reason: x}",
            "0.yaml:13:52: rule `a`: group `uses`: `fraud_prevention` is no destination"
            " | an ISO 3166 code like `GB` or `UA-43`, `group:name`, or one of"
            " `unknown`, `private`, `anonymised`, `stale`",
            id="a group of something else",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [' kyc']}, reason: x}",
            "0.yaml:13:40: rule `a`: ` kyc` is no value of `tag` | printable, no space at its ends",
            id="a space too many",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [" + "x" * 257 + "]}, reason: x}",
            "0.yaml:13:40: rule `a`: a value of `tag` is longer than 256 characters",
            id="too long",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: []}, reason: x}",
            "0.yaml:13:39: rule `a`: the list is empty, so it never matches"
            " | name a value, or leave it out",
            id="empty list",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: kyc}, reason: x}",
            "0.yaml:13:39: rule `a`: values must be a list"
            " | write a list of values, {in: […]} or {not_in: […]}",
            id="no list",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: {in: [kyc], not_in: [vip]}}, reason: x}",
            "0.yaml:13:39: rule `a`: a condition has one key, `in` or `not_in`"
            " | write a list of values, {in: […]} or {not_in: […]}",
            id="two forms",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [kyc, vip, kyc]}, reason: x}",
            "0.yaml:13:50: rule `a`: `kyc` stands twice",
            id="twice",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {contradiction: {not_in: [yes, no]}}, reason: x}",
            "0.yaml:13:49: rule `a`: `contradiction` can have no other value, so it never matches",
            id="nothing left",
        ),
        pytest.param(
            "{id: a, effect: require, when: {tag: [kyc]}, reason: x}",
            "0.yaml:13:21: rule `a`: it requires nothing"
            " | add `needs: licence`, `consent`, `authorisation` or `review`",
            id="require without needs",
        ),
        pytest.param(
            "{id: a, effect: deny, needs: licence, when: {tag: [kyc]}, reason: x}",
            "0.yaml:13:34: rule `a`: a deny needs nothing | `needs` goes with `effect: require`",
            id="needs without require",
        ),
        pytest.param(
            "{id: a, effect: deny, naming: sdn, when: {tag: [kyc]}, reason: x}",
            "0.yaml:13:35: rule `a`: a deny has no `naming` | it goes beside `needs`",
            id="naming without require",
        ),
        pytest.param(
            "{id: a, effect: permit, lifted_by: {kind: licence, naming: sdn}, when: {tag: [kyc]},"
            " reason: x}",
            "0.yaml:13:40: rule `a`: nothing lifts a permit | `lifted_by` goes with `effect: deny`",
            id="lifted without deny",
        ),
        pytest.param(
            "{id: a, effect: deny, lifted_by: {kind: licence}, when: {tag: [kyc]}, reason: x}",
            "0.yaml:13:38: key `naming` is missing",
            id="lifted by whatever is on file",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [x]}, reason: x,"
            " effective: {from: 2026-01-01, to: 2026-01-01}}",
            "0.yaml:13:67: rule `a`: ends before it begins",
            id="never in effect",
        ),
        pytest.param(
            "{id: unplaced, effect: deny, when: {tag: [kyc]}, reason: x}",
            "0.yaml:13:10: rule `unplaced` stands twice in this pack | first in 0.yaml:9",
            id="an id twice",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [kyc]}, reason: x, modes: y}",
            "0.yaml:13:58: unknown key `modes` | did you mean `mode`?",
            id="unknown key",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [kyc]}, reason: x, mode: 'true'}",
            "0.yaml:13:64: `rules[1].mode`: input should be 'enforce' or 'shadow'",
            id="a value of another key",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [kyc]}, reason: x, effective: {from: '2026-01-01'}}",
            "0.yaml:13:76: `rules[1].effective.from`: input should be a valid datetime",
            id="a date in quotes",
        ),
        pytest.param(
            "{id: a, effect: deny, when: {tag: [kyc]}, reason: x,"
            " effective: {from: 0001-01-01T00:00:00+14:00}}",
            "0.yaml:13:76: `rules[1].effective.from`: is out of range",
            id="before all time",
        ),
        pytest.param("just text", "0.yaml:13:5: `rules[1]`: a mapping is wanted here", id="text"),
    ],
)
def test_a_mistake_in_a_rule_is_found_at_its_place(entry: str, finding: str) -> None:
    _, findings = linked(with_rule(f"- {entry}\n"), GROUPS)
    assert findings == [finding]


def test_all_mistakes_of_all_files_are_found_at_once() -> None:
    _, findings = linked(
        """\
        apiVersion: facegate/v1
        kind: Pack
        pack: ours
        owner: Compliance
        source: a test
        force: bindin
        review: soon
        rules:
          - {id: a, effect: deny, when: {class: [onetomany]}, reason: x}
          - {id: b, effect: deny}
          - {id: a, effect: deny, when: {destination: [group:nowhere]}, reason: x}
        """,
        "apiVersion: facegate/v2\nkind: Pack\n",
        "apiVersion: facegate/v1\nkind: Groups\nowner: a\nsource: b\ndate: 2026-01-01\n"
        "groups:\n  g: {members: [], source: c, date: 2026-01-01}\n",
    )
    assert findings == [
        (
            "0.yaml:6:8: `force`: input should be 'binding', 'pending' or 'voluntary'"
            " | did you mean `binding`?"
        ),
        "0.yaml:7:9: `review`: input should be a valid date",
        "0.yaml:9:42: rule `a`: `onetomany` is no value of `class` | did you mean `one_to_many`?",
        "0.yaml:10:5: key `reason` is missing",
        "0.yaml:10:5: key `when` is missing",
        "0.yaml:11:10: rule `a` stands twice in this pack | first in 0.yaml:9",
        "1.yaml:1:13: `apiVersion`: input should be 'facegate/v1' | did you mean `facegate/v1`?",
        "2.yaml:7:16: `groups.g.members`: list should have at least 1 item after validation, not 0",
    ]


def test_a_group_of_a_file_with_mistakes_is_not_called_unknown() -> None:
    rule = "- {id: a, effect: deny, when: {destination: [group:g]}, reason: x}\n"
    broken = GROUPS + "  g: {members: [FR], source: c}\n"
    _, findings = linked(with_rule(rule), broken)
    assert findings == ["1.yaml:9:6: key `date` is missing"]


def test_packs_and_groups_are_defined_once_over_all_files() -> None:
    _, findings = linked(HEAD, GROUPS, HEAD, GROUPS.replace("uses:", "others:"))
    assert findings == [
        "2.yaml:3:7: pack `ours` is defined twice | first in 0.yaml:3",
        "3.yaml:7:3: group `europe` is defined twice | first in 1.yaml:7",
    ]


def test_a_member_of_a_group_stands_once() -> None:
    _, findings = linked(HEAD, GROUPS.replace("[FR, DE]", "[FR, DE, FR]"))
    assert findings == ["1.yaml:7:30: group `europe`: `FR` stands twice"]


def test_each_kind_of_destination_that_is_no_place_must_be_named() -> None:
    _, findings = linked(HEAD.replace("private, anonymised, stale", "private"))
    assert findings == [
        (
            "policies:0:0: policy says nothing about destination `anonymised`"
            " | name it in a rule, e.g. a deny with `destination: [anonymised]`"
        ),
        (
            "policies:0:0: policy says nothing about destination `stale`"
            " | name it in a rule, e.g. a deny with `destination: [stale]`"
        ),
    ]


def test_groups_alone_are_no_policy() -> None:
    _, findings = linked(GROUPS)
    assert findings == [
        "policies:0:0: no pack stands here | a policy needs at least one file of kind Pack"
    ]


def test_messages_hold_no_control_characters() -> None:
    entry = '{id: a, effect: deny, when: {destination: ["\\e[31m"]}, reason: x}'
    _, findings = linked(with_rule(f"- {entry}\n"))
    assert findings[0].startswith("0.yaml:13:48: rule `a`: `?[31m` is no destination")

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

import pytest

from gateway.core.policy.attributes import attributes
from gateway.core.policy.cases import Case, CaseRun, run_cases
from gateway.core.policy.link import Linked, link
from gateway.core.policy.parse import parse
from gateway.core.policy.source import Source
from gateway.sources.yaml_file import parse_yaml

PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: ours
owner: Compliance
source: a test
force: FORCE
review: 2027-01-01
rules:
  - id: unplaced
    effect: deny
    when: {class: [one_to_many], destination: [unknown, private, anonymised, stale]}
    reason: no place
  - id: licensed
    effect: require
    needs: licence
    when: {destination: [AE]}
    effective: {from: 2026-06-01}
    reason: on file
  - id: customers
    effect: permit
    when: {end_use: [customer_verification]}
    reason: our customers
"""
PROBE = "sha256:" + "a" * 64
CASES = """\
apiVersion: facegate/v1
kind: Cases
pack: ours
at: 2026-11-21
cases:
"""


def linked(*cases: str, force: str = "voluntary", head: str = CASES, pack: str = PACK) -> Linked:
    texts = [
        pack.replace("FORCE", force),
        head + "".join(textwrap.indent(f"- {case}\n", "  ") for case in cases),
    ]
    documents = [parse_yaml(text, path=f"{number}.yaml") for number, text in enumerate(texts)]
    return link(
        [Source(parsed=parse(document.value), places=document) for document in documents],
        origin="policies",
    )


def run(*cases: str, force: str = "voluntary", head: str = CASES, pack: str = PACK) -> CaseRun:
    result = linked(*cases, force=force, head=head, pack=pack)
    assert result.findings == ()
    return run_cases(result.packs, result.cases)


def only(*cases: str) -> Case:
    (case,) = linked(*cases).cases
    return case


def test_a_case_that_comes_out_as_expected_has_no_mismatch_and_covers_its_rule() -> None:
    result = run(
        "{name: a, request: {class: one_to_many, destination: stale},"
        " expect: {outcome: refuse, rule: unplaced, reason: policy.denied, needs: []}}"
    )
    assert [one.mismatches for one in result.results] == [()]
    assert result.uncovered == ("ours/licensed", "ours/customers")
    assert (result.results[0].case.path, result.results[0].case.line) == ("1.yaml", 6)


def test_every_difference_is_told() -> None:
    result = run(
        "{name: a, request: {class: one_to_many, destination: stale},"
        " expect: {outcome: permit, rule: customers, reason: policy.permitted, needs: [consent]}}"
    )
    assert result.results[0].mismatches == (
        "outcome is refuse, not permit",
        "reason is policy.denied, not policy.permitted",
        "ours/unplaced decided, not ours/customers",
        "nothing is missing, not consent",
    )


def test_references_and_times_are_part_of_the_request() -> None:
    request = "class: one_to_many, destination: AE, end_use: customer_verification"
    expect = "expect: {outcome: permit, rule: customers}"
    result = run(
        f"{{name: before, at: 2026-05-31T23:59:59, request: {{{request}}}, {expect}}}",
        f"{{name: on file, request: {{{request}, references: [{{kind: licence}}]}}, {expect}}}",
        f"{{name: missing, request: {{{request}}}, expect: {{outcome: refuse, needs: [licence]}}}}",
    )
    assert [one.mismatches for one in result.results] == [(), (), ()]
    assert result.results[1].decision.discharged == ("licence",)


def test_a_case_says_what_a_reference_is_for_and_how_much_of_it_is_used() -> None:
    request = "class: one_to_many, destination: AE, end_use: customer_verification"

    def case(name: str, reference: str, expect: str) -> str:
        file = f"references: [{{kind: licence, {reference}}}]"
        return f"{{name: {name}, request: {{{request}, {file}}}, expect: {{{expect}}}}}"

    permit, refuse = "outcome: permit", "outcome: refuse, needs: [licence]"
    result = run(
        case("for it", "classes: [one_to_many], destinations: [AE]", permit),
        case("another class", "classes: [results]", refuse),
        case("another place", "destinations: [FR]", refuse),
        case("left", "quota: {limit: 10, used: 9}", permit),
        case("used up", "quota: {limit: 10, used: 10}", refuse),
    )
    assert [one.mismatches for one in result.results] == [()] * 5


def test_a_case_says_which_deny_is_lifted() -> None:
    lifting = PACK.replace(
        "  - id: licensed",
        "  - id: embargo\n"
        "    effect: deny\n"
        "    lifted_by: {kind: licence, naming: embargo}\n"
        "    when: {destination: [IR]}\n"
        "    reason: embargoed\n"
        "  - id: licensed",
    )
    request = "class: one_to_many, destination: IR, end_use: customer_verification"
    naming = "references: [{kind: licence, names: [embargo]}]"
    result = run(
        f"{{name: named, request: {{{request}, {naming}}},"
        " expect: {outcome: permit, lifted: embargo}}",
        f"{{name: not named, request: {{{request}, references: [{{kind: licence}}]}},"
        " expect: {outcome: refuse, lifted: embargo}}",
        pack=lifting,
    )
    assert [one.mismatches for one in result.results] == [
        (),
        ("no rule was lifted, not ours/embargo",),
    ]


def test_a_case_without_a_time_does_not_read_the_clock() -> None:
    head = CASES.replace("at: 2026-11-21\n", "")
    case = linked(
        "{name: a, request: {class: detect}, expect: {outcome: permit}}", head=head
    ).cases[0]
    assert case.facts.at == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_cases_of_a_pending_pack_judge_it_as_if_it_were_in_force() -> None:
    case = "{name: a, request: {class: one_to_many}, expect: {outcome: refuse, rule: unplaced}}"
    assert run(case, force="pending").results[0].mismatches == ()


def test_cases_of_no_pack_judge_all_packs_as_they_are_loaded() -> None:
    case = (
        "{name: a, request: {class: one_to_many}, expect: {outcome: refuse, rule: ours/unplaced}}"
    )
    head = CASES.replace("pack: ours\n", "")
    assert run(case, head=head).results[0].mismatches == ()
    pending = run(case, head=head, force="pending").results[0]
    assert pending.decision.reason == "policy.default"
    assert pending.decision.shadow == ("ours/unplaced",)


def test_what_a_case_names_is_what_rules_see() -> None:
    case = only(
        "{name: a, expect: {outcome: permit}, request: {provider: azure_face, operation: Find,"
        " class: gallery, access: write, tenant: acct-9, tenant_type: government,"
        " party_type: [private, military], tier: gold, tag: [a, b], end_use: [x, y],"
        " destination: [GB, UA-43], listed: [sdn], identity: sigv4, contradiction: yes,"
        f" probe: [{PROBE}, unknown]}}}}"
    )
    assert attributes(case.facts) == {
        "provider": {"azure_face"},
        "operation": {"Find"},
        "class": {"gallery"},
        "access": {"write"},
        "tenant": {"acct-9"},
        "tenant_type": {"government"},
        "party_type": {"government", "private", "military"},
        "tier": {"gold"},
        "tag": {"a", "b"},
        "end_use": {"x", "y"},
        "destination": {"GB", "UA-43"},
        "listed": {"sdn"},
        "identity": {"sigv4"},
        "contradiction": {"yes"},
        "probe": {PROBE, "unknown"},
        "over": {"none"},
    }


def test_what_a_case_does_not_name_is_unremarkable_and_its_place_unknown() -> None:
    case = only("{name: a, expect: {outcome: permit}, request: {class: unknown}}")
    assert attributes(case.facts) == {
        "provider": {"any"},
        "operation": {"unknown"},
        "class": {"unknown"},
        "access": {"none"},
        "tenant": {"case"},
        "tenant_type": {"private"},
        "party_type": {"private"},
        "tier": {"none"},
        "tag": {"none"},
        "end_use": {"undeclared"},
        "destination": {"unknown"},
        "listed": {"none"},
        "identity": {"jwt"},
        "contradiction": {"no"},
        "probe": {"none"},
        "over": {"none"},
    }


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{request: {destination: GB}, EXPECT}", "the request has no `class`"),
        ("{request: {class: detect, clas: x}, EXPECT}", "unknown attribute `clas`"),
        ("{request: {class: detection}, EXPECT}", "`detection` is no value of `class`"),
        ("{request: {class: [detect, liveness]}, EXPECT}", "`class` has one value in a request"),
        ("{request: {class: detect, tag: []}, EXPECT}", "`tag` has no value"),
        ("{request: {class: detect, destination: UK}, EXPECT}", "`UK` is no destination"),
        (
            "{request: {class: detect, listed: [none, sdn]}, EXPECT}",
            "`none` and `not_screened` cannot stand beside others in `listed`",
        ),
        (
            "{request: {class: detect, probe: SHA256:ab}, EXPECT}",
            "`SHA256:ab` is no value of `probe`",
        ),
        (
            "{request: {class: detect, probe: [none, unknown]}, EXPECT}",
            "`none` cannot stand beside others in `probe`",
        ),
        (
            "{request: {class: unknown, access: write}, EXPECT}",
            "an unknown operation has no `operation` and no `access`",
        ),
        (
            "{request: {class: detect}, expect: {outcome: permit, rule: unplace}}",
            "unknown rule `ours/unplace`",
        ),
        (
            "{request: {class: detect}, expect: {outcome: permit, reason: policy.deny}}",
            "unknown reason `policy.deny`",
        ),
        (
            "{request: {class: detect}, expect: {outcome: permit, lifted: unplace}}",
            "unknown rule `ours/unplace`",
        ),
        (
            "{request: {class: detect, references: [{kind: licence}, {kind: licence}]}, EXPECT}",
            "two references have the same id",
        ),
    ],
)
def test_a_mistake_in_a_case_is_a_finding(case: str, message: str) -> None:
    text = case.replace("EXPECT", "expect: {outcome: permit}").replace("{", "{name: a, ", 1)
    findings = linked(text).findings
    assert [finding.message for finding in findings] == [f"case `a`: {message}"]
    assert {(finding.path, finding.line) for finding in findings} == {("1.yaml", 6)}


def test_cases_of_a_pack_that_is_not_there_are_a_finding() -> None:
    findings = linked(
        "{name: a, request: {class: detect}, expect: {outcome: permit}}",
        head=CASES.replace("ours", "our"),
    ).findings
    assert [str(finding) for finding in findings] == [
        "1.yaml:3:7: unknown pack `our`\n    hint: did you mean `ours`?"
    ]


SHADOWED = PACK.replace("effect: require\n", "effect: require\n    mode: shadow\n")


def test_cases_may_judge_what_is_in_shadow_as_if_it_were_enforced() -> None:
    case = "{name: c, request: {class: detect, destination: AE}, expect: {outcome: OUTCOME}}"
    seen, judged = (
        linked(case.replace("OUTCOME", outcome), pack=SHADOWED, head=head)
        for outcome, head in (
            ("permit", CASES),
            ("refuse", CASES.replace("pack: ours", "pack: ours\nmode: enforce")),
        )
    )
    for found in (seen, judged):
        assert not found.findings
        assert [one.mismatches for one in run_cases(found.packs, found.cases).results] == [()]


def test_only_cases_of_one_pack_judge_what_is_in_shadow() -> None:
    head = CASES.replace("pack: ours", "mode: enforce")
    case = "{name: c, request: {class: detect}, expect: {outcome: permit}}"
    assert [one.message for one in linked(case, head=head).findings] == ["`mode` goes with `pack`"]

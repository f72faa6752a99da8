"""What an operator writes beside the packs: budgets that rules name, and switches over rules."""

from __future__ import annotations

import textwrap
from datetime import date

import pytest

from gateway.core.identity.model import TenantType
from gateway.core.operation import OperationClass
from gateway.core.policy.cases import run_cases
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.counting import budgets_for
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.link import Linked, link
from gateway.core.policy.model import Budget, Operator, Switch
from gateway.core.policy.parse import parse
from gateway.core.policy.prove import prove
from gateway.core.policy.source import Source
from gateway.sources.yaml_file import parse_yaml, validation_findings
from tests.core.policy.builders import NOON, caller, facts, operation, pack, policies, rule, where

PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: ours
owner: Compliance
source: a test
force: pending
review: 2027-01-01
rules:
  - id: unplaced
    effect: deny
    when: {destination: [unknown, private, anonymised, stale]}
    reason: no place
  - id: too-many
    effect: deny
    mode: shadow
    when: {over: [searches-a-day]}
    reason: enough for today
"""
BUDGETS = """\
apiVersion: facegate/v1
kind: Budgets
owner: Compliance
budgets:
  searches-a-day: {counts: calls, classes: [one_to_many, results], per: day, limit: 5, by: tenant,
                   source: a contract, date: 2026-11-25}
"""
OPERATOR = """\
apiVersion: facegate/v1
kind: Operator
activated:
  - {pack: ours, who: Ada, date: 2026-11-25, reason: counsel agrees}
"""
CASES = """\
apiVersion: facegate/v1
kind: Cases
cases:
"""


def linked(*texts: str) -> tuple[Linked, list[str]]:
    """Return what files come to, and every finding as `line:column: message | hint`."""
    documents = [
        parse_yaml(textwrap.dedent(text), path=f"{number}.yaml")
        for number, text in enumerate(texts)
    ]
    sources = [Source(parsed=parse(document.value), places=document) for document in documents]
    shapes = [
        finding
        for source, document in zip(sources, documents, strict=True)
        if source.parsed.error is not None
        for finding in validation_findings(source.parsed.error, document, model=source.parsed.model)
    ]
    result = link(sources, origin="policies")
    return result, [
        f"{one.path}:{one.line}:{one.column}: {one.message}"
        + (f" | {one.hint}" if one.hint else "")
        for one in sorted({*shapes, *result.findings})
    ]


def switch(what: str) -> Switch:
    return Switch(what=what, who="Ada", date=date(2026, 11, 25), reason="counsel agrees")


def test_a_budget_is_read_and_a_rule_may_name_it() -> None:
    result, findings = linked(PACK, BUDGETS)
    assert findings == []
    assert result.policies().budgets == (
        Budget(
            id="searches-a-day",
            counts="calls",
            classes=("one_to_many", "results"),
            per="day",
            limit=5,
        ),
    )


def test_a_rule_says_what_follows_where_a_budget_is_exceeded() -> None:
    policy = policies(
        rule("deny", where("over", "a-day", "an-hour"), id="d"),
        rule("permit", where("over", "none"), id="p"),
    )
    assert evaluate(policy, facts()).outcome == "permit"
    assert evaluate(policy, facts(over=["an-hour"])).rules == ("pack/d",)
    assert evaluate(policy, facts(over=["a-month"])).reason == "policy.default"
    assert evaluate(policy, facts(over=["a-month", "a-day"])).rules == ("pack/d",)


@pytest.mark.parametrize(
    ("budgets", "findings"),
    [
        pytest.param(
            BUDGETS.replace("searches-a-day", "searches-a-week"),
            [
                (
                    "0.yaml:16:19: rule `too-many`: unknown budget `searches-a-day`"
                    " | did you mean `searches-a-week`?"
                )
            ],
            id="another name",
        ),
        pytest.param(
            BUDGETS
            + "  an-hour: {counts: faces, classes: [embed], per: hour, limit: 1, by: tenant,"
            " source: x, date: 2026-11-25}\n",
            [
                (
                    "1.yaml:7:3: budget `an-hour` is named by no rule"
                    " | say what follows beyond it, e.g. a deny with `over: [an-hour]`"
                )
            ],
            id="named by nobody",
        ),
        pytest.param(
            BUDGETS.replace("searches-a-day:", "none:"),
            [
                (
                    "0.yaml:16:19: rule `too-many`: unknown budget `searches-a-day`"
                    " | define it in a file of kind Budgets"
                ),
                "1.yaml:5:3: `none` stands for no budget, so it cannot be the name of one",
            ],
            id="the word for none",
        ),
        pytest.param(
            BUDGETS.replace("results", "one_to_many"),
            ["1.yaml:5:58: budget `searches-a-day`: `one_to_many` stands twice"],
            id="a class twice",
        ),
        pytest.param(
            BUDGETS.replace("per: day", "per: week"),
            ["1.yaml:5:73: `budgets.searches-a-day.per`: input should be 'hour', 'day' or 'month'"],
            id="a week",
        ),
        pytest.param(
            BUDGETS.replace("by: tenant", "by: party"),
            ["1.yaml:5:92: `budgets.searches-a-day.by`: input should be 'tenant'"],
            id="by somebody else",
        ),
        pytest.param(
            BUDGETS.replace("limit: 5", "limit: 9007199254740992"),
            [
                (
                    "1.yaml:5:85: `budgets.searches-a-day.limit`: input should be less than or"
                    " equal to 9007199254740991"
                )
            ],
            id="more than a record can hold",
        ),
    ],
)
def test_a_mistake_about_budgets_is_a_finding(budgets: str, findings: list[str]) -> None:
    assert linked(PACK, budgets)[1] == findings


def test_a_budget_that_is_defined_twice_is_a_finding() -> None:
    assert linked(PACK, BUDGETS, BUDGETS)[1] == [
        "2.yaml:5:3: budget `searches-a-day` is defined twice | first in 1.yaml:5"
    ]


def test_a_rule_about_whatever_is_over_names_every_budget() -> None:
    every = PACK.replace("{over: [searches-a-day]}", "{over: {not_in: [none]}}")
    assert linked(every, BUDGETS)[1] == []


def test_a_case_is_over_a_budget() -> None:
    result, findings = linked(
        PACK.replace("    mode: shadow\n", "").replace("pending", "binding"),
        BUDGETS,
        CASES
        + "  - {name: over, request: {class: one_to_many, destination: GB, over: searches-a-day},"
        " expect: {outcome: refuse, rule: ours/too-many}}\n",
    )
    assert findings == []
    (case,) = run_cases(result.packs, result.cases).results
    assert case.mismatches == ()
    assert linked(
        PACK,
        BUDGETS,
        CASES + "  - {name: a, request: {class: detect, over: [none, searches-a-day]},"
        " expect: {outcome: refuse}}\n"
        + "  - {name: b, request: {class: detect, over: a-year}, expect: {outcome: refuse}}\n",
    )[1] == [
        "2.yaml:4:46: case `a`: `none` cannot stand beside others in `over`",
        "2.yaml:5:46: case `b`: unknown budget `a-year` | define it in a file of kind Budgets",
    ]


def test_a_pending_pack_that_is_activated_is_enforced_but_for_its_rules_in_shadow() -> None:
    result, findings = linked(PACK, BUDGETS, OPERATOR)
    assert findings == []
    policy = result.policies()
    assert policy.operator == Operator(activated=(switch("ours"),))
    assert (policy.counts.enforced, policy.counts.shadow) == (1, 1)
    rule_too = OPERATOR + (
        "  - {rule: ours/too-many, who: Ada, date: 2026-11-25, reason: counsel agrees}\n"
    )
    result, findings = linked(PACK, BUDGETS, rule_too)
    assert findings == []
    assert (result.policies().counts.enforced, result.policies().counts.shadow) == (2, 0)


def test_a_rule_that_is_switched_off_neither_decides_nor_is_reported() -> None:
    written = pack(rule("deny", id="d"), rule("permit", id="p"))
    off = Operator(switched_off=(switch("pack/d"),))
    decision = evaluate(compile_policies([written], operator=off), facts())
    assert (decision.outcome, decision.matched, decision.shadow) == ("permit", ("pack/p",), ())
    counts = compile_policies([written], operator=off).counts
    assert (counts.rules, counts.enforced, counts.shadow) == (2, 1, 0)


def test_a_rule_that_is_both_activated_and_switched_off_does_not_hold() -> None:
    both = Operator(activated=(switch("pack/d"),), switched_off=(switch("pack/d"),))
    written = pack(rule("deny", id="d", mode="shadow"), rule("permit", id="p"))
    assert evaluate(compile_policies([written], operator=both), facts()).shadow == ()


def test_switches_and_budgets_are_part_of_what_a_policy_means() -> None:
    pending = [pack(rule("deny"), force="pending")]
    budget = Budget(id="a", counts="calls", classes=("embed",), per="day", limit=1)
    digests = {
        compile_policies(pending).digest,
        compile_policies(pending, operator=Operator(activated=(switch("pack"),))).digest,
        compile_policies(pending, operator=Operator(switched_off=(switch("pack/rule"),))).digest,
        compile_policies(pending, budgets=[budget]).digest,
    }
    assert len(digests) == 4
    # Who switched, when and why is for people; that a pack is enforced is what counts.
    activated = compile_policies(pending, operator=Operator(activated=(switch("pack"),)))
    assert activated.digest == policies(rule("deny")).digest


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        (
            "activated: [{pack: our, W}]",
            "2.yaml:3:20: unknown pack `our` | did you mean `ours`?",
        ),
        (
            "activated: [{rule: ours/to-many, W}]",
            "2.yaml:3:20: unknown rule `ours/to-many` | did you mean `ours/too-many`?",
        ),
        (
            "switched_off: [{rule: too-many, W}]",
            "2.yaml:3:23: unknown rule `too-many` | did you mean `ours/too-many`?",
        ),
        (
            "activated: [{pack: ours, W}, {pack: ours, W}]",
            "2.yaml:3:66: `ours` stands twice in `activated`",
        ),
        (
            "activated: [{pack: ours, rule: ours/too-many, W}]",
            "2.yaml:3:13: `activated[0]`: name either a `pack` or a `rule`, as `pack/rule`",
        ),
        (
            "activated: [{W}]",
            "2.yaml:3:13: `activated[0]`: name either a `pack` or a `rule`, as `pack/rule`",
        ),
        (
            "switched_off: [{rule: ours/too-many, who: Ada, date: 2026-11-25}]",
            "2.yaml:3:16: key `reason` is missing",
        ),
        (
            "switched_off: [{rule: ours/too-many, who: Ada, reason: x, date: yesterday}]",
            "2.yaml:3:65: `switched_off[0].date`: input should be a valid date",
        ),
    ],
)
def test_a_switch_that_names_nothing_is_a_finding(entry: str, finding: str) -> None:
    text = "apiVersion: facegate/v1\nkind: Operator\n" + entry.replace(
        "W", "who: Ada, date: 2026-11-25, reason: x"
    )
    assert linked(PACK, BUDGETS, text)[1] == [finding]


def test_a_switch_that_changes_nothing_is_a_finding() -> None:
    who = "who: Ada, date: 2026-11-25, reason: x"
    text = (
        "apiVersion: facegate/v1\nkind: Operator\nactivated:\n"
        f"  - {{pack: ours, {who}}}\n"
        f"  - {{rule: ours/unplaced, {who}}}\n"
        f"  - {{rule: ours/too-many, {who}}}\n"
        f"switched_off: [{{rule: ours/too-many, {who}}}]\n"
    )
    assert linked(PACK.replace("pending", "binding"), BUDGETS, text)[1] == [
        (
            "2.yaml:4:12: pack `ours` is binding, so it is enforced already"
            " | only a pending pack is activated"
        ),
        (
            "2.yaml:5:12: rule `ours/unplaced` is enforced already"
            " | only a rule in shadow is activated"
        ),
        "2.yaml:7:23: rule `ours/too-many` is both activated and switched off",
    ]


def test_there_is_one_operator_file() -> None:
    assert linked(PACK, BUDGETS, OPERATOR, OPERATOR)[1] == [
        "3.yaml:2:7: there is more than one file of kind Operator | the first is 2.yaml"
    ]


def test_a_rule_that_is_switched_off_needs_no_case_and_a_pack_alone_is_judged_as_written() -> None:
    off = (
        "apiVersion: facegate/v1\nkind: Operator\nswitched_off:\n"
        "  - {rule: ours/unplaced, who: Ada, date: 2026-11-25, reason: x}\n"
    )
    request = "request: {class: detect, destination: unknown}"
    together = f"  - {{name: a, {request}, expect: {{outcome: permit}}}}\n"
    alone = CASES.replace("cases:", "pack: ours\ncases:") + (
        f"  - {{name: b, {request}, expect: {{outcome: refuse, rule: unplaced}}}}\n"
    )
    result, findings = linked(PACK, BUDGETS, off, CASES + together, alone)
    assert findings == []
    run = run_cases(result.packs, result.cases, operator=result.operator)
    assert [one.mismatches for one in run.results] == [(), ()]
    assert run.uncovered == ("ours/too-many",)
    without = run_cases(result.packs, result.cases[:1], operator=result.operator)
    assert without.uncovered == ("ours/too-many",)


GUARDRAILS = """\
apiVersion: facegate/v1
kind: Guardrails
owner: Compliance
source: a test
review: 2027-01-01
guardrails:
  - id: never-beyond-the-day
    never: permit
    when: {class: [one_to_many], over: [searches-a-day]}
    reason: enough is enough
"""


@pytest.mark.parametrize(("mode", "holds"), [("enforce", True), ("shadow", False)])
def test_a_guardrail_may_name_a_budget(mode: str, *, holds: bool) -> None:
    permit = "  - {id: all, effect: permit, when: {class: [one_to_many]}, reason: x}\n"
    written = PACK.replace("pending", "binding").replace("shadow", mode) + permit
    result, findings = linked(written, BUDGETS, GUARDRAILS)
    assert findings == []
    (proof,) = prove(result.policies(), result.guardrails, NOON)
    assert proof.holds is holds
    assert holds or (proof.broken is not None and "searches-a-day" in proof.broken.words)


def test_a_budget_is_counted_for_those_of_whom_a_rule_on_it_can_speak() -> None:
    budget = Budget(id="a", counts="calls", classes=("one_to_many",), per="day", limit=1)
    over = where("over", "a")
    public = where("party_type", "government", "law_enforcement")
    policy = compile_policies(
        [
            pack(
                rule("deny", over, public, id="public"),
                rule("deny", over, where("tenant_type", "military"), id="military"),
                rule("permit", id="all"),
            )
        ],
        budgets=[budget],
    )

    def counted(asked: OperationClass, *types: TenantType) -> bool:
        tenant = caller(tenant_type=types[0], parties=types[1:]).tenant
        return budgets_for(operation(asked), tenant, policy) == (budget,)

    assert counted("one_to_many", "government")
    assert counted("one_to_many", "private", "law_enforcement")
    assert counted("one_to_many", "military")
    assert not counted("one_to_many", "private")
    assert not counted("one_to_many", "private", "military")
    assert not counted("results", "government")
    for weighing in (
        rule("permit", where("over", "none")),
        rule("permit", where("over", "b")),
        rule("deny", where("over", "none")),
        rule("deny", where("over", "b", negated=True)),
    ):
        policy = compile_policies([pack(weighing)], budgets=[budget])
        assert counted("one_to_many", "private")
    policy = compile_policies([pack(rule("deny", where("over", "b")))], budgets=[budget])
    assert not counted("one_to_many", "private")

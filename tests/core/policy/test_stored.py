"""A policy as it is kept: the same policy comes back, or none does."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from hypothesis import given

from gateway.core.facts import Facts
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Budget, Operator, Pack
from gateway.core.policy.stored import from_stored, stored_form
from tests.core.policy import strategies as some
from tests.core.policy.builders import pack, policies, rule, where

POLICY = policies(rule("deny", where("destination", "CN", "RU", "UA-43"), id="embargo"))


@given(some.packs(), some.budgets(), some.operators())
def test_what_was_stored_is_the_same_policy_with_all_its_words(
    packs: list[Pack], budgets: list[Budget], operator: Operator
) -> None:
    policy = compile_policies(packs, budgets=budgets, operator=operator)
    assert from_stored(stored_form(policy), digest=policy.digest) == policy


@given(some.packs(), some.operators(), some.judged)
def test_what_was_stored_judges_alike(packs: list[Pack], operator: Operator, facts: Facts) -> None:
    policy = compile_policies(packs, operator=operator)
    again = from_stored(stored_form(policy), digest=policy.digest)
    assert evaluate(again, facts) == evaluate(policy, facts)


def test_the_form_is_the_same_bytes_in_every_process() -> None:
    program = (
        "from tests.core.policy.test_stored import POLICY, stored_form;"
        "import sys; sys.stdout.buffer.write(stored_form(POLICY))"
    )
    forms = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert forms == {stored_form(POLICY)}


def test_what_was_stored_before_there_were_budgets_and_switches_is_read() -> None:
    plain = msgspec.json.decode(stored_form(POLICY), type=dict[str, msgspec.Raw])
    earlier = msgspec.json.encode({"packs": plain["packs"], "v": plain["v"]})
    assert from_stored(earlier, digest=POLICY.digest) == POLICY


def test_another_policy_than_the_one_that_is_wanted_is_refused() -> None:
    other = policies(rule("permit"))
    with pytest.raises(ValueError, match=f"holds the policy {other.digest}, not the one"):
        from_stored(stored_form(other), digest=POLICY.digest)


def test_a_stored_policy_that_was_changed_is_refused() -> None:
    changed = stored_form(POLICY).replace(b'"CN",', b"")
    with pytest.raises(ValueError, match="not the one it is named after"):
        from_stored(changed, digest=POLICY.digest)


def test_newer_words_are_the_same_policy() -> None:
    reworded = compile_policies([msgspec.structs.replace(pack(rule("permit")), owner="Legal")])
    stored = from_stored(stored_form(reworded), digest=policies(rule("permit")).digest)
    assert stored.packs[0].owner == "Legal"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"v":2,"packs":[]}',
        b'{"packs":[],"v":1,"more":0}',
        b"\xff",
        b"[" * 9999,
    ],
    ids=["nothing", "a list", "no packs", "a later form", "a foreign field", "no text", "a bomb"],
)
def test_what_is_no_stored_policy_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="is no stored policy of a known form"):
        from_stored(content, digest=POLICY.digest)

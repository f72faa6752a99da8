"""The pointer and the history on disk: whole at any end, held by one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.core.policy.activation import Candidate, Origin, State, activated, refused
from gateway.errors import SourceError
from gateway.sources.activations import Activations, HeldError, policy_directory, read_history
from gateway.sources.contents import read_contents
from tests.builders import NOW
from tests.no_room import no_room
from tests.sources.test_policies import written

ORIGIN = Origin(who="ada", why="because", time=NOW)


def after(*bundles: str) -> list[State]:
    """Return the states after these bundles were activated in turn."""
    states = list[State]()
    state: State | None = None
    for bundle in bundles:
        state = activated(state, Candidate(bundle=bundle), ORIGIN)
        states.append(state)
    return states


def test_the_pointer_is_found_again_with_its_history(tmp_path: Path) -> None:
    states = after("A", "B")
    with Activations(tmp_path / "state") as activations:
        assert activations.state is None
        for state in states:
            activations.advance(state)
        activations.note(
            refused(states[1], Candidate(bundle="C"), ORIGIN, action="change", detail="no")
        )
    with Activations(tmp_path / "state") as again:
        assert again.state == states[1]
        told = [(step.bundle, step.result, step.who, step.why) for step in again.history()]
    assert told == [
        ("A", "activated", "ada", "because"),
        ("B", "activated", "ada", "because"),
        ("C", "refused", "ada", "because"),
    ]


def test_one_process_holds_the_directory_and_says_where_it_can_be_asked(tmp_path: Path) -> None:
    with Activations(tmp_path) as activations:
        activations.announce("http://127.0.0.1:8081")
        with pytest.raises(HeldError, match=f"process {os.getpid()} holds it") as held:
            Activations(tmp_path)
        assert held.value.holder is not None
        assert held.value.holder.admin == "http://127.0.0.1:8081"
    Activations(tmp_path).close()


def test_an_end_between_pointer_and_history_loses_no_step(tmp_path: Path) -> None:
    first, second = after("A", "B")
    history = policy_directory(tmp_path) / "history.jsonl"
    with Activations(tmp_path) as activations:
        activations.advance(first)
        before = history.read_bytes()
        activations.advance(second)
        whole = history.read_bytes()
    for left in (before, whole[:-7], before + b'{"act'):
        history.write_bytes(left)
        Activations(tmp_path).close()
        assert history.read_bytes() == whole


def test_a_pointer_that_cannot_be_written_stays_where_it_is(tmp_path: Path) -> None:
    first, second = after("A", "B")
    with Activations(tmp_path) as activations:
        activations.advance(first)
        # A directory in the way of the new file: as good as a disk without room, also for root.
        (policy_directory(tmp_path) / f".active.json.{os.getpid()}").mkdir()
        with pytest.raises(SourceError, match=r"active\.json`: cannot be written: "):
            activations.advance(second)
        assert activations.state == first
    (policy_directory(tmp_path) / f".active.json.{os.getpid()}").rmdir()
    with Activations(tmp_path) as again:
        assert again.state == first


def test_a_disk_without_room_moves_no_pointer_and_keeps_no_half_of_a_bundle(
    tmp_path: Path,
) -> None:
    first, second = after("A", "B")
    path = written(tmp_path / "policies", "ours.yaml").parent
    with Activations(tmp_path / "state") as activations:
        activations.advance(first)
        with no_room():
            with pytest.raises(
                SourceError, match=r"active\.json`: cannot be written: file too large"
            ):
                activations.advance(second)
            with pytest.raises(SourceError, match="cannot be written: file too large"):
                activations.bundles.put(read_contents(path))
        assert activations.state == first
        assert [one.bundle for one in activations.history()] == ["A"]
    files = [one for one in (tmp_path / "state").rglob("*") if one.is_file()]
    assert sorted(one.name for one in files) == ["active.json", "history.jsonl", "lock"]
    with Activations(tmp_path / "state") as again:
        assert again.state == first
        again.bundles.put(read_contents(path))
        again.advance(second)
    with Activations(tmp_path / "state") as again:
        assert again.state == second


def test_a_history_that_cannot_be_written_does_not_keep_a_policy_from_being_active(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (state,) = after("A")
    with Activations(tmp_path) as activations:
        history = policy_directory(tmp_path) / "history.jsonl"
        history.symlink_to(tmp_path / "elsewhere")
        activations.advance(state)
        assert activations.state == state
    assert "history.jsonl cannot be written" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{}", b'{"v":2}', b"\xff", b"[" * 9999])
def test_a_pointer_that_says_nothing_stops_the_start_and_is_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    pointer = policy_directory(tmp_path) / "active.json"
    pointer.parent.mkdir()
    pointer.write_bytes(content)
    with pytest.raises(SourceError, match="does not say what is active"):
        Activations(tmp_path)
    assert pointer.read_bytes() == content
    pointer.unlink()
    Activations(tmp_path).close()  # the lock was let go of


def test_a_history_with_a_foreign_line_is_not_read_past_it(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"no":"step"}\n')
    with pytest.raises(SourceError, match="line 1 is no step"):
        read_history(path)
    assert read_history(tmp_path / "nothing.jsonl") == ()

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.record import Gap, Rejected
from gateway.audit.verify import Verdict, verify
from tests.audit.fakes import ORIGIN, open_log, the_log
from tests.builders import NOW, decided, happened


async def write(directory: Path) -> None:
    """Write eleven lines of several kinds into several segments, and end in order."""
    log = await open_log(directory, segment_bytes=5_000)
    for number in range(5):
        await log.append(decided(f"dec_{number}"))
        await log.append(happened(f"dec_{number}"))
    await log.append(Rejected(time=NOW, address="192.0.2.1", reason="malformed.path"))
    await log.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that nobody may change: tests take copies."""
    import asyncio

    directory = tmp_path_factory.mktemp("sound")
    asyncio.run(write(directory))
    return directory


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "audit"))


def segments(directory: Path) -> list[Path]:
    return sorted(the_log(directory).glob("*.jsonl"))


def messages(verdict: Verdict) -> str:
    return "\n".join(str(finding) for finding in verdict.findings)


def test_a_sound_log_verifies_and_is_counted(sound: Path) -> None:
    seen: list[int] = []
    verdict = verify(sound, closed=True, progress=seen.append)
    assert verdict.ok
    (log,) = verdict.logs
    assert (log.directory, log.origin) == (the_log(sound), ORIGIN)
    assert log.kinds == {"decided": 5, "happened": 5, "rejected": 1}
    assert (verdict.lines, log.lines, log.size, log.uncovered) == (11, 11, 11, 0)
    assert (log.open, log.torn_bytes) == ((), 0)
    assert log.root == json.loads((the_log(sound) / "head.json").read_bytes())["root"]
    assert sum(seen) == sum(path.stat().st_size for path in segments(sound))


def test_one_log_and_all_logs_are_verified_alike(sound: Path) -> None:
    for directory in (sound, the_log(sound).parent, the_log(sound)):
        assert verify(directory, closed=True).logs == verify(sound, closed=True).logs


async def test_several_workers_are_verified_each_on_its_own(copy: Path) -> None:
    second = the_log(copy).with_name("w1")
    shutil.copytree(the_log(copy), second)
    head = json.loads((second / "head.json").read_bytes())
    (second / "head.json").write_bytes(rfc8785.dumps({**head, "worker": "w1"}))
    verdict = verify(copy, closed=True)
    assert (verdict.ok, len(verdict.logs), verdict.lines) == (True, 2, 22)
    segments(copy)[-1].unlink()
    assert [log.lines for log in verify(copy).logs] != [11, 11]
    assert not verify(copy).ok


@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_without_a_log_is_a_finding(tmp_path: Path, *, exists: bool) -> None:
    verdict = verify(tmp_path if exists else tmp_path / "nowhere")
    assert not verdict.ok
    assert "no audit log stands here" in messages(verdict)


def test_a_file_that_cannot_be_read_is_a_finding(copy: Path) -> None:
    segments(copy)[0].unlink()
    segments(copy)[0].with_name("0" * 20 + ".jsonl").mkdir()
    verdict = verify(copy)
    assert "cannot be read" in messages(verdict)


# --- tampering ------------------------------------------------------------------------------------

Lines = list[bytes]


def _edit(directory: Path, change: Callable[[Lines], Lines], *, segment: int = 0) -> None:
    path = segments(directory)[segment]
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def _edit_head(directory: Path, **changes: object) -> None:
    path = the_log(directory) / "head.json"
    path.write_bytes(_changed(path.read_bytes(), **changes)[:-1])


def _reordered(line: bytes) -> bytes:
    plain = json.loads(line)
    return json.dumps(dict(reversed(plain.items())), separators=(",", ":")).encode() + b"\n"


def _changed(line: bytes, **changes: object) -> bytes:
    plain = json.loads(line)
    plain.update(changes)
    return rfc8785.dumps(plain) + b"\n"


TAMPERINGS: dict[str, Callable[[Path], object]] = {
    "delete first line": lambda d: _edit(d, lambda lines: lines[1:]),
    "delete last line of a segment": lambda d: _edit(d, lambda lines: lines[:-1]),
    "delete last line of the log": lambda d: _edit(d, lambda lines: lines[:-1], segment=-1),
    "empty the last segment": lambda d: _edit(d, lambda _: [], segment=-1),
    "empty the first segment": lambda d: _edit(d, lambda _: []),
    "duplicate": lambda d: _edit(d, lambda lines: [*lines, lines[-1]]),
    "duplicate at the end": lambda d: _edit(d, lambda lines: [*lines, lines[-1]], segment=-1),
    "insert a line of its own number at the end": lambda d: _edit(
        d, lambda lines: [*lines, _changed(lines[-1], seq=11)], segment=-1
    ),
    "swap": lambda d: _edit(d, lambda lines: [lines[1], lines[0], *lines[2:]]),
    "swap numbers too": lambda d: _edit(
        d, lambda lines: [_changed(lines[1], seq=0), _changed(lines[0], seq=1), *lines[2:]]
    ),
    "cut the last newline": lambda d: _edit(d, lambda lines: [*lines[:-1], lines[-1][:-1]]),
    "cut the last newline of the log": lambda d: _edit(
        d, lambda lines: [*lines[:-1], lines[-1][:-1]], segment=-1
    ),
    "add bytes without a newline": lambda d: _edit(d, lambda lines: [*lines, b"x"], segment=-1),
    "add an empty line": lambda d: _edit(d, lambda lines: [*lines, b"\n"], segment=-1),
    "add spaces": lambda d: _edit(d, lambda lines: [b" " + lines[0], *lines[1:]]),
    "reorder members": lambda d: _edit(d, lambda lines: [_reordered(lines[0]), *lines[1:]]),
    "turn a refusal": lambda d: _edit(
        d, lambda lines: [lines[0].replace(b'"permit"', b'"refuse"'), *lines[1:]]
    ),
    "rename a decision throughout": lambda d: _edit(
        d, lambda lines: [line.replace(b"dec_0", b"dec_x") for line in lines]
    ),
    "replace a decision": lambda d: _edit(
        d, lambda lines: [_changed(lines[0], snapshot="sha256:" + "0" * 64), *lines[1:]]
    ),
    "remove the first segment": lambda d: segments(d)[0].unlink(),
    "remove a middle segment": lambda d: segments(d)[1].unlink(),
    "remove the last segment": lambda d: segments(d)[-1].unlink(),
    "rename a segment": lambda d: segments(d)[-1].rename(the_log(d) / f"{99:020}.jsonl"),
    "give a segment a foreign name": lambda d: segments(d)[-1].rename(the_log(d) / "z.jsonl"),
    "swap two segments": lambda d: _swap(segments(d)[0], segments(d)[1]),
    "remove the head": lambda d: (the_log(d) / "head.json").unlink(),
    "empty the head": lambda d: (the_log(d) / "head.json").write_bytes(b""),
    "head: size down": lambda d: _edit_head(d, size=10),
    "head: size up": lambda d: _edit_head(d, size=12),
    "head: root": lambda d: _edit_head(d, root="0" * 64),
    "head: frontier": lambda d: _edit_head(d, frontier=["0" * 64] * 3),
    "head: origin": lambda d: _edit_head(d, origin="elsewhere"),
    "head: worker": lambda d: _edit_head(d, worker="w1"),
    "head: segment": lambda d: _edit_head(d, segment=f"{0:020}.jsonl"),
    "head: offset": lambda d: _edit_head(d, offset=0),
    "head: open_from": lambda d: _edit_head(d, open_from=3),
    "head: v": lambda d: _edit_head(d, v=2),
    "head: field": lambda d: _edit_head(d, more=1),
    "move the log to another worker": lambda d: the_log(d).rename(the_log(d).with_name("w1")),
}


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_each_tampering_is_found(copy: Path, tampering: str) -> None:
    TAMPERINGS[tampering](copy)
    verdict = verify(copy, closed=True)
    assert not verdict.ok
    assert all(finding.path.startswith(str(copy)) for finding in verdict.findings)


@given(st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_flipped_bit_is_found(copy: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([*segments(copy), the_log(copy) / "head.json"]))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(flipped)
    try:
        assert not verify(copy, closed=True).ok
    finally:
        path.write_bytes(content)


@given(st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_removed_stretch_is_found(copy: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(segments(copy)))
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start + 1, len(content)))
    path.write_bytes(content[:start] + content[end:])
    try:
        assert not verify(copy, closed=True).ok
    finally:
        path.write_bytes(content)


# --- forgers who compute the root anew ------------------------------------------------------------


def _reroot(directory: Path) -> None:
    """Make head.json fit the lines as they are now."""
    tree = Frontier()
    for path in segments(directory):
        for line in path.read_bytes().splitlines():
            tree.append(leaf_hash(line))
    _edit_head(
        directory,
        size=tree.size,
        open_from=tree.size,
        root=tree.root().hex(),
        frontier=[peak.hex() for peak in tree.peaks],
        segment=segments(directory)[-1].name,
        offset=segments(directory)[-1].stat().st_size,
    )


FORGERIES: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "another origin": (
        lambda lines: [_changed(lines[0], origin="elsewhere"), *lines[1:]],
        "is of another origin",
    ),
    "a line less": (lambda lines: lines[:-1], "is next"),
    "a line more": (lambda lines: [*lines, _changed(lines[0], id="dec_x")], "is next"),
    "a pair less": (lambda lines: lines[2:], "is next"),
    "a completion of another decision": (
        lambda lines: [lines[0], _changed(lines[1], decided="dec_4"), *lines[2:]],
        "completes `dec_4`, which is not open",
    ),
    "a completion twice": (
        lambda lines: [*lines[:2], _changed(lines[1], seq=2), _changed(lines[2], seq=3)],
        "completes `dec_0`, which is not open",
    ),
    "a completion before its decision": (
        lambda lines: [_changed(lines[1], seq=0), _changed(lines[0], seq=1), *lines[2:]],
        "completes `dec_0`, which is not open",
    ),
}


def test_a_root_computed_anew_over_the_same_lines_is_the_same(copy: Path) -> None:
    before = (the_log(copy) / "head.json").read_bytes()
    _reroot(copy)
    assert (the_log(copy) / "head.json").read_bytes() == before


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_under_a_fitting_root_is_found(copy: Path, forgery: str) -> None:
    change, message = FORGERIES[forgery]
    _edit(copy, change)
    _reroot(copy)
    found = messages(verify(copy, closed=True))
    assert message in found
    assert "its root" not in found


# --- what is found, said with its place -----------------------------------------------------------


def test_a_finding_names_file_and_line(copy: Path) -> None:
    _edit(copy, lambda lines: [lines[0], _changed(lines[1], v=2), *lines[2:]])
    path = segments(copy)[0]
    assert f"{path}:2:1: is not of a known version, kind and form" in messages(verify(copy))


def test_a_break_in_the_numbers_is_said_once(copy: Path) -> None:
    _edit(copy, lambda lines: [lines[0], *lines[2:]])
    found = messages(verify(copy))
    assert found.count("is next") == 1


MALFORMED = {
    "fraction": (b'"seq":0', b'"seq":0.0'),
    "exponent": (b'"seq":0', b'"seq":0e0'),
    "truth as a version": (b'"v":1', b'"v":true'),
    "unknown version": (b'"v":1', b'"v":2'),
    "large integer": (b'"v":1', b'"v":9007199254740993'),
    "repeated member": (b'"v":1', b'"v":1,"v":1'),
    "unknown kind": (b'"kind":"decided"', b'"kind":"ordained"'),
    "no kind": (b'"kind":"decided"', b'"kind":null'),
    "missing member": (b'"probed":"",', b""),
    "unknown member": (b'"probed":""', b'"probed":"","proved":""'),
    "lone surrogate": (b"dec_0", b"\\ud800"),
    "no text": (b"dec_0", b"\xff"),
    "deep nesting": (b'"dec_0"', b"[" * 100_000),
}


@pytest.mark.parametrize("change", MALFORMED)
def test_a_line_in_no_known_form_is_found(copy: Path, change: str) -> None:
    _edit(copy, lambda lines: [lines[0].replace(*MALFORMED[change]), *lines[1:]])
    assert f"{segments(copy)[0]}:1:1: is not" in messages(verify(copy))


@pytest.mark.parametrize("line", [b"\n", b"null\n", b"[1]\n", b"{}\n"])
def test_a_line_that_is_no_record_is_found(copy: Path, line: bytes) -> None:
    _edit(copy, lambda lines: [line, *lines[1:]])
    assert f"{segments(copy)[0]}:1:1: is not" in messages(verify(copy))


async def test_pairs_are_checked(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await log.append(decided("dec_a"))
    await log.append(happened("dec_a"))
    await log.append(Gap(time=NOW, reason="restart", unpaired=("dec_\x1b[31m",)))
    await log.append(decided("dec_b"))
    await log.append(decided("dec_b"))
    await log.close()
    found = messages(verify(tmp_path, closed=True))
    assert "completes `dec_\\x1b[31m`, which is not open" in found
    assert "`dec_b` was decided before" in found
    assert "`dec_b` is not completed, and no gap names it" in found


async def test_a_log_in_use_is_sound_and_says_what_is_open(tmp_path: Path) -> None:
    log = await open_log(tmp_path, head_s=3_600.0)
    await log.append(decided("dec_a"))
    with segments(tmp_path)[0].open("ab") as segment:
        segment.write(b'{"half":')
    verdict = verify(tmp_path)
    assert verdict.ok
    (found,) = verdict.logs
    assert (found.lines, found.size, found.uncovered) == (1, 0, 1)
    assert (found.open, found.torn_bytes) == (("dec_a",), 8)
    assert len(verify(tmp_path, closed=True).findings) == 3
    assert not await log.probe()
    await log.close()


async def test_many_findings_are_cut_off(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    for waiter in [log.append(decided(f"dec_{number}")) for number in range(150)]:
        await waiter
    await log.close()
    assert len(verify(tmp_path, closed=True).findings) == 100


def test_a_line_without_an_end_is_not_read_into_memory(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.audit.verify._LINE_BYTES", 1_000)
    monkeypatch.setattr("gateway.audit.verify._CHUNK_BYTES", 500)
    segments(copy)[-1].write_bytes(b"x" * 100_000)
    seen: list[int] = []
    assert not verify(copy, progress=seen.append).ok
    assert sum(seen) < 20_000

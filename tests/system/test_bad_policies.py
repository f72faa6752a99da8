"""Whatever is put into the policy directory: a finding with place and hint, and nothing changes."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.sources.policies import check_policies
from tests.system.inside import Inside, inside

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PACK = """\
apiVersion: facegate/v1
kind: Pack
pack: house
owner: the test
source: the test
force: binding
review: 2040-01-01
rules:
  - id: deny-schools
    effect: deny
    when:
      class: [one_to_many]
      tag: [school]
    reason: Schools do not search.
"""
Writer = Callable[[Path], object]


def text(content: str, old: str = "", new: str = "") -> Writer:
    """Write a text, in which something stands instead of what was there."""
    assert old in content
    content = content.replace(old, new) if old else content
    return lambda path: path.write_text(content, "utf-8")


def octets(content: bytes) -> Writer:
    return lambda path: path.write_bytes(content)


def world_writable(path: Path) -> None:
    path.write_text(PACK)
    path.chmod(0o666)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def bomb() -> str:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(levels) + "\n"


# What is written, and what the finding says: its place, its message, its hint.
BAD: dict[str, tuple[Writer, str]] = {
    "a bomb of aliases": (text(bomb()), "too many aliases\n    hint: at most 64 in a file"),
    "a bomb of brackets": (text("a: " + "[" * 20_000), ":1:68: nested deeper than 64 levels"),
    "60 MB": (octets(b"# nothing\n" * 6_000_000), "is longer than 8388608 bytes"),
    "a file that is half written": (text(PACK[: PACK.index("    reason")]), ":9:5: key `reason`"),
    "a file that ends in a string": (
        text(PACK, "Schools do", "'Schools do"),
        ":15:1: not YAML: while scanning a quoted scalar",
    ),
    "a loop of links": (loop, "cannot be read: too many levels of symbolic links"),
    "a FIFO": (os.mkfifo, "is not a regular file"),
    "a file that everybody may write": (
        world_writable,
        "can be written by every user of this machine\n    hint: take that right away: chmod o-w",
    ),
    "a key twice": (
        text(PACK, "owner: the test\n", "owner: the test\nowner: another\n"),
        ":5:1: key `owner` stands twice\n    hint: first in line 4",
    ),
    "a misspelt key": (
        text(PACK, "reason:", "raeson:"),
        ":14:5: unknown key `raeson`\n    hint: did you mean `reason`?",
    ),
    "a key with a foreign letter": (
        text(PACK, "effect:", "\u0435ffect:"),
        (
            ":10:5: unknown key `\u0435ffect`\n"
            "    hint: it holds U+0435 CYRILLIC SMALL LETTER IE: type it anew"
        ),
    ),
    "a value with a foreign letter": (
        text(PACK, "school]", "sch\u043e\u043el]"),
        (
            ":13:13: rule `deny-schools`: `sch\u043e\u043el` is no value of `tag`\n"
            "    hint: it holds U+043E CYRILLIC SMALL LETTER O: type it anew"
        ),
    ),
    "a country with a foreign letter": (
        text(PACK, "tag: [school]", "destination: [\u0421N]"),
        (
            ":13:21: rule `deny-schools`: `\u0421N` is no destination\n"
            "    hint: it holds U+0421 CYRILLIC CAPITAL LETTER ES: type it anew"
        ),
    ),
    "a quoted boolean": (
        text(PACK, "tag: [school]", 'contradiction: ["true"]'),
        (
            ":13:23: rule `deny-schools`: `true` is no value of `contradiction`\n"
            "    hint: one of yes, no"
        ),
    ),
    "a boolean for a word": (
        text(PACK, "tag: [school]", "contradiction: [true]"),
        (
            ":13:23: rule `deny-schools`: a value of `contradiction` must be text\n"
            "    hint: put it in quotes if it is text"
        ),
    ),
    "a country in the way of YAML 1.1": (
        text(PACK, "tag: [school]", "destination: [false]"),
        ":13:21: rule `deny-schools`: a value of `destination` must be text",
    ),
    "a tag": (
        text(PACK, "pack: house", "pack: !!str house"),
        ":3:7: tags are not accepted\n    hint: write the plain value",
    ),
    "a merge key": (
        text(PACK, "    when:", "    <<: {mode: shadow}\n    when:"),
        ":11:5: merge keys are not accepted\n    hint: repeat the keys",
    ),
    "a directive": (
        octets(b"%YAML 1.1\n---\n" + PACK.encode()),
        ":2:1: directives are not accepted\n    hint: the file is read as YAML 1.2",
    ),
    "a second document": (
        text(PACK + "---\n" + PACK),
        ":15:1: a second document stands in this file\n    hint: one document a file",
    ),
    "a tab": (text(PACK, "    effect", "\teffect"), "not YAML"),
    "an octal number": (
        text(PACK, "pack: house", "pack: 012"),
        ":3:7: not a plain number or date\n    hint: quote it if it is text",
    ),
    "a day that does not exist": (
        text(PACK, "2040-01-01", "2040-02-30"),
        ":7:9: not a plain number or date",
    ),
    "UTF-16": (octets(PACK.encode("utf-16")), "not UTF-8 at byte 0\n    hint: save the file as"),
    "a NUL byte": (octets(PACK.encode() + b"\0"), "holds a NUL byte"),
    "a list at the top": (text("- 1\n"), ":1:1: a mapping is wanted here"),
    "nothing at all": (text(""), ":1:1: a mapping is wanted here"),
}


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_is_a_finding_with_place_and_hint(tmp_path: Path, name: str) -> None:
    write, expected = BAD[name]
    (tmp_path / "sound.yaml").write_text(PACK.replace("pack: house", "pack: sound"))
    bad = tmp_path / "bad.yaml"
    write(bad)
    mine = [
        str(finding) for finding in check_policies(tmp_path, now=NOW) if finding.path == str(bad)
    ]
    assert any(expected in finding for finding in mine), mine


async def test_a_running_gateway_keeps_its_policy_whatever_is_put_beside_it(
    tmp_path: Path,
) -> None:
    async with inside(tmp_path) as running:
        digest = running.gateway.snapshot.policies.digest
        before = _peak_bytes()
        for count, (name, (write, _)) in enumerate(BAD.items()):
            bad = running.world.directory / "policies" / "bad.yaml"
            write(bad)
            report = await running.gateway.reload("the test")
            assert report.result == "refused", name
            assert any(str(bad) in finding for finding in report.findings), name
            assert running.gateway.snapshot.policies.digest == digest, name
            assert (await running.search(count)).status == 200, name
            bad.unlink()
        assert (await running.gateway.reload("the test")).result != "refused"
        # The largest file has 60 MB; what is read is read elsewhere, and looked through in pieces.
        assert _peak_bytes() - before < 32 << 20
        assert await _readiness(running) == 200


async def _readiness(running: Inside) -> int:
    return (await running.page("/readyz"))[0]


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

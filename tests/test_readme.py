"""The README is run: commands in a shell, programs against a demonstration, files by the loaders.

A block's first word says what it is. `sh`: run, all of them in one shell, unless `NOT_RUN` says
why not. `yaml FILE`: written to that file for the commands after it. `python`: run by itself.
`python FILE`, `toml FILE`: an excerpt of that file. `text`: what the block before it printed;
`text log`: what the served gateway wrote. Numbers, ids, digests and times are compared by their
form, and `…` stands for anything.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
import pytest_asyncio

from gateway.app.demo import Demonstration, Shown, demonstration
from gateway.audit.canonical import canonical
from gateway.audit.record import read_line
from gateway.cli.output import EXIT_USAGE
from gateway.config.environment import PREFIX
from gateway.core.decision import REASONS
from gateway.demo.provider.faces import portrait
from gateway.metrics import Metrics
from tests import tables
from tests.documents import (
    README,
    ROOT,
    Block,
    anchor,
    blocks,
    codes,
    documents,
    headings,
    links,
    prose,
)
from tests.picture import PICTURE, draw, screen
from tests.ports import free_port

NOT_RUN = {
    "make demo\n": "makes an environment of its own; the demonstration itself is run below",
    "git clone . /opt/facegate": "installs on this machine, as root",
}
SERVE = "facegate serve --config gateway.yaml\n"
LANGUAGES = {"sh", "yaml", "python", "text", "toml"}
RESTRICTED = "jade-bureau"
PATIENCE_S = 300


# --- the shell -----------------------------------------------------------------------------------


def is_run(block: Block) -> bool:
    return block.language == "sh" and not any(block.text.startswith(one) for one in NOT_RUN)


def fragments(shape: str) -> list[str]:
    """Return the longest piece of each line in which nothing varies."""
    pieces = (re.split(r"…|\(sha256:\w+\)|\S*\d\S*Z ", line.strip()) for line in shape.splitlines())
    return [max(of_line, key=len).strip() for of_line in pieces]


def script() -> str:
    """Return the README's commands as one program that says where each block begins."""
    parts = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for number, block in enumerate(blocks()):
        if block.language == "yaml":
            parts.append(f"cat > {block.name} <<'END OF FILE'\n{block.text}END OF FILE")
        elif block.name == "log":
            parts += [
                f"until grep -qF -- {quoted(one)} serve.log; do sleep 0.1; done"
                for one in fragments(block.text)
            ]
        elif is_run(block):
            parts.append(f"echo '@@ {number}'")
            parts.append(in_background(block.text) if block.text == SERVE else block.text)
    return "\n".join([*parts, "echo '@@ end'", "kill $!", "wait $!", "cat serve.log"])


def in_background(command: str) -> str:
    listens = "until grep -qs 'data listener on' serve.log; do kill -0 $!; sleep 0.1; done"
    return f"{command.strip()} 2>serve.log &\n{listens}"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the README's commands; what each block said by its number, and the log at `end`."""
    directory = tmp_path_factory.mktemp("readme")
    command = directory / "bin/facegate"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    command.chmod(0o755)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    with subprocess.Popen(
        ["bash", "-c", script()],
        cwd=directory,
        env={
            **kept,
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            # Other ports than those that the README speaks of, which may be taken here.
            "FACEGATE_LISTEN__PORT": str(free_port()),
            "FACEGATE_ADMIN__PORT": str(free_port()),
            "FACEGATE_LIMITS__DRAIN_DELAY_S": "0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            out, _ = shell.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)  # the gateway too, which it started
            raise
    assert shell.returncode == 0, out
    pieces = re.split(r"^@@ (\w+)\n", out, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_the_commands_run_in_the_order_in_which_they_are_read(said: dict[str, str]) -> None:
    run = [str(number) for number, block in enumerate(blocks()) if is_run(block)]
    assert list(said) == [*run, "end"]
    assert len(run) >= 7


@pytest.mark.parametrize(
    "number",
    [
        number
        for number, block in enumerate(blocks())
        if (block.language, block.name) == ("text", "") and is_run(blocks()[number - 1])
    ],
)
def test_a_command_prints_what_the_readme_says(said: dict[str, str], number: int) -> None:
    assert matches(said[str(number - 1)], blocks()[number].text)


@pytest.mark.parametrize("block", [block for block in blocks() if block.name == "log"])
def test_the_gateway_logs_what_the_readme_says(said: dict[str, str], block: Block) -> None:
    log = said["end"].splitlines()
    size = block.text.count("\n")
    windows = ["\n".join(log[start : start + size]) for start in range(len(log))]
    assert any(matches(window, block.text) for window in windows), said["end"]


def matches(text: str, shape: str) -> bool:
    """Tell whether a text has the form of another."""
    pattern = ".*".join(re.escape(form(piece)) for piece in shape.strip().split("…"))
    return re.fullmatch(pattern, form(text.strip())) is not None


def form(text: str) -> str:
    """Return a text with everything that differs from run to run made alike."""
    forms = (
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"dec_\w+", "DECISION"),
        (r"\b[0-9a-f]{64}\b", "HASH"),
        (r"\bFGAK\w+", "KEY"),
        (r"(?<=secret: )\S+(?=\})", "SEALED"),
        (r"(?<=once: )\S+", "SECRET"),
        (r"(?m)^/\S*/my-gateway/", ""),
        (r"\d+", "0"),
    )
    for pattern, word in forms:
        text = re.sub(pattern, word, text)
    return text


# --- the programs and the picture ----------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown() -> AsyncIterator[tuple[Demonstration, Shown]]:
    async with demonstration(0) as running:
        yield running, await running.show()


def programs() -> list[tuple[str, str]]:
    """Return each program, with what the README says that it prints."""
    every = blocks()
    numbers = [
        number
        for number, block in enumerate(every)
        if (block.language, block.name) == ("python", "")
    ]
    return [
        (every[number].text, next(one.text for one in every[number:] if one.language == "text"))
        for number in numbers
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("program", "output"), programs(), ids=["boto3", "azure"])
async def test_a_program_prints_what_the_readme_says(
    shown: tuple[Demonstration, Shown], tmp_path: Path, program: str, output: str
) -> None:
    running, _ = shown
    caller = running.world.callers[RESTRICTED]
    for name, shot in (("card.jpg", 1), ("selfie.jpg", 2)):
        (tmp_path / name).write_bytes(portrait("ada", shot))
    assert program.count(":8080") == 1
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program.replace(":8080", f":{running.gateway.port}")),
        cwd=tmp_path,
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": caller.access_key_id,
            "AWS_SECRET_ACCESS_KEY": caller.secret_access_key,
            "FACE_KEY": caller.api_key,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert matches(out.decode(), output), out.decode()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_picture_is_what_the_demonstration_shows(
    shown: tuple[Demonstration, Shown],
) -> None:
    _, outcome = shown
    assert outcome.as_said
    renew = "renew it: python -m tests.picture"
    assert PICTURE.read_text() == draw(screen(outcome)), renew


def test_the_picture_refers_to_nothing_outside_itself() -> None:
    text = PICTURE.read_text()
    names = {element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()}  # noqa: S314 - our own
    assert names == {"svg", "rect", "g", "text"}
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|url\(|@import|script", text)


# --- what is read and not run --------------------------------------------------------------------


def test_every_block_is_run_or_compared() -> None:
    for path in documents():
        every = blocks(path)
        assert path.read_text().count("```") == 2 * len(every), path
        if path != README:
            assert {block.language for block in every} <= {"json"}, path
    assert {block.language for block in blocks()} == LANGUAGES
    for block in blocks():
        assert block.name or block.language != "yaml", block.line


def test_what_is_not_run_stands_in_the_readme() -> None:
    texts = [block.text for block in blocks() if block.language == "sh"]
    for beginning in NOT_RUN:
        assert [text for text in texts if text.startswith(beginning)], beginning


@pytest.mark.parametrize(
    "block",
    [block for block in blocks() if block.language in {"python", "toml"} and block.name],
    ids=lambda block: block.name,
)
def test_an_excerpt_stands_in_the_file_that_it_is_of(block: Block) -> None:
    source = (ROOT / block.name).read_text()
    position = 0
    for piece in re.split(r"^ *\.\.\.\n", block.text, flags=re.MULTILINE):
        found = source.find(piece, position)
        assert found >= 0, piece
        position = found + len(piece)


def test_the_records_of_the_example_are_records() -> None:
    found = [
        read_line(canonical(msgspec.json.decode(block.text)))
        for block in blocks(ROOT / "deploy/audit-log.md")
    ]
    decided, happened = (msgspec.to_builtins(record) for record in found)
    assert happened["decided"] == decided["id"]
    assert decided["decision"]["reason"] in REASONS


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in links(path):
        target, _, fragment = link.partition("#")
        document = (path.parent / target).resolve() if target else path
        assert document.exists(), link
        if fragment:
            assert fragment in [anchor(heading) for heading in headings(document)], link


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_name_of_the_code_exists(path: Path) -> None:
    assert not [code for code in codes(path) if not exists(code)]


SETTINGS = {key.replace("[]", "") for key in tables.settings()}
SECTIONS = {key.rpartition(".")[0] for key in SETTINGS}
METRICS = {metric.name for metric in Metrics().members()}
COMMANDS = tables.subcommands() | {name.partition(" ")[0] for name in tables.subcommands()}


def exists(code: str) -> bool:
    """Tell whether what looks like a name of this project is one."""
    if re.fullmatch(r"(gateway|tests|policies|deploy)/[\w./-]*", code):
        return (ROOT / code).exists()
    if code.startswith("facegate_"):
        return code in METRICS
    if code.startswith("facegate "):
        words = code.split()[1:]
        return " ".join(words[:2]) in COMMANDS or words[0] in COMMANDS
    first = code.partition(".")[0]
    if re.fullmatch(r"\w+(\.\w+)+", code) and not code.endswith((".yaml", ".json", ".mmdb")):
        known = first in {name.partition(".")[0] for name in (*REASONS, *SETTINGS)}
        return not known or code in {*REASONS, *SETTINGS, *SECTIONS}
    return True


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_target_of_make_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = path.read_text()
    assert (
        set(re.findall(r"\bmake(?: -C \S+)? ([a-z-]+)`?", "\n".join(commands_in(text)))) <= targets
    )


def commands_in(text: str) -> list[str]:
    """Return what stands in backticks or in blocks: elsewhere `make` is a verb."""
    return [
        *re.findall(r"`([^`\n]+)`", text),
        *re.findall(r"^make.*$|&& make.*$", text, re.MULTILINE),
    ]


def test_every_decision_has_its_four_parts_and_is_named_in_the_readme() -> None:
    path = ROOT / "deploy/decisions.md"
    titles = headings(path)[1:]
    named = [link.partition("#")[2] for link in links() if "decisions.md#" in link]
    assert named == [anchor(title) for title in titles]
    for number, part in enumerate(prose(path).split("\n## ")[1:], start=1):
        assert part.startswith(f"{number}. ")
        assert re.findall(r"^\*\*(.+?)\.\*\*", part, re.MULTILINE) == [
            "Context",
            "Decision",
            "Instead of",
            "Consequences",
        ]
        assert len(part.splitlines()) <= 15


def test_the_chapters_stand_in_the_order_that_readers_expect() -> None:
    tops = re.findall(r"^## (.+)$", prose(), re.MULTILINE)
    assert tops == [
        "One command",
        "Architecture",
        "Use it",
        "Policies by example",
        "When a dependency is down",
        "Reasons",
        "Metrics",
        "Settings",
        "Commands",
        "Deploy",
        "Verify the audit log",
        "Threat model",
        "Limits",
        "Decisions",
        "Glossary",
    ]


# --- the unit ------------------------------------------------------------------------------------


def test_the_unit_starts_the_command_and_does_not_restart_on_mistakes_in_files() -> None:
    unit = (ROOT / "deploy/facegate.service").read_text()
    settings = dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
    assert settings["ExecStart"].partition(" ")[2] == "serve --config /etc/facegate/gateway.yaml"
    assert settings["RestartPreventExitStatus"] == str(EXIT_USAGE)
    assert settings["ExecReload"] == "/bin/kill -HUP $MAINPID"
    for path in ("/opt/facegate", "/etc/facegate/environment", "/var/lib/facegate/audit"):
        assert path in unit
        assert path in README.read_text()


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd is not on this machine; the test above reads the unit all the same")
    unit = tmp_path / "facegate.service"
    text = (ROOT / "deploy/facegate.service").read_text()
    unit.write_text(text.replace("/opt/facegate/.venv/bin/facegate", sys.executable))
    done = subprocess.run([analyse, "verify", unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "facegate" in line] == []
    unit.write_text(unit.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    done = subprocess.run([analyse, "verify", unit], capture_output=True, text=True, check=False)
    assert "NoNewPrivilege" in done.stderr

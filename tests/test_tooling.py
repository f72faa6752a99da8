"""The repository's own tools: pinned requirements, and set-up that says what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("requirements-build.txt", "requirements.txt", "requirements-dev.txt")

PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)(?P<marker> ; [^\\]+)?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "deploy" / name).read_text()
    found = {pin["name"]: pin["version"] for pin in PIN.finditer(text)}
    assert PIN.sub("", text) == "", "nothing stands here but pins with hashes"
    return found


def wanted(group: list[object]) -> set[str]:
    texts = [text for text in group if isinstance(text, str)]
    return {re.split(r"[\[<>=! ]", text)[0].lower().replace(".", "-") for text in texts}


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_with_hashes_and_names_no_host_or_path(name: str) -> None:
    assert pins(name)
    text = (ROOT / "deploy" / name).read_text()
    assert not re.search(r"://|--index|--find|\.org|\.io|(^|\s)[./]", text)


def test_what_the_project_asks_for_is_pinned_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, build, dev = (pins(name) for name in ("requirements.txt", *FILES[::2]))
    assert wanted(project["project"]["dependencies"]) <= set(runtime)
    assert wanted(project["dependency-groups"]["build"]) <= set(build)
    assert wanted(project["build-system"]["requires"]) <= set(build)
    assert wanted(project["dependency-groups"]["dev"]) <= set(dev)
    for one in (build, runtime, dev):
        for other in (build, runtime, dev):
            assert {name: one[name] for name in one.keys() & other} == {
                name: other[name] for name in one.keys() & other
            }


def test_the_checks_of_a_change_are_those_of_make() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "make check test" in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "test",
        "setup",
        "check",
        "coverage",
        "bench",
        "fuzz",
        "prove-all",
        "lock",
        "format",
        "clean",
    ],
)
def test_the_makefile_knows_its_targets(target: str) -> None:
    done = make(target, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")


def make(
    *arguments: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**os.environ, "MAKEFLAGS": "", **(environ or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def bare_machine(tmp_path: Path) -> dict[str, str]:
    """A PATH on which there is no package manager, and a repository without an environment."""
    for program in ("touch", "make"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / program).symlink_to(found)
    return {"PATH": str(tmp_path)}


def python_that(fails_at: str, directory: Path) -> str:
    """A stand-in for an interpreter that fails where a word stands in its arguments."""
    path = directory / "python-stand-in"
    path.write_text(f'#!/bin/sh\ncase "$*" in *{fails_at}*) exit 1;; esac\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("fails_at", "words"),
    [
        ("version_info", "Python 3.11 or newer is needed"),
        ("ensurepip", "missing system packages; as root: apt-get install python3-venv"),
    ],
)
def test_set_up_names_what_the_machine_lacks(
    bare_machine: dict[str, str], tmp_path: Path, fails_at: str, words: str
) -> None:
    python = python_that(fails_at, tmp_path)
    done = make("setup", f"PYTHON={python}", f"VENV={tmp_path}/venv", environ=bare_machine)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_test_run_without_strace_fails_and_names_it(
    bare_machine: dict[str, str], tmp_path: Path
) -> None:
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to("/bin/true")
    for stamp in (".created", ".runtime", ".dev"):
        (environment / stamp).touch()
    done = make("test", f"VENV={environment}", environ=bare_machine)
    assert done.returncode == 2
    assert "missing system packages; as root: apt-get install strace" in done.stderr
    (tmp_path / "strace").symlink_to("/bin/true")
    assert make("test", f"VENV={environment}", environ=bare_machine).returncode == 0

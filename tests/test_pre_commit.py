"""The hooks of this repository, run by pre-commit itself in a repository of policies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.sources.packs import packs_directory
from gateway.sources.yaml_file import read_yaml

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
BIN = Path(sys.executable).parent


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(directory),
        "PRE_COMMIT_HOME": str(directory / ".cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of the shipped policies that has every hook, with `facegate` at hand."""
    shutil.copytree(packs_directory(), tmp_path / "policies")
    text = MANIFEST.read_text("utf-8").replace("language: python", "language: system")
    hooks = "".join(f"      {line}\n" for line in text.splitlines() if line[:1] != "#")
    config = f"repos:\n  - repo: local\n    hooks:\n{hooks}"
    (tmp_path / ".pre-commit-config.yaml").write_text(config)
    for command in (("git", "init", "-q"), ("git", "add", "policies", ".pre-commit-config.yaml")):
        assert run(tmp_path, *command).returncode == 0
    return tmp_path


def results(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return what pre-commit said of each hook, e.g. `Passed`."""
    lines = (line for line in done.stdout.splitlines() if "...." in line)
    return {line.partition(".")[0]: line.rpartition(".")[2] for line in lines}


def test_the_manifest_is_one_that_pre_commit_takes(tmp_path: Path) -> None:
    done = run(tmp_path, str(BIN / "pre-commit"), "validate-manifest", str(MANIFEST))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shipped_policies_pass_every_hook_and_a_mistake_fails(repository: Path) -> None:
    names = {hook["name"] for hook in read_yaml(MANIFEST).value}  # type: ignore[attr-defined]
    done = run(repository, "pre-commit", "run", "--all-files")
    assert (done.returncode, results(done)) == (0, dict.fromkeys(names, "Passed")), done.stdout
    pack = repository / "policies" / "ibm-precision-regulation.yaml"
    pack.write_text(pack.read_text("utf-8").replace("effect: deny", "effect:  dney", 1))
    done = run(repository, "pre-commit", "run", "--all-files")
    assert done.returncode == 1
    assert set(results(done).values()) == {"Failed"}
    assert "ibm-precision-regulation.yaml" in done.stdout
    assert "did you mean `deny`?" in done.stdout
    assert "effect: dney" in pack.read_text("utf-8")

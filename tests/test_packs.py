"""Where the shipped packs are found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import gateway
from gateway.sources.packs import packs_directory
from gateway.sources.policies import load_policies
from tests.builders import NOW

FIND = "from gateway.sources.packs import packs_directory; print(packs_directory())"


def test_a_checkout_finds_the_packs_beside_the_package() -> None:
    assert packs_directory() == Path(gateway.__file__).parents[1] / "policies"
    assert load_policies(packs_directory(), now=NOW).counts.packs >= 1


def test_an_installed_package_finds_the_packs_that_it_carries(tmp_path: Path) -> None:
    package = Path(gateway.__file__).parent
    for name in ("__init__.py", "sources/__init__.py", "sources/packs.py"):
        target = tmp_path / "gateway" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(package / name, target)
    carried = tmp_path / "gateway" / "packs"
    carried.mkdir()
    (tmp_path / "policies").mkdir()  # a stranger's directory beside the package
    found = subprocess.run(
        [sys.executable, "-c", FIND], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()).samefile(carried)

"""What is installed is what stands here: from a wheel, and from an editable install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway import __version__

ROOT = Path(__file__).parents[1]

REPORT = """
import importlib.metadata, json, gateway
from gateway.config.environment import VARIABLES
from gateway.sources.catalogs import load_catalog
from gateway.sources.packs import packs_directory
entry, = importlib.metadata.distribution("facegate").entry_points.select(name="facegate")
print(json.dumps([
    gateway.__file__,
    str(packs_directory()),
    sorted(path.name for path in packs_directory().iterdir()),
    sorted(load_catalog().providers),
    importlib.metadata.version("facegate"),
    entry.value,
]))
"""


def run(*arguments: str, cwd: Path = ROOT, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(target: str, directory: Path) -> Path:
    """Build without an index: the build requirements are installed already."""
    run("-m", "hatchling", "build", "--target", target, "--directory", str(directory))
    (wheel,) = directory.glob("*.whl")
    return wheel


def report(environ: dict[str, str], cwd: Path) -> list[object]:
    """Import the package outside the repository, and tell what was found."""
    found: list[object] = json.loads(run("-P", "-c", REPORT, cwd=cwd, environ=environ))
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_an_installed_wheel_carries_its_packs_and_catalogues(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index")
    run(*pip, "--no-deps", "--target", str(installed), str(wheel))
    package, packs, names, providers, version, entry = report(
        {"PYTHONPATH": str(installed)}, tmp_path
    )
    assert package == str(installed / "gateway/__init__.py")
    assert packs == str(installed / "gateway/packs")
    assert names == sorted(path.name for path in (ROOT / "policies").iterdir())
    assert isinstance(providers, list)
    data_files = (ROOT / "gateway/core/catalog/providers").glob("*.toml")
    assert providers == sorted(path.stem for path in data_files)
    assert "aws_rekognition" in providers
    assert version == __version__
    assert entry == "gateway.__main__:main"


def test_an_editable_install_reads_the_repository_itself(tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(build("wheel:editable", tmp_path)) as editable:
        editable.extractall(site)
    start = tmp_path / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(site)!r})\n")
    package, packs, *_ = report({"PYTHONPATH": str(start)}, tmp_path)
    assert package == str(ROOT / "gateway/__init__.py")
    assert packs == str(ROOT / "policies")
    assert not (ROOT / "gateway/packs").exists()


def test_the_wheel_holds_the_package_and_nothing_of_the_repository_around_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    information = f"facegate-{__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"gateway", information}
    assert "gateway/py.typed" in names
    assert f"{information}/licenses/LICENSE" in names
    assert not [name for name in names if name.endswith((".pyc", ".mmdb", ".pem", ".key"))]

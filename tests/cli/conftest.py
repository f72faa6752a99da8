from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import facegate


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The directory that `facegate init` writes."""
    directory = tmp_path / "start"
    assert facegate("init", directory).code == 0
    return directory


@pytest.fixture
def config(start: Path) -> Path:
    return start / "gateway.yaml"

"""Watching: every way in which files are replaced on real machines is seen."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from gateway.sources.watch import changes

NEVER = 3600.0
PATIENCE_S = 20

Reports = AsyncGenerator[frozenset[Path], None]


def reads(file: Path) -> str | None:
    return file.read_text() if file.is_file() else None


async def news(reports: Reports, root: Path, file: Path, text: str) -> None:
    """Follow the reports until one about the root comes at which the file reads as expected."""
    async with asyncio.timeout(PATIENCE_S):
        async for changed in reports:
            if root in changed and reads(file) == text:
                return
    pytest.fail("the reports ended")


async def news_while(reports: Reports, root: Path, change: Callable[[], object]) -> None:
    """Repeat a change until it is reported: a watch that is not yet armed may miss the first."""
    waiting = asyncio.ensure_future(anext(reports))
    async with asyncio.timeout(PATIENCE_S):
        while not waiting.done():
            change()
            await asyncio.wait([waiting], timeout=0.3)
    assert root in waiting.result()


def replace(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    new.replace(file)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    root = tmp_path / "policies"
    root.mkdir()
    (root / "rules.yaml").write_text("1")
    return root


async def test_a_change_between_the_call_and_the_first_iteration_is_not_missed(
    policies: Path,
) -> None:
    reports = changes([policies], stop=asyncio.Event(), look_every_s=NEVER)
    (policies / "rules.yaml").write_text("2")
    async with aclosing(reports):
        await news(reports, policies, policies / "rules.yaml", "2")


async def test_events_alone_bring_the_news_of_an_edit_and_of_a_replaced_file(
    policies: Path,
) -> None:
    file = policies / "rules.yaml"
    async with aclosing(changes([policies], stop=asyncio.Event(), look_every_s=NEVER)) as reports:
        await news_while(reports, policies, lambda: file.write_text("2"))
        await news_while(reports, policies, lambda: replace(file, "3"))


async def test_a_file_is_watched_by_the_directory_that_it_stands_in(policies: Path) -> None:
    file = policies / "rules.yaml"
    async with aclosing(changes([file], stop=asyncio.Event(), look_every_s=NEVER)) as reports:
        await news_while(reports, file, lambda: replace(file, "2"))
        await news_while(reports, file, lambda: replace(file, "3"))


async def test_a_change_below_a_directory_that_is_new_is_seen(policies: Path) -> None:
    below = policies / "packs" / "eu"
    async with aclosing(changes([policies], stop=asyncio.Event())) as reports:
        below.mkdir(parents=True)
        (below / "pack.yaml").write_text("1")
        await news(reports, policies, below / "pack.yaml", "1")
        (below / "pack.yaml").write_text("2")
        await news(reports, policies, below / "pack.yaml", "2")


async def test_a_symlink_swap_is_seen_each_time(tmp_path: Path) -> None:
    """The layout of a mounted ConfigMap: rules.yaml -> ..data/rules.yaml, ..data -> ..version."""
    root = tmp_path / "mounted"
    root.mkdir()
    file = root / "rules.yaml"

    def publish(version: str) -> None:
        content = root / f"..{version}"
        content.mkdir()
        (content / "rules.yaml").write_text(version)
        (root / "..data_tmp").symlink_to(content.name)
        (root / "..data_tmp").replace(root / "..data")

    publish("1")
    file.symlink_to("..data/rules.yaml")
    async with aclosing(changes([root, file], stop=asyncio.Event())) as reports:
        publish("2")
        await news(reports, root, file, "2")
        publish("3")
        await news(reports, file, file, "3")
        shutil.rmtree(root / "..1")
        publish("4")
        await news(reports, file, file, "4")


async def test_a_root_that_is_a_symlink_may_be_swapped_itself(tmp_path: Path) -> None:
    for version in ("1", "2", "3"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "rules.yaml").write_text(version)
    root = tmp_path / "policies"
    root.symlink_to("1")
    async with aclosing(changes([root], stop=asyncio.Event())) as reports:
        for version in ("2", "3"):
            (tmp_path / "new").symlink_to(version)
            (tmp_path / "new").replace(root)
            await news(reports, root, root / "rules.yaml", version)
        (tmp_path / "3" / "rules.yaml").write_text("4")
        await news(reports, root, root / "rules.yaml", "4")


async def test_a_root_that_went_away_and_came_back_is_watched_again(tmp_path: Path) -> None:
    root = tmp_path / "gateway" / "policies"
    file = root / "rules.yaml"
    async with aclosing(changes([root], stop=asyncio.Event(), look_every_s=0.2)) as reports:
        for text in ("1", "2"):
            root.mkdir(parents=True)  # with the directory that it stands in
            file.write_text(text)
            await news(reports, root, file, text)
            file.write_text(text * 2)
            await news(reports, root, file, text * 2)
            shutil.rmtree(root.parent)


async def test_only_the_root_that_changed_is_reported(policies: Path, tmp_path: Path) -> None:
    tenants = tmp_path / "tenants.yaml"
    tenants.write_text("1")
    async with aclosing(changes([policies, tenants], stop=asyncio.Event())) as reports:
        tenants.write_text("22")
        async with asyncio.timeout(PATIENCE_S):
            assert await anext(reports) == {tenants}


async def test_a_cycle_of_links_is_walked_once(policies: Path) -> None:
    (policies / "again").symlink_to(policies)
    async with aclosing(changes([policies], stop=asyncio.Event())) as reports:
        (policies / "rules.yaml").write_text("2")
        await news(reports, policies, policies / "rules.yaml", "2")


async def test_stop_ends_the_reports(policies: Path, tmp_path: Path) -> None:
    for root in (policies, tmp_path / "absent" / "root"):
        stop = asyncio.Event()
        reports = changes([root], stop=stop, look_every_s=NEVER)
        ending = asyncio.ensure_future(anext(reports, None))
        await asyncio.sleep(0)
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            assert await ending is None

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from gateway.errors import SourceError
from gateway.sources.child import Child


def double(value: int) -> int:
    return value * 2


def hoard() -> int:
    return len(bytearray(8 << 30))


def linger() -> None:
    while True:
        time.sleep(60)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_calls_run_in_one_warm_process() -> None:
    child = Child()
    try:
        assert await child.run(double, 21) == 42
        first = await child.run(os.getpid)
        assert first != os.getpid()
        assert await child.run(os.getpid) == first
    finally:
        child.close()


async def test_a_call_that_needs_too_much_memory_is_an_error_and_the_next_works() -> None:
    child = Child()
    try:
        with pytest.raises(SourceError, match="MiB"):
            await child.run(hoard)
        assert await child.run(double, 1) == 2
    finally:
        child.close()


async def test_a_call_that_takes_too_long_is_ended_and_the_next_works() -> None:
    child = Child(deadline_s=1.0)
    try:
        with pytest.raises(SourceError, match="longer than 1 s"):
            await child.run(linger)
    finally:
        child.close()
    late = Child()
    try:
        assert await late.run(double, 2) == 4
    finally:
        late.close()


async def test_a_child_that_dies_is_an_error_and_the_next_call_gets_a_new_one() -> None:
    child = Child()
    try:
        with pytest.raises(SourceError):
            await child.run(die)
        assert await child.run(double, 3) == 6
    finally:
        child.close()


async def test_calls_wait_their_turn() -> None:
    child = Child()
    try:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(child.run(double, value)) for value in range(5)]
        assert [task.result() for task in asked] == [0, 2, 4, 6, 8]
    finally:
        child.close()

from __future__ import annotations

import asyncio
import threading

from gateway.audit.thread import Bell, Failure, WritingThread


async def test_a_fault_of_our_own_is_a_failure_and_the_thread_goes_on() -> None:
    thread, ran = WritingThread(), list[str]()

    def fault() -> None:
        raise KeyError("x")

    assert await thread.run(fault) == Failure("write", "the writing thread failed")
    assert await thread.run(lambda: ran.append(threading.current_thread().name)) is None
    thread.close()
    assert ran == ["facegate-audit"]


async def test_work_is_done_in_order_and_reported_on_the_loop() -> None:
    thread, told = WritingThread(), list[tuple[int, str]]()
    done = asyncio.Event()
    for number in range(3):
        thread.submit(
            lambda: None,
            lambda _, number=number: told.append((number, threading.current_thread().name)),  # type: ignore[misc]
        )
    thread.submit(lambda: None, lambda _: done.set())
    await done.wait()
    thread.close()
    assert told == [(number, threading.current_thread().name) for number in range(3)]


def test_a_thread_whose_loop_is_closed_ends() -> None:
    async def begin() -> WritingThread:
        return WritingThread()

    before = set(threading.enumerate())
    thread = asyncio.run(begin())
    (started,) = set(threading.enumerate()) - before
    thread.submit(lambda: None, lambda _: None)
    started.join(5)
    assert not started.is_alive()


async def test_each_ring_wakes_who_waits_then_and_nobody_else() -> None:
    bell = Bell()
    bell.ring()
    first, also = bell.heard(), bell.heard()
    assert not first.done()
    first.cancel()
    bell.ring()
    await also
    assert not bell.heard().done()

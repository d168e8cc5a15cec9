"""Another thread wakes the loop: in order, and nothing is left when it closes."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from alonechat.core.server.wakes import Wakes, wakes

pytestmark = pytest.mark.skipif(not hasattr(os, "eventfd"), reason="elsewhere: Linux has such files")


def test_what_threads_ask_for_is_called_on_the_loop_in_order() -> None:
    async def run() -> list[tuple[int, bool]]:
        found: list[tuple[int, bool]] = []
        done, here, woken = asyncio.Event(), threading.get_ident(), Wakes(asyncio.get_running_loop())

        def act(number: int) -> None:
            found.append((number, threading.get_ident() == here))
            if number == 999:
                done.set()

        thread = threading.Thread(target=lambda: [woken.call(act, number) for number in range(1000)])
        thread.start()
        await asyncio.wait_for(done.wait(), 20)
        thread.join()
        woken.close()
        return found

    assert asyncio.run(run()) == [(number, True) for number in range(1000)]


def test_what_was_asked_for_just_before_the_end_is_called() -> None:
    async def run() -> list[int]:
        found: list[int] = []
        woken = Wakes(asyncio.get_running_loop())
        woken.call(found.append, 1)
        woken.close()
        await asyncio.sleep(0)
        return found

    assert asyncio.run(run()) == [1]


def test_a_fault_of_one_keeps_no_other_from_being_called() -> None:
    async def run() -> list[int]:
        found: list[int] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: found.append(0))
        woken = Wakes(loop)
        woken.call(int, "x")
        woken.call(found.append, 1)
        await asyncio.sleep(0.05)
        woken.close()
        return found

    assert asyncio.run(run()) == [0, 1]


def test_the_loop_of_asyncio_keeps_its_own_way() -> None:
    async def run() -> bool:
        return wakes(asyncio.get_running_loop()) is None

    assert asyncio.run(run())

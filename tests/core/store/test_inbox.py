"""What waits for the writer: in order, from many threads, with either way of waking."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from alonechat.core.store import inbox
from alonechat.core.store.inbox import FileBell, Inbox, QueueBell


@pytest.fixture(params=["file", "queue"])
def box(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    if request.param == "queue":
        monkeypatch.delattr(os, "eventfd", raising=False)
    elif not hasattr(os, "eventfd"):
        pytest.skip("elsewhere: Linux has such files")
    made = Inbox()
    assert isinstance(made._bell, FileBell if request.param == "file" else QueueBell)
    yield made
    made.close()


def test_all_of_many_threads_comes_once_and_that_of_each_in_order(box: Inbox) -> None:
    def put(who: int) -> Callable[[], None]:
        return lambda: [box.put((who, number)) for number in range(2000)] and None

    threads = [threading.Thread(target=put(who)) for who in range(4)]
    for each in threads:
        each.start()
    found = [box.get(time.monotonic() + 20) for _ in range(8000)]
    for each in threads:
        each.join()
    assert box.is_empty() and sorted(found) == [(who, number) for who in range(4) for number in range(2000)]
    for who in range(4):
        assert [number for one, number in found if one == who] == list(range(2000))


def test_one_at_a_time_back_and_forth(box: Inbox) -> None:
    answers = inbox.Inbox()

    def answer() -> None:
        while (item := box.get(None)) is not None:
            answers.put(item + 1)

    thread = threading.Thread(target=answer)
    thread.start()
    for number in range(3000):
        box.put(number)
        assert answers.get(time.monotonic() + 20) == number + 1
    box.put(None)
    thread.join()
    answers.close()


def test_who_asks_without_waiting_gets_what_is_there(box: Inbox) -> None:
    with pytest.raises(IndexError):
        box.get(0.0)
    box.put("a")
    assert box.get(0.0) == "a"
    with pytest.raises(IndexError):
        box.get(0.0)


def test_it_waits_until_the_time_that_it_was_given_and_no_earlier_for_a_ring_that_is_over(box: Inbox) -> None:
    box._bell.ring()
    began = time.monotonic()
    with pytest.raises(IndexError):
        box.get(began + 0.05)
    assert 0.05 <= time.monotonic() - began < 10


def test_who_is_not_waited_for_rings_nothing(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[int] = []
    monkeypatch.setattr(box._bell, "ring", lambda: rings.append(1))
    for number in range(10):
        box.put(number)
    assert [box.get(0.0) for _ in range(10)] == list(range(10)) and rings == []

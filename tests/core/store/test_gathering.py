"""The writer lets more gather while messages come in a stream, and keeps nobody waiting else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.store import open_store
from alonechat.core.store.gathering import MEMORY, REST, SMALL, STREAM, Gathering
from alonechat.core.store.records import Account, Post
from alonechat.core.store.sqlite import SqliteStore
from tests.conformance.kept import Clock


class Time:
    """Seconds that pass when they are slept through, or by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def passes(each: float, times: int, items: int = 1, more: bool = True) -> tuple[Gathering, Time]:
    """So many commits of so many items, one every `each` seconds, with no rest between."""
    time = Time()
    gathering = Gathering(time, time.sleep)
    for _ in range(times):
        time.now += each
        gathering.committed(items, more)
    return gathering, time


def test_a_stream_has_it_rest_until_two_milliseconds_after_the_commit() -> None:
    gathering, time = passes(STREAM / 3, times=10 * MEMORY)
    assert gathering.resting
    time.now += REST / 2  # texts were indexed meanwhile
    gathering.rest()
    assert time.slept == pytest.approx(REST / 2) and not gathering.resting
    gathering.rest()
    assert time.slept == pytest.approx(REST / 2)
    gathering.committed(7, more=True)
    assert gathering.resting
    time.now += REST * 2
    gathering.rest()
    assert time.slept == pytest.approx(REST / 2)


def test_who_waits_for_his_echo_is_never_kept_waiting_however_quick_he_is() -> None:
    gathering, time = passes(STREAM / 10, times=10 * MEMORY, more=False)
    gathering.rest()
    assert not gathering.resting and time.slept == 0


def test_two_who_write_at_once_are_no_stream() -> None:
    gathering, time = passes(STREAM * 5, times=10 * MEMORY)
    time.now += STREAM / 10
    gathering.committed(2, more=True)
    gathering.rest()
    assert not gathering.resting and time.slept == 0


def test_a_large_commit_is_followed_by_the_next_at_once() -> None:
    gathering, time = passes(STREAM * 5, times=100, items=SMALL + 1)
    gathering.rest()
    assert not gathering.resting and time.slept == 0


def test_a_stream_that_ends_is_forgotten_and_a_new_one_soon_known() -> None:
    gathering, time = passes(STREAM / 3, times=10 * MEMORY)
    for _ in range(10):
        time.now += 3600.0
        gathering.committed(1, more=True)
    assert not gathering.resting
    for _ in range(4 * MEMORY):
        time.now += STREAM / 3
        gathering.committed(1, more=True)
    assert gathering.resting


def test_the_writer_rests_with_more_in_its_queue_and_loses_nothing(tmp_path: Path) -> None:
    """Posts come while others are being committed, four at a time, and one during each rest."""
    store = open_store(f"sqlite:///{tmp_path}/a.db", Clock())
    assert isinstance(store, SqliteStore)
    store.transaction(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]))
    sent = [Post("TEXT", "#lobby", "alice", f"text {n}", nonce=f"n{n}") for n in range(1000)]
    left = list(sent)
    rested: list[bool] = []
    heard: list[tuple[Post, Any, bool]] = []
    done = threading.Event()

    def post(most: int) -> None:
        if left:
            some = left[:most]
            del left[:most]
            store.post(*some)

    def wake(act: Callable[..., None], batch: Any) -> None:
        rested.append(store.resting)
        if store.resting:
            post(1)
        heard.extend(batch)
        if len(heard) == len(sent):
            done.set()

    store.on_commit = lambda seconds: post(4)
    store.start(lambda batch: None, wake)
    post(1)
    assert done.wait(20)
    assert [posted for posted, _, _ in heard] == sent
    assert [event["seq"] for _, event, _ in heard] == list(range(1, 1001))
    assert any(rested), "the writer never rested"
    assert not rested[0] and not rested[-1]
    store.close()

"""The writer lets more gather while messages come in a stream, and keeps nobody waiting else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.store import gathering, open_store
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
    found = Gathering(time, time.sleep)
    for _ in range(times):
        time.now += each
        found.committed(items, more)
    return found, time


def test_a_stream_has_it_rest_until_two_milliseconds_after_the_commit() -> None:
    found, time = passes(STREAM / 3, times=10 * MEMORY)
    assert found.resting
    time.now += REST / 2  # texts were indexed meanwhile
    found.rest()
    assert time.slept == pytest.approx(REST / 2) and not found.resting
    found.rest()
    assert time.slept == pytest.approx(REST / 2)
    found.committed(7, more=True)
    assert found.resting
    time.now += REST * 2
    found.rest()
    assert time.slept == pytest.approx(REST / 2)


def test_who_waits_for_his_echo_is_never_kept_waiting_however_quick_he_is() -> None:
    found, time = passes(STREAM / 10, times=10 * MEMORY, more=False)
    found.rest()
    assert not found.resting and time.slept == 0


def test_two_who_write_at_once_are_no_stream() -> None:
    found, time = passes(STREAM * 5, times=10 * MEMORY)
    time.now += STREAM / 10
    found.committed(2, more=True)
    found.rest()
    assert not found.resting and time.slept == 0


def test_a_large_commit_is_followed_by_the_next_at_once() -> None:
    found, time = passes(STREAM * 5, times=100, items=SMALL + 1)
    found.rest()
    assert not found.resting and time.slept == 0


def test_a_stream_that_ends_is_forgotten_and_a_new_one_soon_known() -> None:
    found, time = passes(STREAM / 3, times=10 * MEMORY)
    for _ in range(10):
        time.now += 3600.0
        found.committed(1, more=True)
    assert not found.resting
    for _ in range(4 * MEMORY):
        time.now += STREAM / 3
        found.committed(1, more=True)
    assert found.resting


def test_the_writer_rests_with_more_in_its_queue_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Posts come while others are being committed, four at a time, and one during each rest."""
    monkeypatch.setattr(gathering, "STREAM", 1.0)  # so that it is a stream on a slow disk, too
    store = open_store(f"sqlite:///{tmp_path}/a.db", Clock())
    assert isinstance(store, SqliteStore)
    store.transaction(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]))
    sent = [Post("TEXT", "#lobby", "alice", f"text {n}", nonce=f"n{n}") for n in range(400)]
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
        rested.append(store.is_resting())
        if store.is_resting():
            post(1)
        heard.extend(batch)
        if len(heard) == len(sent):
            done.set()

    store.on_commit = lambda seconds: post(4)
    store.start(lambda batch: None, wake)
    post(1)
    assert done.wait(20)
    assert [posted for posted, _, _ in heard] == sent
    assert [event["seq"] for _, event, _ in heard] == list(range(1, 401))
    assert any(rested), "the writer never rested"
    assert not rested[-1], "nothing was left to come"
    store.close()

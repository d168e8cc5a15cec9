"""Token buckets: time is what the test says it is."""

from __future__ import annotations

from alonechat.core.server.limits import Bucket, Buckets


def test_a_burst_passes_and_then_the_rate() -> None:
    bucket = Bucket(rate=10, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.1]
    assert bucket.take(0.1) == 0.0 and bucket.take(0.1) > 0


def test_it_fills_to_its_burst_and_no_further() -> None:
    bucket = Bucket(rate=10, burst=3)
    for _ in range(3):
        bucket.take(0.0)
    assert not bucket.is_full(0.2) and bucket.is_full(1000.0)
    assert [bucket.take(1000.0) == 0 for _ in range(4)] == [True, True, True, False]


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = Bucket(rate=0, burst=1)
    assert all(bucket.take(0.0) == 0.0 for _ in range(1000))


def test_what_is_given_back_can_be_taken_again() -> None:
    bucket = Bucket(rate=1, burst=1)
    bucket.take(0.0)
    bucket.give()
    assert bucket.take(0.0) == 0.0


def test_asking_takes_nothing() -> None:
    bucket = Bucket(rate=1, burst=1)
    assert bucket.wait(0.0) == bucket.wait(0.0) == bucket.take(0.0) == 0.0
    assert bucket.wait(0.5) == 0.5


def test_keys_have_buckets_of_their_own_and_full_ones_are_forgotten() -> None:
    buckets = Buckets(rate=1, burst=2, most=8)
    busy = buckets.of("busy", 0.0)
    busy.take(0.0)
    for number in range(1000):
        buckets.of(number, 0.5)
    assert buckets.of("busy", 0.5) is busy
    assert len(buckets._kept) <= 16

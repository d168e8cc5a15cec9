"""Times and days as a person reads them, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from alonechat.core.client.moment import Moment, clock, day, day_of, stamp_of, when
from alonechat.core.client.words import choose

NOW = datetime(2026, 11, 25, 9, 41, 30, tzinfo=UTC).timestamp()  # a Wednesday
MOMENT = Moment(NOW, UTC)
HOUR = 3600


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    choose("en")
    yield
    choose("en")


@pytest.mark.parametrize(
    ("ago", "wanted", "chinese"),
    [
        (timedelta(0), "09:41", "09:41"),
        (timedelta(hours=9, minutes=41), "00:00", "00:00"),
        (timedelta(hours=10), "Tue 23:41", "周二 23:41"),
        (timedelta(days=6), "Thu 09:41", "周四 09:41"),
        (timedelta(days=7), "18 Nov", "11月18日"),
        (timedelta(days=200), "9 May", "5月9日"),
        (timedelta(days=365), "25 Nov 2025", "2025年11月25日"),
        (timedelta(days=-1), "26 Nov", "11月26日"),
    ],
)
def test_a_time_in_a_list(ago: timedelta, wanted: str, chinese: str) -> None:
    assert when(NOW - ago.total_seconds(), MOMENT) == wanted
    choose("zh")
    assert when(NOW - ago.total_seconds(), MOMENT) == chinese


@pytest.mark.parametrize(
    ("of", "wanted", "chinese"),
    [
        (date(2026, 11, 25), "Today", "今天"),
        (date(2026, 11, 24), "Yesterday", "昨天"),
        (date(2026, 11, 23), "Monday, 23 November", "11月23日 星期一"),
        (date(2026, 5, 3), "Sunday, 3 May", "5月3日 星期日"),
        (date(2025, 12, 31), "Wednesday, 31 December 2025", "2025年12月31日 星期三"),
        (date(2026, 11, 26), "Thursday, 26 November", "11月26日 星期四"),
    ],
)
def test_a_day_as_a_divider_shows_it(of: date, wanted: str, chinese: str) -> None:
    assert day(of, MOMENT.today) == wanted
    choose("zh")
    assert day(of, MOMENT.today) == chinese


def test_every_month_and_weekday_has_a_name_of_its_own() -> None:
    for language in ("en", "zh"):
        choose(language)
        months = {day(date(2025, month, 1), date(2026, 11, 25)) for month in range(1, 13)}
        weekdays = {day(date(2026, 11, number), date(2026, 12, 25)).split()[0 if language == "en" else 1]
                    for number in range(1, 8)}  # fmt: skip
        assert (len(months), len(weekdays)) == (12, 7)
        assert "(short)" not in when(datetime(2026, 5, 3, tzinfo=UTC).timestamp(), MOMENT)


def test_the_zone_says_which_day_it_is() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC).timestamp()
    shanghai = timezone(timedelta(hours=8))
    assert (clock(late, UTC), clock(late, shanghai)) == ("23:30", "07:30")
    assert (day_of(late, UTC), day_of(late, shanghai)) == (date(2026, 11, 24), date(2026, 11, 25))
    assert when(late, Moment(NOW, shanghai)) == "07:30"


def test_a_clock_is_right_on_the_day_that_it_is_put_back() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert [clock(before + n * HOUR, berlin) for n in range(3)] == ["02:30", "02:30", "03:30"]


def test_a_time_of_the_wire_in_seconds() -> None:
    assert stamp_of("1970-01-01T00:00:01.500Z") == 1.5
    assert clock(stamp_of("2026-11-23T04:24:59.999Z"), UTC) == "04:24"

"""Times and days as a person reads them, in the language that was chosen. Pure: now and the zone are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from alonechat.core.client.words import _


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is drawn (seconds since 1970), and where (None: the local zone)."""

    now: float
    zone: tzinfo | None = None

    @property
    def today(self) -> date:
        """The day that it is."""
        return local(self.now, self.zone).date()


def local(stamp: float, zone: tzinfo | None) -> datetime:
    """A time in seconds since 1970, in a zone."""
    return datetime.fromtimestamp(stamp, UTC).astimezone(zone)


@lru_cache(8192)
def stamp_of(timestamp: str) -> float:
    """A time of the wire in seconds since 1970."""
    return datetime.fromisoformat(timestamp).timestamp()


@lru_cache(4096)
def minute(stamp: int, zone: tzinfo | None) -> tuple[str, date]:
    """`09:41` and the day of a time that is cut to whole minutes: a conversation asks for the same ones again."""
    at = local(stamp, zone)
    return f"{at:%H:%M}", at.date()


def clock(stamp: float, zone: tzinfo | None) -> str:
    """`09:41`."""
    return minute(int(stamp // 60) * 60, zone)[0]


def day_of(stamp: float, zone: tzinfo | None) -> date:
    """The day of a time."""
    return minute(int(stamp // 60) * 60, zone)[1]


def _weekdays() -> tuple[str, ...]:
    return (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def _short_weekdays() -> tuple[str, ...]:
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


def _months() -> tuple[str, ...]:
    return (
        *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June")),
        *(_("July"), _("August"), _("September"), _("October"), _("November"), _("December")),
    )


def _short_months() -> tuple[str, ...]:
    return (
        *(_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May (short)"), _("Jun")),
        *(_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec")),
    )


def day(of: date, today: date) -> str:
    """A day as a divider shows it: `Today`, `Yesterday`, `Monday, 23 November`, with the year in another one."""
    if of == today:
        return _("Today")
    if of == today - timedelta(days=1):
        return _("Yesterday")
    named = {"weekday": _weekdays()[of.weekday()], "day": of.day, "month": _months()[of.month - 1], "year": of.year}
    return (_("{weekday}, {day} {month}") if of.year == today.year else _("{weekday}, {day} {month} {year}")).format(
        **named
    )


def when(stamp: float, moment: Moment) -> str:
    """A time in a list: `09:41` today, `Mon 09:41` within a week, `23 Nov` else, with the year in another one."""
    of, today = day_of(stamp, moment.zone), moment.today
    if of == today:
        return clock(stamp, moment.zone)
    if timedelta(0) < today - of < timedelta(days=7):
        return f"{_short_weekdays()[of.weekday()]} {clock(stamp, moment.zone)}"
    month = _short_months()[of.month - 1].removesuffix(" (short)")
    text = _("{day} {month}") if of.year == today.year else _("{day} {month} {year}")
    return text.format(day=of.day, month=month, year=of.year)

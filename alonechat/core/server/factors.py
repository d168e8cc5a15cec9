"""The second factor of a sign-in: one-time codes of an authenticator app, and recovery codes that stand in for them.

A code signs in once. Wrong ones are counted by account, wherever they come from: who tries codes has the password, and
a million codes are soon tried from many addresses. Recovery codes are too many to be tried, so whoever lost the device
signs in even while somebody tries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alonechat.core.logging import get_logger
from alonechat.core.server import otp
from alonechat.core.server.limits import Buckets
from alonechat.core.server.parts import Parts
from alonechat.core.store.records import Factor, Writes
from alonechat.errors import Rejected

WRONG = 10
"""Wrong codes that an account may have at once; one more every `SECONDS`."""
SECONDS = 300.0
"""With three codes of a million that hold at a time, a year of trying finds one with a chance of a quarter."""
NEEDED = "this account asks for a one-time code, too"
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Offered:
    """A second factor to be confirmed with a code: the secret for whoever types it, and what a picture of it holds."""

    secret: str
    uri: str


class Factors:
    """Offers, confirms and ends second factors, and asks for them."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._keep = parts, parts.keep
        self._wrong, self._unconfirmed = Buckets(1 / SECONDS, WRONG), Buckets(1 / SECONDS, WRONG)

    async def of(self, username: str) -> Factor | None:
        """The second factor that this account is asked for; None where it is not."""
        found = await self._keep.read(self._keep.store.factor, username)
        return found if found is not None and found.since else None

    async def offer(self, username: str) -> Offered:
        """A new secret, which is not asked for before it is confirmed. Raises `Rejected("conflict")` where one is."""
        secret = otp.new_secret()
        await self._keep.write(lambda writes: writes.offer_factor(username, secret))
        return Offered(secret, otp.uri(secret, self._parts.settings.name, username))

    async def confirm(self, username: str, given: str) -> list[str]:
        """Ask for codes from now on; the recovery codes, which are shown this once. Raises Rejected: `conflict` where
        nothing was offered, `forbidden` for a wrong code, `rate_limited`."""
        found = await self._keep.read(self._keep.store.factor, username)
        if found is None:
            raise Rejected("conflict", "there is no secret to confirm: ask for one first")
        if found.since:
            raise Rejected("conflict", "one-time codes are on for this account already; turn them off first")
        now = self._parts.now()
        bucket = self._unconfirmed.of(username, now)
        if (wait := bucket.take(now)) > 0:
            raise Rejected("rate_limited", f"too many wrong one-time codes; try again in {wait:.0f} s", wait)
        step = otp.step_of(found.secret, given, self._keep.clock())
        if step is None:
            raise Rejected("forbidden", "the one-time code is wrong; is the clock of your device right?")
        bucket.give()
        recoveries = otp.new_recoveries()
        digests = [otp.digest(each) for each in recoveries]
        await self._keep.write(lambda writes: writes.confirm_factor(username, found.secret, step, digests))
        log.info("one-time codes turned on", user=username)
        return recoveries

    async def drop(self, username: str, given: str) -> None:
        """Ask for codes no longer. Raises Rejected: `conflict` where none are asked for, `forbidden` for a wrong code,
        `rate_limited`."""
        if await self.of(username) is None:
            raise Rejected("conflict", "one-time codes are not on for this account")
        try:
            take = await self.check(username, given)

            def act(writes: Writes) -> None:
                take(writes)
                writes.drop_factor(username)

            await self._keep.write(act)
        except Rejected as refused:
            raise Rejected("forbidden", refused.text) if refused.code == "unauthorized" else refused from None
        log.info("one-time codes turned off", user=username)

    async def check(self, username: str, given: str | None) -> Callable[[Writes], None]:
        """What takes the code that was typed, within the write that it is for: it raises, too, where somebody was
        quicker. Raises Rejected: `unauthorized`, which `needs` a code where there is none, and `rate_limited`."""
        factor = await self.of(username)
        if factor is None:
            return lambda writes: None  # a code that is not needed is no fault: a form may ask everybody
        if not (given or "").strip():
            raise Rejected("unauthorized", NEEDED, needs="otp")
        assert given is not None
        wrong = Rejected("unauthorized", "the one-time code is wrong, or was used already", needs="otp")
        if not otp.is_timed(given):
            return _taking(wrong, lambda writes: writes.take_recovery(username, otp.digest(given)))
        give_back = self._count(username)
        step = otp.step_of(factor.secret, given, self._keep.clock())
        if step is None or step <= factor.step:
            if factor.step > self._keep.clock() // otp.PERIOD + 2 * otp.AROUND:
                log.warning("the clock went back: one-time codes are refused until it is where it was", user=username)
            raise wrong
        give_back()
        return _taking(wrong, lambda writes: writes.take_step(username, step))

    def _count(self, username: str) -> Callable[[], None]:
        """Count a code before it is known whether it is right; call what it returns when it was."""
        now = self._parts.now()
        bucket = self._wrong.of(username, now)
        if (wait := bucket.take(now)) > 0:
            raise Rejected(
                "rate_limited",
                f"too many wrong one-time codes; try again in {wait:.0f} s, or use a recovery code",
                wait,
            )
        return bucket.give


def _taking(wrong: Rejected, take: Callable[[Writes], bool]) -> Callable[[Writes], None]:
    def act(writes: Writes) -> None:
        if not take(writes):
            raise wrong

    return act

"""Registration, sign-in, tokens and their end: accounts as the server knows them."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from alonechat.core import message
from alonechat.core.logging import get_logger
from alonechat.core.server import auth
from alonechat.core.server.auth import Identity
from alonechat.core.server.factors import Factors, Offered
from alonechat.core.server.parts import Parts
from alonechat.core.store.records import Account, Session, Writes
from alonechat.errors import Rejected

HASHES = 2
"""Password hashes at a time where there are two cores: each takes 16 MiB and a core for 0.2 s. One where there is one:
beside two of them an echo would have a third of the core, and both would be done no sooner than one after the other."""
WAITING = 64
"""Sign-ins that wait for a hash; beyond it they are asked to come again."""
LINGER = 60_000
"""Milliseconds that a renewed token still holds (PROTOCOL, section 7)."""
KNOWN = 20_000
"""Sessions that are remembered, so that a request needs no read."""
TOKENS = 1_000
"""Tokens whose signature is known to be right: what one says never changes, and whether it holds, and how long, its
session says. To look at one each time took a quarter of a POST /send."""
T = TypeVar("T")
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody wants an account."""

    username: str
    password: str
    invite: str | None = None
    display_name: str | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wants to sign in. `device` is what the client calls itself."""

    username: str
    password: str
    otp: str | None = None
    address: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in: the token, until when it holds (RFC 3339), whose it is."""

    token: str
    expires_at: str
    account: Account


class Accounts:
    """Makes accounts and sign-ins, checks tokens, ends sign-ins.

    `on_end(ids)` is called with the ids of sessions that ended, so that their connections are closed; `on_renew(old,
    new)`
    with two sessions, so that those of the old one live on under the new one.
    """

    def __init__(self, parts: Parts, secret: bytes) -> None:
        self._parts, self._keep, self._settings = parts, parts.keep, parts.settings
        self._secret = secret
        self._hashers = ThreadPoolExecutor(min(HASHES, _cores()), "password")
        self._hashing = 0
        self._known: dict[str, Session] = {}
        self._read: dict[str, tuple[str, str]] = {}
        self._generation = 0
        self._nobody = auth.no_password(self._settings.scrypt_n)
        self.factors = Factors(parts)
        self.on_end: Callable[[list[str]], None] = lambda ids: None
        self.on_renew: Callable[[str, Session], None] = lambda old, new: None

    # --- accounts ---

    async def register(self, wanted: Registration) -> Account:
        """Make an account. Raises Rejected: `invalid`, `conflict`, `forbidden` (closed, or an invite that does not
        hold),
        `rate_limited`."""
        name = message.username(wanted.username)
        shown = message.display_name(wanted.display_name) if wanted.display_name is not None else name
        give_back = self._attempt(name, wanted.address)
        self._free(name, shown, "owner")
        role = await self._role(wanted.invite)
        hashed = await self._hash(lambda: auth.hash_password(wanted.password, self._settings.scrypt_n))
        account = Account(name, shown, role, "active", self._keep.clock())

        def act(writes: Writes) -> None:
            if wanted.invite is not None:
                account.role = writes.use_invite(wanted.invite).role
            writes.add_accounts([(account, hashed)])

        self._free(name, shown, role)  # it may have been taken while the password was hashed
        await self._keep.write(act)
        give_back()
        self._parts.directory.add(account)
        if shown != name:
            self._parts.delivery.changed(name, account.profile())  # others learn the username alone by its presence
        log.info("account registered", user=name, role=account.role)
        return account

    def _free(self, name: str, shown: str, role: str) -> None:
        directory = self._parts.directory
        if name in message.RESERVED or directory.get(name) is not None:
            raise Rejected("conflict", f"the name {name} is taken; choose another")
        if directory.is_taken(shown, name):
            raise Rejected("conflict", f"{shown} is another's username; choose another display name")
        if directory.passes_for(shown, Account(name, shown, role)):
            raise Rejected(
                "conflict", f"{shown} is how a moderator or admin is shown here; choose another display name"
            )

    async def _role(self, code: str | None) -> str:
        mode = self._settings.registration
        if code is None:
            if mode == "open":
                return "member"
            how = "needs an invite: ask whoever runs it" if mode == "invite" else "is closed"
            raise Rejected("forbidden", f"registration on this server {how}")
        invite = await self._keep.read(self._keep.store.invite, code)
        if invite is None or (mode == "closed" and invite.role != "owner"):
            raise Rejected("forbidden", "the invite does not hold (any more): ask for a new one")
        return invite.role

    # --- signing in ---

    def _attempt(self, name: str, address: str) -> Callable[[], None]:
        """Count an attempt before its outcome is known, so that many at once can't slip through; call what it returns
        when the attempt was good. Raises `Rejected("rate_limited")`."""
        now = self._parts.now()
        buckets = [self._parts.logins.of((name, address), now)]
        if address and not is_loopback(address):
            buckets.append(self._parts.addresses.of(address, now))
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0:
            raise Rejected("rate_limited", f"too many attempts; try again in {wait:.0f} s", wait)
        for bucket in buckets:
            bucket.take(now)

        def give_back() -> None:
            for bucket in buckets:
                bucket.give()

        return give_back

    async def login(self, attempt: Attempt) -> SignedIn:
        """Sign in with a password, and with a one-time code where the account asks for one. Raises Rejected:
        `unauthorized`, the same for unknown names, which `needs` a code where the password was right; `forbidden` when
        the account is banned or disabled; `rate_limited`."""
        try:
            name = message.username(attempt.username)
        except Rejected:
            name = ""
        give_back = self._attempt(name or attempt.username[:64], attempt.address)
        account = self._parts.directory.get(name)
        if not await self._knows(name, attempt.password) or account is None:
            log.info("sign-in refused", user=name, address=attempt.address)
            raise Rejected("unauthorized", "username or password is wrong")
        given = (attempt.otp or "").strip()
        if not given:
            give_back()  # the password was right; to be asked for a code is no wrong attempt
        self._may_sign_in(account)
        session = self._new_session(name, attempt.device)
        try:
            take = await self.factors.check(name, given)

            def act(writes: Writes) -> None:
                take(writes)
                writes.add_sessions([session])

            await self._keep.write(act)
        except Rejected as refused:
            if given:  # somebody who has the password tries codes
                log.info("sign-in refused", user=name, address=attempt.address, why=refused.text)
            raise
        if given:
            give_back()
        log.info("signed in", user=name, session=session.id, address=attempt.address)
        return self._signed(session, account)

    async def _knows(self, name: str, password: str) -> bool:
        """Whether it is the password of this account; it takes as long where there is no such account."""
        known = self._parts.directory.get(name) is not None
        hashed = await self._keep.read(self._keep.store.password, name) if known else None
        return await self._hash(lambda: auth.check_password(password, hashed or self._nobody)) and bool(hashed)

    def _may_sign_in(self, account: Account) -> None:
        if account.standing != "active":
            raise Rejected(
                "forbidden", f"the account {account.username} is {account.standing}; ask whoever runs the server"
            )

    def _new_session(self, username: str, device: str) -> Session:
        now = self._keep.clock()
        expires = now + self._settings.token_days * 86_400_000
        return Session(auth.new_id(), username, now, expires, now, device)

    def _signed(self, session: Session, account: Account) -> SignedIn:
        token = auth.make_token(self._secret, session.id, session.username, session.created, session.expires)
        return SignedIn(token, message.stamp(session.expires), account)

    async def verify(self, token: str) -> Identity:
        """Whom a token stands for. Raises Rejected: `unauthorized` (bad, expired, revoked), `forbidden` (banned …)."""
        found = self._read.get(token)
        if found is None:
            found = auth.read_token(self._secret, token, self._keep.clock())
            if len(self._read) >= TOKENS:
                self._read.clear()
            self._read[token] = found
        return await self._identify(*found)

    async def recheck(self, identity: Identity) -> Identity:
        """The same sign-in as it stands now. Raises as `verify`."""
        return await self._identify(identity.username, identity.session_id)

    async def _identify(self, username: str, id: str) -> Identity:
        session = self._known.get(id) or await self._session(id)
        account = self._parts.directory.get(username)
        if session is None or session.username != username or session.revoked or account is None:
            raise Rejected("unauthorized", "this sign-in has ended; sign in again")
        if session.expires <= self._keep.clock():
            raise Rejected("unauthorized", "the token has expired; sign in again")
        self._may_sign_in(account)
        return Identity(username, id, session.expires, account)

    async def _session(self, id: str) -> Session | None:
        generation = self._generation
        found = await self._keep.glance(self._keep.store.session, id)
        if found is not None and not found.revoked and generation == self._generation:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[id] = found
        return found

    async def renew(self, identity: Identity, device: str) -> SignedIn:
        """A new token; the old one holds for 60 s more."""
        session = self._new_session(identity.username, device)
        end = self._keep.clock() + LINGER

        def act(writes: Writes) -> None:
            if not writes.holds(identity.username, identity.session_id):  # it was ended while this was on its way
                raise Rejected("unauthorized", "this sign-in has ended; sign in again")
            writes.add_sessions([session])
            writes.revoke(identity.username, id=identity.session_id, expires=end)

        await self._keep.write(act)
        self.forget(identity.session_id)
        self.on_renew(identity.session_id, session)
        return self._signed(session, identity.account)

    # --- the end of sign-ins ---

    def forget(self, *ids: str) -> None:
        """Sessions changed in the store: look there again. Without ids: all of them."""
        self._generation += 1
        if not ids:
            self._known.clear()
        for id in ids:
            self._known.pop(id, None)

    async def end(self, username: str, session_id: str) -> bool:
        """End one sign-in and its connections. False when this account has no such sign-in."""
        return bool(await self._revoke(lambda writes: writes.revoke(username, id=session_id)))

    async def end_others(self, identity: Identity) -> list[str]:
        """End all sign-ins of this account but the one that asks, at once; the ids that ended."""
        return await self._revoke(lambda writes: writes.revoke(identity.username, keep=identity.session_id))

    async def _revoke(self, act: Callable[[Writes], list[str]]) -> list[str]:
        ended = await self._keep.write(act)
        self.forget(*ended)
        if ended:
            self.on_end(ended)
        return ended

    async def change_password(self, identity: Identity, old: str, new: str) -> None:
        """Set a new password, which ends the account's other sign-ins. Raises Rejected: `forbidden` when `old` is
        wrong,
        `rate_limited`."""
        name = identity.username
        await self._prove(name, old, Rejected("forbidden", "the old password is wrong"))
        fresh = await self._hash(lambda: auth.hash_password(new, self._settings.scrypt_n))

        def act(writes: Writes) -> list[str]:
            writes.change_account(name, password=fresh)
            return writes.revoke(name, keep=identity.session_id)

        await self._revoke(act)
        log.info("password changed", user=name)

    async def _prove(self, name: str, password: str, wrong: Rejected) -> None:
        """Who is signed in shows to know the password, too. Raises Rejected: `forbidden`, `rate_limited`."""
        give_back = self._attempt(name, "")
        if not await self._knows(name, password):
            raise wrong
        give_back()

    async def offer_factor(self, identity: Identity, password: str) -> Offered:
        """The secret of one-time codes for this account. Raises Rejected: `forbidden` for a wrong password, `conflict`
        where codes are on, `rate_limited`."""
        await self._prove(identity.username, password, Rejected("forbidden", "the password is wrong"))
        return await self.factors.offer(identity.username)

    async def drop_factor(self, identity: Identity, password: str, code: str) -> None:
        """Ask this account for codes no longer. Raises Rejected: `forbidden` for a wrong password or code, `conflict`
        where none are asked for, `rate_limited`."""
        await self._prove(identity.username, password, Rejected("forbidden", "the password is wrong"))
        await self.factors.drop(identity.username, code)

    async def _hash(self, act: Callable[[], T]) -> T:
        if self._hashing >= WAITING:
            raise Rejected("rate_limited", "too many people sign in right now; try again in a moment", 2.0)
        self._hashing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashers, act)
        finally:
            self._hashing -= 1

    def close(self) -> None:
        """Wait for the hashes under way."""
        self._hashers.shutdown()


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_loopback(address: str) -> bool:
    """Whether a peer's address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False

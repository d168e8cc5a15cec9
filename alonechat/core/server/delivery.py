"""Who is connected here, and the fan-out of events to their outboxes.

Why it looks like this: an event is encoded once, as the finished WebSocket frame. What gathers in a conversation
during one turn of the loop is joined once, each member's outbox gets that one entry, and a connection gets one write
for all its conversations. Nothing per recipient but a bound-method call, or in the native file not even that (`pipes`):
that is what makes the fan-out cheap. Order is kept within a conversation, not across conversations of the same turn.

A flush costs as much for two hundred events as for two: nearly all of it is a system call for each connection. So when
the writer commits more already, which it does only under load, the flush waits for that, in proportion to what the last
one took: flushes then take a fifth of the time, and each serves more events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from alonechat.core.bus import Batch
from alonechat.core.message import LOBBY, encode, encode_event
from alonechat.core.server import pipes
from alonechat.core.server.arrivals import Arrivals
from alonechat.core.server.frames import frame
from alonechat.core.server.metrics import Metrics
from alonechat.core.server.waits import Waits
from alonechat.core.store.records import Event

LARGE: Final = 500
"""Online members above which a conversation gets no PRESENCE (PROTOCOL, section 5)."""
TYPING_EVERY: Final = 3.0
PATIENCE: Final = 4
LONGEST: Final = 0.020
"""For how many times the time of the last flush, and for how many seconds at most, a flush waits for the writer."""


class Outlet(Protocol):
    """A signed-in connection, as delivery sees it."""

    username: str
    write: Callable[[bytes], None]
    pend: list[bytes]
    keys: set[str]

    def waiting_bytes(self) -> int: ...
    def overflow(self) -> None: ...


class Group:
    """The connections of one conversation's members, and what waits to be sent to them."""

    __slots__ = ("holders", "members", "pend", "seq")

    def __init__(self) -> None:
        self.members: dict[Outlet, Callable[[bytes], None]] = {}
        self.pend: list[bytes] = []
        self.holders: dict[Outlet, int] = {}
        """Those whose WELCOME told of events that are committed and not published yet: up to which seq."""
        self.seq = 0

    def present(self) -> list[Outlet]:
        """Every connection that has had its WELCOME: passing frames go to these."""
        return [*self.members, *self.holders]


class Person:
    """An account that is connected here."""

    __slots__ = ("choice", "outlets", "shown")

    def __init__(self) -> None:
        self.outlets: set[Outlet] = set()
        self.choice = "online"
        self.shown = "offline"


class Delivery:
    """Takes committed events from the bus and gives them to the members who are connected."""

    def __init__(self, metrics: Metrics, outbox: int) -> None:
        self.metrics, self.outbox = metrics, outbox
        self._events, self._deliveries, self._fanout = metrics.events, metrics.deliveries, metrics.fanout
        self.groups: dict[str, Group] = {}
        self.people: dict[str, Person] = {}
        self.slow: set[Outlet] = set()
        self.more: Callable[[], bool] = lambda: False
        """Whether there are events that are being committed, or are and were not published."""
        self.soon: Callable[[], bool] = lambda: False
        """Whether more events are about to be published, so that a flush had better wait for them."""
        self._dirty: list[Group] = []
        self._flushing: asyncio.Handle | None = None
        self._gathering = False
        self._took = 0.0
        self._presence: set[str] = set()
        self._users: dict[str, dict[str, Any]] = {}
        self._typed: dict[tuple[str, str], float] = {}
        self.waits = Waits()
        self.arrivals = Arrivals()

    # --- who is here ---

    def enter(self, outlet: Outlet, keys: Iterable[str], marks: dict[str, int]) -> None:
        """The WELCOME went out and told the seqs in `marks`: send what was published after them, and all that follows.
        `keys`: what the account was in at some time after `arrivals.begin`."""
        self.flush()
        outlet.keys, missed = self.arrivals.end(outlet, outlet.username, keys, marks)
        if missed:
            outlet.write(b"".join(missed))
        more = self.more()
        for key in outlet.keys:
            group = self._group(key)
            if more and group.seq < marks.get(key, 0):
                group.holders[outlet] = marks[key]
            else:
                group.members[outlet] = outlet.write
        person = self.people.setdefault(outlet.username, Person())
        if not person.outlets:
            person.choice = "online"
        person.outlets.add(outlet)
        self._presence.add(outlet.username)
        self.metrics.connections.inc()

    def exit(self, outlet: Outlet) -> None:
        """The connection is gone."""
        self.arrivals.drop(outlet)
        self.slow.discard(outlet)
        for key in outlet.keys:
            group = self.groups.get(key)
            if group is None:
                continue
            group.members.pop(outlet, None)
            group.holders.pop(outlet, None)
            if not group.members and not group.holders and not group.pend:
                del self.groups[key]
        outlet.keys = set()
        person = self.people.get(outlet.username)
        if person is not None and outlet in person.outlets:
            person.outlets.discard(outlet)
            self._presence.add(outlet.username)
            self.metrics.connections.dec()

    def presence(self, username: str) -> str:
        """`online`, `away`, `busy`, or `offline` when no device is connected."""
        person = self.people.get(username)
        return person.choice if person is not None and person.outlets else "offline"

    def outlets(self, username: str) -> list[Outlet]:
        """The signed-in connections of an account."""
        person = self.people.get(username)
        return list(person.outlets) if person else []

    def _group(self, key: str) -> Group:
        found = self.groups.get(key)
        if found is None:
            found = self.groups[key] = Group()
        return found

    # --- events ---

    def publish(self, batch: Batch) -> None:
        """Take committed events, in order, from the bus."""
        groups, arriving, waiting = self.groups, bool(self.arrivals), self.waits.kept
        for key, event in batch:
            kind: str = event["type"]
            seq: int = event["seq"]
            if kind == "JOIN" or (seq == 1 and key[0] != "#"):
                for name in (event["sender"],) if kind == "JOIN" else set(key.split(" ")):
                    self._admit(name, key)
            group = groups.get(key)
            if group is not None or arriving:
                data = frame(encode_event(event))
                if arriving:
                    self.arrivals.note(key, event, data)
                if group is not None:
                    group.seq = seq
                    if group.holders:
                        self._release(group)
                    if not group.pend:
                        self._dirty.append(group)
                    group.pend.append(data)
            if kind == "LEAVE":
                self._expel(event["sender"], key)
            if waiting:
                self.waits.wake(key)
        self._events.add(len(batch))
        if self._dirty:
            self._plan()

    def _plan(self) -> None:
        """Flush at the end of this turn; or a little later, when there is more to come."""
        if self._flushing is not None and not self._gathering:
            return
        loop = asyncio.get_running_loop()
        if not self.soon():
            if self._flushing is not None:
                self._flushing.cancel()
            self._flushing, self._gathering = loop.call_soon(self.flush), False
        elif self._flushing is None:
            self._flushing, self._gathering = loop.call_later(min(PATIENCE * self._took, LONGEST), self.flush), True

    def _release(self, group: Group) -> None:
        """An event is about to be given to the members: those join them whose WELCOME did not tell it."""
        for outlet, mark in list(group.holders.items()):
            if group.seq > mark:
                self.flush()
                del group.holders[outlet]
                group.members[outlet] = outlet.write

    def _admit(self, username: str, key: str) -> None:
        person = self.people.get(username)
        if person is None or not person.outlets:
            return
        self.flush()
        group = self._group(key)
        for outlet in person.outlets:
            outlet.keys.add(key)
            group.members[outlet] = outlet.write

    def _expel(self, username: str, key: str) -> None:
        person = self.people.get(username)
        group = self.groups.get(key)
        if group is None:
            return
        self.flush()
        for outlet in person.outlets if person else ():
            outlet.keys.discard(key)
            group.members.pop(outlet, None)
            group.holders.pop(outlet, None)

    def flush(self) -> None:
        """Write what has gathered: one join for each conversation, one write for each connection."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        dirty, self._dirty = self._dirty, []
        if not dirty:
            return
        began = time.perf_counter()
        join = b"".join
        count = 0
        if len(dirty) == 1:
            group = dirty[0]
            data = join(group.pend)
            count = len(group.pend) * len(group.members)
            group.pend = []
            pipes.spread(group.members, data)
        else:
            out: list[Outlet] = []
            for group in dirty:
                data = join(group.pend)
                count += len(group.pend) * len(group.members)
                group.pend = []
                for outlet in group.members:
                    pend = outlet.pend
                    if not pend:
                        out.append(outlet)
                    pend.append(data)
            pieces = [join(outlet.pend) for outlet in out]
            for outlet in out:
                outlet.pend.clear()
            pipes.scatter([outlet.write for outlet in out], pieces)
        self._deliveries.add(count)
        self._took = time.perf_counter() - began
        self._fanout.observe(self._took)
        if self.slow:
            for outlet in [o for o in self.slow if o.waiting_bytes() > self.outbox]:
                outlet.overflow()

    # --- passing frames ---

    def tell(self, username: str, passing: dict[str, Any], besides: object = None) -> None:
        """Give a frame to every connection of one account, `besides` excepted."""
        data = frame(encode(passing))
        for outlet in self.outlets(username):
            if outlet is not besides:
                outlet.write(data)

    def typing(self, username: str, key: str, now: float) -> None:
        """Tell the others who are online that somebody types, at most once in three seconds."""
        if now - self._typed.get((username, key), -TYPING_EVERY) < TYPING_EVERY:
            return
        if len(self._typed) > 10_000:
            self._typed = {k: at for k, at in self._typed.items() if now - at < TYPING_EVERY}
        self._typed[(username, key)] = now
        group = self.groups.get(key)
        if group is None:
            return
        first, _, second = key.partition(" ")
        target = key if key.startswith("#") else (second if first == username else first)
        data = frame(encode({"type": "TYPING", "sender": username, "target": target}))
        for outlet in group.present():
            if outlet.username != username:
                outlet.write(data)

    def choose(self, username: str, state: str) -> None:
        """The account's presence, as its owner chose it on any device."""
        person = self.people.get(username)
        if person is not None:
            person.choice = state
            self._presence.add(username)

    def changed(self, username: str, user: dict[str, Any]) -> None:
        """A display name or role changed: USER goes out with the next tick."""
        self._users[username] = user

    def regraded(self, key: str, user: dict[str, Any]) -> None:
        """A role in the room `key` changed, which nobody but its members hears of: USER goes to them at once."""
        group = self.groups.get(key)
        if group is None or len(group.members) + len(group.holders) > LARGE:
            return
        data = frame(encode({"type": "USER", "user": user}))
        for outlet in list(group.present()):
            outlet.write(data)

    def tick(self) -> None:
        """Once a second: send the presences and users that changed, each receiver one write."""
        out: dict[Outlet, list[bytes]] = {}
        names, self._presence = self._presence, set()
        for name in names:
            now, person = self.presence(name), self.people.get(name)
            if person is None or person.shown == now:
                continue
            person.shown = now
            self._spread(out, name, {"type": "PRESENCE", "sender": name, "content": now})
            if not person.outlets:
                del self.people[name]
        users, self._users = self._users, {}
        for name, user in users.items():
            self._spread(out, name, {"type": "USER", "user": user})
        for outlet, entries in out.items():
            outlet.write(b"".join(entries))

    def _spread(self, out: dict[Outlet, list[bytes]], name: str, passing: dict[str, Any]) -> None:
        data = frame(encode(passing))
        person = self.people.get(name)
        told: set[Outlet] = set(person.outlets) if person else set()
        keys = {key for outlet in told for key in outlet.keys} | {LOBBY}
        for key in keys:
            group = self.groups.get(key)
            if group is not None and len(group.members) + len(group.holders) <= LARGE:
                told.update(group.present())
        for outlet in told:
            out.setdefault(outlet, []).append(data)


__all__ = ["Delivery", "Event", "Group", "Outlet", "Person"]

"""The load: members who sign in, join rooms, post and count what they are delivered. A process of its own.

It reads one `Job` as JSON from standard input and prints a line of JSON for each thing done. A message has 100 bytes,
with who sent it, its number and its time in front, so that what is delivered can be counted without being parsed.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARK = b"~#"
TOKEN = 30
"""Bytes of a mark, the sender (4), the message's number (8) and its time (16), in hexadecimal digits."""
PAYLOAD = 100
TOGETHER = 64
"""Members who sign in at the same time."""
PATIENCE = 60.0
"""Seconds within which all must have signed in, and after which nothing more is waited for."""
CALM = 2.0
"""Seconds without a delivery after which what is missing is lost."""
ROOM = re.compile(rb'"target":"([^"]+)"')
SEQ = re.compile(rb'"seq":(\d+)')


@dataclass(frozen=True)
class Phase:
    """`sat`: `senders` with `flight` messages each unanswered; `rate`: so many messages a second in all; `idle`:
    nothing. `rooms`: how many of the job's rooms are written to."""

    kind: str
    seconds: float = 3.0
    senders: int = 50
    flight: int = 4
    rate: float = 0.0
    rooms: int = 1
    warm: float = 0.5


@dataclass(frozen=True)
class Job:
    """A token for each member; `rooms` rooms with each member in `per` of them, or the lobby alone with 0."""

    port: int
    tokens: list[str]
    pid: int = 0
    rooms: int = 0
    per: int = 1
    join: bool = True
    phases: list[Phase] = field(default_factory=list)


def room_of(member: int, slot: int, rooms: int, per: int) -> int:
    """An even spread of members over rooms."""
    group = rooms // per
    by = member // group
    return slot * group + (member + by * slot + by // group * slot * slot) % group


class Member(asyncio.Protocol):
    """One connection: says hello, joins, and from then on counts."""

    def __init__(self, load: Generator, number: int) -> None:
        self._load, self.number = load, number
        self.sender = -1
        self.own = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.dead = False
        self._tail = b""
        self._joined = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        token = self._load.job.tokens[self.number]
        self._transport.write(
            f"GET /?token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.dead = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"member {self.number} was turned away: {self._tail[-300:]!r}"))

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self._greeted(data)
        elif self.sender < 0:
            self._load.delivered += data.count(MARK) + (self._tail == b"~" and data[:1] == b"#")
            self._tail = data[-1:]
        else:
            self._answered(data)
        if self._load.heard is not None and self.number == self._load.watcher:
            self._load.heard.append(data)

    def send(self, frame: bytes) -> None:
        """Send a text frame. Its mask is zero: masking is for the sake of proxies, and there are none here."""
        size = len(frame)
        head = b"\x81" + (bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")) + bytes(4)
        self._transport.write(head + frame)

    def cast(self, sender: int) -> None:
        """Be the sender of this number from now on; with -1 none."""
        self.sender, self.own, self._tail = sender, MARK + b"%04x" % max(sender, 0), b""

    def _greeted(self, data: bytes) -> None:
        self._tail += data
        if self._joined < 0:
            if b'"WELCOME"' not in self._tail:
                return
            self._tail, self._joined = b"", 0
        job = self._load.job
        if not (job.rooms and job.join):
            self.ready.set_result(None)
            return
        if b'"type":"ERROR"' in self._tail:
            self._transport.close()
            return
        done = self._tail.count(f'"nonce":"j{self.number}-'.encode())
        if done == job.per:
            self._tail = b""
            self.ready.set_result(None)
        elif done >= self._joined:
            room = room_of(self.number, self._joined, job.rooms, job.per)
            nonce = f"j{self.number}-{self._joined}"
            self.send(f'{{"type":"JOIN","target":"#r{room}","nonce":"{nonce}"}}'.encode())
            self._joined += 1

    def _answered(self, data: bytes) -> None:
        """Count, and take out one's own messages that came back."""
        load = self._load
        data = self._tail + data
        last = data.rfind(MARK)
        is_whole = len(data) - last >= TOKEN
        # without a mark the last byte is kept: it may be the first of one
        end = len(data) - 1 if last < 0 else last + TOKEN if is_whole else last
        whole, self._tail = data[:end], data[end:]
        load.delivered += whole.count(MARK)
        at = whole.find(self.own)
        while at >= 0:
            load.answered(self, int(whole[at + 14 : at + TOKEN], 16))
            at = whole.find(self.own, at + TOKEN)


class Generator:
    """All members, and what they do in each phase."""

    def __init__(self, job: Job, said: Callable[[dict[str, Any]], None]) -> None:
        self.job, self._said = job, said
        self.members: list[Member] = []
        self.delivered = self.expected = self._sent = 0
        self.heard: list[bytes] | None = None
        self.watcher = -1
        self._took: list[int] = []
        self._numbers: list[int] = []
        self._sending = False
        self._epoch = 0
        self._late = 0
        self._login = 0.0
        self._rooms = 1

    async def run(self) -> None:
        """Sign all in, then do one phase after another."""
        await self._sign_in()
        for phase in self.job.phases:
            if phase.kind == "idle":
                await asyncio.sleep(phase.seconds)
                self._said({"phase": "idle", "n": len(self.members), "login_s": self._login, "dead": self._dead()})
            else:
                self._said(await self._phase(phase))

    async def _sign_in(self) -> None:
        loop, began, gate = asyncio.get_running_loop(), time.perf_counter(), asyncio.Semaphore(TOGETHER)

        async def enter(number: int) -> Member:
            async with gate:
                _, member = await loop.create_connection(lambda: Member(self, number), "127.0.0.1", self.job.port)
                await asyncio.wait_for(member.ready, PATIENCE)
                if number % TOGETHER == 0:
                    self._at("signing in", number / len(self.job.tokens))
                return member

        self.members = list(await asyncio.gather(*(enter(number) for number in range(len(self.job.tokens)))))
        self._login = time.perf_counter() - began
        await asyncio.sleep(0.3)
        self._said({"phase": "signed in", "n": len(self.members), "login_s": self._login})

    def _at(self, what: str, share: float) -> None:
        self._said({"phase": "at", "what": what, "share": round(share, 3)})

    def _dead(self) -> int:
        return sum(member.dead for member in self.members)

    def _size(self, room: int) -> int:
        job = self.job
        if not job.rooms:
            return len(self.members) - self._dead()
        here = (m for m in self.members if not m.dead)
        return sum(any(room_of(m.number, slot, job.rooms, job.per) == room for slot in range(job.per)) for m in here)

    def _cast(self, phase: Phase) -> list[Member]:
        """Choose the senders, evenly, from all or from the one room; the watcher is one who sends nothing."""
        job, here = self.job, [m for m in self.members if not m.dead]
        if job.rooms and phase.rooms == 1:
            here = [m for m in here if any(room_of(m.number, s, job.rooms, job.per) == 0 for s in range(job.per))]
        count = min(phase.senders, len(here))
        senders = [here[index * len(here) // count] for index in range(count)]
        for index, member in enumerate(senders):
            member.cast(index)
        self.watcher = next((m.number for m in here if m.sender < 0), -1)
        self._sizes = {room: self._size(room) for room in range(max(1, job.rooms))}
        return senders

    def _room(self, member: Member) -> int:
        """The sender's rooms in turn."""
        if not self.job.rooms or self._rooms == 1:
            return 0
        slot = (self._numbers[member.sender] + member.sender) % self.job.per
        return room_of(member.number, slot, self.job.rooms, self.job.per)

    def post(self, member: Member, at: int) -> None:
        """Send the member's next message, which is to be sent at `at`."""
        room, number = self._room(member), self._numbers[member.sender]
        self._numbers[member.sender] += 1
        text = f"~#{member.sender:04x}{number:08x}{at:016x}".ljust(PAYLOAD, "x")
        target = f'"target":"#r{room}",' if self.job.rooms else ""
        member.send(f'{{"type":"TEXT",{target}"content":"{text}"}}'.encode())
        self._sent += 1
        self.expected += self._sizes[room]

    def answered(self, member: Member, at: int) -> None:
        """A member's own message came back that was sent at `at`."""
        now = time.perf_counter_ns()
        if at >= self._epoch:
            self._took.append(now - at)
        if self._sending and not member.dead:
            self.post(member, now)

    async def _phase(self, phase: Phase) -> dict[str, Any]:
        senders = self._cast(phase)
        self._rooms, self._numbers, self._took, self._late = phase.rooms, [0] * len(senders), [], 0
        self.expected, self.delivered = 0, 0
        self.heard = [] if phase.rooms == 1 or not self.job.rooms else None
        now = time.perf_counter_ns()
        self._epoch = now + int(phase.warm * 1e9)
        post = self._rate if phase.kind == "rate" else self._saturate
        posting = asyncio.ensure_future(post(phase, senders))
        await self._wait(phase.warm, phase, 0.0)
        before = self._figures()
        await self._wait(phase.seconds, phase, phase.warm)
        after = self._figures()
        self._sending = False
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        took = sorted(self._took)
        self._epoch = 1 << 62
        await self._drain()
        found = self._summed(phase, before, after, took)
        if self.heard is not None and self.watcher >= 0:
            found.update(checked(b"".join(self.heard)))
        self.heard = None
        for member in senders:
            member.cast(-1)
        return found

    async def _saturate(self, phase: Phase, senders: list[Member]) -> None:
        self._sending = True
        for _ in range(phase.flight):
            for member in senders:
                self.post(member, time.perf_counter_ns())

    async def _rate(self, phase: Phase, senders: list[Member]) -> None:
        began, gap, index = time.perf_counter_ns(), 1e9 / phase.rate, 0
        while True:
            now = time.perf_counter_ns()
            while (due := began + int(index * gap)) <= now:
                self.post(senders[index % len(senders)], due)
                self._late = max(self._late, now - due)
                index += 1
            await asyncio.sleep(max(0.0, (due - time.perf_counter_ns()) / 1e9))

    async def _wait(self, seconds: float, phase: Phase, done: float) -> None:
        began, whole = time.perf_counter(), phase.warm + phase.seconds
        while (left := began + seconds - time.perf_counter()) > 0:
            await asyncio.sleep(min(left, 0.25))
            self._at(phase.kind, (done + time.perf_counter() - began) / whole)

    def _figures(self) -> tuple[int, int, float, float, float]:
        return self.delivered, self._sent, time.perf_counter(), time.process_time(), _server_cpu(self.job.pid)

    async def _drain(self) -> None:
        last, since, until = self.delivered, time.perf_counter(), time.perf_counter() + PATIENCE
        while self.delivered < self.expected and time.perf_counter() < until:
            await asyncio.sleep(0.02)
            if self.delivered != last:
                last, since = self.delivered, time.perf_counter()
            if time.perf_counter() - since > CALM:
                return

    def _summed(self, phase: Phase, before: tuple[Any, ...], after: tuple[Any, ...], took: list[int]) -> dict[str, Any]:
        delivered, sent, seconds, mine, server = (b - a for a, b in zip(before, after, strict=True))
        return {
            "phase": phase.kind, "n": len(self.members), "senders": phase.senders, "w": phase.flight,
            "rate": phase.rate, "secs": seconds, "rooms": phase.rooms, "per": self.job.per,
            "dps": delivered / seconds, "mps": sent / seconds,
            "p50_us": quantile(took, 0.5) / 1e3, "p99_us": quantile(took, 0.99) / 1e3,
            "max_us": quantile(took, 1) / 1e3,
            "gen_cpu": mine / seconds * 100, "srv_cpu": server / seconds * 100,
            "us_per_deliv": server * 1e6 / delivered if delivered else 0.0, "lost": self.expected - self.delivered,
            "dead": self._dead(), "late_us": self._late / 1e3, "login_s": self._login,
        }  # fmt: skip


def quantile(ordered: list[int], share: float) -> float:
    """The value below which `share` of the ordered ones lie; 0 of none."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def checked(data: bytes) -> dict[str, int]:
    """What one member heard, looked at afterwards: `heard` events, and how many of them were not the next one of their
    conversation: out of order, doubled, or behind a gap."""
    heard = wrong = 0
    at: dict[bytes, int] = {}
    for piece in data.split(b'{"type":"TEXT"')[1:]:
        room, seq = ROOM.search(piece), SEQ.search(piece)
        if room is None or seq is None or MARK not in piece:
            continue  # the end of what was heard, cut off
        heard += 1
        number = int(seq[1])
        wrong += number != at.get(room[1], number - 1) + 1
        at[room[1]] = number
    return {"heard": heard, "wrong": wrong}


def _server_cpu(pid: int) -> float:
    """Seconds of processor time of a process. 0 where the system doesn't say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


def job_of(given: dict[str, Any]) -> Job:
    """A job as JSON has it."""
    return Job(**{**given, "phases": [Phase(**phase) for phase in given["phases"]]})


def main() -> int:
    """Do the job on standard input."""

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    job = job_of(json.load(sys.stdin))
    try:
        asyncio.run(Generator(job, say).run())
    except (OSError, TimeoutError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

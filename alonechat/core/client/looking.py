"""What a person looks at: pages of a conversation from the cache first, then from the server; search in both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alonechat.core.client.cache import Cache, Span
from alonechat.core.client.model import Page, Passed
from alonechat.core.client.words import _
from alonechat.core.message import LOBBY, MAX_PAGE
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client.live import Live

PEOPLE = 5_000
"""Display names that are kept on disk; who is shown by the username needs none."""
SOON = 2.0
"""Seconds that display names wait to be kept."""
PAGE = 80
"""Messages of a page: more than the tallest window shows."""
FURTHER = 10
"""Pages that are fetched to find what a reply is about."""
ANSWER = 8.0
"""Seconds that the server has for a page or a search before what the cache knows has to do."""


class Looking:
    """Windows onto conversations."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._asked: set[str] = set()
        self._shown: dict[str, dict[str, str]] = {}
        self._due: set[str] = set()
        self._is_dirty = False
        self._busy: set[tuple[str, str]] = set()

    def again(self) -> None:
        """A connection begins: who is in a conversation is asked anew when one looks at it."""
        self._asked.clear()

    # --- pages ---

    async def open(self, target: str) -> None:
        """Show the end of a conversation: what is here at once, what lacks when it comes."""
        opened = self._live.opened
        if target in opened:
            opened.remove(target)
        opened.append(target)
        if self._live.cache is None:
            await self._live.session()  # the very first time: whose cache it is, the server has to say
        self._live.flush()
        span = self._before(target, None)
        self._show(Page(target, "latest", span.messages, span.start, True, span.position))
        if target not in self._asked:
            self._asked.add(target)
            self._live.spawn(self._members(target))
        if len(span.messages) < PAGE and not span.start:
            first = span.messages[0]["seq"] if span.messages else None
            await self.older(target, first)

    async def older(self, target: str, seq: int | None) -> None:
        """The messages before `seq`, or before what the cache has."""
        await self._once("older", target, self._older(target, seq))

    async def newer(self, target: str, seq: int) -> None:
        """The messages behind `seq`, for a window that does not reach the end."""
        await self._once("newer", target, self._newer(target, seq))

    async def _once(self, what: str, target: str, work: Any) -> None:
        if (what, target) in self._busy:
            work.close()
            return
        self._busy.add((what, target))
        try:
            await work
        finally:
            self._busy.discard((what, target))

    async def _older(self, target: str, seq: int | None) -> None:
        cache = self._cache()
        floor = cache.floor(target)
        known = cache.position(target) is not None
        before = floor + 1 if seq is None else seq
        if known and (before > floor + 1 or floor == 0):
            span = cache.before(target, before, PAGE)
            self._show(Page(target, "older", span.messages, span.start, True, span.position))
            if span.messages or span.start:
                return
            before = floor + 1
        answer = await self._history(target, before if known else seq)
        events, more = answer["events"], bool(answer["more"] and answer["events"])
        if known and before == floor + 1:
            self._live.keep(lambda kept: kept.older(target, floor, events, more))
        self._show(Page(target, "older", tuple(events), not more, True, 0))

    async def _newer(self, target: str, seq: int) -> None:
        self._live.flush()
        cache = self._cache()
        if cache.reaches(target, seq + 1) or not self._behind(target, seq):
            found = cache.after(target, seq, PAGE)
            ends = len(found) < PAGE
            self._show(Page(target, "newer", found, False, ends, cache.position(target) or 0 if ends else 0))
            return
        at, found = seq, ()
        while not found and self._behind(target, at):  # a stretch of edits and reactions is no page
            answer = await self._history(target, at + PAGE + 1)
            found = tuple(event for event in answer["events"] if event["seq"] > seq)
            at += PAGE
        self._show(Page(target, "newer", found, False, False, 0))

    def _behind(self, target: str, seq: int) -> bool:
        """Whether the conversation goes on behind `seq`."""
        known = self._live.state.conversations.get(target)
        return known is not None and known.seq > seq

    async def around(self, target: str, seq: int) -> None:
        """The messages before and behind `seq`."""
        self._live.flush()
        cache = self._cache()
        if cache.reaches(target, seq):
            before, behind = cache.before(target, seq + 1, PAGE // 2), cache.after(target, seq, PAGE // 2)
            ends = len(behind) < PAGE // 2
            found, start = (*before.messages, *behind), before.start
        else:
            if not (await self._live.session()).status.connected:
                raise AloneChatError(_("you are offline, and this message is not kept on this machine"))
            answer = await self._history(target, seq + PAGE // 2)
            ends, start = False, not answer["more"]
            found = tuple(answer["events"])
        self._show(Page(target, "around", found, start, ends, (cache.position(target) or 0) if ends else 0))

    async def find(self, target: str, id: str) -> int:
        """The seq of a message of which only the id is known: what a reply names. It is looked for in the cache, and
        further back at the server, a few pages."""
        for _page in range(FURTHER):
            cache = self._cache()
            if (seq := cache.seq_of(target, id)) is not None:
                return seq
            floor = cache.floor(target)
            if not floor:
                break
            answer = await self._history(target, floor + 1)
            events, more = answer["events"], bool(answer["more"] and answer["events"])
            self._live.keep(lambda kept: kept.older(target, floor, events, more))  # noqa: B023 - called at once
        raise AloneChatError(_("that message is too far back, or not there any more"))

    def _before(self, target: str, seq: int | None) -> Span:
        self._cache()
        return self._live.keep(lambda cache: cache.before(target, seq, PAGE)) or Span((), False, 0)

    def _cache(self) -> Cache:
        cache = self._live.cache
        if cache is None:
            raise AloneChatError(_("the server has not said yet who it is"))
        return cache

    def _show(self, page: Page) -> None:
        self._live.fetching.forget([each["id"] for each in page.messages if each.get("deleted")])
        self._live.tell([page])

    async def _history(self, target: str, before: int | None) -> dict[str, Any]:
        session = await self._live.session()
        ask = {"type": "HISTORY", "target": target, "before": before, "limit": min(PAGE, MAX_PAGE)}
        try:
            return await session.request(ask)
        except Rejected as refused:
            if refused.code != "not_found":
                raise
            return {"events": [], "more": False}  # nobody has written to them yet

    # --- people ---

    def recall(self, cache: Cache) -> list[Passed]:
        """How people were shown when the server last said so: until it does again, they are shown like that."""
        users, now = self._live.state.users, self._live.timing.now()
        for name, display_name in (cache.get("people") or {}).items():
            users.setdefault(name, {"username": name, "display_name": display_name})
        return [Passed({"type": "USER", "user": user}, now) for user in users.values()]

    def flush(self) -> None:
        """Keep on disk how people are shown, where that changed."""
        if self._is_dirty:
            self._is_dirty = False
            shown = ((name, user.get("display_name")) for name, user in self._live.state.users.items())
            people = [(name, said) for name, said in shown if said and said != name]
            self._live.keep(lambda cache: cache.put("people", dict(people[-PEOPLE:])))

    def _remember(self) -> None:
        async def later() -> None:  # who comes about brings some thirty answers within a moment
            await self._live.timing.sleep(SOON)
            self.flush()

        if not self._is_dirty:
            self._is_dirty = True
            self._live.spawn(later())

    async def _members(self, target: str) -> None:
        try:
            await self.members(target)
        except Rejected:
            self._asked.discard(target)

    async def members(self, target: str) -> None:
        """Ask who is in a conversation, and tell it: the first 600, in pages."""
        session = await self._live.session()
        after = None
        for _page in range(3):
            answer = await session.request({"type": "MEMBERS", "target": target, "after": after, "limit": 200})
            self._live.state.take(answer)
            self._live.tell([Passed({**answer, "after": after}, self._live.timing.now())])
            shown = self._shown.setdefault(target, {})
            shown.update((each["username"], each["display_name"]) for each in answer["members"])
            if not answer.get("more") or not answer["members"]:
                break
            after = answer["members"][-1]["username"]
        self._remember()

    def moved(self, target: str, event: Mapping[str, Any]) -> None:
        """A JOIN or LEAVE came: who is in a room that was asked about, as `heard_of` has to know it."""
        if (shown := self._shown.get(target)) is not None:
            if event["type"] == "JOIN":
                user = self._live.state.users.get(event["sender"], {})
                shown[event["sender"]] = str(user.get("display_name") or event["sender"])
            else:
                shown.pop(event["sender"], None)

    def heard_of(self, user: Mapping[str, Any]) -> None:
        """A USER came. Where it says nothing new of a member, a role in some room changed: who is what in a room that
        this member is in is asked anew, soon where one looks at it. (All are in the lobby, and a role there is the
        account's, so it is not asked about: everybody would ask at the same time.)"""
        name, display_name = user["username"], str(user.get("display_name") or "")
        for target, shown in self._shown.items():
            if name not in shown or target == LOBBY:
                continue
            if shown[name] != display_name:
                shown[name] = display_name
            elif target not in self._live.opened[-1:]:
                self._asked.discard(target)
            elif target not in self._due:
                self._due.add(target)
                self._live.spawn(self._again(target))
        self._remember()

    async def _again(self, target: str) -> None:
        """Ask who is in a conversation once more, but not everybody at once, and once for all that comes meanwhile."""
        await self._live.timing.sleep(0.2 + 1.8 * self._live.timing.random())
        self._due.discard(target)
        await self._members(target)

    async def look_around(self) -> None:
        """After a connection came about: who is there, in what one looks at and in direct conversations."""
        state = self._live.state
        directs = [each for each in state.conversations.values() if each.kind == "direct" and each.last]
        directs.sort(key=lambda each: str((each.last or {}).get("timestamp")), reverse=True)
        for target in dict.fromkeys([*self._live.opened[-3:], LOBBY, *(each.target for each in directs[:30])]):
            self._asked.add(target)
            await self._members(target)

    async def describe(self) -> None:
        """Ask what is to be known of the conversations with the latest events, such as a room that was just joined."""
        from alonechat.core.client.rest import Rest

        account = self._live.account_now
        try:
            async with Rest(account.url, account.token) as rest:
                items = (await rest.conversations())["items"]
        except AloneChatError:
            return  # the next WELCOME says it
        known = self._live.state.conversations
        self._live.state.page([item for item in items if item["target"] in known])
        for item in items:
            self._live.touch(item["target"])

    # --- search ---

    async def search(self, q: str, **where: Any) -> dict[str, Any]:
        """Messages that hold `q`, newest first: the server's, or what is here when it does not answer. Raises
        AloneChatError where a question can't be answered, such as one that is all spaces."""
        try:
            async with asyncio.timeout(ANSWER):
                found = await self._asked_server(q, where)
        except (AloneChatError, TimeoutError) as error:
            if isinstance(error, Rejected):
                raise
            return await self._in_cache(q, where)
        events = [{**event, "conversation": self._live.state.filed(event)} for event in found["events"]]
        return {"events": events, "more": found["more"], "source": "server"}

    async def _asked_server(self, q: str, where: dict[str, Any]) -> dict[str, Any]:
        from alonechat.core.client.rest import Rest

        session = await self._live.session()
        if not session.status.connected:
            raise AloneChatError(_("not connected"))
        async with Rest(session.account.url, session.account.token) as rest:
            return await rest.search(q, **where)

    async def _in_cache(self, q: str, where: dict[str, Any]) -> dict[str, Any]:
        cache = self._cache()
        loop = asyncio.get_running_loop()
        events = await loop.run_in_executor(None, lambda: cache.searched(q, where.get("target"), where.get("sender")))
        return {"events": events, "more": False, "source": "cache"}

"""The fold: whatever order live events, pages, cuts and losses come in, it ends where the server stands."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alonechat.core.client import State
from tests.core.client.scripted import SERVER, event, listed, welcome

Event = dict[str, Any]
PEOPLE = ("alice", "bo", "cy")
SCROLLED = ("TEXT", "JOIN", "LEAVE", "TOPIC")


@dataclass
class Log:
    """A conversation as the server keeps it, for alice."""

    target: str
    events: list[Event] = field(default_factory=list)
    read: int = 0

    def append(self, kind: str, sender: str, pick: int) -> Event:
        texts = [e for e in self.events if e["type"] == "TEXT" and not self.stands(e).get("deleted")]
        if kind in ("EDIT", "DELETE", "REACT") and not texts:
            kind = "TEXT"
        seq = len(self.events) + 1
        wire = self.target if self.target.startswith("#") or sender == "alice" else "alice"
        more: Event = {}
        if kind == "TEXT" and pick % 3 == 0:
            more = {"mentions": ["alice"]}
        elif kind in ("EDIT", "DELETE", "REACT"):
            more = {"ref": texts[pick % len(texts)]["id"]}
        if kind == "REACT":
            more |= {"content": "👍" if pick % 2 else "🎉", "removed": pick % 5 == 0}
        elif kind in ("DELETE", "JOIN", "LEAVE"):
            more |= {"content": ""}
        made = {**event(seq, wire, sender), **more, "type": kind, "id": f"{seq:06d}{self.target}"}
        self.events.append(made)
        return made

    def stands(self, text: Event) -> Event:
        """A message as it stands now."""
        found = {k: v for k, v in text.items()}
        about = [e for e in self.events if e.get("ref") == text["id"]]
        if any(e["type"] == "DELETE" for e in about):
            return {**found, "content": "", "deleted": True}
        reactions: dict[str, list[str]] = {}
        for each in about:
            if each["type"] == "EDIT":
                found |= {"content": each["content"], "edited": each["timestamp"]}
            elif each["type"] == "REACT":
                users = [u for u in reactions.pop(each["content"], []) if u != each["sender"]]
                users += [] if each["removed"] else [each["sender"]]
                reactions |= {each["content"]: users} if users else {}
        return {**found, "reactions": reactions} if reactions else found

    def page(self, after: int, limit: int) -> tuple[list[Event], bool]:
        chosen = self.events[after : after + limit]
        now = [self.stands(e) if e["type"] == "TEXT" else e for e in chosen]
        return copy.deepcopy(now), after + limit < len(self.events)

    @property
    def unread(self) -> list[Event]:
        texts = [self.stands(e) for e in self.events[self.read :] if e["type"] == "TEXT" and e["sender"] != "alice"]
        return [each for each in texts if not each.get("deleted")]

    def overview(self) -> Event:
        texts = [e for e in self.events if e["type"] == "TEXT"]
        mentions = sum("alice" in (e.get("mentions") or ()) for e in self.unread)
        item = listed(self.target, len(self.events), unread=len(self.unread), mentions=mentions)
        return {**item, "read": self.read, "last": copy.deepcopy(self.stands(texts[-1])) if texts else None}


class World:
    """A server, a wire that delays and loses, and a client that does what its state asks for."""

    def __init__(self, before: int = 0) -> None:
        self.before = before
        self.logs = {target: Log(target) for target in ("#lobby", "#room", "bo")}
        for log in self.logs.values():
            for n in range(before):
                log.append("TEXT", "bo", n)
        self.state = State()
        self.wire: list[Event] = []
        self.asked: set[str] = set()
        self.behind: set[str] = set()
        self.got: dict[str, list[int]] = {target: [] for target in self.logs}
        self.connect()

    def connect(self) -> None:
        self.wire.clear()
        self.asked.clear()
        self.behind = set(self.state.welcome(welcome(*(log.overview() for log in self.logs.values()))).behind)

    def post(self, target: str, kind: str, sender: str, pick: int) -> None:
        if not target.startswith("#"):
            sender = "alice" if pick % 2 else target
            kind = "TEXT" if kind in ("JOIN", "LEAVE", "TOPIC") else kind
        elif kind == "LEAVE" and sender == "alice":
            sender = "cy"
        self.wire.append(copy.deepcopy(self.logs[target].append(kind, sender, pick)))

    def read(self, target: str, pick: int) -> None:
        log = self.logs[target]
        log.read = max(log.read, pick % (len(log.events) + 1))
        self.wire.append({"type": "READ", "target": target, "seq": log.read})

    def lose(self, pick: int) -> None:
        live = [n for n, frame in enumerate(self.wire) if "id" in frame]
        if live:
            del self.wire[live[pick % len(live)]]

    def ask(self, limit: int) -> None:
        for target in sorted(self.behind - self.asked):
            found = self.state.conversations[target]
            events, more = self.logs[target].page(found.position or 0, limit)
            self.wire.append({"type": "HISTORY", "target": target, "events": events, "more": more, "first": 1})
            self.asked.add(target)

    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.wire))):
            frame = self.wire.pop(0)
            if frame["type"] == "HISTORY":
                target = frame["target"]
                events, again = self.state.caught_up(target, frame)
                self.asked.discard(target)
                if not again:
                    self.behind.discard(target)
            else:
                taken = self.state.take(frame)
                events = taken.events
                self.behind |= set(taken.behind)
            for each in events:
                self.got[self.state.filed(each)].append(each["seq"])

    def settle(self) -> None:
        for _ in range(200):
            if not self.wire and not self.behind:
                return
            self.ask(200)
            self.deliver(1000)
        raise AssertionError("the client never stops asking")


TARGETS = st.sampled_from(("#lobby", "#room", "bo"))
NUMBERS = st.integers(0, 1000)
KINDS = st.sampled_from(("TEXT", "TEXT", "TEXT", "EDIT", "DELETE", "REACT", "JOIN", "LEAVE", "TOPIC"))
STEPS = st.one_of(
    st.tuples(st.just("post"), TARGETS, KINDS, st.sampled_from(PEOPLE), NUMBERS),
    st.tuples(st.just("post"), TARGETS, KINDS, st.sampled_from(PEOPLE), NUMBERS),
    st.tuples(st.just("deliver"), st.integers(1, 6)),
    st.tuples(st.just("ask"), st.integers(1, 4)),
    st.tuples(st.just("read"), TARGETS, NUMBERS),
    st.tuples(st.just("lose"), NUMBERS),
    st.tuples(st.just("connect")),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5), st.lists(STEPS, max_size=60))
def test_any_interleaving_ends_where_the_server_stands(before: int, steps: list[tuple[Any, ...]]) -> None:
    world = World(before)
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
    world.settle()
    world.connect()  # what was lost last shows with the next event, or here
    world.settle()
    for target, log in world.logs.items():
        found = world.state.conversations[target]
        new = log.events[before:]
        assert world.got[target] == [e["seq"] for e in new], "each once, in order, none missing"
        assert comparable(found.messages) == comparable([log.stands(e) for e in new if e["type"] in SCROLLED])
        overview = log.overview()
        assert (found.unread, found.mentions, found.read) == tuple(overview[k] for k in ("unread", "mentions", "read"))
        assert (found.last or {}).get("id") == (overview["last"] or {}).get("id")


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS.filter(lambda step: step[0] != "lose"), max_size=60))
def test_counts_agree_with_the_server_without_another_welcome(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
    world.settle()
    for target, log in world.logs.items():
        found, overview = world.state.conversations[target], log.overview()
        assert (found.unread, found.mentions, found.read) == tuple(overview[k] for k in ("unread", "mentions", "read"))
        assert comparable([found.last] if found.last else []) == comparable(
            [overview["last"]] if overview["last"] else []
        )


def comparable(messages: list[Event]) -> list[Event]:
    """Messages without what the protocol leaves open: the order of reactions, empty against absent, and whether a
    deleted text still says when it was edited."""
    found = []
    for each in messages:
        reactions = {k: sorted(v) for k, v in (each.get("reactions") or {}).items()}
        open_to = {"reactions": reactions or None, "edited": None if each.get("deleted") else each.get("edited")}
        found.append({k: v for k, v in {**each, **open_to}.items() if v is not None})
    return found


def connected(*conversations: Event, **more: Any) -> State:
    state = State()
    state.welcome(welcome(*conversations, **more))
    return state


def test_a_direct_event_is_filed_under_the_other_one() -> None:
    state = connected(listed("#lobby", 0))
    assert state.filed(event(1, "alice", "bo")) == "bo"
    assert state.filed(event(1, "bo", "alice")) == "bo"
    assert state.filed(event(1, "alice", "alice")) == "alice"
    assert state.filed(event(1, "#room", "bo")) == "#room"


def test_a_new_epoch_drops_every_log_and_a_lower_seq_drops_that_one() -> None:
    state = connected(listed("#lobby", 5), listed("#a", 5))
    state.take(event(6))
    taken = state.welcome(welcome(listed("#lobby", 4), listed("#a", 5)))
    assert taken.behind == () and state.conversations["#lobby"].position == 4
    assert state.conversations["#lobby"].messages == []
    taken = state.welcome(welcome(listed("#lobby", 9), listed("#a", 2), server={**SERVER, "epoch": "b2"}))
    assert taken.behind == () and state.conversations["#a"].position == 2


def test_leaving_takes_a_room_away_and_joining_brings_it_back_where_one_joined() -> None:
    state = connected(listed("#lobby", 0), listed("#a", 3))
    state.take(event(4, "#a", "alice", type="LEAVE"))
    assert "#a" not in state.conversations
    assert state.take(event(4, "#a", "alice", type="LEAVE")).events == (), "a receipt repeated tells nothing new"
    joined = event(9, "#a", "alice", type="JOIN")
    assert state.take(joined).events == (joined,)
    assert state.take(event(10, "#a")).behind == ()


@pytest.mark.parametrize(("first", "taken"), [(1, [4, 5, 6, 7]), (6, [6, 7])])
def test_a_room_left_and_joined_again_while_away_stays(first: int, taken: list[int]) -> None:
    state = connected(listed("#a", 3))
    assert state.welcome(welcome(listed("#a", 7))).behind == ("#a",)
    log = [event(4, "#a", "alice", type="LEAVE"), event(5, "#a"), event(6, "#a", "alice", type="JOIN"), event(7, "#a")]
    readable = [each for each in log if each["seq"] >= first]
    events, again = state.caught_up("#a", {"events": readable, "more": False, "first": first})
    assert [e["seq"] for e in events] == taken
    assert not again and state.conversations["#a"].position == 7


def test_a_room_left_on_another_device_is_gone_after_the_next_welcome() -> None:
    state = connected(listed("#lobby", 0), listed("#a", 3))
    state.welcome(welcome(listed("#lobby", 0)))
    assert list(state.conversations) == ["#lobby"]


def test_below_first_is_no_gap() -> None:
    state = connected(listed("#a", 2))
    state.welcome(welcome(listed("#a", 9)))
    taken, again = state.caught_up("#a", {"events": [event(8, "#a"), event(9, "#a")], "more": False, "first": 8})
    assert [e["seq"] for e in taken] == [8, 9] and not again


def test_a_deletion_that_the_server_has_counted_is_not_counted_again() -> None:
    state = connected(listed("#lobby", 0))
    state.take(event(1))
    state.take(event(2))
    assert state.conversations["#lobby"].unread == 2
    state.welcome(welcome(listed("#lobby", 3, unread=1, read=0)))
    state.caught_up("#lobby", {"events": [event(3, type="DELETE", ref="000002#lobby")], "more": False, "first": 1})
    assert state.conversations["#lobby"].unread == 1


def test_a_mark_set_while_catching_up_is_counted_exactly_in_the_end() -> None:
    state = connected(listed("#lobby", 0))
    state.welcome(welcome(listed("#lobby", 4, unread=3, read=0)))
    state.take({"type": "READ", "target": "#lobby", "seq": 1})
    assert state.conversations["#lobby"].unread == 3
    log = [event(1), event(2, sender="alice"), event(3), event(4)]
    state.caught_up("#lobby", {"events": log, "more": False, "first": 1})
    assert state.conversations["#lobby"].unread == 2


def test_a_list_that_is_older_than_what_came_live_is_counted_on() -> None:
    state = connected(listed("#lobby", 0), more=True)
    state.take(event(8, "#far"))
    state.take(event(9, "#far", mentions=["alice"]))
    state.page([listed("#far", 8, read=5, unread=3)])
    found = state.conversations["#far"]
    assert (found.unread, found.mentions, found.seq) == (4, 1, 9)


def test_only_so_many_messages_stay_in_memory() -> None:
    state = State(keep=3)
    state.welcome(welcome(listed("#lobby", 0)))
    for seq in range(1, 6):
        state.take(event(seq))
    assert [m["seq"] for m in state.conversations["#lobby"].messages] == [3, 4, 5]
    state.older("#lobby", [event(1), event(2), event(3)])
    assert [m["seq"] for m in state.conversations["#lobby"].messages] == [1, 2, 3, 4, 5]


def test_presence_users_and_members_are_known() -> None:
    state = connected(listed("#lobby", 0))
    state.take({"type": "PRESENCE", "sender": "bo", "content": "away"})
    state.take({"type": "USER", "user": {"username": "alice", "display_name": "A.", "role": "admin"}})
    members = [{"username": "cy", "display_name": "Cy", "role": "member", "presence": "busy"}]
    state.take({"type": "MEMBERS", "target": "#lobby", "members": members, "more": False})
    assert state.presence == {"bo": "away", "cy": "busy"}
    assert state.user["display_name"] == "A." and state.users["cy"]["display_name"] == "Cy"


@pytest.mark.parametrize("frame", [{"type": "NOTICE"}, {"type": "READ", "target": "#gone", "seq": 3}, {}])
def test_what_says_nothing_changes_nothing(frame: Event) -> None:
    state = connected(listed("#lobby", 4))
    before = copy.deepcopy(state.conversations)
    assert state.take(frame).events == () and state.conversations == before

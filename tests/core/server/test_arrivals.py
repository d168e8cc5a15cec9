"""What is published while somebody signs in: nothing is missed, nothing comes twice, nothing is kept for nobody."""

from __future__ import annotations

from alonechat.core.server.arrivals import Arrivals
from alonechat.core.store.records import Event


def publish(arrivals: Arrivals, key: str, seq: int, sender: str = "bo", type: str = "TEXT") -> None:
    event: Event = {"type": type, "sender": sender, "seq": seq}
    arrivals.note(key, event, f"{key}{seq}".encode())


def test_what_came_after_the_marks_is_missed_in_its_order() -> None:
    arrivals = Arrivals()
    arrivals.begin("ana")
    for seq in (4, 5, 6):
        publish(arrivals, "#lobby", seq)
        publish(arrivals, "#other", seq)
    inside, missed = arrivals.end("ana", "ana", ["#lobby"], {"#lobby": 4})
    assert inside == {"#lobby"} and missed == [b"#lobby5", b"#lobby6"]
    assert not arrivals and arrivals.end("bo", "bo", [], {}) == (set(), [])


def test_who_joins_meanwhile_hears_from_the_join_and_who_leaves_up_to_the_leave() -> None:
    arrivals = Arrivals()
    arrivals.begin("ana")
    publish(arrivals, "#den", 7)
    publish(arrivals, "#den", 8, "ana", "JOIN")
    publish(arrivals, "#den", 9)
    publish(arrivals, "#old", 3)
    publish(arrivals, "#old", 4, "ana", "LEAVE")
    publish(arrivals, "#old", 5)
    publish(arrivals, "ana bo", 1)
    publish(arrivals, "bo cy", 1)
    inside, missed = arrivals.end("ana", "ana", ["#old"], {"#old": 2})
    assert inside == {"#den", "ana bo"}
    assert missed == [b"#den8", b"#den9", b"#old3", b"#old4", b"ana bo1"]


def test_each_sign_in_looks_from_its_own_beginning_on() -> None:
    arrivals = Arrivals()
    arrivals.begin("ana")
    publish(arrivals, "#lobby", 1)
    arrivals.begin("bo")
    publish(arrivals, "#lobby", 2)
    arrivals.begin("ana")  # a second time changes nothing
    arrivals.drop("cy")
    assert arrivals.end("ana", "ana", ["#lobby"], {})[1] == [b"#lobby1", b"#lobby2"]
    assert arrivals.end("bo", "bo", ["#lobby"], {})[1] == [b"#lobby2"]
    arrivals.begin("dee")
    publish(arrivals, "#lobby", 3)
    assert arrivals.end("dee", "dee", ["#lobby"], {})[1] == [b"#lobby3"]


def test_what_nobody_waits_for_is_forgotten() -> None:
    arrivals = Arrivals()
    for number in range(100):
        arrivals.begin(number)
        publish(arrivals, "#lobby", number)
        if number >= 3:
            arrivals.drop(number - 3)
        assert len(arrivals._published) <= 4

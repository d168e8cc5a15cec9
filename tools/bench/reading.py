"""Rows of the bench that read a long history: pages anywhere in it, search, and the start of a server on it."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from websockets.sync.client import connect

from tools.bench import history, place
from tools.bench.rest import Rest, milliseconds

PAGES = 1000
ROUNDS = 20


def long(pyz: Path, folder: Path, messages: int, keep: Path | None = None) -> dict[str, Any]:
    """All of it: build a history of so many messages (or take the one in `keep`), start on it, turn pages, search."""
    data = keep or folder / "data"
    built = history.build(data, messages)
    print(
        f"\na history of {built['messages']:,.0f} messages of 100 bytes: {built['added']:,.0f} added in"
        f" {built['build_s']:.1f} s, {built['bytes_per_message']:.0f} bytes of the disk each"
    )
    starts = []
    for _ in range(2):
        with place.standing(pyz, data, folder, history.PEOPLE[:2]) as bench:
            starts.append(bench.start_s)
    with place.standing(pyz, data, folder, history.PEOPLE[:2]) as bench:
        print(f"  started until /ready answers: {starts[0]:.2f} s, then {starts[1]:.2f} and {bench.start_s:.2f} s")
        found = {"row": "long", **built, "start_s": bench.start_s, "starts_s": starts}
        found["history"] = _show("a page of 50 by HISTORY", _pages(bench))
        found["recv"] = _show("a page of 50 by GET /recv", _received(bench))
        found["search"] = _searched(bench)
        found["rss_mib"] = bench.resident() / (1 << 20)
    return found


def _show(what: str, took: list[float]) -> dict[str, float]:
    found = milliseconds(took)
    shown = "   ".join(f"{name.removesuffix('_ms')} {value:7.2f} ms" for name, value in found.items())
    print(f"  {what:52} {shown}")
    return found


def _pages(bench: place.Bench) -> list[float]:
    """Pages anywhere in the lobby, by `before` and by `after` in turns."""
    took, chance = [], random.Random(1)
    url = f"ws://127.0.0.1:{bench.port}/?token={bench.signed_in()[0]}"
    with connect(url, proxy=None, max_size=None, compression=None) as ws:
        lobby = next(c for c in json.loads(ws.recv(60))["conversations"] if c["target"] == "#lobby")
        for number in range(PAGES):
            at = chance.randint(51, lobby["seq"] - 51)
            frame = {"type": "HISTORY", "target": "#lobby", ("before", "after")[number % 2]: at, "limit": 50}
            began = time.perf_counter()
            ws.send(json.dumps(frame))
            while '"type":"HISTORY"' not in (answer := str(ws.recv(60)))[:40]:
                pass  # somebody's presence
            took.append(time.perf_counter() - began)
            events = json.loads(answer)["events"]
            assert len(events) == 50 and events[0]["seq"] == (at - 50, at + 1)[number % 2], (frame, events[0]["seq"])
    return took


def _received(bench: place.Bench) -> list[float]:
    rest, took, chance = Rest(bench.rest, bench.signed_in()[1]), [], random.Random(2)
    last = rest.get("/recv?target=%23lobby&limit=1")["events"][0]["seq"]
    for number in range(PAGES):
        at = chance.randint(51, last - 51)
        way = ("before", "after")[number % 2]
        status, body, seconds = rest.ask("GET", f"/recv?target=%23lobby&{way}={at}&limit=50")
        assert status == 200 and len(json.loads(body)["events"]) == 50, body[:200]
        took.append(seconds)
    rest.close()
    return took


def _searched(bench: place.Bench) -> dict[str, dict[str, float]]:
    """Words that are frequent and rare, a prefix, Chinese of two characters and of one, with filters and without."""
    words, found = history.Texts(0).words, {}
    latin, han = words[False], words[True]
    cases = {
        "a frequent word": {"q": latin[0]}, "a rare word": {"q": latin[15_000]},
        "two words": {"q": f"{latin[0]} {latin[1]}"}, "a prefix": {"q": latin[3][:3]},
        "frequent 上海": {"q": han[0]}, "rare 上海": {"q": han[15_000]},
        "a word in a room": {"q": latin[5], "target": "#room7"},
        "a word of a sender": {"q": latin[9], "sender": "u90"},
        "上海 of a sender in the lobby": {"q": han[30], "sender": "u99", "target": "#lobby"},
        "nothing": {"q": "zzzzzz"},
    }  # fmt: skip
    rest = Rest(bench.rest, bench.signed_in()[0])
    for name, query in cases.items():
        path = "/search?limit=50&" + "&".join(f"{key}={quote(value)}" for key, value in query.items())
        answers = [rest.ask("GET", path) for _ in range(ROUNDS)]
        assert all(status == 200 for status, _, _ in answers), answers[0]
        hits = len(json.loads(answers[0][1])["events"])
        found[name] = _show(f"search: {name}, {hits} found", [seconds for _, _, seconds in answers])
    rest.close()
    return found

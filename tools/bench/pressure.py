"""Rows of the bench that press the server: overload, many sign-ins at once, many who post by REST."""

from __future__ import annotations

import json
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tools.bench import load, place
from tools.bench.load import Load
from tools.bench.rest import Rest, metric, milliseconds

PASSWORD = "correct horse battery"
NORMAL = 0.05
"""Seconds within which an echo comes when all is normal."""
OPEN = {"ALONECHAT_REGISTRATION": "open"}


def overload(pyz: Path, folder: Path, seconds: float = 30) -> dict[str, Any]:
    """Three times the most that it can do, offered for so long; then until an echo comes as it did before."""
    with place.alonechat(pyz, folder, 101, **OPEN) as bench:
        wanted = Load(100, 50, 4, windows=1, seconds=min(3.0, seconds))
        most = load.run(load.generator(), bench, wanted, folder)["mps"]
        _register(bench, ["boss"])
        before, calm = bench.resident(), echo(bench, bench.signed_in()[100])
        offered = Load(100, 50, rate=3 * most, windows=1, seconds=seconds)
        with load.running(load.generator(), bench, offered, folder) as process:
            seen = _watched(bench, process, seconds)
        freed = time.perf_counter()
        while echo(bench, bench.signed_in()[100]) > NORMAL and time.perf_counter() - freed < 60:
            pass
        back = time.perf_counter() - freed
        time.sleep(1)
        after = bench.resident()
    found = {
        "row": "overload", "offered_msgs_s": 3 * most, "rss_before_mib": before / (1 << 20),
        "rss_peak_mib": max(seen["rss"]) / (1 << 20), "rss_after_mib": after / (1 << 20),
        "disconnected": 100 - min(seen["connected"]),
        "sign_in_worst_s": max(seen["sign_in"]),
        "sign_in_p50_s": statistics.median(seen["sign_in"]), "rest_worst_s": max(seen["rest"]),
        "done_msgs_s": seen["done"], "echo_before_s": calm, "back_to_normal_s": back,
    }  # fmt: skip
    print(
        f"\noverload: {found['offered_msgs_s']:,.0f} messages/s offered to a room of 100 for {seconds:g} s,"
        f" {seen['done']:,.0f}/s done\n"
        f"  memory {found['rss_before_mib']:.0f}, at most {found['rss_peak_mib']:.0f}, then"
        f" {found['rss_after_mib']:.0f} MiB; {found['disconnected']:.0f} disconnected;"
        f" sign-in {found['sign_in_p50_s']:.2f} s, at worst {found['sign_in_worst_s']:.2f} s,"
        f" REST at worst {found['rest_worst_s']:.2f} s; back to normal in {back:.2f} s"
    )
    return found


def _watched(bench: place.Bench, process: subprocess.Popen[Any], seconds: float) -> dict[str, Any]:
    """What is seen from outside until the time is up: memory, who is connected, how long sign-in and REST take."""
    seen: dict[str, Any] = {"rss": [], "connected": [], "sign_in": [], "rest": []}
    _await_load(bench, process)
    time.sleep(min(1.0, seconds / 10))
    began, events = time.perf_counter(), metric(bench.rest, "alonechat_events_total")
    while time.perf_counter() - began < seconds - 1.5 or not seen["rss"]:
        assert process.poll() is None, "the generator has ended"
        seen["rss"].append(bench.resident())
        asked = time.perf_counter()
        seen["sign_in"].append(_sign_in(bench, "boss"))
        seen["connected"].append(metric(bench.rest, "alonechat_connections"))
        seen["rest"].append(time.perf_counter() - asked - seen["sign_in"][-1])
        time.sleep(0.2)
    seen["done"] = (metric(bench.rest, "alonechat_events_total") - events) / (time.perf_counter() - began)
    return seen


def _await_load(bench: place.Bench, process: subprocess.Popen[Any]) -> None:
    """Return once the generator's people are signed in, which takes what it takes, and write."""
    before, until = metric(bench.rest, "alonechat_events_total"), time.monotonic() + 60
    while metric(bench.rest, "alonechat_events_total") == before:
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit("the generator has ended, or writes nothing: its people could not sign in")
        time.sleep(0.02)


def signins(pyz: Path, folder: Path, people: int = 50, seconds: float = 8) -> dict[str, Any]:
    """People sign in with passwords at the same time, again and again, while 20,000 deliveries/s flow: the echo of one
    who talks, without them and with them."""
    names = [f"new{number}" for number in range(people)]
    with place.alonechat(pyz, folder, 101, **OPEN) as bench:
        _register(bench, names)
        talk = Load(100, 50, rate=200, windows=1, seconds=seconds * 1.5 + 4)
        with load.running(load.generator(), bench, talk, folder):
            time.sleep(min(1.5, seconds))
            quiet = echoes(bench, lambda: False, seconds / 2)
            with ThreadPoolExecutor(people) as pool:
                signing = [pool.submit(_sign_in, bench, name) for name in names]
                took = echoes(bench, lambda: all(each.done() for each in signing), seconds)
                signed = [each.result() for each in signing]
    found = {
        "row": "signins", "people": people, "all_in_s": max(signed), "without": milliseconds(quiet),
        "meanwhile": milliseconds(took), "echoes": len(took),
    }  # fmt: skip
    print(
        f"\n{people} sign in with passwords at once, beside 20,000 deliveries/s: all in within {max(signed):.2f} s\n"
        f"  the echo of others meanwhile p50 {found['meanwhile']['p50_ms']:.1f} ms, p99"
        f" {found['meanwhile']['p99_ms']:.1f} ms, worst {found['meanwhile']['worst_ms']:.1f} ms ({len(took)} echoes;"
        f" before: p99 {found['without']['p99_ms']:.1f} ms)"
    )
    return found


def sends(pyz: Path, folder: Path, clients: int = 20, seconds: float = 5) -> dict[str, Any]:
    """`POST /send` from so many clients, each of which waits for its commit before the next."""
    stop = threading.Event()
    with place.alonechat(pyz, folder, clients) as bench:

        def client(token: str) -> list[float]:
            rest, took = Rest(bench.rest, token), []
            while not stop.is_set():
                status, body, seconds = rest.ask("POST", "/send", {"content": "x" * 100})
                assert status == 201, body
                took.append(seconds)
            rest.close()
            return took

        with ThreadPoolExecutor(clients) as pool:
            began = time.perf_counter()
            running = [pool.submit(client, token) for token in bench.signed_in()]
            time.sleep(seconds)
            stop.set()
            took = [each for one in running for each in one.result()]
            whole = time.perf_counter() - began
        kept = metric(bench.rest, "alonechat_events_total")
    assert kept >= len(took), f"{len(took)} were answered, {kept:.0f} are committed"
    found = {"row": "sends", "clients": clients, "per_s": len(took) / whole, **milliseconds(took)}
    print(
        f"\nPOST /send, {clients} clients, each waiting for its commit: {found['per_s']:,.0f}/s,"
        f" p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms"
    )
    return found


def _register(bench: place.Bench, names: list[str]) -> None:
    for name in names:
        rest = Rest(bench.rest)
        status, body, _ = rest.ask("POST", "/register", {"username": name, "password": PASSWORD})
        assert status == 201, body
        rest.close()


def _sign_in(bench: place.Bench, name: str) -> float:
    began, rest = time.perf_counter(), Rest(bench.rest)
    try:
        status, body, _ = rest.ask("POST", "/login", {"username": name, "password": PASSWORD})
        assert status == 200, body
    finally:
        rest.close()
    return time.perf_counter() - began


def echo(bench: place.Bench, token: str) -> float:
    """Seconds that one message takes from send to echo, of somebody who is connected already."""
    took: list[float] = []
    _echoes(bench, token, took, lambda: bool(took))
    return took[0]


def echoes(bench: place.Bench, ended: Callable[[], bool], seconds: float) -> list[float]:
    """Echoes one after another until `ended` or the time is up."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    _echoes(bench, bench.signed_in()[100], took, lambda: bool(took) and (ended() or time.perf_counter() > until))
    return took


def _echoes(bench: place.Bench, token: str, took: list[float], ended: Callable[[], bool]) -> None:
    # with a bounded queue, its close waits 10 s when more frames have come than anybody took
    more: dict[str, Any] = {"proxy": None, "max_size": None, "max_queue": None, "open_timeout": 60}
    with connect(f"ws://127.0.0.1:{bench.port}/?token={token}", **more) as ws:
        ws.recv(60)
        while not ended():
            nonce = f"e{time.perf_counter_ns()}"
            began = time.perf_counter()
            ws.send(json.dumps({"type": "TEXT", "content": "an echo", "nonce": nonce}))
            while f'"nonce":"{nonce}"' not in str(ws.recv(60)):
                pass
            took.append(time.perf_counter() - began)
            time.sleep(0.002)

"""`python -m tools.bench`: what the built server carries on this machine, beside InspIRCd where that is installed."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import alonechat
from tools.bench import load, machine, place, pressure, reading, rest, turns, watch
from tools.bench.load import Load

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    "room-100": ("one room of 100, 50 senders, 4 in flight each", Load(100, 50, 4)),
    "room-1000": ("one room of 1,000, 50 senders, 4 in flight each", Load(1000, 50, 4)),
    "rooms": (
        "1,000 connections, each in 10 of 100 rooms, 50 senders, 4 in flight",
        Load(1000, 50, 4, rooms=100, per=10),
    ),
    "serial": ("one room of 100, one sender, one in flight", Load(100, 1, 1)),
    "rate-20k": ("one room of 100, 20,000 deliveries/s offered", Load(100, 50, rate=200)),
    "rate-300k": ("one room of 100, 300,000 deliveries/s offered", Load(100, 50, rate=3000)),
}
BY_COMMIT = "rate-20k"
"""The row in which most of what a message waits for is its commit: the disk is measured with it."""
OTHERS: dict[str, Callable[[str, Path, argparse.Namespace], list[dict[str, Any]]]] = {
    "idle": lambda name, folder, given: [idle(name, given.connections, folder)],
    "return": lambda name, folder, given: [come_back(name, given.connections, folder)],
    "check": lambda name, folder, given: [check(name, folder)],
    "overload": lambda name, folder, given: [pressure.overload(built(name), folder / "overload")],
    "signins": lambda name, folder, given: [pressure.signins(built(name), folder / "signins")],
    "sends": lambda name, folder, given: [pressure.sends(built(name), folder / "sends")],
    "long": lambda name, folder, given: [
        reading.long(built(name), folder / "long", messages, given.history) for messages in given.messages
    ],
}
"""Rows that have figures of their own, for the built files alone."""


def built(name: str) -> Path:
    """The built file: `native`, `universal`, or the path of any other. Exits with a sentence when there is none."""
    if name.endswith(".pyz"):
        other = Path(name).resolve()
        if not other.exists():
            raise SystemExit(f"--beside: there is no file {name}")
        return other
    pyz = ROOT / ("alonechat-native.pyz" if name == "native" else "alonechat.pyz")
    if not pyz.exists():
        raise SystemExit(f"{pyz.name} is not built: python3 build.py{' --native' * (name == 'native')}")
    return pyz


@contextlib.contextmanager
def servers(names: list[str], people: int, folder: Path) -> Iterator[Iterator[place.Bench]]:
    """Each server by name, one at a time, with fresh data."""

    def each() -> Iterator[place.Bench]:
        for number, name in enumerate(names):
            at = folder / f"{Path(name).stem}-{number}"
            if name == "inspircd":
                with place.inspircd(at, Path(__file__).with_name("inspircd.conf")) as found:
                    yield found
            else:
                with place.alonechat(built(name), at, people) as found:
                    yield found

    yield each()


def measure(row: str, names: list[str], seconds: float, folder: Path) -> list[dict[str, Any]]:
    """One row of the table for each server."""
    words, wanted = ROWS[row]
    wanted = Load(wanted.members, wanted.senders, wanted.flight, wanted.rate, wanted.rooms, wanted.per, 3, seconds)
    binary = load.generator()
    found = []
    with servers(names, wanted.members, folder / row) as each:
        for bench in each:
            if bench.tokens is None and binary is None:
                continue  # the generator in Python speaks no IRC
            if bench.tokens is not None and wanted.rooms > 1:
                asyncio.run(watch.join_rooms(bench, wanted))
            found.append({"row": row, "what": words, "server": bench.name, **load.run(binary, bench, wanted, folder)})
    return found


def print_row(found: list[dict[str, Any]]) -> None:
    """One row as lines; the last column is the ratio to the last server, the yardstick."""
    print(f"\n{found[0]['what']}")
    for each in found:
        ratio = each["dps"] / found[-1]["dps"] if found[-1]["dps"] else 0
        print(
            f"  {each['server']:24} {each['dps']:>12,.0f} deliveries/s   p50 {each['p50_us'] / 1000:8.2f} ms"
            f"   p99 {each['p99_us'] / 1000:8.2f} ms   {each['us_per_deliv']:7.3f} µs/delivery"
            f"   lost {each['lost']:.0f}   x {ratio:.2f}"
        )
    sys.stdout.flush()


def print_disk(found: dict[str, Any]) -> None:
    """What a commit waits for, beside what the servers took."""
    p50, p99 = found["p50_us"] / 1000, found["p99_us"] / 1000
    what = f"the disk alone, {machine.COMMIT:,} bytes written and flushed as often"
    print(f"  {what:60} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms")


def check(name: str, folder: Path, seconds: float = 5) -> dict[str, Any]:
    """Order, gaps and copies as a member of the room hears them, under 50,000 deliveries/s."""
    wanted = Load(100, 50, rate=500, windows=1, seconds=seconds)
    binary = load.generator()
    with servers([name], wanted.members + 1, folder / "check") as each:
        for bench in each:
            found = watch.checked(bench, binary, wanted, folder)
    words = f"{found.heard} events heard, {len(found.wrong)} out of order, missing or doubled"
    print(f"\nchecked by a member: {words}")
    return {"row": "check", "heard": found.heard, "wrong": found.wrong}


def idle(name: str, members: int, folder: Path) -> dict[str, Any]:
    """What connections cost that say nothing."""
    binary = load.generator()
    with servers([name], members, folder / "idle") as each:
        for bench in each:
            found = load.idle(binary, bench, members, folder)
    print(
        f"\n{members:,} idle connections: {found['kb_per_conn']:.1f} KiB each, {found['idle_cpu_pct']:.1f} % of a core,"
        f" all signed in within {found['login_s']:.1f} s"
    )
    return {"row": "idle", **found}


def come_back(name: str, members: int, folder: Path) -> dict[str, Any]:
    """How long all wait for their WELCOME who come back with their tokens: at once, as after a restart, then 64 at a
    time."""
    binary, found = load.generator(), {}
    with servers([name], members, folder / "return") as each:
        for bench in each:
            for way in ("at_once", "by_64"):
                found[way] = load.welcomed(binary, bench, members, folder, way == "at_once")
                while rest.metric(bench.rest, "alonechat_connections"):
                    time.sleep(0.05)
    at_once, by_64 = found["at_once"], found["by_64"]
    print(
        f"\n{members:,} come back with their tokens: all welcomed within {at_once['login_s']:.1f} s at once"
        f" (half within {at_once['login_p50_s']:.1f} s, {at_once['dead']} refused),"
        f" {by_64['login_s']:.1f} s 64 at a time"
    )
    return {"row": "return", **found}


def sitting(rows: list[str], files: list[str], given: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """All rows, one after the other, printed as they come."""
    results: list[dict[str, Any]] = []
    names = files + (["inspircd"] if place.has_inspircd() else [])
    for row in rows:
        others = machine.Others()
        if given.turns:
            words, wanted = ROWS[row][0], replace(ROWS[row][1], seconds=given.seconds)
            found = turns.measure(row, wanted, [built(name) for name in files], given.turns, folder)
            turns.print_turns(words, found, given.turns)
        elif row in OTHERS:
            asked = [(name, OTHERS[row](name, folder / Path(name).stem, given)) for name in files]
            found = [{"server": name, **each} for name, answers in asked for each in answers]
            found = [{**each, "others_pct": others.percent()} for each in found]
        else:
            found = measure(row, names, given.seconds, folder)
            print_row(found)
            if row == BY_COMMIT:
                flushes = machine.flushes(folder, ROWS[row][1].rate, given.seconds)
                print_disk(flushes)
                found.append({"row": row, "server": "disk", **flushes})
        if words := machine.said(max(each.get("others_pct", 0) for each in found)):
            print(words, flush=True)
        results += found
    return results


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"which of {', '.join([*ROWS, *OTHERS])}; all without any")
    parser.add_argument("--file", default="native", choices=["native", "universal", "both"], help="which built file")
    parser.add_argument(
        "--beside", action="append", default=[], metavar="FILE", help="another built file, measured too"
    )
    parser.add_argument(
        "--turns", type=int, default=0, metavar="N", help="all servers stand, and have N windows by turns"
    )
    parser.add_argument("--seconds", type=float, default=3, help="length of each of the three windows")
    parser.add_argument("--connections", type=int, default=10_000, help="of the rows idle and return")
    parser.add_argument(
        "--messages",
        type=int,
        nargs="+",
        default=[1_000_000],
        metavar="N",
        help="of the row long; several, and the same history is measured at each of these lengths",
    )
    parser.add_argument("--history", type=Path, help="a data directory for the row long: kept, and used again")
    parser.add_argument("--python", type=Path, help="the Python that runs the server; that of this command without it")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    given = parser.parse_args()
    known = [*ROWS] if given.turns else [*ROWS, *OTHERS]
    if unknown := [row for row in given.rows if row not in known]:
        parser.error(f"no row {', '.join(unknown)}{' in turns' * bool(given.turns)}: choose from {', '.join(known)}")
    if given.messages != sorted(set(given.messages)) or given.messages[0] < 1000:
        parser.error(
            f"--messages: 1000 or more, each more than the one before, not {' '.join(map(str, given.messages))}"
        )
    if given.turns < 0:
        parser.error(f"--turns: 1 or more, not {given.turns}")
    if given.python:
        place.run_with(given.python)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that what was started is ended, too
    files = (["native", "universal"] if given.file == "both" else [given.file]) + given.beside
    about = {"version": alonechat.__version__, **place.machine()}
    print(" · ".join(f"{key} {value}" for key, value in about.items()))
    if not place.has_inspircd():
        print("inspircd is not installed: no yardstick (Debian: apt-get install inspircd)")
    with tempfile.TemporaryDirectory(prefix="alonechat-bench-") as scratch:
        results = sitting(given.rows or known, files, given, Path(scratch))
    if given.json:
        given.json.write_text(place.shown({"about": about, "results": results}))


if __name__ == "__main__":
    if os.name != "posix":
        raise SystemExit("the load generator needs Linux")
    main()

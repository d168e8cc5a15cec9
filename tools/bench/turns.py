"""Servers in turns: all stand at the same time on the same core and are loaded one after another, round by round.

What the machine's neighbours do falls on all of them then, so a ratio within a round says more than one of two windows
that are minutes apart, and no window is measured again. Nobody is loaded before the others are at rest: what a window
leaves to do, such as an index, falls on nobody's window. So this is a little kinder to who leaves something than three
windows in a row are.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from tools.bench import load, place, watch
from tools.bench.load import Load

REST: Final = 0.2
"""Seconds between two looks at whether a server is at rest."""
IDLE: Final = 0.05
"""Of a core: below it, a server is at rest."""
LONGEST: Final = 20.0
"""Seconds that one is waited for."""
FIGURES: Final = ("dps", "p50_us", "p99_us", "us_per_deliv")


def measure(row: str, wanted: Load, files: list[Path], rounds: int, folder: Path) -> list[dict[str, Any]]:
    """Each file's server and InspIRCd, where it is installed, last: the medians of its rounds, and under `ratios` the
    medians of what it had beside the last one in each round."""
    once = replace(wanted, windows=1)
    binary = load.generator()
    with ExitStack() as stack:
        benches = [
            stack.enter_context(place.alonechat(file, folder / f"{row}-{number}", once.members))
            for number, file in enumerate(files)
        ]
        if place.has_inspircd() and binary is not None:  # the generator in Python speaks no IRC
            conf = Path(__file__).with_name("inspircd.conf")
            benches.append(stack.enter_context(place.inspircd(folder / f"{row}-inspircd", conf)))
        for bench in benches if once.rooms > 1 else ():
            if bench.tokens is not None:
                asyncio.run(watch.join_rooms(bench, once))
        taken: list[list[dict[str, Any]]] = [[] for _ in benches]
        for number in range(rounds):
            for place_in_turn in range(len(benches)):
                which = (number + place_in_turn) % len(benches)
                for bench in benches:
                    at_rest(bench)
                taken[which].append(load.run(binary, benches[which], once, folder, again=0))
    return [
        {
            "row": row,
            "server": bench.name,
            **medians(found),
            "ratios": ratios(found, taken[-1]),
            "rounds": found,
            "others_pct": max(each["others_pct"] for each in found),
        }
        for bench, found in zip(benches, taken, strict=True)
    ]


def at_rest(bench: place.Bench) -> None:
    """Return once the server does next to nothing, or after `LONGEST`."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        before = bench.cpu()
        time.sleep(REST)
        if bench.cpu() - before <= IDLE * REST:
            return


def medians(found: list[dict[str, Any]]) -> dict[str, float]:
    """Of the rounds, each figure."""
    return {key: median(each[key] for each in found) for key in (*FIGURES, "lost")}


def ratios(found: list[dict[str, Any]], yardstick: list[dict[str, Any]]) -> dict[str, float]:
    """The median over the rounds of what each figure is beside the yardstick's of the same round."""
    pairs = list(zip(found, yardstick, strict=True))
    return {key: median(one[key] / other[key] for one, other in pairs if other[key]) for key in FIGURES}


def print_turns(what: str, found: list[dict[str, Any]], rounds: int) -> None:
    """As lines; in brackets what is beside the last server in each round."""
    print(f"\n{what}, in {rounds} turns")
    for each in found:
        beside = each["ratios"]
        print(
            f"  {each['server']:24} {each['dps']:>12,.0f} deliveries/s (x {beside['dps']:.2f})"
            f"   p50 {each['p50_us'] / 1000:8.2f} ms   p99 {each['p99_us'] / 1000:8.2f} ms"
            f"   {each['us_per_deliv']:7.3f} µs/delivery (x {beside['us_per_deliv']:.2f})   lost {each['lost']:.0f}"
        )

"""`bench`: what this box carries, as a table and a sentence."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from alonechat.cli.settings import command
from alonechat.errors import ConfigError

ENDED = 143
Progress = Callable[[str, float], None]
WORDS = {
    "signing in": "people sign in and join",
    "sat": "all write as fast as they can",
    "rate": "20,000 deliveries a second",
}


def mount(app: typer.Typer) -> None:
    """`bench`."""
    command(app, "bench", panel="Run a server")(bench)


def bench(
    seconds: Annotated[float, typer.Option("--seconds", min=0.2, max=30, help="Length of each measurement.")] = 4.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what this box carries: a server of its own with fresh data, and 500 people who talk."""
    from alonechat.bench import measure

    if seconds != seconds:  # nan is in any range
        raise ConfigError("--seconds must be from 0.2 to 30, not nan")
    with _ended_by_sigterm(), _shown() as progress:
        found = measure(seconds, progress)
    if as_json:
        import json

        print(json.dumps(found, indent=2))
        return
    from alonechat.cli.panel import table

    table(("what", "measured"), lines(found), sys.stdout)
    print(found["carries"]["sentence"])


def lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The rows of the table."""
    room, rooms, steady, serial = (found[name] for name in ("room", "rooms", "steady", "serial"))
    size = f"{found['connection_bytes'] / 1024:.1f} KiB" if found["connection_bytes"] else "unknown"
    bounds = (found["start_bytes"], found["peak_bytes"])
    held = " → ".join(f"{each / (1 << 20):.0f}" if each else "?" for each in bounds)
    lost = sum(found[name]["lost"] for name in ("room", "rooms", "steady", "serial"))
    checked = room.get("heard", 0) + steady.get("heard", 0)
    wrong = room.get("wrong", 0) + steady.get("wrong", 0)
    return [
        ("one room of 100, as fast as it goes", f"{room['dps']:,.0f} deliveries/s ({room['mps']:,.0f} messages/s)"),
        ("25 rooms of 100, as fast as it goes", f"{rooms['dps']:,.0f} deliveries/s ({rooms['mps']:,.0f} messages/s)"),
        (f"{steady['dps']:,.0f} deliveries/s: from send to echo", _times(steady)),
        ("one message at a time: from send to echo", _times(serial)),
        ("memory of the server", f"{held} MiB, {size} for each person online"),
        ("people signing in, with 5 rooms each", f"{room['n'] / found['sign_in_s']:,.0f}/s"),
        ("the disk, one commit after another", f"{found['commits_s']:,.0f}/s"),
        ("checked by a member", f"{checked:,} events, {wrong} out of order, missing or doubled; {lost:,} lost in all"),
    ]


def _times(phase: dict[str, Any]) -> str:
    return f"p50 {phase['p50_us'] / 1000:.1f} ms, p99 {phase['p99_us'] / 1000:.1f} ms"


@contextmanager
def _shown() -> Iterator[Progress]:
    """A progress bar on standard error where that is a terminal; else nothing."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:30}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, share: bar.update(task, completed=share, description=WORDS.get(what, what))


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the server that is measured too."""

    def end(*_: object) -> None:
        raise SystemExit(ENDED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

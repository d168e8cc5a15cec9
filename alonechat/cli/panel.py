"""What people see: the start panel, tables; plain lines where the output is no terminal."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any, TextIO
from urllib.parse import urlsplit

REGISTRATION = {
    "open": "open: whoever reaches the server may register",
    "invite": "by invite: alonechat invite new",
    "closed": "closed: alonechat user add",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO) -> None:
    """Rows with a head on a terminal; elsewhere tab-separated lines without one, for `cut` and `while read`."""
    if not out.isatty():
        for row in rows:
            print("\t".join(row), file=out)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, name in enumerate(head):  # what somebody copies is whole, whatever else stands there
        drawn.add_column(name, no_wrap=not at, overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(file=out).print(drawn)


def print_start(facts: dict[str, Any], out: TextIO) -> None:
    """Print what `facts` of a server say that has begun to listen."""
    title = f"AloneChat {facts['version']} · Python {facts['python']}"
    lines = start_lines(facts)
    if not out.isatty():
        said = [title, *(f"{name}: {value}" for name, value in lines)]
        out.write("\n".join(said) + "\n")  # at once: a log line of another thread may stand between two writes
        out.flush()
        return
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    shown = ""
    for name, value in lines:
        grid.add_row("" if name == shown else name, Text(value))
        shown = name
    Console(file=out).print(Panel(grid, title=Text(title), subtitle="Ctrl-C ends it", expand=False))
    out.flush()


def start_lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values of the panel: the first `websocket` and `rest` are for this machine, the next for others."""
    lines: list[tuple[str, str]] = []
    for name in ("websocket", "rest"):
        if facts.get(name):
            lines += [(name, url) for url in reachable(facts[name])]
    if facts.get("docs"):
        lines.append(("docs", reachable(facts["docs"])[0]))
    lines.append(("data", str(facts["data"])))
    lines.append(("logs", str(facts["logs"])))
    lines.append(("registration", REGISTRATION[facts["registration"]]))
    if facts.get("owner_invite"):
        lines.append(("owner invite", f"{facts['owner_invite']} (who registers with it, once, owns the server)"))
    if facts.get("new_secret"):
        lines.append(("secret", "another one than before: every sign-in has ended"))
    return lines


def reachable(url: str) -> list[str]:
    """The addresses under which `url` is reached: itself, or, where it listens everywhere, this machine's own ones,
    loopback first."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in ("0.0.0.0", "::"):
        return [url]
    hosts = ["127.0.0.1", *lan_addresses(host == "::")]
    port = "" if parts.port is None else f":{parts.port}"
    return [parts._replace(netloc=(f"[{each}]" if ":" in each else each) + port).geturl() for each in hosts]


def lan_addresses(six: bool = False) -> list[str]:
    """This machine's addresses in its networks, the one of the default route first; with `six`, IPv6 too. Nothing is
    sent: connecting a UDP socket only asks the routing table."""
    found: list[str] = []
    families = [(socket.AF_INET, "192.0.2.1")]  # RFC 5737: an address that nobody has
    if six and socket.has_ipv6:
        families.append((socket.AF_INET6, "2001:db8::1"))  # RFC 3849: the same
    for family, nobody in families:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((nobody, 9))
                found.append(probe.getsockname()[0])
        except OSError:
            pass  # no route of this family: there is nothing to hand out
    try:
        named = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        named = []  # a machine that can't look up its own name still has the routed address
    allowed = {family for family, _ in families}
    found += [str(each[4][0]) for each in named if each[0] in allowed]
    return [each for each in dict.fromkeys(found) if _is_handed_out(each)]


def _is_handed_out(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def is_terminal() -> bool:
    """Whether people read stdout, rather than a file or a program."""
    return sys.stdout is not None and sys.stdout.isatty()

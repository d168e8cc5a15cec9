"""The start panel: which addresses are handed out, and what else people are told."""

from __future__ import annotations

import io
import re
import socket
from ipaddress import ip_address
from typing import Any

import pytest

from alonechat.cli import panel
from alonechat.cli.panel import lan_addresses, print_start, reachable, start_lines, table

FACTS: dict[str, Any] = {
    "websocket": "ws://127.0.0.1:8765/",
    "rest": "http://127.0.0.1:8766",
    "docs": "http://127.0.0.1:8766/docs",
    "data": "/srv/chat/data",
    "logs": "/srv/chat/logs",
    "registration": "invite",
    "owner_invite": "abcd-efgh",
    "new_secret": True,
    "version": "2.0.0",
    "python": "3.11.7",
}


class Terminal(io.StringIO):
    """Somebody reads along."""

    def isatty(self) -> bool:
        return True


def names(*addresses: str) -> list[Any]:
    """What the system says that this machine's name means."""
    families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
    return [(family, 1, 6, "", (each, 0)) for family, each in zip(families, addresses, strict=True)]


def test_a_server_of_one_address_hands_out_that_one() -> None:
    assert reachable("ws://127.0.0.1:8765/") == ["ws://127.0.0.1:8765/"]
    assert reachable("wss://[2001:db8::5]:1/") == ["wss://[2001:db8::5]:1/"]
    assert reachable("http://chat.lan:8766") == ["http://chat.lan:8766"]


def test_a_server_of_every_address_hands_out_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "lan_addresses", lambda six: ["192.168.1.5", *(["2001:db8::5"] if six else [])])
    assert reachable("ws://0.0.0.0:8765/") == ["ws://127.0.0.1:8765/", "ws://192.168.1.5:8765/"]
    assert reachable("https://[::]:8766") == [
        "https://127.0.0.1:8766",
        "https://192.168.1.5:8766",
        "https://[2001:db8::5]:8766",
    ]


def test_addresses_are_named_once_and_only_those_that_others_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    known = names("127.0.1.1", "10.0.0.7", "10.0.0.7", "169.254.3.4", "fe80::1%eth0", "fd00::7", "::1")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    four, both = lan_addresses(), lan_addresses(six=True)
    assert "10.0.0.7" in four
    assert len(four) == len(set(four))
    assert all(ip_address(each).version == 4 for each in four)
    assert "fd00::7" in both
    for each in both:
        assert not ip_address(each).is_loopback
        assert not ip_address(each).is_link_local


def test_a_machine_without_a_network_or_a_known_name_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    assert lan_addresses(six=True) == []
    assert reachable("ws://0.0.0.0:1/") == ["ws://127.0.0.1:1/"]


def test_the_lines_say_all_that_people_need() -> None:
    lines = dict(start_lines(FACTS))
    assert lines["websocket"] == "ws://127.0.0.1:8765/"
    assert lines["rest"] == "http://127.0.0.1:8766"
    assert lines["docs"] == "http://127.0.0.1:8766/docs"
    assert lines["data"] == "/srv/chat/data"
    assert lines["logs"] == "/srv/chat/logs"
    assert lines["registration"] == "by invite: alonechat invite new"
    assert lines["owner invite"].startswith("abcd-efgh ")
    assert lines["secret"] == "another one than before: every sign-in has ended"


def test_what_is_not_there_has_no_line() -> None:
    absent = {"rest": None, "docs": None, "owner_invite": None, "new_secret": False}
    assert [name for name, _ in start_lines({**FACTS, **absent})] == ["websocket", "data", "logs", "registration"]


def test_without_a_terminal_each_line_is_a_name_and_a_value() -> None:
    out = io.StringIO()
    print_start(FACTS, out)
    title, *lines = out.getvalue().splitlines()
    assert title == "AloneChat 2.0.0 · Python 3.11.7"
    assert lines == [f"{name}: {value}" for name, value in start_lines(FACTS)]


def test_on_a_terminal_it_is_a_panel_and_values_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    print_start({**FACTS, "data": "/srv/[bold]data"}, out)
    shown = out.getvalue()
    assert shown.lstrip()[:2] in ("╭─", "┌─")  # older consoles of Windows have no round corners
    assert "/srv/[bold]data" in shown
    assert "Ctrl-C ends it" in shown


def test_a_table_has_a_head_for_people_and_none_for_programs() -> None:
    plain, drawn = io.StringIO(), Terminal()
    for out in (plain, drawn):
        table(("name", "role"), [("ana", "[red]owner")], out)
    assert plain.getvalue() == "ana\t[red]owner\n"
    assert "name" in drawn.getvalue()
    assert "[red]owner" in drawn.getvalue()


def test_what_is_copied_out_of_a_table_is_whole_however_narrow_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    table(("id", "device"), [("v" * 22, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)")], out)
    said = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "v" * 22 in said and "Gecko" in said
    assert max(map(len, said.splitlines())) <= 60

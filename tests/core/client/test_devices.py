"""What a client calls itself, and how sign-ins are named."""

from __future__ import annotations

import platform

import pytest

from alonechat import __version__
from alonechat.core.client.devices import agent, called


def test_a_client_says_program_system_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "kitchen.lan")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert agent() == f"AloneChat/{__version__} (Linux; kitchen.lan)"
    assert called(agent()) == "kitchen.lan · Linux"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("李雷的电脑", "李雷的电脑"),
        ("a b", "a b"),
        ("x)y(z; w", "x)y(z; w"),
        ("tab\there\r\nX-Evil: 1", "tab\\there\\r\\nX-Evil: 1"),
        ("", "?"),
        ("n" * 500, "n" * 80),
        ("b\udcfcro", "b?ro"),  # what no locale can read
        ("\u202etxt.exe", "\\u202etxt.exe"),
    ],
)
def test_any_name_of_a_machine_is_a_header(monkeypatch: pytest.MonkeyPatch, name: str, shown: str) -> None:
    monkeypatch.setattr(platform, "node", lambda: name)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    said = agent()
    assert said.isascii() and said.isprintable() and len(said) <= 120
    assert called(said) == f"{shown} · macOS"


@pytest.mark.parametrize(
    ("device", "shown"), [("curl/8.5.0", "curl/8.5.0"), ("", "unknown"), ("token", "token"), ("\x1b[2Jx", "\\x1b[2Jx")]
)
def test_what_is_no_client_of_ours_is_shown_as_it_came(device: str, shown: str) -> None:
    assert called(device) == shown

"""What a person wrote, as the frames that say it. Pure."""

from __future__ import annotations

from typing import Any

from alonechat.core.client.present import parts


def is_command(text: str) -> bool:
    """Whether the server runs a text rather than keeps it: it begins with one slash (PROTOCOL, section 5)."""
    return text.startswith("/") and not text.startswith("//")


def frames(target: str, text: str, ref: str | None, most: int) -> list[dict[str, Any]]:
    """The TEXT frames of a text: one for a command, else as many as it takes, each of at most `most` code points; the
    first one bears the reply. `//` at the beginning is a slash that is said. Blank texts give none."""
    text = text.strip("\n").rstrip()
    if not text.strip():
        return []
    if is_command(text):
        return [{"type": "TEXT", "target": target, "content": text}]
    said = parts(text[1:] if text.startswith("//") else text, most)
    return [{"type": "TEXT", "target": target, "content": p, "ref": None if at else ref} for at, p in enumerate(said)]

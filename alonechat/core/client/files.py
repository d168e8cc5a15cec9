"""Files of messages as values: what a face draws of them, how they are called, which may be opened. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alonechat.core.client.present import short, size_text
from alonechat.core.client.templates import posted
from alonechat.core.client.words import _, n_

MOST = 20
"""Files that one message bears at most."""
ROOM = 200 << 20
"""Bytes that the files which were fetched may take on this machine, unless the person set something else."""
COUNT = (1 << 53) - 1
"""The most bytes, or pixels of a side, that are believed: numbers without a bound are too large to be reckoned with."""
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What is shown as a picture: the server vouches that the bytes are of that kind."""
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
"""Names that are devices on Windows."""
OPENED = tuple(
    f".{ending}"
    for endings in (
        "png jpg jpeg gif webp bmp tif tiff heic avif",
        "pdf txt md log csv tsv json rtf epub docx xlsx pptx odt ods odp",
        "mp3 ogg oga opus flac wav m4a aac mp4 m4v mov mkv webm avi ogv",
        "zip tar gz tgz xz bz2 7z",
    )
    for ending in endings.split()
)
"""Endings of names whose programs show what is in a file. The system would run others (`.exe`, `.bat`, `.js`,
`.desktop`): those are saved, and what becomes of them is the person's own act."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message. `id` is the server's, empty while it waits to be uploaded; `message` the id of the message
    that bears it. `width` and `height` are pixels of an image, 0 where they are not known. `state`: `there` (on the
    server), `loading` (`fraction` of it is here), `ready` (at `path` on this machine), `failed` (for the `reason`); of
    one's own on its way out: `waiting` (a `reason` says what for), `uploading`, `ready` (the server has it), `failed`;
    those have a `path` at all times."""

    name: str
    mime: str = "application/octet-stream"
    size: int = 0
    id: str = ""
    message: str = ""
    width: int = 0
    height: int = 0
    state: str = "there"
    fraction: float = 0.0
    path: str = ""
    reason: str = ""

    @property
    def is_image(self) -> bool:
        """Whether it is shown as a picture."""
        return self.mime in IMAGES


def of_wire(found: Mapping[str, Any], message: str = "") -> File:
    """One of a message's `attachments`, which another program may have written: what lacks or is senseless is empty."""
    width, height, size = (_count(found.get(name)) for name in ("width", "height", "size"))
    name, mime, id = (str(found.get(key) or "") for key in ("name", "mime", "id"))
    return File(name or _("file"), mime or "application/octet-stream", size, id, message, width, height)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= COUNT else 0


def of_event(event: Mapping[str, Any]) -> tuple[File, ...]:
    """The files of a message as the wire says them."""
    found = event.get("attachments")
    borne = found if isinstance(found, list | tuple) else ()
    return tuple(of_wire(each, str(event.get("id") or "")) for each in borne if isinstance(each, Mapping))


def label(file: File) -> str:
    """What a file is called beside its picture: `cat.png · 1.2 MB · 800×600`."""
    size = [size_text(file.size)] if file.size else []
    pixels = [f"{file.width}×{file.height}"] if file.width and file.height else []
    return " · ".join([file.name, *size, *pixels])


def said(event: Mapping[str, Any], most: int = 120) -> str:
    """A message on one line, for lists, quotes and notifications: its text, or the names of its files."""
    return called(posted(event), of_event(event), most)


def called(content: str, files: Sequence[File], most: int = 120) -> str:
    """The same of a text and files that have no event yet."""
    text = short(content, most)
    if text or not files:
        return text
    first = short(files[0].name, most)
    if len(files) == 1:
        return first
    return _("{name} and {more}").format(name=first, more=n_("{n} more file", "{n} more files", len(files) - 1))


def opens(name: str) -> bool:
    """Whether a file of that name may be handed to the system's own program for it."""
    return name.lower().endswith(OPENED)


def too_large(name: str, size: int, most: int) -> str:
    """Why a file is not sent: its size, and what the server takes."""
    if not most:
        return _("this server takes no files")
    has, limit = size_text(size), size_text(most)
    if has == limit:
        has, limit = f"{size:,} B", f"{most:,} B"
    return _("{name} is too large: it has {size}, and this server takes files of at most {most}").format(
        name=name, size=has, most=limit
    )

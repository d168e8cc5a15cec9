"""The wire protocol as values: frame types, decode, encode, names, times. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final

from precis_i18n import get_profile

from alonechat.core.fields import Field, check, describe
from alonechat.errors import Rejected

PROTOCOL = 1
SUBPROTOCOL = "alonechat.v1"
LOBBY: Final = "#lobby"
MAX_FRAME = 65536
"""Bytes of one frame of a client (PROTOCOL, section 1)."""
MAX_SENT = 1 << 20
"""Bytes of one frame of the server (PROTOCOL, section 1)."""
MAX_DEPTH: Final = 8
MAX_INTEGER: Final = 1 << 53
MAX_FILES = 20
"""Attachments of one TEXT."""
PAGE = 50
MAX_PAGE = 200
RESERVED: Final = frozenset({"server", "system", "all", "here", "everyone"})

EVENTS: Final = ("TEXT", "EDIT", "DELETE", "REACT", "JOIN", "LEAVE", "TOPIC")
"""What a conversation's log holds; a type's position is its number in the store, so the order never changes."""
SCROLLED = ("TEXT", "JOIN", "LEAVE", "TOPIC")
"""What a person scrolls through: `HISTORY` with `before`, or with neither."""
PRESENCES = ("online", "away", "busy")

NONCE = Field("nonce", least=1, most=64, help="your own mark; the answer bears it")
TARGET = Field("target", most=64, help="#room, or a username; absent means #lobby")
ROOM = Field("target", required=True, least=1, most=64, help="#room")
REF = Field("ref", required=True, least=1, most=32, help="the id of the message it is about")
AFTER = Field("after", kind="integer", least=0, most=MAX_INTEGER, help="a seq: what comes after it, every event type")
BEFORE = Field(
    "before", kind="integer", least=0, most=MAX_INTEGER, help="a seq: what came before it, to scroll through"
)
LIMIT = Field("limit", kind="integer", least=1, most=MAX_PAGE, help="at most so many; 50 unless told")

FILE = Field("id", required=True, least=1, most=64, help="the id of an upload of yours that no message bears yet")

FRAMES: Final[dict[str, tuple[Field, ...]]] = {
    "AUTH": (Field("content", required=True, least=1, most=4096),),
    "TEXT": (
        Field("content", required=True, help="the text; / begins a command, // a slash; may be empty with attachments"),
        TARGET,
        Field("ref", least=1, most=32, help="the id of the message it replies to"),
        Field("attachments", kind="array", most=MAX_FILES, items=(FILE,), help="what POST /files answered"),
        NONCE,
    ),
    "EDIT": (TARGET, REF, Field("content", required=True, least=1), NONCE),
    "DELETE": (TARGET, REF, NONCE),
    "REACT": (
        TARGET,
        REF,
        Field("content", required=True, least=1, most=32, help="one emoji"),
        Field("removed", kind="boolean"),
        NONCE,
    ),
    "JOIN": (ROOM, Field("access", choices=("open", "private")), NONCE),
    "LEAVE": (ROOM, NONCE),
    "TOPIC": (TARGET, Field("content", required=True, most=500), NONCE),
    "HISTORY": (TARGET, AFTER, BEFORE, LIMIT, NONCE),
    "READ": (TARGET, Field("seq", kind="integer", required=True, least=0, most=MAX_INTEGER), NONCE),
    "TYPING": (TARGET, NONCE),
    "PRESENCE": (Field("content", required=True, choices=PRESENCES), NONCE),
    "MEMBERS": (TARGET, Field("after", least=1, most=32), LIMIT, NONCE),
    "HEARTBEAT": (NONCE,),
}
"""Every frame that a client may send, and its fields (PROTOCOL, section 5)."""


def _integer(text: str) -> int:
    value = int(text) if len(text) < 20 else MAX_INTEGER + 1
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise Rejected("bad_frame", f"an integer must lie within ±2^53, not {text[:24]}")
    return value


def _fraction(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Rejected("bad_frame", f"a number is too large: {text[:24]}")
    return value


def _constant(text: str) -> Any:
    raise Rejected("bad_frame", f"{text} is not JSON")


_decoder: Final = json.JSONDecoder(parse_int=_integer, parse_float=_fraction, parse_constant=_constant)
_scan: Final = _decoder.scan_once  # type: ignore[attr-defined]  # it looks for no blanks: a quarter of `decode`'s time


def parse(text: str) -> dict[str, Any]:
    """A JSON object out of `text`, within the protocol's limits. Raises `Rejected("bad_frame")` with what is wrong."""
    value = _object(text)
    _keep_within(value, text)
    return value


def _object(text: str) -> dict[str, Any]:
    """A JSON object out of `text`, whatever its strings hold and however deep it is."""
    try:
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            end = -1
        if end != len(text):
            value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise Rejected("bad_frame", f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Rejected("bad_frame", f"nesting is deeper than {MAX_DEPTH}") from None
    if type(value) is not dict:
        raise Rejected("bad_frame", f"a frame must be a JSON object, not {describe(value)}")
    return value


def _keep_within(value: dict[str, Any], text: str) -> None:
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _shallow(value, MAX_DEPTH)
    if "\\u" in text:  # a lone surrogate or NUL can arrive only as an escape
        _clean(value)


def _shallow(value: Any, left: int) -> None:
    if isinstance(value, (dict, list)):
        if left == 0:
            raise Rejected("bad_frame", f"nesting is deeper than {MAX_DEPTH}")
        for inner in value.values() if isinstance(value, dict) else value:
            _shallow(inner, left - 1)


def _clean(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise Rejected("bad_frame", "a string holds NUL")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Rejected("bad_frame", "a string holds a lone surrogate") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            _clean(key)
            _clean(inner)
    elif isinstance(value, list):
        for inner in value:
            _clean(inner)


def decode(text: str) -> dict[str, Any]:
    """A client's frame: a dict whose `type` is in `FRAMES` and whose fields fit. Raises `Rejected("bad_frame")`,
    with the frame's nonce as the attribute `nonce` where there is one that an answer can bear."""
    frame = _object(text)
    if _is_plain(frame) and ("\\" not in text or "\\u" not in text):
        return frame
    _keep_within(frame, text)
    try:
        kind = frame.get("type")
        fields = FRAMES.get(kind) if isinstance(kind, str) else None
        if fields is None:
            known = describe(kind) if not isinstance(kind, str) else repr(kind[:32])
            raise Rejected("bad_frame", f"type must be one of {', '.join(FRAMES)}, not {known}")
        check_frame(frame)
    except Rejected as refused:
        nonce = frame.get("nonce")
        if isinstance(nonce, str) and 1 <= len(nonce) <= 64:
            refused.nonce = nonce
        raise
    return frame


def _is_plain(frame: dict[str, Any]) -> bool:
    """Whether it is a TEXT of strings alone, within their bounds: what `check` would find, in a fifth of the time, and
    nothing that nests. Most frames are."""
    if frame.get("type") != "TEXT" or "content" not in frame:
        return False
    for name, value in frame.items():
        if type(value) is not str:
            return False
        bounds = _STRINGS.get(name)
        if bounds is not None and not bounds[0] <= len(value) <= bounds[1]:
            return False
    return True


_STRINGS: Final = {
    field.name: (field.least or 0, MAX_INTEGER if field.most is None else field.most)
    for field in FRAMES["TEXT"]
    if field.kind == "string"
}
_STRINGS["content"] = (1, MAX_INTEGER)  # an empty one is not plain: it needs attachments
_STRINGS["attachments"] = (1, 0)  # no string will do


def check_frame(frame: dict[str, Any], code: str = "bad_frame") -> None:
    """Raise `Rejected(code)` unless the fields of a frame of a known type fit."""
    check(FRAMES[frame["type"]], frame, code)
    if frame["type"] == "TEXT" and not frame["content"] and not frame.get("attachments"):
        raise Rejected(code, "content must be at least 1 characters, not 0, where there are no attachments")


def encode(frame: dict[str, Any]) -> str:
    """The JSON text of a frame, compact, without what is None."""
    return _dumps({k: v for k, v in frame.items() if v is not None})


_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def compact(value: Any) -> str:
    """The JSON text of a part of a frame, with the nulls that stand in it."""
    return _dumps(value)


_quoted: Final = encode_basestring


def encode_event(event: dict[str, Any]) -> str:
    """The JSON text of an event: what `encode` gives, in a fifth of the time. What every event has stands first, and
    names, ids and times hold nothing that JSON would escape."""
    first = (
        f'{{"type":"{event["type"]}","sender":"{event["sender"]}","target":"{event["target"]}"'
        f',"content":{_quoted(event["content"])},"timestamp":"{event["timestamp"]}","id":"{event["id"]}"'
        f',"seq":{event["seq"]}'
    )
    if len(event) == 7:
        return first + "}"
    nonce = event.get("nonce")
    if len(event) == 8 and nonce is not None:
        return f'{first},"nonce":{_quoted(nonce)}}}'
    rest = encode({name: value for name, value in event.items() if name not in _FIRST})
    return f"{first}}}" if rest == "{}" else f"{first},{rest[1:]}"


_FIRST: Final = frozenset(("type", "sender", "target", "content", "timestamp", "id", "seq"))


def error(refused: Rejected, nonce: str | None = None) -> dict[str, Any]:
    """The ERROR frame of a refusal (PROTOCOL, section 6)."""
    after = None if refused.retry_after is None else round(refused.retry_after, 3)
    return {"type": "ERROR", "code": refused.code, "content": refused.text, "nonce": nonce, "retry_after": after}


@lru_cache(maxsize=1024)  # nine tenths of a stamp's 4.5 µs, and many events are of the same second
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}."


def stamp(ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339 in UTC: `2026-11-23T04:24:00.123Z`."""
    return f"{_second(ms // 1000)}{str(ms % 1000).zfill(3)}Z"


_NAME: Final = re.compile(r"[^\W_](?:[\w.\-]*[^\W_])?\Z")
_profile: Final = get_profile("UsernameCaseMapped")


@lru_cache(maxsize=8192)  # the rules cost more than the rest of a message's way in; names come again and again
def username(text: str) -> str:
    """The mapped form of a username or of a room's name without `#` (RFC 8265 UsernameCaseMapped; PROTOCOL, section 3).
    Raises `Rejected("invalid")` that says what a name may hold."""
    rule = "a name has 1 to 32 letters or digits of any script, with . _ - inside"
    if not 1 <= len(text) <= 128:
        raise Rejected("invalid", f"{rule}; this one has {len(text)} characters")
    try:
        mapped: str = _profile.enforce(text)
    except (UnicodeEncodeError, ValueError):
        raise Rejected("invalid", f"{rule}; {text[:40]!r} holds something else") from None
    if len(mapped) > 32:
        raise Rejected("invalid", f"{rule}; this one has {len(mapped)} characters")
    if not _NAME.match(_bare(mapped)):
        raise Rejected("invalid", f"{rule}; {text[:40]!r} holds something else")
    return mapped


def _bare(name: str) -> str:
    """`name` with combining marks, which belong to the letter before them, as that letter."""
    import unicodedata

    found: list[str] = []
    for char in name:
        mark = unicodedata.category(char) in ("Mn", "Mc")
        found.append("a" if mark and found and found[-1].isalnum() else char)
    return "".join(found)


def display_name(text: str) -> str:
    """A display name: 1 to 64 code points, no control or format characters, not blank. Raises `Rejected("invalid")`."""
    import unicodedata

    mapped = unicodedata.normalize("NFC", " ".join(text.split(" ")).strip())
    if not 1 <= len(mapped) <= 64:
        raise Rejected("invalid", f"a display name has 1 to 64 characters, not {len(mapped)}")
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in mapped):
        raise Rejected("invalid", "a display name holds no control or format characters")
    return mapped


def key_of(target: str | None, me: str) -> str:
    """The key under which a conversation is kept: `#room`, or the two usernames of a direct one in order, with a space
    between (`alice bob`; notes to oneself: `alice alice`). `target` is what a client named, mapped here; `me` a
    username.
    Raises `Rejected("not_found")` for what can't be a name."""
    if target is None:
        return LOBBY
    try:
        if target.startswith("#"):
            return "#" + username(target[1:])
        other = username(target)
    except Rejected as refused:
        raise Rejected("not_found", f"no conversation {target[:40]!r}: {refused.text}") from None
    return f"{me} {other}" if me <= other else f"{other} {me}"


def target_of(key: str, me: str) -> str:
    """What `me` calls the conversation `key`: `#room`, or the other one's username."""
    if key.startswith("#"):
        return key
    first, second = key.split(" ")
    return second if first == me else first

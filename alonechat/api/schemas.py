"""The shapes of what REST answers: the components of the OpenAPI description."""

from __future__ import annotations

from typing import Any

from alonechat.core import fields
from alonechat.core.fields import Field
from alonechat.core.message import EVENTS
from alonechat.core.store.records import ROLES
from alonechat.errors import STATUS

PRESENCE = Field("presence", choices=("online", "away", "busy", "offline"), required=True)
REGISTRATION = ("open", "invite", "closed")
BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
_SEQ = Field("seq", "integer", required=True, least=0)


def ref(name: str) -> dict[str, Any]:
    """A reference to the component `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: dict[str, Any]) -> dict[str, Any]:
    """An array of `items`."""
    return {"type": "array", "items": items}


def shape(*flat: Field, **nested: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object: `flat` fields, and `nested` ones, all of which must be there."""
    found = fields.schema(flat)
    found["properties"].update(nested)
    if nested:
        found["required"] = [*found.get("required", []), *nested]
    return found


def page(items: dict[str, Any]) -> dict[str, Any]:
    """`{items, more}`."""
    return shape(Field("more", "boolean", required=True, help="there is more after the last item"), items=listed(items))


def text(name: str, help: str = "", **more: Any) -> Field:
    """A string that is always there."""
    return Field(name, required=True, help=help, **more)


_ACCOUNT = (text("username"), text("display_name"), text("role", choices=ROLES))
_FILE = shape(
    text("id"),
    text("name", "as it was uploaded"),
    text("mime"),
    Field("size", "integer", required=True, least=0, help="bytes"),
    Field("width", "integer", least=1, help="pixels, of a PNG, JPEG, GIF or WebP"),
    Field("height", "integer", least=1, help="pixels"),
)
_EVENT = shape(
    text("type", choices=EVENTS),
    text("sender", "the username of who wrote it"),
    text("target", "#room, or the username of who it is for"),
    text("content"),
    text("timestamp", "RFC 3339, UTC, milliseconds"),
    text("id", "unique across the server, sorts by time"),
    Field("seq", "integer", required=True, least=1, help="1, 2, 3 … within the conversation, without gaps"),
    Field("nonce", help="what the sender tagged the request with"),
    Field("ref", help="the id of the message that this is about, or replies to"),
    Field("via", help="the plugin that wrote it on the sender's behalf"),
    Field("by", help="LEAVE: the moderator who removed the sender"),
    Field("removed", "boolean", help="REACT: the reaction is taken back"),
    Field("edited", help="in history: when the text was last changed"),
    Field("deleted", "boolean", help="in history: it was deleted"),
)
_EVENT["properties"].update(
    mentions=listed({"type": "string"}),
    attachments=listed(ref("File")),
    reactions={"type": "object", "additionalProperties": listed({"type": "string"})},
)
_EVENT["description"] = "What a conversation's log holds. Absent means: there is none."

COMPONENTS: dict[str, dict[str, Any]] = {
    "Event": _EVENT,
    "File": _FILE,
    "Notice": shape(
        text("type", choices=("NOTICE",)),
        text("content", "what the command says to you alone"),
        Field("target"),
        Field("nonce"),
    ),
    "Error": shape(
        error=shape(
            text("code", choices=tuple(STATUS)),
            text("message", "a sentence for a person"),
            Field("needs", choices=("otp",), help="the field that was missing or wrong where all others were right"),
        )
    ),
    "Account": shape(*_ACCOUNT),
    "Me": shape(
        *_ACCOUNT,
        text("created", "RFC 3339"),
        text("session", "the id of the sign-in that asks"),
        Field("otp", "boolean", required=True, help="signing in asks for a one-time code, too"),
        Field("recovery_codes", "integer", least=0, help="how many are left, where it does"),
    ),
    "Offered": shape(
        text("secret", "base32, for whoever types it into an authenticator app"),
        text("uri", "otpauth://totp/…, for a picture of it"),
    ),
    "Recoveries": shape(
        recovery_codes={
            **listed({"type": "string"}),
            "description": "each signs in once instead of a code of the device; they are shown this once",
        }
    ),
    "User": shape(*_ACCOUNT, PRESENCE, Field("standing", choices=("disabled", "banned"), help="absent when neither")),
    "Member": shape(*_ACCOUNT, PRESENCE),
    "SignedIn": shape(
        text("token", "a JWT, for Authorization: Bearer"),
        text("token_type", choices=("Bearer",)),
        text("expires_at", "RFC 3339"),
        text("ws_url", "where the WebSocket is, for who asked under this host name"),
        user=ref("Account"),
    ),
    "Session": shape(
        text("id"),
        text("device", "what signed in, as it named itself"),
        text("created", "RFC 3339"),
        text("expires", "RFC 3339"),
        Field("seen", help="RFC 3339: when it was last used; absent when never"),
        Field("current", "boolean", required=True, help="it is the one that asks"),
    ),
    "Ended": shape(text("id", "the sign-in that has ended")),
    "EndedAll": shape(ended=listed({"type": "string"})),
    "Conversation": shape(
        text("target"),
        text("kind", choices=("room", "direct")),
        Field("access", choices=("open", "private"), help="of a room"),
        Field("topic", help="of a room"),
        _SEQ,
        Field("read", "integer", required=True, least=0),
        Field("unread", "integer", required=True, least=0),
        Field("mentions", "integer", required=True, least=0),
        Field("muted", "boolean", required=True),
        Field("members", "integer", least=0, help="of a room"),
        last={"anyOf": [ref("Event"), {"type": "null"}]},
    ),
    "Room": shape(
        text("target"),
        text("kind", choices=("room",)),
        text("access", choices=("open", "private")),
        text("topic"),
        _SEQ,
        Field("members", "integer", required=True, least=0),
        Field("member", "boolean", required=True, help="you are in it"),
    ),
    "Server": shape(
        text("name"),
        text("version"),
        text("id", "made with the database"),
        text("epoch", "new whenever a backup was restored"),
        Field("protocol", "integer", required=True),
        text("ws_url"),
        text("registration", "who may make an account", choices=REGISTRATION),
        files=shape(Field("max_bytes", "integer", required=True, least=0, help="of one file; 0: it takes none")),
    ),
    "Status": shape(text("status", choices=("ok", "ready"))),
    "History": shape(
        Field("more", "boolean", required=True, help="there is more in the direction that was asked"),
        Field("first", "integer", required=True, least=0, help="the lowest seq that you may read; below it is no gap"),
        events=listed(ref("Event")),
    ),
    "Found": shape(Field("more", "boolean", required=True), events=listed(ref("Event"))),
    "Conversations": page(ref("Conversation")),
    "Rooms": page(ref("Room")),
    "Members": page(ref("Member")),
    "Users": page(ref("User")),
    "Sessions": page(ref("Session")),
}

"""One-time codes by the clock (RFC 6238, as authenticator apps make them), and recovery codes: pure functions over
secrets and times that are passed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from urllib.parse import quote

PERIOD = 30_000
"""Milliseconds of a step: each has a code of its own."""
DIGITS = 6
AROUND = 1
"""Steps before and after the present one whose codes are taken: clocks differ, and typing takes a while."""
RECOVERIES = 10
"""Recovery codes that an account gets: each signs in once, without the device."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""No letters that are taken for one another when a code is read out or copied by hand."""


def new_secret() -> str:
    """A fresh secret in base32: 160 bits, as RFC 4226 wants it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def new_recoveries() -> list[str]:
    """Fresh recovery codes of 59 bits each, in groups that can be read out."""
    return ["-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3)) for _ in range(RECOVERIES)]


def digest(recovery: str) -> str:
    """What is kept of a recovery code."""
    return hashlib.sha256(plain(recovery).encode("utf-8", "surrogatepass")).hexdigest()


def plain(given: str) -> str:
    """A code as it was typed, without what people, and their word processors, put between its groups."""
    narrow = unicodedata.normalize("NFKC", given)  # an input method may write １２３
    return "".join(each for each in narrow.lower() if each.isalnum())


def is_timed(given: str) -> bool:
    """Whether what was typed may be a code by the clock, and is no recovery code."""
    found = plain(given)
    return len(found) == DIGITS and found.isdecimal()


def code(secret: str, step: int) -> str:
    """The code of a step. `secret` in base32."""
    key = base64.b32decode(secret)
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, given: str, now_ms: int) -> int | None:
    """The step whose code was typed, of those around now; None where it is of none."""
    found = plain(given)
    if not (found.isascii() and is_timed(found)):
        return None
    now = now_ms // PERIOD
    steps = range(now - AROUND, now + AROUND + 1)
    return next((step for step in steps if hmac.compare_digest(code(secret, step), found)), None)


def uri(secret: str, issuer: str, username: str) -> str:
    """What an authenticator app takes as a picture: `otpauth://totp/ISSUER:NAME?secret=…&issuer=ISSUER`."""
    server, name = quote(issuer.replace(":", " "), safe=""), quote(username, safe="")  # a colon ends the issuer
    return f"otpauth://totp/{server}:{name}?secret={secret}&issuer={server}"

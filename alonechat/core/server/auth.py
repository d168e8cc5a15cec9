"""Password hashes and tokens: pure functions over secrets and times that are passed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any

from alonechat.core.imports import without
from alonechat.core.store.records import Account
from alonechat.errors import Rejected

SCRYPT_N = 1 << 14
"""With r=8 and p=5, one of the settings that OWASP's Password Storage Cheat Sheet lists: 16 MiB, about 0.2 s."""
_R, _P, _LENGTH = 8, 5, 32
ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token stands for. `expires` in milliseconds since 1970."""

    username: str
    session_id: str
    expires: int
    account: Account


def new_id() -> str:
    """A random id that is safe in a URL, and no option where it is given to a program: 128 bits."""
    while (made := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return made


def fingerprint(secret: bytes) -> str:
    """The first 16 hexadecimal digits of the secret's SHA-256: tells two secrets apart, and nothing else about them."""
    return hashlib.sha256(secret).hexdigest()[:16]


def hash_password(password: str, n: int = SCRYPT_N) -> str:
    """The password's scrypt hash in the PHC string format, with its parameters: `$scrypt$ln=14,r=8,p=5$salt$hash`."""
    salt = secrets.token_bytes(16)
    return _phc(n, salt, _scrypt(password, salt, n, _R, _P))


def _phc(n: int, salt: bytes, digest: bytes) -> str:
    return f"$scrypt$ln={n.bit_length() - 1},r={_R},p={_P}${_text(salt)}${_text(digest)}"


def no_password(n: int = SCRYPT_N) -> str:
    """A hash that no password makes: checking one against it takes as long as against any other, and never holds."""
    return _phc(n, secrets.token_bytes(16), secrets.token_bytes(_LENGTH))


def check_password(password: str, encoded: str | None) -> bool:
    """Whether `password` made the hash `encoded`. A hash in another format is no match."""
    try:
        _, name, parameters, salt, digest = (encoded or "").split("$")
        if name != "scrypt":
            return False
        given = dict(part.split("=") for part in parameters.split(","))
        n, r, p = 1 << int(given["ln"]), int(given["r"]), int(given["p"])
        found = _scrypt(password, _bytes(salt), n, r, p)
        return hmac.compare_digest(found, _bytes(digest))
    except (ValueError, KeyError):
        return False


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # surrogates can't come in by JSON; a terminal may hand them over for bytes that are no UTF-8
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r + (1 << 20), dklen=_LENGTH)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


@cache
def load_tokens() -> Any:
    """PyJWT, after the start or with the first token: it takes 60 ms, and as much for algorithms that may be there."""
    with without("cryptography"):
        import jwt
    return jwt


def make_token(secret: bytes, session_id: str, username: str, issued_ms: int, expires_ms: int) -> str:
    """The JWT of a sign-in: `sub`, `jti`, `iat`, `exp` (whole seconds; the row in the store is what counts)."""
    jwt = load_tokens()
    claims = {"sub": username, "jti": session_id, "iat": issued_ms // 1000, "exp": -(-expires_ms // 1000)}
    made: str = jwt.encode(claims, secret, algorithm=ALGORITHM)
    return made


def read_token(secret: bytes, token: str, now_ms: int) -> tuple[str, str]:
    """(username, session id) of a token that this secret signed. Raises `Rejected("unauthorized")` with the reason."""
    jwt = load_tokens()
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            options={"require": ["sub", "jti", "iat", "exp"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise Rejected("unauthorized", f"the token is not valid ({error}); sign in again") from None
    if not isinstance(claims["exp"], int) or claims["exp"] * 1000 <= now_ms:
        raise Rejected("unauthorized", "the token has expired; sign in again")
    return str(claims["sub"]), str(claims["jti"])

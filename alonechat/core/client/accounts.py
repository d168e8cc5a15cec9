"""The accounts that are signed in on this machine: server, name, token. Never a password."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alonechat.errors import AloneChatError, ConfigError

DIRECTORY = "ALONECHAT_CONFIG_DIR"
FILE = "accounts.json"


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in where. `url` is the REST side; `ws_url` may be empty: the server is asked for it then.
    `expires_at` is RFC 3339, or empty where only the token knows it."""

    url: str
    username: str
    token: str = field(repr=False)
    ws_url: str = ""
    expires_at: str = ""

    @property
    def expires(self) -> float | None:
        """When the token ends, in seconds since 1970; None when it does not say."""
        if self.expires_at:
            try:
                return datetime.fromisoformat(self.expires_at).timestamp()
            except ValueError:
                pass  # the token itself says it too
        return _seconds(claims(self.token).get("exp"))

    @property
    def renewal(self) -> float | None:
        """When to trade the token for a new one: after two thirds of its life. None when the token does not say."""
        begun, ends = _seconds(claims(self.token).get("iat")), self.expires
        return None if begun is None or ends is None else begun + (ends - begun) * 2 / 3

    def renewed(self, answer: Mapping[str, Any]) -> Account:
        """This account with what `POST /renew` or `POST /login` answered."""
        return replace(self, token=str(answer["token"]), expires_at=str(answer.get("expires_at") or ""))


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself, unverified (only the server can verify it); empty when it is no JWT."""
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def of_token(url: str, token: str) -> Account:
    """An account out of a bare token, for scripts. Raises ConfigError when the token names nobody."""
    name = claims(token).get("sub")
    if not isinstance(name, str) or not name:
        raise ConfigError("ALONECHAT_TOKEN must be the token of a sign-in (a JWT); make one with: alonechat token NAME")
    return Account(url=url, username=name, token=token)


def directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's configuration directory: `ALONECHAT_CONFIG_DIR`, else where the system keeps such things."""
    if named := environ.get(DIRECTORY):
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("alonechat", appauthor=False)


class Accounts:
    """The file of saved accounts, mode 0600. It is replaced whole: a reader never sees half of it."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or directory() / FILE

    def all(self) -> list[Account]:
        """The saved accounts, the current one first. Raises ConfigError when the file is not what was written."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"can't read the saved accounts in {self.path}: {error}") from None
        try:
            return [_account(each) for each in json.loads(text)["accounts"]]
        except (ValueError, KeyError, TypeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConfigError(
                f"{self.path} is not a file of saved accounts of AloneChat ({what}); move it away and sign in again"
            ) from None

    def find(self, url: str | None = None, username: str | None = None) -> Account | None:
        """The current account, or the latest used one at `url` and of `username`, where these are given."""
        fits = (a for a in self.all() if url in (None, a.url) and username in (None, a.username))
        return next(fits, None)

    def save(self, account: Account) -> None:
        """Keep `account` as the current one, in place of what was kept of the same name at the same server."""
        self._write([account, *(a for a in self.all() if not _same(a, account))])

    def update(self, account: Account) -> None:
        """Keep a renewed token, if that account is still kept; which one is current does not change."""
        self._write([account if _same(a, account) else a for a in self.all()])

    def forget(self, account: Account) -> None:
        """Drop the account; the one that was used before it becomes the current one only by a new sign-in."""
        self._write([a for a in self.all() if not _same(a, account)])

    def _write(self, accounts: list[Account]) -> None:
        text = json.dumps({"accounts": [asdict(a) for a in accounts]}, ensure_ascii=False, indent=1) + "\n"
        draft = self.path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise AloneChatError(
                f"can't keep the sign-in in {self.path}: {error.strerror}; name another directory with {DIRECTORY}"
            ) from None


def _same(one: Account, other: Account) -> bool:
    return (one.url, one.username) == (other.url, other.username)


def _account(kept: Any) -> Account:
    found = Account(**{f.name: kept[f.name] for f in fields(Account)})
    if not all(isinstance(getattr(found, f.name), str) for f in fields(Account)):
        raise ValueError("a field is not text")
    return found


def when(seconds: float) -> str:
    """A time for a person, in the local zone, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M}"

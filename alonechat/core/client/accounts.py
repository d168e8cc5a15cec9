"""The accounts that are signed in on this machine: server, name, token. Never a password."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alonechat.core.client import whole
from alonechat.errors import AloneChatError, ConfigError

FILE = "accounts.json"


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in where. `url` is the REST side; `ws_url` may be empty: the server is asked for it then.
    `expires_at` is RFC 3339, or empty where only the token knows it. `server` is the server's id, or empty where it
    was not asked yet: what a client keeps on disk is kept under it."""

    url: str
    username: str
    token: str = field(repr=False)
    ws_url: str = ""
    expires_at: str = ""
    server: str = ""

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
    """An account out of a bare token, for bots. Raises ConfigError when the token names nobody."""
    name = claims(token).get("sub")
    if not isinstance(name, str) or not name:
        raise ConfigError("expected the token of a sign-in (a JWT); make one on the server with: alonechat token NAME")
    return Account(url=url, username=name, token=token)


def directory() -> Path:
    """The user's configuration directory, where the system keeps such things (Linux: below `XDG_CONFIG_HOME`)."""
    from platformdirs import user_config_path

    return user_config_path("alonechat", appauthor=False)


class Accounts:
    """The file of saved accounts, mode 0600. It is replaced whole, so a reader never sees half of it; who changes it
    holds a lock beside it, so that two sign-ins at the same time are both kept."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or directory() / FILE

    def all(self) -> list[Account]:
        """The saved accounts, the latest used one first. Raises ConfigError when the file is not what was written."""
        return self._read()[0]

    def current(self) -> Account | None:
        """The account of the latest sign-in; None after that one was signed out, until somebody signs in again."""
        accounts, is_current = self._read()
        return accounts[0] if accounts and is_current else None

    def find(self, url: str | None = None, username: str | None = None) -> Account | None:
        """The latest used account at `url` and of `username`, where these are given."""
        fits = (a for a in self.all() if url in (None, a.url) and username in (None, a.username))
        return next(fits, None)

    def named(self, text: str) -> Account | None:
        """The latest used account that `NAME` or `NAME@HOST[:PORT]` means."""
        name, _, host = text.partition("@")
        for account in self.all():
            parts = urlsplit(account.url)
            if account.username == name and host in ("", parts.netloc, parts.hostname):
                return account
        return None

    def save(self, account: Account) -> None:
        """Keep `account` as the current one, in place of what was kept of the same name at the same server."""
        with self._changing():
            self._write([account, *(a for a in self.all() if not _same(a, account))], True)

    def update(self, account: Account) -> None:
        """Keep a renewed token, if that account is still kept; which one is current does not change."""
        with self._changing():
            accounts, is_current = self._read()
            self._write([account if _same(a, account) else a for a in accounts], is_current)

    def forget(self, account: Account) -> None:
        """Drop the account. Where it was the current one, there is none then: who speaks is never guessed."""
        with self._changing():
            accounts, is_current = self._read()
            left = [a for a in accounts if not _same(a, account)]
            self._write(left, is_current and left[:1] == accounts[:1])

    def _read(self) -> tuple[list[Account], bool]:
        try:
            text = whole.read(self.path)
        except FileNotFoundError:
            return [], False
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"can't read the saved accounts in {self.path}: {error}") from None
        try:
            kept = json.loads(text)
            return [_account(each) for each in kept["accounts"]], kept["current"] is True
        except (ValueError, KeyError, TypeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConfigError(
                f"{self.path} is not a file of saved accounts of AloneChat ({what}); move it away and sign in again"
            ) from None

    def _write(self, accounts: list[Account], is_current: bool) -> None:
        kept = {"current": is_current, "accounts": [asdict(a) for a in accounts]}
        text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
        draft = self.path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            whole.replace(draft, self.path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._unwritable(error) from None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock beside the file."""
        with ExitStack() as held:
            try:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                held.enter_context(whole.locked(self.path.with_name(f".{FILE}.lock")))
            except OSError as error:
                raise self._unwritable(error) from None
            yield

    def _unwritable(self, error: OSError) -> AloneChatError:
        return AloneChatError(f"can't keep the sign-in in {self.path}: {error.strerror}; make its directory writable")


def _same(one: Account, other: Account) -> bool:
    return (one.url, one.username) == (other.url, other.username)


def _account(kept: Any) -> Account:
    found = Account(**{f.name: kept[f.name] for f in fields(Account) if f.name in kept or f.default is MISSING})
    if not all(isinstance(getattr(found, f.name), str) for f in fields(Account)):
        raise ValueError("a field is not text")
    return found


def when(seconds: float) -> str:
    """A time for a person, in the local zone, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M}"

"""What can be written inside a transaction besides posts: accounts, sign-ins, invites, settings, marks, sanctions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alonechat.core.message import LOBBY
from alonechat.core.store import sql, uploads
from alonechat.core.store.books import Books, Place
from alonechat.core.store.records import ROLES, Account, Invite, Session, Upload
from alonechat.core.store.schema import LOBBY_ID
from alonechat.errors import Rejected

STANDINGS = ("active", "disabled", "banned")
SANCTIONS = ("ban", "mute", "invite")
_CHANGES = {
    "display_name": sql.CHANGE_DISPLAY_NAME,
    "role": sql.CHANGE_ROLE,
    "standing": sql.CHANGE_STANDING,
    "password": sql.CHANGE_PASSWORD,
}


class SqliteWrites:
    """`records.Writes` on the writer's connection."""

    def __init__(self, books: Books) -> None:
        self._books, self._raw = books, books.raw

    # --- accounts ---

    def add_accounts(self, accounts_: Iterable[tuple[Account, str | None]]) -> None:
        given = list(accounts_)
        self._refuse_taken([account.username for account, _ in given])
        lobby = self._books.place(LOBBY).seq
        now = self._books.clock()
        rows = [
            {
                "username": account.username,
                "display_name": account.display_name,
                "role": _one_of(account.role, ROLES, "role"),
                "standing": _one_of(account.standing, STANDINGS, "standing"),
                "password": password,
                "created": account.created or now,
                "lobby": lobby,
            }
            for account, password in given
        ]
        self._raw.executemany(sql.ADD_ACCOUNT, rows)

    def _refuse_taken(self, names: Sequence[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise Rejected("conflict", f"the name {name} is given twice")
            seen.add(name)
            if self._books.find_account(name) is not None:
                raise Rejected("conflict", f"the name {name} is taken")

    def change_account(self, username: str, **changes: Any) -> None:
        unknown = changes.keys() - _CHANGES.keys()
        if unknown:
            raise TypeError(f"of an account {', '.join(_CHANGES)} change, not {sorted(unknown)}")
        if "role" in changes:
            _one_of(changes["role"], ROLES, "role")
        if "standing" in changes:
            _one_of(changes["standing"], STANDINGS, "standing")
        account = self._books.account(username)
        for name, value in changes.items():
            self._raw.execute(_CHANGES[name], {"account": account, "value": value})

    # --- second factors ---

    def offer_factor(self, username: str, secret: str) -> None:
        account = self._books.account(username)
        if self._factor(account)[1]:
            raise Rejected("conflict", "one-time codes are on for this account already; turn them off first")
        self._raw.execute(sql.OFFER_FACTOR, {"account": account, "secret": secret})

    def confirm_factor(self, username: str, secret: str, step: int, digests: Iterable[str]) -> None:
        account = self._books.account(username)
        if self._factor(account) != (secret, 0):
            raise Rejected("conflict", "this secret is not the one that was offered last; begin anew")
        self._raw.execute(sql.CONFIRM_FACTOR, {"account": account, "since": self._books.clock(), "step": step})
        self._raw.execute(sql.DROP_RECOVERIES, {"account": account})
        self._raw.executemany(sql.ADD_RECOVERY, [{"account": account, "digest": each} for each in digests])

    def _factor(self, account: int) -> tuple[str, int]:
        """Its secret and since when it is asked for; 0 where it is not, "" where there is none."""
        row = self._raw.execute(sql.FACTOR_NOW, {"account": account}).fetchone()
        return ("", 0) if row is None else (row[0], row[1])

    def take_step(self, username: str, step: int) -> bool:
        given = {"account": self._books.account(username), "step": step}
        return self._raw.execute(sql.TAKE_STEP, given).rowcount > 0

    def take_recovery(self, username: str, digest: str) -> bool:
        given = {"account": self._books.account(username), "digest": digest}
        return self._raw.execute(sql.TAKE_RECOVERY, given).rowcount > 0

    def drop_factor(self, username: str) -> bool:
        given = {"account": self._books.account(username)}
        self._raw.execute(sql.DROP_RECOVERIES, given)
        return self._raw.execute(sql.DROP_FACTOR, given).rowcount > 0

    # --- sign-ins ---

    def add_sessions(self, sessions_: Iterable[Session]) -> None:
        rows = [
            {
                "id": each.id,
                "account": self._books.account(each.username),
                "created": each.created,
                "expires": each.expires,
                "seen": each.seen,
                "device": each.device,
                "revoked": each.revoked,
            }
            for each in sessions_
        ]
        self._raw.executemany(sql.ADD_SESSION, rows)

    def holds(self, username: str, id: str) -> bool:
        found = self._raw.execute(sql.SESSION, {"id": id}).fetchone()
        return found is not None and found[1] == username and not found[-1]

    def revoke(
        self, username: str, id: str | None = None, keep: str | None = None, expires: int | None = None
    ) -> list[str]:
        chosen = {"account": self._books.account(username), "id": id, "keep": keep}
        if expires is not None:
            self._raw.execute(sql.SHORTEN, {**chosen, "until": expires})
            return []  # they hold a little longer
        return [row[0] for row in self._raw.execute(sql.REVOKE, chosen).fetchall()]

    def revoke_all(self) -> None:
        self._raw.execute(sql.REVOKE_ALL)

    # --- invites and settings ---

    def add_invite(self, invite: Invite) -> None:
        row = {
            "code": invite.code,
            "role": _one_of(invite.role, ROLES, "role"),
            "uses": invite.uses,
            "expires": invite.expires,
            "created": invite.created or self._books.clock(),
            "by": invite.by,
        }
        self._raw.execute(sql.ADD_INVITE, row)

    def use_invite(self, code: str) -> Invite:
        rows = self._raw.execute(sql.USE_INVITE, {"code": code, "now": self._books.clock()}).fetchall()
        if not rows:
            raise Rejected("forbidden", "this invite does not hold (any more); ask for a new one")
        return Invite(*rows[0])

    def drop_invite(self, code: str) -> bool:
        return self._raw.execute(sql.DROP_INVITE, {"code": code}).rowcount > 0

    def set_setting(self, name: str, value: str) -> None:
        self._raw.execute(sql.SET_SETTING, {"name": name, "value": value})

    # --- conversations ---

    def mark_read(self, username: str, key: str, seq: int) -> int:
        account, place = self._books.account(username), self._books.place(key)
        raw, at = self._books.raw, (account, place.id)
        row = raw.execute("SELECT read FROM marks WHERE account = ? AND conversation = ?", at).fetchone()
        old = max(row[0] if row else 0, self._floor(account, place))
        new = max(old, min(seq, place.seq))
        if new > old:
            raw.execute(
                "INSERT INTO marks (account, conversation, read) VALUES (?, ?, ?)"
                " ON CONFLICT (account, conversation) DO UPDATE SET read = excluded.read",
                (*at, new),
            )
        return new

    def _floor(self, account: int, place: Place) -> int:
        """The read mark of who never read: the JOIN in a room, the account's making in the lobby. Raises `Rejected`."""
        raw = self._books.raw
        if place.id == LOBBY_ID:
            return int(raw.execute("SELECT lobby FROM accounts WHERE id = ?", (account,)).fetchone()[0])
        since = "SELECT since FROM members WHERE conversation = ? AND account = ?"
        row = raw.execute(since, (place.id, account)).fetchone()
        if row is None:
            raise Rejected("not_found", f"no conversation {place.key} that this account is in")
        return int(row[0]) if place.kind == "room" else 0

    def mute(self, username: str, key: str, muted: bool) -> None:
        account, place = self._books.account(username), self._books.place(key)
        self._floor(account, place)
        self._raw.execute(sql.MUTE, {"account": account, "conversation": place.id, "muted": muted})

    def sanction(self, key: str, username: str, kind: str, holds: bool) -> None:
        _one_of(kind, SANCTIONS, "sanction")
        row = {"conversation": self._room(key).id, "account": self._books.account(username), "kind": kind}
        self._raw.execute(sql.SANCTION if holds else sql.LIFT, row)

    def set_moderator(self, key: str, username: str, moderator: bool) -> None:
        room, account = self._room(key), self._books.account(username)
        row = {"conversation": room.id, "account": account, "moderator": moderator}
        if not self._raw.execute(sql.MODERATOR, row).rowcount:
            raise Rejected("not_found", f"{username} is not a member of {key}")

    # --- files ---

    def add_upload(self, upload: Upload) -> None:
        uploads.add(self._books.raw, upload, self._books.account(upload.owner))

    def drop_uploads(self, before: int) -> list[str]:
        return uploads.drop_loose(self._books.raw, before)

    def _room(self, key: str) -> Place:
        place = self._books.place(key)
        if place.kind != "room":
            raise Rejected("not_found", f"no room {key}")
        return place


def _one_of(value: str, choices: Sequence[str], what: str) -> str:
    if value not in choices:
        raise Rejected("invalid", f"a {what} must be one of {', '.join(choices)}, not {value}")
    return value

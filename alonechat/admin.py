"""What an administrator does on the database itself, while a server runs or not: accounts, invites, tokens."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import cpu_count
from pathlib import Path

from alonechat.config import Settings
from alonechat.core import message
from alonechat.core.server import auth, otp
from alonechat.core.store.records import ROLES, Account, Invite, Session, Store, Writes
from alonechat.errors import ConfigError, Rejected, StartError

DAY = 86_400_000
PASSWORD_LENGTH = (8, 1024)
FINGERPRINT = "secret_fingerprint"
DEVICE = "token"
"""What `GET /me/sessions` calls the sign-in behind a token that was made here."""
BY = "command line"
"""Who made an invite that was made here. No username has a space; the invite that a server makes itself has nobody."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An account to be made: names and role as they will be kept, and the password, if it has one. `origin` is where
    it stands in a list, such as `line 3`."""

    username: str
    display_name: str
    role: str = "member"
    password: str | None = None
    origin: str = field(default="", compare=False)


def newcomer(username: str, display_name: str = "", role: str = "", password: str = "") -> Newcomer:
    """A checked `Newcomer` out of what a person wrote; what is empty gets its default. Raises `Rejected("invalid")`."""
    name = message.username(username)
    if name in message.RESERVED:
        raise Rejected("invalid", f"the name {name} is reserved; nobody can have one of {_list(message.RESERVED)}")
    shown = message.display_name(display_name) if display_name else name
    return Newcomer(name, shown, checked_role(role or "member"), checked_password(password) if password else None)


def checked_role(role: str) -> str:
    """`role`, if there is such a role; else raises `Rejected("invalid")`."""
    if role not in ROLES:
        raise Rejected("invalid", f"a role is one of {', '.join(ROLES)}, not {role[:40]!r}")
    return role


def checked_password(password: str) -> str:
    """`password`, if it has an allowed length; else raises `Rejected("invalid")`."""
    least, most = PASSWORD_LENGTH
    if not least <= len(password) <= most:
        raise Rejected("invalid", f"a password has {least} to {most} characters; this one has {len(password)}")
    return password


@contextmanager
def opened(settings: Settings, make: bool = False) -> Iterator[Store]:
    """The store of `settings`, closed at the end. Without `make` there must be a database already: a mistyped
    directory is an error, not an empty database. Raises `StartError`."""
    path = _sqlite_file(settings.database_url)
    if path is not None and not path.exists():
        if not make:
            raise StartError(
                f"there is no database {path}: --data-dir or --database-url names another one;"
                " alonechat server and alonechat user add make a new one"
            )
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"the directory {path.parent} can't be made: {error.strerror or error}") from None
    from alonechat.core.store import open_store

    store = open_store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


def _sqlite_file(url: str) -> Path | None:
    """The file behind `sqlite:///…`; None for databases that are no file."""
    scheme, _, rest = url.partition(":///")
    name = rest.partition("?")[0]
    return Path(name) if scheme.split("+")[0] == "sqlite" and name not in ("", ":memory:") else None


def add(store: Store, newcomers: Sequence[Newcomer], scrypt_n: int, skip_existing: bool = False) -> int:
    """Make the accounts, all or none, and give how many were made: with `skip_existing` those whose username is taken
    are left out. Raises `Rejected("conflict")` that names who is in the way."""
    taken = _usernames(store) if skip_existing else set()
    wanted = [each for each in newcomers if each.username not in taken]  # before the hashes, which take their time
    hashes = _hashes([each.password for each in wanted], scrypt_n)
    now = _now()

    def act(writes: Writes) -> int:
        taken = _usernames(store)
        made = [pair for pair in zip(wanted, hashes, strict=True) if not (skip_existing and pair[0].username in taken)]
        _distinct([each for each, _ in made], taken)
        writes.add_accounts(
            [(Account(each.username, each.display_name, each.role, created=now), encoded) for each, encoded in made]
        )
        return len(made)

    count: int = store.transaction(act)
    return count


def _usernames(store: Store) -> set[str]:
    return {account.username for account in store.accounts()}


def _distinct(newcomers: Sequence[Newcomer], taken: set[str]) -> None:
    """No username twice, and no display name that is another's username (PROTOCOL, section 3)."""
    names = taken | {each.username for each in newcomers}
    for each in newcomers:
        where = f"{each.origin}: " if each.origin else ""
        if each.username in taken:
            hint = "; --skip-existing leaves out who is there" if each.origin else ""
            raise Rejected("conflict", f"{where}the name {each.username} is taken{hint}")
        meant = _as_username(each.display_name)
        if meant != each.username and meant in names:
            what = f"{each.username} can't be shown as {each.display_name}: that is another's name"
            raise Rejected("conflict", where + what)


def _as_username(text: str) -> str | None:
    try:
        return message.username(text)
    except Rejected:
        return None


def _hashes(passwords: Sequence[str | None], n: int) -> list[str | None]:
    """The passwords' hashes, on all processors: scrypt gives way to other threads while it computes."""

    def encoded(password: str | None) -> str | None:
        return None if password is None else auth.hash_password(password, n)

    if not any(passwords):
        return [None] * len(passwords)
    with ThreadPoolExecutor(min(4, cpu_count() or 1)) as pool:
        return list(pool.map(encoded, passwords))


def set_password(store: Store, name: str, password: str, scrypt_n: int) -> str:
    """Give `name` a new password and end all its sign-ins. Gives the username."""
    encoded = auth.hash_password(checked_password(password), scrypt_n)

    def act(writes: Writes) -> str:
        account = find(store, name)
        writes.change_account(account.username, password=encoded)
        writes.revoke(account.username)
        return account.username

    username: str = store.transaction(act)
    return username


def forget_otp(store: Store, name: str) -> str:
    """Ask `name` for one-time codes no longer. Gives the username; raises `Rejected("not_found")` where none are."""

    def act(writes: Writes) -> str:
        account = find(store, name)
        if not writes.drop_factor(account.username):
            raise Rejected("not_found", f"one-time codes are not on for {account.username}")
        return account.username

    username: str = store.transaction(act)
    return username


def set_role(store: Store, name: str, role: str) -> Account:
    """Give `name` another role. Raises `Rejected("conflict")` when that would leave the server without an owner."""
    checked_role(role)

    def act(writes: Writes) -> Account:
        account = find(store, name)
        if role != "owner":
            _keep_an_owner(store, account)
        writes.change_account(account.username, role=role)
        return account

    changed: Account = store.transaction(act)
    return changed


def disable(store: Store, name: str) -> Account:
    """Let `name` sign in no more, and end its sign-ins. Raises `Rejected("conflict")` for the last owner."""

    def act(writes: Writes) -> Account:
        account = find(store, name)
        _keep_an_owner(store, account)
        writes.change_account(account.username, standing="disabled")
        writes.revoke(account.username)
        return account

    changed: Account = store.transaction(act)
    return changed


def enable(store: Store, name: str) -> Account:
    """Let `name` sign in again, whether it was disabled here or banned by a moderator."""

    def act(writes: Writes) -> Account:
        account = find(store, name)
        writes.change_account(account.username, standing="active")
        return account

    changed: Account = store.transaction(act)
    return changed


def _keep_an_owner(store: Store, account: Account) -> None:
    owners = [each for each in store.accounts() if each.role == "owner" and each.standing == "active"]
    if [each.username for each in owners] == [account.username]:
        raise Rejected(
            "conflict",
            f"{account.username} is the last owner: make another one first (alonechat user role NAME owner)",
        )


def find(store: Store, name: str) -> Account:
    """The account `name`. Raises `Rejected("not_found")`."""
    return _of({each.username: each for each in store.accounts()}, name)


def _of(accounts: dict[str, Account], name: str) -> Account:
    found = accounts.get(_as_username(name) or "")
    if found is None:
        raise Rejected("not_found", f"there is no account {name[:40]!r}: alonechat user list shows all there are")
    return found


def new_code() -> str:
    """A fresh invite code: 78 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(otp.LETTERS) for _ in range(4)) for _ in range(4))


def invite(store: Store, role: str, uses: int, days: float) -> Invite:
    """Keep a new invite that holds for `days` (0: for ever) and `uses` registrations, and give it."""
    if uses < 1:
        raise Rejected("invalid", f"an invite has 1 use or more, not {uses}")
    _checked_days(days, 0)
    now = _now()
    made = Invite(new_code(), checked_role(role), uses, now + int(days * DAY) if days else 0, now, BY)
    store.transaction(lambda writes: writes.add_invite(made))
    return made


def revoke_invite(store: Store, code: str) -> None:
    """Let nobody register with `code` any more. Raises `Rejected("not_found")`."""
    if not store.transaction(lambda writes: writes.drop_invite(code)):
        raise Rejected("not_found", f"there is no invite {code[:40]!r}: alonechat invite list shows all there are")


def tokens(store: Store, settings: Settings, names: Sequence[str] | None, days: float) -> list[str]:
    """A token for each of `names` in their order, or for every active account with None: all or none. Raises
    `ConfigError` when the server of this database signs with another secret, `Rejected` for an account that can't
    sign in."""
    _checked_days(days, 1 / DAY)
    secret, now = settings.secret(), _now()
    expires = now + int(days * DAY)

    def act(writes: Writes) -> list[Session]:
        _same_secret(store, writes, secret, settings)
        made = [Session(auth.new_id(), who, now, expires, device=DEVICE) for who in _signing_in(store, names)]
        writes.add_sessions(made)
        return made

    made = store.transaction(act)
    return [auth.make_token(secret, each.id, each.username, now, expires) for each in made]


def _same_secret(store: Store, writes: Writes, secret: bytes, settings: Settings) -> None:
    mine, kept = auth.fingerprint(secret), store.setting(FINGERPRINT)
    if kept is None:
        writes.set_setting(FINGERPRINT, mine)
    elif kept != mine:
        source = "JWT_SECRET" if settings.jwt_secret else f"the one in {settings.data_dir}"
        raise ConfigError(
            f"the server of this database signs with another secret than {source}: a token would not hold;"
            " give the command the server's JWT_SECRET or --data-dir, or start the server with this secret first"
        )


def _signing_in(store: Store, names: Sequence[str] | None) -> list[str]:
    accounts = {each.username: each for each in store.accounts()}
    if names is None:
        return [each.username for each in accounts.values() if each.standing == "active"]
    wanted = [_of(accounts, name) for name in names]
    for each in wanted:
        if each.standing != "active":
            raise Rejected("forbidden", f"{each.username} is {each.standing}: alonechat user enable {each.username}")
    return [each.username for each in wanted]


def _checked_days(days: float, least: float) -> None:
    if not least <= days <= 36_500:
        low = "0 (for ever)" if least == 0 else "just over 0"
        raise Rejected("invalid", f"days must be from {low} to 36500, not {days:g}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _now() -> int:
    return time.time_ns() // 1_000_000

"""Who has an account, in memory: names, roles, standing. Changed only after the store has committed."""

from __future__ import annotations

from collections.abc import Iterable

from alonechat.core.store.records import ROLES, Account


class Directory:
    """All accounts by username."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.names: dict[str, Account] = {}
        self._shown: dict[str, str] = {}
        self._sorted: list[str] = []
        for account in accounts:
            self.add(account)

    def get(self, username: str) -> Account | None:
        """The account of this username, or None."""
        return self.names.get(username)

    def is_active(self, username: str) -> bool:
        """Whether there is such an account, neither disabled nor banned."""
        found = self.get(username)
        return found is not None and found.standing == "active"

    def all(self) -> Iterable[Account]:
        """Every account."""
        return self.names.values()

    def sorted(self) -> list[str]:
        """All usernames in order. The list is shared: don't change it."""
        if len(self._sorted) != len(self.names):  # a name is never given up
            self._sorted = sorted(self.names)
        return self._sorted

    def add(self, account: Account) -> None:
        """Take in a new account, or what became of a known one."""
        self._shown[account.display_name.casefold()] = account.username
        self.names[account.username] = account

    def rename(self, account: Account, display_name: str) -> None:
        """The account is shown by another name from now on."""
        if self._shown.get(account.display_name.casefold()) == account.username:
            del self._shown[account.display_name.casefold()]
        account.display_name = display_name
        self._shown[display_name.casefold()] = account.username

    def is_taken(self, display_name: str, by_other_than: str) -> bool:
        """Whether this display name is another account's username (PROTOCOL, section 3)."""
        found = self.names.get(display_name.casefold())
        return found is not None and found.username != by_other_than

    def passes_for(self, display_name: str, account: Account) -> bool:
        """Whether this display name is that of somebody with a higher role than `account` has: who is shown alike would
        be taken for them. Those of the same role may share one, as people do."""
        wanted, power = display_name.casefold(), ROLES.index(account.role)
        return any(
            ROLES.index(each.role) > power and each.display_name.casefold() == wanted
            for each in self.names.values()
            if each.username != account.username
        )

    def replace(self, accounts: Iterable[Account]) -> list[tuple[Account | None, Account]]:
        """Take in what another process changed: (as it was, as it is) of each account that differs."""
        changed: list[tuple[Account | None, Account]] = []
        for account in accounts:
            before = self.names.get(account.username)
            if before != account:
                changed.append((before, account))
                self.add(account)
        return changed

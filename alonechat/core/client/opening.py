"""What the command line hands to a face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alonechat.core.client.accounts import Account, Accounts
from alonechat.errors import AloneChatError


class Unusable(AloneChatError):
    """A face can't work here: the sentence says why, and what would change that. Another face is opened instead."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a face begins. `account`: whose chat is opened; None asks for a sign-in, which offers `server`. `home`: the
    directory of caches; `preferences`: the file of preferences, beside which the keys file lies."""

    accounts: Accounts
    account: Account | None
    home: Path
    preferences: Path
    server: str = ""

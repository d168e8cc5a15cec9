"""Signing in from a face: what a server says of itself, an account by password, a new account."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from alonechat.core.client.accounts import Account
from alonechat.core.client.refusals import retold
from alonechat.errors import AloneChatError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A server as it describes itself. `registration`: `open`, `invite` or `closed`."""

    url: str
    name: str
    version: str
    id: str
    registration: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who wants an account."""

    username: str
    password: str
    display_name: str = ""
    invite: str = ""


async def look(address: str) -> Place:
    """What stands at an address (`host`, `host:8766`, `https://host`). Raises ConfigError for what is no address,
    AloneChatError when nobody, or something else, answers there."""
    from alonechat.core.client.rest import Rest, base_url

    url = base_url(address.strip())
    async with Rest(url) as rest:
        found = await rest.server()
    if not all(found.get(key) for key in ("name", "version", "id")):
        raise AloneChatError(f"{url} answers, but not as an AloneChat server does; is it another service's port?")
    registration = str(found.get("registration") or "closed")
    return Place(url, str(found["name"]), str(found["version"]), str(found["id"]), registration)


async def sign_in(place: Place, username: str, password: str, otp: str = "") -> Account:
    """An account with its token; it is not kept yet. Raises Rejected (`unauthorized` for a wrong name or password)."""
    from alonechat.core.client.rest import Rest

    async with Rest(place.url) as rest:
        found = await rest.login(username.strip(), password, otp or None)
    name, ends = str(found["user"]["username"]), str(found.get("expires_at") or "")
    return Account(place.url, name, str(found["token"]), str(found["ws_url"]), ends, place.id)


async def register(place: Place, who: Newcomer) -> Account:
    """Make an account and sign in. Raises Rejected: `conflict` when the name is taken, `forbidden` when registration is
    closed or the invitation is not valid, `invalid` for a name or password that can't be one."""
    from alonechat.core.client.rest import Rest

    async with Rest(place.url) as rest:
        await rest.register(
            who.username.strip(), who.password, who.invite.strip() or None, who.display_name.strip() or None
        )
    return await sign_in(place, who.username, who.password)


def in_thread(
    work: Coroutine[Any, Any, T], then: Callable[[T | None, AloneChatError | None], None]
) -> threading.Thread:
    """Run one of these in a thread of its own. `then(result, error)` is called in that thread, whatever happens: a face
    puts it on its own queue."""

    def run() -> None:
        try:
            result = asyncio.run(work)
        except AloneChatError as error:
            then(None, retold(error))
            return
        except Exception as error:  # whoever waits must not wait for ever
            fault = AloneChatError(f"a fault of this client ({type(error).__name__}: {error}); please report it")
            then(None, retold(fault))
            return
        then(result, None)

    thread = threading.Thread(target=run, name="alonechat-sign-in", daemon=True)
    thread.start()
    return thread

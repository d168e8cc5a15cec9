"""The REST side of a server as a client calls it (PROTOCOL, section 7)."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from alonechat import __version__
from alonechat.core.client.devices import agent
from alonechat.errors import STATUS, AloneChatError, ConfigError, Rejected

if TYPE_CHECKING:
    import httpx

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WILDCARD = frozenset({"", "0.0.0.0", "::"})
CHUNK = 1 << 16
"""Bytes of a file that are read or written at once."""
WINSOCK = 10_000
"""From here on numbers of errors are those of Windows' sockets, for which the C library has no words."""
PLAIN = f"AloneChat/{__version__}"
SIGNING = ("/login", "/renew")
"""What makes a sign-in, whose list says which machine it was made on; nothing else says it."""
CODES = {status: code for code, status in STATUS.items()}


def base_url(text: str) -> str:
    """A server's REST address as it is kept: `http://host:port`, without a slash at the end. Raises ConfigError."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"a server is named like http://host:8766 or https://host:8766, not {text[:80]!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = port or (443 if parts.scheme == "https" and "://" in text else 8766)
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def reachable(ws_url: str, url: str) -> str:
    """The WebSocket address as one reaches it from here: a server that knows no better name of itself than a wildcard
    or loopback address is where its REST side was reached."""
    there, rest = urlsplit(ws_url), urlsplit(url)
    named, asked = there.hostname or "", rest.hostname or ""
    if named in WILDCARD or (named in LOOPBACK and asked not in LOOPBACK):
        host = f"[{asked}]" if ":" in asked else asked
        return urlunsplit(there._replace(netloc=f"{host}:{there.port}" if there.port else host))
    return ws_url


def tls() -> ssl.SSLContext:
    """What a server's certificate is checked against: the system's authorities, or `SSL_CERT_FILE`."""
    import certifi

    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:  # e.g. the python.org build for macOS, as it is installed
        context.load_verify_locations(certifi.where())
    return context


class Rest:
    """One server's REST side. Refusals raise Rejected with the server's code and sentence; a server that can't be
    reached, or is no AloneChat server, raises AloneChatError."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 10) -> None:
        import httpx  # here: most sessions never ask over REST, and it takes longer to load than all the rest

        self.url = url
        parts = urlsplit(url)
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"User-Agent": PLAIN, **({"Authorization": f"Bearer {token}"} if token else {})},
            timeout=timeout,
            verify=tls() if parts.scheme == "https" else False,
            trust_env=parts.hostname not in LOOPBACK,  # a proxy can't lead to this machine
        )

    async def __aenter__(self) -> Rest:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """One request; the answer's JSON object. `query` values of None are left out."""
        params = {k: v for k, v in query.items() if v is not None}
        given = None if body is None else {k: v for k, v in body.items() if v is not None}
        named = {"User-Agent": agent()} if path in SIGNING else None
        asked = self._http.request(method, path, json=given, params=params, headers=named)
        return self._read(await self._carried(asked))

    async def _carried(self, work: Awaitable[httpx.Response]) -> httpx.Response:
        """What is under way, with what keeps it from its end as a sentence."""
        import httpx

        try:
            return await work
        except httpx.TimeoutException:
            raise AloneChatError(f"{self.url} does not answer in time; is the server running?") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise AloneChatError(unreached(self.url, error)) from None

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code == 204:
            return {}
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise AloneChatError(
                f"{self.url} answered {answer.status_code}, but not as an AloneChat server does; "
                "name its REST port (8766 unless it was changed), not the WebSocket's"
            )
        if answer.is_success:
            return found
        error = found.get("error")
        error = error if isinstance(error, dict) else {}
        code = str(error.get("code") or CODES.get(answer.status_code, "internal"))
        after = error.get("retry_after") or answer.headers.get("retry-after")
        try:
            seconds = float(after) if after else None
        except ValueError:
            seconds = None  # the other form of Retry-After, a date, which nobody waits for here
        text = str(error.get("message") or f"the server answered {answer.status_code}")
        raise Rejected(code, text, seconds, str(error["needs"]) if error.get("needs") else None)

    async def server(self) -> dict[str, Any]:
        """Name, version, id, epoch, WebSocket URL, whether registration is open."""
        return await self.call("GET", "/server")

    async def register(
        self, username: str, password: str, invite: str | None = None, display_name: str | None = None
    ) -> dict[str, Any]:
        body = {"username": username, "password": password, "invite": invite, "display_name": display_name}
        return await self.call("POST", "/register", body)

    async def login(self, username: str, password: str, otp: str | None = None) -> dict[str, Any]:
        """`token`, `expires_at`, `user`, and `ws_url` as one reaches it from here. Raises Rejected that `needs` the
        `otp` where the account asks for a one-time code and this is none."""
        found = await self.call("POST", "/login", {"username": username, "password": password, "otp": otp})
        return {**found, "ws_url": reachable(str(found["ws_url"]), self.url)}

    async def renew(self) -> dict[str, Any]:
        return await self.call("POST", "/renew")

    async def logout(self) -> None:
        await self.call("POST", "/logout")

    async def me(self) -> dict[str, Any]:
        return await self.call("GET", "/me")

    async def conversations(self, before: str | None = None) -> dict[str, Any]:
        """One page of one's conversations: `items`, `more`."""
        return await self.call("GET", "/conversations", before=before)

    async def rooms(self) -> dict[str, Any]:
        """The rooms that one may know of: `items`."""
        return await self.call("GET", "/rooms")

    async def users(self, after: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """One page of the accounts, by username: `items`, `more`."""
        return await self.call("GET", "/users", after=after, limit=limit)

    async def search(self, q: str, **where: Any) -> dict[str, Any]:
        """Messages that hold `q`, newest first: `events`, `more`. `where`: target, sender, before (an id), limit."""
        return await self.call("GET", "/search", q=q, **where)

    async def upload(
        self, path: Path, name: str = "", mime: str = "", told: Callable[[int], None] = lambda done: None
    ) -> dict[str, Any]:
        """Upload a file, piece by piece: `id`, `name`, `mime`, `size`, and `width` and `height` of an image. A TEXT
        bears it as `attachments: [{"id"}]`. `told` hears how many bytes are gone. Raises OSError where it can't be
        read."""
        file = await asyncio.to_thread(open, path, "rb")
        try:
            size = os.fstat(file.fileno()).st_size

            async def pieces() -> AsyncIterator[bytes]:
                left = size  # a log may grow meanwhile: what it was is sent
                while left and (piece := await asyncio.to_thread(file.read, min(CHUNK, left))):
                    left -= len(piece)
                    yield piece
                    told(size - left)
                if left:
                    raise AloneChatError(f"{path} became shorter while it was sent; send it again")

            headers = {"Content-Type": mime or "application/octet-stream", "Content-Length": str(size)}
            params = {"name": (name or path.name).encode("utf-8", "replace").decode()}  # some are no UTF-8
            work = self._http.post("/files", content=pieces(), headers=headers, params=params)
            return self._read(await self._carried(work))
        finally:
            file.close()

    async def download(
        self, id: str, path: Path, told: Callable[[int], None] = lambda done: None, most: int | None = None
    ) -> str:
        """Write a file of a message to `path`, piece by piece; what the server calls it. `told` hears how many bytes
        are there. Raises Rejected (`not_found`: there is none that one may read), AloneChatError where the disk does
        not take it, or where more than `most` bytes come."""
        answer = await self._carried(self._streamed(id, path, told, most))
        if not answer.is_success:
            self._read(answer)
        _, _, coded = answer.headers.get("content-disposition", "").partition("filename*=UTF-8''")
        return unquote(coded)

    async def _streamed(self, id: str, path: Path, told: Callable[[int], None], most: int | None) -> httpx.Response:
        async with self._http.stream("GET", f"/files/{quote(id, safe='')}") as answer:
            if not answer.is_success:
                await answer.aread()
                return answer
            done = 0
            await asyncio.to_thread(_write, path, b"", 0)  # an empty file is a file
            async for piece in answer.aiter_bytes(CHUNK):
                if most is not None and done + len(piece) > most:
                    raise AloneChatError(f"{self.url} sent more than the {most} bytes that the file was said to have")
                await asyncio.to_thread(_write, path, piece, done)
                done += len(piece)
                told(done)
            return answer

    async def sessions(self) -> dict[str, Any]:
        """One's own sign-ins: `items`."""
        return await self.call("GET", "/me/sessions")

    async def end_other_sessions(self) -> list[str]:
        """End one's sign-ins but this one; the ids that ended."""
        return list((await self.call("DELETE", "/me/sessions"))["ended"])

    async def end_session(self, id: str) -> None:
        await self.call("DELETE", f"/me/sessions/{quote(id, safe='')}")

    async def change_me(self, **changes: str) -> dict[str, Any]:
        """Change `display_name`, or `password` with `old_password`; one's account as it is then."""
        return await self.call("PATCH", "/me", dict(changes))

    async def offer_otp(self, password: str) -> dict[str, Any]:
        """A secret for one-time codes, to be confirmed: `secret`, and `uri` for a picture of it."""
        return await self.call("POST", "/me/otp", {"password": password})

    async def turn_otp_on(self, otp: str) -> list[str]:
        """Confirm it: signing in asks for codes from now on. The recovery codes, which are told this once."""
        found = await self.call("POST", "/me/otp/on", {"otp": otp})
        return [str(each) for each in found.get("recovery_codes") or ()]

    async def turn_otp_off(self, password: str, otp: str) -> None:
        """Sign in with the password alone again."""
        await self.call("POST", "/me/otp/off", {"password": password, "otp": otp})


def _write(path: Path, piece: bytes, at: int) -> None:
    """Put a piece of a file into its place on this disk, whose faults are told apart from those of the network."""
    try:
        with open(path, "r+b" if at else "wb") as file:
            file.seek(at)
            file.write(piece)
    except OSError as error:
        raise AloneChatError(f"can't write {path}: {error.strerror or error}") from None


def unreached(url: str, error: BaseException) -> str:
    """Why there is no connection to `url`, in a sentence: in the system's own words where there are any."""
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) is not None and inner not in causes:
        causes.append(inner)
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return (
                f"cannot reach {url}: its certificate is not trusted ({each.verify_message}); "
                "if it should be, name its file in SSL_CERT_FILE"
            )
    for each in causes:
        if isinstance(each, ssl.SSLError):
            return f"cannot reach {url}: {each.reason or 'TLS failed'}; does this port speak TLS?"
        if isinstance(each, OSError) and (why := _system(each)):
            return f"cannot reach {url}: {why}; is the server running?"
    why = (str(error) or type(error).__name__).rstrip(".")
    return f"cannot reach {url}: {why}; is it an AloneChat server, and does it want TLS?"


def _system(error: OSError) -> str:
    """What the system says; asyncio puts words of its own in its place, and joins those of several addresses."""
    if sys.platform == "win32":
        number = error.winerror or error.errno or 0
        if error.winerror or number >= WINSOCK:
            import ctypes

            return ctypes.FormatError(number).strip().rstrip(".")
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    if error.strerror:  # a name that can't be resolved has numbers of its own
        return error.strerror
    return "none of its addresses answers" if str(error).startswith("Multiple exceptions") else ""

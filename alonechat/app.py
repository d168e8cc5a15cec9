"""The composition root: joins settings, store, server and REST into a process that serves until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import importlib.util
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import alonechat
from alonechat.config import Settings
from alonechat.core.logging import LoggingManager, get_logger
from alonechat.errors import StartError

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager
    from alonechat.core.store.records import Store

FINGERPRINT = "secret_fingerprint"
"""The store's setting that tells whether the JWT secret is still the one that its tokens were signed with."""
SWITCH = 0.0002
"""Seconds after which the loop hands the interpreter to the writer thread that has committed, and back: with Python's
own 5 ms a commit would wait for the loop longer than for the disk."""
FILES = 131_072
"""Open files that the process asks for, where the system allows as many: one per connection, or two (`pipes`)."""
Announce = Callable[[dict[str, Any]], None]
log = get_logger(__name__)


def serve(settings: Settings, rest: bool, announce: Announce) -> int:
    """Run a server until Ctrl-C or SIGTERM; the exit code. `announce` is called once all listens, with `websocket`,
    `rest` and `docs` (URLs), `data`, `logs`, `registration`, `owner_invite`, `new_secret`, `version`, `python`.
    Raises `StartError` when it can't start here."""
    gc.disable()  # what a start makes lives as long as the process: looking through it again and again frees nothing
    logging = LoggingManager()
    logging.start(settings)
    try:
        raise_limits()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, rest, announce))
    finally:
        logging.stop()
        gc.enable()
    return 0


async def _serve(settings: Settings, rest: bool, announce: Announce) -> None:
    stop = asyncio.Event()
    with _signals(stop):
        async with running(settings, rest) as house:
            announce(house.facts())
            sys.setswitchinterval(SWITCH)
            gc.collect()
            gc.freeze()  # what stands now is never looked at again
            gc.enable()
            warm = asyncio.get_running_loop().run_in_executor(None, _warm)
            await stop.wait()
            log.info("stopping")
            await warm


def _warm() -> None:
    """Load what the first token and the first reaction need, beside the loop, which the two would hold up by 130 ms."""
    from alonechat.core.server.auth import load_tokens
    from alonechat.core.server.rooms import is_emoji

    load_tokens()
    is_emoji("👍")


@dataclass(slots=True)
class House:
    """A running server, and what people need to know about it."""

    server: UnifiedWebSocketManager
    settings: Settings
    owner_invite: str | None
    new_secret: bool

    def url(self, kind: str) -> str | None:
        """The URL of `websocket` or `rest`, as the settings name the host; None when that is not served."""
        port = self.server.ports.get(kind)
        if port is None:
            return None
        host = self.settings.host
        scheme = {"websocket": "ws", "rest": "http"}[kind] + ("s" if self.settings.tls_cert else "")
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"

    def facts(self) -> dict[str, Any]:
        """What `serve` announces."""
        rest = self.url("rest")
        return {
            "websocket": self.url("websocket"),
            "rest": rest and rest.rstrip("/"),
            "docs": rest and f"{rest}docs",
            "data": str(self.settings.data_dir),
            "logs": str(self.settings.log_dir),
            "registration": self.settings.registration,
            "owner_invite": self.owner_invite,
            "new_secret": self.new_secret,
            "version": alonechat.__version__,
            "python": sys.version.split()[0],
        }


@asynccontextmanager
async def running(
    settings: Settings, rest: bool = True, clock: Callable[[], int] | None = None
) -> AsyncIterator[House]:
    """A server that serves inside the running loop, stopped at the end without losing what it accepted.
    Raises `StartError`. `clock` gives milliseconds since 1970."""
    from alonechat.core.server.manager import UnifiedWebSocketManager
    from alonechat.core.store import now_ms, open_shelf, open_store

    clock = clock or now_ms
    make_directory(settings.data_dir)
    with contextlib.ExitStack() as held:
        held.enter_context(alone(settings.data_dir))
        sockets = [held.enter_context(listen(settings.host, settings.port, "--port"))]
        if rest:
            sockets.append(held.enter_context(listen(settings.host, settings.api_port, "--api-port")))
        store = open_store(settings.database_url, clock)
        try:
            new_secret = _take_secret(store, settings)
            invite = _owner_invite(store, clock())
            server = UnifiedWebSocketManager(settings, store, open_shelf(settings.data_dir), clock)
        except BaseException:
            store.close()
            raise
        try:
            await server.start(sockets[0])
            async with _plugins(server), _rest(server, sockets[1:]):
                log.info("listening", version=alonechat.__version__, ports=server.ports)
                yield House(server, settings, invite, new_secret)
        finally:
            await server.stop()
            log.info("stopped")


@asynccontextmanager
async def _plugins(server: UnifiedWebSocketManager) -> AsyncIterator[None]:
    if not server.settings.plugins:
        yield
        return
    from alonechat.core.server.door import Door
    from alonechat.plugins.manager import PluginManager

    manager = PluginManager(Door(server), server.settings.data_dir.resolve())
    await manager.start()
    server.journey.guests, server.journey.commands.more = manager, manager.lines
    try:
        yield
    finally:
        server.journey.guests = None
        await manager.stop()


@asynccontextmanager
async def _rest(server: UnifiedWebSocketManager, sockets: list[socket.socket]) -> AsyncIterator[None]:
    if not sockets:
        yield
        return
    from alonechat.api import Rest

    server.ports["rest"] = sockets[0].getsockname()[1]
    face = Rest(server, sockets[0])
    try:
        await face.start()
        yield
    finally:
        await face.stop()


def _take_secret(store: Store, settings: Settings) -> bool:
    """Whether the JWT secret is another one than the last: then no token holds any more, and every sign-in is ended."""
    from alonechat.core.server.auth import fingerprint

    now = fingerprint(settings.secret())
    before = store.setting(FINGERPRINT)
    if before == now:
        return False

    def act(writes: Any) -> None:
        writes.set_setting(FINGERPRINT, now)
        if before is not None:
            writes.revoke_all()

    store.transaction(act)
    if before is not None:
        log.warning("the JWT secret is a new one: every sign-in has ended")
    return before is not None


def _owner_invite(store: Store, now: int) -> str | None:
    """The code that makes its user the owner, as long as there is no owner."""
    from alonechat.core.server.auth import new_id
    from alonechat.core.store.records import Invite

    has_owner = any(account.role == "owner" for account in store.accounts())
    kept = [invite.code for invite in store.invites() if invite.role == "owner" and not invite.by]
    if has_owner:
        if kept:
            store.transaction(lambda writes: [writes.drop_invite(code) for code in kept])
        return None
    if kept:
        return kept[0]
    code = new_id()
    store.transaction(lambda writes: writes.add_invite(Invite(code, "owner", 1, 0, now)))
    return code


# --- this machine ---


def listen(host: str, port: int, flag: str) -> socket.socket:
    """A socket bound to a port, 0 for a free one. Raises `StartError` when it can't be had; `flag` takes another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise StartError(f"--host must be an address of this machine, not {host}: {error.strerror or error}") from None
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there it would let two programs listen on one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6():
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise StartError(_why_not_bound(error, host, port, flag)) from None
    return sock


def _why_not_bound(error: OSError, host: str, port: int, flag: str) -> str:
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        return f"port {port} is taken: another program listens on it; {flag} takes another one (0: any that is free)"
    if error.errno in (errno.EACCES, getattr(errno, "WSAEACCES", None)):
        return f"port {port} needs more rights than this user has; {flag} takes another one, from 1024 on"
    return f"{host} port {port} can't be listened on: {error.strerror or error}"


def make_directory(path: Path) -> None:
    """A data directory that can be written. Raises `StartError`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = error.strerror or str(error)
        raise StartError(f"the data directory {path} can't be written: {why}; --data-dir names another one") from None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One server for one data directory: two would give a seq twice. The system ends the lock with the process. Raises
    `StartError`."""
    with open(path / "server.lock", "a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
                raise StartError(
                    f"another server runs on {path}; stop it first, or give --data-dir another one"
                ) from None
            log.warning("the data directory can't be locked: start no second server on it", path=str(path))
        yield


def raise_limits() -> None:
    """Ask for as many open files as the system allows, up to `FILES`: each connection is one, or two."""
    if importlib.util.find_spec("resource") is None:  # Windows has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _files_of(hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:  # macOS refuses more than its own bound
            log.info("the limit of open files stays", files=soft, why=str(error))


def _files_of(hard: int) -> int:
    import resource

    return FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)


def connections_of(hard: int) -> int:
    """How many connections a server has files for where the system allows it `hard` of them."""
    from alonechat.core.server import pipes

    return pipes.connections(_files_of(hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed, and the system loads it."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`; on Windows Ctrl-Break, too, which other programs can send."""
    loop = asyncio.get_running_loop()
    kinds = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGTERM)}
    try:
        for kind in kinds:
            loop.add_signal_handler(kind, stop.set)
    except (
        NotImplementedError,
        RuntimeError,
    ):  # Windows' loops have none; its signals come between two steps of Python
        for kind in kinds:
            signal.signal(kind, lambda *_: loop.call_soon_threadsafe(stop.set))
    yield

"""Log lines: loggers, where their lines go, and what never appears in them."""

from __future__ import annotations

import atexit
import importlib.util
import logging
import logging.handlers
import os
import queue
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alonechat.config import Settings, load
from alonechat.core.imports import without
from alonechat.errors import StartError

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

WAITING = 10_000
"""Lines that wait for the writing thread; beyond it they are dropped and counted: a slow disk never stops the loop."""
HIDDEN = "***"

_DIRECTORIES = {"development": "dev", "production": "prod", "testing": "test"}
_QUIET = {
    # debug lines of these hold frames, headers or SQL parameters: message texts and tokens
    "websockets": logging.INFO,
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    # it logs whole paths; the REST side logs its own lines, with route templates
    "uvicorn.access": logging.CRITICAL + 1,
    "asyncio": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "sqlalchemy": logging.WARNING,
}

_SECRET_WORDS = frozenset(
    {"password", "passwd", "token", "tokens", "secret", "secrets", "authorization", "cookie", "otp", "jwt"}
    | {"content", "contents", "text", "body", "invite", "invites"}
)
_PLAIN_ENDS = frozenset(("bytes", "count", "days", "id", "length", "ms", "seconds", "size", "type"))
_WORDS = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMES = r"[a-z_]*(?:password|passwd|token|secret|authorization|cookie|content|otp|invite|jwt)"
_MASKS = (
    (re.compile(r"eyJ[\w-]{4,}\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"\b(Bearer)\s+[^\s,\"']+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(rf"\b({_NAMES}=)(?:\"[^\"]*\"|'[^']*'|[^&\s\"',;)\]}}]+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(rf"([\"']{_NAMES}[\"']\s*:\s*)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.IGNORECASE),
        rf'\1"{HIDDEN}"',
    ),
    (re.compile(r"(://[^:/@\s]*:)[^@/\s]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"\[parameters: [^\n]*"), f"[parameters: {HIDDEN}]"),  # how SQLAlchemy ends the text of an error
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def mask(text: str) -> str:
    """`text` without what looks like a secret: tokens, `Bearer …`, `token=…`, a password in a URL."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def is_secret(key: str) -> bool:
    """Whether values under `key` are hidden: one of its words is password, token, content …, and it is no mere measure
    of one (`content_length`)."""
    words = _WORDS.split(_CAMEL.sub("_", key).lower())
    return words[-1] not in _PLAIN_ENDS and not _SECRET_WORDS.isdisjoint(words)


def hide_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the event with secrets hidden, as a copy that later changes of its values don't reach."""
    return {key: value if key.startswith("_") else _hidden(key, value, 6) for key, value in event.items()}


def _hidden(key: str, value: Any, left: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if is_secret(key):
        return HIDDEN
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping) and left:
        return {str(name): _hidden(str(name), inner, left - 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and left:
        return [_hidden("", inner, left - 1) for inner in value]
    return mask(str(value) if isinstance(value, Path) else repr(value))


def get_logger(name: str) -> BoundLogger:
    """A structlog logger: `get_logger(__name__).info("signed in", user="ana")`.

    It may be made and used before logging is started: then warnings go to stderr, plainly. Making one is cheap:
    structlog is imported with the first line that is logged.
    """
    return _Deferred(name)  # type: ignore[return-value]


class _Deferred:
    """Becomes the logger at first use; what was asked for once is found on the instance from then on."""

    def __init__(self, name: str) -> None:
        self._named = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        logger = self.__dict__.get("_logger")
        if logger is None:
            logger = self.__dict__["_logger"] = _build(self._named)
        found = self.__dict__[attribute] = getattr(logger, attribute)
        return found


@cache
def _structlog() -> Any:
    """structlog, for which rich draws tracebacks when it finds it: ours are text by then, and rich takes 0.15 s."""
    with without("rich"):
        import structlog
        import structlog.stdlib
    return structlog


def within(**values: str) -> AbstractContextManager[None]:
    """Every line that is logged within, in this task or thread, bears `values`."""
    found: AbstractContextManager[None] = _structlog().contextvars.bound_contextvars(**values)
    return found


def _build(name: str) -> Any:
    structlog = _structlog()
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            hide_secrets,
            _hand_over,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    ).bind()


def _hand_over(logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
    """To the handlers as values; as plain text while none is started."""
    if _running:
        return _structlog().stdlib.ProcessorFormatter.wrap_for_formatter(logger, method, event)
    head, trace = str(event.pop("event", "")), event.pop("exception", None)
    line = " ".join([head, *(f"{key}={value}" for key, value in event.items())])
    return ((line if trace is None else f"{line}\n{trace}"),), {}


class _Sender(logging.handlers.QueueHandler):
    """Puts a line into the queue, or counts it as dropped; never waits."""

    def __init__(self, lines: queue.Queue[Any]) -> None:
        super().__init__(lines)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """The record with what later changes could touch made into text; structured ones are copies already."""
        if isinstance(record.msg, dict):
            return record
        prepared = logging.makeLogRecord(record.__dict__)
        prepared.msg, prepared.args = record.getMessage(), None
        return prepared

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class _Writer(logging.handlers.QueueListener):
    """The thread that writes, and that says how many lines were dropped as soon as it can."""

    def __init__(self, sender: _Sender, *handlers: logging.Handler) -> None:
        super().__init__(sender.queue, *handlers, respect_handler_level=True)
        self._sender = sender
        self._reported = 0

    def handle(self, record: logging.LogRecord) -> None:
        self.report()
        super().handle(record)

    def report(self) -> None:
        """Write how many lines were dropped since the last report, if any."""
        lost = self._sender.dropped - self._reported
        if lost:
            self._reported += lost
            text = f"{lost} log lines were dropped: they came faster than they could be written"
            super().handle(logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None))

    def enqueue_sentinel(self) -> None:
        self.queue.put(self._sentinel)  # type: ignore[attr-defined]  # a full queue is emptied by the thread: wait for it


class _File(logging.handlers.RotatingFileHandler):
    """One log file. A full disk is said once, on stderr, and again only after writing worked."""

    failing = False

    def emit(self, record: logging.LogRecord) -> None:
        before, self._failed = self.failing, False
        super().emit(record)
        self.failing = self._failed
        if self.failing and not before and sys.stderr is not None:
            print(f"alonechat: the log file {self.baseFilename} can't be written: {self._why}", file=sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:
        self._failed, self._why = True, sys.exc_info()[1]

    def close(self) -> None:
        try:
            super().close()
        except OSError:  # what was not written is lost, and was said; the file is closed all the same
            self.handleError(logging.makeLogRecord({}))

    def doRollover(self) -> None:
        if self.backupCount == 0 and self.stream is not None:  # keep none: begin the file anew
            self.stream.seek(0)
            self.stream.truncate()
        else:
            super().doRollover()


class LoggingManager:
    """Where log lines go while it is started: the console, `<log_dir>/<profile>/alonechat.log`, errors beside it."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._waiting = waiting
        self._sender: _Sender | None = None
        self._writer: _Writer | None = None
        self._handlers: list[logging.Handler] = []
        self.level = logging.INFO

    @property
    def dropped(self) -> int:
        """Lines that were lost since the start because writing was too slow."""
        return 0 if self._sender is None else self._sender.dropped

    def start(self, settings: Settings) -> None:
        """Open the files and take over the lines of every logger. Raises `StartError` where they can't be written."""
        if self._writer is not None:
            raise StartError("logging is started already: stop it before it is started again")
        self.level = logging.DEBUG if settings.verbose else getattr(logging, settings.log_level.upper())
        self._handlers = [*_files(settings), *_console(settings)]
        self._sender = _Sender(queue.Queue(self._waiting))
        self._writer = _Writer(self._sender, *self._handlers)
        self._writer.start()
        _running.append(self)
        logging.getLogger().addHandler(self._sender)
        _levels()

    def stop(self) -> None:
        """Write what waits, close the files, give the loggers back. Does nothing when it is not started."""
        if self._writer is None or self._sender is None:
            return
        _running.remove(self)
        logging.getLogger().removeHandler(self._sender)
        _levels()
        self._writer.stop()
        self._writer.report()
        for handler in self._handlers:
            handler.close()
        self._writer = None


_running: list[LoggingManager] = []
_before: dict[str, int] = {}
"""The levels that loggers had before the first manager was started; the root's under the empty name."""


def _levels() -> None:
    """Let through what any started manager wants; give every logger its own level back after the last one."""
    if not _running:
        for name, level in _before.items():
            logging.getLogger(name).setLevel(level)
        _before.clear()
        return
    wanted = min(manager.level for manager in _running)
    for name in ("", *_QUIET):
        logger = logging.getLogger(name)
        _before.setdefault(name, logger.level)
        logger.setLevel(max(wanted, _QUIET.get(name, 0)))
        if name:  # uvicorn brings handlers of its own, which print to stdout
            logger.handlers.clear()
            logger.propagate = True


_automatic: LoggingManager | None = None


def auto_configure(settings: Settings | None = None) -> LoggingManager:
    """Start logging for this process, once, until it exits. Without `settings` they come from environment and file."""
    global _automatic
    if _automatic is None or _automatic not in _running:
        manager = LoggingManager()
        manager.start(load({}, os.environ, Path.cwd()) if settings is None else settings)
        atexit.register(manager.stop)
        _automatic = manager
    return _automatic


def _files(settings: Settings) -> list[logging.Handler]:
    directory = settings.log_dir / _DIRECTORIES[settings.env]
    made: list[logging.Handler] = []
    for name, level in (("alonechat.log", logging.DEBUG), ("alonechat_errors.log", logging.ERROR)):
        path = directory / name
        try:
            directory.mkdir(parents=True, exist_ok=True)
            file = _File(path, "a", settings.log_max_bytes, settings.log_keep, "utf-8", errors="backslashreplace")
        except OSError as error:
            for each in made:
                each.close()
            why = error.strerror or error
            raise StartError(
                f"the log file {path} can't be written: {why}; --log-dir names another directory"
            ) from None
        file.setLevel(level)
        file.setFormatter(_formatter(_json()))
        made.append(file)
    return made


def _console(settings: Settings) -> list[logging.Handler]:
    if sys.stderr is None:  # a windowed program on Windows has no console
        return []
    handler = logging.StreamHandler(sys.stderr)
    if settings.env == "production":
        handler.setFormatter(_formatter(_json()))
    else:
        handler.setLevel(logging.DEBUG if settings.verbose else logging.INFO)
        handler.setFormatter(_formatter(_printable, _lines()))
    return [handler]


def _json() -> Any:
    return _structlog().processors.JSONRenderer(ensure_ascii=False)


def _lines() -> Any:
    able = sys.platform != "win32" or importlib.util.find_spec("colorama") is not None
    colours = able and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return _structlog().dev.ConsoleRenderer(colors=colours, sort_keys=False, pad_event_to=0)


def _printable(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No value moves the cursor or begins a line that is not its own; a traceback keeps its lines."""
    for key, value in event.items():
        if isinstance(value, str):
            safe = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
            event[key] = safe if key in ("exception", "stack") else safe.replace("\n", "\\n")
    return event


def _describe(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """When, how bad and who said it, before what was said."""
    record = event.pop("_record")
    event.pop("_from_structlog", None)
    ms = int(record.created * 1000)
    when = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ms // 1000))}.{ms % 1000:03d}Z"
    return {
        "timestamp": when,
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": event.pop("event", ""),
        **event,
    }


def _formatter(*last: Any) -> logging.Formatter:
    structlog = _structlog()
    made: logging.Formatter = structlog.stdlib.ProcessorFormatter(
        processors=[_describe, *last],
        foreign_pre_chain=[structlog.processors.format_exc_info, hide_secrets],
    )
    return made

"""One frozen `Settings`, and where each value comes from: flags, environment, file, defaults of the profile."""

# ruff: noqa: RUF009 - _row is dataclasses.field with a row in its metadata
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from alonechat.config.kinds import Row, parse
from alonechat.config.secret import SECRET_BYTES, make_secret, new_secret, read_secret
from alonechat.errors import ConfigError, StartError

__all__ = ["FILE", "PREFIX", "PROFILES", "ROWS", "VARIABLES", "Row", "Settings", "load", "new_secret", "row", "shown"]

PREFIX = "ALONECHAT_"
FILE = "alonechat.toml"
PROFILES = ("development", "production", "testing")

VARIABLES: dict[str, str] = {
    "ALONECHAT_CACHE": "where the one file unpacks itself, instead of the user's cache directory",
    "ALONECHAT_CONFIG": "the settings file to read instead of alonechat.toml",
    "ALONECHAT_PASSWORD": "the password, instead of asking for it on the terminal",
    "ALONECHAT_OTP": "the one-time code, instead of asking for it on the terminal",
    "ALONECHAT_ALL": "token: one for every account",
    "ALONECHAT_API_HOST": "login: the server to sign in to",
    "ALONECHAT_AS": "what talks: another account than the current one",
    "ALONECHAT_COMMAND": "send: a leading / is a command",
    "ALONECHAT_DAYS": "token, invite new: how many days it holds",
    "ALONECHAT_DISPLAY_NAME": "user add: what others see",
    "ALONECHAT_ENCODING": "user import: the encoding of the file",
    "ALONECHAT_FILE": "send: a file that the message bears",
    "ALONECHAT_FOLLOW": "tail: whether to wait for what comes",
    "ALONECHAT_INVITE": "login: the invite to register with",
    "ALONECHAT_JSON": "print JSON",
    "ALONECHAT_LINES": "tail: how many past messages come first",
    "ALONECHAT_LOCAL": "logout: only forget the sign-in here",
    "ALONECHAT_NO_PASSWORD": "user add: an account that signs in by token",
    "ALONECHAT_OUTPUT": "fetch: where the file is written",
    "ALONECHAT_REGISTER": "login: make the account first",
    "ALONECHAT_ROLE": "user add, invite new: the role of the account",
    "ALONECHAT_SECONDS": "bench: the length of each measurement",
    "ALONECHAT_SKIP_EXISTING": "user import: leave out who is there",
    "ALONECHAT_TIMEOUT": "send: seconds to wait for the receipt",
    "ALONECHAT_TLS": "login: the server speaks TLS",
    "ALONECHAT_LANG": "client: the language, instead of the system's",
    "ALONECHAT_SERVER": "client: sign in at this server",
    "ALONECHAT_UI": "client: which face",
    "ALONECHAT_USES": "invite new: how many may register with it",
}
"""The variables that are no settings: options of single commands. Any other `ALONECHAT_…` is refused as unknown."""


_UNSET: Any = object()
"""Stands for a default that depends on the profile or on another setting, until the settings are complete."""


def _row(kind: str, default: Any, help: str, **more: Any) -> Any:
    """A field of `Settings` that carries its `Row`; the row learns its name from the field."""
    derived = more.get("profiles") is not None or default is _UNSET
    given = {"kind": kind, "default": default, "help": help, **more}
    return field(default=_UNSET if derived else default, repr=not more.get("secret"), metadata={"row": given})


@dataclass(frozen=True)
class Settings:
    """Every setting, checked. Fields that are left out get the default of the profile `env`.

    `origins` says for each name where its value came from: `flag --port`, a variable, `<file>`, `default`.
    Raises `ConfigError` where two settings contradict each other.
    """

    env: str = _row("choice", "development", "the profile whose defaults hold", choices=PROFILES)
    host: str = _row("text", "0.0.0.0", "the address to listen on", least=1, most=255)
    port: int = _row("integer", 8765, "the WebSocket port; 0 takes a free one", least=0, most=65535)
    api_port: int = _row("integer", 8766, "the REST port; 0 takes a free one", least=0, most=65535)
    data_dir: Path = _row("path", Path("./data"), "where database, secret and files are kept")
    database_url: str = _row("text", _UNSET, "the URL of the database", least=1)
    log_dir: Path = _row("path", Path("./logs"), "where log files are kept")
    log_level: str = _row(
        "choice",
        "info",
        "the least important lines that are logged",
        choices=("debug", "info", "warning", "error"),
        profiles={"development": "debug"},
    )
    verbose: bool = _row("switch", False, "log everything, to the console too")
    log_max_bytes: int = _row("size", 10 << 20, "bytes of a log file before the next one is begun", least=1024)
    log_keep: int = _row("integer", 5, "full log files that are kept", least=0, most=1000)
    tls_cert: Path | None = _row("path", None, "the certificate chain (PEM); both ports then speak TLS")
    tls_key: Path | None = _row("path", None, "the private key (PEM) of the certificate")
    plugins: bool = _row("switch", True, "whether plugins are loaded")
    name: str = _row("text", "AloneChat", "what the server calls itself", least=1, most=64)
    registration: str = _row(
        "choice",
        "open",
        "who may register",
        choices=("open", "invite", "closed"),
        profiles={"production": "invite"},
    )
    room_creation: str = _row("choice", "everyone", "who may make a room", choices=("everyone", "moderators"))
    rate_messages: float = _row("number", 10.0, "frames per account and second; 0 is off", least=0)
    rate_burst: int = _row("integer", 30, "frames at once before the rate counts", least=1)
    rate_logins: int = _row("integer", 10, "failed sign-ins a minute per account and address; 0 is off", least=0)
    rate_logins_address: int = _row("integer", 60, "failed sign-ins a minute per address; 0 is off", least=0)
    max_connections: int = _row("integer", 50, "connections per account; 0 is off", least=0)
    max_connections_address: int = _row("integer", 200, "connections per address, loopback excepted; 0 is off", least=0)
    max_content: int = _row("integer", 4000, "characters of a message", least=1, most=100_000)
    max_frame: int = _row("size", 65536, "bytes of a client's frame", least=1024, most=1 << 19)
    max_file: int = _row("size", 25 << 20, "bytes of an uploaded file; 0 takes none", least=0, most=1 << 40)
    max_all_files: int = _row("size", 0, "bytes of all uploaded files together; 0 is off", least=0, most=1 << 50)
    outbox: int = _row("size", 4 << 20, "bytes that wait for a slow reader before it is closed (4413)", least=4096)
    heartbeat: float = _row("number", 30.0, "seconds between pings; two missed ones end a connection", least=0.05)
    token_days: int = _row("integer", 30, "days that a sign-in holds", least=1, most=3650)
    scrypt_n: int = _row(
        "integer",
        16384,
        "cost of a password hash, a power of two",
        least=2,
        most=1 << 20,
        profiles={"testing": 1024},
    )
    trusted_proxy: tuple[IPv4Network | IPv6Network, ...] = _row(
        "networks", (), "the proxies whose X-Forwarded-For counts"
    )
    jwt_secret: str | None = _row(
        "text", None, "what signs tokens; made in the data directory unless told", secret=True, variable="JWT_SECRET"
    )
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for row in ROWS:
            if getattr(self, row.name) is _UNSET:
                object.__setattr__(self, row.name, self._derived(row))
        if (self.tls_cert is None) != (self.tls_key is None):
            has, lacks = ("tls_cert", "tls_key") if self.tls_cert else ("tls_key", "tls_cert")
            raise ConfigError(f"{has} is set without {lacks}: TLS needs both, or neither")
        if self.scrypt_n & (self.scrypt_n - 1):
            raise ConfigError(f"scrypt_n must be a power of two such as 16384, not {self.scrypt_n}")
        size = len((self.jwt_secret or "").encode())
        if self.env == "production" and self.jwt_secret and size < SECRET_BYTES:
            raise ConfigError(
                f"JWT_SECRET has {size} bytes; production needs {SECRET_BYTES} or more: alonechat secret new"
            )

    def _derived(self, row: Row) -> Any:
        if row.name == "database_url":
            return f"sqlite:///{(self.data_dir / 'alonechat.db').as_posix()}"
        return row.default_in(self.env)

    def secret(self) -> bytes:
        """The key that signs tokens: `JWT_SECRET`, or what the file `jwt.secret` in the data directory holds, which is
        made when there is none; two starts at once get the same. Raises `StartError` where that fails."""
        if self.jwt_secret:
            return self.jwt_secret.encode()
        path = self.data_dir / "jwt.secret"
        try:
            kept = read_secret(path) or make_secret(path)
        except OSError as error:
            raise StartError(f"the JWT secret {path} can't be read or written: {error.strerror or error}") from None
        if len(kept) < SECRET_BYTES:
            raise StartError(
                f"{path} has {len(kept)} bytes, {SECRET_BYTES} or more are needed: put a backup of it back,"
                " or delete it (every sign-in ends, and a new one is made)"
            )
        return kept


ROWS: tuple[Row, ...] = tuple(
    Row(**{"name": f.name, "variable": PREFIX + f.name.upper(), **f.metadata["row"]})
    for f in fields(Settings)
    if "row" in f.metadata
)
"""Every setting, in the order in which they are shown."""
_BY_NAME = {row.name: row for row in ROWS}
_BY_VARIABLE = {row.variable: row for row in ROWS}


def row(name: str) -> Row:
    """The row of the setting `name`; KeyError when there is none."""
    return _BY_NAME[name]


def load(flags: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> Settings:
    """Settings out of `flags` (by field name, and `config`; None is not given) over `environ` over the file over the
    defaults.

    Relative paths in flags and variables start at `cwd`, those in a file at the file's directory. Raises `ConfigError`
    that names the file, variable or flag, the key, and what was expected.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}

    def take(found: Mapping[str, Any], origin: Mapping[str, str]) -> None:
        for name, value in found.items():
            if name not in values:
                values[name], origins[name] = value, origin[name]

    take(*_from_flags(flags, cwd))
    take(*_from_environ(environ, cwd))
    data_dir = values.get("data_dir", cwd / _BY_NAME["data_dir"].default)
    named = flags.get("config") or environ.get(PREFIX + "CONFIG") or None
    path = _file(None if named is None else cwd / str(named), data_dir, cwd)
    if path is not None:
        take(*_from_file(path))
        if named is None and path.parent == data_dir and values.get("data_dir", data_dir) != data_dir:
            raise ConfigError(f"{path}: data_dir can't be set by the file that lies in the data directory")
    for each in ROWS:
        origins.setdefault(each.name, "default")
    for name in ("data_dir", "log_dir"):
        values.setdefault(name, cwd / _BY_NAME[name].default)
    return Settings(**values, origins=origins)


def _from_flags(flags: Mapping[str, object], cwd: Path) -> tuple[dict[str, Any], dict[str, str]]:
    found, origins = {}, {}
    for name, value in flags.items():
        if value is None or name == "config":
            continue
        if name not in _BY_NAME:
            raise ConfigError(f"there is no setting {name!r}{_closest(name, _BY_NAME)}")
        each = _BY_NAME[name]
        found[name] = parse(each, value, each.flag, cwd, textual=True)
        origins[name] = f"flag {each.flag}" if value is not False else f"flag --no-{each.flag[2:]}"
    return found, origins


def _from_environ(environ: Mapping[str, str], cwd: Path) -> tuple[dict[str, Any], dict[str, str]]:
    found, origins = {}, {}
    for variable, text in environ.items():
        each = _BY_VARIABLE.get(variable)
        if each is None:
            if variable.startswith(PREFIX) and variable not in VARIABLES:
                known = {name.removeprefix(PREFIX): name for name in (*_BY_VARIABLE, *VARIABLES)}
                meant = _closest(variable.removeprefix(PREFIX), known)
                raise ConfigError(f"the environment variable {variable} is unknown{meant}")
        elif text:  # an empty variable is how a shell or a compose file leaves one out
            found[each.name] = parse(each, text, variable, cwd, textual=True)
            origins[each.name] = variable
    return found, origins


def _file(named: Path | None, data_dir: Path, cwd: Path) -> Path | None:
    if named is not None:
        return named
    return next((found for found in (data_dir / FILE, cwd / FILE) if found.is_file()), None)


def _from_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"the settings file {path} can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the settings file {path} must be UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the settings file {path} is not TOML: {error}") from None
    found = {}
    for key, value in table.items():
        if key not in _BY_NAME:
            raise ConfigError(f"{path}: the key {key!r} is unknown{_closest(key, _BY_NAME)}")
        found[key] = parse(_BY_NAME[key], value, f"{path}: {key}", path.parent, textual=False)
    return found, dict.fromkeys(found, str(path))


def _closest(name: str, known: Mapping[str, Any]) -> str:
    """The end of an error about an unknown `name`: what was meant. `known` may map a name to how it is spelled."""
    import difflib

    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    if not near:
        return ": alonechat config shows all there are"
    spelled = known[near[0]]
    return f"; did you mean {spelled if isinstance(spelled, str) else near[0]}?"


def shown(settings: Settings, row: Row) -> str:
    """The value of `row` as a person may see it: secrets and a database's password masked, nothing as an empty text."""
    value = getattr(settings, row.name)
    if value is None:
        return ""
    if row.secret:
        return "***"
    if row.name == "database_url":
        hidden = re.sub(r"(://[^:/@]*:)[^/]*@", r"\1***@", value)
        return re.sub(r"([?&]\w*password=)[^&]*", r"\1***", hidden)
    if row.kind == "switch":
        return "true" if value else "false"
    if row.kind == "networks":
        return ", ".join(str(each) for each in value)
    return f"{value:g}" if row.kind == "number" else str(value)

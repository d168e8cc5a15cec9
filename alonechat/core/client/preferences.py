"""How a person likes the client: kept beside the accounts, read by every face."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from alonechat.core.client import whole
from alonechat.core.client.files import ROOM
from alonechat.core.client.words import LANGUAGES
from alonechat.errors import AloneChatError, ConfigError

FILE = "preferences.json"
THEMES = ("system", "light", "dark")
SIZES = (10, 24)
"""The smallest and the largest font size."""
WIDTHS = (200, 420)
"""The same of the sidebar."""
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class Preferences:
    """`theme`: system, light or dark; `accent`: a colour as `#RRGGBB`, empty for the theme's own; `language`: en, zh,
    or empty for the system's; `notify`: mentions and direct messages, `all` or `none`; `enter_sends`: else Ctrl-Enter
    does. `files_mib`: how much the files that were fetched may take, in MiB. `windows`: a face's sizes and positions;
    `last`: the conversation that was open, by account."""

    theme: str = "system"
    accent: str = ""
    font_size: int = 14
    language: str = ""
    notify: str = "mentions"
    sound: bool = True
    enter_sends: bool = True
    members_shown: bool = True
    sidebar_width: int = 264
    files_mib: int = ROOM >> 20
    windows: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> Preferences:
    """The preferences in a file; the defaults where it is not there. Raises ConfigError when it is something else."""
    try:
        found = json.loads(whole.read(path))
    except FileNotFoundError:
        return Preferences()
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't read the preferences in {path}: {error}; mend it or move it away") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{path} is not a file of preferences; move it away")
    default = Preferences()
    known = {f.name: getattr(default, f.name) for f in fields(Preferences)}
    # What another version wrote is left alone; what has another type counts as not set.
    kept: dict[str, Any] = {
        name: value for name, value in found.items() if name in known and type(value) is type(known[name])
    }
    return checked(replace(default, **kept))


def checked(found: Preferences) -> Preferences:
    """The same with what lies outside its range brought back into it."""
    size = min(max(found.font_size, SIZES[0]), SIZES[1])
    width = min(max(found.sidebar_width, WIDTHS[0]), WIDTHS[1])
    notify = found.notify if found.notify in ("mentions", "all", "none") else "mentions"
    theme = found.theme if found.theme in THEMES else "system"
    return replace(
        found,
        font_size=size,
        sidebar_width=width,
        notify=notify,
        theme=theme,
        files_mib=max(0, found.files_mib),
        accent=found.accent if COLOUR.fullmatch(found.accent) else "",
        language=found.language if found.language in LANGUAGES else "",
        windows=_texts(found.windows),
        last=_texts(found.last),
    )


def _texts(found: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if isinstance(value, str)}


def save(path: Path, found: Preferences) -> None:
    """Keep preferences; the file is replaced whole. Raises AloneChatError where it can't be written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        whole.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise AloneChatError(f"can't keep the preferences in {path}: {error.strerror}") from None

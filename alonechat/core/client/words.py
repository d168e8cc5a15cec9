"""The texts that a person sees, in their language: gettext, English and Simplified Chinese."""

from __future__ import annotations

import gettext
import locale
import os
import re
from pathlib import Path

from alonechat.errors import ConfigError

CATALOGUES = Path(__file__).resolve().parents[2] / "locale"
DOMAIN = "alonechat"
LANGUAGES = {"en": "English", "zh": "简体中文"}
"""What `--lang` takes, and how each language calls itself."""
_FOLDERS = {"zh": "zh_CN"}
NAMED = {"c": "en", "posix": "en", "english": "en", "chinese": "zh"}
"""What else a locale may be called; Windows writes `Chinese (Simplified)_China`."""

_chosen: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def _(text: str) -> str:
    """A text in the language that was chosen."""
    return _chosen.gettext(text) if text else ""  # gettext gives the catalogue's header for an empty text


def _t(text: str) -> str:
    """Marks a text for translation where a table is made; `_` translates it when it is shown."""
    return text


def n_(one: str, many: str, n: int) -> str:
    """A text that depends on a number, with `{n}` filled in."""
    return _chosen.ngettext(one, many, n).format(n=n)


def language() -> str:
    """The language that was chosen: a key of LANGUAGES."""
    return _language


def choose(lang: str | None = None) -> str:
    """Choose the language: `en`, `zh` (or a locale's name such as `zh_CN.UTF-8`), or None for the system's. Gives the
    language. Raises ConfigError for a language that there is none of."""
    global _chosen, _language
    found = _known(lang) if lang else next(filter(None, map(_known, _wanted())), "en")
    if found is None:
        raise ConfigError(f"--lang takes {', '.join(LANGUAGES)}, not {lang!r}")
    folder = _FOLDERS.get(found, found)
    _chosen = gettext.translation(DOMAIN, CATALOGUES, [folder], fallback=found == "en")
    _language = found
    return found


def _known(name: str) -> str | None:
    """The language that a locale's name means, if there are texts in it."""
    short = re.split(r"[-_. (@]", name.lower())[0]
    return NAMED.get(short, short if short in LANGUAGES else None)


def _wanted() -> list[str]:
    """The languages that the system asks for, as gettext has it: the locale's own C or POSIX leaves LANGUAGE aside."""
    named = (os.environ.get(key, "") for key in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next(filter(None, named), "") or (locale.getlocale()[0] or "")  # Windows has no such variables
    listed = [] if name.split(".")[0] in ("C", "POSIX") else os.environ.get("LANGUAGE", "").split(":")
    return [each for each in (*listed, name) if each]

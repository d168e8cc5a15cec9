"""Notifications by what the desktop has, the decision whether one is due, and what a click on one does."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alonechat.core.client.files import said
from alonechat.core.client.model import Arrived, Model
from alonechat.core.client.preferences import Preferences
from alonechat.core.client.present import printable
from alonechat.core.client.words import _
from alonechat.ui.gui.system import HIDDEN, NAME

SECONDS = 5
MOST = 6
"""Notifications whose click is waited for, each by a process of its own."""
CLICKED = "default"
"""The name that the desktops have for a click on the notification itself."""
SCRIPT = Path(__file__).with_name("osascript.txt")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notification says, and the conversation that it leads to."""

    target: str
    title: str
    text: str


def due(change: Arrived, model: Model, preferences: Preferences, in_front: bool) -> Notice | None:
    """Whether an arrival is told: a new text of somebody else, live, while the window is not in front; by the
    preference all of them, or mentions and direct ones; never in a muted conversation, but for a mention."""
    event, summary = change.event, model.conversations.get(change.target)
    if in_front or not change.live or event["type"] != "TEXT" or event["sender"] == model.me:
        return None
    named = event.get("mentions") or ()
    mention = model.me in named or "*" in named
    direct = not change.target.startswith("#")
    wanted = {"all": True, "mentions": mention or direct, "none": False}[preferences.notify]
    if not wanted or (summary is not None and summary.muted and not mention):
        return None
    name = model.shown(event["sender"])
    title = name if direct else _("{name} in {room}").format(name=name, room=change.target)
    return Notice(change.target, printable(title), printable(said(event, 160)))


@lru_cache(8)
def answers(program: str) -> bool:
    """Whether this notify-send tells of a click: libnotify's does since 0.7.10, others may not."""
    with suppress(OSError, subprocess.TimeoutExpired):
        asked = [program, "--help"]
        return "--action" in subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    return False


def command(title: str, text: str, clickable: bool = False) -> list[str] | None:
    """What shows a notification on this system; None where there is nothing. `clickable`: it then runs until the
    notification is gone, and prints CLICKED when it was clicked, where it can."""
    if sys.platform == "darwin":
        script = [part for line in SCRIPT.read_text("utf-8").splitlines() for part in ("-e", line)]
        return ["osascript", *script, text, title]  # as arguments, so that nothing in them is code
    if sys.platform == "win32":
        return ["powershell", "-NoProfile", "-NonInteractive", "-EncodedCommand", _toast(title, text)]
    if found := shutil.which("notify-send"):
        action = [f"--action={CLICKED}={_('Open')}"] if clickable and answers(found) else []
        return [found, "--app-name=AloneChat", *action, "--", title, text]
    return None


def _toast(title: str, text: str) -> str:
    """A Windows toast as PowerShell takes it; the texts travel in base 64, so that nothing in them is code."""
    parts = [base64.b64encode(part.encode()).decode() for part in (title, text)]
    script = (
        "$t=[Windows.UI.Notifications.ToastNotificationManager,Windows.UI.Notifications,ContentType=WindowsRuntime]"
        "::GetTemplateContent(5);$n=$t.GetElementsByTagName('text');"
        f"$d={{param($x)[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($x))}};"
        f"[void]$n.Item(0).AppendChild($t.CreateTextNode((& $d '{parts[0]}')));"
        f"[void]$n.Item(1).AppendChild($t.CreateTextNode((& $d '{parts[1]}')));"
        f"[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('{NAME}')"
        ".Show([Windows.UI.Notifications.ToastNotification]::new($t))"
    )
    return base64.b64encode(script.encode("utf-16-le")).decode()


def send(title: str, text: str, then: Callable[[str], None] | None = None) -> None:
    """Show a notification from a thread of its own. `then` is called there with what happened, for a person."""

    def run() -> None:
        said = _shown(title, text)
        if then is not None:
            then(said)

    threading.Thread(target=run, name="alonechat-notify", daemon=True).start()


def _shown(title: str, text: str) -> str:
    found = command(title, text)
    if found is None:
        return _("This system has no notify-send; install libnotify-bin. The bell rings instead.")
    try:
        done = subprocess.run(found, capture_output=True, text=True, timeout=SECONDS, check=False, creationflags=HIDDEN)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _("{program} failed: {reason}").format(program=found[0], reason=error)
    if done.returncode:
        reason = (done.stderr.strip() or str(done.returncode)).splitlines()[-1]
        return _("{program} failed: {reason}").format(program=found[0], reason=reason)
    return _("Shown by {program}.").format(program=found[0])


class Notifier:
    """Tells of arrivals. `post` has a call made in the face's thread, which is where `clicked` is called."""

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._waiting: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()
        self._closed = False

    def tell(self, notice: Notice, clicked: Callable[[], None]) -> None:
        """Show a notification; a click on it is told where the desktop tells of clicks."""
        call = (notice, clicked)
        threading.Thread(target=self._run, args=call, name="alonechat-notify", daemon=True).start()

    def _run(self, notice: Notice, clicked: Callable[[], None]) -> None:
        found = command(notice.title, notice.text, clickable=True)
        if found is None:
            return
        with suppress(OSError):  # nothing to show it with: the window's title has the number
            process = subprocess.Popen(
                found,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                creationflags=HIDDEN,
            )
            if self._keep(process):
                said, _none = process.communicate()
                self._let_go(process)
                if said.strip() == CLICKED:
                    self._post(clicked)

    def _keep(self, process: subprocess.Popen[str]) -> bool:
        """Whether its click is waited for; the oldest is not any more when there are many."""
        with self._lock:
            self._waiting.append(process)
            old = [self._waiting.pop(0)] if len(self._waiting) > MOST else []
            if self._closed:
                old, self._waiting = [*old, *self._waiting], []
        for each in old:
            each.terminate()
        return process not in old

    def _let_go(self, process: subprocess.Popen[str]) -> None:
        with self._lock, suppress(ValueError):
            self._waiting.remove(process)

    def close(self) -> None:
        """Wait for no click any more."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.terminate()
            each.wait(SECONDS)

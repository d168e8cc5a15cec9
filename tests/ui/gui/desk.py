"""The real window under Xvfb, driven by Tk's events, and what it takes to start one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alonechat.core.client.accounts import Account, Accounts
from alonechat.core.client.opening import Opening
from alonechat.core.client.rows import Row
from tests.journeys.people import People

SECONDS = 15.0
SCREEN = "1700x1100x24"


class Screen:
    """An X server of its own, for the whole run."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.name = ""

    def start(self, needs_program: Callable[[str], str]) -> str:
        """The display's name; the server is started when it is first asked for."""
        if self._process is None:
            path = needs_program("Xvfb")
            read, write = os.pipe()
            command = [path, "-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"]
            self._process = subprocess.Popen(
                command,
                pass_fds=[write],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            os.close(write)
            with os.fdopen(read) as said:
                self.name = f":{said.readline().strip()}"
        return self.name

    def end(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Desk:
    """One person's desktop client in this process. `until` lets Tk work until something is so."""

    def __init__(self, place: Path, account: Account | None = None, server: str = "") -> None:
        from alonechat.ui.gui.app import App

        place.mkdir(parents=True, exist_ok=True)
        accounts = Accounts(place / "accounts.json")
        if account is not None:
            accounts.save(account)
        self.place = place
        self.app = App(Opening(accounts, account, place / "data", place / "preferences.json", server))
        self.app.root.report_callback_exception = self._failed
        self.faults: list[BaseException] = []
        self.closed = False
        self.app.root.update()

    def _failed(self, _kind: Any, error: BaseException, _trace: Any) -> None:
        self.faults.append(error)

    @property
    def window(self) -> Any:
        """The main window."""
        assert self.app.window is not None, "nobody is signed in"
        return self.app.window

    def step(self) -> None:
        """Let Tk do what there is to do."""
        self.app.root.update()
        if self.faults:
            raise self.faults[0]

    def until(self, so: Callable[[], Any], what: str = "", *others: Desk) -> Any:
        """Let Tk work until `so()` is true; what it gave."""
        deadline = time.monotonic() + SECONDS
        while not (found := so()):
            rows = self.texts()[-8:] if self.app.window else []
            error = self.app.sheet.error.cget("text") if hasattr(self.app.sheet, "error") else ""
            assert time.monotonic() < deadline, f"never came: {what or so}; rows: {rows}; the sheet says: {error!r}"
            for desk in (self, *others):
                desk.step()
            time.sleep(0.005)
        return found

    # --- looking ---

    @property
    def rows(self) -> list[Row]:
        """The rows of the conversation that is open."""
        return list(self.window.timeline.rows)

    def model_of(self, target: str) -> Any:
        """What is known of a conversation."""
        return self.window.model.conversations[target]

    def texts(self) -> list[str]:
        """What the rows say."""
        return [row.text for row in self.rows]

    def row(self, text: str) -> Row:
        """The message that says this, waited for."""
        return self.until(lambda: next((row for row in self.rows if row.text == text), None), text)  # type: ignore[no-any-return]

    def drawn(self) -> str:
        """All the text that the canvas of the messages shows."""
        canvas = self.window.timeline.canvas
        items = [item for item in canvas.find_all() if canvas.type(item) == "text"]
        return "\n".join(canvas.itemcget(item, "text") for item in items)

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        """The colour that the screen shows at a point of the messages' canvas."""
        from PIL import ImageGrab

        canvas = self.window.timeline.canvas
        left, top = canvas.winfo_rootx() + x, canvas.winfo_rooty() + y
        grabbed = ImageGrab.grab((left, top, left + 1, top + 1), xdisplay=os.environ.get("DISPLAY"))
        return grabbed.getpixel((0, 0))[:3]  # type: ignore[index,return-value]

    # --- acting ---

    def open(self, target: str) -> None:
        """Look at a conversation, and wait until its messages are here."""
        self.until(lambda: target in self.window.model.conversations or not target.startswith("#"), target)
        self.window.open(target)
        self.until(lambda: target in self.window.model.windows, f"the window of {target}")

    def write(self, text: str) -> None:
        """Write in the composer, and press Enter."""
        field = self.window.composer.text
        field.focus_force()
        self.step()
        field.insert("insert", text)
        self.step()
        self.press("Return", field)

    def typed(self, text: str) -> Any:
        """Write where the focus is; the field. An entry's placeholder is taken away first, as keys would have it:
        the event that the focus came, which takes it away else, may arrive behind what is inserted."""
        import customtkinter

        self.step()
        field = self.app.root.focus_get()
        assert field is not None, "nothing has the focus"
        outer = field.master
        (outer if isinstance(outer, customtkinter.CTkEntry) else field).insert("end", text)
        return field

    def press(self, key: str, widget: Any = None, state: int = 0) -> None:
        """A key, where the focus is."""
        target = widget or self.app.root.focus_get() or self.app.root
        target.focus_force()
        self.step()
        held = self.app.root.tk.call  # a key goes to whoever has the focus, or nowhere; an entry's is within it
        self.until(lambda: str(held("focus")).startswith(str(target)), f"the focus of {target}")
        target.event_generate("<KeyPress>", keysym=key, state=state)
        if target.winfo_exists():  # the key may have closed what it was pressed in
            target.event_generate("<KeyRelease>", keysym=key, state=state)
        self.step()

    def click(self, row: Row, act: str, value: str | None = None) -> None:
        """Click on the middle of an area of a row."""
        timeline = self.window.timeline
        timeline.to(row.key, flash=False)
        self.step()
        place = next(each for each in timeline.placed if each.row.key == row.key)
        area = next(a for a in place.laid.areas if a.act == act and value in (None, a.value))
        x = timeline.left + (area.x0 + area.x1) // 2
        y = place.y + (area.y0 + area.y1) // 2 - timeline.offset
        for event in ("<Motion>", "<ButtonPress-1>", "<ButtonRelease-1>"):
            timeline.canvas.event_generate(event, x=x, y=y, rootx=x, rooty=y)
            self.step()

    def close(self) -> None:
        """Close the window."""
        if not self.closed:
            self.closed = True
            tk = self.app.root.tk
            self.app.quit()
            for name in tk.splitlist(tk.call("info", "commands")):
                if name[:1].isdigit():  # one of Python's: what watches a variable outlives the window, and holds it
                    tk.deletecommand(name)


def account(people: People, name: str, **more: Any) -> Account:
    """An account that is signed in."""
    people.register(name, **more)
    found = people.http.post("/login", json={"username": name, "password": "correct horse"}).json()
    url = people.server.rest_url
    id = people.http.get("/server").json()["id"]
    return Account(url, name, found["token"], found["ws_url"], found["expires_at"], id)

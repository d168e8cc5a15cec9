"""`python -m tools.bench.gui`: the desktop client of the built file, as long as somebody waits for it.

A room of 100,000 messages and one of 50 pictures in the cache, a display of Xvfb's. Prints how long the window takes
to come up, a conversation to open and a frame to be drawn while one scrolls, the memory of the process, also after all
the pictures were looked at, and what it does while nothing happens.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "alonechat.pyz"
MANY = 100_000
FRAMES = 600
PICTURES = 50
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@contextmanager
def display() -> Iterator[str]:
    """A display of our own."""
    path = shutil.which("Xvfb")
    if path is None:
        raise SystemExit("Xvfb is missing; on Debian: sudo apt-get install xvfb xdotool")
    read, write = os.pipe()
    command = [path, "-displayfd", str(write), "-screen", "0", "1700x1100x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as said:
        name = f":{said.readline().strip()}"
    try:
        yield name
    finally:
        server.terminate()
        server.wait(10)


def prepare(place: Path) -> Any:
    """An account, and a cache of many messages; the account's server is one that does not answer: what is measured
    here is the client. Gives the account."""
    from alonechat.core.client.accounts import Account, Accounts
    from alonechat.core.client.cache import Cache, path_of
    from alonechat.core.client.preferences import Preferences, save
    from alonechat.core.client.state import Conversation

    account = Account("http://127.0.0.1:1", "ana", "x.e30.x", "ws://127.0.0.1:1", "2099-01-01T00:00:00Z", "bench")
    Accounts(place / "config" / "alonechat" / "accounts.json").save(account)
    key = f"{account.username}@{account.url}"
    save(place / "config" / "alonechat" / "preferences.json", Preferences(theme="light", last={key: "#big"}))
    from platformdirs import user_data_path

    home = Path(os.environ["XDG_DATA_HOME"]) / "alonechat" if sys.platform == "linux" else user_data_path("alonechat")
    cache = Cache(path_of(home, account.server, account.username))
    cache.put("server", {"id": "bench", "name": "AloneChat", "version": "0", "epoch": "e"})
    cache.put("user", {"username": "ana", "display_name": "Ana", "role": "member"})
    cache.begin("#big", 0)
    cache.describe([replace_last(Conversation("#big", "room", MANY), MANY)])
    fill(cache)
    cache.begin("#pictures", 0)
    cache.describe([replace_last(Conversation("#pictures", "room", PICTURES), PICTURES)])
    fill_pictures(cache, home, account)
    cache.close()
    return account, home


def replace_last(found: Any, seq: int) -> Any:
    """A conversation that is known up to `seq`."""
    found.seq = found.read = seq
    return found


TEXTS = (
    "A line of the usual length, as people write them all day long",
    "今天下午三点开会，大家准备一下各自的进度 👍",
    "Short one 🎉",
    "Some of them are longer, with **bold words**, a `name()` and a link to https://example.org/page, so that they "
    "take two or three lines of the column in which they stand",
)


def fill(cache: Any) -> None:
    """Many messages, as if they had come."""
    (number,) = cache._db.execute("SELECT number FROM conversations WHERE target='#big'").fetchone()

    def row(n: int) -> tuple[int, int, str, str]:
        minute, hour, day = n % 60, n // 60 % 24, 1 + n // 1440 % 28
        at = f"2026-{1 + n // 40320 % 12:02}-{day:02}T{hour:02}:{minute:02}:00.000Z"
        sender = ("bo", "李雷", "cy", "ana")[n // 3 % 4]
        event = {"type": "TEXT", "sender": sender, "target": "#big", "content": f"{n}: {TEXTS[n % 4]}", "timestamp": at,
                 "id": f"m{n}", "seq": n}  # fmt: skip
        return number, n, f"m{n}", json.dumps(event, ensure_ascii=False)

    with cache.changing():
        cache._db.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", map(row, range(1, MANY + 1)))
        cache._db.execute("UPDATE conversations SET floor=0, position=? WHERE number=?", (MANY, number))


def photo(place: Path) -> tuple[str, int, int]:
    """A picture as cameras make them where Pillow is there, else one that Tk shows: mime, width, height."""
    try:
        from PIL import Image
    except ImportError:
        wide, high = 1600, 1200
        from alonechat.ui.gui.shapes import Mask, png

        rows = (bytes((x * y) % 251 for x in range(wide)) for y in range(high))
        place.write_bytes(png(Mask(wide, high, b"".join(rows)), "#2360D8"))
        return "image/png", wide, high
    wide, high = 4000, 3000
    Image.effect_mandelbrot((wide, high), (-2, -1.5, 1, 1.5), 100).convert("RGB").save(place, "JPEG", quality=92)
    return "image/jpeg", wide, high


def fill_pictures(cache: Any, home: Path, account: Any) -> None:
    """Messages with a picture each, all of which were fetched already."""
    from alonechat.core.client.cache import folder_of
    from alonechat.core.client.files import File
    from alonechat.core.client.shelf import Shelf

    (number,) = cache._db.execute("SELECT number FROM conversations WHERE target='#pictures'").fetchone()
    shelf = Shelf(folder_of(home, account.server, account.username), 1 << 30)
    first = home / "first"
    mime, wide, high = photo(first)
    for n in range(1, PICTURES + 1):
        file = File(f"{n}.{mime[6:]}", mime, first.stat().st_size, f"f{n}", f"p{n}", wide, high)
        shutil.copyfile(first, half := shelf.half())
        shelf.take(half, file)
        attached = {"id": file.id, "name": file.name, "mime": mime, "size": file.size, "width": wide, "height": high}
        at = f"2026-11-24T10:{n:02}:00.000Z"
        event = {"type": "TEXT", "sender": "bo", "target": "#pictures", "content": f"number {n}", "timestamp": at,
                 "id": f"p{n}", "seq": n, "attachments": [attached]}  # fmt: skip
        with cache.changing():
            cache._db.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", (number, n, f"p{n}", json.dumps(event)))
    with cache.changing():
        cache._db.execute("UPDATE conversations SET floor=0, position=? WHERE number=?", (PICTURES, number))
    first.unlink()


# --- the process ---


def started(env: dict[str, str]) -> tuple[subprocess.Popen[bytes], float]:
    """The client of the built file, and how long it was until its window could be seen."""
    xdotool = shutil.which("xdotool")
    if xdotool is None:
        raise SystemExit("xdotool is missing; on Debian: sudo apt-get install xdotool")
    began = time.perf_counter()
    client = subprocess.Popen([sys.executable, str(FILE), "client"], env=env, stdin=subprocess.DEVNULL)
    look = [xdotool, "search", "--onlyvisible", "--name", "#big"]
    while subprocess.run(look, env=env, stdout=subprocess.DEVNULL, check=False).returncode:
        if time.perf_counter() - began > 60 or client.poll() is not None:
            raise SystemExit("no window came up")
        time.sleep(0.01)  # its own way to wait looks twice a second
    return client, time.perf_counter() - began


def resident(pid: int) -> float:
    """The memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def busy(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    parts = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICKS


def process(env: dict[str, str], seconds: float) -> dict[str, float]:
    """Starting three times, the last one watched."""
    times = []
    for turn in range(4):
        client, took = started(env)
        times.append(took)
        if turn < 3:
            client.terminate()
            client.wait()
    time.sleep(2)
    before = busy(client.pid)
    time.sleep(seconds)
    used = busy(client.pid) - before
    found = {"up": min(times[1:]), "first": times[0], "memory": resident(client.pid), "idle": used / seconds}
    found["looked"], found["most"] = looked(client.pid, env)
    client.terminate()
    client.wait()
    return found


def looked(pid: int, env: dict[str, str]) -> tuple[float, float]:
    """The memory after a person has looked at all the pictures, and the most that it was meanwhile."""
    tool = shutil.which("xdotool") or "xdotool"

    def press(*keys: str) -> None:
        subprocess.run([tool, "key", "--delay", "60", *keys], env=env, check=True)

    press("alt+2")
    time.sleep(1)
    for _page in range(PICTURES):
        press("Prior")
        time.sleep(0.15)
    time.sleep(2)
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return resident(pid), int(status.split("VmHWM:")[1].split()[0]) / 1024


# --- the window, in this process ---


def window(account: Any, home: Path, config: Path) -> dict[str, float]:
    """Opening the conversation, and scrolling through it."""
    from alonechat.core.client.accounts import Accounts
    from alonechat.core.client.opening import Opening
    from alonechat.ui.gui.app import App

    app = App(Opening(Accounts(config / "accounts.json"), account, home, config / "preferences.json"))
    root = app.root
    while app.window is None or not app.window.timeline.placed:
        root.update()
    app.window.open("ana")
    end = time.perf_counter() + 1
    while time.perf_counter() < end:
        root.update()
    began = time.perf_counter()
    app.window.open("#big")
    while not app.window.timeline.placed:
        root.update()
    root.update()
    opened = time.perf_counter() - began
    frames = []
    for _frame in range(FRAMES):
        began = time.perf_counter()
        app.window.timeline.scroll(-40)
        root.update()
        frames.append(time.perf_counter() - began)
        time.sleep(max(0.0, 1 / 60 - frames[-1]))  # as a display would pace it
    frames.sort()
    rows = len(app.window.timeline.rows)
    app.quit()
    return {"open": opened, "median": frames[FRAMES // 2], "p95": frames[FRAMES * 95 // 100], "worst": frames[-1],
            "rows": rows}  # fmt: skip


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=10, help="seconds that it is watched while nothing happens")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, display() as name:
        place = Path(folder)
        os.environ.update({"DISPLAY": name, "HOME": folder})
        for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
            os.environ[f"XDG_{kind}_HOME"] = str(place / kind.lower())
        os.environ["ALONECHAT_CACHE"] = str(ROOT / "build" / "cache")
        account, home = prepare(place)
        found = {**process(dict(os.environ), options.idle), **window(account, home, place / "config" / "alonechat")}
    print(f"window up, warm (the first start {found['first']:.2f} s)   {found['up']:.2f} s")
    print(f"a conversation of {MANY:,} messages opens      {found['open'] * 1000:.0f} ms")
    print(f"frames while scrolling: median {found['median'] * 1000:.1f} ms, p95 {found['p95'] * 1000:.1f} ms, "
          f"worst {found['worst'] * 1000:.1f} ms ({found['rows']} rows at hand)")  # fmt: skip
    print(f"resident memory                               {found['memory']:.0f} MB")
    most, looked = found["most"], found["looked"]
    print(f"memory once {PICTURES} pictures were looked at        {looked:.0f} MB, at most {most:.0f} MB")
    print(f"CPU while idle ({options.idle:.0f} s)                         {found['idle'] * 100:.2f} %")


if __name__ == "__main__":
    main()

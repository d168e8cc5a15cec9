"""Members that a benchmark needs beside the load: who joins the rooms, and who checks what arrives."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from websockets.asyncio.client import connect

from tools.bench.load import Load, room_of, run
from tools.bench.place import Bench


async def join_rooms(bench: Bench, load: Load) -> None:
    """Make every account a member of its rooms, before the load begins."""
    tokens = bench.signed_in()[: load.members]
    gate = asyncio.Semaphore(50)

    async def join(number: int, token: str) -> None:
        async with gate, connect(f"ws://127.0.0.1:{bench.port}/?token={token}", proxy=None, max_size=None) as ws:
            for slot in range(load.per):
                frame = {"type": "JOIN", "target": f"#r{room_of(number, slot, load)}", "nonce": f"{slot}"}
                await ws.send(json.dumps(frame))
            left = load.per
            while left:
                heard = json.loads(await ws.recv())
                if heard["type"] == "ERROR":
                    raise SystemExit(f"u{number} could not join: {heard['content']}")
                left -= heard.get("sender") == f"u{number}" and "nonce" in heard

    await asyncio.gather(*(join(number, token) for number, token in enumerate(tokens)))


class Watcher:
    """A member of the lobby who checks from the receiver's side: in order, no gap, one copy each."""

    def __init__(self, bench: Bench, token: str) -> None:
        self._url = f"ws://127.0.0.1:{bench.port}/?token={token}"
        self.heard = 0
        self.wrong: list[str] = []

    async def watch(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Listen until `stop`."""
        async with connect(self._url, proxy=None, max_size=None) as ws:
            welcome = json.loads(await ws.recv())
            at = next(c["seq"] for c in welcome["conversations"] if c["target"] == "#lobby")
            ready.set()
            ended = asyncio.create_task(stop.wait())
            while not stop.is_set():
                hearing = asyncio.ensure_future(ws.recv())
                await asyncio.wait({hearing, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not hearing.done():
                    hearing.cancel()
                    break
                frame = json.loads(hearing.result())
                if "seq" in frame and frame.get("target") == "#lobby" and frame["type"] != "READ":
                    if frame["seq"] != at + 1:
                        self.wrong.append(f"seq {frame['seq']} after {at}")
                    at, self.heard = frame["seq"], self.heard + 1


def checked(bench: Bench, binary: Path | None, load: Load, folder: Path) -> Watcher:
    """Run the generator while a watcher listens, who has the last of the tokens."""

    async def both() -> Watcher:
        watcher, stop, ready = Watcher(bench, bench.signed_in()[-1]), asyncio.Event(), asyncio.Event()
        watching = asyncio.create_task(watcher.watch(stop, ready))
        await ready.wait()
        await asyncio.to_thread(run, binary, bench, load, folder, 0)  # once: it is not the time that counts
        await asyncio.sleep(0.5)
        stop.set()
        await watching
        return watcher

    return asyncio.run(both())

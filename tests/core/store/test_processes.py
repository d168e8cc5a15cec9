"""Two processes on one database, a process that is killed, and threads that read beside the writer."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from alonechat.core.store import open_store
from alonechat.core.store.records import Post
from tests.conformance.kept import Clock, Kept

ROOT = Path(__file__).parents[3]

ADD = """
import sys
from alonechat.core.store import open_store
from alonechat.core.store.records import Account
store = open_store(sys.argv[1])
store.transaction(lambda writes: writes.add_accounts([(Account(sys.argv[2], sys.argv[2]), None)]))
store.close()
"""

READ = """
import sys
from alonechat.core.store import open_store
store = open_store(sys.argv[1])
print(len(store.accounts()))
store.close()
"""

WRITE = """
import sys
from alonechat.core.store import open_store
from alonechat.core.store.records import Post
store = open_store(sys.argv[1])
def deliver(batch):
    sys.stdout.write("".join(f"{event['id']} {post.nonce} {event['seq']}\\n" for post, event, _ in batch))
    sys.stdout.flush()
store.start(deliver, lambda act, *given: act(*given))
for n in range(int(sys.argv[2]), 10**9):
    store.post(Post("TEXT", "#lobby", "alice", f"text {n}", nonce=f"n{n}"))
    if n % 50 == 0:
        import time; time.sleep(0.002)
"""


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def run(code: str, *arguments: str) -> str:
    with child(code, *arguments) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


def test_a_tool_in_another_process_is_noticed_and_ones_own_commits_are_not(kept: Kept) -> None:
    assert kept.store.changed_elsewhere() is False
    kept.says("alice", "mine")
    kept.write(lambda writes: writes.set_setting("a", "b"))
    kept.store.accounts()
    assert kept.store.changed_elsewhere() is False
    assert run(READ, kept.url) == "3\n"
    assert kept.store.changed_elsewhere() is False
    run(ADD, kept.url, "dora")
    assert kept.store.changed_elsewhere() is True and kept.store.changed_elsewhere() is False
    assert kept.says("dora", "hello")["seq"] == 2
    run(ADD, kept.url, "eve")
    kept.says("eve", "the writer saw it first")
    assert kept.store.changed_elsewhere() is True and kept.store.changed_elsewhere() is False


def test_ones_own_purge_and_checkpoint_are_not_noticed(kept: Kept) -> None:
    event = kept.says("alice", "oops")
    kept.store.changed_elsewhere()
    kept.post("DELETE", "#lobby", "alice", ref=event["id"])
    until = time.monotonic() + 5
    log = Path(kept.url.removeprefix("sqlite:///") + "-wal")
    while log.stat().st_size > 10_000 and time.monotonic() < until:
        time.sleep(0.05)
    assert log.stat().st_size <= 10_000
    kept.says("alice", "after")
    assert kept.store.changed_elsewhere() is False


def test_two_writers_take_turns(kept: Kept) -> None:
    """Both processes append; numbers stay gapless, ids unique, and neither fails."""
    other = child(WRITE, kept.url, "0")
    assert other.stdout and other.stdout.readline()
    mine = [kept.says("bob", f"mine {n}") for n in range(15)]
    other.kill()
    other.wait(timeout=10)
    other.stdout.close()
    log = []
    while True:
        page = kept.store.history("#lobby", len(log), None, 200, 1)
        log += page.events
        if not page.more:
            break
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    ids = [event["id"] for event in log]
    assert ids == sorted(set(ids)) and all(event in log for event in mine)
    assert len({event["sender"] for event in log}) == 2


def test_what_was_reported_survives_a_kill_once_in_order_without_gaps(kept: Kept) -> None:
    kept.store.close()
    reported: list[tuple[str, str, int]] = []
    for round_ in range(4):
        process = child(WRITE, kept.url, str(len(reported)))
        assert process.stdout
        lines = [process.stdout.readline()]
        time.sleep(0.05 + 0.07 * round_)
        process.kill()
        lines += process.stdout.readlines()
        process.wait(timeout=10)
        process.stdout.close()
        for line in lines:
            if line.endswith("\n"):
                id, nonce, seq = line.split()
                reported.append((id, nonce, int(seq)))
    again = Kept(kept.url, kept.clock)
    log = {}
    more, after = True, 0
    while more:
        page = again.store.history("#lobby", after, None, 200, 1)
        log |= {event["seq"]: event for event in page.events}
        after, more = max(log), page.more
    assert sorted(log) == list(range(1, len(log) + 1)) and len(reported) > 50
    assert len({event["nonce"] for event in log.values()}) == len(log)
    assert all(log[seq]["id"] == id and log[seq]["nonce"] == nonce for id, nonce, seq in reported)
    assert len(again.store.search([("#lobby", 1)], "text", None, None, len(log) + 1).events) == len(log)
    again.store.close()


def test_two_first_starts_at_once_make_one_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/alonechat.db"
    starts = [child(ADD, url, name) for name in ("alice", "bob", "carol")]
    for process in starts:
        process.communicate(timeout=60)
    assert [process.returncode for process in starts] == [0, 0, 0]
    store = open_store(url)
    assert {account.username for account in store.accounts()} == {"alice", "bob", "carol"}
    store.close()


def test_threads_read_whole_snapshots_while_the_writer_writes(kept: Kept, clock: Clock) -> None:
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                item = kept.item("bob")
                if item["unread"] != item["seq"] or (item["last"] or {"seq": 0})["seq"] != item["seq"]:
                    wrong.append(item)
                page = kept.store.history("#lobby", None, None, 50, 1).events
                hits = kept.store.search([("#lobby", 1)], "text", None, None, 50).events
                for seqs in ([event["seq"] for event in page], [event["seq"] for event in reversed(hits)]):
                    if seqs != list(range(seqs[0], seqs[0] + len(seqs)) if seqs else []):
                        wrong.append(seqs)
            except BaseException as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        kept.outcomes(*(Post("TEXT", "#lobby", "alice", "text") for _ in range(20)))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == [] and kept.unread("bob") == (400, 0)

"""Makes `data/schema-N.db`, a small database of the newest schema, to be kept for as long as that schema may be opened.

    python -m tests.core.store.make_schema

Run it once, before a schema is released; what was released is never made anew.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from alonechat.core.store import schema
from alonechat.core.store.records import Account, Invite, Session
from tests.conformance.kept import Clock, Kept

DATA = Path(__file__).parent / "data"
NOW = 1_790_000_000_000


def fill(kept: Kept) -> None:
    """Something of everything: a room, a direct conversation, an edit, a deletion, a reaction, marks, an invite."""
    people = [(Account("alice", "Alice", "owner"), "hash"), (Account("bob", "鲍勃"), None)]
    kept.write(lambda writes: writes.add_accounts(people))
    kept.write(lambda writes: writes.add_sessions([Session("s1", "alice", NOW, NOW * 2, NOW, "laptop")]))
    kept.write(lambda writes: writes.add_invite(Invite("code", "admin", uses=3, created=NOW, by="alice")))
    kept.write(lambda writes: writes.set_setting("secret_fingerprint", "abc"))
    first = kept.says("alice", "hello 上海", nonce="n1", mentions=["bob"])
    kept.post("EDIT", "#lobby", "alice", "hello 北京", ref=first["id"])
    kept.post("REACT", "#lobby", "bob", "👍", ref=first["id"])
    gone = kept.says("bob", "a secret")
    kept.post("DELETE", "#lobby", "bob", ref=gone["id"])
    kept.post("JOIN", "#den", "alice", access="private")
    kept.post("TOPIC", "#den", "alice", "plans")
    kept.write(lambda writes: writes.sanction("#den", "bob", "invite", True))
    files = [kept.uploads("alice", "f" * 32).wire(), kept.uploads("alice", "e" * 32, "gone.pdf").wire()]
    kept.says("alice", "", "alice bob", attachments=files[:1])
    gone = kept.says("alice", "", "alice bob", attachments=files[1:])
    kept.post("DELETE", "alice bob", "alice", ref=gone["id"])
    kept.uploads("bob", "d" * 32, "loose.pdf")
    kept.says("bob", "psst", "alice bob")
    kept.write(lambda writes: writes.mark_read("bob", "#lobby", 1))


def main() -> None:
    path = DATA / f"schema-{len(schema.MIGRATIONS)}.db"
    if path.exists():
        raise SystemExit(f"{path} stands already: delete it by hand if that schema was never released")
    with tempfile.TemporaryDirectory() as scratch:
        kept = Kept(f"sqlite:///{scratch}/a.db", Clock(NOW))
        fill(kept)
        kept.store.close()
        DATA.mkdir(exist_ok=True)
        shutil.copy(Path(scratch) / "a.db", path)
    print(path)


if __name__ == "__main__":
    main()

"""The file of saved accounts: who is current, who may read it, two writers at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alonechat.core.client import Account, Accounts, of_token, whole
from alonechat.core.client.accounts import claims, directory
from alonechat.errors import AloneChatError, ConfigError
from tests.core.client.scripted import jwt

ALICE = Account("http://localhost:8766", "alice", "t-alice", "ws://localhost:8765", "2026-12-23T00:00:00Z")
BOB = Account("http://localhost:8766", "bob", "t-bob")
FAR = Account("https://chat.example:443", "alice", "t-far")


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "config" / "accounts.json")


def test_the_latest_sign_in_is_current_and_one_name_at_one_server_is_kept_once(accounts: Accounts) -> None:
    assert accounts.current() is None and accounts.all() == []
    accounts.save(ALICE)
    accounts.save(BOB)
    accounts.save(ALICE.renewed({"token": "t-2"}))
    assert [a.username for a in accounts.all()] == ["alice", "bob"]
    assert accounts.current() == Account(ALICE.url, "alice", "t-2", ALICE.ws_url)


def test_after_a_sign_out_nobody_is_current_until_somebody_signs_in(accounts: Accounts) -> None:
    for each in (BOB, ALICE):
        accounts.save(each)
    accounts.forget(ALICE)
    assert accounts.current() is None
    assert accounts.named("bob") == BOB
    accounts.update(BOB.renewed({"token": "t-2"}))
    assert accounts.current() is None, "a renewed token makes nobody current"
    accounts.save(BOB)
    assert accounts.current() == BOB


def test_signing_another_one_out_leaves_the_current_one(accounts: Accounts) -> None:
    for each in (BOB, ALICE):
        accounts.save(each)
    accounts.forget(BOB)
    assert accounts.current() == ALICE


def test_an_account_is_named_with_or_without_its_server(accounts: Accounts) -> None:
    for each in (ALICE, FAR):
        accounts.save(each)
    assert accounts.named("alice") == FAR
    assert accounts.named("alice@localhost") == accounts.named("alice@localhost:8766") == ALICE
    assert accounts.named("alice@elsewhere") is None and accounts.named("cy") is None
    assert accounts.find("http://localhost:8766", "alice") == ALICE


def test_a_forgotten_account_is_not_brought_back_by_a_renewal(accounts: Accounts) -> None:
    accounts.save(ALICE)
    accounts.forget(ALICE)
    accounts.update(ALICE.renewed({"token": "t-2"}))
    assert accounts.all() == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere: only POSIX has file modes")
def test_only_the_user_may_read_it(accounts: Accounts) -> None:
    before = os.umask(0)
    try:
        accounts.save(ALICE)
    finally:
        os.umask(before)
    for each in accounts.path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    assert stat.S_IMODE(accounts.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "[]", '{"accounts": [{}], "current": true}', '{"accounts": [3]}', "\udcff"])
def test_a_file_of_something_else_is_named_and_left_alone(accounts: Accounts, text: str) -> None:
    accounts.path.parent.mkdir()
    accounts.path.write_bytes(text.encode(errors="surrogateescape"))
    for act in (accounts.current, lambda: accounts.save(ALICE)):
        with pytest.raises(ConfigError, match=r"accounts\.json"):
            act()
    assert accounts.path.read_bytes() == text.encode(errors="surrogateescape")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AloneChatError, match=r"can.t keep the sign-in in .*file"):
        Accounts(tmp_path / "file" / "accounts.json").save(ALICE)


def test_sign_ins_of_several_processes_at_once_are_all_kept(accounts: Accounts) -> None:
    code = (
        "import sys, pathlib; from alonechat.core.client import Account, Accounts\n"
        "for n in range(20): Accounts(pathlib.Path(sys.argv[1])).save(Account('http://h:1', f'{sys.argv[2]}{n}', 't'))"
    )
    root = Path(__file__).parents[3]
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(accounts.path), name], cwd=root) for name in ("a", "b", "c")
    ]
    assert [each.wait(30) for each in writers] == [0, 0, 0]
    assert len(accounts.all()) == 60


def test_a_token_knows_whose_it_is_and_when_to_renew_it() -> None:
    account = of_token("http://localhost:8766", jwt(sub="robot", iat=1000, exp=4000))
    assert (account.username, account.expires, account.renewal) == ("robot", 4000, 3000)
    assert "robot" in repr(account) and account.token not in repr(account)
    for wrong in ("", "nonsense", "a.b.c", jwt(sub=3), jwt()):
        with pytest.raises(ConfigError, match="token"):
            of_token("http://localhost:8766", wrong)
    assert claims("a.!!!.c") == {}
    assert Account("u", "alice", "opaque").renewal is None


def test_the_directory_is_the_systems_own(private_home: Path) -> None:
    assert private_home in directory().parents


def test_a_lock_is_waited_for_and_given_back(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from alonechat.core.client import whole\n"
        "with whole.locked(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
    )
    lock = tmp_path / "lock"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], cwd=Path(__file__).parents[3], stdin=-1, stdout=-1, text=True
    )
    assert other.stdin is not None and other.stdout is not None and other.stdout.readline() == "held\n"
    got = threading.Event()

    def wait() -> None:
        with whole.locked(lock):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not got.wait(0.2)
    other.communicate("\n")
    assert got.wait(10)
    waiting.join()

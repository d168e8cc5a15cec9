"""Accounts, sign-ins, invites, settings, sanctions."""

from __future__ import annotations

import pytest

from alonechat.core.store.records import Account, Invite, Session
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


def test_accounts_are_added_with_what_they_have(kept: Kept, clock: Clock) -> None:
    zoe = Account("zoë", "Zoë Ö.", "admin", "disabled", 12345)
    kept.write(lambda writes: writes.add_accounts([(zoe, "scrypt$1"), (Account("王伟", "王伟"), None)]))
    found = {account.username: account for account in kept.store.accounts()}
    assert found["zoë"] == zoe and found["王伟"] == Account("王伟", "王伟", created=clock.now)
    assert kept.store.password("zoë") == "scrypt$1"
    assert kept.store.password("王伟") is None and kept.store.password("nobody") is None


@pytest.mark.parametrize("names", [("dora", "bob"), ("dora", "dora")])
def test_accounts_are_added_all_or_none(kept: Kept, names: tuple[str, ...]) -> None:
    with pytest.raises(Rejected, match=names[1]) as refused:
        kept.people(*names)
    assert refused.value.code == "conflict"
    assert [account.username for account in kept.store.accounts()] == ["alice", "bob", "carol"]


def test_an_account_changes_in_what_is_named(kept: Kept) -> None:
    kept.write(lambda writes: writes.change_account("bob", display_name="Bobby", role="owner", password="p"))
    kept.write(lambda writes: writes.change_account("bob", standing="banned"))
    (bob,) = [account for account in kept.store.accounts() if account.username == "bob"]
    assert (bob.display_name, bob.role, bob.standing) == ("Bobby", "owner", "banned")
    assert kept.store.password("bob") == "p"
    kept.write(lambda writes: writes.change_account("bob", password=None))
    assert kept.store.password("bob") is None
    for wrong, error in (({"role": "king"}, Rejected), ({"username": "x"}, TypeError)):
        with pytest.raises(error):
            kept.write(lambda writes, wrong=wrong: writes.change_account("bob", **wrong))  # type: ignore[misc]
    with pytest.raises(Rejected) as refused:
        kept.write(lambda writes: writes.change_account("nobody", role="admin"))
    assert refused.value.code == "not_found"


def test_sessions_are_listed_until_they_end(kept: Kept, clock: Clock) -> None:
    now = clock.now
    mine = [Session(f"s{n}", "alice", now + n, now + 1000 * n, now, "phone") for n in range(1, 4)]
    other = Session("o", "bob", now, now + 10_000)
    kept.write(lambda writes: writes.add_sessions([*mine, other]))
    assert kept.store.sessions("alice") == mine and kept.store.sessions() == [other, *mine]
    assert kept.store.session("s1") == mine[0] and kept.store.session("none") is None
    assert kept.write(lambda writes: writes.revoke("alice", id="o")) == []
    assert kept.write(lambda writes: writes.revoke("alice", id="s2")) == ["s2"]
    assert kept.write(lambda writes: writes.revoke("alice", id="s2")) == []
    ended = kept.store.session("s2")
    assert ended and ended.revoked and kept.store.sessions("alice") == [mine[0], mine[2]]
    assert kept.write(lambda writes: writes.revoke("alice", keep="s3")) == ["s1"]
    clock.advance(3000)
    assert kept.store.sessions("alice") == [] and kept.store.session("s3") == mine[2]


def test_a_session_can_be_shortened_never_prolonged(kept: Kept, clock: Clock) -> None:
    now = clock.now
    kept.write(lambda writes: writes.add_sessions([Session("s", "alice", now, now + 5000)]))
    for asked, holds in ((now + 2000, now + 2000), (now + 9000, now + 2000)):
        assert kept.write(lambda writes, at=asked: writes.revoke("alice", id="s", expires=at)) == []  # type: ignore[misc]
        found = kept.store.session("s")
        assert found and found.expires == holds and not found.revoked


def test_all_sign_ins_end_at_once(kept: Kept, clock: Clock) -> None:
    rows = [Session(name, name, clock.now, clock.now + 5000) for name in ("alice", "bob")]
    kept.write(lambda writes: writes.add_sessions(rows))
    kept.write(lambda writes: writes.revoke_all())
    assert kept.store.sessions() == []


def test_an_invite_holds_for_its_uses_and_its_time(kept: Kept, clock: Clock) -> None:
    twice = Invite("two", "admin", uses=2, created=5, by="alice")
    short = Invite("short", expires=clock.now + 100, created=6)
    kept.write(lambda writes: [writes.add_invite(each) for each in (twice, short)])
    assert kept.store.invites() == [twice, short] and kept.store.invite("two") == twice
    assert kept.write(lambda writes: writes.use_invite("two")).uses == 1
    assert kept.write(lambda writes: writes.use_invite("two")) == Invite("two", "admin", 0, created=5, by="alice")
    clock.advance(100)
    for code in ("two", "short", "none"):
        assert kept.store.invite(code) is None
        with pytest.raises(Rejected) as refused:
            kept.write(lambda writes, code=code: writes.use_invite(code))  # type: ignore[misc]
        assert refused.value.code == "forbidden"
    assert kept.store.invites() == []
    assert kept.write(lambda writes: writes.drop_invite("short")) is True
    assert kept.write(lambda writes: writes.drop_invite("short")) is False


def test_a_refused_act_leaves_nothing_of_what_it_did_before(kept: Kept) -> None:
    kept.write(lambda writes: writes.add_invite(Invite("code")))

    def act(writes):  # type: ignore[no-untyped-def]
        writes.use_invite("code")
        writes.add_accounts([(Account("dora", "Dora"), None), (Account("bob", "Bob"), None)])

    with pytest.raises(Rejected):
        kept.write(act)
    found = kept.store.invite("code")
    assert found and found.uses == 1 and len(kept.store.accounts()) == 3


def test_settings_are_set_over_and_kept(kept: Kept) -> None:
    assert kept.store.setting("color") is None
    for value in ("red", "blue"):
        kept.write(lambda writes, value=value: writes.set_setting("color", value))  # type: ignore[misc]
    server_id, epoch = kept.store.server_id, kept.store.epoch
    again = kept.again()
    assert again.store.setting("color") == "blue"
    assert (again.store.server_id, again.store.epoch) == (server_id, epoch) and server_id and epoch
    again.store.close()


def test_sanctions_are_put_on_and_lifted(kept: Kept) -> None:
    for key in ("#lobby", "#room"):
        if key == "#room":
            kept.post("JOIN", key, "alice")
        for kind in ("ban", "mute", "invite"):
            for _ in range(2):
                kept.write(lambda writes, k=key, s=kind: writes.sanction(k, "bob", s, True))  # type: ignore[misc]
        found = kept.store.conversation(key)
        assert found and found.banned == found.muted == found.invited == {"bob"}
        kept.write(lambda writes, k=key: writes.sanction(k, "bob", "ban", False))  # type: ignore[misc]
        found = kept.store.conversation(key)
        assert found and found.banned == set() and found.muted == {"bob"}
    with pytest.raises(Rejected):
        kept.write(lambda writes: writes.sanction("#none", "bob", "ban", True))


def test_a_moderator_is_made_and_unmade(kept: Kept) -> None:
    kept.post("JOIN", "#room", "alice")
    kept.post("JOIN", "#room", "bob")
    for moderator in (True, False):
        kept.write(lambda writes, m=moderator: writes.set_moderator("#room", "bob", m))  # type: ignore[misc]
        found = kept.store.conversation("#room")
        assert found and found.members["bob"].moderator is moderator
    with pytest.raises(Rejected):
        kept.write(lambda writes: writes.set_moderator("#room", "carol", True))


def test_ten_thousand_accounts_take_seconds(kept: Kept) -> None:
    rows = [(Account(f"person{n}", f"Person {n}"), None) for n in range(10_000)]
    kept.write(lambda writes: writes.add_accounts(rows))
    assert len(kept.store.accounts()) == 10_003
    with pytest.raises(Rejected, match="person9999"):
        kept.people("other", "person9999")


def test_the_store_is_ready_until_it_is_closed(kept: Kept) -> None:
    assert kept.store.ready() is True
    kept.store.close()
    assert kept.store.ready() is False
    with pytest.raises(Rejected) as refused:
        kept.store.accounts()
    assert refused.value.code == "unavailable"

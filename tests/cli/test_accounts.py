"""`user`, `invite` and `token` on a real database, as an administrator types them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import jwt
import pytest

from alonechat import admin
from alonechat.core.server.auth import check_password, fingerprint, read_token
from alonechat.core.store import open_store
from alonechat.core.store.records import Session, Store
from tests.cli.shell import Inside, Shell

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: no pseudo-terminals")
PASSWORD = "correct horse battery"
DAY = 86_400_000


class Office(Inside):
    """The command line of an administrator, whose database is a quick one for tests."""

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.cwd / "data"

    def environ(self, more: dict[str, str]) -> dict[str, str]:  # type: ignore[override]
        return super().environ({"ALONECHAT_ENV": "testing", **more})

    def add(self, *names: str, **more: str) -> None:
        """Accounts without a password, in one go."""
        self.ok("user", "import", "-", stdin="".join(f"{name},,{more.get('role', '')}\n" for name in names))

    def accounts(self) -> dict[str, tuple[str, str, str]]:
        """Display name, role and standing of each account."""
        found = json.loads(self.ok("user", "list", "--json"))
        return {each["username"]: (each["display_name"], each["role"], each["standing"]) for each in found}

    def open(self) -> Store:
        """The database beside the commands, as a running server has it."""
        return open_store(f"sqlite:///{self.data / 'alonechat.db'}")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An administrator in an empty directory."""
    return Office(tmp_path)


@pytest.fixture
def store(office: Office) -> Iterator[Store]:
    """The office's database with `ana`, an owner, and `bo`; open all the time."""
    office.ok("user", "import", "-", stdin="ana,Ana,owner\nbo,,\n")
    opened = office.open()
    yield opened
    opened.close()


# --- user add ---


def test_an_account_is_added_with_a_password_from_a_pipe(office: Office) -> None:
    said = office.ok("user", "add", "Ana", "--display-name", "Ana B.", "--role", "owner", stdin=PASSWORD + "\nmore\n")
    assert said == "ana was added as owner\n"
    assert office.accounts() == {"ana": ("Ana B.", "owner", "active")}
    store = office.open()
    assert check_password(PASSWORD, store.password("ana"))
    store.close()


def test_the_variable_wins_over_the_pipe_and_no_password_asks_for_none(office: Office) -> None:
    office.ok("user", "add", "ana", stdin="another one\n", ALONECHAT_PASSWORD=PASSWORD)
    office.ok("user", "add", "bot", "--no-password")
    store = office.open()
    assert check_password(PASSWORD, store.password("ana"))
    assert store.password("bot") is None
    store.close()


@needs_pty
def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(office: Office) -> None:
    types = [("Password of ana:", PASSWORD), ("The same again:", PASSWORD)]
    code, shown = office.on_terminal("user", "add", "ana", types=types)
    assert code == 0, shown
    assert "ana was added as member" in shown
    assert PASSWORD not in shown


@needs_pty
def test_two_passwords_that_differ_are_asked_for_again(office: Office) -> None:
    office.add("ana")
    first, again = "New password of ana:", "The same again:"
    types = [(first, PASSWORD), (again, "something else"), (first, PASSWORD), (again, PASSWORD)]
    code, shown = office.on_terminal("user", "password", "ana", types=types)
    assert code == 0, shown
    assert "the two differ; once more" in shown
    store = office.open()
    assert check_password(PASSWORD, store.password("ana"))
    store.close()


@needs_pty
def test_ctrl_c_at_the_password_ends_quietly(office: Office) -> None:
    code, shown = office.on_terminal("user", "add", "ana", types=[("Password of ana:", "\x03")])
    assert code == 130
    assert "Traceback" not in shown
    assert not office.data.exists()


@pytest.mark.parametrize(
    ("arguments", "password", "code", "said"),
    [
        (
            ["ana"],
            "",
            2,
            "there is no password: set ALONECHAT_PASSWORD, or give it as the first line of standard input",
        ),
        (["ana"], "short", 1, "a password has 8 to 1024 characters; this one has 5"),
        (["b o"], PASSWORD, 1, "a name has 1 to 32 letters or digits of any script, with . _ - inside"),
        (["Server"], PASSWORD, 1, "the name server is reserved"),
        (["ana", "--role", "king"], PASSWORD, 1, "a role is one of member, moderator, admin, owner, not 'king'"),
        (["ana", "--display-name", "a\tb"], PASSWORD, 1, "a display name holds no control or format characters"),
    ],
)
def test_what_can_not_be_added_is_said_and_makes_no_database(
    office: Office, arguments: list[str], password: str, code: int, said: str
) -> None:
    assert said in office.fails("user", "add", *arguments, code=code, stdin=password)
    assert not office.data.exists()


def test_a_name_is_given_once_and_nobody_is_shown_as_somebody_else(office: Office) -> None:
    office.add("ana")
    assert office.fails("user", "add", "ANA", "--no-password", code=1) == "the name ana is taken"
    said = office.fails("user", "add", "eve", "--display-name", "Ana", "--no-password", code=1)
    assert said == "eve can't be shown as Ana: that is another's name"
    said = office.fails("user", "import", "-", stdin="bo,Cy\ncy\n", code=1)
    assert said == "line 1: bo can't be shown as Cy: that is another's name"
    assert list(office.accounts()) == ["ana"]


# --- user import ---


def test_import_adds_all_or_none(office: Office) -> None:
    office.add("bo")
    (office.cwd / "people.csv").write_text("username,display_name,role,password\nana,Ana,admin,12345678\nbo,,,\n")
    said = office.fails("user", "import", "people.csv", code=1)
    assert said == "line 3: the name bo is taken; --skip-existing leaves out who is there"
    assert list(office.accounts()) == ["bo"]
    (office.cwd / "people.csv").write_text("ana,Ana,admin,12345678\ncy,,,87654321\n")
    assert office.ok("user", "import", "people.csv") == "2 accounts were added\n"
    assert office.accounts()["ana"] == ("Ana", "admin", "active")
    store = office.open()
    assert check_password("12345678", store.password("ana"))
    assert check_password("87654321", store.password("cy"))
    store.close()


def test_import_can_leave_out_who_is_there_and_says_how_many(office: Office) -> None:
    office.ok("user", "import", "-", stdin="ana,Ana,owner,12345678\nbo\n")
    again = "用户名,姓名,密码\nANA,Somebody else,87654321\nbo,,\ncy,Cy,abcdefgh\n"
    assert (
        office.ok("user", "import", "-", "--skip-existing", stdin=again)
        == "1 account was added, 2 were there already\n"
    )
    assert office.accounts()["ana"] == ("Ana", "owner", "active")
    store = office.open()
    assert check_password("12345678", store.password("ana"))
    assert check_password("abcdefgh", store.password("cy"))
    store.close()
    given = {"stdin": again, "ALONECHAT_SKIP_EXISTING": "1"}
    assert office.ok("user", "import", "-", **given) == "0 accounts were added, 3 were there already\n"
    more = "di\nana\n"
    assert (
        office.ok("user", "import", "-", "--skip-existing", stdin=more) == "1 account was added, 1 was there already\n"
    )


def test_import_leaves_out_who_is_there_and_adds_nobody_when_anything_else_is_wrong(office: Office) -> None:
    office.add("ana")
    assert office.fails("user", "import", "-", "--skip-existing", stdin="ana\nbo\nc y\n", code=1).startswith("line 3: ")
    said = office.fails("user", "import", "-", "--skip-existing", stdin="ana\ncy\nbo,Ana\n", code=1)
    assert said == "line 3: bo can't be shown as Ana: that is another's name"
    assert list(office.accounts()) == ["ana"]


def test_who_comes_in_while_the_passwords_are_hashed_is_left_out_too(
    office: Office, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = admin._hashes

    def slowly(passwords: Sequence[str | None], n: int) -> list[str | None]:
        monkeypatch.setattr(admin, "_hashes", hashes)
        admin.add(store, [admin.newcomer("cy")], n)
        return hashes(passwords, n)

    monkeypatch.setattr(admin, "_hashes", slowly)
    said = office.ok("user", "import", "-", "--skip-existing", stdin="ana\ncy\ndi,,,12345678\n")
    assert said == "1 account was added, 2 were there already\n"
    assert check_password("12345678", store.password("di"))


def test_import_takes_what_excel_saves_in_china(office: Office) -> None:
    data = "用户名,姓名\r\nlilei,李雷\r\n".encode("gb18030")
    (office.cwd / "people.csv").write_bytes(data)
    said = office.fails("user", "import", "people.csv", code=1)
    assert said == "line 1: it is not UTF-8: in Excel, save it as 'CSV UTF-8', or give --encoding gb18030"
    said = office.fails("user", "import", "people.csv", "--encoding", "gb18031", code=2)
    assert said.startswith("--encoding takes an encoding that Python knows") and said.endswith("; not 'gb18031'")
    assert not office.data.exists()
    assert office.ok("user", "import", "people.csv", "--encoding", "gb18030") == "1 account was added\n"
    assert office.accounts() == {"lilei": ("李雷", "member", "active")}
    data = data.replace(b"lilei", b"lily")
    assert office.ok("user", "import", "-", stdin=data, ALONECHAT_ENCODING="gbk") == "1 account was added\n"
    assert office.ok("user", "import", "-", stdin="大明\n", ALONECHAT_ENCODING="") == "1 account was added\n"
    assert {"lily", "大明"} < set(office.accounts())


def test_import_names_the_line_and_the_file(office: Office) -> None:
    assert office.fails("user", "import", "-", stdin="ana\nb o\n", code=1).startswith("line 2: ")
    assert office.fails("user", "import", "none.csv", code=2) == "none.csv can't be read: No such file or directory"
    assert not office.data.exists()


def test_the_same_as_processes_of_their_own(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert shell.ok("user", "import", "-", stdin="\ufeffusername,role\nana,owner\nbo,\n") == "2 accounts were added\n"
    tokens = shell.ok("token", "bo", "ana").splitlines()
    assert [jwt.decode(line, options={"verify_signature": False})["sub"] for line in tokens] == ["bo", "ana"]
    assert shell.fails("user", "disable", "ana", code=1).startswith("ana is the last owner")


def test_ten_thousand_accounts_without_a_password_take_seconds(office: Office) -> None:
    people = "".join(f"user{number},User {number}\n" for number in range(10_000))
    began = time.perf_counter()
    assert office.ok("user", "import", "-", stdin=people) == "10000 accounts were added\n"
    assert time.perf_counter() - began < 20, "3 s on an idle machine"
    assert office.ok("user", "list").count("\n") == 10_000


# --- user list ---


def test_list_is_lines_of_fields_sorted_by_name(office: Office) -> None:
    office.ok("user", "import", "-", stdin="bo\nana,安娜,owner\n")
    rows = [line.split("\t") for line in office.ok("user", "list").splitlines()]
    assert [row[:4] for row in rows] == [["ana", "安娜", "owner", "active"], ["bo", "bo", "member", "active"]]
    assert rows[0][4].endswith("Z")


@needs_pty
def test_list_is_a_table_on_a_terminal(office: Office) -> None:
    office.add("ana")
    code, shown = office.on_terminal("user", "list")
    assert code == 0
    assert "username" in shown
    assert "ana" in shown


def test_a_mistyped_directory_is_an_error_and_no_new_database(office: Office) -> None:
    for arguments in (["user", "list"], ["token", "ana"], ["invite", "list"], ["user", "disable", "ana"]):
        said = office.fails(*arguments, "--data-dir", "dat", code=2)
        assert said.startswith(f"there is no database {office.cwd / 'dat' / 'alonechat.db'}: --data-dir")
    assert list(office.cwd.iterdir()) == []


def test_another_database_can_be_named(office: Office) -> None:
    url = f"sqlite:///{office.cwd.as_posix()}/other.db"
    office.ok("user", "add", "ana", "--no-password", "--database-url", url)
    assert "ana" in office.ok("user", "list", ALONECHAT_DATABASE_URL=url)
    assert not (office.data / "alonechat.db").exists()


def test_a_file_that_is_no_database_is_one_sentence(office: Office) -> None:
    office.data.mkdir()
    (office.data / "alonechat.db").write_text("something else entirely, and long enough to be looked at" * 40)
    assert "alonechat.db" in office.fails("user", "list", code=2)


# --- role, disable, enable, password: seen by whoever has the database open ---


def standing(store: Store, name: str) -> tuple[str, str]:
    """Role and standing as another process reads them now."""
    found = next(each for each in store.accounts() if each.username == name)
    return found.role, found.standing


def sign_in(store: Store, name: str) -> str:
    """A sign-in of `name`, as a running server makes it."""
    now = time.time_ns() // 1_000_000
    made = Session(f"session-of-{name}", name, now, now + DAY)
    store.transaction(lambda writes: writes.add_sessions([made]))
    return made.id


def is_signed_in(store: Store, id: str) -> bool:
    """Whether the sign-in still holds."""
    found = store.session(id)
    return found is not None and not found.revoked


def test_a_role_is_changed_beside_a_running_server(office: Office, store: Store) -> None:
    assert not store.changed_elsewhere()
    assert office.ok("user", "role", "BO", "moderator") == "bo was member, and is moderator now\n"
    assert store.changed_elsewhere()
    assert standing(store, "bo") == ("moderator", "active")


def test_disable_ends_the_sign_ins_and_enable_lets_in_again(office: Office, store: Store) -> None:
    mine, other = sign_in(store, "bo"), sign_in(store, "ana")
    assert office.ok("user", "disable", "bo") == "bo is disabled, and all its sign-ins have ended\n"
    assert standing(store, "bo") == ("member", "disabled")
    assert (is_signed_in(store, mine), is_signed_in(store, other)) == (False, True)
    assert office.ok("user", "enable", "bo") == "bo was disabled, and is active now\n"
    assert standing(store, "bo") == ("member", "active")
    assert not is_signed_in(store, mine)


def test_the_last_owner_stays(office: Office, store: Store) -> None:
    said = "ana is the last owner: make another one first (alonechat user role NAME owner)"
    assert office.fails("user", "disable", "ana", code=1) == said
    assert office.fails("user", "role", "ana", "admin", code=1) == said
    assert standing(store, "ana") == ("owner", "active")
    office.ok("user", "role", "ana", "owner")
    office.ok("user", "role", "bo", "owner")
    office.ok("user", "disable", "ana")
    assert "bo is the last owner" in office.fails("user", "role", "bo", "member", code=1)
    office.ok("user", "role", "ana", "member")


def test_a_new_password_ends_the_sign_ins(office: Office, store: Store) -> None:
    session = sign_in(store, "bo")
    said = office.ok("user", "password", "bo", stdin=PASSWORD)
    assert said == "bo has a new password, and all its sign-ins have ended\n"
    assert check_password(PASSWORD, store.password("bo"))
    assert not is_signed_in(store, session)
    assert "8 to 1024 characters" in office.fails("user", "password", "bo", code=1, stdin="short")
    assert check_password(PASSWORD, store.password("bo"))


@pytest.mark.parametrize("command", [["role", "x", "admin"], ["disable", "x"], ["enable", "x"], ["password", "x"]])
def test_an_unknown_name_is_said(office: Office, store: Store, command: list[str]) -> None:
    said = office.fails("user", *command, code=1, stdin=PASSWORD)
    assert said == "there is no account 'x': alonechat user list shows all there are"


# --- invite ---


def test_an_invite_is_made_listed_and_revoked(office: Office, store: Store) -> None:
    code = office.ok("invite", "new", "--role", "moderator", "--uses", "3", "--days", "0").strip()
    kept = store.invite(code)
    assert kept is not None
    assert (kept.role, kept.uses, kept.expires) == ("moderator", 3, 0)
    assert office.ok("invite", "list") == f"{code}\tmoderator\t3\tnever\tcommand line\n"
    assert json.loads(office.ok("invite", "list", "--json"))[0]["code"] == code
    assert office.ok("invite", "revoke", code) == f"the invite {code} is revoked\n"
    assert store.invite(code) is None
    assert office.fails("invite", "revoke", code, code=1).startswith(f"there is no invite '{code}'")


def test_an_invite_holds_a_week_for_one_unless_told(office: Office, store: Store) -> None:
    kept = store.invite(office.ok("invite", "new").strip())
    assert kept is not None
    assert (kept.role, kept.uses, kept.expires - kept.created) == ("member", 1, 7 * DAY)


def test_the_first_invite_can_be_made_before_the_first_start(office: Office) -> None:
    assert office.ok("invite", "new", "--role", "owner").strip() in office.ok("invite", "list")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--uses", "0"], "an invite has 1 use or more, not 0"),
        (["--days=-1"], "days must be from 0 (for ever) to 36500, not -1"),
        (["--days", "nan"], "days must be from 0 (for ever) to 36500, not nan"),
        (["--role", "king"], "a role is one of"),
    ],
)
def test_an_impossible_invite_is_refused(office: Office, options: list[str], said: str) -> None:
    assert said in office.fails("invite", "new", *options, code=1)


# --- token ---


def test_tokens_come_one_a_line_in_the_order_of_the_names_each_with_a_row(office: Office, store: Store) -> None:
    lines = office.ok("token", "bo", "Ana", "bo", "--days", "2").splitlines()
    secret, now = (office.data / "jwt.secret").read_bytes().strip(), time.time_ns() // 1_000_000
    signed = [read_token(secret, line, now) for line in lines]
    assert [name for name, _ in signed] == ["bo", "ana", "bo"]
    for name, id in signed:
        row = store.session(id)
        assert row is not None
        assert (row.username, row.device, row.expires - row.created, row.revoked) == (name, "token", 2 * DAY, False)
    claims = jwt.decode(lines[0], secret, algorithms=["HS256"])
    assert set(claims) == {"sub", "jti", "iat", "exp"}
    assert len({id for _, id in signed}) == 3


def test_all_makes_one_for_everybody_who_may_sign_in(office: Office, store: Store) -> None:
    office.add("cy")
    office.ok("user", "disable", "cy")
    names = [
        jwt.decode(line, options={"verify_signature": False})["sub"] for line in office.ok("token", "--all").split()
    ]
    assert sorted(names) == ["ana", "bo"]
    kept = store.sessions("ana")[0]
    assert kept.expires - kept.created == 30 * DAY


@pytest.mark.parametrize(
    ("name", "said"), [("x", "there is no account 'x'"), ("bo", "bo is disabled: alonechat user enable")]
)
def test_one_name_that_can_not_sign_in_makes_no_token_at_all(
    office: Office, store: Store, name: str, said: str
) -> None:
    office.ok("user", "disable", "bo")
    assert office.fails("token", "ana", name, code=1).startswith(said)
    assert store.sessions() == []


def test_another_secret_than_the_server_has_is_refused(office: Office, store: Store) -> None:
    secret = "s" * 40
    office.ok("token", "ana", JWT_SECRET=secret)
    assert store.setting("secret_fingerprint") == fingerprint(secret.encode())
    said = office.fails("token", "ana", code=2)
    assert said.startswith("the server of this database signs with another secret than the one in ")
    assert "than JWT_SECRET" in office.fails("token", "ana", code=2, JWT_SECRET="t" * 40)
    assert len(store.sessions("ana")) == 1
    office.ok("token", "ana", JWT_SECRET=secret)


def test_a_token_holds_some_time(office: Office, store: Store) -> None:
    assert "days must be from just over 0 to 36500, not 0" in office.fails("token", "ana", "--days", "0", code=1)

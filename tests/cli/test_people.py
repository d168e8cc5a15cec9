"""People out of CSV: what is understood, and which line is named when it is not."""

from __future__ import annotations

import pytest

from alonechat.admin import Newcomer
from alonechat.cli.people import read_people
from alonechat.errors import Rejected


def refusal(data: bytes | str) -> str:
    """What is said against this file."""
    with pytest.raises(Rejected) as caught:
        read_people(data.encode() if isinstance(data, str) else data)
    return caught.value.text


def test_all_but_the_first_field_may_be_empty_or_missing() -> None:
    assert read_people(b"ana\nbo,Bo the Great,admin,correct horse\ncy,,,\n") == [
        Newcomer("ana", "ana"),
        Newcomer("bo", "Bo the Great", "admin", "correct horse"),
        Newcomer("cy", "cy"),
    ]


def test_a_header_is_recognized_and_may_change_the_order() -> None:
    people = [Newcomer("ana", "Ana", "owner")]
    assert read_people(b"username,display_name,role,password\nana,Ana,owner,\n") == people
    assert read_people(b"\n Role , USERNAME,display_name\nowner,ana,Ana\n") == people


def test_utf8_with_a_byte_order_mark_and_windows_line_ends() -> None:
    text = "username,display_name\r\n小明,小明 同学\r\nÉmile,\r\n"
    assert read_people(b"\xef\xbb\xbf" + text.encode()) == [Newcomer("小明", "小明 同学"), Newcomer("émile", "émile")]


def test_fields_in_quotes_and_passwords_as_they_are() -> None:
    assert read_people(b' ana ,"Ana, the ""first""",," a b,c d "\n') == [
        Newcomer("ana", 'Ana, the "first"', "member", " a b,c d ")
    ]


def test_an_empty_file_is_nobody() -> None:
    assert read_people(b"") == []
    assert read_people(b"username,role\n\n , \n") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("ana\nb o\n", "line 2: a name has 1 to 32 letters or digits"),
        ("ana,,king\n", "line 1: a role is one of member, moderator, admin, owner, not 'king'"),
        ("ana,,,short\n", "line 1: a password has 8 to 1024 characters; this one has 5"),
        ("ana,a\tb\n", "line 1: a display name holds no control"),
        ("ana\n\nbo\nANA\n", "line 4: ana stands in line 1 already"),
        ("everyone\n", "line 1: the name everyone is reserved"),
        ("ana,,,,extra\n", "line 1: it has 5 fields, not 4 or less"),
        ("username,color\n", "line 1: the columns are username, display_name, role, password, each once; not 'color'"),
        ("username,role,role\n", "each once; not 'role'"),
        ('ana\n"bo\n', "line 2: it is not CSV"),
        ('ana,"Ana"x\n', "line 1: it is not CSV"),
        (b"ana\nbo\nl\xe9a\n", "line 3: it is not UTF-8"),
        (",Ana\n", "line 1: a name has 1 to 32"),
    ],
)
def test_the_line_is_named(data: bytes | str, said: str) -> None:
    assert refusal(data).startswith(said) or said in refusal(data)


def test_a_line_is_counted_where_it_begins_though_fields_hold_line_ends() -> None:
    assert refusal('ana,,,"long\npassword"\nb o\n').startswith("line 3: ")


def test_a_password_is_never_repeated() -> None:
    assert "hunter2" not in refusal("ana,,,hunter2\n")


def test_many_mistakes_are_listed_up_to_ten() -> None:
    said = refusal("b o\n" * 13)
    assert said.count("line ") == 10
    assert said.endswith("; and 3 more lines")

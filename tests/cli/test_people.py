"""People out of CSV: what is understood, and which line is named when it is not."""

from __future__ import annotations

import pytest

from alonechat.admin import Newcomer
from alonechat.cli.people import read_people
from alonechat.errors import ConfigError, Rejected


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


@pytest.mark.parametrize("shown", ["显示名称", "姓名", "显示名", "昵称"])
def test_a_header_may_be_chinese(shown: str) -> None:
    people = [Newcomer("lilei", "李雷", "admin", "correct horse")]
    assert read_people(f"用户名,{shown},角色,密码\nlilei,李雷,admin,correct horse\n".encode()) == people
    assert read_people(f"密码, {shown} ,用户名,角色\ncorrect horse,李雷,lilei,admin\n".encode()) == people
    assert read_people(f"{shown},用户名\n李雷,lilei\n".encode()) == [Newcomer("lilei", "李雷")]
    assert read_people(f"username,{shown},Role,密码\nlilei,李雷,admin,correct horse\n".encode()) == people


CLASS = "用户名{0}姓名\r\nlilei{0}李雷\r\nhanmeimei{0}韩梅梅\r\n"
PUPILS = [Newcomer("lilei", "李雷"), Newcomer("hanmeimei", "韩梅梅")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tabs_and_semicolons_separate_too(separator: str) -> None:
    assert read_people(("\n" + CLASS.format(separator)).encode()) == PUPILS


def test_the_first_line_says_what_separates() -> None:
    assert read_people(b"ana,Ana;B\n") == [Newcomer("ana", "Ana;B")]
    assert read_people(b"ana\tAna;B\n") == [Newcomer("ana", "Ana;B")]
    people = [Newcomer("ana", "A; B"), Newcomer("bo", "Bo, too")]
    assert read_people(b'ana;"A; B"\nbo;"Bo, too"\n') == people


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_the_unicode_text_of_excel_is_read(mark: bytes, encoding: str) -> None:
    assert read_people(mark + CLASS.format("\t").encode(encoding)) == PUPILS


@pytest.mark.parametrize("encoding", ["gb18030", "GBK", "big5", "utf-16-le", "utf_8"])
def test_a_file_is_read_in_the_encoding_that_is_told(encoding: str) -> None:
    assert read_people("ana,大明\n".encode(encoding), encoding) == [Newcomer("ana", "大明")]


def test_a_byte_order_mark_says_more_than_what_is_told() -> None:
    assert read_people(b"\xef\xbb\xbf" + CLASS.format(",").encode(), "gb18030") == PUPILS
    assert read_people(CLASS.format("\t").encode("utf-16"), "gb18030") == PUPILS


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        ("ana\n李雷\n".encode("gb18030"), "utf-8", "line 2: it is not UTF-8: in Excel, save it as 'CSV UTF-8'"),
        (b"ana\nbo,\xff\n", "gbk", "line 2: it is not gbk: give --encoding with what the file is written in"),
        ("\u0a0a,\n\u0a0a\n".encode("utf-16") + b"\x00\xd8\n\x00", "utf-16", "line 3: it is not utf-16: "),
        (b"\xff", "idna", "it is not idna: "),
    ],
)
def test_what_is_not_in_that_encoding_is_refused_by_line(data: bytes, encoding: str, said: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_people(data, encoding)
    assert said in caught.value.text


@pytest.mark.parametrize("name", ["klingon", "", "hex", "rot13", "a\0b", "中文"])
@pytest.mark.parametrize("data", [b"", b"ana\n", b"\xef\xbb\xbfana\n"])
def test_an_encoding_that_there_is_not_is_said(name: str, data: bytes) -> None:
    with pytest.raises(ConfigError, match="--encoding takes an encoding that Python knows, such as utf-8-sig, gb18030"):
        read_people(data, name)


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
        ("username,color\n", "line 1: the columns are username (用户名), display_name (显示名称), role (角色), "),
        ("username,color\n", "password (密码), each once; not 'color'"),
        ("username,role,role\n", "each once; not 'role'"),
        ("用户名,班级\n", "each once; not '班级'"),
        ("用户名,姓名,昵称\n", "each once; not '姓名'"),
        ("姓名,角色\n李雷,member\n", "line 1: there is no column username (用户名) among these"),
        ('ana\n"bo\n', "line 2: it is not CSV"),
        ('ana,"Ana"x\n', "line 1: it is not CSV"),
        (
            b"ana\nbo\nl\xe9a\n",
            "line 3: it is not UTF-8: in Excel, save it as 'CSV UTF-8', or give --encoding gb18030",
        ),
        ("ana;Ana;king\n", "line 1: a role is one of"),
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

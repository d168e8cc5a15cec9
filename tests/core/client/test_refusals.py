"""What a real server refuses, in the language that a person reads."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client import words
from alonechat.core.client.live import Elsewhere
from alonechat.core.client.model import Arrived, Told
from alonechat.core.client.moment import Moment
from alonechat.core.client.refusals import retold, translated
from alonechat.core.client.rows import rows
from alonechat.core.client.signin import Newcomer, in_thread, look, register, sign_in
from alonechat.core.client.templates import LONGEST, noted, understood, worded
from alonechat.core.client.transport import Closed, End
from alonechat.errors import AloneChatError, Rejected
from alonechat.testing import PASSWORD
from tests.core.client.cable import Cable
from tests.core.client.face import Face, account
from tests.core.client.test_runner import Place, end


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    words.choose("zh")
    yield
    words.choose("en")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    found.end()
    found.settings = {"registration": "open", "rate_messages": 0, "max_file": 1000}
    found.begin()
    yield found
    for face in found.faces:
        face.close()
    found.end()


def reasons(face: Face, target: str) -> list[str | None]:
    """Why what is written in a conversation was refused, as a face draws it."""
    return [row.reason for row in rows(face.model, target, Moment(2e9, None)) if row.state == "refused"]


def told(face: Face, text: str, target: str = "#lobby") -> str:
    """What comes back for a command."""
    before = len(face.seen)
    face.runner.say(target, text)
    return str(face.until(lambda: [c.text for c in face.seen[before:] if isinstance(c, Told)], "an answer")[0])


def asked(face: Face, type: str, **fields: Any) -> tuple[str, str]:
    """The code and the sentence of a request that is refused."""
    _none, error = face.answer(lambda then: face.runner.request({"type": type, **fields}, then))
    assert isinstance(error, Rejected) and error.text == str(error)
    return error.code, error.text


def fails(work: Coroutine[Any, Any, Any]) -> str:
    """What a face's form says of a sign-in."""
    heard: list[AloneChatError | None] = []
    in_thread(work, lambda result, error: heard.append(error)).join(10)
    return str(heard[0])


# --- the sentences ---


def test_the_longest_template_that_fits_is_the_one() -> None:
    assert worded("no room #a") == "没有聊天室 #a"
    assert worded("no room #a; JOIN makes it") == "没有聊天室 #a；加入即可创建"
    assert worded("/slow is for moderators of #rooms") == "/slow 仅供 #rooms 的版主使用"
    assert worded("/shout is for admins") == "/shout 仅供管理员使用"
    assert worded("there is no command /; /help lists all; // begins a text with a slash").startswith("没有命令 /；")


def test_fields_that_hold_words_or_sentences_are_translated_and_names_are_not() -> None:
    assert worded("password must be at least 8 characters, not 5") == "密码至少要有 8 个字符，而不是 5 个"
    assert worded("content is missing: it must be a string") == "缺少内容：须为字符串"
    assert worded("no user member") == "没有用户 member"
    assert worded("no conversation 'x y': a display name has 1 to 64 characters, not 0") == (
        "没有会话 'x y'：显示名称须为 1 到 64 个字符，而不是 0 个"
    )
    assert (
        worded("attachments number 1: content is missing: it must be a string") == "附件第 1 项：缺少内容：须为字符串"
    )
    assert worded("use it as /kick <name>") == "用法：/kick <用户名>"
    assert worded("no user {0} {name}") == "没有用户 {0} {name}"


def test_how_a_command_is_called_is_told_without_what_it_does_too() -> None:
    assert noted("/greet <name>") == "/greet <用户名>"
    assert noted("/greet <name>: dice") == "/greet <用户名>: 掷骰子"
    assert noted("/greet") == "/greet" and noted("/greet: what for") == "/greet: what for"


def test_commands_follow_another_language(place: Place) -> None:
    words.choose("en")
    ana = place.face().start().connected().open()
    ana.until(lambda: "/msg" in ana.model.commands)
    english = ana.model.commands["/msg"]
    words.choose("zh")
    ana.model.reword()
    assert ana.model.commands["/msg"] == ("/msg <用户名> <文字>", "给某人发私聊消息")
    words.choose("en")
    ana.model.reword()
    assert ana.model.commands["/msg"] == english == ("/msg <name> <text>", "write to somebody privately")


def test_an_address_before_a_sentence_stays() -> None:
    ended = "wss://chat.example/: this sign-in has ended; sign in again: alonechat login ana"
    assert worded(ended) == "wss://chat.example/: 登录已失效；请重新登录：alonechat login ana"
    assert worded("ws://127.0.0.1:8765: the connection was lost") == "ws://127.0.0.1:8765: 连接已断开"
    assert worded("ws://127.0.0.1:8765: bye") == "ws://127.0.0.1:8765: bye"


@pytest.mark.parametrize(
    "sentence",
    ["", "please be kind", "a rule of this house: no room for that", "没有聊天室", "no user " + LONGEST * "x"],
)
def test_what_no_template_is_like_stays_as_it_came(sentence: str) -> None:
    assert understood(sentence) is None and worded(sentence) == sentence


def test_in_english_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    words.choose("en")
    monkeypatch.setattr("alonechat.core.client.templates._patterns", None)
    error = Rejected("not_found", "no room #a")
    assert worded("no room #a") == "no room #a" and retold(error) is error


def test_an_error_keeps_all_but_its_sentence() -> None:
    error = Rejected("rate_limited", "too many attempts; try again in 7 s", 7.0)
    fresh = retold(error)
    assert (type(fresh), fresh.code, fresh.retry_after, fresh.text) == (Rejected, "rate_limited", 7.0, str(fresh))
    assert str(fresh) == "尝试次数过多；请在 7 秒后重试" and error.text == "too many attempts; try again in 7 s"
    closed = retold(Closed(End.GOING, "the server goes down", 1001))
    assert (str(closed), closed.end, closed.code) == ("服务器正在关闭", End.GOING, 1001)
    assert str(retold(Elsewhere("id"))).startswith("该地址现在是另一台服务器")


def test_what_somebody_says_is_no_refusal() -> None:
    event = {"type": "TEXT", "content": "no room #a"}
    for change in (Arrived("#lobby", event, True), Told("#lobby", "no room #a", 1.0)):
        assert translated(change) == change


# --- a real server ---


def test_a_refused_text_is_explained_in_chinese_and_kept_as_the_server_said_it(place: Place) -> None:
    ana, bo = place.face().start().connected(), place.person()
    bo.asks(type="JOIN", target="#house")
    ana.open("#house")
    ana.runner.say("#house", "may I?")
    assert ana.until(lambda: reasons(ana, "#house")) == ["你不是 #house 的成员；请先加入"]
    ana.close()
    with closing(sqlite3.connect(next((place.folder / "home").rglob("*.db")))) as disk:
        assert "you are not a member of #house; join it first" in "\n".join(disk.iterdump())
    again = place.again(ana).start().open("#house")
    assert reasons(again, "#house") == ["你不是 #house 的成员；请先加入"]
    words.choose("en")
    assert reasons(again, "#house") == ["you are not a member of #house; join it first"]


def test_requests_and_commands_are_refused_in_chinese(place: Place) -> None:
    ana = place.face().start().connected().open()
    assert asked(ana, "JOIN", target="#all") == ("conflict", "#all 是保留名称；请换一个")
    assert asked(ana, "LEAVE", target="#lobby") == ("forbidden", "#lobby 无法退出：所有人都在其中")
    assert asked(ana, "TEXT", target="nobody", content="hi") == ("not_found", "没有这个用户")
    code, text = asked(ana, "TEXT", content="x" * 4001)
    assert (code, text) == ("too_long", "一条消息最多 4000 个字符，而这条有 4001 个；请分开发送")
    assert asked(ana, "TOPIC", target="#lobby", content="t") == ("forbidden", "只有该聊天室的版主可以设置话题")
    code, text = asked(ana, "JOIN", target="#a b")
    assert code == "not_found" and text.startswith("没有会话 '#a b'：名称须为 1 到 32 个字母、汉字或数字")
    assert told(ana, "/kcik bo") == "没有命令 /kcik；是否指 /kick？"
    assert told(ana, "/kick") == "用法：/kick <用户名>"
    assert told(ana, "/kick bo") == "只有 #lobby 的版主可以这样做"
    assert told(ana, "/plugins") == "/plugins 仅供管理员使用"


def test_answers_of_commands_are_chinese(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected().open()
    assert told(ana, "/nick 小安") == "你的显示名称现在是 小安。"
    assert told(ana, "/mute") == "你不会再收到 #lobby 的通知。"
    assert told(ana, "/topic") == "#lobby 没有话题；用 /topic <文字> 设置"
    assert told(ana, "/remind me in 20m tea") == "将在 20m 后提醒你。"
    bo.asks(type="PRESENCE", content="away")
    ana.until(lambda: ana.model.presence.get("bo") == "away")
    assert told(ana, "/who") == "#lobby：2 人中有 2 人在线：ana, bo (离开)"
    helped = told(ana, "/help").splitlines()
    assert "/kick <用户名>: 将某人移出聊天室" in helped and "/roll 2d6+1: 掷骰子" in helped
    assert ana.model.commands["/msg"] == ("/msg <用户名> <文字>", "给某人发私聊消息")
    told_twice = len([change for change in ana.seen if isinstance(change, Told)])
    bo.asks(type="JOIN", target="#house")
    ana.runner.join("#house")
    ana.until(lambda: "#house" in ana.model.conversations)
    bo.asks(type="TEXT", target="#house", content="/mute ana")
    ana.until(lambda: len([change for change in ana.seen if isinstance(change, Told)]) > told_twice)
    assert [c.text for c in ana.seen if isinstance(c, Told)][-1] == "你在 #house 中已被禁言，仍可查看消息。"


def test_what_a_face_asks_for_is_answered_in_chinese(place: Place) -> None:
    ana = place.face().start().connected().open()
    ana.runner.join("#house")
    ana.until(lambda: "#house" in ana.model.conversations)
    frame, error = ana.answer(lambda then: ana.runner.command("#house", "/help kick", then))
    assert error is None and frame["content"] == "/kick <用户名>: 将某人移出聊天室"


@pytest.mark.parametrize("text", ["Backup on Friday.", "ping: pong", "/x: a plugin's own words\n\nof two", ""])
def test_what_a_plugin_of_ones_own_tells_stays_as_it_came(text: str) -> None:
    assert noted(text) == text
    words.choose("en")
    assert noted("There are no plugins.") == "There are no plugins."


def test_what_a_plugin_stops_is_explained_in_chinese(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected()
    bo.asks(type="JOIN", target="#house")
    ana.runner.join("#house")
    ana.until(lambda: "#house" in ana.model.conversations)
    ana.open("#house")
    bo.asks(type="TEXT", target="#house", content="/slow 30")
    for text in ("one", "two"):
        ana.runner.say("#house", text)
    assert ana.until(lambda: reasons(ana, "#house"))[0] in [f"慢速模式：请在 {n} 秒后再发言" for n in (29, 30)]
    bo.asks(type="TEXT", target="#house", content="/lockdown")
    ana.runner.say("#house", "three")
    ana.until(lambda: "#house 已锁定：只有版主可以发言" in reasons(ana, "#house"))
    bo.asks(type="TEXT", target="#house", content="/lockdown off")
    bo.asks(type="TEXT", target="#house", content="/slow off")
    bo.asks(type="TEXT", target="#house", content="/words add fie")
    ana.runner.say("#house", "fie!")
    ana.until(lambda: "这里不允许使用该词。" in reasons(ana, "#house"))


def test_a_form_says_in_chinese_why_nobody_is_signed_in(place: Place) -> None:
    there = asyncio.run(look(place.server.url))
    place.server.register("ana")
    assert fails(register(there, Newcomer("ana", PASSWORD))) == "用户名 ana 已被占用；请换一个"
    assert fails(register(there, Newcomer("cy", "short"))) == "密码至少要有 8 个字符，而不是 5 个"
    assert fails(register(there, Newcomer("cy", PASSWORD, "cy", "none"))) == "邀请码无效或已失效：请索取新的邀请码"
    assert fails(sign_in(there, "ana", "wrong password")) == "用户名或密码错误"
    place.end()
    assert fails(look(there.url)).startswith(f"无法连接 {there.url}：")


def test_a_file_that_the_server_refuses(place: Place, tmp_path: Path) -> None:
    ana = place.face().start().connected().open()
    path = tmp_path / "plan.pdf"
    path.write_bytes(b"%PDF" * 500)

    def upload(then: Callable[[Any, Exception | None], None]) -> None:
        ana.runner.rest(lambda rest: rest.upload(path), then)

    _none, error = ana.answer(upload)
    assert str(error) == "该服务器接收的文件最大为 1000 bytes；请缩小文件，或改发链接"


def test_the_end_of_a_connection_says_why_in_chinese(place: Place) -> None:
    ana = place.face().start().connected()
    place.end()
    ana.until(lambda: ana.model.connection.reason.endswith(": 服务器正在关闭"), "the server's goodbye")
    ana.until(lambda: ana.model.connection.reason.startswith("无法连接 "), "an attempt without a server")
    place.begin()
    asyncio.run(end(ana.runner.account))
    ana.runner.hurry()
    ana.until(lambda: ana.model.connection.state == "signed out")
    assert "登录已失效；请重新登录：alonechat login ana" in ana.model.connection.reason


def test_a_torn_connection_says_so_in_chinese(place: Place) -> None:
    with closing(Cable(place.server.manager.ports["websocket"])) as cable:
        who = replace(account(place.server, "ana"), ws_url=f"ws://127.0.0.1:{cable.port}")
        ana = Face(who, place.folder / "home")
        place.faces.append(ana)
        ana.start().connected()
        cable.most = 0
        ana.runner.say("#lobby", "into the void")
        ana.until(lambda: ana.model.connection.reason.endswith(": 连接已断开"), "the loss")

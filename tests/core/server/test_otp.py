"""One-time codes: what authenticator apps make, when they are asked for, and that each signs in once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from alonechat.core.server import factors, otp
from alonechat.testing import PASSWORD, Clock, Server, serving

SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_6238 = {
    59: "287082",
    1_111_111_109: "081804",
    1_111_111_111: "050471",
    1_234_567_890: "005924",
    2_000_000_000: "279037",
    20_000_000_000: "353130",
}
"""Appendix B: seconds, and the last six of the eight digits for SHA-1."""
CLOCK = Clock()


@pytest.mark.parametrize(("seconds", "expected"), RFC_6238.items())
def test_codes_are_those_of_the_standard(seconds: int, expected: str) -> None:
    assert otp.code(SECRET, seconds * 1000 // otp.PERIOD) == expected
    assert otp.step_of(SECRET, expected, seconds * 1000) == seconds // 30


@pytest.mark.parametrize("away", [-2, -1, 0, 1, 2])
def test_a_code_holds_a_step_before_and_after(away: int) -> None:
    code = otp.code(SECRET, 1000 + away)
    assert otp.step_of(SECRET, code, 1000 * otp.PERIOD) == (1000 + away if abs(away) < 2 else None)


@pytest.mark.parametrize(
    "typed", ["081804", " 081 804\n", "081-804", "081\N{EN DASH}804\N{ZERO WIDTH SPACE}", "０８１８０４"]
)
def test_a_code_is_taken_as_people_type_it(typed: str) -> None:
    assert otp.step_of(SECRET, typed, 1_111_111_109_000) == 1_111_111_109 // 30


@pytest.mark.parametrize("typed", ["", "81804", "0818040", "٠٨١٨٠٤x", "abcdef", "08180\N{SUPERSCRIPT FOUR}x", "\udc80"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert otp.step_of(SECRET, typed, 1_111_111_109_000) is None
    otp.digest(typed)


def test_a_picture_names_server_and_account() -> None:
    found = urlsplit(otp.uri(SECRET, "学校: chat", "小明"))
    assert (found.scheme, found.netloc, unquote(found.path)) == ("otpauth", "totp", "/学校  chat:小明")
    assert parse_qs(found.query) == {"secret": [SECRET], "issuer": ["学校  chat"]}


def test_secrets_and_recovery_codes_are_fresh_and_their_groups_do_not_count() -> None:
    assert otp.new_secret() != otp.new_secret() and len(base64.b32decode(otp.new_secret())) == 20
    codes = otp.new_recoveries()
    assert len(set(codes)) == otp.RECOVERIES and not any(otp.is_timed(each) for each in codes)
    assert otp.digest(codes[0]) == otp.digest(codes[0].replace("-", " ").upper()) != otp.digest(codes[1])


# --- at a server ---


class Account:
    """Somebody with a password, and an authenticator app once there is a secret."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name, self.secret = server, name, ""
        server.register(name)
        self.token = server.token(name)

    def post(self, path: str, **body: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.post(self.server.url + path, json=body, headers=headers, trust_env=False)

    def me(self) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self.token}"}
        return dict(httpx.get(self.server.url + "/me", headers=headers, trust_env=False).json())

    def login(self, code: str | None = None, password: str = PASSWORD) -> httpx.Response:
        body = {"username": self.name, "password": password, **({} if code is None else {"otp": code})}
        return httpx.post(self.server.url + "/login", json=body, trust_env=False)

    def code(self, away: int = 0) -> str:
        return otp.code(self.secret, CLOCK() // otp.PERIOD + away)

    def turn_on(self) -> list[str]:
        found = self.post("/me/otp", password=PASSWORD)
        assert found.status_code == 201, found.text
        self.secret = found.json()["secret"]
        found = self.post("/me/otp/on", otp=self.code())
        assert found.status_code == 200, found.text
        CLOCK.forward(30)
        return list(found.json()["recovery_codes"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("otp"), CLOCK, rate_logins=1000) as running:
        yield running


def refused(found: httpx.Response) -> tuple[int, str, str | None]:
    error = found.json()["error"]
    return found.status_code, error["code"], error.get("needs")


def test_once_turned_on_the_password_alone_signs_in_no_more(server: Server) -> None:
    ana = Account(server, "ana")
    assert ana.me()["otp"] is False and "recovery_codes" not in ana.me()
    offered = ana.post("/me/otp", password=PASSWORD).json()
    assert offered["secret"] in offered["uri"]
    assert ana.login().status_code == 200, "what is only offered is not asked for"
    codes = ana.turn_on()
    assert len(codes) == 10 and ana.me()["otp"] is True and ana.me()["recovery_codes"] == 10
    assert refused(ana.login()) == refused(ana.login("")) == (401, "unauthorized", "otp")
    assert refused(ana.login(ana.code(), "wrong words")) == (401, "unauthorized", None), "says nothing of the code"
    assert ana.login(ana.code()).status_code == 200
    assert ana.me()["username"] == "ana", "who was signed in stays so"


def test_a_code_signs_in_once_and_none_before_it(server: Server) -> None:
    bo = Account(server, "bo")
    bo.turn_on()
    assert bo.login(bo.code(-2)).status_code == 401
    assert bo.login(bo.code()).status_code == 200
    for late in (bo.code(), bo.code(-1)):
        assert refused(bo.login(late)) == (401, "unauthorized", "otp")
    assert bo.login(bo.code(1)).status_code == 200
    CLOCK.forward(60)
    assert bo.login(bo.code()).status_code == 200


def test_the_code_that_turned_it_on_signs_in_no_more(server: Server) -> None:
    cy = Account(server, "cy")
    cy.turn_on()
    assert cy.login(cy.code(-1)).status_code == 401


def test_of_many_sign_ins_with_one_code_at_the_same_time_one_is_good(server: Server) -> None:
    di = Account(server, "di")
    spare = di.turn_on()[0]
    for code in (di.code(), spare):
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _n, code=code: di.login(code).status_code, range(8)))
        assert sorted(found) == [200] + 7 * [401]


def test_a_recovery_code_signs_in_once(server: Server) -> None:
    eve = Account(server, "eve")
    codes = eve.turn_on()
    assert eve.login(codes[3].upper().replace("-", " ")).status_code == 200
    assert eve.login(codes[3]).status_code == 401
    assert eve.me()["recovery_codes"] == 9
    assert eve.login("aaaa-bbbb-cccc").status_code == 401
    assert eve.login(codes[4]).status_code == 200


def test_wrong_codes_are_counted_by_account_and_a_recovery_code_helps(server: Server) -> None:
    fay = Account(server, "fay")
    codes = fay.turn_on()
    good = {fay.code(away) for away in (-1, 0, 1)}
    wrong = next(each for each in ("000000", "111111", "222222", "333333") if each not in good)
    for _ in range(factors.WRONG):
        assert refused(fay.login(wrong)) == (401, "unauthorized", "otp")
    found = fay.login(fay.code())
    assert refused(found)[:2] == (429, "rate_limited") and "recovery code" in found.json()["error"]["message"]
    assert int(found.headers["retry-after"]) > 200
    assert fay.login(codes[0]).status_code == 200, "whoever lost nothing but time"
    parts = server.manager.auth.factors._parts
    began = parts.now
    try:
        parts.now = lambda: began() + factors.SECONDS
        assert fay.login(fay.code()).status_code == 200
    finally:
        parts.now = began


def test_right_codes_are_not_counted(server: Server) -> None:
    gil = Account(server, "gil")
    gil.turn_on()
    for _ in range(factors.WRONG + 2):
        assert gil.login(gil.code()).status_code == 200
        CLOCK.forward(30)


def test_turning_it_off_needs_password_and_code(server: Server) -> None:
    hal = Account(server, "hal")
    hal.turn_on()
    assert refused(hal.post("/me/otp/off", password="wrong words", otp=hal.code()))[:2] == (403, "forbidden")
    assert refused(hal.post("/me/otp/off", password=PASSWORD, otp="aaaa-bbbb-cccc"))[:2] == (403, "forbidden")
    assert hal.login().status_code == 401
    found = hal.post("/me/otp/off", password=PASSWORD, otp=hal.code())
    assert found.status_code == 200 and found.json()["otp"] is False
    assert hal.login().status_code == 200
    assert refused(hal.post("/me/otp/off", password=PASSWORD, otp=hal.code()))[:2] == (409, "conflict")
    old = hal.secret
    codes = hal.turn_on()
    assert hal.secret != old and hal.login(codes[0]).status_code == 200


def test_turning_it_on_needs_the_password_and_a_right_code(server: Server) -> None:
    ida = Account(server, "ida")
    assert refused(ida.post("/me/otp", password="wrong words"))[:2] == (403, "forbidden")
    assert refused(ida.post("/me/otp/on", otp="123456"))[:2] == (409, "conflict"), "nothing was offered"
    ida.secret = ida.post("/me/otp", password=PASSWORD).json()["secret"]
    old = ida.code()
    ida.secret = ida.post("/me/otp", password=PASSWORD).json()["secret"]
    if old != ida.code():
        assert refused(ida.post("/me/otp/on", otp=old))[:2] == (403, "forbidden"), "another offer took its place"
    assert ida.login().status_code == 200
    assert ida.post("/me/otp/on", otp=ida.code()).status_code == 200
    assert refused(ida.post("/me/otp", password=PASSWORD))[:2] == (409, "conflict"), "it is on"
    found = ida.post("/me/otp/on", otp=ida.code())
    assert refused(found)[:2] == (409, "conflict") and "turn them off first" in found.json()["error"]["message"]


def test_who_was_locked_out_and_turned_them_off_turns_them_on_again(server: Server) -> None:
    kim = Account(server, "kim")
    codes = kim.turn_on()
    wrong = next(each for each in ("000000", "111111") if each not in {kim.code(away) for away in (-1, 0, 1)})
    assert {kim.login(wrong).status_code for _ in range(factors.WRONG + 1)} == {401, 429}
    assert kim.post("/me/otp/off", password=PASSWORD, otp=codes[0].replace("-", "\N{EN DASH}")).status_code == 200
    kim.turn_on()
    assert kim.login(kim.code()).status_code == 429, "wrong ones still count"


def test_it_survives_a_restart_and_whoever_runs_the_server_can_end_it(tmp_path: Path) -> None:
    from alonechat import admin

    with serving(tmp_path, CLOCK) as server:
        jo = Account(server, "jo")
        codes = jo.turn_on()
        assert jo.login(jo.code()).status_code == 200
        settings = server.settings
    CLOCK.forward(30)
    with serving(tmp_path, CLOCK) as server:
        jo.server = server
        assert jo.login().status_code == jo.login(jo.code(-1)).status_code == 401
        assert jo.login(codes[0]).status_code == 200
        with admin.opened(settings) as store:
            assert store.factors() == ["jo"]
            assert admin.forget_otp(store, "Jo") == "jo"
            assert store.factors() == [] and store.factor("jo") is None
        assert jo.login().status_code == 200

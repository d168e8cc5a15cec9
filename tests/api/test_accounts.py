"""Registration, sign-in, one's own account, sign-ins, the list of users."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from .conftest import PASSWORD, Person, Server


def code(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


def test_registering_gives_the_account_under_its_mapped_name(server: Server) -> None:
    found = server.register("Zoë", display_name="Zoë Zed")
    assert found.status_code == 201, found.text
    assert found.json()["username"] == "zoë"
    assert found.json()["display_name"] == "Zoë Zed"
    assert found.json()["role"] in ("member", "owner")


def test_a_chinese_name_works(server: Server) -> None:
    assert server.register("小明").json()["username"] == "小明"
    assert server.sign_in("小明").get("/me").json()["username"] == "小明"


def test_a_taken_name_is_a_conflict_in_every_spelling(server: Server, ana: Person) -> None:
    found = server.register("ANA")
    assert (found.status_code, code(found)) == (409, "conflict")


@pytest.mark.parametrize("name", ["", "a b", "#room", "_x", "x" * 33, "server", "everyone", "a\u202eb"])
def test_a_bad_name_is_refused(server: Server, name: str) -> None:
    found = server.register(name)
    assert (found.status_code, code(found)) in ((422, "invalid"), (409, "conflict")), found.text
    if name not in ("server", "everyone"):
        assert found.status_code == 422


def test_a_password_has_eight_characters(server: Server) -> None:
    found = httpx.post(server.url + "/register", json={"username": "shorty", "password": "7 chars"}, trust_env=False)
    assert (found.status_code, code(found)) == (422, "invalid")
    assert "at least 8 characters, not 7" in found.json()["error"]["message"]


def test_where_registration_is_closed_or_by_invitation_strangers_stay_out(another: Callable[..., Server]) -> None:
    closed = another(registration="invite")
    assert httpx.get(closed.url + "/server", trust_env=False).json()["registration"] == "invite"
    without, bad = closed.register("eve"), closed.register("eve", invite="made-up")
    assert (without.status_code, code(without)) == (403, "forbidden")
    assert (bad.status_code, code(bad)) == (403, "forbidden")


def test_signing_in_gives_a_token_and_the_address_of_the_socket(server: Server, ana: Person) -> None:
    found = server.login("ana")
    assert found.status_code == 200
    said = found.json()
    assert said["token_type"] == "Bearer"
    assert said["user"] == {key: value for key, value in ana.get("/me").json().items() if key in said["user"]}
    assert said["expires_at"].endswith("Z")
    assert said["ws_url"].rstrip("/") == f"ws://127.0.0.1:{server.port}"


@pytest.mark.parametrize("host", ["chat.example:8766", "localhost", "[::1]:8766"])
def test_the_sockets_address_fits_the_host_that_the_client_used(server: Server, ana: Person, host: str) -> None:
    name = host if host.endswith("]") else host.rsplit(":", 1)[0] if host != "localhost" else host
    assert server.login("ana", Host=host).json()["ws_url"].rstrip("/") == f"ws://{name}:{server.port}"


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(server: Server, ana: Person) -> None:
    wrong, unknown = server.login("ana", "wrong horse"), server.login("nobody-here", "wrong horse")
    assert (wrong.status_code, code(wrong)) == (401, "unauthorized")
    assert wrong.json() == unknown.json()
    assert wrong.headers["www-authenticate"] == "Bearer"


def test_too_many_failed_sign_ins_have_to_wait(another: Callable[..., Server]) -> None:
    server = another(rate_logins="3")
    server.register("ana")
    codes = [server.login("ana", f"guess number {n}").status_code for n in range(6)]
    assert codes[:3] == [401, 401, 401]
    late = server.login("ana", "one more guess")
    assert (late.status_code, code(late)) == (429, "rate_limited")
    assert int(late.headers["retry-after"]) >= 1


def test_renewing_gives_a_new_token_and_the_old_one_holds_for_a_while(server: Server) -> None:
    server.person("renata")
    once = server.sign_in("renata")
    found = once.post("/renew")
    assert found.status_code == 200, found.text
    assert found.json()["token"] != once.token
    assert once.get("/me").status_code == 200
    again = Person("renata", found.json()["token"], server.url, found.json()["ws_url"])
    assert again.get("/me").status_code == 200


def test_logging_out_ends_the_token_and_nothing_else(server: Server) -> None:
    stays = server.person("lou")
    goes = server.sign_in("lou")
    (other,) = [id for id in _ids(stays) if id != _mine(stays)]
    assert goes.post("/logout").json() == {"id": other}
    gone = goes.get("/me")
    assert (gone.status_code, code(gone)) == (401, "unauthorized")
    assert stays.get("/me").status_code == 200


def _ids(person: Person) -> list[str]:
    return [each["id"] for each in person.get("/me/sessions").json()["items"]]


def _mine(person: Person) -> str:
    return str(person.get("/me").json()["session"])


def test_sign_ins_are_listed_with_the_asking_one_marked_and_can_be_ended(server: Server) -> None:
    here = server.person("sid")
    there = server.sign_in("sid")
    listed = here.get("/me/sessions").json()
    assert {each["id"] for each in listed["items"] if each["current"]} == {_mine(here)}
    assert all("httpx" in each["device"] for each in listed["items"])
    ended = here.http.delete(f"/me/sessions/{_mine(there)}")
    assert ended.status_code == 200
    assert there.get("/me").status_code == 401
    assert _ids(here) == [_mine(here)]
    again = here.http.delete(f"/me/sessions/{ended.json()['id']}")
    assert (again.status_code, code(again)) == (404, "not_found")


def test_all_others_end_at_once(server: Server) -> None:
    here = server.person("sue")
    others = [server.sign_in("sue") for _ in range(3)]
    ended = here.http.delete("/me/sessions")
    assert ended.status_code == 200 and len(ended.json()["ended"]) == 3
    assert [each.get("/me").status_code for each in others] == [401, 401, 401]
    assert _ids(here) == [_mine(here)] and here.http.delete("/me/sessions").json() == {"ended": []}


def test_nobody_ends_the_sign_in_of_another(server: Server, ana: Person, bo: Person) -> None:
    assert ana.http.delete(f"/me/sessions/{_mine(bo)}").status_code == 404
    assert bo.get("/me").status_code == 200


def test_the_display_name_changes_and_another_ones_username_is_refused(server: Server, ana: Person, bo: Person) -> None:
    dee = server.person("dee")
    assert dee.http.patch("/me", json={"display_name": "Dee Dee"}).json()["display_name"] == "Dee Dee"
    assert dee.get("/me").json()["display_name"] == "Dee Dee"
    taken = dee.http.patch("/me", json={"display_name": "bo"})
    assert taken.status_code in (409, 422), taken.text
    assert dee.http.patch("/me", json={"display_name": "a\u202eb"}).status_code == 422
    assert dee.http.patch("/me", json={}).status_code == 422


def test_a_new_password_needs_the_old_one_and_ends_the_other_sign_ins(server: Server) -> None:
    here = server.person("pat")
    there = server.sign_in("pat")
    assert here.http.patch("/me", json={"password": "battery staple"}).status_code == 422
    wrong = here.http.patch("/me", json={"password": "battery staple", "old_password": "wrong"})
    assert wrong.status_code == 403, wrong.text
    right = here.http.patch("/me", json={"password": "battery staple", "old_password": PASSWORD})
    assert right.status_code == 200, right.text
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 401
    assert server.login("pat").status_code == 401
    assert server.login("pat", "battery staple").status_code == 200


def test_users_come_in_pages_by_name_with_presence(server: Server, ana: Person, bo: Person) -> None:
    everybody: list[str] = []
    more, after = True, {}
    while more:
        page = ana.get("/users", limit=2, **after).json()
        everybody += [each["username"] for each in page["items"]]
        more, after = page["more"], {"after": everybody[-1]}
    assert everybody == sorted(everybody)
    assert {"ana", "bo"} <= set(everybody)
    with bo.socket():
        shown = {each["username"]: each["presence"] for each in ana.get("/users", limit=200).json()["items"]}
    assert shown["bo"] == "online"
    assert shown["ana"] == "offline"

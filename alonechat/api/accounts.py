"""Accounts over REST: registration, sign-in, one's own account and its sign-ins, the list of users."""

from __future__ import annotations

import heapq
from typing import Any

from starlette.responses import Response

from alonechat.api.call import Call
from alonechat.api.route import Row, answer
from alonechat.api.schemas import ref
from alonechat.core import message
from alonechat.core.fields import Field
from alonechat.core.server.accounts import Attempt, Registration, SignedIn
from alonechat.core.store.records import Account
from alonechat.errors import Rejected

GROUP = "Accounts"
PASSWORD: dict[str, Any] = {"least": 1, "most": 1024}
OTP: dict[str, Any] = {"least": 1, "most": 32}
NEW_PASSWORD: dict[str, Any] = {"least": 8, "most": 1024}


async def register(call: Call) -> Response:
    """Make an account."""
    given = call.body
    wanted = Registration(
        given["username"], given["password"], given.get("invite"), given.get("display_name"), call.address
    )
    return answer((await call.server.auth.register(wanted)).profile(), 201)


def _signed_in(call: Call, signed: SignedIn) -> Response:
    return answer(
        {
            "token": signed.token,
            "token_type": "Bearer",
            "expires_at": signed.expires_at,
            "user": signed.account.profile(),
            "ws_url": call.ws_url,
        }
    )


async def login(call: Call) -> Response:
    """Sign in with a password."""
    given = call.body
    tried = Attempt(given["username"], given["password"], given.get("otp"), call.address, call.device)
    return _signed_in(call, await call.server.auth.login(tried))


async def renew(call: Call) -> Response:
    """Trade the token for a new one."""
    return _signed_in(call, await call.server.auth.renew(call.who, call.device))


async def logout(call: Call) -> Response:
    """End the sign-in that asks."""
    await call.server.auth.end(call.who.username, call.who.session_id)
    return answer({"id": call.who.session_id})


async def _me(call: Call, account: Account) -> Response:
    factor = await call.server.auth.factors.of(account.username)
    return answer(
        {
            **account.profile(),
            "created": message.stamp(account.created),
            "session": call.who.session_id,
            "otp": factor is not None,
            "recovery_codes": factor.left if factor is not None else None,
        }
    )


async def me(call: Call) -> Response:
    """One's own account."""
    return await _me(call, call.who.account)


async def offer_otp(call: Call) -> Response:
    """Make a secret for one-time codes."""
    offered = await call.server.auth.offer_factor(call.who, call.body["password"])
    return answer({"secret": offered.secret, "uri": offered.uri}, 201)


async def turn_otp_on(call: Call) -> Response:
    """Ask for one-time codes from now on."""
    return answer({"recovery_codes": await call.server.auth.factors.confirm(call.who.username, call.body["otp"])})


async def turn_otp_off(call: Call) -> Response:
    """Ask for one-time codes no longer."""
    await call.server.auth.drop_factor(call.who, call.body["password"], call.body["otp"])
    return await _me(call, call.who.account)


async def change_me(call: Call) -> Response:
    """Change one's own display name, password, or both."""
    given, account = call.body, call.who.account
    new, old, name = given.get("password"), given.get("old_password"), given.get("display_name")
    if new is None and name is None:
        raise Rejected("invalid", "nothing to change: give display_name, or password with old_password")
    if new is not None and old is None:
        raise Rejected("invalid", "old_password is missing: a new password needs the one that holds now")
    if name is not None:  # before the password: a display name that is refused must not leave a changed password behind
        account = await call.server.journey.rename(call.who.username, name)
    if new is not None:
        assert old is not None  # looked at above
        await call.server.auth.change_password(call.who, old, new)
    return await _me(call, account)


async def sessions(call: Call) -> Response:
    """One's own sign-ins that hold."""
    found = await call.server.read(call.server.store.sessions, call.who.username)
    items = [
        {
            "id": each.id,
            "device": each.device,
            "created": message.stamp(each.created),
            "expires": message.stamp(each.expires),
            **({"seen": message.stamp(each.seen)} if each.seen else {}),
            "current": each.id == call.who.session_id,
        }
        for each in sorted(found, key=lambda each: each.created, reverse=True)
    ]
    return answer({"items": items, "more": False})


async def end_session(call: Call) -> Response:
    """End one of one's own sign-ins."""
    wanted = call.part("id")
    if not await call.server.auth.end(call.who.username, wanted):
        raise Rejected("not_found", "you have no such sign-in: GET /me/sessions lists those that hold")
    return answer({"id": wanted})


async def end_others(call: Call) -> Response:
    """End one's own sign-ins, but the one that asks."""
    ended = await call.server.auth.end_others(call.who)
    return answer({"ended": ended})


async def users(call: Call) -> Response:
    """All accounts, by username."""
    after, limit = call.query.get("after", ""), call.query.get("limit", message.PAGE)
    later = (each for each in call.server.directory.all() if each.username > after)
    found = heapq.nsmallest(limit + 1, later, key=lambda each: each.username)
    items = [
        {
            **each.profile(),
            "presence": call.server.delivery.presence(each.username),
            **({"standing": each.standing} if each.standing != "active" else {}),
        }
        for each in found[:limit]
    ]
    return answer({"items": items, "more": len(found) > limit})


USERNAME = Field(
    "username", required=True, least=1, most=128, help="1 to 32 letters or digits of any script, inner . _ -"
)
CODE = Field("otp", required=True, help="the code that the device shows now", **OTP)
AFTER_NAME = Field("after", least=1, most=128, help="a username: those that come after it")

ROWS = (
    Row(
        "POST",
        "/register",
        register,
        "Make an account",
        GROUP,
        {201: ref("Account")},
        body=(
            USERNAME,
            Field("password", required=True, **NEW_PASSWORD),
            Field("invite", least=1, most=128, help="the code of an invitation, where registration needs one"),
            Field("display_name", least=1, most=64),
        ),
        errors=("conflict", "forbidden", "rate_limited"),
        signed=False,
    ),
    Row(
        "POST",
        "/login",
        login,
        "Sign in with a password",
        GROUP,
        {200: ref("SignedIn")},
        body=(
            USERNAME,
            Field("password", required=True, **PASSWORD),
            Field("otp", most=OTP["most"], help="a one-time or recovery code, where the account asks for one"),
        ),
        errors=("unauthorized", "forbidden", "rate_limited"),
        signed=False,
    ),
    Row(
        "POST",
        "/renew",
        renew,
        "Trade the token for a new one; the old one holds for 60 s more",
        GROUP,
        {200: ref("SignedIn")},
    ),
    Row("POST", "/logout", logout, "End this sign-in and its connections", GROUP, {200: ref("Ended")}),
    Row("GET", "/me", me, "Your account", GROUP, {200: ref("Me")}),
    Row(
        "PATCH",
        "/me",
        change_me,
        "Change your display name or password; a new password ends your other sign-ins",
        GROUP,
        {200: ref("Me")},
        body=(
            Field("display_name", least=1, most=64),
            Field("password", help="the new one", **NEW_PASSWORD),
            Field("old_password", help="the one that holds now", **PASSWORD),
        ),
        errors=("conflict", "rate_limited"),
    ),
    Row(
        "POST",
        "/me/otp",
        offer_otp,
        "Make a secret for one-time codes; they are asked for once you confirm it",
        GROUP,
        {201: ref("Offered")},
        body=(Field("password", required=True, help="yours", **PASSWORD),),
        errors=("conflict", "rate_limited"),
    ),
    Row(
        "POST",
        "/me/otp/on",
        turn_otp_on,
        "Confirm the secret with a code: signing in asks for one from now on",
        GROUP,
        {200: ref("Recoveries")},
        body=(CODE,),
        errors=("conflict", "rate_limited"),
    ),
    Row(
        "POST",
        "/me/otp/off",
        turn_otp_off,
        "Sign in with the password alone again",
        GROUP,
        {200: ref("Me")},
        body=(
            Field("password", required=True, help="yours", **PASSWORD),
            Field("otp", required=True, help="a code of the device, or a recovery code", **OTP),
        ),
        errors=("conflict", "rate_limited"),
    ),
    Row("GET", "/me/sessions", sessions, "Your sign-ins", GROUP, {200: ref("Sessions")}),
    Row("DELETE", "/me/sessions", end_others, "End all sign-ins of yours but this one", GROUP, {200: ref("EndedAll")}),
    Row(
        "DELETE",
        "/me/sessions/{id}",
        end_session,
        "End a sign-in of yours and its connections",
        GROUP,
        {200: ref("Ended")},
        errors=("not_found",),
    ),
    Row(
        "GET",
        "/users",
        users,
        "All accounts, by username, with presence",
        GROUP,
        {200: ref("Users")},
        query=(AFTER_NAME, message.LIMIT),
    ),
)

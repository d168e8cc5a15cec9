"""Webhooks: other programs post into rooms, and rooms' messages are posted to other programs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import HandlerPluginBase, PluginMetadata

WAITS = (1, 5, 30, 120, 600, 3600)
"""Seconds until what could not be delivered is tried again; after the last it is given up, which is logged."""
SHORTEST = 16
"""Characters of a secret in `[webhooks.in]`: it is all that keeps strangers out."""
TIMEOUT = 10.0


class Webhooks(HandlerPluginBase):
    """In `plugins.toml`: `[webhooks.in]`, `"a long secret" = "#room"`: `POST /hooks/{secret}` with `{"text"}` posts
    there. `[[webhooks.out]]`, `url`, and any of `room`, `keyword`, `secret`, `private = true` (an address of this
    network is allowed): each message that fits is posted to `url` as JSON, signed with `secret`."""

    _metadata = PluginMetadata("webhooks", "1.0.0", "webhooks in and out", "AloneChat")

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        into, out = context.settings.get("in", {}), context.settings.get("out", [])
        if not isinstance(into, dict) or not all(isinstance(room, str) for room in into.values()):
            raise Rejected("invalid", 'plugins.toml: [webhooks.in] has lines such as "a long secret" = "#room"')
        if not isinstance(out, list) or not all(isinstance(each, dict) for each in out):
            raise Rejected(
                "invalid", 'plugins.toml: of webhooks out each is a table: [[webhooks.out]], url = "https://…"'
            )
        self._in, self._out = dict(into), [dict(each) for each in out]
        short = [room for secret, room in self._in.items() if len(secret) < SHORTEST]
        if short:
            raise Rejected("invalid", f"the secret for {short[0]} needs {SHORTEST} characters or more")
        wrong = [each for each in self._out if urlsplit(str(each.get("url", ""))).scheme not in ("http", "https")]
        if wrong:
            raise Rejected("invalid", f'[[webhooks.out]] needs url = "https://…", not {wrong[0].get("url")!r}')
        self.phases = (HookPhase.POST_MESSAGE,) if self._out else ()
        for key, (out, body, tries) in context.store.items("out:").items():
            self._deliver(key, out, body, tries)

    # --- in ---

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        """Post what a program sent. False: no secret of ours. Raises Rejected."""
        room = next((r for known, r in self._in.items() if hmac.compare_digest(known.encode(), secret.encode())), None)
        if room is None:
            return False
        who = f"**{body['username']}**: " if body.get("username") else ""
        await self.context.say(room, who + str(body["text"]))
        return True

    # --- out ---

    def handle(self, context: HookContext) -> None:
        event = context.event
        if event is None or event["type"] != "TEXT" or event["sender"] == self._metadata.name:
            return
        if not str(event["target"]).startswith("#"):
            return
        for out in self._out:
            if out.get("room") not in (None, event["target"]):
                continue
            if str(out.get("keyword", "")).casefold() in event["content"].casefold():
                key = f"out:{event['id']}:{secrets.token_hex(4)}"
                body = json.dumps({"text": _said(event), **event}, ensure_ascii=False)
                self.context.store.set(key, [out, body, 0])
                self._deliver(key, out, body, 0)

    def _deliver(self, key: str, out: dict[str, Any], body: str, tries: int, wait: float = 0) -> None:
        async def try_now() -> None:
            why = await self._post(out, body)
            if not why:
                self.context.store.delete(key)
            elif tries >= len(WAITS) or why.startswith("never"):
                self.context.logger.error("a webhook was given up", url=_shown(out), why=why, tries=tries + 1)
                self.context.store.delete(key)
            else:
                self.context.logger.warning("a webhook is tried again", url=_shown(out), why=why, wait=WAITS[tries])
                self.context.store.set(key, [out, body, tries + 1])
                self._deliver(key, out, body, tries + 1, WAITS[tries])

        self.context.at(self.context.now() + wait, try_now)

    async def _post(self, out: dict[str, Any], body: str) -> str:
        """Why it failed; nothing when it was taken."""
        import httpx

        parts = urlsplit(str(out["url"]))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, proto=6)
        except OSError as error:
            return f"{parts.hostname} has no address ({error.strerror or error})"
        address = found[0][4][0]
        if not out.get("private") and not ipaddress.ip_address(address).is_global:
            return f"never: {parts.hostname} is {address}, an address of a private network; private = true allows it"
        # the address that was looked at is the one that is connected to: a name could be another the next time
        host = f"[{address}]" if ":" in str(address) else str(address)
        url = parts._replace(netloc=f"{host}:{port}").geturl()
        headers = {"Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json"}
        if out.get("secret"):
            digest = hmac.new(str(out["secret"]).encode(), body.encode(), hashlib.sha256).hexdigest()
            headers["X-AloneChat-Signature"] = f"sha256={digest}"
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=parts.scheme == "https") as client:
                more = {"sni_hostname": parts.hostname}
                answer = await client.post(url, content=body.encode(), headers=headers, extensions=more)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
            return f"it answered {answer.status_code}"
        return "" if answer.is_success else f"never: it answered {answer.status_code}"


def _said(event: dict[str, Any]) -> str:
    """A message as one text, for programs that show nothing else: what was written, and what its files are called."""
    files = [f"[{each['name']}]" for each in event.get("attachments") or ()]
    return " ".join(filter(None, [event["content"], *files]))


def _shown(out: dict[str, Any]) -> str:
    """An address without the path, which may be a secret."""
    parts = urlsplit(str(out["url"]))
    return f"{parts.scheme}://{parts.hostname}"

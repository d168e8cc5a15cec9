"""`POST /hooks/{secret}`: other programs' webhooks, as Slack and Mattermost take them."""

from __future__ import annotations

from starlette.responses import Response

from alonechat.api.call import Call
from alonechat.api.route import Row, answer
from alonechat.api.schemas import ref
from alonechat.core.fields import Field
from alonechat.errors import Rejected

GROUP = "Webhooks"


async def receive(call: Call) -> Response:
    """What came in goes to the plugin that knows the secret."""
    guests = call.server.journey.guests
    if guests is None or not await guests.receive(call.part("secret"), call.body):
        raise Rejected("not_found", "no webhook has this secret")
    return answer({"status": "ok"})


ROWS = (
    Row(
        "POST",
        "/hooks/{secret}",
        receive,
        "A webhook of another program; the secret says which room it writes to",
        GROUP,
        {200: ref("Status")},
        body=(
            Field("text", required=True, least=1, help="what to say"),
            Field("username", least=1, most=64, help="who says it; shown before the text"),
        ),
        errors=("not_found", "forbidden", "rate_limited", "conflict"),
        signed=False,
        form=True,
    ),
)

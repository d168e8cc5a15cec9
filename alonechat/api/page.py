"""GET /docs: one page that shows the OpenAPI description and tries it out, without any other host."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from alonechat.api.call import Call


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy under which a browser runs the script and the style in it and nothing else."""
    html = files("alonechat.api").joinpath("docs.html").read_text("utf-8")
    style, script = (_sums(html, tag) for tag in ("style", "script"))
    policy = (
        f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html, policy


def _sums(html: str, tag: str) -> str:
    """The sources of a Content-Security-Policy for every inline block of this tag."""
    blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    sums = (base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks)
    return " ".join(f"'sha256-{each}'" for each in sums)


async def docs(call: Call) -> Response:
    """The page."""
    html, policy = _page()
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": policy})

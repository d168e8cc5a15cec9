"""The table of all endpoints: routes, checks, description and documentation come out of these rows."""

from __future__ import annotations

from alonechat.api import accounts, conversations, files, hooks, service
from alonechat.api.route import Row

TABLE: tuple[Row, ...] = (*accounts.ROWS, *conversations.ROWS, *files.ROWS, *hooks.ROWS, *service.ROWS)

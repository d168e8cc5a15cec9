"""The parts of a running server that its doors share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from alonechat.config import Settings
from alonechat.core.bus import Bus, LocalBus
from alonechat.core.server.delivery import Delivery
from alonechat.core.server.directory import Directory
from alonechat.core.server.hooks import Hooks
from alonechat.core.server.keep import Keep
from alonechat.core.server.limits import Buckets
from alonechat.core.server.metrics import Metrics


@dataclass(slots=True)
class Parts:
    """What the journey, the accounts and the connections work with. `now` is a monotonic clock in seconds.

    `logins` and `addresses` count failed sign-ins, by (username, address) and by address.
    """

    settings: Settings
    keep: Keep
    directory: Directory
    delivery: Delivery
    metrics: Metrics
    hooks: Hooks
    bus: Bus = field(default_factory=LocalBus)
    now: Callable[[], float] = time.monotonic
    messages: Buckets = field(init=False)
    logins: Buckets = field(init=False)
    addresses: Buckets = field(init=False)

    def __post_init__(self) -> None:
        given = self.settings
        self.messages = Buckets(given.rate_messages, given.rate_burst)
        self.logins = Buckets(given.rate_logins / 60, given.rate_logins)
        self.addresses = Buckets(given.rate_logins_address / 60, given.rate_logins_address)

"""The plugins that come with the server, one small file each. They use nothing that other plugins can't."""

from __future__ import annotations

from alonechat.plugins.builtin.dice import Dice
from alonechat.plugins.builtin.keywords import Keywords
from alonechat.plugins.builtin.moderation import Moderation
from alonechat.plugins.builtin.poll import Poll
from alonechat.plugins.builtin.remind import Remind
from alonechat.plugins.builtin.webhooks import Webhooks
from alonechat.plugins.builtin.welcome import Welcome
from alonechat.plugins.builtin.words import Words
from alonechat.plugins.contract import PluginBase

BUILT_IN: tuple[type[PluginBase], ...] = (Dice, Poll, Remind, Words, Keywords, Welcome, Moderation, Webhooks)

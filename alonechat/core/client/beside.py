"""Other windows of the same user share the file: what they write, discard or refuse is told to this one's face."""

from __future__ import annotations

from alonechat.core.client.cache import Cache
from alonechat.core.client.model import Change, Drafted, Kept, Settled
from alonechat.core.client.shelf import Shelf
from alonechat.core.client.uploading import shown


class Beside:
    """Drafts and the outbox, as this window last saw them on disk."""

    def __init__(self) -> None:
        self._drafts: dict[str, str] = {}
        self._outbox: dict[str, str] = {}

    def draft(self, target: str, text: str) -> None:
        """This window wrote a draft itself."""
        self._drafts[target] = text

    def look(self, cache: Cache, shelf: Shelf | None = None) -> list[Change]:
        """What is different from the last look; only that, so that nothing is put over what is just being typed."""
        drafts, entries = cache.drafts(), {entry.nonce: entry for entry in cache.outbox()}
        texts = {target: drafts.get(target, "") for target in {*drafts, *self._drafts}}
        found: list[Change] = [Drafted(t, text) for t, text in texts.items() if self._drafts.get(t, "") != text]
        found += [Kept(shown(e, shelf)) for n, e in entries.items() if self._outbox.get(n) != e.code]
        found += [Settled(nonce, 0) for nonce in self._outbox if nonce not in entries]
        self._drafts, self._outbox = drafts, {nonce: entry.code for nonce, entry in entries.items()}
        return found

"""REST: the same door as the WebSocket, for those who ask and wait for the answer."""

from alonechat.api.app import create_app
from alonechat.api.serve import Rest

__all__ = ["Rest", "create_app"]

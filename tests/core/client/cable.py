"""A cable to a server's port that breaks where a test wants it to."""

from __future__ import annotations

import socket
import struct
import threading

TORN = struct.pack("ii", 1, 0)
"""SO_LINGER without a wait: the other end gets a reset, as when a machine is gone."""


class Cable:
    """Connections to `port` here are carried to `to`. `most`: the next one that carries more bytes is torn; once."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.most: int | None = None
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._open, daemon=True).start()

    def _open(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return  # closed
            far = socket.create_connection(("127.0.0.1", self.to))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        carried = 0
        try:
            while piece := source.recv(1 << 14):
                carried += len(piece)
                if self.most is not None and carried > self.most:
                    self.most = None
                    for end in (source, sink):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, TORN)
                        end.shutdown(socket.SHUT_RDWR)
                    break
                sink.sendall(piece)
        except OSError:
            pass  # the other end is gone; so is this one, below
        source.close()
        sink.close()

    def close(self) -> None:
        """Carry nothing more."""
        self._door.close()

"""What the server counts: Prometheus metrics of one server, in a registry of its own."""

from __future__ import annotations

from alonechat.core.imports import bare

bare("prometheus_client")  # the whole brings web servers along

from prometheus_client.metrics import Counter, Gauge, Histogram  # noqa: E402
from prometheus_client.registry import CollectorRegistry  # noqa: E402

_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """Counters and histograms; every name begins with `alonechat_`."""

    def __init__(self) -> None:
        kept = self._registry = CollectorRegistry()
        self.connections = Gauge("alonechat_connections", "Signed-in connections", registry=kept)
        self.events = Counter("alonechat_events_total", "Events committed", registry=kept)
        self.deliveries = Counter("alonechat_deliveries_total", "Events given to outboxes", registry=kept)
        self.commit = Histogram("alonechat_commit_seconds", "Time of one group commit", buckets=_SECONDS, registry=kept)
        self.fanout = Histogram(
            "alonechat_fanout_seconds", "Time of one fan-out over all members", buckets=_SECONDS, registry=kept
        )
        self.outbox = Gauge("alonechat_outbox_bytes", "Bytes that wait in outboxes", registry=kept)
        self.lag = Gauge("alonechat_loop_lag_seconds", "How late the loop's last timer was", registry=kept)
        self.uploads = Counter("alonechat_uploads_total", "Files taken in", registry=kept)
        self.files = Gauge("alonechat_files_bytes", "Bytes of the files that are kept", registry=kept)
        self.refusals = Counter("alonechat_refusals_total", "Requests refused", ["code"], registry=kept)

    def refused(self, code: str) -> None:
        """Count one refusal."""
        self.refusals.labels(code).inc()

    def render(self) -> bytes:
        """All of it in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

"""What the server counts: Prometheus metrics of one server, in a registry of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from alonechat.core.imports import bare

bare("prometheus_client")  # the whole brings web servers along

from prometheus_client.metrics import Counter, Gauge  # noqa: E402
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric  # noqa: E402
from prometheus_client.registry import CollectorRegistry  # noqa: E402

from alonechat.core.server.tallies import BOUNDS, Durations, Tally  # noqa: E402


class Metrics:
    """Counters and histograms; every name begins with `alonechat_`."""

    def __init__(self) -> None:
        kept = self._registry = CollectorRegistry()
        self.connections = Gauge("alonechat_connections", "Signed-in connections", registry=kept)
        self.events, self.deliveries = Tally(), Tally()
        self.commit, self.fanout = Durations(), Durations()
        kept.register(self)
        self.outbox = Gauge("alonechat_outbox_bytes", "Bytes that wait in outboxes", registry=kept)
        self.lag = Gauge("alonechat_loop_lag_seconds", "How late the loop's last timer was", registry=kept)
        self.uploads = Counter("alonechat_uploads_total", "Files taken in", registry=kept)
        self.files = Gauge("alonechat_files_bytes", "Bytes of the files that are kept", registry=kept)
        self.refusals = Counter("alonechat_refusals_total", "Requests refused", ["code"], registry=kept)

    def collect(self) -> Iterator[Metric]:
        """What is counted for each message, for the registry."""
        yield CounterMetricFamily("alonechat_events", "Events committed", self.events.total)
        yield CounterMetricFamily("alonechat_deliveries", "Events given to outboxes", self.deliveries.total)
        yield _histogram("alonechat_commit_seconds", "Time of one group commit", self.commit)
        yield _histogram("alonechat_fanout_seconds", "Time of one fan-out over all members", self.fanout)

    def refused(self, code: str) -> None:
        """Count one refusal."""
        self.refusals.labels(code).inc()

    def render(self) -> bytes:
        """All of it in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)


def _histogram(name: str, what: str, durations: Durations) -> HistogramMetricFamily:
    counts = accumulate(durations.counts)
    buckets = list(zip([*map(str, BOUNDS), "+Inf"], counts, strict=True))
    return HistogramMetricFamily(name, what, buckets, durations.seconds)

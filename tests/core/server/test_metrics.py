"""What is counted for each message reaches Prometheus as counters and histograms."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from alonechat.core.server.metrics import Metrics
from alonechat.core.server.tallies import BOUNDS


def read(metrics: Metrics) -> dict[tuple[str, str], float]:
    """(name, bound) and value of every sample."""
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_counts_are_counters() -> None:
    metrics = Metrics()
    metrics.events.add(2)
    metrics.events.add(3)
    found = read(metrics)
    assert found["alonechat_events_total", ""] == 5 and found["alonechat_deliveries_total", ""] == 0
    assert "# TYPE alonechat_events_total counter" in metrics.render().decode()


def test_durations_are_a_histogram_whose_buckets_add_up() -> None:
    metrics = Metrics()
    for seconds in (0.0001, 0.00011, 0.004, 0.005, 7.0):
        metrics.commit.observe(seconds)
    found = read(metrics)
    name = "alonechat_commit_seconds"
    bounds = {bound: found[f"{name}_bucket", bound] for bound in [*map(str, BOUNDS), "+Inf"]}
    assert list(bounds.values()) == [1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 5]
    assert found[f"{name}_count", ""] == 5 and abs(found[f"{name}_sum", ""] - 7.00921) < 1e-9
    assert "# TYPE alonechat_commit_seconds histogram" in metrics.render().decode()

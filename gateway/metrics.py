"""What alerting reads: counters and histograms with bounded labels, never an identity.

Names and labels are those of the contracts' section 8. The hot path touches plain dictionaries; a
collector turns them into metric families when `/metrics` is read (prometheus-client's own counters
cost ten times as much a request).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

# Seconds. From a warm decision (tens of microseconds) to a provider call (seconds).
DECISION_BUCKETS_S = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5)
UPSTREAM_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)

Labels = tuple[str, ...]


class Counter:
    """A monotonic count for each combination of label values."""

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        """Start empty; a counter without labels starts at 0."""
        self.name, self.text, self.labels = name, text, labels
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, values: Labels = (), amount: float = 1) -> None:
        """Count `amount` more for these label values, in the order of `labels`."""
        self._values[values] = self._values.get(values, 0.0) + amount

    def mirror(self, count: float, values: Labels = ()) -> None:
        """Take over a count that its owner keeps itself; it never falls."""
        self._values[values] = max(count, self._values.get(values, 0.0))

    def value(self, values: Labels = ()) -> float:
        """Return the present count; 0 for label values never seen."""
        return self._values.get(values, 0.0)

    def family(self) -> Metric:
        """Return the metric family in prometheus-client's form."""
        family = CounterMetricFamily(
            self.name.removesuffix("_total"), self.text, labels=self.labels
        )
        for values, count in sorted(self._values.items()):
            family.add_metric(values, count)
        return family


class Gauge:
    """A value for each combination of label values; `set_all` replaces every one."""

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        """Start empty."""
        self.name, self.text, self.labels = name, text, labels
        self._values: dict[Labels, float] = {}

    def set(self, value: float, values: Labels = ()) -> None:
        """Set the value for these label values."""
        self._values[values] = value

    def set_all(self, values: Mapping[Labels, float]) -> None:
        """Replace all values: what is not named any more disappears."""
        self._values = dict(values)

    def value(self, values: Labels = ()) -> float:
        """Return the present value; 0 where none was set."""
        return self._values.get(values, 0.0)

    def family(self) -> Metric:
        """Return the metric family in prometheus-client's form."""
        family = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for values, value in sorted(self._values.items()):
            family.add_metric(values, value)
        return family


class Histogram:
    """Observations in seconds, in fixed buckets, for each combination of label values."""

    def __init__(
        self, name: str, text: str, bounds: tuple[float, ...], labels: Labels = ()
    ) -> None:
        """Start empty; `bounds` are the upper bounds of the buckets, ascending."""
        self.name, self.text, self.labels, self._bounds = name, text, labels, bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def timer(self, values: Labels = ()) -> Callable[[float], None]:
        """Return the function that counts one observation for these label values."""
        counts = self._counts.setdefault(values, [0] * (len(self._bounds) + 1))
        self._sums.setdefault(values, 0.0)
        bounds, sums = self._bounds, self._sums

        def observe(seconds: float) -> None:
            counts[bisect_left(bounds, seconds)] += 1
            sums[values] += seconds

        return observe

    def observe(self, seconds: float, values: Labels = ()) -> None:
        """Count one observation."""
        counts = self._counts.get(values)
        if counts is None:
            self.timer(values)(seconds)
            return
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[values] += seconds

    def family(self) -> Metric:
        """Return the metric family in prometheus-client's form."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        for values, counts in sorted(self._counts.items()):
            total, buckets = 0, []
            for bound, count in zip((*map(str, self._bounds), "+Inf"), counts, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric(values, buckets=buckets, sum_value=self._sums[values])
        return family


class Metrics(Collector):
    """Every metric of the gateway, and the collector that exports them.

    `refresh` is called before each export, so that gauges which mirror other state are current.
    """

    def __init__(self) -> None:
        """Make every metric once; the README's table lists the same names."""
        self.refresh: Callable[[], None] = lambda: None
        self.decisions = Counter(
            "facegate_decisions_total",
            "Decisions by outcome, first cause and deciding rule.",
            ("provider", "class", "outcome", "reason", "rule"),
        )
        self.candidate_decisions = Counter(
            "facegate_candidate_decisions_total",
            "What candidates say: same, would_refuse, would_permit, failed.",
            ("candidate", "class", "outcome"),
        )
        self.refused_by_country = Counter(
            "facegate_refused_by_country_total",
            "Refusals by the strictest location evidence; ZZ is unknown.",
            ("country",),
        )
        self.rejected = Counter(
            "facegate_rejected_total",
            "Requests refused before they could be read in one way.",
            ("reason",),
        )
        self.decision_seconds = Histogram(
            "facegate_decision_duration_seconds",
            "Time to judge a request, to hash the images that a rule asks for, to make it durable.",
            DECISION_BUCKETS_S,
            ("stage",),
        )
        self.upstream_seconds = Histogram(
            "facegate_upstream_request_duration_seconds",
            "Time from the first byte sent to the provider to the end of its answer.",
            UPSTREAM_BUCKETS_S,
            ("provider",),
        )
        self.upstream = Counter(
            "facegate_upstream_requests_total",
            "Exchanges with the provider by class of status; `error` where there was none.",
            ("provider", "status_class"),
        )
        self.policy_info = Gauge("facegate_policy_info", "The active policy.", ("digest",))
        self.reload_ok = Gauge(
            "facegate_policy_last_reload_successful", "Whether the last reload took effect."
        )
        self.reload_time = Gauge(
            "facegate_policy_last_success_timestamp_seconds", "When policy last took effect."
        )
        self.reloads = Counter(
            "facegate_policy_reloads_total", "Reloads of policy by result.", ("result",)
        )
        self.policy_staged = Gauge(
            "facegate_policy_staged_percent",
            "Share of the tenants of a staged policy.",
            ("digest",),
        )
        self.policy_fetched = Gauge(
            "facegate_policy_fetch_timestamp_seconds",
            "When the server that offers policy last answered.",
        )
        self.source_reload_ok = Gauge(
            "facegate_source_last_reload_successful",
            "Whether the last reload of a source took effect.",
            ("source",),
        )
        self.dataset_time = Gauge(
            "facegate_dataset_build_timestamp_seconds", "Build time of a data set.", ("dataset",)
        )
        self.jwks_time = Gauge(
            "facegate_jwks_last_success_timestamp_seconds",
            "When an issuer's keys were last fetched.",
            ("issuer",),
        )
        self.references_expiring = Gauge(
            "facegate_references_expiring",
            "References on file that end within their warning period.",
            ("kind",),
        )
        self.references_expired = Gauge(
            "facegate_references_expired", "References on file that have ended.", ("kind",)
        )
        self.references_report_due = Gauge(
            "facegate_references_report_due",
            "References on file of which a report is owed.",
            ("kind",),
        )
        self.audit_queue = Gauge("facegate_audit_queue_length", "Records not yet durable.")
        self.audit_healthy = Gauge("facegate_audit_healthy", "Whether records can be made durable.")
        self.audit_records = Counter("facegate_audit_records_total", "Records made durable.")
        self.audit_syncs = Counter("facegate_audit_syncs_total", "Syncs of the audit log.")
        self.audit_failures = Counter(
            "facegate_audit_write_failures_total", "Writes or syncs of the audit log that failed."
        )
        self.audit_size = Gauge("facegate_audit_tree_size", "Records under the Merkle root.")
        self.inflight = Gauge("facegate_inflight_requests", "Requests being handled.")
        self.shed = Counter(
            "facegate_shed_total", "Requests turned away before judging.", ("reason",)
        )
        self.fail_open = Counter(
            "facegate_fail_open_total",
            "Decisions weaker than strict; 0 unless opted in.",
            ("what",),
        )

    def members(self) -> tuple[Counter | Gauge | Histogram, ...]:
        """Return every metric, in the order of declaration."""
        return tuple(
            metric
            for metric in vars(self).values()
            if isinstance(metric, Counter | Gauge | Histogram)
        )

    def collect(self) -> Iterator[Metric]:
        """Export all metrics.

        Yields:
            One family a metric.
        """
        self.refresh()
        for metric in self.members():
            yield metric.family()

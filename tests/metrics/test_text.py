"""The library's own renderer writes, byte for byte, what prometheus-client writes for the same events."""

import math
from collections.abc import Callable, Iterable

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from sergas_metrics import MetricsCollector, MetricSpec, render
from sergas_metrics.types import Counter, Gauge, Histogram

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

names = st.from_regex(r"[a-z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
label_names = st.lists(
    st.from_regex(r"[a-z][a-zA-Z0-9_]{0,5}", fullmatch=True).filter(lambda name: name not in ("le", "quantile")),
    unique=True,
    max_size=3,
)
values = st.one_of(
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e16, 1e6, 999999.0, 999999.5, 1234567.0, -1e6, -0.0, 1e-7, 1e22]),
    st.integers(0, 10**9).map(float),
)
printable = st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"))
texts = st.text(printable, max_size=8) | st.sampled_from(['"a"', "b\\c", "%s%%"])
helps = texts | st.just("two\nlines")


class Pair:
    """A registry of ours and one of prometheus-client, with the same metrics in them."""

    def __init__(self) -> None:
        self.ours, self.theirs = CollectorRegistry(), CollectorRegistry()

    def add(self, spec: MetricSpec) -> tuple[Counter | Gauge | Histogram, prometheus_client.metrics.MetricWrapperBase]:
        kinds = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
        family = kinds[spec.kind](spec)
        self.ours.register(family)
        more = {"buckets": spec.buckets} if spec.kind == "histogram" else {}
        theirs = getattr(prometheus_client, spec.kind.title())(
            spec.name, spec.help, spec.labels, registry=self.theirs, unit=spec.unit, **more
        )
        return family, theirs

    def assert_same(self) -> None:
        assert render(source=self.ours).body == generate_latest(self.theirs)
        assert render(source=self.ours, accept=OPENMETRICS).body == generate_openmetrics(self.theirs)


@pytest.fixture(autouse=True)
def _no_created_series() -> Iterable[None]:
    """The library has none: Prometheus ignores them unless told otherwise."""
    prometheus_client.disable_created_metrics()
    yield
    prometheus_client.enable_created_metrics()


@given(names, helps, label_names, st.lists(st.tuples(st.lists(texts, min_size=3, max_size=3), values), max_size=4))
def test_gauges_are_written_alike(
    name: str, text: str, labels: list[str], samples: list[tuple[list[str], float]]
) -> None:
    pair = Pair()
    ours, theirs = pair.add(MetricSpec(f"g{name}", "gauge", text, tuple(labels)))
    for given_labels, value in samples:
        for metric in (ours, theirs):
            cell = metric.labels(*given_labels[: len(labels)]) if labels else metric
            cell.set(value)  # type: ignore[union-attr]
    pair.assert_same()


@given(names, helps, label_names, st.lists(st.tuples(st.lists(texts, min_size=3, max_size=3), values), max_size=4))
def test_counters_are_written_alike(
    name: str, text: str, labels: list[str], samples: list[tuple[list[str], float]]
) -> None:
    pair = Pair()
    ours, theirs = pair.add(MetricSpec(f"c{name}_total", "counter", text, tuple(labels)))
    for given_labels, value in samples:
        for metric in (ours, theirs):
            cell = metric.labels(*given_labels[: len(labels)]) if labels else metric
            cell.inc(abs(value))  # type: ignore[union-attr]
    pair.assert_same()


bounds = st.lists(
    st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.1, 1.0, 1e6, 2.5e7]),
    min_size=1,
    max_size=5,
    unique=True,
).map(lambda found: tuple(sorted(found)))


@given(bounds, label_names, st.lists(st.tuples(st.lists(texts, min_size=3, max_size=3), st.floats()), max_size=6))
def test_histograms_are_written_alike(
    buckets: tuple[float, ...], labels: list[str], samples: list[tuple[list[str], float]]
) -> None:
    pair = Pair()
    spec = MetricSpec("h_seconds", "histogram", "H.", tuple(labels), "seconds", buckets)
    ours, theirs = pair.add(spec)
    for given_labels, value in samples:
        for metric in (ours, theirs):
            cell = metric.labels(*given_labels[: len(labels)]) if labels else metric
            if not math.isnan(value):  # prometheus-client loses what is no number
                cell.observe(value)  # type: ignore[union-attr]
    pair.assert_same()


@pytest.mark.parametrize("count", [1, 1023, 1024, 999_999, 1_000_000, 1_234_567, 12_345_678_900])
def test_counts_of_any_size_are_written_alike(count: int) -> None:
    pair = Pair()
    ours, theirs = pair.add(MetricSpec("h", "histogram", "H.", ("a",), "", (1.0, 2.0)))
    ours.labels("x").counts[1] += count  # type: ignore[union-attr]
    theirs.labels("x")._buckets[1].inc(count)
    pair.assert_same()


def test_the_whole_catalogue_is_written_as_prometheus_client_would(metrics: MetricsCollector) -> None:
    metrics.http.record_request("GET", "/a", 200, 0.3)
    metrics.agent.record_failure("sync", KeyError("x"))
    assert render(source=metrics).body == generate_latest(metrics.registry)
    assert render(source=metrics, accept=OPENMETRICS).body == generate_openmetrics(metrics.registry)


class Foreign:
    """A collector of the application's own."""

    def collect(self) -> Iterable[Metric]:
        metric = Metric("queue", "A queue.", "gaugehistogram")
        metric.add_sample("queue_bucket", {"le": "+Inf"}, 3, timestamp=12.5)
        metric.add_sample("queue_gsum", {}, 4)
        return [metric]


def test_metrics_of_others_stand_beside_ours(metrics: MetricsCollector) -> None:
    prometheus_client.Summary("own_seconds", "The application's own.", registry=metrics.registry).observe(2)
    prometheus_client.Enum("state", "S.", states=["a", "b"], registry=metrics.registry)
    metrics.registry.register(Foreign())
    assert render(source=metrics).body == generate_latest(metrics.registry)
    assert render(source=metrics, accept=OPENMETRICS).body == generate_openmetrics(metrics.registry)


@pytest.mark.parametrize("scheme", ["underscores", "allow-utf-8", "dots", "values"])
@pytest.mark.parametrize("kind", ["text/plain", "application/openmetrics-text"])
def test_every_escaping_scheme_is_that_of_prometheus_client(metrics: MetricsCollector, scheme: str, kind: str) -> None:
    generate: Callable[..., bytes] = generate_latest if kind == "text/plain" else generate_openmetrics
    rendered = render(source=metrics, accept=f"{kind};version=1.0.0;escaping={scheme}")
    assert rendered.body == generate(metrics.registry, escaping=scheme)
    assert rendered.content_type.startswith(f"{kind}; version=1.0.0; charset=utf-8; escaping={scheme}")


class OwnFloat(float):
    """A number whose text is not Python's, as of numpy's."""

    def __repr__(self) -> str:
        return f"OwnFloat({float(self)})"

    __str__ = float.__repr__


def test_numbers_of_other_libraries_are_written_as_numbers(metrics: MetricsCollector) -> None:
    cell = metrics.zoho.accounts_synced.labels()
    cell.value = OwnFloat(3)
    assert b"\nsergas_zoho_accounts_synced_total 3.0\n" in render(source=metrics).body


def test_the_default_registry_is_rendered_unless_told_otherwise() -> None:
    assert b"python_info{" in render().body

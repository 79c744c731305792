"""The metrics of the digest are those that the chart's rules and dashboards know."""

from __future__ import annotations

from prometheus_client.metrics import MetricWrapperBase

from charts.exported import DIGEST
from sergas_digest import metrics


def test_the_chart_knows_every_metric_with_its_kind_and_labels() -> None:
    found = {}
    for value in vars(metrics).values():
        if isinstance(value, MetricWrapperBase):
            suffix = "_total" if value._type == "counter" else ""
            found[f"{value._name}{suffix}"] = (value._type, value._labelnames)
    assert found == DIGEST


def test_every_reason_is_exported_before_it_occurs() -> None:
    samples = [sample for metric in metrics.REJECTIONS.collect() for sample in metric.samples]
    assert {sample.labels["reason"] for sample in samples} == set(metrics.REJECTION_REASONS)


def test_the_series_of_a_receiver_exist_from_the_start_and_end_with_it() -> None:
    def receivers(metric: MetricWrapperBase) -> set[str]:
        return {sample.labels["receiver"] for found in metric.collect() for sample in found.samples}

    metrics.track_receivers({"one", "two"}, set())
    for metric in (metrics.SENT, metrics.FAILURES, metrics.OVERDUE, metrics.REFUSED):
        assert {"one", "two"} <= receivers(metric)
    metrics.track_receivers({"two"}, {"one", "two"})
    assert receivers(metrics.OVERDUE) & {"one", "two"} == {"two"}

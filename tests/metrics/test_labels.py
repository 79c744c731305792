"""Label values are cleaned once, when their series is made."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from sergas_metrics import MetricsCollector, render

Sample = Callable[..., float | None]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain", "plain"),
        ("Zürich ☂", "Zürich ☂"),
        ("two\nlines", "two\ufffdlines"),
        ("\x1b[31mred\x00", "\ufffd[31mred\ufffd"),
        ("half \ud83d", "half \ufffd"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "x" * 127 + "…"),
        ("", ""),
    ],
)
def test_a_label_value_is_kept_as_far_as_it_is_fit_to_print(
    metrics: MetricsCollector, sample: Sample, given: str, kept: str
) -> None:
    metrics.agent.record_attempt(given)
    metrics.agent.record_attempt(given)
    assert sample("sergas_agent_task_attempts_total", agent=kept) == 2


def test_a_series_is_removed_by_the_value_that_made_it(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.agent.set_queue_size("a\nb", 3)
    metrics.agent.queue_size.remove("a\nb")
    assert sample("sergas_agent_queue_size", agent="a\ufffdb") is None


@given(st.text())
def test_whatever_is_given_can_be_scraped(value: str) -> None:
    metrics = MetricsCollector(CollectorRegistry())
    metrics.zoho.record_call(value, value, 0.1)
    families = text_string_to_metric_families(render(source=metrics).body.decode())
    assert sum(s.value for f in families for s in f.samples if s.name == "sergas_zoho_api_calls_total") == 1

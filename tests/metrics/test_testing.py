"""The helpers for tests of applications."""

import subprocess
import sys
from pathlib import Path

import pytest

from sergas_metrics import MetricsCollector
from sergas_metrics.testing import Recorded

NAME = "sergas_agent_task_attempts_total"


@pytest.fixture
def recorded(metrics: MetricsCollector) -> Recorded:
    return Recorded(metrics)


def test_a_sample_that_is_not_there_is_zero(recorded: Recorded) -> None:
    assert recorded.value(NAME, agent="sync") == 0
    assert recorded.series(NAME) == {}


def test_values_and_series_are_what_was_recorded(metrics: MetricsCollector, recorded: Recorded) -> None:
    metrics.agent.record_attempt("sync")
    recorded.assert_value(NAME, 1, agent="sync")
    assert recorded.series(NAME) == {(("agent", "sync"),): 1}


def test_a_wrong_value_is_refused_with_what_there_is(metrics: MetricsCollector, recorded: Recorded) -> None:
    metrics.agent.record_attempt("memory")
    with pytest.raises(AssertionError) as refusal:
        recorded.assert_value(NAME, 2, agent="sync")
    assert str(refusal.value).startswith(f'{NAME}{{agent="sync"}} is 0, not 2; recorded are {NAME}{{agent="memory"}} 1')


def test_a_name_that_is_not_recorded_is_named(recorded: Recorded) -> None:
    with pytest.raises(AssertionError) as refusal:
        recorded.assert_value("nothing_total", 1)
    assert str(refusal.value).startswith("nothing_total is 0, not 1; nothing called nothing_total is recorded")


def test_a_rise_is_measured_from_where_the_block_began(metrics: MetricsCollector, recorded: Recorded) -> None:
    metrics.agent.record_attempt("sync")
    with recorded.increases(NAME, agent="sync"):
        metrics.agent.record_attempt("sync")
    with pytest.raises(AssertionError, match=r"rose by 0, not 1"), recorded.increases(NAME, agent="sync"):
        pass


def test_the_fixtures_are_there_for_a_projects_own_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sergas_metrics.testing"]\n')
    (tmp_path / "test_own.py").write_text(
        "def test_one(sergas_metrics, recorded):\n"
        "    sergas_metrics.cache.record_hit('accounts')\n"
        "    recorded.assert_value('sergas_cache_hits_total', 1, cache='accounts')\n"
        "def test_another(recorded):\n"
        "    recorded.assert_value('sergas_cache_hits_total', 0, cache='accounts')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout

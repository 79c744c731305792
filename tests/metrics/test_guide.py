"""The guide's and the README's blocks run as they stand, and show what they say."""

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

import sergas_metrics

ROOT = Path(__file__).parents[2]


@pytest.fixture
def default_registry(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    for module in ("_collector", "_render"):
        monkeypatch.setattr(f"sergas_metrics.{module}.REGISTRY", registry)
    return registry


def run(document: str) -> dict[str, Any]:
    """Run the document's Python block by block, each at the lines where it stands, and return what it defined."""
    names: dict[str, Any] = {"__name__": "document"}
    text = (ROOT / document).read_text()
    for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        lines = "\n" * text[: block.start(1)].count("\n")
        # dont_inherit: the guide has no future imports of ours
        exec(compile(lines + block[1], document, "exec", dont_inherit=True), names)  # noqa: S102
    return names


async def test_the_guide_runs_and_records_what_it_says(
    default_registry: CollectorRegistry,
    call: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("METRICS_DIRECTORY", str(tmp_path / "metrics"))
    names = run("docs/guides/instrument.md")
    assert [*(tmp_path / "metrics").glob("*.values")]
    assert (await call(names["app"], "/accounts/7")).status == 200
    await names["work"]()
    value = default_registry.get_sample_value
    assert (
        value("sergas_http_requests_total", {"method": "GET", "route": "/accounts/{account_id}", "status": "200"}) == 1
    )
    assert value("sergas_zoho_api_calls_total", {"endpoint": "accounts", "status": "200"}) == 1
    assert value("sergas_agent_task_attempts_total", {"agent": "sync"}) == 1
    assert value("sergas_memory_processing_duration_seconds_count", {"operation": "ingest"}) == 2
    assert [page async for page in names["pages"]()] == [[1, 2, 3]]
    port, refusal = capsys.readouterr().out.splitlines()
    assert port.isdigit()
    assert refusal.startswith("cannot push metrics to http://127.0.0.1:9/metrics/job/nightly-import: ")


async def test_the_readme_runs(default_registry: CollectorRegistry, call: Any) -> None:
    names = run("sergas_metrics/README.md")
    assert (await call(names["app"], "/metrics")).status == 200


def test_the_readme_names_every_public_function_and_class() -> None:
    text = (ROOT / "sergas_metrics/README.md").read_text()
    explained = {"MetricSpec", "OVERFLOW", "UNMATCHED"}
    assert [name for name in sergas_metrics.__all__ if f"`{name}`" not in text and name not in explained] == []

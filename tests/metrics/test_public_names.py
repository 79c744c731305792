"""The public names, locked: what is here may be added to, and nothing in it may go or change."""

import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import sergas_metrics

PUBLIC = [
    "CATALOGUE",
    "OVERFLOW",
    "UNMATCHED",
    "MetricSpec",
    "MetricsCollector",
    "MetricsMiddleware",
    "PushError",
    "count_errors",
    "instrument",
    "metrics_app",
    "push",
    "render",
    "serve",
    "track_in_progress",
    "track_time",
]

SIGNATURES = {
    "MetricsCollector": (
        "(registry: 'CollectorRegistry | None' = None, *, max_series: 'int' = 1000, exemplars: 'bool' = "
        "False, directory: 'str | PathLike[str] | None' = None) -> 'None'"
    ),
    "MetricsMiddleware": (
        "(app: 'ASGIApp', *, collector: 'MetricsCollector | None' = None, metrics_path: 'str | None' = None, "
        "metrics_token: 'str | None' = None, route: 'Route | None' = None) -> 'None'"
    ),
    "count_errors": (
        "(counter: 'Labelled', /, *, label: 'str' = 'error_type', limit: 'int' = 50, is_error: "
        "'Callable[[Exception], bool] | None' = None, **labels: 'str') -> 'Measurement[None]'"
    ),
    "instrument": (
        "(app: 'App', *, collector: 'MetricsCollector | None' = None, metrics_path: 'str | None' = "
        "'/metrics', metrics_token: 'str | None' = None, route: 'Route | None' = None) -> 'App'"
    ),
    "metrics_app": (
        "(*, source: 'MetricsCollector | CollectorRegistry | None' = None, metrics_token: 'str | None' = "
        "None) -> 'Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]'"
    ),
    "push": (
        "(gateway: 'str', *, job: 'str', source: 'MetricsCollector | CollectorRegistry | None' = None, "
        "grouping: 'Mapping[str, str] | None' = None, replace: 'bool' = True, attempts: 'int' = 4, timeout: "
        "'float' = 5.0) -> 'None'"
    ),
    "render": ("(*, source: 'MetricsCollector | CollectorRegistry | None' = None, accept: 'str' = '') -> 'Rendered'"),
    "serve": (
        "(port: 'int', *, address: 'str' = '0.0.0.0', source: 'MetricsCollector | CollectorRegistry | None' ="
        " None, metrics_token: 'str | None' = None) -> 'MetricsServer'"
    ),
    "track_in_progress": "(gauge: 'Labelled', /, **labels: 'str') -> 'Measurement[None]'",
    "track_time": "(histogram: 'Labelled', /, **labels: 'str') -> 'Measurement[None]'",
}


def test_the_public_names_are_these() -> None:
    assert sergas_metrics.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_explained(name: str) -> None:
    value = getattr(sergas_metrics, name)
    if callable(value):
        assert inspect.getdoc(value)


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items(), ids=SIGNATURES)
def test_signatures_stay(name: str, signature: str) -> None:
    assert str(inspect.signature(getattr(sergas_metrics, name))) == signature


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(sergas_metrics.__file__).parent / "py.typed").exists()


def test_prometheus_client_is_all_it_needs() -> None:
    needed = importlib.metadata.requires("sergas-metrics") or []
    assert [name for name in needed if "extra ==" not in name] == ["prometheus-client<0.27,>=0.23.1"]


def test_importing_it_imports_no_framework() -> None:
    code = "import sys, sergas_metrics; print(*{'fastapi', 'starlette', 'uvicorn', 'httpx', 'kopf'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
